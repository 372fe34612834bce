"""The commands as the tests of them run them: in this process, or `flask` in one of its own."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask
from flask.testing import FlaskCliRunner

from musicgen import service
from musicgen.database import Track, ensure_prepared

ROOT = Path(__file__).parents[2]
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
