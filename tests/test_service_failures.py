"""What is left of a generation that fails, is cancelled, is refused or is deleted in the middle."""

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from musicgen import service, track_files
from musicgen.database import db
from musicgen.engine import OnProgress, Rendering
from musicgen.errors import (
    EngineUnavailable,
    GenerationBusy,
    GenerationCancelled,
    GenerationFailed,
    InvalidOptions,
    StorageFull,
)
from musicgen.music_model import music_model
from musicgen.options import GenerationOptions
from musicgen.service import generate_track
from tests.asking import PATIENCE_S, ask, files_in_output, only_track, stop_at
from tests.tone_engine import BlockingEngine, ToneEngine, card

pytestmark = pytest.mark.usefixtures("database")


class LeakyEngine(ToneEngine):
    """Fails with a path in an OSError."""

    name = "leaky"

    def generate(self, options: GenerationOptions, on_progress: OnProgress) -> Rendering:
        raise FileNotFoundError(2, "No such file", "/secret/place/weights.bin")


def test_a_failure_leaves_a_failed_job_with_its_reason_and_no_file(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(GenerationFailed, match="RuntimeError: the string broke") as caught:
        generate_track(ask("failing"))
    assert isinstance(caught.value.__cause__, RuntimeError)
    track = only_track()
    assert (track.status, track.job.state, track.job.id) == ("failed", "failed", caught.value.job_id)
    assert track.job.error == "RuntimeError: the string broke"
    assert list(track.job.timings) == ["loading", "plan", "render"]
    assert track.job.finished_at and track.formats == {}
    assert files_in_output() == []
    assert caplog.records[-1].levelno == logging.ERROR and caplog.records[-1].exc_info


@pytest.mark.parametrize("error", [GenerationCancelled("enough"), KeyboardInterrupt(), SystemExit(143)])
@pytest.mark.parametrize("stage", ["plan", "export", "store"])
def test_a_cancelled_generation_is_recorded_and_leaves_no_file(stage: str, error: BaseException) -> None:
    with pytest.raises(type(error)):
        generate_track(ask(), on_progress=stop_at(stage, error))
    track = only_track()
    assert (track.status, track.job.state, track.job.error) == ("cancelled", "cancelled", None)
    assert track.formats == {} and track.job.finished_at
    assert files_in_output() == []
    assert ToneEngine.n_running == 0


def test_a_commit_that_fails_takes_the_files_along() -> None:
    db.session.execute(
        sa.text(
            "CREATE TRIGGER refuse BEFORE UPDATE ON track WHEN NEW.status = 'done' "
            "BEGIN SELECT RAISE(ABORT, 'the disk is gone'); END"
        )
    )
    db.session.commit()
    with pytest.raises(GenerationFailed) as caught:
        generate_track(ask())
    assert caught.value.reason == "IntegrityError: the disk is gone"
    assert only_track().status == "failed"
    assert only_track().formats == {}
    assert files_in_output() == []


def test_an_encoder_that_fails_leaves_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    # An output folder whose file for the MP3 cannot be written, while the WAV before it can.
    real = track_files.partial_path

    def blocked_for_mp3(track_id: str, format_name: str) -> Path:
        path = real(track_id, format_name)
        return path / "nowhere" if format_name == "mp3" else path

    monkeypatch.setattr(track_files, "partial_path", blocked_for_mp3)
    with pytest.raises(GenerationFailed) as caught:
        generate_track(ask())
    assert caught.value.reason == "FileNotFoundError: No such file or directory"
    assert files_in_output() == []


def test_a_reason_names_no_path(make_app: Callable[..., Flask]) -> None:
    with make_app(ENGINE_CARDS=(card(LeakyEngine),), MUSICGEN_MODEL="leaky").app_context():
        with pytest.raises(GenerationFailed) as caught:
            generate_track(ask())
        assert caught.value.reason == "FileNotFoundError: No such file"


@pytest.mark.parametrize(
    ("options", "error"),
    [
        (ask("theremin"), InvalidOptions),
        (ask("silent", duration=61), InvalidOptions),
        (ask("absent"), EngineUnavailable),
    ],
)
def test_what_cannot_be_done_leaves_no_row(options: GenerationOptions, error: type[Exception]) -> None:
    with pytest.raises(error):
        generate_track(options)
    assert service.list_tracks(1, 10) == ([], 0)


def test_a_full_disk_stops_before_any_work(app: Flask) -> None:
    app.config["MIN_FREE_DISK_MB"] = 10**9
    with pytest.raises(StorageFull, match="must stay free"):
        generate_track(ask())
    assert service.list_tracks(1, 10) == ([], 0)


@pytest.fixture
def blocked(app: Flask, blocking: type[BlockingEngine]) -> Iterator[Callable[[], None]]:
    """A generation that runs in a thread until the returned function lets it end."""

    def generate_in_thread() -> str:
        with app.app_context():
            return generate_track(ask("blocking")).id

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(generate_in_thread)
        assert blocking.has_begun.wait(PATIENCE_S)

        def end() -> None:
            blocking.may_end.set()
            running.result(PATIENCE_S)

        yield end
        blocking.may_end.set()


def test_a_full_waiting_line_is_refused_before_any_row(blocked: Callable[[], None]) -> None:
    with music_model.place_in_line(), pytest.raises(GenerationBusy):
        generate_track(ask())
    assert only_track().model == "blocking"
    blocked()
    assert generate_track(ask()).status == "done"


def test_a_running_track_is_there_for_everybody(blocked: Callable[[], None]) -> None:
    track = only_track()
    assert (track.status, track.job.state, track.formats, track.main_file) == ("running", "running", {}, None)
    blocked()
    assert only_track().status == "done"


def test_a_caller_who_cancels_while_waiting_is_recorded(blocked: Callable[[], None]) -> None:
    with pytest.raises(GenerationCancelled):
        generate_track(ask(), on_progress=stop_at("waiting", GenerationCancelled("enough")))
    assert sorted(track.status for track in service.list_tracks(1, 10)[0]) == ["cancelled", "running"]


def test_a_track_deleted_while_it_is_made_leaves_nothing(blocked: Callable[[], None]) -> None:
    service.delete_track(only_track().id)
    with pytest.raises(GenerationFailed):
        blocked()
    assert service.list_tracks(1, 10) == ([], 0)
    assert files_in_output() == []
