"""Requests that a client repeats under the same key, so that a lost answer costs no second track.

A key belongs to the last attempt: one that failed or was cancelled hands it on to the next.
"""

import math
from dataclasses import dataclass

import sqlalchemy as sa

from musicgen import past_jobs
from musicgen.database import GenerationJob, Track, db, utc_now
from musicgen.errors import RequestKeyReused, RequestStillRunning

ENDED_WITHOUT_A_TRACK = ("failed", "cancelled")


@dataclass(frozen=True, slots=True)
class RequestKey:
    """A client's name for one request.

    Attributes:
        name: what the client sent.
        sha256: of what was asked, hexadecimal; the same key must not come with another.
    """

    name: str
    sha256: str


def finished_track(key: RequestKey) -> Track | None:
    """Return the track that an earlier request under this key has made; None if it has yet to be made.

    Raises:
        RequestKeyReused: the key came with another request.
        RequestStillRunning: the track is being made.
    """
    track = db.session.scalar(sa.select(Track).join(Track.job).filter_by(idempotency_key=key.name))
    if track is None:
        return None
    if track.job.request_sha256 != key.sha256:
        raise RequestKeyReused(key.name)
    if track.job.state == "running":
        raise RequestStillRunning(key.name, _seconds_left(track))
    return track if track.job.state == "done" else None


def _seconds_left(track: Track) -> int:
    expected = past_jobs.expect(track.model, track.device, track.requested_duration, bool(track.job.options["stems"]))
    total_s = expected.pace.total_s if expected.pace else 0.0
    return max(1, math.ceil(total_s - (utc_now() - track.job.started_at).total_seconds()))


def take_over(key: RequestKey) -> None:
    """Free a key from the attempt that ended without a track; to be committed with the job that takes it."""
    ended = GenerationJob.state.in_(ENDED_WITHOUT_A_TRACK)
    db.session.execute(
        sa.update(GenerationJob)
        .where(GenerationJob.idempotency_key == key.name, ended)
        .values(idempotency_key=None, request_sha256=None)
    )
