"""How commands run and end: help, signals, pipes and terminals, in processes of their own."""

import json
import os
import pty
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from musicgen.database import Track

PATIENCE_S = 60
QUICK = ("--duration", "5", "--seed", "1")

Run = Callable[..., Result]


@pytest.mark.parametrize(
    "command", ["generate", "understand", "tracks", "tracks delete", "styles", "styles show", "models", "db"]
)
def test_help_teaches(run: Run, command: str) -> None:
    result = run(*command.split(), "--help")
    assert result.exit_code == 0
    assert "Usage: " in result.stdout
    if command in ("generate", "understand", "tracks", "styles"):
        assert f"    flask {command} " in result.stdout


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
