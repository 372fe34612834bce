"""The application factory."""

import logging
from pathlib import Path

import pytest

from musicgen.app import create_app


def test_making_an_app_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    handlers = list(logging.root.handlers)
    create_app({"DATABASE_URL": f"sqlite:///{tmp_path}/music.sqlite"})
    assert list(tmp_path.iterdir()) == []
    assert logging.root.handlers == handlers


def test_settings_come_from_the_environment_and_then_from_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAX_PROMPT_CHARS", "77")
    monkeypatch.setenv("MAX_WAITING", "5")
    app = create_app({"MAX_WAITING": 6, "MAX_BODY_BYTES": 99})
    assert (app.config["MAX_PROMPT_CHARS"], app.config["MAX_WAITING"], app.config["MAX_CONTENT_LENGTH"]) == (77, 6, 99)


def test_a_setting_that_makes_no_sense_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAX_BODY_BYTES", "lots")
    with pytest.raises(ValueError, match="MAX_BODY_BYTES='lots'"):
        create_app()
