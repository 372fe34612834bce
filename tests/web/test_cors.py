"""Which pages may call the API from a browser."""

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

REACT = "http://localhost:3000"
PREFIX = "Access-Control-"


def cors_headers(client: FlaskClient, url: str, origin: str, method: str = "GET", **headers: str) -> dict[str, str]:
    answer = client.open(url, method=method, headers={"Origin": origin, **headers})
    return {name.removeprefix(PREFIX): value for name, value in answer.headers.items() if name.startswith(PREFIX)}


@pytest.mark.parametrize("origin", ["http://localhost:3000", "http://localhost:5173"])
@pytest.mark.parametrize("url", ["/api/tracks", "/api/track/nothing", "/health", "/nothing"])
def test_the_dev_servers_may_read_every_answer(client: FlaskClient, origin: str, url: str) -> None:
    headers = cors_headers(client, url, origin)
    assert (headers["Allow-Origin"], headers["Allow-Credentials"]) == (origin, "true")
    assert set(headers["Expose-Headers"].split(", ")) == {
        "Location",
        "X-Pagination",
        "X-Request-ID",
        "Retry-After",
        "X-Track-Id",
        "X-Track-Title",
        "X-Track-Seed",
        "X-Track-Duration",
    }


def test_audio_elements_of_other_origins_may_play_files(client: FlaskClient, tmp_path: Path) -> None:
    (tmp_path / "output").mkdir()
    (tmp_path / "output" / "a.mp3").write_bytes(b"sound")
    assert cors_headers(client, "/output/a.mp3", REACT, Range="bytes=0-1")["Allow-Origin"] == REACT


@pytest.mark.parametrize(
    ("url", "method"), [("/api/generate", "POST"), ("/api/track/x", "DELETE"), ("/api/track/x", "PATCH")]
)
def test_a_preflight_lets_the_real_request_through(client: FlaskClient, url: str, method: str) -> None:
    wanted = {f"{PREFIX}Request-Method": method, f"{PREFIX}Request-Headers": "content-type, x-request-id"}
    headers = cors_headers(client, url, REACT, "OPTIONS", **wanted)
    assert headers["Allow-Origin"] == REACT
    assert method in headers["Allow-Methods"]
    assert headers["Allow-Headers"] == "content-type, x-request-id"
    assert int(headers["Max-Age"]) > 0


@pytest.mark.parametrize(
    "origin",
    [
        "http://localhost:3001",
        "https://localhost:3000",
        "http://localhost:30000",
        "http://localhost:3000.example.org",
        "http://example.org",
        "null",
    ],
)
@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
def test_other_origins_get_nothing(client: FlaskClient, origin: str, method: str) -> None:
    wanted = {f"{PREFIX}Request-Method": "POST"} if method == "OPTIONS" else {}
    assert cors_headers(client, "/api/tracks", origin, method, **wanted) == {}


def test_a_request_from_no_page_gets_nothing(client: FlaskClient) -> None:
    assert not any(name.startswith(PREFIX) for name, _ in client.get("/api/tracks").headers)


def test_caches_keep_answers_to_different_origins_apart(client: FlaskClient) -> None:
    assert "Origin" in client.get("/api/tracks", headers={"Origin": REACT}).headers["Vary"]


def test_everybody_may_call_only_without_credentials(make_app: Callable[..., Flask]) -> None:
    client = make_app(CORS_ALLOW_ORIGINS=(REACT, "*")).test_client()
    headers = cors_headers(client, "/api/tracks", "http://example.org")
    assert headers["Allow-Origin"] == "*"
    assert "Allow-Credentials" not in headers


@pytest.mark.parametrize(
    ("allowed", "origin", "passes"),
    [
        ("http://[::1]:3000", "http://[::1]:3000", True),
        ("https://music.example.org/", "https://music.example.org", True),
        ("https://music.example.org", "https://musicxexample.org", False),
        ("https://*.example.org", "https://music.example.org", False),
    ],
)
def test_origins_are_texts_and_no_patterns(
    make_app: Callable[..., Flask], allowed: str, origin: str, passes: bool
) -> None:
    client = make_app(CORS_ALLOW_ORIGINS=(allowed,)).test_client()
    assert bool(cors_headers(client, "/api/tracks", origin)) is passes
