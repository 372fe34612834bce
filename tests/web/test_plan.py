"""The plan over HTTP, with the composer: handed out, changed, sent back, refused."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

REQUEST = {"prompt": "pop song", "duration": 10, "tempo": 120, "seed": 3}


@pytest.fixture
def client(composing_app: Flask) -> FlaskClient:
    return composing_app.test_client()


def sha256(client: FlaskClient, **fields: Any) -> str:
    answer = client.post("/api/generate", json=REQUEST | fields)
    assert answer.status_code == 201, answer.text
    return str(answer.get_json()["sha256"])


def test_an_unchanged_plan_makes_the_same_bits_and_a_changed_one_others(client: FlaskClient) -> None:
    answer = client.post("/api/plan", json=REQUEST)
    planned = answer.get_json()
    assert answer.status_code == 200
    assert (planned["prompt"], planned["seed"], planned["model"]) == ("pop song", 3, "composer")
    assert planned["title"] and planned["understanding"]["brief"]["tempo"] == 120
    plan = planned["plan"]
    plain = sha256(client)
    assert sha256(client, plan=plan) == plain
    plan["sections"][0]["chords"][0] = "Ebm"
    assert sha256(client, plan=plan) != plain


def test_a_plan_says_which_seed_it_drew_and_stores_nothing(client: FlaskClient) -> None:
    drawn = client.post("/api/plan", json={"prompt": "rain"}).get_json()
    again = client.post("/api/plan", json={"prompt": "rain", "seed": drawn["seed"]}).get_json()
    assert again == drawn
    assert client.get("/api/tracks").get_json() == []


def test_the_plan_decides_the_duration(client: FlaskClient) -> None:
    plan = {"tempo": 120, "sections": [{"name": "verse", "bars": 4, "chords": ["C", "Am", "F", "G"]}]}
    track = client.post("/api/generate", json=REQUEST | {"plan": plan}).get_json()
    assert track["duration"] == pytest.approx(4 * 2 + 2.8, abs=1e-4)
    symbols = [chord["chord_symbol"] for chord in track["understanding"]["chords"]]
    assert symbols[:4] == ["C", "Am", "F", "G"]


def test_a_bad_plan_is_refused_by_its_place_and_leaves_no_track(client: FlaskClient) -> None:
    plan = {"sections": [{"name": "a", "bars": 4}, {"name": "b", "bars": 4, "chords": ["C", "F", "G", "Hm7"]}]}
    answer = client.post("/api/generate", json=REQUEST | {"plan": plan})
    assert answer.status_code == 422
    assert list(answer.get_json()["errors"]) == ["plan.sections.1.chords.3"]
    assert "'Hm7' is not a chord symbol" in answer.get_json()["message"]
    assert client.get("/api/tracks").get_json() == []


@pytest.mark.parametrize(("call", "field"), [("/api/generate", "plan"), ("/api/plan", "plan")])
def test_an_engine_without_plans_says_which_has_them(client: FlaskClient, call: str, field: str) -> None:
    answer = client.post(call, json=REQUEST | {"model": "tone", "plan": {"tempo": 90}})
    assert answer.status_code == 422
    assert '"model": "composer"' in answer.get_json()["errors"][field][0]


def test_planning_with_an_engine_without_plans_is_refused(client: FlaskClient) -> None:
    answer = client.post("/api/plan", json=REQUEST | {"model": "tone"})
    assert (answer.status_code, list(answer.get_json()["errors"])) == (422, ["model"])
