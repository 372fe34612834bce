"""The API's calls on tracks, through Flask's client and a small real engine."""

import json
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.tone_engine import SAMPLE_RATE, BlockingEngine

PATIENCE_S = 60


def generate(client: FlaskClient, **fields: object) -> TestResponse:
    return client.post("/api/generate", json={"prompt": "rain on the roof", "duration": 5} | fields)


def test_a_prompt_becomes_a_track(client: FlaskClient, tmp_path: Path) -> None:
    answer = generate(client, title="Rain", tempo=90, key="Eb maj", time_signature="3/4", seed=7, language="en")
    track = answer.get_json()
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"/api/track/{track['track_id']}"
    assert track["audio_url"] == f"/output/{track['track_id']}.mp3"
    assert abs(track["duration"] - 5) <= 1 / SAMPLE_RATE
    assert {name: track[name] for name in ("status", "title", "prompt", "tempo", "key", "time_signature", "seed")} == {
        "status": "done",
        "title": "Rain",
        "prompt": "rain on the roof",
        "tempo": 90.0,
        "key": "Eb major",
        "time_signature": "3/4",
        "seed": 7,
    }
    assert (track["model"], track["device"], track["language"]) == ("tone", "cpu", "en")
    assert set(track["formats"]) == {"wav", "mp3", "flac", "ogg", "mid"}
    assert track["file_size"] == (tmp_path / "output" / f"{track['track_id']}.mp3").stat().st_size
    assert len(track["sha256"]) == 64 and -40 < track["loudness_lufs"] < 0
    assert track["understanding"]["words"] == ["rain", "on", "the", "roof"]
    assert track["timings"]["render"] >= 0 and track["error"] is None
    created_at = datetime.fromisoformat(track["created_at"])
    assert created_at.utcoffset() == timedelta(0)
    assert abs(datetime.now(UTC) - created_at) < timedelta(minutes=5)


def test_the_record_of_a_track_is_what_generate_answered(client: FlaskClient) -> None:
    answer = generate(client)
    assert client.get(answer.headers["Location"]).get_json() == answer.get_json()


def test_a_seed_is_drawn_and_gives_the_same_track_again(client: FlaskClient) -> None:
    first = generate(client).get_json()
    again = generate(client, seed=first["seed"]).get_json()
    assert again["sha256"] == first["sha256"]


def test_what_could_not_be_done_is_said(client: FlaskClient) -> None:
    assert generate(client, lyrics="la\nla").get_json()["notes"] == ["A tone cannot sing."]


def test_silence_has_no_loudness(client: FlaskClient) -> None:
    track = generate(client, model="silent").get_json()
    assert track["loudness_lufs"] is None
    assert (track["tempo"], track["key"], set(track["formats"])) == (None, None, {"wav", "mp3", "flac", "ogg"})


def test_a_track_without_its_main_file_says_so(client: FlaskClient, tmp_path: Path) -> None:
    track = generate(client).get_json()
    (tmp_path / "output" / f"{track['track_id']}.mp3").unlink()
    left = client.get(f"/api/track/{track['track_id']}")
    assert left.status_code == 200
    assert (left.get_json()["audio_url"], left.get_json()["file_size"]) == (None, None)
    # It can be made again of the WAV.
    assert set(left.get_json()["formats"]) == {"wav", "mp3", "flac", "ogg", "mid"}
    assert client.get(f"/output/{track['track_id']}.mp3").status_code == 200
    assert client.get(f"/api/track/{track['track_id']}").get_json()["audio_url"] == track["audio_url"]


@pytest.mark.parametrize("method", ["get", "delete"])
def test_an_unknown_track_is_not_found(client: FlaskClient, method: str) -> None:
    answer = client.open("/api/track/nothing", method=method)
    assert answer.status_code == 404
    assert "nothing" in answer.get_json()["message"]


def test_a_deleted_track_is_gone_with_its_files(client: FlaskClient, tmp_path: Path) -> None:
    track = generate(client).get_json()
    answer = client.delete(f"/api/track/{track['track_id']}")
    assert (answer.status_code, answer.data) == (204, b"")
    assert "Content-Type" not in answer.headers
    assert list((tmp_path / "output").iterdir()) == []
    assert client.get(f"/api/track/{track['track_id']}").status_code == 404
    assert client.get(track["audio_url"]).status_code == 404


def test_tracks_are_listed_by_page_and_the_newest_first(client: FlaskClient) -> None:
    made = [generate(client).get_json()["track_id"] for _ in range(3)]
    first, second = (client.get(f"/api/tracks?page={page}&page_size=2") for page in (1, 2))
    assert [track["track_id"] for track in first.get_json() + second.get_json()] == made[::-1]
    assert json.loads(first.headers["X-Pagination"]) == {
        "total": 3,
        "total_pages": 2,
        "first_page": 1,
        "last_page": 2,
        "page": 1,
        "next_page": 2,
    }


@pytest.mark.parametrize("page", [2, 10**30])
def test_a_page_beyond_the_last_is_empty(client: FlaskClient, page: int) -> None:
    answer = client.get(f"/api/tracks?page={page}")
    assert (answer.status_code, answer.get_json()) == (200, [])


@pytest.mark.parametrize("query", ["page=0", "page=-1", "page=one", "page_size=0", "page_size=101", "page_size="])
def test_a_page_that_cannot_be_is_refused_by_name(client: FlaskClient, query: str) -> None:
    answer = client.get(f"/api/tracks?{query}")
    assert answer.status_code == 422
    assert list(answer.get_json()["errors"]) == [query.partition("=")[0]]


def test_models_are_listed_with_what_they_miss(client: FlaskClient) -> None:
    models = {model["name"]: model for model in client.get("/api/models").get_json()}
    assert models["tone"]["ready"] and models["tone"]["default"] and models["tone"]["max_duration"] == 300.0
    assert not models["absent"]["ready"] and "make weights" in models["absent"]["reason"]


def test_a_full_line_is_refused_before_any_work(make_app: Callable[..., Flask], blocking: type[BlockingEngine]) -> None:
    app = make_app(MAX_WAITING=0)
    with ThreadPoolExecutor() as pool:
        running = pool.submit(generate, app.test_client(), model="blocking")
        assert blocking.has_begun.wait(PATIENCE_S)
        refused = generate(app.test_client())
        statuses = [track["status"] for track in app.test_client().get("/api/tracks").get_json()]
        blocking.may_end.set()
        assert running.result(PATIENCE_S).status_code == 201
    assert refused.status_code == 503
    assert int(refused.headers["Retry-After"]) >= 1
    assert statuses == ["running"]


def test_a_client_that_hangs_up_cancels_its_generation(client: FlaskClient, tmp_path: Path) -> None:
    ours, theirs = socket.socketpair()
    theirs.close()
    with ours:
        answer = client.post("/api/generate", json={"prompt": "rain"}, environ_overrides={"gunicorn.socket": ours})
    assert answer.status_code == 499
    (track,) = client.get("/api/tracks").get_json()
    assert (track["status"], track["formats"], track["audio_url"]) == ("cancelled", {}, None)
    assert list((tmp_path / "output").iterdir()) == []
