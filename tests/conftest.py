"""An app for every test: its own folders, its own SQLite file, and the engines of `tone_engine`."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient, FlaskCliRunner

from musicgen.app import create_app
from musicgen.composer.card import CARD as COMPOSER
from musicgen.database import db, ensure_prepared
from tests.tone_engine import CARDS, BlockingEngine, ToneEngine


@pytest.fixture
def config(tmp_path: Path) -> dict[str, Any]:
    """Settings of an app whose data lie in `tmp_path`; change them before asking for `app` or `make_app`."""
    return {
        "TESTING": True,
        "OUTPUT_DIR": tmp_path / "output",
        "DATABASE_URL": f"sqlite:///{tmp_path}/musicgen.sqlite",
        "MUSICGEN_WEIGHTS_DIR": tmp_path / "weights",
        "PAGE_DIR": tmp_path / "page",
        "ENGINE_CARDS": CARDS,
        "MUSICGEN_MODEL": "tone",
        "MUSICGEN_DEVICE": "cpu",
        "MAX_WAITING": 1,
        "MIN_FREE_DISK_MB": 0,
    }


@pytest.fixture
def make_app(config: dict[str, Any]) -> Iterator[Callable[..., Flask]]:
    """Make apps with some settings changed; their database connections are closed after the test."""
    apps = []

    def make(**changes: Any) -> Flask:
        apps.append(create_app({**config, **changes}))
        return apps[-1]

    yield make
    for app in apps:
        with app.app_context():
            db.engine.dispose()


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    return make_app()


@pytest.fixture
def composing_app(make_app: Callable[..., Flask]) -> Flask:
    """An app with the composer beside the engines of `tone_engine`."""
    return make_app(ENGINE_CARDS=(COMPOSER, *CARDS), MUSICGEN_MODEL="composer")


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def runner(app: Flask) -> FlaskCliRunner:
    return app.test_cli_runner()


@pytest.fixture
def database(app: Flask) -> Iterator[None]:
    """Stay in the app's context, with the tables made."""
    with app.app_context():
        ensure_prepared()
        yield


@pytest.fixture
def blocking() -> Iterator[type[BlockingEngine]]:
    """The engine that blocks, fresh; whatever still blocks after the test is let go."""
    BlockingEngine.has_begun.clear()
    BlockingEngine.may_end.clear()
    yield BlockingEngine
    BlockingEngine.may_end.set()


@pytest.fixture(autouse=True)
def _fresh_counts() -> None:
    ToneEngine.n_running = ToneEngine.most_running = 0
