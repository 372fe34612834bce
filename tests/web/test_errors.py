"""Every failure answers in the one shape, says what to do, and gives nothing away."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from musicgen import errors
from musicgen.database import db
from musicgen.web.error_handlers import STATUS_CODES
from musicgen.web.schemas.wording import without_folders

SHAPE = ["code", "status", "message", "errors", "request_id"]


def check_shape(answer: TestResponse, code: int, status: str) -> dict[str, Any]:
    body = answer.get_json()
    assert answer.content_type == "application/json"
    assert list(body) == SHAPE
    assert (answer.status_code, body["code"], body["status"]) == (code, code, status)
    assert body["request_id"] == answer.headers["X-Request-ID"]
    assert body["message"]
    return body


def post(client: FlaskClient, body: bytes, content_type: str | None = "application/json") -> TestResponse:
    return client.post("/api/generate", data=body, content_type=content_type)


@pytest.mark.parametrize(
    "url", ["/nothing", "/api/nothing", "/api/generate/", "/api/docs/nothing.js", "/static/nothing"]
)
def test_unknown_urls(client: FlaskClient, url: str) -> None:
    check_shape(client.get(url), 404, "Not Found")


def test_a_very_long_url_is_not_repeated_in_full(client: FlaskClient) -> None:
    assert len(client.get("/" + "x" * 9000).data) < 1000


def test_a_wrong_method_names_the_right_ones(client: FlaskClient) -> None:
    answer = client.put("/api/generate")
    body = check_shape(answer, 405, "Method Not Allowed")
    assert set(answer.headers["Allow"].split(", ")) == {"POST", "OPTIONS"}
    assert "PUT" in body["message"] and "POST" in body["message"]


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (b'{"prompt": "rain"', "line 1 column 18"),
        (b'{"prompt": "rain"} x', "line 1 column 20"),
        (b"", "line 1 column 1"),
        (b'{\n"prompt": rain}', "line 2 column 11"),
        (b'{"prompt": "rain", "seed": %s}' % (b"1" * 5000), "digits"),
        (b"[" * 100_000, "nested"),
        (b'{"prompt": "\xff"}', "byte 12"),
    ],
)
def test_broken_json_says_where(client: FlaskClient, body: bytes, place: str) -> None:
    assert place in check_shape(post(client, body), 400, "Bad Request")["message"]


@pytest.mark.parametrize(
    "content_type", [None, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]
)
def test_a_body_that_is_not_declared_as_json(client: FlaskClient, content_type: str | None) -> None:
    body = check_shape(post(client, b'{"prompt": "rain"}', content_type), 415, "Unsupported Media Type")
    assert "application/json" in body["message"]


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "application/vnd.api+json"])
def test_every_declaration_of_json_is_understood(client: FlaskClient, content_type: str) -> None:
    fields = '\ufeff{"prompt": "Übermut", "duration": 5}'.encode()
    assert post(client, fields, content_type).status_code == 201


@pytest.mark.parametrize("body", [b"[]", b'["prompt"]', b'"rain"', b"1", b"null", b"true"])
def test_a_body_that_is_no_object(client: FlaskClient, body: bytes) -> None:
    answer = check_shape(post(client, body), 422, "Unprocessable Entity")
    assert list(answer["errors"]) == ["body"]
    assert "object" in answer["message"]


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"-Infinity", b"1e999"])
def test_a_number_that_is_none_is_a_bad_field(client: FlaskClient, number: bytes) -> None:
    answer = check_shape(post(client, b'{"prompt": "rain", "duration": %s}' % number), 422, "Unprocessable Entity")
    assert "finite" in answer["errors"]["duration"][0]


def test_every_bad_field_is_named(client: FlaskClient) -> None:
    fields = {"duration": 1, "tempo": "fast", "Seed": 1}
    body = check_shape(client.post("/api/generate", json=fields), 422, "Unprocessable Entity")
    assert set(body["errors"]) == {"prompt", "duration", "tempo", "Seed"}
    assert "5" in body["errors"]["duration"][0] and "300" in body["errors"]["duration"][0]
    assert '"fast"' in body["errors"]["tempo"][0]


def test_an_unknown_model_is_a_bad_field(client: FlaskClient) -> None:
    body = check_shape(client.post("/api/generate", json={"prompt": "x", "model": "gpt"}), 422, "Unprocessable Entity")
    assert "tone" in body["errors"]["model"][0]


def test_a_body_over_the_limit(make_app: Callable[..., Flask]) -> None:
    client = make_app(MAX_BODY_BYTES=1000).test_client()
    body = check_shape(post(client, b" " * 1001), 413, "Request Entity Too Large")
    assert "1,000 bytes" in body["message"]
    assert post(client, b'{"prompt": "rain", "duration": 5}'.ljust(1000)).status_code == 201


def test_an_engine_that_is_not_ready(client: FlaskClient) -> None:
    body = check_shape(
        client.post("/api/generate", json={"prompt": "x", "model": "absent"}), 503, "Service Unavailable"
    )
    assert "make weights" in body["message"]


def test_a_full_disk(make_app: Callable[..., Flask]) -> None:
    client = make_app(MIN_FREE_DISK_MB=10**9).test_client()
    check_shape(client.post("/api/generate", json={"prompt": "x"}), 507, "Insufficient Storage")


def test_a_failed_generation_names_its_job(client: FlaskClient, caplog: pytest.LogCaptureFixture) -> None:
    answer = client.post("/api/generate", json={"prompt": "x", "model": "failing"})
    body = check_shape(answer, 500, "Internal Server Error")
    (track,) = client.get("/api/tracks").get_json()
    assert track["status"] == "failed" and "the string broke" in track["error"]
    assert track["job_id"] in body["message"]
    assert any(body["request_id"] in record.getMessage() for record in caplog.records)


def test_a_database_that_cannot_be_used(make_app: Callable[..., Flask], tmp_path: Path) -> None:
    client = make_app(DATABASE_URL=f"sqlite:///{tmp_path}").test_client()
    answer = client.get("/api/tracks")
    check_shape(answer, 503, "Service Unavailable")
    assert str(tmp_path) not in answer.text


def test_the_unforeseen_is_logged_and_not_told(
    app: Flask, client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    client.get("/api/tracks")
    with app.app_context(), db.engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE track"))
    answer = client.get("/api/tracks")
    check_shape(answer, 500, "Internal Server Error")
    for secret in ("sqlite", "SELECT", "track.", "Traceback", "OperationalError"):
        assert secret not in answer.text
    (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert answer.headers["X-Request-ID"] in record.getMessage()
    assert record.exc_info is not None


@pytest.mark.parametrize("given", ["abc-123", "A.b_c", "x" * 64])
def test_a_sane_request_id_is_kept(client: FlaskClient, given: str) -> None:
    assert client.get("/api/models", headers={"X-Request-ID": given}).headers["X-Request-ID"] == given


@pytest.mark.parametrize("given", ["", "x" * 65, "a b", "a;b", '"', "é", "%0d%0aSet-Cookie: a"])
def test_any_other_request_id_is_replaced(client: FlaskClient, given: str) -> None:
    drawn = client.get("/nothing", headers={"X-Request-ID": given}).headers["X-Request-ID"]
    assert drawn != given and len(drawn) == 32


def test_every_failure_of_the_domain_has_its_status() -> None:
    own = {kind for kind in errors.MusicgenError.__subclasses__() if kind.__module__ == errors.__name__}
    assert set(STATUS_CODES) == own


@pytest.mark.parametrize(
    ("text", "public"),
    [
        ("No such file: '/srv/music/weights/model.bin'", "No such file: 'model.bin'"),
        ("open ~/music/a.wav failed", "open a.wav failed"),
        (r"C:\music\weights\model.bin is missing", "model.bin is missing"),
        ("see https://example.org/a/b and GET /health", "see https://example.org/a/b and GET /health"),
        ("6/8 and/or 3/4", "6/8 and/or 3/4"),
    ],
)
def test_folders_are_taken_out_of_reasons(text: str, public: str) -> None:
    assert without_folders(text) == public
