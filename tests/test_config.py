"""Settings: defaults, parsing, and errors that name the variable."""

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from musicgen.audio_export import AUDIO_FORMATS
from musicgen.config import AUDIO_FORMAT_NAMES, SETTINGS, load_config


def test_every_setting_has_its_default() -> None:
    assert load_config({}) == {
        "OUTPUT_DIR": Path("output"),
        "DATABASE_URL": "",
        "CORS_ALLOW_ORIGINS": ("http://localhost:3000", "http://localhost:5173"),
        "PORT": 8000,
        "MUSICGEN_MODEL": "composer",
        "MUSICGEN_DEVICE": "auto",
        "MUSICGEN_PRECISION": "auto",
        "MUSICGEN_WEIGHTS_DIR": Path("weights"),
        "KEEP_FORMATS": ("wav", "mp3"),
    } | {name: value for name, value in load_config({}).items() if name.startswith(("MAX_", "MIN_"))}


def test_limits_are_on_by_default() -> None:
    limits = {name: value for name, value in load_config({}).items() if name.startswith(("MAX_", "MIN_"))}
    assert limits and all(type(value) is int and value > 0 for value in limits.values())


def test_an_empty_variable_counts_as_not_set() -> None:
    assert load_config({setting.name: "" for setting in SETTINGS}) == load_config({})


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("OUTPUT_DIR", "/srv/music", Path("/srv/music")),
        ("DATABASE_URL", "postgres://db/music", "postgres://db/music"),
        ("CORS_ALLOW_ORIGINS", " https://a.example , ,https://b.example", ("https://a.example", "https://b.example")),
        ("PORT", "80", 80),
        ("MUSICGEN_DEVICE", "cuda", "cuda"),
        ("MAX_WAITING", "0", 0),
        ("KEEP_FORMATS", " ogg, mp3", ("mp3", "ogg")),
    ],
)
def test_a_variable_is_parsed(name: str, text: str, value: object) -> None:
    assert load_config({name: text})[name] == value


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("KEEP_FORMATS", "mp3,aiff"),
        ("KEEP_FORMATS", ","),
        ("PORT", "http"),
        ("PORT", "-1"),
        ("MAX_WAITING", "1.5"),
        ("MUSICGEN_DEVICE", "tpu"),
        ("MIN_FREE_DISK_MB", "x"),
    ],
)
def test_nonsense_is_refused_with_the_name_and_the_value(name: str, text: str) -> None:
    with pytest.raises(ValueError, match=rf"^{name}='{text}': "):
        load_config({name: text})


def test_the_formats_that_can_be_kept_are_those_there_are() -> None:
    assert tuple(AUDIO_FORMATS) == AUDIO_FORMAT_NAMES


def test_every_setting_is_described_once() -> None:
    names = [setting.name for setting in SETTINGS]
    assert len(set(names)) == len(names)
    assert all(setting.meaning.endswith(".") for setting in SETTINGS)


def test_settings_given_to_the_factory_win(make_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "1234")
    monkeypatch.setenv("MAX_WAITING", "9")
    app = make_app(MAX_WAITING=7)
    assert (app.config["PORT"], app.config["MAX_WAITING"]) == (1234, 7)
