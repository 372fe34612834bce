"""Measure the server: tracks a minute, GETs while every worker generates, the first sound, and hanging up.

    make bench-server     (= python -m benchmarks.server)

A real gunicorn with our settings, a database and an output folder of its own, and clients on the same machine, which
take their share of its processors. Every worker has made a track before anything is measured. Prints Markdown.
"""

import argparse
import contextlib
import json
import os
import platform
import socket
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, HTTPResponse
from itertools import count
from pathlib import Path

from musicgen.mp3 import count_bytes
from musicgen.tags import id3_length
from tests.gunicorn_server import Server

PROMPT = "pop song, full band, energetic, 110 bpm"
WORKERS = (1, 2, 4)
SHORT_S, LONG_S = 30, 300
# Tracks for each worker count, GETs of each kind, repetitions of the rest.
N_TRACKS, N_GETS, RUNS = 16, 200, 7
ALL_WAYS = ("application/json", "text/event-stream", "audio/mpeg")
RECEIVED_BYTES = 1 << 16
# Three seconds of MP3.
HEARD_BYTES = 100_000
# Several long tracks in one line take their time on a busy machine.
PATIENCE_S = 600
SAMPLE_RATE = 44_100

seeds = count(1)


@contextlib.contextmanager
def serving(n_workers: int) -> Iterator[Server]:
    """Run a server whose workers are warm."""
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder), f"--workers={n_workers}", app="wsgi:app", model="composer")
        try:
            warm_up(server, n_workers)
            yield server
        finally:
            server.stop()


def warm_up(server: Server, n_workers: int) -> None:
    """Generate until every worker has; which one takes a request is the kernel's choice."""
    warm: set[str] = set()
    with ThreadPoolExecutor(2 * n_workers) as pool:
        while len(warm) < n_workers:
            list(pool.map(lambda _: generate(server, SHORT_S), range(2 * n_workers)))
            warm = {line.split("[")[1].split("]")[0] for line in list(server.lines) if "POST /api/generate" in line}


def ask(server: Server, accept: str, duration_s: float, seed: int | None = None) -> socket.socket:
    """Ask for a track, with a new seed unless one is given, and leave the answer unread."""
    body = json.dumps({"prompt": PROMPT, "duration": duration_s, "seed": seed or next(seeds)})
    connection = socket.create_connection(server.address, PATIENCE_S)
    head = f"POST /api/generate HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nAccept: {accept}\r\n"
    connection.sendall(f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}".encode())
    return connection


def generate(server: Server, duration_s: float) -> float:
    """Generate one track, coming back when a worker's line is full; return the seconds that it took."""
    began = time.perf_counter()
    while True:
        with ask(server, "application/json", duration_s) as connection:
            answer = HTTPResponse(connection)
            answer.begin()
            content = answer.read()
        if answer.status == 201:
            return time.perf_counter() - began
        if answer.status != 503:
            raise RuntimeError(f"{answer.status}: {content!r}")
        time.sleep(int(answer.headers["Retry-After"]))


def tracks_a_minute(server: Server, n_clients: int) -> float:
    """Let `n_clients` generate one track after the other."""
    began = time.perf_counter()
    with ThreadPoolExecutor(n_clients) as pool:
        list(pool.map(lambda _: generate(server, SHORT_S), range(N_TRACKS)))
    return 60 * N_TRACKS / (time.perf_counter() - began)


@contextlib.contextmanager
def everybody_generates(server: Server, n_workers: int) -> Iterator[None]:
    """Keep every worker busy: two clients for each, whose long tracks follow one another."""
    is_over = threading.Event()

    def go_on() -> None:
        while not is_over.is_set():
            generate(server, LONG_S)

    with ThreadPoolExecutor(2 * n_workers) as pool:
        clients = [pool.submit(go_on) for _ in range(2 * n_workers)]
        try:
            yield
        finally:
            is_over.set()
    for client in clients:
        client.result()


def times_of_gets(server: Server, path: str) -> list[float]:
    """GET a path again and again over new connections; return the milliseconds of each."""
    times = []
    for _ in range(N_GETS):
        began = time.perf_counter()
        connection = HTTPConnection(*server.address, timeout=PATIENCE_S)
        connection.request("GET", path, headers={"Connection": "close"})
        answer = connection.getresponse()
        answer.read()
        connection.close()
        times.append(1000 * (time.perf_counter() - began))
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status}")
    return times


def percentiles(times_ms: list[float]) -> str:
    """Write p50 and p99."""
    p99 = statistics.quantiles(times_ms, n=100)[98]
    return f"{statistics.median(times_ms):.0f} / {p99:.0f}"


def first_sound(server: Server, seed: int) -> tuple[float, float]:
    """Stream a long track; return the seconds until its first byte, and until the first byte of sound."""
    began = time.perf_counter()
    with ask(server, "audio/mpeg", LONG_S, seed) as connection:
        heard, first_s = b"", None
        while True:
            heard += connection.recv(RECEIVED_BYTES)
            body = heard.partition(b"\r\n\r\n")[2]
            now_s = time.perf_counter() - began
            if body and first_s is None:
                first_s = now_s
            # The first frame tells of the file, and holds no sound.
            if first_s is not None and len(body) > id3_length(body) + count_bytes(1, SAMPLE_RATE):
                return first_s, now_s


def seconds_to_cancel(server: Server, accept: str, n_bytes: int = 0) -> float:
    """Hang up on a long track, as it begins or after so many bytes; return the seconds until its job is cancelled."""
    with ask(server, accept, LONG_S) as connection:
        wait_for(lambda: newest(server)["status"] == "running")
        wait_for(lambda: server.get("/health").json()["model_state"] == "generating")
        while n_bytes > 0:
            n_bytes -= len(connection.recv(RECEIVED_BYTES))
    began = time.perf_counter()
    wait_for(lambda: newest(server)["status"] == "cancelled")
    return time.perf_counter() - began


def newest(server: Server) -> dict[str, object]:
    """Return the newest track."""
    track: dict[str, object] = server.get("/api/tracks?page_size=1").json()[0]
    return track


def wait_for(condition: Callable[[], bool]) -> None:
    """Ask until it is so."""
    began = time.perf_counter()
    while not condition():
        if time.perf_counter() > began + PATIENCE_S:
            raise RuntimeError("it never came to be")


def measure_workers() -> None:
    """Print throughput and GETs for each number of workers."""
    print("| workers | tracks of 30 s a minute | `GET /api/tracks` | `GET /api/track/<id>` | `GET /health` |")
    print("|---|---|---|---|---|")
    for n_workers in WORKERS:
        with serving(n_workers) as server:
            pace = tracks_a_minute(server, n_workers)
            paths = ("/api/tracks", f"/api/track/{newest(server)['track_id']}", "/health")
            idle = [percentiles(times_of_gets(server, path)) for path in paths]
            with everybody_generates(server, n_workers):
                busy = [percentiles(times_of_gets(server, path)) for path in paths]
        cells = [f"{calm} idle, {loaded} busy" for calm, loaded in zip(idle, busy, strict=True)]
        print(f"| {n_workers} | {pace:.0f} | {' | '.join(cells)} |", flush=True)
    print("\nGETs: p50 / p99, milliseconds, with twenty tracks on the page; busy: while every worker makes 300 s.\n")


def measure_streams() -> None:
    """Print the first sound and hanging up."""
    with serving(1) as server:
        generate(server, LONG_S)
        firsts: dict[str, list[tuple[float, float]]] = {"new seeds": [], "again": []}
        for _ in range(RUNS):
            seed = next(seeds)
            for times in firsts.values():
                times.append(first_sound(server, seed))
                wait_for(lambda: server.get("/health").json()["model_state"] == "ready")
        for name, times in firsts.items():
            byte_s, sound_s = (statistics.median(column) for column in zip(*times, strict=True))
            slowest_s = max(sound for _, sound in times)
            print(
                f"`audio/mpeg` of {LONG_S} s, warm, {name}: first byte {byte_s:.2f} s, first sound {sound_s:.2f} s "
                f"({slowest_s:.2f} worst)."
            )
        for accept in ALL_WAYS:
            times = [seconds_to_cancel(server, accept) for _ in range(RUNS)]
            print(f"Hang-up as it begins, `{accept}`: {statistics.median(times):.2f} s ({max(times):.2f} worst).")
        times = [seconds_to_cancel(server, ALL_WAYS[2], HEARD_BYTES) for _ in range(RUNS)]
        print(f"Hang-up while it sounds: {statistics.median(times):.2f} s ({max(times):.2f} worst).")


def main() -> None:
    """Print everything, or a part."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=("workers", "streams"), help="measure only a part")
    only = parser.parse_args().only
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}; {PROMPT!r}\n")
    if only != "streams":
        measure_workers()
    if only != "workers":
        measure_streams()


if __name__ == "__main__":
    main()
