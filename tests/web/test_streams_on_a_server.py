"""Streams from a real gunicorn: clients that hang up, that do not read, that see a failure; and its orderly end."""

import json
import re
import signal
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import ExitStack
from http.client import HTTPResponse
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.gunicorn_server import PATIENCE_S, RAIN, Server

EVENTS, MP3, JSON = "text/event-stream", "audio/mpeg", "application/json"
ALL_WAYS = (JSON, EVENTS, MP3)
# The promise is one second; machines that run tests are busy.
SOON_S = 2.0
BLOCKED, HALTED, LOADING = "blocking has begun", "halting in the middle", "loading has begun"


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("server"), "--workers=1")
    assert server.generate().status_code == 201
    yield server
    assert server.stop() == 0


@pytest.fixture
def server(shared_server: Server) -> Server:
    """A server without tracks, and without a log of earlier tests."""
    for track in shared_server.get("/api/tracks").json():
        requests.delete(shared_server.url(f"/api/track/{track['track_id']}"), timeout=PATIENCE_S)
    shared_server.lines.clear()
    return shared_server


def ask(server: Server, accept: str, receive_buffer: int | None = None, **fields: object) -> socket.socket:
    """Send a request and leave its answer unread."""
    body = json.dumps(RAIN | fields).encode()
    head = (
        "POST /api/generate HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        f"Accept: {accept}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    connection = socket.socket()
    connection.settimeout(PATIENCE_S)
    if receive_buffer:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    connection.connect(server.address)
    connection.sendall(head.encode() + body)
    return connection


def tracks_of(server: Server, model: str) -> list[dict[str, Any]]:
    return [track for track in server.get("/api/tracks").json() if track["model"] == model]


def track_of(server: Server, model: str) -> dict[str, Any]:
    (track,) = tracks_of(server, model)
    return track


def wait_until_ended(server: Server, model: str) -> float:
    """Return the seconds that it took."""
    began = time.monotonic()
    while any(track["status"] == "running" for track in tracks_of(server, model)):
        assert time.monotonic() < began + PATIENCE_S
    return time.monotonic() - began


def wait_until_cancelled(server: Server, model: str) -> float:
    """Return the seconds that it took."""
    seconds = wait_until_ended(server, model)
    assert track_of(server, model)["status"] == "cancelled"
    return seconds


@pytest.mark.parametrize(
    ("accept", "model", "begun"),
    [
        *(
            (accept, model, begun)
            for accept in ALL_WAYS
            for model, begun in (("blocking", BLOCKED), ("halting", HALTED))
        ),
        (EVENTS, "slow-to-load", LOADING),
    ],
)
def test_hanging_up_cancels_soon(server: Server, accept: str, model: str, begun: str) -> None:
    with ask(server, accept, model=model):
        server.wait_for(begun)
    assert wait_until_cancelled(server, model) < SOON_S
    assert track_of(server, model)["formats"] == {}
    assert server.generate().status_code == 201


@pytest.mark.parametrize("accept", ALL_WAYS)
def test_hanging_up_while_waiting_in_line_cancels_soon_and_gives_the_place_away(server: Server, accept: str) -> None:
    with ask(server, EVENTS, model="blocking"):
        server.wait_for(BLOCKED)
        with ask(server, accept, model="tone") as waiting:
            heard = b""
            while accept == EVENTS and b'"waiting"' not in heard:
                heard += waiting.recv(4096)
            while not tracks_of(server, "tone"):
                pass
        assert wait_until_cancelled(server, "tone") < SOON_S
        assert track_of(server, "blocking")["status"] == "running"
    wait_until_cancelled(server, "blocking")


def test_a_client_that_does_not_read_delays_nobody_and_may_hang_up(server: Server) -> None:
    with ask(server, MP3, receive_buffer=4096, model="halting", duration=300):
        server.wait_for(HALTED)
        assert server.get("/health").json()["model_state"] == "generating"
        assert server.get("/api/tracks").elapsed.total_seconds() < SOON_S
    assert wait_until_cancelled(server, "halting") < SOON_S


def test_a_client_that_breaks_off_without_a_word_is_noticed(server: Server) -> None:
    with ask(server, EVENTS, model="blocking") as connection:
        server.wait_for(BLOCKED)
        # Lingering for zero seconds sends a reset.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    assert wait_until_cancelled(server, "blocking") < SOON_S


def test_a_full_line_of_streams_leaves_threads_for_everybody_else(server: Server) -> None:
    with ExitStack() as stack:
        stack.enter_context(ask(server, EVENTS, model="blocking"))
        server.wait_for(BLOCKED)
        waiting = [stack.enter_context(ask(server, EVENTS)) for _ in range(4)]
        for connection in waiting:
            assert connection.recv(12) == b"HTTP/1.1 200"
        assert server.generate().status_code == 503
        assert server.get("/health").status_code == 200
    for model in ("blocking", "tone"):
        wait_until_ended(server, model)


def test_a_whole_stream_ends_well_and_the_connection_stays(server: Server) -> None:
    with ask(server, MP3) as connection:
        first = HTTPResponse(connection)
        first.begin()
        assert len(first.read()) == int(first.headers["Content-Length"])
        connection.sendall(f"GET {first.headers['Location']} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        second = HTTPResponse(connection)
        second.begin()
        assert json.loads(second.read())["status"] == "done"


def test_a_client_that_hangs_up_with_the_last_byte_keeps_its_track(server: Server) -> None:
    with ask(server, MP3) as connection:
        answer = HTTPResponse(connection)
        answer.begin()
        assert len(answer.read(int(answer.headers["Content-Length"]))) == int(answer.headers["Content-Length"])
    assert track_of(server, "tone")["status"] == "done"


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_a_failure_in_the_middle_cuts_the_connection_short(server: Server, version: str) -> None:
    body = json.dumps(RAIN | {"prompt": "break it", "model": "halting", "duration": 60})
    head = (
        f"POST /api/generate HTTP/{version}\r\nHost: x\r\nContent-Type: application/json\r\nAccept: {MP3}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection(server.address, PATIENCE_S) as connection:
        connection.sendall((head + body).encode())
        whole = b"".join(iter(lambda: connection.recv(65536), b""))
    header, _, heard = whole.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: (\d+)", header)
    assert length and 0 < len(heard) < int(length[1])
    assert track_of(server, "halting")["status"] == "failed"


def test_a_server_that_is_told_to_stop_finishes_its_streams(tmp_path: Path) -> None:
    server = Server(tmp_path, "--workers=1")
    with ask(server, MP3, duration=120) as sound, ask(server, EVENTS) as events:
        answer, waiting = HTTPResponse(sound), HTTPResponse(events)
        answer.begin()
        waiting.begin()
        server.process.send_signal(signal.SIGTERM)
        assert len(answer.read()) == int(answer.headers["Content-Length"])
        assert b"event: track" in waiting.read()
    assert server.stop() == 0
    assert not any("Traceback" in line for line in server.lines), server.lines
    assert len([path for path in (tmp_path / "output").iterdir() if path.suffix == ".mp3"]) == 2
