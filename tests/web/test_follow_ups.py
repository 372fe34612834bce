"""Variations and extensions over HTTP, with the composer; edits, with an engine that can."""

import io
from typing import Any

import numpy as np
import pytest
import soundfile
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

REQUEST = {"prompt": "pop song", "duration": 8, "tempo": 120, "seed": 3}
SAMPLE_RATE = 44_100


@pytest.fixture
def client(composing_app: Flask) -> FlaskClient:
    return composing_app.test_client()


def generate(client: FlaskClient, **fields: Any) -> TestResponse:
    return client.post("/api/generate", json=fields)


@pytest.fixture
def original(client: FlaskClient) -> dict[str, Any]:
    track: dict[str, Any] = generate(client, **REQUEST).get_json()
    return track


@pytest.fixture
def recorded(client: FlaskClient) -> dict[str, Any]:
    """A track of 5 s by an engine that can edit it."""
    track: dict[str, Any] = generate(client, prompt="rain", model="studio", duration=5, seed=1, lyrics="la").get_json()
    return track


def sound_of(client: FlaskClient, track: dict[str, Any]) -> np.ndarray:
    return soundfile.read(io.BytesIO(client.get(track["formats"]["wav"]).data), dtype="int16")[0]


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


@pytest.mark.parametrize("relation", ["variation_of", "extend", "of"])
@pytest.mark.parametrize("call", ["/api/generate", "/api/plan"])
def test_an_unknown_track_is_not_found(client: FlaskClient, relation: str, call: str) -> None:
    asked = {"regenerate": [[1, 2]]} if relation == "of" else {"duration": 20}
    answer = client.post(call, json={relation: "nothing"} | asked)
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


def test_an_edit_makes_its_parts_anew_and_keeps_the_rest(client: FlaskClient, recorded: dict[str, Any]) -> None:
    answer = generate(client, of=recorded["track_id"], regenerate=[[1, 2], [3.5, 5]], seed=5)
    track = answer.get_json()
    assert answer.status_code == 201
    assert [track[name] for name in ("prompt", "model", "duration", "seed")] == ["rain", "studio", 5.0, 5]
    assert track["notes"] == recorded["notes"], "the same words were to be sung"
    before, after = sound_of(client, recorded), sound_of(client, track)
    differs = (before != after).any(axis=1).nonzero()[0] / SAMPLE_RATE
    assert ((differs >= 1) & (differs < 2) | (differs >= 3.5)).all()
    assert len(differs) > SAMPLE_RATE


def test_an_edit_draws_a_seed_and_takes_what_it_pins(client: FlaskClient, recorded: dict[str, Any]) -> None:
    asked = {"of": recorded["track_id"], "regenerate": [[0, 5]], "prompt": "storm", "title": "Storm"}
    track = generate(client, **asked).get_json()
    assert track["seed"] != recorded["seed"]
    assert (track["prompt"], track["title"]) == ("storm", "Storm")


def test_an_edit_can_be_edited(client: FlaskClient, recorded: dict[str, Any]) -> None:
    first = generate(client, of=recorded["track_id"], regenerate=[[1, 2]], seed=5).get_json()
    second = generate(client, of=first["track_id"], regenerate=[[3, 4]], seed=6).get_json()
    assert np.array_equal(sound_of(client, second)[: 3 * SAMPLE_RATE], sound_of(client, first)[: 3 * SAMPLE_RATE])


def test_a_track_of_another_engine_can_be_edited(client: FlaskClient, original: dict[str, Any]) -> None:
    asked = {"of": original["track_id"], "regenerate": [[1, 2]]}
    refused = generate(client, **asked)
    assert (refused.status_code, list(refused.get_json()["errors"])) == (422, ["regenerate"])
    assert 'ask for "model": "studio"' in refused.get_json()["errors"]["regenerate"][0]
    track = generate(client, **asked, model="studio").get_json()
    assert np.array_equal(sound_of(client, track)[:SAMPLE_RATE], sound_of(client, original)[:SAMPLE_RATE])


def test_a_variation_of_an_edit_has_the_same_parts(client: FlaskClient, recorded: dict[str, Any]) -> None:
    edited = generate(client, of=recorded["track_id"], regenerate=[[1, 2]]).get_json()
    track = generate(client, variation_of=edited["track_id"], seed=9).get_json()
    again = generate(client, of=recorded["track_id"], regenerate=[[1, 2]], seed=9).get_json()
    assert track["sha256"] == again["sha256"]
    refused = generate(client, variation_of=edited["track_id"], duration=20)
    assert (refused.status_code, list(refused.get_json()["errors"])) == (422, ["duration"])


def test_a_variation_of_an_edit_needs_the_original(client: FlaskClient, recorded: dict[str, Any]) -> None:
    edited = generate(client, of=recorded["track_id"], regenerate=[[1, 2]]).get_json()
    client.delete(f"/api/track/{recorded['track_id']}")
    answer = generate(client, variation_of=edited["track_id"])
    assert answer.status_code == 404
    assert recorded["track_id"] in answer.get_json()["message"]
    assert len(client.get("/api/tracks").get_json()) == 1


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({"regenerate": [[4, 5.5]]}, "regenerate", "ends at 5 s"),
        ({"regenerate": [[1, 2]], "duration": 7}, "duration", "Leave it out"),
        ({"regenerate": [[1, 2]], "tempo": 90}, "tempo", "Leave it out"),
        ({"regenerate": [[1, 2]], "extend": "x"}, "of", "Leave one away"),
        ({}, "regenerate", "Missing"),
    ],
)
def test_an_edit_that_cannot_be_is_refused(
    client: FlaskClient, recorded: dict[str, Any], fields: dict[str, Any], field: str, words: str
) -> None:
    answer = generate(client, of=recorded["track_id"], **fields)
    assert answer.status_code == 422
    assert list(answer.get_json()["errors"]) == [field]
    assert words in answer.get_json()["errors"][field][0]
    assert len(client.get("/api/tracks").get_json()) == 1


def test_a_track_that_failed_cannot_be_edited(client: FlaskClient) -> None:
    assert generate(client, prompt="rain", model="failing", duration=5).status_code == 500
    (track,) = client.get("/api/tracks").get_json()
    answer = generate(client, of=track["track_id"], regenerate=[[1, 2]], model="studio")
    assert (answer.status_code, list(answer.get_json()["errors"])) == (422, ["of"])
    assert "failed" in answer.get_json()["errors"]["of"][0]


def test_an_edit_of_sound_that_is_gone_is_refused(app: Flask, client: FlaskClient, recorded: dict[str, Any]) -> None:
    for path in app.config["OUTPUT_DIR"].glob(f"{recorded['track_id']}.*"):
        path.unlink()
    answer = generate(client, of=recorded["track_id"], regenerate=[[1, 2]])
    assert answer.status_code == 410
    assert len(client.get("/api/tracks").get_json()) == 1
