"""The database: schema, start-up of many processes, dead processes, times, and what SQLite needs."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import psutil
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from flask.testing import FlaskCliRunner

from musicgen import database as database_module
from musicgen import service, track_files
from musicgen.database import Base, GenerationJob, Track, db, ensure_prepared, new_id, prepare, utc_now
from musicgen.errors import DatabaseUnavailable
from musicgen.options import GenerationOptions
from tests.tone_engine import BlockingEngine

FORK = multiprocessing.get_context("fork")
PATIENCE_S = 60


def add_track(**job: Any) -> Track:
    track = Track(id=new_id(), prompt="rain", model="tone", seed=1, requested_duration=5.0)
    track.job = GenerationJob(engine="tone", seed=1, **job)
    db.session.add(track)
    db.session.commit()
    return track


def reread(track: Track) -> Track:
    db.session.expire_all()
    return db.session.get_one(Track, track.id)


def head_of_migrations() -> str | None:
    config = Config()
    config.set_main_option("script_location", str(database_module.MIGRATIONS_DIR))
    return ScriptDirectory.from_config(config).get_current_head()


def test_the_known_head_is_the_newest_revision() -> None:
    assert head_of_migrations() == database_module.SCHEMA_HEAD


def test_migrations_make_the_tables_of_the_models(database: None) -> None:
    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_flask_db_goes_down_and_up_again(app: Flask, runner: FlaskCliRunner) -> None:
    for command in ("upgrade", "downgrade", "upgrade", "check"):
        result = runner.invoke(args=["db", command])
        assert result.exit_code == 0, result.output
    with app.app_context():
        assert set(sa.inspect(db.engine).get_table_names()) == {"track", "generation_job", "alembic_version"}


def test_flask_db_writes_sql_without_touching_the_database(runner: FlaskCliRunner, tmp_path: Path) -> None:
    result = runner.invoke(args=["db", "upgrade", "--sql"])
    assert "CREATE TABLE generation_job" in result.output
    assert not (tmp_path / "musicgen.sqlite").exists()


def prepare_with_others(make_app: Callable[..., Flask], barrier: Any) -> None:
    app = make_app()
    barrier.wait(PATIENCE_S)
    with app.app_context():
        ensure_prepared()
        add_track()


def test_many_processes_prepare_one_fresh_database_at_once(make_app: Callable[..., Flask]) -> None:
    n_processes = 8
    barrier = FORK.Barrier(n_processes)
    workers = [FORK.Process(target=prepare_with_others, args=(make_app, barrier)) for _ in range(n_processes)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(PATIENCE_S)
    assert [worker.exitcode for worker in workers] == [0] * n_processes
    with make_app().app_context():
        assert db.session.scalar(sa.select(sa.func.count()).select_from(Track)) == n_processes


def test_an_interrupted_migration_leaves_nothing_behind(app: Flask) -> None:
    with app.app_context():

        def break_off(_conn: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
            if "CREATE TABLE generation_job" in statement:
                raise KeyboardInterrupt

        sa.event.listen(db.engine, "before_cursor_execute", break_off)
        with pytest.raises(KeyboardInterrupt):
            prepare()
        assert "track" not in sa.inspect(db.engine).get_table_names()
        sa.event.remove(db.engine, "before_cursor_execute", break_off)
        prepare()
        add_track()


def test_a_database_of_a_newer_version_is_refused_in_words(database: None) -> None:
    with db.engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseUnavailable, match="unknown to this version"):
        prepare()


def test_a_database_that_cannot_be_opened_is_reported_in_words(make_app: Callable[..., Flask], tmp_path: Path) -> None:
    with make_app(DATABASE_URL=f"sqlite:///{tmp_path}").app_context(), pytest.raises(DatabaseUnavailable) as caught:
        ensure_prepared()
    assert str(tmp_path) not in str(caught.value)


def test_prepared_once_in_a_process_by_whichever_thread_comes_first(app: Flask) -> None:
    revisions = []

    def serve() -> None:
        with app.app_context():
            ensure_prepared()
            revisions.append(db.session.scalar(sa.text("SELECT version_num FROM alembic_version")))

    threads = [threading.Thread(target=serve) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    assert revisions == [database_module.SCHEMA_HEAD] * 6
    with app.app_context():
        abandoned = add_track(owner_pid=os.getpid(), owner_started_at=0.0)
        ensure_prepared()
        assert reread(abandoned).status == "running"
        prepare()
        assert reread(abandoned).status == "failed"


def generate_forever(make_app: Callable[..., Flask], reports: Any) -> None:
    with make_app().app_context():
        ensure_prepared()

        def report(progress: service.Progress) -> None:
            if progress.stage == "block" and not reported:
                reported.append(db.session.scalars(sa.select(Track.id).filter_by(status="running")).all())
                reports.put(os.getpid())

        reported: list[Any] = []
        service.generate_track(GenerationOptions("a very long song", model="blocking"), on_progress=report)


@pytest.fixture
def generating(make_app: Callable[..., Flask], blocking: type[BlockingEngine]) -> Iterator[Callable[[], Any]]:
    """Start processes that generate until they are killed."""
    workers = []

    def start() -> Any:
        reports = FORK.Queue()
        workers.append(FORK.Process(target=generate_forever, args=(make_app, reports)))
        workers[-1].start()
        assert reports.get(timeout=PATIENCE_S) == workers[-1].pid
        return workers[-1]

    yield start
    for worker in workers:
        worker.kill()
        worker.join(PATIENCE_S)


def test_a_killed_process_leaves_a_failed_job_and_a_live_one_is_not_touched(
    make_app: Callable[..., Flask], generating: Callable[[], Any]
) -> None:
    killed, live = generating(), generating()
    with make_app().app_context():
        jobs = {job.owner_pid: job for job in db.session.scalars(sa.select(GenerationJob))}
        half_file = track_files.partial_path(jobs[killed.pid].track_id, "mp3")
        half_file.write_bytes(b"half")
        os.kill(killed.pid, signal.SIGKILL)
        killed.join(PATIENCE_S)
        ensure_prepared()
        dead = reread(jobs[killed.pid].track)
        assert (dead.status, dead.job.state) == ("failed", "failed")
        assert "process" in (dead.job.error or "") and dead.job.finished_at is not None
        assert not half_file.exists()
        alive = reread(jobs[live.pid].track)
        assert (alive.status, alive.job.state, alive.job.error) == ("running", "running", None)


def test_a_pid_that_was_given_to_another_process_does_not_keep_a_job_alive(database: None) -> None:
    started = psutil.Process().create_time()
    recycled, own = add_track(owner_started_at=started - 100), add_track()
    prepare()
    assert reread(recycled).status == "failed"
    assert reread(own).status == "running"


def test_a_job_of_another_machine_fails_after_an_hour(database: None) -> None:
    old = add_track(owner_host="elsewhere", started_at=utc_now() - timedelta(minutes=61))
    young = add_track(owner_host="elsewhere", started_at=utc_now() - timedelta(minutes=59))
    prepare()
    assert reread(old).status == "failed"
    assert reread(young).status == "running"


def test_times_come_back_aware_and_in_utc(database: None) -> None:
    track = add_track(started_at=datetime(2026, 1, 2, 3, 4, tzinfo=timezone(timedelta(hours=5))))
    job = reread(track).job
    assert job.started_at == datetime(2026, 1, 1, 22, 4, tzinfo=UTC)
    assert job.started_at.tzinfo is UTC
    assert abs(utc_now() - track.created_at) < timedelta(minutes=1)


def test_a_naive_time_is_refused(database: None) -> None:
    with pytest.raises(sa.exc.StatementError, match="no time zone"):
        add_track(started_at=datetime(2026, 1, 1))


def test_deleting_a_track_deletes_its_job_also_without_the_session(database: None) -> None:
    by_session, by_sql = add_track(), add_track()
    db.session.delete(by_session)
    db.session.execute(sa.text("DELETE FROM track WHERE id = :id"), {"id": by_sql.id})
    db.session.commit()
    assert db.session.scalar(sa.select(sa.func.count()).select_from(GenerationJob)) == 0


def test_sqlite_is_set_up_for_several_processes(database: None) -> None:
    with db.engine.connect() as connection:
        pragmas = {name: connection.scalar(sa.text(f"PRAGMA {name}")) for name in ("journal_mode", "foreign_keys")}
        assert pragmas == {"journal_mode": "wal", "foreign_keys": 1}
        assert connection.scalar(sa.text("PRAGMA busy_timeout")) == database_module.SQLITE_BUSY_TIMEOUT_MS


def test_the_instance_folder_is_made_when_it_is_needed(tmp_path: Path) -> None:
    folder = tmp_path / "instance"
    app = Flask(__name__, instance_path=str(folder))
    app.config["DATABASE_URL"] = ""
    database_module.init_app(app)
    assert not folder.exists()
    with app.app_context():
        ensure_prepared()
        db.engine.dispose()
    assert (folder / "musicgen.sqlite").is_file()


def test_a_database_in_memory_serves_too(make_app: Callable[..., Flask]) -> None:
    with make_app(DATABASE_URL="sqlite://").app_context():
        ensure_prepared()
        assert reread(add_track()).prompt == "rain"


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_spelling_of_postgresql_is_understood(scheme: str) -> None:
    url = database_module.database_url(f"{scheme}://me:secret@db.example:5433/music", "instance")
    assert url.render_as_string(hide_password=False) == "postgresql+psycopg://me:secret@db.example:5433/music"


@pytest.mark.parametrize(
    ("formats", "main_file"),
    [({"wav": "a.wav", "mp3": "a.mp3"}, "a.mp3"), ({"flac": "a.flac", "mid": "a.mid"}, "a.flac"), ({}, None)],
)
def test_the_main_file_is_the_mp3_or_the_first(formats: dict[str, str], main_file: str | None) -> None:
    assert Track(formats=formats).main_file == main_file
