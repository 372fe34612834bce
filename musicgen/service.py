"""The one way from options to a stored track: model -> export -> database, with nothing half-done left behind.

Web and CLI both come through here. Knows neither of them, nor how an engine or an encoder works.
"""

import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask import current_app
from sqlalchemy.orm import joinedload

from musicgen import job_record, later_files, past_jobs, retries, track_files
from musicgen.audio_export import AUDIO_FORMATS
from musicgen.database import GenerationJob, Track, db
from musicgen.digests import sha256
from musicgen.engine import SCORE_FORMATS
from musicgen.errors import GenerationCancelled, GenerationFailed, TrackNotFound
from musicgen.follow_ups import options_after
from musicgen.music_model import music_model
from musicgen.options import FollowUp, GenerationOptions
from musicgen.retries import RequestKey
from musicgen.stage_watch import StageWatch
from musicgen.track_export import ExportedTrack, export_stems, export_track, stem_ending

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a generation is.

    Attributes:
        track_id: the track that is being made.
        stage: what is being done.
        fraction: share of the whole that is done, 0 to 1, never falling; of time, as soon as the past teaches it.
        seconds_left: None where the past teaches nothing.
    """

    track_id: str
    stage: str
    fraction: float
    seconds_left: float | None


OnProgress = Callable[[Progress], None]


def ignore_progress(_progress: Progress) -> None:
    """Listen to no progress."""


def generate_track(
    request: GenerationOptions | FollowUp,
    *,
    formats: Collection[str] | None = None,
    on_progress: OnProgress = ignore_progress,
    on_mp3: Callable[[bytes], None] | None = None,
    key: RequestKey | None = None,
) -> Track:
    """Make the track that `request` asks for, store it in `formats` (KEEP_FORMATS unless given) and return its row.

    A MIDI file and a lead sheet come along where the engine writes them. `on_progress` hears of every stage, the first
    time when the row has been made; it may raise `GenerationCancelled`. `on_mp3` is handed the MP3 piece by piece while
    it is made, from other threads; the row has its title by then. A request whose `key` has made a track gets that one,
    and nobody hears anything.

    Raises:
        TrackNotFound: a follow-up names no track.
        InvalidOptions, EngineUnavailable, DeviceUnavailable, StorageFull, GenerationBusy, RequestKeyReused,
            RequestStillRunning, SoundNotKept (of the track that is edited): before any work, no row made.
        GenerationCancelled: from `on_progress`; row and job say "cancelled", no file is left.
        GenerationFailed: anything else; row and job say "failed" and why, no file is left.
    """
    formats = kept_formats() if formats is None else formats
    unknown = set(formats) - set(AUDIO_FORMATS) - set(SCORE_FORMATS)
    if unknown:
        raise ValueError(f"no such format: {', '.join(sorted(unknown))}; there are {', '.join(AUDIO_FORMATS)}")
    earlier = retries.finished_track(key) if key else None
    if earlier:
        return earlier
    options = _completed(request)
    card = music_model.check(options)
    options = later_files.with_original(music_model.with_checked_plan(options))
    track_files.check_free_space()
    with music_model.place_in_line():
        track = job_record.begin(options, card, music_model.device, key)
        track_id, job_id = track.id, track.job.id
        watch = _watch(track, bool(options.stems), on_progress)
        try:
            with music_model.generation(options, watch.on_engine_progress) as rendering:
                job_record.describe(track, rendering)
                exported = export_track(track, rendering, formats, card, watch, on_mp3)
                stem_paths = export_stems(track, rendering, card)
            _store(track, exported, stem_paths, watch)
        except (GenerationCancelled, KeyboardInterrupt, SystemExit):
            watch.stop()
            job_record.give_up(track_id, "cancelled", None, watch.timings)
            raise
        except Exception as error:
            logger.exception("Job %s failed", job_id)
            reason = job_record.reason_of(error)
            watch.stop()
            job_record.give_up(track_id, "failed", reason, watch.timings)
            raise GenerationFailed(job_id, reason) from error
    return track


def kept_formats() -> tuple[str, ...]:
    """Return the audio formats that every generation stores."""
    formats: tuple[str, ...] = current_app.config["KEEP_FORMATS"]
    return formats


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


def _watch(track: Track, with_stems: bool, on_progress: OnProgress) -> StageWatch:
    track_id = track.id
    expected = past_jobs.expect(track.model, track.device, track.requested_duration, with_stems)

    def report(stage: str, fraction: float, seconds_left: float | None) -> None:
        on_progress(Progress(track_id, stage, fraction, seconds_left))

    return StageWatch(report, expected.pace, expected.loading_s)


def _store(track: Track, exported: ExportedTrack, stem_paths: dict[str, Path], watch: StageWatch) -> None:
    watch.enter("store", 1.0)
    paths = exported.paths
    track.formats = {name: track_files.file_name(track.id, name) for name in paths}
    track.stems = {name: track_files.file_name(track.id, stem_ending(name)) for name in stem_paths}
    if track.main_format:
        main_path = paths[track.main_format]
        track.file_size = main_path.stat().st_size
        track.sha256 = sha256(main_path)
    track.loudness_lufs = exported.loudness_lufs
    if track.job.options.get("stems") and not stem_paths:
        track.notes = [*track.notes, f"{track.model} makes no stems."]
    for path in (*paths.values(), *stem_paths.values()):
        track_files.complete(path)
    track.job.pace, track.job.timings = watch.finish(), watch.timings
    job_record.close(track, "done")
    db.session.commit()


def find_track(track_id: str) -> Track:
    """Return one track.

    Raises:
        TrackNotFound: there is none with this id.
    """
    track = db.session.get(Track, track_id)
    if track is None:
        raise TrackNotFound(track_id)
    return track


def list_tracks(page: int, page_size: int, search: str = "") -> tuple[list[Track], int]:
    """Return one page (from 1) of the tracks that `search` finds, newest first, and how many it finds.

    It finds tracks that have all its words in their title or prompt, in whatever case; all tracks when it is empty.
    """
    # A recording may be among a request's options: nobody looks at those in a list.
    light = joinedload(Track.job).defer(GenerationJob.options)
    newest_first = sa.select(Track).options(light).order_by(Track.created_at.desc(), Track.id.desc())
    found = sa.and_(sa.true(), *(_mentions(word) for word in search.split()))
    tracks = db.session.scalars(newest_first.where(found).limit(page_size).offset((page - 1) * page_size))
    return list(tracks), db.session.scalar(sa.select(sa.func.count()).select_from(Track).where(found)) or 0


def _mentions(word: str) -> sa.ColumnElement[bool]:
    """Make a condition of a word: "%" and "_" stand for themselves."""
    return sa.or_(*(column.icontains(word, autoescape=True) for column in (Track.title, Track.prompt)))


def rename_track(track_id: str, title: str) -> Track:
    """Give a track another title. Files that exist keep the old one in their tags; downloads are named by the new one.

    Raises:
        TrackNotFound: there is none with this id.
    """
    track = find_track(track_id)
    track.title = title
    db.session.commit()
    return track


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
    # What was made of it meanwhile; whoever makes a file from now on finds no row and removes it.
    track_files.remove_files(track_id)


def audio_path(track: Track, format_name: str | None = None) -> Path | None:
    """Say where a track's file is, in `format_name` or the main format; None where it has none or the file is gone."""
    name = track.formats.get(format_name) if format_name else track.main_file
    path = track_files.output_dir() / name if name else None
    return path if path and path.is_file() else None
