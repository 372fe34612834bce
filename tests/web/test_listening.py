"""Server-sent events and the MP3 while it is made, through Flask's client and small real engines."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from musicgen.web import listening
from tests.tone_engine import BlockingEngine, HaltingEngine, SlowToLoadEngine

EVENTS, MP3, JSON = "text/event-stream", "audio/mpeg", "application/json"
ALL_WAYS = (JSON, EVENTS, MP3)


@pytest.fixture
def halting() -> Iterator[type[HaltingEngine]]:
    HaltingEngine.may_end.clear()
    yield HaltingEngine
    HaltingEngine.may_end.set()


@pytest.fixture
def slow_to_load() -> Iterator[type[SlowToLoadEngine]]:
    SlowToLoadEngine.may_load.clear()
    yield SlowToLoadEngine
    SlowToLoadEngine.may_load.set()


def listen(client: FlaskClient, accept: str, key: str | None = None, **fields: object) -> TestResponse:
    headers = {"Accept": accept} | ({"Idempotency-Key": key} if key else {})
    return client.post("/api/generate", json={"prompt": "rain on the roof", "duration": 5} | fields, headers=headers)


def events(text: str) -> list[tuple[str, Any]]:
    """Read a whole stream of events; a comment is an event without a name."""
    blocks = [block.split("\n") for block in text.split("\n\n") if block]
    return [
        ("", None) if lines[0].startswith(":") else (lines[0].removeprefix("event: "), json.loads(lines[1][6:]))
        for lines in blocks
    ]


def only_track(client: FlaskClient) -> dict[str, Any]:
    (track,) = client.get("/api/tracks").get_json()
    return client.get(f"/api/track/{track['track_id']}").get_json()


@pytest.mark.parametrize(
    ("accept", "mimetype"),
    [
        ("", JSON),
        ("*/*", JSON),
        ("application/json, text/plain, */*", JSON),
        ("text/html, */*;q=0.8", JSON),
        (EVENTS, EVENTS),
        ("text/*", EVENTS),
        ("audio/*", MP3),
        ("application/json;q=0.5, audio/mpeg", MP3),
    ],
)
def test_accept_chooses_how_to_listen(client: FlaskClient, accept: str, mimetype: str) -> None:
    answer = listen(client, accept)
    assert answer.mimetype == mimetype
    assert "Accept" in answer.vary


def test_what_cannot_be_had_is_refused_before_any_work(client: FlaskClient) -> None:
    answer = listen(client, "audio/wav")
    assert answer.status_code == 406
    for way in ALL_WAYS:
        assert way in answer.get_json()["message"]
    assert client.get("/api/tracks").get_json() == []


def test_events_tell_of_every_stage_and_last_of_the_track(client: FlaskClient) -> None:
    answer = listen(client, EVENTS)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/event-stream; charset=utf-8")
    assert (answer.headers["Cache-Control"], answer.headers["X-Accel-Buffering"]) == ("no-store", "no")
    *heard, (last, track) = events(answer.text)
    assert {name for name, _ in heard} == {"progress"}
    progress = [data for _, data in heard]
    assert list(progress[0]) == ["track_id", "stage", "fraction", "seconds_left"]
    assert {data["track_id"] for data in progress} == {track["track_id"]}
    stages = list(dict.fromkeys(data["stage"] for data in progress))
    assert stages == ["loading", "plan", "render", "export", "store"]
    fractions = [data["fraction"] for data in progress]
    assert (fractions, fractions[-1]) == (sorted(fractions), 1.0)
    assert {data["seconds_left"] for data in progress} == {None, 0.0}
    assert last == "track"
    assert track == client.get(f"/api/track/{track['track_id']}").get_json()


def test_seconds_left_are_known_from_the_second_track_on(client: FlaskClient) -> None:
    listen(client, JSON)
    *heard, _ = events(listen(client, EVENTS, duration=10).text)
    left_s = [data["seconds_left"] for _, data in heard]
    assert None not in left_s and left_s[-1] == 0.0
    assert listen(client, JSON, model="silent").status_code == 201
    *heard, _ = events(listen(client, EVENTS, model="parted").text)
    assert heard[0][1]["seconds_left"] is None, "another engine has another pace"


def test_a_failure_on_the_way_is_the_last_event_in_the_one_shape(client: FlaskClient) -> None:
    answer = listen(client, EVENTS, model="failing")
    name, error = events(answer.text)[-1]
    assert (answer.status_code, name) == (200, "error")
    assert (error["code"], error["status"], error["errors"]) == (500, "Internal Server Error", {})
    assert "the string broke" in error["message"]
    assert error["request_id"] == answer.headers["X-Request-ID"]
    assert only_track(client)["status"] == "failed"


@pytest.mark.parametrize("accept", ALL_WAYS)
def test_failures_before_any_work_have_their_status(make_app: Callable[..., Flask], accept: str) -> None:
    client = make_app().test_client()
    assert listen(client, accept, prompt="").status_code == 422
    assert listen(client, accept, model="theremin").status_code == 422
    assert listen(client, accept, model="absent").status_code == 503
    assert client.post("/api/generate", data=b"{}", headers={"Accept": accept}).status_code == 415
    full = listen(make_app(MIN_FREE_DISK_MB=10**9).test_client(), accept)
    assert (full.status_code, full.mimetype) == (507, JSON)


@pytest.mark.parametrize("accept", [EVENTS, MP3])
def test_a_full_line_is_refused_with_its_status(
    make_app: Callable[..., Flask], blocking: type[BlockingEngine], accept: str
) -> None:
    client = make_app(MAX_WAITING=0).test_client()
    running = listen(client, EVENTS, model="blocking")
    refused = listen(client, accept)
    assert (refused.status_code, refused.mimetype) == (503, JSON)
    assert int(refused.headers["Retry-After"]) >= 1
    blocking.may_end.set()
    assert events(running.text)[-1][0] == "track"


def test_a_silent_line_is_kept_alive(
    client: FlaskClient, slow_to_load: type[SlowToLoadEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "HEARTBEAT_S", 0.01)
    stream = listen(client, EVENTS, model="slow-to-load").response
    parts = iter(stream)
    assert events(next(parts).decode())[0][1]["stage"] == "loading"
    assert [next(parts) for _ in range(3)] == [listening.HEARTBEAT] * 3
    slow_to_load.may_load.set()
    assert events(b"".join(parts).decode())[-1][0] == "track"


def test_the_streamed_mp3_is_the_stored_one_with_the_track_in_its_headers(client: FlaskClient) -> None:
    answer = listen(client, MP3, title="Rain / Ünter", seed=7)
    assert answer.data.startswith(b"ID3")
    track = only_track(client)
    assert (answer.status_code, answer.mimetype) == (200, MP3)
    assert answer.data == client.get(track["audio_url"]).data
    assert answer.content_length == track["file_size"] == len(answer.data)
    assert answer.headers["Location"] == f"/api/track/{track['track_id']}"
    told = [answer.headers[f"X-Track-{name}"] for name in ("Id", "Title", "Seed", "Duration")]
    assert [unquote(text) for text in told] == [track["track_id"], "Rain / Ünter", "7", "5"]
    assert (answer.headers["Cache-Control"], answer.headers["X-Accel-Buffering"]) == ("no-store", "no")


def test_the_title_that_the_engine_finds_is_in_the_headers_and_the_row_before_the_end(
    client: FlaskClient, halting: type[HaltingEngine]
) -> None:
    answer = listen(client, MP3, model="halting")
    assert unquote(answer.headers["X-Track-Title"]).startswith("Tone ")
    running = client.get(answer.headers["Location"]).get_json()
    assert (running["status"], running["title"]) == ("running", unquote(answer.headers["X-Track-Title"]))
    parts = iter(answer.response)
    assert next(parts).startswith(b"ID3")
    halting.may_end.set()
    assert len(b"".join(parts)) > 0
    assert client.get(answer.headers["Location"]).get_json()["status"] == "done"


def test_a_failure_before_the_first_sound_has_its_status(client: FlaskClient) -> None:
    answer = listen(client, MP3, model="failing")
    assert (answer.status_code, answer.mimetype) == (500, JSON)
    assert "the string broke" in answer.get_json()["message"]


def test_a_failure_after_it_breaks_the_stream(client: FlaskClient, tmp_path: Path) -> None:
    answer = listen(client, MP3, model="halting", prompt="break it", duration=30)
    heard = b""
    with pytest.raises(ConnectionResetError):
        for part in answer.response:
            heard += part
    assert 0 < len(heard) < (answer.content_length or 0)
    track = only_track(client)
    assert (track["status"], track["error"]) == ("failed", "RuntimeError: the string broke")
    assert list((tmp_path / "output").iterdir()) == []


@pytest.mark.parametrize("n_taken", [0, 1])
@pytest.mark.parametrize(("accept", "model"), [(EVENTS, "blocking"), (MP3, "halting"), (EVENTS, "halting")])
def test_closing_the_answer_cancels_the_generation(
    client: FlaskClient,
    blocking: type[BlockingEngine],
    halting: type[HaltingEngine],
    accept: str,
    model: str,
    n_taken: int,
    tmp_path: Path,
) -> None:
    answer = listen(client, accept, model=model)
    parts = iter(answer.response)
    for _ in range(n_taken):
        next(parts)
    answer.close()
    track = only_track(client)
    assert (track["status"], track["formats"]) == ("cancelled", {})
    assert list((tmp_path / "output").iterdir()) == []


def test_closing_the_answer_after_the_end_changes_nothing(client: FlaskClient) -> None:
    for accept in (EVENTS, MP3):
        answer = listen(client, accept)
        assert answer.data
        answer.close()
    assert {track["status"] for track in client.get("/api/tracks").get_json()} == {"done"}


def test_an_engine_goes_on_loading_when_its_first_caller_leaves(
    client: FlaskClient, slow_to_load: type[SlowToLoadEngine]
) -> None:
    answer = listen(client, EVENTS, model="slow-to-load")
    answer.close()
    assert only_track(client)["status"] == "cancelled"
    slow_to_load.may_load.set()
    assert listen(client, JSON, model="slow-to-load").status_code == 201


@pytest.mark.parametrize("again", ALL_WAYS)
@pytest.mark.parametrize("first", ALL_WAYS)
def test_a_retry_with_the_same_key_gets_the_same_track(client: FlaskClient, first: str, again: str) -> None:
    assert listen(client, first, key="one").data
    track = only_track(client)
    answer = listen(client, again, key="one")
    if again == JSON:
        assert (answer.status_code, answer.get_json()) == (201, track)
    elif again == EVENTS:
        assert events(answer.text) == [("track", track)]
    else:
        assert answer.data == client.get(track["audio_url"]).data
        assert answer.headers["X-Track-Id"] == track["track_id"]
    assert only_track(client) == track


def test_another_key_makes_another_track(client: FlaskClient) -> None:
    assert len({listen(client, JSON, key=key).get_json()["track_id"] for key in ("one", "two", None, None)}) == 4


@pytest.mark.parametrize("accept", ALL_WAYS)
def test_a_key_stands_for_one_request(client: FlaskClient, accept: str) -> None:
    listen(client, JSON, key="one")
    answer = listen(client, accept, key="one", title="Another")
    assert answer.status_code == 422
    assert "'one'" in answer.get_json()["message"]
    assert only_track(client)["status"] == "done"


@pytest.mark.parametrize("accept", ALL_WAYS)
def test_a_retry_while_the_first_runs_is_told_to_come_back(
    client: FlaskClient, blocking: type[BlockingEngine], accept: str
) -> None:
    running = listen(client, EVENTS, key="one", model="blocking")
    answer = listen(client, accept, key="one", model="blocking")
    assert (answer.status_code, answer.mimetype) == (409, JSON)
    assert int(answer.headers["Retry-After"]) >= 1
    blocking.may_end.set()
    name, track = events(running.text)[-1]
    assert name == "track"
    assert listen(client, JSON, key="one", model="blocking").get_json() == track


def test_a_retry_after_a_failure_or_a_cancellation_tries_again(
    client: FlaskClient, blocking: type[BlockingEngine]
) -> None:
    listen(client, EVENTS, key="one", model="blocking").close()
    blocking.may_end.set()
    assert listen(client, JSON, key="one", model="blocking").status_code == 201
    failed = [listen(client, JSON, key="two", model="failing").status_code for _ in range(2)]
    assert failed == [500, 500]
    statuses = [track["status"] for track in client.get("/api/tracks").get_json()]
    assert sorted(statuses) == ["cancelled", "done", "failed", "failed"]


def test_a_retry_after_the_track_was_deleted_makes_a_new_one(client: FlaskClient) -> None:
    first = listen(client, JSON, key="one").get_json()
    client.delete(f"/api/track/{first['track_id']}")
    assert listen(client, JSON, key="one").get_json()["track_id"] != first["track_id"]


def test_a_retry_for_sound_that_is_gone_makes_it_from_what_is_left_or_says_so(
    client: FlaskClient, tmp_path: Path
) -> None:
    track = listen(client, JSON, key="one").get_json()
    path = tmp_path / "output" / f"{track['track_id']}.mp3"
    sound = path.read_bytes()
    path.unlink()
    assert listen(client, MP3, key="one").data == sound
    for file in path.parent.iterdir():
        file.unlink()
    assert listen(client, MP3, key="one").status_code == 404


@pytest.mark.parametrize("key", [" ", "x" * 256, "ключ", "a b"])
def test_a_key_that_is_none_is_refused_by_name(client: FlaskClient, key: str) -> None:
    headers = {"Accept": JSON, "Idempotency-Key": key}
    answer = client.post("/api/generate", json={"prompt": "rain"}, headers=headers)
    assert answer.status_code == 422
    assert list(answer.get_json()["errors"]) == ["Idempotency-Key"]
