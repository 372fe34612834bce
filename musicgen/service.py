"""The one way from options to a stored track: model -> export -> database, with nothing half-done left behind.

Web and CLI both come through here. Knows neither of them, nor how an engine or an encoder works.
"""

import logging
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from musicgen import track_files
from musicgen.audio_export import AUDIO_FORMATS
from musicgen.database import GenerationJob, State, Track, db, new_id, utc_now
from musicgen.engine import EngineCard, OnProgress, Rendering, StyleCard
from musicgen.errors import GenerationCancelled, GenerationFailed, TrackNotFound
from musicgen.follow_ups import options_after
from musicgen.music_model import music_model
from musicgen.options import FollowUp, GenerationOptions
from musicgen.stage_watch import StageWatch
from musicgen.track_export import SCORE_FORMATS, ExportedTrack, export_stems, export_track, sha256, stem_ending

DEFAULT_FORMATS = ("wav", "mp3")

logger = logging.getLogger(__name__)


def ignore_progress(_stage: str, _fraction: float) -> None:
    """Listen to no progress."""


def generate_track(
    request: GenerationOptions | FollowUp,
    *,
    formats: Collection[str] = DEFAULT_FORMATS,
    on_progress: OnProgress = ignore_progress,
) -> Track:
    """Make the track that `request` asks for, store it in `formats` (names in AUDIO_FORMATS) and return its row.

    A MIDI file and a lead sheet come along where the engine writes them. `on_progress` hears of every stage with the
    fraction of the whole; it may raise `GenerationCancelled`.

    Raises:
        TrackNotFound: a follow-up names no track.
        InvalidOptions, EngineUnavailable, DeviceUnavailable, StorageFull, GenerationBusy: before any work, no row made.
        GenerationCancelled: from `on_progress`; row and job say "cancelled", no file is left.
        GenerationFailed: anything else; row and job say "failed" and why, no file is left.
    """
    unknown = set(formats) - set(AUDIO_FORMATS) - set(SCORE_FORMATS)
    if unknown:
        raise ValueError(f"no such format: {', '.join(sorted(unknown))}; there are {', '.join(AUDIO_FORMATS)}")
    options = _completed(request)
    card = music_model.check(options)
    options = music_model.with_checked_plan(options)
    track_files.check_free_space()
    with music_model.place_in_line():
        track = _start(options, card)
        track_id, job_id = track.id, track.job.id
        watch = StageWatch(on_progress)
        try:
            with music_model.generation(options, watch.on_engine_progress) as rendering:
                exported = export_track(track, rendering, formats, card, watch)
                stem_paths = export_stems(track, rendering, card)
            _store(track, rendering, exported, stem_paths, watch)
        except (GenerationCancelled, KeyboardInterrupt, SystemExit):
            _give_up(track_id, "cancelled", None, watch)
            raise
        except Exception as error:
            logger.exception("Job %s failed", job_id)
            reason = _reason(error)
            _give_up(track_id, "failed", reason, watch)
            raise GenerationFailed(job_id, reason) from error
    return track


@dataclass(frozen=True, slots=True)
class TrackPlan:
    """What would be made of a request; the fields are those of the request and of `PlannedTrack`."""

    prompt: str
    seed: int
    model: str
    title: str
    plan: Mapping[str, Any]
    understanding: Mapping[str, Any]
    notes: tuple[str, ...]


def plan_track(request: GenerationOptions | FollowUp) -> TrackPlan:
    """Plan the track that `request` asks for, without making it; nothing is stored.

    Raises:
        TrackNotFound: a follow-up names no track.
        InvalidOptions: the engine is unknown or has no plans, or the options' own plan is bad.
    """
    options = _completed(request)
    planned = music_model.plan(options)
    return TrackPlan(
        prompt=options.prompt,
        seed=options.seed,
        model=music_model.card(options.model).name,
        title=options.title or planned.title,
        plan=planned.plan,
        understanding=planned.understanding,
        notes=planned.notes,
    )


def _completed(request: GenerationOptions | FollowUp) -> GenerationOptions:
    if isinstance(request, FollowUp):
        return options_after(request, find_track(request.track_id))
    return request


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


def _store(
    track: Track, rendering: Rendering, exported: ExportedTrack, stem_paths: dict[str, Path], watch: StageWatch
) -> None:
    watch.enter("store", 1.0)
    paths = exported.paths
    track.formats = {name: track_files.file_name(track.id, name) for name in paths}
    track.stems = {name: track_files.file_name(track.id, stem_ending(name)) for name in stem_paths}
    track.plan = None if rendering.plan is None else dict(rendering.plan)
    if track.main_format:
        main_path = paths[track.main_format]
        track.file_size = main_path.stat().st_size
        track.sha256 = sha256(main_path)
    track.loudness_lufs = exported.loudness_lufs
    track.title = track.title or rendering.title
    track.duration = rendering.audio.duration_s
    track.tempo, track.key, track.time_signature = rendering.tempo, rendering.key, rendering.time_signature
    track.understanding, track.notes = dict(rendering.understanding), list(rendering.notes)
    if track.job.options.get("stems") and not stem_paths:
        track.notes = [*track.notes, f"{track.model} makes no stems."]
    for path in (*paths.values(), *stem_paths.values()):
        track_files.complete(path)
    watch.stop()
    track.job.timings = watch.timings
    _close(track, "done")
    db.session.commit()


def _close(track: Track, state: State) -> None:
    track.status = track.job.state = state
    track.job.finished_at = utc_now()


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
    supports_plan: bool
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
        supports_plan=card.supports_plan,
        weights_licence=card.weights_licence,
    )


def list_styles(model: str | None = None) -> list[StyleCard]:
    """Return the styles that an engine knows by name; None takes the configured engine.

    Raises:
        InvalidOptions: there is no such engine.
    """
    return list(music_model.card(model).styles())
