"""What the jobs that this machine has done tell about the next one. Reads the database; the reckoning is `pace`'s."""

import socket
from dataclasses import dataclass

import sqlalchemy as sa

from musicgen.database import GenerationJob, Track, db
from musicgen.pace import N_MARKS, Pace, learn_pace
from musicgen.stage_watch import LOADING

# So many of the last jobs count: enough for a median, few enough to notice a new version or a new machine.
N_PAST_JOBS = 24


@dataclass(frozen=True, slots=True)
class Expectation:
    """How long a generation will take; None where nothing is known.

    Attributes:
        pace: of the generation itself.
        loading_s: seconds of loading the engine, where that has to be done.
    """

    pace: Pace | None
    loading_s: float | None


def expect(engine: str, device: str | None, duration_s: float, with_stems: bool) -> Expectation:
    """Learn from the last jobs of the same kind on this machine how long a track of `duration_s` takes."""
    alike = (
        sa.select(Track.duration, Track.stems, GenerationJob.pace, GenerationJob.timings)
        .join(GenerationJob, GenerationJob.track_id == Track.id)
        .where(
            Track.status == "done",
            Track.model == engine,
            Track.device == device,
            GenerationJob.owner_host == socket.gethostname(),
            GenerationJob.pace.is_not(None),
        )
        .order_by(Track.created_at.desc())
        .limit(N_PAST_JOBS)
    )
    jobs = [job for job in db.session.execute(alike) if bool(job.stems) == with_stems and len(job.pace) == N_MARKS + 1]
    # Only ends the reading, so that no connection is held while the music is made.
    db.session.commit()
    loading_s = [job.timings[LOADING] for job in jobs if LOADING in job.timings]
    pace = learn_pace([job.duration for job in jobs], [job.pace for job in jobs], duration_s)
    return Expectation(pace, sorted(loading_s)[len(loading_s) // 2] if loading_s else None)
