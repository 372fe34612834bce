"""From options to a stored track: files, rows, progress; and what is left when it goes wrong."""

import hashlib
import io
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import mido
import pytest
import soundfile
import sqlalchemy as sa
from flask import Flask

from musicgen import service, track_files
from musicgen.database import GenerationJob, Track, db, ensure_prepared, utc_now
from musicgen.engine import OnProgress, Rendering
from musicgen.errors import (
    EngineUnavailable,
    GenerationBusy,
    GenerationCancelled,
    GenerationFailed,
    InvalidOptions,
    StorageFull,
    TrackNotFound,
)
from musicgen.music_model import music_model
from musicgen.options import GenerationOptions
from musicgen.service import generate_track
from musicgen.stage_watch import StageWatch
from tests.tone_engine import BlockingEngine, ToneEngine, card

PATIENCE_S = 60
pytestmark = pytest.mark.usefixtures("database")


class LeakyEngine(ToneEngine):
    """Fails with a path in an OSError."""

    name = "leaky"

    def generate(self, options: GenerationOptions, on_progress: OnProgress) -> Rendering:
        raise FileNotFoundError(2, "No such file", "/secret/place/weights.bin")


def ask(model: str | None = None, duration: float = 5.0, **options: object) -> GenerationOptions:
    return GenerationOptions("slow rain", duration=duration, seed=1, model=model, **options)  # type: ignore[arg-type]


def stop_at(stage: str, error: BaseException) -> OnProgress:
    def stop(now: str, _fraction: float) -> None:
        if now == stage:
            raise error

    return stop


def files_in_output() -> list[str]:
    return sorted(path.name for path in track_files.output_dir().iterdir())


def only_track() -> Track:
    db.session.expire_all()
    return db.session.scalars(sa.select(Track)).one()


def test_a_track_has_its_row_its_job_and_its_files() -> None:
    track = generate_track(ask(tempo=90.0, key="D minor", language="en", lyrics="la"))
    db.session.expire_all()
    stored = service.find_track(track.id)
    assert (stored.status, stored.prompt, stored.language, stored.model) == ("done", "slow rain", "en", "tone")
    assert (stored.device, stored.seed, stored.requested_duration, stored.duration) == ("cpu", 1, 5.0, 5.0)
    assert (stored.tempo, stored.key, stored.time_signature) == (90.0, "D minor", "4/4")
    assert stored.title and stored.title.startswith("Tone ")
    assert stored.understanding["words"] == ["slow", "rain"]
    assert stored.notes == ["A tone cannot sing."]
    assert stored.loudness_lufs == pytest.approx(-12.75, abs=0.2)
    assert stored.formats == {name: f"{track.id}.{name}" for name in ("wav", "mp3", "mid")}
    assert files_in_output() == sorted(stored.formats.values())
    assert utc_now() - stored.created_at < timedelta(minutes=1)


def test_the_job_holds_the_request_and_the_time_of_every_stage() -> None:
    track = generate_track(ask(tempo=90.0))
    db.session.expire_all()
    job = db.session.scalars(sa.select(GenerationJob)).one()
    assert (job.track_id, job.state, job.engine, job.device, job.seed) == (track.id, "done", "tone", "cpu", 1)
    assert (job.options["prompt"], job.options["tempo"], job.options["title"]) == ("slow rain", 90.0, None)
    assert list(job.timings) == ["loading", "plan", "render", "export", "store"]
    assert job.finished_at
    assert 0 < sum(job.timings.values()) <= (job.finished_at - job.started_at).total_seconds()
    assert job.error is None


def test_the_files_are_what_their_names_say() -> None:
    track = generate_track(ask(), formats=("ogg", "flac", "wav"))
    assert list(track.formats) == ["wav", "flac", "ogg", "mid"]
    for name in ("wav", "flac", "ogg"):
        sound = soundfile.info(service.audio_path(track, name))
        assert (sound.format, sound.frames, sound.channels) == (name.upper(), 5 * 44_100, 2)
    midi = mido.MidiFile(service.audio_path(track, "mid"))
    assert [message.type for message in midi.tracks[0]][:2] == ["note_on", "note_off"]


def test_size_and_checksum_are_those_of_the_main_file() -> None:
    track = generate_track(ask())
    path = service.audio_path(track)
    assert path and path.suffix == ".mp3"
    content = path.read_bytes()
    assert (track.file_size, track.sha256) == (len(content), hashlib.sha256(content).hexdigest())


def test_silence_has_no_loudness_and_an_engine_without_midi_leaves_none() -> None:
    track = generate_track(ask("silent"), formats=["wav"])
    assert track.loudness_lufs is None
    assert list(track.formats) == ["wav"]


def test_a_given_title_stays() -> None:
    assert generate_track(ask(title="Drops"), formats=["wav"]).title == "Drops"


def test_an_unknown_format_is_the_callers_mistake() -> None:
    with pytest.raises(ValueError, match=r"aiff.*wav"):
        generate_track(ask(), formats=("aiff",))


def test_progress_is_of_the_whole_and_never_falls() -> None:
    heard: list[tuple[str, float]] = []
    generate_track(ask(), on_progress=lambda *progress: heard.append(progress))
    stages = [stage for stage, _ in heard]
    fractions = [fraction for _, fraction in heard]
    assert list(dict.fromkeys(stages)) == ["loading", "plan", "render", "export", "store"]
    assert fractions == sorted(fractions)
    assert (fractions[0], fractions[-1]) == (0.0, 1.0)
    assert dict(heard)["render"] == 0.45


def test_stages_are_timed_also_when_they_come_back() -> None:
    now_s = 0.0
    heard = []
    watch = StageWatch(lambda *progress: heard.append(progress), clock=lambda: now_s)
    for stage, fraction, seconds in (("a", 0.4, 1.0), ("b", 0.2, 2.0), ("a", 0.5, 4.0), ("a", 1.5, 8.0)):
        watch.enter(stage, fraction)
        now_s += seconds
    watch.stop()
    assert watch.timings == {"a": 13.0, "b": 2.0}
    assert heard == [("a", 0.4), ("b", 0.4), ("a", 0.5), ("a", 1.0)]


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


def test_deleting_removes_row_job_and_every_file_but_no_other() -> None:
    kept, deleted = generate_track(ask()), generate_track(ask())
    service.delete_track(deleted.id)
    assert only_track().id == kept.id
    assert db.session.scalars(sa.select(GenerationJob)).one().track_id == kept.id
    assert files_in_output() == sorted(kept.formats.values())


def test_deleting_does_not_mind_a_missing_file() -> None:
    track = generate_track(ask())
    path = service.audio_path(track)
    assert path
    path.unlink()
    assert service.audio_path(track) is None
    service.delete_track(track.id)
    assert files_in_output() == []


def test_an_unknown_track_is_not_found() -> None:
    for use in (service.find_track, service.delete_track):
        with pytest.raises(TrackNotFound, match="'nothing'"):
            use("nothing")


def test_tracks_are_listed_newest_first_by_the_page() -> None:
    ids = [generate_track(ask("silent"), formats=["wav"]).id for _ in range(5)]
    pages = [service.list_tracks(page, 2) for page in (1, 2, 3, 4)]
    assert [[track.id for track in tracks] for tracks, _ in pages] == [
        [ids[4], ids[3]],
        [ids[2], ids[1]],
        [ids[0]],
        [],
    ]
    assert {n_tracks for _, n_tracks in pages} == {5}


def test_rows_can_be_read_in_another_thread_after_the_session_is_gone(app: Flask) -> None:
    def generate_in_thread() -> Track:
        with app.app_context():
            ensure_prepared()
            return generate_track(ask())

    with ThreadPoolExecutor(1) as pool:
        track = pool.submit(generate_in_thread).result(PATIENCE_S)
    assert (track.status, track.job.state, track.main_file) == ("done", "done", f"{track.id}.mp3")


def test_models_are_described_with_what_they_miss() -> None:
    models = {model.name: model for model in service.describe_models()}
    assert (models["tone"].ready, models["tone"].reason, models["tone"].default) == (True, None, True)
    assert (models["absent"].ready, models["absent"].default) == (False, False)
    assert "make weights" in (models["absent"].reason or "")
    assert models["silent"].max_duration == 60.0


def test_midi_of_a_track_is_the_engines_own(app: Flask) -> None:
    track = generate_track(ask(), formats=["wav"])
    rendering = music_model.generate(ask(), service.ignore_progress)
    path = service.audio_path(track, "mid")
    assert path and rendering.midi == path.read_bytes()
    assert mido.MidiFile(file=io.BytesIO(rendering.midi)).length > 0
