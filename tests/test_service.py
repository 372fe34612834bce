"""From options to a stored track: files, rows, progress."""

import hashlib
import io
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import mido
import pytest
import soundfile
import sqlalchemy as sa
from flask import Flask

from musicgen import model_list, service
from musicgen.database import GenerationJob, Track, db, ensure_prepared, utc_now
from musicgen.errors import TrackNotFound
from musicgen.music_model import music_model
from musicgen.service import generate_track
from tests.asking import PATIENCE_S, ask, files_in_output, only_track

pytestmark = pytest.mark.usefixtures("database")


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
    generate_track(ask(), on_progress=lambda progress: heard.append((progress.stage, progress.fraction)))
    stages = [stage for stage, _ in heard]
    fractions = [fraction for _, fraction in heard]
    assert list(dict.fromkeys(stages)) == ["loading", "plan", "render", "export", "store"]
    assert fractions == sorted(fractions)
    assert (fractions[0], fractions[-1]) == (0.0, 1.0)
    assert dict(heard)["render"] == 0.45


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
    models = {model.name: model for model in model_list.describe_models()}
    assert (models["tone"].ready, models["tone"].reason, models["tone"].default) == (True, None, True)
    assert (models["absent"].ready, models["absent"].default) == (False, False)
    assert "make weights" in (models["absent"].reason or "")
    assert models["silent"].max_duration == 60.0


def test_midi_of_a_track_is_the_engines_own(app: Flask) -> None:
    track = generate_track(ask(), formats=["wav"])
    with music_model.generation(ask(), lambda *_: None) as rendering:
        path = service.audio_path(track, "mid")
        midi = rendering.scores["mid"]()
    assert path and midi == path.read_bytes()
    assert mido.MidiFile(file=io.BytesIO(midi)).length > 0
