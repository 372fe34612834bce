"""`flask understand`, and a plan that goes through a file into `flask generate`."""

import json
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner

ASK = ("waltz in D minor", "--duration", "8", "--seed", "1")


@pytest.fixture
def runner(composing_app: Flask) -> FlaskCliRunner:
    return composing_app.test_cli_runner()


def test_understand_tells_what_was_understood_and_decided(runner: FlaskCliRunner) -> None:
    result = runner.invoke(args=["understand", *ASK])
    assert result.exit_code == 0, result.output
    for words in ("D minor", "from the words: waltz", "3/4", "melody", "bars, energy"):
        assert words in result.stdout


def test_a_plan_goes_through_a_file(runner: FlaskCliRunner, tmp_path: Path) -> None:
    planned = json.loads(runner.invoke(args=["understand", *ASK, "--json"]).stdout)
    planned["plan"]["tempo"], planned["plan"]["duration"] = 200, None
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(planned))
    result = runner.invoke(args=["generate", ASK[0], "--plan", str(path), "--json"])
    assert result.exit_code == 0, result.output
    track = json.loads(result.stdout)
    assert (track["seed"], track["tempo"], track["key"]) == (1, 200.0, "D minor")


@pytest.mark.parametrize(("text", "words"), [("{", "not JSON"), ("[]", "--plan"), ('{"tempo": 1}', "from 40 to 240")])
def test_a_bad_plan_is_bad_input(runner: FlaskCliRunner, tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "plan.json"
    path.write_text(text)
    result = runner.invoke(args=["generate", *ASK, "--plan", str(path)])
    assert result.exit_code == 2
    assert words in result.stderr
