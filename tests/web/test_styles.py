"""`GET /api/styles`: what a picker of styles is built from."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from musicgen.composer.style_file import all_styles


@pytest.fixture
def client(composing_app: Flask) -> FlaskClient:
    return composing_app.test_client()


def test_every_style_is_listed_with_its_facts(client: FlaskClient) -> None:
    styles = {style["name"]: style for style in client.get("/api/styles").get_json()}
    assert list(styles) == list(all_styles())
    waltz = styles["waltz"]
    assert (waltz["title"], waltz["time_signature"], waltz["modes"]) == ("Waltz", "3/4", ["major", "minor"])
    assert waltz["words"][0] == "waltz" and waltz["tempo"] == list(all_styles()["waltz"].tempo)
    assert set(waltz["instruments"]) == {layer.role for layer in all_styles()["waltz"].layers}


def test_every_example_is_understood_as_its_style_without_reserve(client: FlaskClient) -> None:
    for style in client.get("/api/styles").get_json():
        planned = client.post("/api/plan", json={"prompt": style["example"], "seed": 1}).get_json()
        assert (planned["plan"]["style"], planned["notes"]) == (style["name"], [])


def test_styles_are_those_of_the_engine_that_is_named(client: FlaskClient) -> None:
    assert client.get("/api/styles?model=tone").get_json() == []
    assert client.get("/api/styles?model=composer").get_json() == client.get("/api/styles").get_json()
    refused = client.get("/api/styles?model=theremin")
    assert refused.status_code == 422
    assert "theremin" in refused.get_json()["errors"]["model"][0]


def test_a_client_may_keep_the_list_and_ask_whether_it_is_still_right(client: FlaskClient) -> None:
    first = client.get("/api/styles")
    assert first.headers["Cache-Control"] == "no-cache"
    again = client.get("/api/styles", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", first.headers["ETag"])
    other = client.get("/api/styles?model=tone", headers={"If-None-Match": first.headers["ETag"]})
    assert (other.status_code, other.get_json()) == (200, [])
