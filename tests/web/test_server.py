"""A real gunicorn with our settings: several workers, slow clients, clients that go away, and an orderly end."""

import json
import re
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
import requests

from tests.gunicorn_server import PATIENCE_S, RAIN, Server

ACCESS_LINE = re.compile(r"\[(?P<pid>\d+)\] INFO gunicorn.access: .*request_id=(?P<request_id>\S+)")


Start = Callable[..., Server]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    servers: list[Server] = []

    def start_server(*flags: str) -> Server:
        servers.append(Server(tmp_path, *flags))
        return servers[-1]

    yield start_server
    assert [server.stop() for server in servers] == [0] * len(servers)
    for server in servers:
        assert not any("Traceback" in line for line in server.lines), server.lines


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("server"), "--workers=2")
    yield server
    assert server.stop() == 0


def hang_up_while_generating(server: Server) -> None:
    """Ask for a track that takes forever, wait until it is being made, and close the connection."""
    body = json.dumps(RAIN | {"model": "blocking"})
    head = f"POST /api/generate HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    with socket.create_connection(server.address, PATIENCE_S) as connection:
        connection.sendall(f"{head}\r\n\r\n{body}".encode())
        server.wait_for("blocking has begun")
        if server.is_threaded:
            # One thread generates, the others answer.
            assert server.get("/health").json()["model_state"] == "generating"
    server.wait_for(" 499 ")


@pytest.mark.parametrize("worker_class", ["gthread", "sync"])
def test_hanging_up_cancels_the_generation(start: Start, worker_class: str) -> None:
    server = start("--workers=1", f"--worker-class={worker_class}")
    hang_up_while_generating(server)
    (track,) = server.get("/api/tracks").json()
    assert (track["status"], track["formats"]) == ("cancelled", {})
    assert server.generate().status_code == 201


def test_two_workers_start_together_on_a_fresh_database(start: Start) -> None:
    server = start("--workers=2", "--keep-alive=0")
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(server.get, ["/api/tracks"] * 16))
    assert {answer.status_code for answer in answers} == {200}
    workers = {process.pid for process in psutil.Process(server.process.pid).children()}
    assert len(workers) == 2
    served: set[int] = set()
    for _ in range(500):
        served |= {int(match["pid"]) for line in server.lines if (match := ACCESS_LINE.search(line))}
        if served == workers:
            break
        assert server.get("/health").status_code == 200
    assert served == workers


def test_nothing_heavy_is_loaded_before_the_fork(server: Server) -> None:
    assert server.generate().status_code == 201
    maps = {Path(entry.path).name for entry in psutil.Process(server.process.pid).memory_maps()}
    assert not {name for name in maps if "torch" in name or "sndfile" in name}


def test_a_track_goes_all_its_way(server: Server) -> None:
    made = server.generate(title="Rain")
    assert made.status_code == 201
    track = made.json()
    assert server.get(made.headers["Location"]).json() == track
    assert {name: value for name, value in track.items() if name != "plan"} in server.get("/api/tracks").json()
    whole = server.get(track["audio_url"])
    assert (whole.status_code, len(whole.content)) == (200, track["file_size"])
    part = requests.get(server.url(track["audio_url"]), headers={"Range": "bytes=100-199"}, timeout=PATIENCE_S)
    assert (part.status_code, part.content) == (206, whole.content[100:200])
    head = requests.head(server.url(track["audio_url"]), timeout=PATIENCE_S)
    assert (int(head.headers["Content-Length"]), head.content) == (track["file_size"], b"")
    fresh = requests.get(
        server.url(track["audio_url"]), headers={"If-None-Match": whole.headers["ETag"]}, timeout=PATIENCE_S
    )
    assert (fresh.status_code, fresh.content) == (304, b"")
    assert requests.delete(server.url(f"/api/track/{track['track_id']}"), timeout=PATIENCE_S).status_code == 204
    assert server.get(track["audio_url"]).status_code == 404


@pytest.mark.parametrize(
    ("body", "content_type", "status_code"),
    [
        (b'{"prompt": ', "application/json", 400),
        (b'{"prompt": ""}', "application/json", 422),
        (b"prompt=rain", "application/x-www-form-urlencoded", 415),
        (b" " * 10_000_000, "application/json", 413),
    ],
)
def test_bad_requests_are_answered_in_full(server: Server, body: bytes, content_type: str, status_code: int) -> None:
    headers = {"Content-Type": content_type}
    answer = requests.post(server.url("/api/generate"), data=body, headers=headers, timeout=PATIENCE_S)
    assert (answer.status_code, answer.json()["code"]) == (status_code, status_code)


def test_a_body_without_a_length_has_a_limit_too(server: Server) -> None:
    chunks = (b" " * 100_000 for _ in range(50))
    headers = {"Content-Type": "application/json"}
    answer = requests.post(server.url("/api/generate"), data=chunks, headers=headers, timeout=PATIENCE_S)
    assert answer.status_code == 413


@pytest.mark.parametrize("path", ["/output/../musicgen.sqlite", "/output//etc/passwd", "/output/..%2fmusicgen.sqlite"])
def test_paths_that_clients_tidy_up_are_refused_as_they_are(server: Server, path: str) -> None:
    with socket.create_connection(server.address, PATIENCE_S) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answer.split()[1] in (b"404", b"308")
    assert b"SQLite" not in answer and b"root:" not in answer


def test_a_request_has_one_line_in_the_log_with_its_id(server: Server) -> None:
    requests.get(server.url("/api/models"), headers={"X-Request-ID": "seen-once"}, timeout=PATIENCE_S)
    server.wait_for("seen-once")
    (line,) = [line for line in server.lines if "seen-once" in line]
    assert '"GET /api/models HTTP/1.1" 200' in line and ACCESS_LINE.search(line)
