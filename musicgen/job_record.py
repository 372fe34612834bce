"""What the database keeps of a generation, from its begin to its end without a track. Knows no stage and no sound."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from typing import Any

import sqlalchemy as sa

from musicgen import retries, track_files
from musicgen.database import GenerationJob, State, Track, db, new_id, utc_now
from musicgen.engine import EngineCard, Rendering
from musicgen.errors import RequestStillRunning
from musicgen.options import GenerationOptions
from musicgen.retries import RequestKey

logger = logging.getLogger(__name__)


def begin(options: GenerationOptions, card: EngineCard, device: str | None, key: RequestKey | None) -> Track:
    """Write the rows of a generation that begins.

    Raises:
        RequestStillRunning: another process has begun with the same key.
    """
    common = {"device": device, "seed": options.seed}
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
    track.job = GenerationJob(id=new_id(), engine=card.name, options=_stored(options), **common)
    if key:
        retries.take_over(key)
        track.job.idempotency_key, track.job.request_sha256 = key.name, key.sha256
    db.session.add(track)
    try:
        db.session.commit()
    except sa.exc.IntegrityError as error:
        db.session.rollback()
        if key is None:
            raise
        # Another process took the key between the look and the leap.
        raise RequestStillRunning(key.name, retry_after_s=1) from error
    return track


def _stored(options: GenerationOptions) -> dict[str, Any]:
    """Give the options as JSON values, without a path of this machine."""
    return asdict(replace(options, original=None))


def describe(track: Track, rendering: Rendering) -> None:
    """Write down what is known before the first sound, for those who hear it while it is made."""
    track.plan = None if rendering.plan is None else dict(rendering.plan)
    track.title = track.title or rendering.title
    track.duration = rendering.audio.duration_s
    track.tempo, track.key, track.time_signature = rendering.tempo, rendering.key, rendering.time_signature
    track.understanding, track.notes = dict(rendering.understanding), list(rendering.notes)
    db.session.commit()


def close(track: Track, state: State) -> None:
    """Note how a generation ended, and when; to be committed."""
    track.status = track.job.state = state
    track.job.finished_at = utc_now()


def reason_of(error: Exception) -> str:
    """Say in one line why a generation failed."""
    # The message reaches clients: no SQL, which SQLAlchemy appends, and no path, which OSError appends.
    if isinstance(error, sa.exc.StatementError):
        text = str(error.orig)
    elif isinstance(error, OSError) and error.strerror:
        text = error.strerror
    else:
        text = str(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def give_up(track_id: str, state: State, reason: str | None, timings: dict[str, float]) -> None:
    """Record that a generation ended without a track, and remove its files; what cannot be done is logged."""
    db.session.rollback()
    with _only_logged(f"remove the files of track {track_id}"):
        track_files.remove_files(track_id)
    with _only_logged(f"record that track {track_id} is {state}"):
        track = db.session.get(Track, track_id)
        if track:
            track.job.error, track.job.timings = reason, timings
            close(track, state)
            db.session.commit()


@contextmanager
def _only_logged(task: str) -> Iterator[None]:
    # Not raised: it would hide why the generation ended. What is left over goes when a process starts the next time.
    try:
        yield
    except (sa.exc.SQLAlchemyError, OSError):
        logger.exception("Could not %s", task)
        db.session.rollback()
