"""Tracks and jobs in the database: the connection, and bringing the tables up to date at the start.

Knows neither engines nor HTTP. Works on any database that SQLAlchemy speaks; SQLite and PostgreSQL get what each needs
to serve several processes. Alembic is imported only when a schema has to be changed: it would be a third of the
program's start-up time; psutil only where a job was left running.
"""

import os
import socket
import sqlite3
import tempfile
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask import Flask, current_app
from flask_sqlalchemy import SQLAlchemy

from musicgen import track_files
from musicgen.errors import DatabaseUnavailable
from musicgen.tables import Base, GenerationJob, State, Track, UtcDateTime, new_id, utc_now

__all__ = [
    "Base",
    "GenerationJob",
    "State",
    "Track",
    "UtcDateTime",
    "database_url",
    "db",
    "ensure_prepared",
    "init_app",
    "new_id",
    "prepare",
    "utc_now",
]

MIGRATIONS_DIR = Path(__file__).with_name("migrations")
# The newest revision in migrations/versions; kept here so that an up-to-date database is recognised without Alembic.
SCHEMA_HEAD = "0004"
# Any number, as long as every musicgen process takes the same one.
POSTGRESQL_LOCK_ID = 0x6D75736963
SQLITE_BUSY_TIMEOUT_MS = 30_000
# A job of another machine cannot be looked at; one that runs for longer than this is taken for dead.
FOREIGN_JOB_LIMIT = timedelta(hours=1)
# Start times of a process are derived from the machine's clock, so two readings may differ by its corrections.
START_TIME_TOLERANCE_S = 2.0

# Rows stay readable after a commit, also outside of the session: they travel to the thread that answers the request.
db = SQLAlchemy(metadata=Base.metadata, session_options={"expire_on_commit": False})


class _Preparation:
    """Which process has prepared the database of one app; a forked worker counts as another process."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.pid: int | None = None


def init_app(app: Flask) -> None:
    """Bind the database of DATABASE_URL to `app`; nothing is opened or written yet."""
    app.config["SQLALCHEMY_DATABASE_URI"] = database_url(app.config["DATABASE_URL"], app.instance_path)
    # A server that was restarted has closed its connections; they are tried before use.
    app.config.setdefault("SQLALCHEMY_ENGINE_OPTIONS", {"pool_pre_ping": True})
    app.extensions["musicgen_preparation"] = _Preparation()
    db.init_app(app)
    with app.app_context():
        if db.engine.dialect.name == "sqlite":
            _make_sqlite_shareable(db.engine)


def database_url(text: str, instance_path: str) -> sa.URL:
    """Read DATABASE_URL; empty stands for a SQLite file in the instance folder.

    Raises:
        sqlalchemy.exc.ArgumentError: not a URL.
    """
    if not text:
        return sa.URL.create("sqlite", database=str(Path(instance_path) / "musicgen.sqlite"))
    url = sa.make_url(text)
    # Hosting services write postgres://, which SQLAlchemy no longer reads; our extra `postgres` brings psycopg 3.
    return url.set(drivername="postgresql+psycopg") if url.drivername in ("postgres", "postgresql") else url


def _make_sqlite_shareable(engine: sa.Engine) -> None:
    database = engine.url.database
    folder = Path(database).parent if database and database != ":memory:" else None

    @sa.event.listens_for(engine, "do_connect")
    def make_folder(*_args: Any) -> None:
        if folder:
            folder.mkdir(parents=True, exist_ok=True)

    @sa.event.listens_for(engine, "connect")
    def set_pragmas(connection: sqlite3.Connection, _record: Any) -> None:
        connection.execute(f"PRAGMA busy_timeout = {SQLITE_BUSY_TIMEOUT_MS}")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA synchronous = NORMAL")
        # SQLite's own knows ASCII only: a search for "über" would not find "Über".
        connection.create_function("lower", 1, _lower, deterministic=True)


def _lower(text: str | None) -> str | None:
    return None if text is None else text.lower()


def ensure_prepared() -> None:
    """Run `prepare` once in this process, whichever thread comes first.

    Raises:
        DatabaseUnavailable: see `prepare`; the next call tries again.
    """
    preparation: _Preparation = current_app.extensions["musicgen_preparation"]
    if preparation.pid == os.getpid():
        return
    with preparation.lock:
        if preparation.pid != os.getpid():
            prepare()
            preparation.pid = os.getpid()


def prepare() -> None:
    """Bring the schema to head, once even if many processes start together, and close the jobs of dead processes.

    Raises:
        DatabaseUnavailable: the database cannot be reached, or a newer musicgen has written it.
    """
    try:
        if _revision() != SCHEMA_HEAD:
            with _one_process_at_a_time():
                _upgrade()
        _fail_abandoned_jobs()
    except sa.exc.OperationalError as error:
        raise DatabaseUnavailable(str(error.orig)) from error


def _revision() -> str | None:
    with db.engine.connect() as connection:
        if not sa.inspect(connection).has_table("alembic_version"):
            return None
        return connection.scalar(sa.text("SELECT version_num FROM alembic_version"))


def _upgrade() -> None:
    from alembic import command
    from alembic.util import CommandError
    from flask_migrate import Migrate

    try:
        command.upgrade(Migrate(db=db, directory=MIGRATIONS_DIR).get_config(), "head")
    except CommandError as error:
        raise DatabaseUnavailable(f"its schema is unknown to this version of musicgen ({error})") from error


@contextmanager
def _one_process_at_a_time() -> Iterator[None]:
    if db.engine.dialect.name == "postgresql":
        with db.engine.begin() as connection:
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(POSTGRESQL_LOCK_ID)))
            yield
        return
    from filelock import FileLock

    with FileLock(_lock_path(db.engine.url)):
        yield


def _lock_path(url: sa.URL) -> Path:
    if url.get_backend_name() == "sqlite" and url.database not in (None, "", ":memory:"):
        return Path(f"{url.database}.lock")
    return Path(tempfile.gettempdir()) / f"musicgen-{uuid.uuid5(uuid.NAMESPACE_URL, str(url)).hex}.lock"


def _fail_abandoned_jobs() -> None:
    abandoned = [
        job
        for job in db.session.scalars(sa.select(GenerationJob).filter_by(state="running"))
        if not _owner_is_alive(job)
    ]
    for job in abandoned:
        job.state = job.track.status = "failed"
        job.error = "The process that made it ended before it was done."
        job.finished_at = utc_now()
    db.session.commit()
    for job in abandoned:
        track_files.remove_files(job.track_id)


def _owner_is_alive(job: GenerationJob) -> bool:
    if job.owner_host != socket.gethostname():
        return utc_now() - job.started_at < FOREIGN_JOB_LIMIT
    import psutil

    try:
        owner = psutil.Process(job.owner_pid)
        same_start = abs(owner.create_time() - job.owner_started_at) < START_TIME_TOLERANCE_S
        return same_start and owner.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True
