"""The one way from options to a stored track: model -> export -> database, with nothing half-done left behind.

Web and CLI both come through here. Knows neither of them, nor how an engine or an encoder works.
"""

import hashlib
import logging
import math
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import sqlalchemy as sa

from musicgen import track_files
from musicgen.audio_export import AUDIO_FORMATS, Tags, write_audio
from musicgen.database import GenerationJob, State, Track, db, new_id, utc_now
from musicgen.engine import EngineCard, OnProgress, Rendering
from musicgen.errors import GenerationCancelled, GenerationFailed, TrackNotFound
from musicgen.loudness import integrated_loudness
from musicgen.music_model import music_model
from musicgen.options import GenerationOptions
from musicgen.waveform import Waveform

DEFAULT_FORMATS = ("wav", "mp3")
MIDI_FORMAT = "mid"
# Share of the whole that the engine's own progress covers; export and storing are the rest.
ENGINE_SHARE = 0.9

logger = logging.getLogger(__name__)


def ignore_progress(_stage: str, _fraction: float) -> None:
    """Listen to no progress."""


class StageWatch:
    """Times the stages that pass by, and tells the caller one fraction of the whole that never falls.

    Attributes:
        timings: stage -> seconds, of the stages that have ended.
    """

    def __init__(self, on_progress: OnProgress, clock: Callable[[], float] = time.perf_counter) -> None:
        self.timings: dict[str, float] = {}
        self._on_progress = on_progress
        self._clock = clock
        self._stage: str | None = None
        self._since = 0.0
        self._fraction = 0.0

    def on_engine_progress(self, stage: str, fraction: float) -> None:
        """Take the engine's progress, 0 to 1, as its share of the whole."""
        self.enter(stage, fraction * ENGINE_SHARE)

    def enter(self, stage: str, fraction: float) -> None:
        """Go on to `stage` with `fraction` of the whole done."""
        if stage != self._stage:
            self.stop()
            self._stage, self._since = stage, self._clock()
        self._fraction = max(self._fraction, min(fraction, 1.0))
        self._on_progress(stage, self._fraction)

    def stop(self) -> None:
        """End the present stage."""
        if self._stage is not None:
            self.timings[self._stage] = self.timings.get(self._stage, 0.0) + self._clock() - self._since
        self._stage = None


def generate_track(
    options: GenerationOptions,
    *,
    formats: Collection[str] = DEFAULT_FORMATS,
    on_progress: OnProgress = ignore_progress,
) -> Track:
    """Make the track that `options` asks for, store it in `formats` (names in AUDIO_FORMATS) and return its row.

    A MIDI file comes along where the engine writes one. `on_progress` hears of every stage with the fraction of the
    whole; it may raise `GenerationCancelled`.

    Raises:
        InvalidOptions, EngineUnavailable, DeviceUnavailable, StorageFull, GenerationBusy: before any work, no row made.
        GenerationCancelled: from `on_progress`; row and job say "cancelled", no file is left.
        GenerationFailed: anything else; row and job say "failed" and why, no file is left.
    """
    unknown = set(formats) - set(AUDIO_FORMATS) - {MIDI_FORMAT}
    if unknown:
        raise ValueError(f"no such format: {', '.join(sorted(unknown))}; there are {', '.join(AUDIO_FORMATS)}")
    card = music_model.check(options)
    track_files.check_free_space()
    with music_model.place_in_line():
        track = _start(options, card)
        track_id, job_id = track.id, track.job.id
        watch = StageWatch(on_progress)
        try:
            rendering = music_model.generate(options, watch.on_engine_progress)
            paths = _export(track, rendering, formats, card, watch)
            _store(track, rendering, paths, watch)
        except (GenerationCancelled, KeyboardInterrupt, SystemExit):
            _give_up(track_id, "cancelled", None, watch)
            raise
        except Exception as error:
            logger.exception("Job %s failed", job_id)
            reason = _reason(error)
            _give_up(track_id, "failed", reason, watch)
            raise GenerationFailed(job_id, reason) from error
    return track


def _start(options: GenerationOptions, card: EngineCard) -> Track:
    common = {"device": music_model.device, "seed": options.seed}
    track = Track(
        id=new_id(),
        title=options.title,
        prompt=options.prompt,
        language=options.language,
        model=card.name,
        requested_duration=options.duration,
        tempo=options.tempo,
        key=options.key,
        time_signature=options.time_signature,
        **common,
    )
    track.job = GenerationJob(id=new_id(), engine=card.name, options=asdict(options), **common)
    db.session.add(track)
    db.session.commit()
    return track


def _export(
    track: Track, rendering: Rendering, formats: Collection[str], card: EngineCard, watch: StageWatch
) -> dict[str, Path]:
    tags = Tags(
        title=track.title or rendering.title,
        prompt=track.prompt,
        model=track.model,
        seed=track.seed,
        date=track.created_at,
        tempo=rendering.tempo,
        key=rendering.key,
        weights_licence=card.weights_licence,
    )
    audio_formats = [name for name in AUDIO_FORMATS if name in formats]
    paths = {}
    for n_done, name in enumerate(audio_formats):
        watch.enter("export", ENGINE_SHARE + (1 - ENGINE_SHARE) * n_done / len(audio_formats))
        paths[name] = track_files.partial_path(track.id, name)
        write_audio(rendering.waveform, paths[name], tags, name)
    if rendering.midi is not None:
        paths[MIDI_FORMAT] = track_files.partial_path(track.id, MIDI_FORMAT)
        paths[MIDI_FORMAT].write_bytes(rendering.midi)
    return paths


def _store(track: Track, rendering: Rendering, paths: dict[str, Path], watch: StageWatch) -> None:
    watch.enter("store", 1.0)
    track.formats = {name: track_files.file_name(track.id, name) for name in paths}
    if track.main_format:
        main_path = paths[track.main_format]
        track.file_size = main_path.stat().st_size
        track.sha256 = _sha256(main_path)
    track.loudness_lufs = _loudness(rendering.waveform)
    track.title = track.title or rendering.title
    track.duration = rendering.waveform.duration_s
    track.tempo, track.key, track.time_signature = rendering.tempo, rendering.key, rendering.time_signature
    track.understanding, track.notes = dict(rendering.understanding), list(rendering.notes)
    for name, path in paths.items():
        path.replace(path.with_name(track.formats[name]))
    watch.stop()
    track.job.timings = watch.timings
    _close(track, "done")
    db.session.commit()


def _close(track: Track, state: State) -> None:
    track.status = track.job.state = state
    track.job.finished_at = utc_now()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _loudness(waveform: Waveform) -> float | None:
    loudness_lufs = integrated_loudness(waveform)
    return loudness_lufs if math.isfinite(loudness_lufs) else None


def _reason(error: Exception) -> str:
    # The message reaches clients: no SQL, which SQLAlchemy appends, and no path, which OSError appends.
    if isinstance(error, sa.exc.StatementError):
        text = str(error.orig)
    elif isinstance(error, OSError) and error.strerror:
        text = error.strerror
    else:
        text = str(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _give_up(track_id: str, state: State, reason: str | None, watch: StageWatch) -> None:
    watch.stop()
    db.session.rollback()
    with _only_logged(f"remove the files of track {track_id}"):
        track_files.remove_files(track_id)
    with _only_logged(f"record that track {track_id} is {state}"):
        track = db.session.get(Track, track_id)
        if track:
            track.job.error, track.job.timings = reason, watch.timings
            _close(track, state)
            db.session.commit()


@contextmanager
def _only_logged(task: str) -> Iterator[None]:
    # Not raised: it would hide why the generation ended. What is left over goes when a process starts the next time.
    try:
        yield
    except (sa.exc.SQLAlchemyError, OSError):
        logger.exception("Could not %s", task)
        db.session.rollback()


def find_track(track_id: str) -> Track:
    """Return one track.

    Raises:
        TrackNotFound: there is none with this id.
    """
    track = db.session.get(Track, track_id)
    if track is None:
        raise TrackNotFound(track_id)
    return track


def list_tracks(page: int, page_size: int) -> tuple[list[Track], int]:
    """Return one page (from 1) of all tracks, newest first, and how many tracks there are."""
    newest_first = sa.select(Track).order_by(Track.created_at.desc(), Track.id.desc())
    tracks = db.session.scalars(newest_first.limit(page_size).offset((page - 1) * page_size))
    return list(tracks), db.session.scalar(sa.select(sa.func.count()).select_from(Track)) or 0


def delete_track(track_id: str) -> None:
    """Remove a track with its job and every file of it; one that is being made fails.

    Raises:
        TrackNotFound: there is none with this id.
    """
    track = find_track(track_id)
    # Files first: if they cannot be removed, the row stays and says that they are there.
    track_files.remove_files(track.id)
    db.session.delete(track)
    db.session.commit()


def audio_path(track: Track, format_name: str | None = None) -> Path | None:
    """Say where a track's file is, in `format_name` or the main format; None where it has none or the file is gone."""
    name = track.formats.get(format_name) if format_name else track.main_file
    path = track_files.output_dir() / name if name else None
    return path if path and path.is_file() else None


@dataclass(frozen=True, slots=True)
class ModelDescription:
    """What people may know of an engine; the fields are those of `EngineCard`, and:

    Attributes:
        ready: whether it can run here.
        reason: why not, and what to do.
        default: whether requests that name no model get it.
        max_duration: seconds.
    """

    name: str
    description: str
    ready: bool
    reason: str | None
    default: bool
    max_duration: float
    supports_seed: bool
    supports_lyrics: bool
    weights_licence: str


def describe_models() -> list[ModelDescription]:
    """Describe every engine, ready or not."""
    return [_describe(card) for card in music_model.cards()]


def _describe(card: EngineCard) -> ModelDescription:
    reason = music_model.why_not_ready(card)
    return ModelDescription(
        name=card.name,
        description=card.description,
        ready=reason is None,
        reason=reason,
        default=card.name == music_model.default_name,
        max_duration=card.max_duration_s,
        supports_seed=card.supports_seed,
        supports_lyrics=card.supports_lyrics,
        weights_licence=card.weights_licence,
    )
