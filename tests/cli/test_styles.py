"""`flask styles`: the list, one style, and names that are none."""

import json
from collections.abc import Callable

import pytest
from click.testing import Result
from flask import Flask
from flask.testing import FlaskCliRunner

from musicgen.composer.style_file import all_styles

Run = Callable[..., Result]


@pytest.fixture
def runner(composing_app: Flask) -> FlaskCliRunner:
    return composing_app.test_cli_runner()


def test_every_style_has_its_line(run: Run) -> None:
    result = run("styles")
    assert result.exit_code == 0, result.output
    assert [line.split()[0] for line in result.stdout.splitlines()] == ["style", *all_styles()]
    (waltz,) = (line for line in result.stdout.splitlines() if line.startswith("waltz"))
    low, high = all_styles()["waltz"].tempo
    for fact in (f"{low:g}-{high:g}", "3/4", "major, minor", "waltz, viennese waltz"):
        assert fact in waltz


def test_one_style_is_told_in_full(run: Run) -> None:
    result = run("styles", "show", "jazz")
    assert result.exit_code == 0, result.output
    style = all_styles()["jazz"]
    facts = (style.title, *style.words, "swung eighths", style.example, *style.layers[0].instruments, *style.modes)
    for fact in facts:
        assert fact in result.stdout, fact


@pytest.mark.parametrize("name", ["drum_and_bass", "Drum and bass", "drum & bass", "DnB", "ドラムンベース"])
def test_a_style_is_found_by_name_title_or_word(run: Run, name: str) -> None:
    assert json.loads(run("styles", "show", name, "--json").stdout)["name"] == "drum_and_bass"


@pytest.mark.parametrize(("name", "advice"), [("bosanova", "bossa_nova?"), ("xyzzy", "`flask styles` lists them")])
def test_an_unknown_style_is_bad_input_that_names_near_ones(run: Run, name: str, advice: str) -> None:
    result = run("styles", "show", name)
    assert (result.exit_code, result.stdout) == (2, "")
    assert repr(name) in result.stderr and advice in result.stderr


def test_an_engine_without_styles_has_an_empty_list(run: Run) -> None:
    result = run("styles", "--model", "tone")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "0 styles" in result.stderr
    assert json.loads(run("styles", "--model", "tone", "--json").stdout) == []
    assert "There is no model 'theremin'" in run("styles", "--model", "theremin").stderr


def test_json_is_what_the_api_answers(run: Run, composing_app: Flask) -> None:
    assert json.loads(run("styles", "--json").stdout) == composing_app.test_client().get("/api/styles").get_json()
