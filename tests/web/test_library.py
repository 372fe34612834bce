"""Finding tracks by words and renaming them, over HTTP."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

PROMPTS = {
    "rain on the roof": "Night",
    "RAINY night in Paris": "Seine",
    "50% off_beat": "Discount",
    "Überraschung": "Жар-птица",
}


def make(client: FlaskClient, prompt: str, **fields: Any) -> dict[str, Any]:
    answer = client.post("/api/generate", json={"prompt": prompt, "duration": 5} | fields)
    made: dict[str, Any] = answer.get_json()
    assert answer.status_code == 201, made
    return made


def found(client: FlaskClient, search: str) -> list[str]:
    answer = client.get("/api/tracks", query_string={"search": search})
    assert answer.status_code == 200, answer.text
    titles = [track["title"] for track in answer.get_json()]
    assert json.loads(answer.headers["X-Pagination"])["total"] == len(titles)
    return sorted(titles)


@pytest.mark.parametrize(
    ("search", "titles"),
    [
        ("rain", ["Night", "Seine"]),
        ("NIGHT  rain", ["Night", "Seine"]),
        ("paris rain", ["Seine"]),
        ("rain snow", []),
        ("%", ["Discount"]),
        ("f_b", ["Discount"]),
        ("_", ["Discount"]),
        ("\\", []),
        ("/", []),
        ("über", ["Жар-птица"]),
        ("ÜBER", ["Жар-птица"]),
        ("жар", ["Жар-птица"]),
        (" ", sorted(PROMPTS.values())),
        ("", sorted(PROMPTS.values())),
    ],
)
def test_tracks_are_found_by_all_words_in_title_or_prompt(client: FlaskClient, search: str, titles: list[str]) -> None:
    for prompt, title in PROMPTS.items():
        make(client, prompt, title=title, model="silent")
    assert found(client, search) == titles


def test_what_is_found_is_told_by_the_page(client: FlaskClient) -> None:
    made = [make(client, prompt, model="silent")["track_id"] for prompt in ("rain", "snow", "more rain", "rain")]
    pages = [client.get(f"/api/tracks?search=rain&page={page}&page_size=2") for page in (1, 2)]
    assert [[track["track_id"] for track in page.get_json()] for page in pages] == [[made[3], made[2]], [made[0]]]
    assert json.loads(pages[0].headers["X-Pagination"])["total_pages"] == 2


@pytest.mark.parametrize("search", ["x" * 201, "a\0b", "\0"])
def test_a_search_that_cannot_be_is_refused_by_name(client: FlaskClient, search: str) -> None:
    answer = client.get("/api/tracks", query_string={"search": search})
    assert (answer.status_code, list(answer.get_json()["errors"])) == (422, ["search"])


def test_a_renamed_track_has_the_title_in_its_row_and_its_downloads(client: FlaskClient) -> None:
    track = make(client, "rain", title="Rain")
    answer = client.patch(f"/api/track/{track['track_id']}", json={"title": "Sturm & Drang"})
    assert (answer.status_code, answer.get_json()) == (200, track | {"title": "Sturm & Drang"})
    assert client.get(f"/api/track/{track['track_id']}").get_json()["title"] == "Sturm & Drang"
    assert "Sturm & Drang.mp3" in client.get(track["audio_url"]).headers["Content-Disposition"]
    assert found(client, "drang") == ["Sturm & Drang"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "title"),
        ({"title": None}, "title"),
        ({"title": 7}, "title"),
        ({"title": " \t"}, "title"),
        ({"title": "two\nlines"}, "title"),
        ({"title": "x" * 201}, "title"),
        ({"title": "Rain", "prompt": "snow"}, "prompt"),
        (["Rain"], "body"),
    ],
)
def test_a_title_that_cannot_be_is_refused_and_the_old_one_stays(client: FlaskClient, body: Any, field: str) -> None:
    track = make(client, "rain", title="Rain", model="silent")
    answer = client.patch(f"/api/track/{track['track_id']}", json=body)
    assert (answer.status_code, list(answer.get_json()["errors"])) == (422, [field])
    assert client.get(f"/api/track/{track['track_id']}").get_json()["title"] == "Rain"


def test_nothing_can_be_renamed_that_is_not_there(client: FlaskClient) -> None:
    answer = client.patch("/api/track/nothing", json={"title": "Rain"})
    assert (answer.status_code, "nothing" in answer.get_json()["message"]) == (404, True)


@pytest.mark.parametrize("title", [{}, {"title": "Rain"}])
def test_the_sound_of_a_renamed_track_can_still_be_made_again(
    make_app: Callable[..., Flask], tmp_path: Path, title: dict[str, str]
) -> None:
    client = make_app(KEEP_FORMATS=("mp3",)).test_client()
    track = make(client, "rain", **title)
    client.patch(f"/api/track/{track['track_id']}", json={"title": "Storm"})
    assert client.get(track["formats"]["wav"]).status_code == 200
    assert client.get(f"/api/track/{track['track_id']}").get_json()["title"] == "Storm"
