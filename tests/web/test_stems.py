"""Stems over HTTP, with the composer: on request only, served, deleted with their track."""

from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

REQUEST = {"prompt": "pop song", "duration": 5, "seed": 3}


@pytest.fixture
def client(composing_app: Flask) -> FlaskClient:
    return composing_app.test_client()


def test_stems_are_made_on_request_served_and_deleted_with_the_track(client: FlaskClient, tmp_path: Path) -> None:
    track = client.post("/api/generate", json=REQUEST | {"stems": True, "title": "Rain"}).get_json()
    assert "bass" in track["stems"]
    assert set(track["formats"]) >= {"wav", "mp3", "mid", "musicxml"}
    assert not set(track["stems"]) & set(track["formats"])
    for name, url in track["stems"].items():
        answer = client.get(url)
        assert (answer.status_code, answer.mimetype, answer.data[:4]) == (200, "audio/wav", b"RIFF")
        assert f"Rain.{name}.wav" in answer.headers["Content-Disposition"]
    assert client.get(f"/api/track/{track['track_id']}").get_json()["stems"] == track["stems"]
    sheet = client.get(track["formats"]["musicxml"])
    assert (sheet.mimetype, sheet.data[:5]) == ("application/vnd.recordare.musicxml+xml", b"<?xml")
    client.delete(f"/api/track/{track['track_id']}")
    assert list((tmp_path / "output").iterdir()) == []


def test_there_are_none_unless_asked_for_and_the_music_is_the_same(client: FlaskClient) -> None:
    plain = client.post("/api/generate", json=REQUEST).get_json()
    asked = client.post("/api/generate", json=REQUEST | {"stems": True}).get_json()
    assert plain["stems"] == {}
    assert plain["sha256"] == asked["sha256"]


def test_an_engine_without_parts_says_so(client: FlaskClient) -> None:
    track = client.post("/api/generate", json=REQUEST | {"stems": True, "model": "tone"}).get_json()
    assert track["stems"] == {}
    assert any("stems" in note for note in track["notes"])
