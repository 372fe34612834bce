"""A hub of models, its content network and GitHub's raw files, all small, on one port of this machine.

Speaks as much of their protocols as a download sees: HEAD with X-Repo-Commit, ETag and the size; large files as a
redirect to another host with a SHA-256 as X-Linked-Etag; ranges. Can be told to fail in the ways that networks do.
"""

import hashlib
import io
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from musicgen.diffrhythm.weights import FILES, NEGATIVE_STYLE, SOURCE_COMMIT, VOCABULARY, WeightsFile

COMMIT = "c0ffee" + "0" * 34
LARGE_BYTES = 700_001
HELD_AFTER = 200_000


def content_of(file: WeightsFile) -> bytes:
    """Make what the file holds on the server: noise where nobody looks into it."""
    if file is VOCABULARY:
        return json.dumps({"vocab": {",": 0, ".": 1, "a": 2}}).encode()
    if file is NEGATIVE_STYLE:
        stream = io.BytesIO()
        np.save(stream, np.zeros((1, 512), np.float16))
        return stream.getvalue()
    n_bytes = 500 if file.name.endswith(".json") else LARGE_BYTES
    return np.random.default_rng(FILES.index(file)).bytes(n_bytes)


@dataclass
class Hub:
    """What it has, what it was asked for, and how it misbehaves.

    Attributes:
        contents: path -> bytes.
        asked: (method, path, headers with small names) of every request.
        refusals: path -> (status, X-Error-Code) instead of an answer.
        stops_after: how many bytes of a body are sent before the connection is closed, for so many times.
        lies: paths whose bytes are not those that were promised.
        has_ranges: whether Range is understood.
        goes_on: while it is cleared, large bodies stop after `HELD_AFTER` bytes.
    """

    contents: dict[str, bytes]
    port: int = 0
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    refusals: dict[str, tuple[int, str]] = field(default_factory=dict)
    stops_after: list[int] = field(default_factory=list)
    lies: set[str] = field(default_factory=set)
    has_ranges: bool = True
    goes_on: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        """Where the hub and GitHub are."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def content_url(self) -> str:
        """The same server under another name: to whoever asks it is another host."""
        return f"http://localhost:{self.port}"

    def downloads_of(self, file: WeightsFile) -> list[str]:
        """Return the Range of every GET of a file, "" where there was none."""
        path = path_of(file)
        paths = {path, f"/content/{hashlib.sha256(self.contents[path]).hexdigest()}"}
        return [headers.get("range", "") for method, asked, headers in self.asked if method == "GET" and asked in paths]


def path_of(file: WeightsFile) -> str:
    """Say under which path the server has the file."""
    if file.source_path is not None:
        return f"/{file.repository}/{SOURCE_COMMIT}/{file.source_path}"
    return f"/{file.repository}/resolve/main/{file.name}"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: Hub

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def _answer(self, with_body: bool) -> None:
        self.hub.asked.append((self.command, self.path, {k.lower(): v for k, v in self.headers.items()}))
        content = self.hub.contents.get(self.path) or self._by_digest()
        if self.path in self.hub.refusals or content is None:
            status, code = self.hub.refusals.get(self.path, (404, "EntryNotFound"))
            self._send(status, {"X-Error-Code": code, "Content-Length": "0"})
        elif "/resolve/" in self.path and len(content) == LARGE_BYTES:
            self._send(302, self._large_file(content))
        else:
            self._send_content(content, with_body)

    def _by_digest(self) -> bytes | None:
        found = (body for body in self.hub.contents.values() if self.path.endswith(hashlib.sha256(body).hexdigest()))
        return next(found, None)

    def _large_file(self, content: bytes) -> dict[str, str]:
        digest = hashlib.sha256(content).hexdigest()
        return {
            "Location": f"{self.hub.content_url}/content/{digest}",
            "X-Repo-Commit": COMMIT,
            "X-Linked-Etag": f'"{digest}"',
            "X-Linked-Size": str(len(content)),
            "Content-Length": "0",
        }

    def _send_content(self, content: bytes, with_body: bool) -> None:
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        start = int(asked[1]) if asked and self.hub.has_ranges else 0
        if start >= len(content):
            self._send(416, {"Content-Length": "0"})
            return
        blob_id = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
        headers = {"Content-Length": str(len(content) - start), "X-Repo-Commit": COMMIT, "ETag": f'"{blob_id}"'}
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        self._send(206 if start else 200, headers)
        if with_body:
            body = content[start:] if self.path not in self.hub.lies else content[start:-1] + b"\0"
            self._send_body(body)

    def _send_body(self, body: bytes) -> None:
        if self.hub.stops_after and len(body) > self.hub.stops_after[0]:
            body = body[: self.hub.stops_after.pop(0)]
            self.close_connection = True
        try:
            self.wfile.write(body[:HELD_AFTER])
            if len(body) > HELD_AFTER:
                self.hub.goes_on.wait()
                self.wfile.write(body[HELD_AFTER:])
        except OSError:  # the one who asked has gone
            self.close_connection = True

    def _send(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Keep the tests' output clean."""


def point_at(hub: Hub, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make this process ask `hub`, with a token, and cache in `cache`.

    HF_ENDPOINT and its like are read when huggingface_hub is imported, which it is already.
    """
    constants = "huggingface_hub.constants"
    monkeypatch.setattr(f"{constants}.ENDPOINT", hub.url)
    template = hub.url + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(f"{constants}.HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr(f"{constants}.HF_HUB_CACHE", str(cache))
    monkeypatch.setattr(f"{constants}.HF_HUB_OFFLINE", False)
    monkeypatch.setattr(f"{constants}.HF_HUB_DISABLE_TELEMETRY", False)
    monkeypatch.setattr("musicgen.diffrhythm.fetch.GITHUB", hub.url)
    monkeypatch.setenv("HF_TOKEN", "hf_secret")


@contextmanager
def serving() -> Iterator[Hub]:
    """Serve all of DiffRhythm's files."""
    hub = Hub({path_of(file): content_of(file) for file in FILES})
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("HubHandler", (Handler,), {"hub": hub}))
    server.daemon_threads = True
    hub.goes_on.set()
    hub.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield hub
    finally:
        hub.goes_on.set()
        server.shutdown()
        server.server_close()
        thread.join()
