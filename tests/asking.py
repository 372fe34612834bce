"""What the tests of the service ask for, and where they look afterwards. To be used in an app's context."""

import sqlalchemy as sa

from musicgen import track_files
from musicgen.database import Track, db
from musicgen.options import GenerationOptions
from musicgen.service import OnProgress, Progress

PATIENCE_S = 60


def ask(model: str | None = None, duration: float = 5.0, **options: object) -> GenerationOptions:
    return GenerationOptions("slow rain", duration=duration, seed=1, model=model, **options)  # type: ignore[arg-type]


def stop_at(stage: str, error: BaseException) -> OnProgress:
    def stop(progress: Progress) -> None:
        if progress.stage == stage:
            raise error

    return stop


def files_in_output() -> list[str]:
    return sorted(path.name for path in track_files.output_dir().iterdir())


def only_track() -> Track:
    db.session.expire_all()
    return db.session.scalars(sa.select(Track)).one()
