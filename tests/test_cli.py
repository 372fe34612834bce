"""The commands: what they print, what they leave, how they end. Signals and pipes in processes of their own."""

import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import soundfile
from click.testing import Result
from flask import Flask
from flask.testing import FlaskClient, FlaskCliRunner

from musicgen import cli_text, service
from musicgen.database import Track, ensure_prepared

ROOT = Path(__file__).parents[1]
PATIENCE_S = 60
QUICK = ("--duration", "5", "--seed", "1")
APP = """
from musicgen.app import create_app
from tests.tone_engine import CARDS
app = create_app({"ENGINE_CARDS": CARDS, "MUSICGEN_MODEL": "tone"})
"""

Run = Callable[..., Result]


@pytest.fixture
def run(runner: FlaskCliRunner) -> Run:
    def run_flask(*args: str, **kwargs: Any) -> Result:
        result = runner.invoke(args=list(args), **kwargs)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    return run_flask


@pytest.fixture
def all_tracks(app: Flask) -> Callable[[], list[Track]]:
    def read() -> list[Track]:
        with app.app_context():
            ensure_prepared()
            return service.list_tracks(1, 100)[0]

    return read


@pytest.fixture
def flask_process(config: dict[str, Any], tmp_path: Path) -> Callable[..., "subprocess.Popen[str]"]:
    """Start `flask` in a process of its own on the data of this test."""
    (tmp_path / "app_under_test.py").write_text(APP)
    names = ("OUTPUT_DIR", "DATABASE_URL", "MUSICGEN_WEIGHTS_DIR", "MUSICGEN_DEVICE", "MIN_FREE_DISK_MB")
    environ = os.environ | {name: str(config[name]) for name in names}
    environ |= {"PYTHONPATH": str(ROOT), "FLASK_APP": str(tmp_path / "app_under_test.py")}

    def start(*args: str, **kwargs: Any) -> "subprocess.Popen[str]":
        streams: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | kwargs
        return subprocess.Popen(
            [sys.executable, "-m", "flask", *args],
            cwd=tmp_path,
            env=environ,
            text=True,
            # A test run in the background may have been told to ignore Ctrl-C, and its children would be, too.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            **streams,
        )

    return start


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


def test_a_database_that_cannot_be_opened_is_a_sentence(make_app: Callable[..., Flask], tmp_path: Path) -> None:
    result = make_app(DATABASE_URL=f"sqlite:///{tmp_path}").test_cli_runner().invoke(args=["tracks"])
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: The database cannot be used: ")


def test_tracks_lists_newest_first_by_the_page(run: Run) -> None:
    for title in ("first", "second", "third"):
        run("generate", "slow rain", *QUICK, "--title", title)
    lines = run("tracks", "--page-size", "2").stdout.splitlines()
    assert [line.split()[-1] for line in lines] == ["title", "third", "second"]
    assert run("tracks", "--page-size", "2", "--page", "2").stdout.splitlines()[1].endswith("first")


def test_tracks_without_any_prints_an_empty_list(run: Run) -> None:
    result = run("tracks")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "0 of 0 tracks" in result.stderr
    assert json.loads(run("tracks", "--json").stdout) == []


def test_show_tells_why_a_track_failed(run: Run, all_tracks: Callable[[], list[Track]]) -> None:
    run("generate", "slow rain", *QUICK, "--model", "failing")
    assert "failed: RuntimeError: the string broke" in run("tracks", "show", all_tracks()[0].id).stdout


def test_delete_asks_first(run: Run, all_tracks: Callable[[], list[Track]], config: dict[str, Any]) -> None:
    run("generate", "slow rain", *QUICK)
    track_id = all_tracks()[0].id
    assert run("tracks", "delete", track_id, input="n\n").exit_code == 1
    assert len(all_tracks()) == 1
    assert run("tracks", "delete", track_id, input="y\n").exit_code == 0
    assert all_tracks() == [] and list(config["OUTPUT_DIR"].iterdir()) == []


def test_delete_removes_all_or_none(run: Run, all_tracks: Callable[[], list[Track]]) -> None:
    for _ in range(2):
        run("generate", "slow rain", *QUICK)
    ids = [track.id for track in all_tracks()]
    result = run("tracks", "delete", *ids, "nothing", "--yes")
    assert (result.exit_code, len(all_tracks())) == (1, 2)
    assert "no track 'nothing'" in result.stderr
    assert run("tracks", "delete", *ids, ids[0], "--yes").exit_code == 0
    assert all_tracks() == []


def test_models_tells_which_are_ready(run: Run, client: FlaskClient) -> None:
    result = run("models")
    assert "tone (default)" in result.stdout
    assert "absent is not ready: its weights are missing; run `make weights`" in result.stdout
    assert json.loads(run("models", "--json").stdout) == client.get("/api/models").get_json()


@pytest.mark.parametrize("command", [("generate",), ("tracks",), ("tracks", "delete"), ("models",), ("db",)])
def test_help_teaches(run: Run, command: tuple[str, ...]) -> None:
    result = run(*command, "--help")
    assert result.exit_code == 0
    assert "Usage: " in result.stdout
    if command in (("generate",), ("tracks",)):
        assert f"flask {command[0]} " in result.stdout.split("Examples:")[1]


def test_text_for_a_terminal_holds_no_control_characters() -> None:
    assert cli_text.one_line("a\x1b[2Jb\n\tc") == "a [2Jb c"
    assert cli_text.one_line("abcdef", 4) == "abc…"


@pytest.mark.parametrize(("number", "exit_code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_cancels_the_generation(
    flask_process: Callable[..., "subprocess.Popen[str]"],
    all_tracks: Callable[[], list[Track]],
    config: dict[str, Any],
    tmp_path: Path,
    number: int,
    exit_code: int,
) -> None:
    songs = tmp_path / "songs"
    songs.mkdir()
    process = flask_process("generate", "slow rain", "--model", "blocking", "--out", str(songs / "song.mp3"))
    assert process.stderr and "blocking has begun" in process.stderr.readline()
    process.send_signal(number)
    stdout, stderr = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, stdout) == (exit_code, "")
    assert "Traceback" not in stderr
    (track,) = all_tracks()
    assert (track.status, track.job.state) == ("cancelled", "cancelled")
    assert list(config["OUTPUT_DIR"].iterdir()) == []
    assert list(songs.iterdir()) == []


def test_in_a_pipe_there_is_no_progress_bar(flask_process: Callable[..., "subprocess.Popen[str]"]) -> None:
    process = flask_process("generate", "slow rain", *QUICK)
    stdout, stderr = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0
    assert stderr == ""
    assert "%" not in stdout and "\r" not in stdout and "\x1b" not in stdout


def test_on_a_terminal_the_bar_shows_the_stage(flask_process: Callable[..., "subprocess.Popen[str]"]) -> None:
    terminal, stderr = pty.openpty()
    process = flask_process("generate", "slow rain", *QUICK, "--json", stderr=stderr)
    os.close(stderr)
    shown = b""
    # Reading a terminal whose other side is closed is an error on Linux and an empty answer elsewhere.
    while chunk := _read_terminal(terminal):
        shown += chunk
    os.close(terminal)
    stdout, _ = process.communicate(timeout=PATIENCE_S)
    assert json.loads(stdout)["status"] == "done"
    for words in (b"render", b"45%", b"export", b"100%"):
        assert words in shown


def _read_terminal(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:
        return b""


def test_a_reader_that_has_gone_causes_no_traceback(flask_process: Callable[..., "subprocess.Popen[str]"]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    process = flask_process("models", stdout=writer)
    os.close(writer)
    _, stderr = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 1
    assert stderr == ""
