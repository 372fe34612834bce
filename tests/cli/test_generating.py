"""`flask generate`: what it prints, what it leaves, how it ends."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from click.testing import Result
from flask import Flask
from flask.testing import FlaskClient

from musicgen.database import Track
from musicgen.recordings import middle_as_flac
from musicgen.service import find_track

QUICK = ("--duration", "5", "--seed", "1")

Run = Callable[..., Result]


def test_generate_says_what_it_understood_and_where_the_files_are(run: Run, config: dict[str, Any]) -> None:
    result = run("generate", "slow rain", *QUICK, "--tempo", "90", "--key", "D minor", "--lyrics", "la")
    assert result.exit_code == 0, result.output
    assert result.stderr == ""
    for words in ("slow, rain", "90 quarter notes", "D minor", "4/4", "tone on cpu, seed 1", "A tone cannot sing."):
        assert words in result.stdout
    assert "Made 5.0 s of music in" in result.stdout and "times real time" in result.stdout
    files = [path for path in config["OUTPUT_DIR"].iterdir() if str(path) in result.stdout]
    assert {path.suffix for path in files} == {".wav", ".mp3", ".mid"}


def test_json_is_what_the_api_answers(run: Run, client: FlaskClient) -> None:
    result = run("generate", "slow rain", *QUICK, "--json")
    track = json.loads(result.stdout)
    assert track == client.get(f"/api/track/{track['track_id']}").get_json()
    assert list(track) == list(json.loads(client.get(f"/api/track/{track['track_id']}").data))
    assert run("tracks", "show", track["track_id"], "--json").stdout == result.stdout
    assert track.pop("plan", 0) is None
    assert json.loads(run("tracks", "--json").stdout) == [track]


def test_quiet_prints_the_path_and_nothing_else(run: Run) -> None:
    result = run("generate", "slow rain", *QUICK, "--quiet")
    assert Path(result.stdout.removesuffix("\n")).is_file()
    assert result.stderr == ""


def test_the_prompt_may_come_from_standard_input(run: Run, all_tracks: Callable[[], list[Track]]) -> None:
    assert run("generate", "-", *QUICK, input="slow rain\non tin\n").exit_code == 0
    assert all_tracks()[0].prompt == "slow rain\non tin"


@pytest.mark.parametrize(
    ("name", "options", "kind"),
    [("song.flac", (), "FLAC"), ("SONG.OGG", (), "OGG"), ("song", ("--format", "wav"), "WAV")],
)
def test_out_puts_the_wanted_format_there(
    run: Run, tmp_path: Path, name: str, options: tuple[str, ...], kind: str
) -> None:
    out = tmp_path / "songs" / name
    out.parent.mkdir()
    out.write_text("an older file")
    result = run("generate", "slow rain", *QUICK, "--out", str(out), *options)
    assert result.exit_code == 0, result.output
    assert str(out) in result.stdout
    assert (soundfile.info(out).format, soundfile.info(out).frames) == (kind, 5 * 44_100)
    assert list(out.parent.iterdir()) == [out]


def test_out_takes_midi(run: Run, tmp_path: Path) -> None:
    assert run("generate", "slow rain", *QUICK, "--out", str(tmp_path / "song.mid")).exit_code == 0
    assert (tmp_path / "song.mid").read_bytes().startswith(b"MThd")


def test_midi_from_an_engine_that_writes_none_is_a_failure_that_keeps_the_track(
    run: Run, tmp_path: Path, all_tracks: Callable[[], list[Track]]
) -> None:
    result = run("generate", "slow rain", *QUICK, "--model", "silent", "--out", str(tmp_path / "song.mid"))
    assert result.exit_code == 1
    assert "silent writes no mid" in result.stderr and "wav, mp3" in result.stderr
    assert all_tracks()[0].status == "done"
    assert not (tmp_path / "song.mid").exists()


@pytest.mark.parametrize(
    ("args", "complaint"),
    [
        (("slow rain", "--duration", "2"), "--duration: "),
        (("slow rain", "--duration", "soon"), "--duration"),
        (("slow rain", "--seed", "-1"), "--seed: "),
        (("slow rain", "--key", "H minor"), "--key: 'H minor' is not a key"),
        (("slow rain", "--time-signature", "4/5"), "--time-signature: '4/5'"),
        (("  ",), "prompt: "),
        (("slow rain", "--model", "theremin"), "--model: There is no model 'theremin'"),
        (("slow rain", "--model", "silent", "--duration", "61"), "--duration: silent makes at most 60"),
        (("slow rain", "--out", "song.aiff"), ".flac"),
        (("slow rain", "--out", "song"), "--format"),
        (("slow rain", "--out", "song.mp3", "--format", "flac"), "song.mp3 says mp3 and --format says flac"),
        (("slow rain", "--out", "no/such/folder/song.mp3"), "cannot write there: No such file"),
        (("slow rain", "--out", "/proc/song.mp3"), "cannot write there"),
        (("slow rain", "--out", "/", "--format", "mp3"), "directory"),
        (("slow rain", "--format", "aiff"), "aiff"),
        (("slow rain", "--lyrics", "@no-such-file.lrc"), "--lyrics @no-such-file.lrc: cannot be read: No such file"),
        (("slow rain", "--lyrics", "@/"), "--lyrics @/: cannot be read: Is a directory"),
        (("slow rain", "--style-audio", "no-such-file.wav"), "no-such-file.wav"),
        (("slow rain", "--style-audio", __file__), "test_generating.py: it is not an audio file"),
        (("--of", "x"), "--regenerate: Missing"),
        (("--regenerate", "30-45"), "--of: Missing"),
        (("--of", "x", "--regenerate", "30"), "--regenerate 30: write a part as START-END in seconds, like 30-45"),
        (("--of", "x", "--regenerate", "1-2", "--regenerate", "a-b"), "--regenerate a-b: write a part"),
        (("--of", "x", "--regenerate", "45-30"), "--regenerate: [45.0, 30.0] must begin"),
        (("--of", "x", "--regenerate", "0-nan"), "finite"),
        ((), "PROMPT"),
    ],
)
def test_bad_input_ends_with_2_a_reason_and_no_work(
    run: Run,
    all_tracks: Callable[[], list[Track]],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    args: tuple[str, ...],
    complaint: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run("generate", *args)
    assert result.exit_code == 2
    assert complaint in result.stderr
    assert result.stdout == ""
    assert all_tracks() == []


@pytest.mark.parametrize(
    ("model", "complaint"),
    [("failing", "RuntimeError: the string broke"), ("broken", "damaged"), ("absent", "make weights")],
)
def test_a_failure_ends_with_1_and_a_sentence(run: Run, model: str, complaint: str) -> None:
    result = run("generate", "slow rain", *QUICK, "--model", model)
    assert result.exit_code == 1
    assert complaint in result.stderr
    assert "Traceback" not in result.output
    assert result.stdout == ""


def read_lyrics(app: Flask, track_id: str) -> str:
    with app.app_context():
        lyrics: str = find_track(track_id).job.options["lyrics"]
        return lyrics


@pytest.mark.parametrize("content", [b"[00:01.00]la\r\n[00:02.00]lo\r\n", "\ufeffRegen fällt\n".encode()])
def test_lyrics_may_come_from_a_file(run: Run, app: Flask, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "song.lrc").write_bytes(content)
    result = run("generate", "slow rain", *QUICK, "--json", "--lyrics", f"@{tmp_path}/song.lrc")
    assert result.exit_code == 0, result.output
    read = read_lyrics(app, json.loads(result.stdout)["track_id"])
    assert read.splitlines() == content.decode("utf-8-sig").splitlines()


def test_lyrics_that_are_not_utf8_are_refused(run: Run, tmp_path: Path) -> None:
    (tmp_path / "song.lrc").write_bytes("Regen fällt".encode("latin-1"))
    result = run("generate", "slow rain", *QUICK, "--lyrics", f"@{tmp_path}/song.lrc")
    assert result.exit_code == 2
    assert "cannot be read: it is not UTF-8" in result.stderr


def test_parts_of_a_track_are_made_anew(run: Run, tmp_path: Path) -> None:
    first = json.loads(run("generate", "slow rain", *QUICK, "--model", "studio", "--json").stdout)
    parts = ("--of", first["track_id"], "--regenerate", "1-2.5", "--regenerate", "3-4", "--seed", "5")
    result = run("generate", *parts, "--out", str(tmp_path / "new.wav"))
    assert result.exit_code == 0, result.output
    assert run("generate", "--variation-of", first["track_id"], "--seed", "1", "--out", str(tmp_path / "old.wav"))
    old, new = (soundfile.read(tmp_path / name, dtype="int16")[0] for name in ("old.wav", "new.wav"))
    places_s = (old != new).any(axis=1).nonzero()[0] / 44_100
    assert len(places_s) > 2 * 44_100
    assert (((places_s >= 1) & (places_s < 2.5)) | ((places_s >= 3) & (places_s < 4))).all()


def test_an_edit_of_an_unknown_track_is_a_failure_with_a_sentence(run: Run) -> None:
    result = run("generate", "--of", "nothing", "--regenerate", "1-2")
    assert result.exit_code == 1
    assert "There is no track 'nothing'" in result.stderr


def test_a_recording_is_sent_to_the_engine(run: Run, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "rain.wav", np.random.default_rng(1).uniform(-0.5, 0.5, (20 * 8000, 2)), 8000)
    style = ("--style-audio", str(tmp_path / "rain.wav"))
    result = run("generate", "slow rain", *QUICK, "--model", "studio", "--json", *style)
    n_bytes = json.loads(result.stdout)["understanding"]["n_bytes"]
    assert n_bytes == len(middle_as_flac(tmp_path / "rain.wav"))
    refused = run("generate", "slow rain", *QUICK, *style)
    assert refused.exit_code == 2
    assert "tone cannot listen to a recording" in refused.stderr and "studio" in refused.stderr
