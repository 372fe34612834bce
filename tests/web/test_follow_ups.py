"""Variations and extensions over HTTP, with the composer."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

REQUEST = {"prompt": "pop song", "duration": 8, "tempo": 120, "seed": 3}


@pytest.fixture
def client(composing_app: Flask) -> FlaskClient:
    return composing_app.test_client()


def generate(client: FlaskClient, **fields: Any) -> TestResponse:
    return client.post("/api/generate", json=fields)


@pytest.fixture
def original(client: FlaskClient) -> dict[str, Any]:
    track: dict[str, Any] = generate(client, **REQUEST).get_json()
    return track


def test_a_variation_has_the_same_request_and_a_new_seed(client: FlaskClient, original: dict[str, Any]) -> None:
    answer = generate(client, variation_of=original["track_id"])
    track = answer.get_json()
    assert answer.status_code == 201
    assert [track[name] for name in ("prompt", "duration", "tempo")] == ["pop song", 8.0, 120.0]
    assert track["seed"] != original["seed"]
    assert track["sha256"] != original["sha256"]


def test_what_a_variation_pins_wins(client: FlaskClient, original: dict[str, Any]) -> None:
    track = generate(client, variation_of=original["track_id"], seed=3, key="E minor", prompt="rock").get_json()
    assert [track[name] for name in ("prompt", "key", "seed", "tempo")] == ["rock", "E minor", 3, 120.0]
    same = generate(client, variation_of=original["track_id"], seed=3).get_json()
    assert same["sha256"] == original["sha256"]


def test_an_extension_begins_as_the_original_and_is_as_long_as_asked(
    client: FlaskClient, original: dict[str, Any]
) -> None:
    track = generate(client, extend=original["track_id"], duration=16).get_json()
    assert [track[name] for name in ("prompt", "seed", "tempo", "key")] == [
        original[name] for name in ("prompt", "seed", "tempo", "key")
    ]
    assert track["duration"] == pytest.approx(16, abs=1e-4)
    n_bars = len(original["plan"]["sections"][0]["chords"])
    assert track["plan"]["sections"][0]["chords"] == original["plan"]["sections"][0]["chords"]
    assert sum(section["bars"] for section in track["plan"]["sections"]) > n_bars
    longer = generate(client, extend=track["track_id"], duration=24)
    assert longer.status_code == 201


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({"duration": 7}, "duration", "Must be longer"),
        ({}, "duration", "Missing"),
        ({"duration": 20, "tempo": 90}, "tempo", "Leave it out"),
        ({"duration": 20, "variation_of": "x"}, "extend", "Leave one away"),
    ],
)
def test_an_extension_that_cannot_be_is_refused(
    client: FlaskClient, original: dict[str, Any], fields: dict[str, Any], field: str, words: str
) -> None:
    answer = generate(client, extend=original["track_id"], **fields)
    assert answer.status_code == 422
    assert words in answer.get_json()["errors"][field][0]
    assert len(client.get("/api/tracks").get_json()) == 1


@pytest.mark.parametrize("relation", ["variation_of", "extend"])
@pytest.mark.parametrize("call", ["/api/generate", "/api/plan"])
def test_an_unknown_track_is_not_found(client: FlaskClient, relation: str, call: str) -> None:
    answer = client.post(call, json={relation: "nothing", "duration": 20})
    assert answer.status_code == 404
    assert "'nothing'" in answer.get_json()["message"]


def test_a_track_without_a_plan_cannot_be_extended(client: FlaskClient) -> None:
    track = generate(client, prompt="rain", model="tone", duration=5).get_json()
    answer = generate(client, extend=track["track_id"], duration=20)
    assert (answer.status_code, list(answer.get_json()["errors"])) == (422, ["extend"])
    assert generate(client, variation_of=track["track_id"]).get_json()["model"] == "tone"


def test_a_prompt_or_a_track_must_be_given(client: FlaskClient) -> None:
    answer = generate(client, duration=20)
    assert (answer.status_code, list(answer.get_json()["errors"])) == (422, ["prompt"])
