"""`flask generate --stream`: what goes down the pipe, and what happens when nobody takes it."""

import json
import os
import pty
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from musicgen.database import Track

PATIENCE_S = 60
QUICK = ("--duration", "5", "--seed", "1")
HALTED = "halting in the middle"

Process = "subprocess.Popen[str]"
Start = Callable[..., Process]  # type: ignore[valid-type]
AllTracks = Callable[[], list[Track]]


def stream(flask_process: Start, *args: str, **kwargs: Any) -> "subprocess.Popen[str]":
    return flask_process("generate", "slow rain", "--stream", *args, **kwargs)  # type: ignore[no-any-return]


def read_until(process: "subprocess.Popen[str]", words: str) -> None:
    assert process.stderr
    while words not in (line := process.stderr.readline()):
        assert line, f"it ended without {words!r}"


def end_of(process: "subprocess.Popen[str]") -> tuple[int, str]:
    """Return the exit code, and what is left on standard error."""
    assert process.stderr
    with process.stderr as stderr:
        said = stderr.read()
    return process.wait(PATIENCE_S), said


def test_the_stored_mp3_goes_down_the_pipe_and_the_summary_to_standard_error(
    flask_process: Start, all_tracks: AllTracks, config: dict[str, Any], tmp_path: Path
) -> None:
    heard, copy = tmp_path / "heard.mp3", tmp_path / "copy.flac"
    with heard.open("wb") as stdout:
        exit_code, said = end_of(stream(flask_process, *QUICK, "--out", str(copy), stdout=stdout))
    assert exit_code == 0
    (track,) = all_tracks()
    assert track.main_file and heard.read_bytes() == (config["OUTPUT_DIR"] / track.main_file).read_bytes()
    assert copy.read_bytes().startswith(b"fLaC")
    for words in (track.id, f"Copied to {copy}.", "Made 5.0 s of music in"):
        assert words in said


def test_json_and_the_quiet_path_go_to_standard_error_too(
    flask_process: Start, all_tracks: AllTracks, tmp_path: Path
) -> None:
    with (tmp_path / "heard.mp3").open("wb") as stdout:
        _, as_json = end_of(stream(flask_process, *QUICK, "--json", stdout=stdout))
        _, quiet = end_of(stream(flask_process, *QUICK, "--quiet", stdout=stdout))
    assert {json.loads(as_json)["track_id"], Path(quiet.strip()).stem} == {track.id for track in all_tracks()}


def test_a_terminal_is_refused_before_any_work(flask_process: Start, all_tracks: AllTracks) -> None:
    terminal, stdout = pty.openpty()
    exit_code, said = end_of(stream(flask_process, *QUICK, stdout=stdout))
    os.close(stdout)
    os.close(terminal)
    assert exit_code == 2
    assert "terminal" in said and "--stream | ffplay -" in said
    assert all_tracks() == []


@pytest.mark.parametrize(("model", "begun"), [("blocking", "blocking has begun"), ("halting", HALTED)])
def test_a_reader_that_goes_cancels_the_generation(
    flask_process: Start, all_tracks: AllTracks, config: dict[str, Any], model: str, begun: str
) -> None:
    process = stream(flask_process, "--model", model)
    read_until(process, begun)
    assert process.stdout
    process.stdout.close()
    exit_code, said = end_of(process)
    assert exit_code == 1
    assert said.strip() == (
        "Error: Whatever read standard output has gone, so the generation was cancelled; nothing is left behind."
    )
    (track,) = all_tracks()
    assert (track.status, track.job.state) == ("cancelled", "cancelled")
    assert list(config["OUTPUT_DIR"].iterdir()) == []


@pytest.mark.parametrize(("number", "exit_code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_in_the_middle_cancels_the_generation(
    flask_process: Start, all_tracks: AllTracks, config: dict[str, Any], number: int, exit_code: int
) -> None:
    process = stream(flask_process, "--model", "halting", "--duration", "60")
    read_until(process, HALTED)
    process.send_signal(number)
    ended_with, said = end_of(process)
    assert ended_with == exit_code
    assert "Traceback" not in said
    assert [track.status for track in all_tracks()] == ["cancelled"]
    assert list(config["OUTPUT_DIR"].iterdir()) == []


@pytest.mark.parametrize("stop", ["close", "interrupt"])
def test_a_track_that_is_done_is_kept_when_its_listener_goes(
    flask_process: Start, all_tracks: AllTracks, stop: str
) -> None:
    process = stream(flask_process, "--duration", "60")
    # Its two megabytes do not fit into the pipe, so it is still being sent.
    while [track.status for track in all_tracks()] != ["done"]:
        assert process.poll() is None
    assert process.stdout
    if stop == "interrupt":
        process.send_signal(signal.SIGINT)
    else:
        process.stdout.close()
    exit_code, said = end_of(process)
    assert exit_code == 0
    assert "Made 60.0 s of music in" in said


def test_a_failure_ends_with_1_and_a_sentence(flask_process: Start, all_tracks: AllTracks) -> None:
    process = flask_process("generate", "break it", "--model", "halting", "--stream", stdout=subprocess.DEVNULL)
    exit_code, said = end_of(process)
    assert exit_code == 1
    assert "RuntimeError: the string broke" in said and "Traceback" not in said
    assert [track.status for track in all_tracks()] == ["failed"]
