"""Files that are made when they are asked for: right, once, only for tracks that are done, and gone with them."""

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import soundfile
from flask import Flask

from musicgen import later_files, service, track_files
from musicgen.audio_export import AUDIO_FORMATS
from musicgen.database import Track, db
from musicgen.errors import SoundNotKept, StorageFull
from musicgen.music_model import music_model
from musicgen.options import FollowUp
from musicgen.service import generate_track
from tests.asking import PATIENCE_S, ask, files_in_output
from tests.tone_engine import BlockingEngine, ToneEngine

pytestmark = pytest.mark.usefixtures("database")


def path_of(track: Track, kind: str) -> Path:
    return track_files.output_dir() / f"{track.id}.{kind}"


def made(track: Track, kind: str) -> Path:
    later_files.make(f"{track.id}.{kind}")
    return path_of(track, kind)


def samples_of(path: Path) -> np.ndarray:
    return soundfile.read(path, dtype="int16")[0]


@pytest.mark.parametrize("kept", [["wav"], ["flac"], ["wav", "mp3"]])
@pytest.mark.parametrize("format", ["wav", "flac", "ogg"])
def test_from_a_lossless_file_comes_what_the_generation_would_have_written(format: str, kept: list[str]) -> None:
    at_once = generate_track(ask(), formats=[*kept, format])
    later = generate_track(ask(), formats=kept)
    # Files name the day and nothing else that differs between the two.
    assert made(later, format).read_bytes() == path_of(at_once, format).read_bytes()


def test_an_mp3_of_a_lossless_file_is_as_long_and_as_good() -> None:
    track = generate_track(ask(), formats=["flac"])
    decoded = samples_of(made(track, "mp3")).astype(float)
    source = samples_of(path_of(track, "flac")).astype(float)
    assert decoded.shape == source.shape
    assert 10 * np.log10((source**2).sum() / ((decoded - source) ** 2).sum()) > 40


@pytest.mark.parametrize("format", ["wav", "flac"])
def test_lossless_sound_is_made_again_where_none_was_kept(format: str) -> None:
    at_once = generate_track(ask(), formats=["mp3", format])
    later = generate_track(ask(), formats=["mp3"])
    assert made(later, format).read_bytes() == path_of(at_once, format).read_bytes()
    assert files_in_output() == sorted(
        f"{track.id}.{kind}" for track in (at_once, later) for kind in ("mp3", format, "mid")
    )


def test_a_plan_that_was_sent_is_followed_when_it_is_made_again(composing_app: Flask) -> None:
    with composing_app.app_context():
        plan = service.plan_track(ask(duration=5.0)).plan
        at_once = generate_track(ask(plan=plan), formats=["mp3", "wav"])
        later = generate_track(ask(plan=plan), formats=["mp3"])
        assert made(later, "wav").read_bytes() == path_of(at_once, "wav").read_bytes()


def edited(track: Track, formats: list[str]) -> Track:
    return generate_track(FollowUp("of", track.id, {"regenerate": [[1.0, 2.0]], "seed": 2}), formats=formats)


@pytest.mark.parametrize("kept", [["wav"], ["flac"], ["mp3"]])
def test_an_edit_is_made_again_of_its_original_which_may_be_made_again_itself(kept: list[str]) -> None:
    original = generate_track(ask("studio"), formats=kept)
    at_once, later = edited(original, ["mp3", "wav"]), edited(original, ["mp3"])
    if kept == ["mp3"]:
        path_of(original, "wav").unlink()
    assert "wav" in later_files.formats_of(later)
    assert made(later, "wav").read_bytes() == path_of(at_once, "wav").read_bytes()


def test_an_edit_whose_original_is_deleted_cannot_be_made_again_and_says_so() -> None:
    original = generate_track(ask("studio"), formats=["wav"])
    track = edited(original, ["mp3"])
    service.delete_track(original.id)
    assert set(later_files.formats_of(track)) == {"mp3", "ogg", "mid"}
    with pytest.raises(SoundNotKept, match=f"{original.id}.*has been deleted"):
        made(track, "wav")


def test_lossy_formats_come_from_the_lossy_file_where_there_is_no_other() -> None:
    track = generate_track(ask(), formats=["mp3"])
    assert soundfile.info(made(track, "ogg")).frames == 5 * 44_100
    assert not path_of(track, "wav").exists()


@pytest.mark.parametrize("version", ["0.0.1", None])
def test_another_version_cannot_make_it_again_and_says_so(version: str | None) -> None:
    track = generate_track(ask(), formats=["mp3"])
    track.version = version
    db.session.commit()
    assert set(later_files.formats_of(track)) == {"mp3", "ogg", "mid"}
    with pytest.raises(SoundNotKept, match=f"{version or 'an earlier musicgen'} made it.*There is: mp3"):
        made(track, "flac")


def test_sound_that_is_not_the_same_is_not_handed_out() -> None:
    track = generate_track(ask(), formats=["mp3"])
    track.sha256 = "0" * 64
    db.session.commit()
    with pytest.raises(SoundNotKept, match="not sound the same"):
        made(track, "wav")
    assert files_in_output() == sorted(track.formats.values())
    assert music_model.state == "ready"


def test_formats_and_views_that_can_be_had() -> None:
    track = generate_track(ask(), formats=["wav", "mp3"])
    assert later_files.formats_of(track) == {name: f"{track.id}.{name}" for name in (*AUDIO_FORMATS, "mid")}
    assert later_files.views_of(track) == {view: f"{track.id}.{view}" for view in later_files.VIEWS}
    for file_name in (*later_files.formats_of(track).values(), *later_files.views_of(track).values()):
        later_files.make(file_name)
        assert (track_files.output_dir() / file_name).is_file()
    assert not [name for name in files_in_output() if name.startswith(".")]


def test_nothing_can_be_had_of_a_track_whose_sound_is_gone() -> None:
    track = generate_track(ask(), formats=["mp3"])
    path_of(track, "mp3").unlink()
    assert set(later_files.formats_of(track)) == {"mid"}
    assert later_files.views_of(track) == {}
    assert not made(track, "ogg").exists()


def test_every_file_goes_with_its_track() -> None:
    track = generate_track(ask())
    for kind in ("flac", *later_files.VIEWS):
        made(track, kind)
    service.delete_track(track.id)
    assert files_in_output() == []
    assert not made(Track(id=track.id), "ogg").exists()


def test_a_file_made_while_its_track_is_deleted_goes_too(monkeypatch: pytest.MonkeyPatch) -> None:
    track = generate_track(ask())
    real = track_files.complete

    def delete_first(partial: Path) -> None:
        service.delete_track(track.id)
        partial.touch()
        real(partial)

    track_id = track.id
    monkeypatch.setattr(track_files, "complete", delete_first)
    later_files.make(f"{track_id}.flac")
    assert files_in_output() == []


@pytest.mark.parametrize(
    "name", ["{}.aiff", "{}.bass.wav", "{}.mid", ".{}.flac.part", "0123.flac", "{}.FLAC", "x{}.wav"]
)
def test_other_names_are_left_alone(name: str) -> None:
    track = generate_track(ask())
    before = files_in_output()
    later_files.make(name.format(track.id))
    assert files_in_output() == before


def test_a_full_disk_stops_it(app: Flask) -> None:
    track = generate_track(ask())
    app.config["MIN_FREE_DISK_MB"] = 10**9
    with pytest.raises(StorageFull):
        made(track, "flac")
    assert made(track, "wav").exists()


def test_two_at_once_make_it_once(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    track_id = generate_track(ask()).id
    at_work, may_end, calls = threading.Event(), threading.Event(), []
    real = later_files.convert_audio

    def slow(*arguments: object) -> None:
        calls.append(arguments)
        at_work.set()
        assert may_end.wait(PATIENCE_S)
        real(*arguments)  # type: ignore[arg-type]

    def ask_for_it() -> bytes:
        with app.app_context():
            later_files.make(f"{track_id}.flac")
            return (track_files.output_dir() / f"{track_id}.flac").read_bytes()

    monkeypatch.setattr(later_files, "convert_audio", slow)
    with ThreadPoolExecutor(3) as threads:
        answers = [threads.submit(ask_for_it) for _ in range(3)]
        assert at_work.wait(PATIENCE_S)
        may_end.set()
        contents = {answer.result(PATIENCE_S) for answer in answers}
    assert len(calls) == len(contents) == 1


def test_an_error_leaves_nothing_half_and_the_next_try_works(monkeypatch: pytest.MonkeyPatch) -> None:
    track = generate_track(ask())
    with monkeypatch.context() as patch:
        patch.setattr(track_files, "complete", _fail)
        with pytest.raises(OSError, match="No space left"):
            made(track, "flac")
    assert files_in_output() == sorted(track.formats.values())
    assert soundfile.info(made(track, "flac")).frames == 5 * 44_100
    assert not [name for name in files_in_output() if name.startswith(".")]


def _fail(_partial: Path) -> None:
    raise OSError(28, "No space left on device")


def test_a_running_track_has_no_files_yet(app: Flask, blocking: type[BlockingEngine]) -> None:
    def generate_in_thread() -> str:
        with app.app_context():
            return generate_track(ask("blocking")).id

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(generate_in_thread)
        assert blocking.has_begun.wait(PATIENCE_S)
        track = service.list_tracks(1, 1)[0][0]
        assert later_files.formats_of(track) == later_files.views_of(track) == {}
        assert not made(track, "wav").exists()
        db.session.rollback()
        blocking.may_end.set()
        assert running.result(PATIENCE_S) == track.id


def test_what_every_generation_keeps_is_a_setting(make_app: Callable[..., Flask]) -> None:
    with make_app(KEEP_FORMATS=("flac",)).app_context():
        track = generate_track(ask())
        assert set(track.formats) == {"flac", "mid"}
        assert track.main_format == "flac"


def test_making_it_again_is_a_generation_like_any_other() -> None:
    track = generate_track(ask(), formats=["mp3"])
    made(track, "wav")
    assert ToneEngine.most_running == 1
    assert service.list_tracks(1, 10)[1] == 1


def test_peaks_are_those_of_the_sound() -> None:
    track = generate_track(ask())
    peaks = json.loads(made(track, "peaks.json").read_text())
    sound = samples_of(path_of(track, "wav"))
    assert (peaks["version"], peaks["channels"], peaks["bits"], peaks["sample_rate"]) == (2, 1, 8, 44_100)
    assert len(peaks["data"]) == 2 * peaks["length"]
    assert peaks["length"] == -(-len(sound) // peaks["samples_per_pixel"])
    assert min(peaks["data"]) == round(sound.min() / 256)
    assert max(peaks["data"]) == round(sound.max() / 256)
