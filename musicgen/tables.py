"""The tables: tracks and the jobs that make them. Knows no connection: that is `database`, which hands them out."""

import os
import socket
import uuid
from datetime import UTC, datetime
from typing import Any, ClassVar, Literal

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from musicgen import __version__

State = Literal["running", "done", "failed", "cancelled"]


def utc_now() -> datetime:
    """Return the present time, aware, in UTC."""
    return datetime.now(UTC)


def new_id() -> str:
    """Draw a fresh identifier: 32 hexadecimal digits."""
    return uuid.uuid4().hex


def own_start() -> float:
    """Return when this process started, seconds since 1970."""
    # Imported on use, as it is only generations that need it.
    import psutil

    return psutil.Process().create_time()


class UtcDateTime(sa.TypeDecorator[datetime]):
    """A point in time that is aware and in UTC whenever it is read, also from databases that keep no time zone."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """Convert to UTC.

        Raises:
            ValueError: the time is naive.
        """
        if value is not None and value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone")
        return value.astimezone(UTC) if value is not None else None

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """Add the time zone where the database dropped it."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """Every table; constraints have names so that migrations can change them."""

    metadata = sa.MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar = {
        datetime: UtcDateTime,
        float: sa.Double,
        State: sa.String(16),
        list[str]: sa.JSON,
        dict[str, str]: sa.JSON,
        dict[str, float]: sa.JSON,
        dict[str, Any]: sa.JSON,
    }


class Track(Base):
    """One piece of music, from the moment it is asked for.

    Attributes:
        requested_duration: seconds asked for.
        duration: seconds rendered.
        tempo: quarter notes a minute.
        formats: format name -> file name in OUTPUT_DIR; empty unless done.
        file_size: bytes of the main audio file.
        sha256: of the main audio file, hexadecimal.
        loudness_lufs: integrated loudness; None for silence.
        understanding: what the engine took from the prompt.
        notes: sentences on what was asked and could not be done.
        plan: what was decided before it was played, as a request takes it back; None from engines without plans.
        stems: name of a part -> file name in OUTPUT_DIR; empty unless asked for.
        version: of musicgen, which made it; None where it was not yet written down.
    """

    __tablename__ = "track"

    id: Mapped[str] = mapped_column(sa.String(32), primary_key=True, default=new_id)
    status: Mapped[State] = mapped_column(default="running")
    title: Mapped[str | None] = mapped_column(sa.Text)
    prompt: Mapped[str] = mapped_column(sa.Text)
    language: Mapped[str | None] = mapped_column(sa.String(35))
    model: Mapped[str] = mapped_column(sa.String(64))
    device: Mapped[str | None] = mapped_column(sa.String(16))
    seed: Mapped[int]
    requested_duration: Mapped[float]
    duration: Mapped[float | None]
    tempo: Mapped[float | None]
    key: Mapped[str | None] = mapped_column(sa.String(32))
    time_signature: Mapped[str | None] = mapped_column(sa.String(8))
    formats: Mapped[dict[str, str]] = mapped_column(default=dict)
    file_size: Mapped[int | None] = mapped_column(sa.BigInteger)
    sha256: Mapped[str | None] = mapped_column(sa.String(64))
    loudness_lufs: Mapped[float | None]
    understanding: Mapped[dict[str, Any]] = mapped_column(default=dict)
    notes: Mapped[list[str]] = mapped_column(default=list)
    plan: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON(none_as_null=True))
    stems: Mapped[dict[str, str]] = mapped_column(default=dict, server_default="{}")
    version: Mapped[str | None] = mapped_column(sa.String(32), default=__version__)
    created_at: Mapped[datetime] = mapped_column(default=utc_now, index=True)
    job: Mapped["GenerationJob"] = relationship(
        back_populates="track", cascade="all, delete-orphan", passive_deletes=True, lazy="joined"
    )

    @property
    def main_format(self) -> str | None:
        """The format that players get unless they ask for another: MP3 where there is one."""
        return "mp3" if "mp3" in self.formats else next(iter(self.formats), None)

    @property
    def main_file(self) -> str | None:
        """Name of the main audio file in OUTPUT_DIR; None unless done."""
        return self.formats[self.main_format] if self.main_format else None


class GenerationJob(Base):
    """One attempt to make a track, and which process makes it.

    Attributes:
        options: the request, as `GenerationOptions` holds it.
        timings: stage -> seconds.
        pace: seconds until each mark of progress was reached, as `pace.Pace` has them; None unless done.
        idempotency_key: the client's name for the request, so that a retry finds this job; None where it gave none.
        request_sha256: what was asked under that key, hexadecimal.
        error: why it failed, one line.
        owner_started_at: start of the owning process, seconds since 1970; with its pid it names the process for good.
    """

    __tablename__ = "generation_job"

    id: Mapped[str] = mapped_column(sa.String(32), primary_key=True, default=new_id)
    track_id: Mapped[str] = mapped_column(sa.ForeignKey("track.id", ondelete="CASCADE"), unique=True)
    state: Mapped[State] = mapped_column(default="running", index=True)
    engine: Mapped[str] = mapped_column(sa.String(64))
    device: Mapped[str | None] = mapped_column(sa.String(16))
    seed: Mapped[int]
    options: Mapped[dict[str, Any]] = mapped_column(default=dict)
    started_at: Mapped[datetime] = mapped_column(default=utc_now)
    finished_at: Mapped[datetime | None]
    timings: Mapped[dict[str, float]] = mapped_column(default=dict)
    pace: Mapped[list[float] | None] = mapped_column(sa.JSON(none_as_null=True))
    idempotency_key: Mapped[str | None] = mapped_column(sa.String(255), index=True, unique=True)
    request_sha256: Mapped[str | None] = mapped_column(sa.String(64))
    error: Mapped[str | None] = mapped_column(sa.Text)
    owner_host: Mapped[str] = mapped_column(sa.String(255), default=socket.gethostname)
    owner_pid: Mapped[int] = mapped_column(default=os.getpid)
    owner_started_at: Mapped[float] = mapped_column(default=own_start)
    track: Mapped[Track] = relationship(back_populates="job")
