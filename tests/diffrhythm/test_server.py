"""DiffRhythm with nothing replaced but the size of its networks: gunicorn, real files, a real database."""

import io
import json
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import requests
import soundfile

from tests.gunicorn_server import PATIENCE_S, Server

pytest.importorskip("tokenizers", reason="the extra musicgen[diffrhythm] is not installed")

DURATION_S = 8
LYRICS = "Hello, world!" if shutil.which("espeak-ng") else None

Event = tuple[str, dict[str, Any]]


@pytest.fixture(scope="module")
def server(quick_weights_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    # One thread: two are a little faster, and many times slower where another process has one of the cores.
    settings = {"MUSICGEN_WEIGHTS_DIR": str(quick_weights_dir), "OMP_NUM_THREADS": "1"}
    server = Server(folder, "--workers=1", app="wsgi:app", model="diffrhythm", **settings)
    yield server
    assert server.stop() == 0
    assert not any("Traceback" in line for line in server.lines), server.lines


@pytest.fixture(scope="module")
def events(server: Server) -> list[Event]:
    """What is heard of the one song."""
    with closing(ask(server, seed=3, lyrics=LYRICS)) as answer:
        assert answer.status_code == 200
        return list(read_events(answer))


@pytest.fixture(scope="module")
def track(events: list[Event]) -> dict[str, Any]:
    name, track = events[-1]
    assert name == "track", track
    return track


def ask(server: Server, **fields: Any) -> requests.Response:
    body = {"prompt": "slow rain", "model": "diffrhythm", "duration": DURATION_S} | fields
    headers = {"Accept": "text/event-stream"}
    return requests.post(server.url("/api/generate"), json=body, headers=headers, timeout=PATIENCE_S, stream=True)


def read_events(answer: requests.Response) -> Iterator[Event]:
    name = ""
    for line in answer.iter_lines(chunk_size=1, decode_unicode=True):
        kind, _, text = line.partition(": ")
        if kind == "event":
            name = text
        elif kind == "data":
            yield name, json.loads(text)


def test_the_events_of_a_song_tell_every_stage_and_end_in_the_track(events: list[Event], track: dict[str, Any]) -> None:
    heard = [data for name, data in events if name == "progress"]
    stages = list(dict.fromkeys(progress["stage"] for progress in heard))
    assert stages == ["loading", "style", "load the network", "sample", "decode", "export", "store"]
    fractions = [progress["fraction"] for progress in heard]
    assert fractions == sorted(fractions)
    assert sum(progress["stage"] == "sample" for progress in heard) >= 31
    assert (track["status"], track["model"], track["seed"]) == ("done", "diffrhythm", 3)


def test_the_song_can_be_had_as_it_was_told(server: Server, track: dict[str, Any]) -> None:
    assert server.get(f"/api/track/{track['track_id']}").json() == track
    for name in ("wav", "mp3"):
        samples, sample_rate = soundfile.read(io.BytesIO(server.get(track["formats"][name]).content))
        assert (samples.shape, sample_rate) == ((DURATION_S * 44_100, 2), 44_100)
        assert samples.std() > 0.01
    assert track["audio_url"] == track["formats"]["mp3"]


def test_the_model_is_ready(server: Server) -> None:
    models = {model["name"]: model for model in server.get("/api/models").json()}
    assert (models["diffrhythm"]["ready"], models["diffrhythm"]["reason"]) == (True, None)
    assert models["diffrhythm"]["supports_editing"] and models["diffrhythm"]["supports_style_audio"]


def test_hanging_up_while_it_samples_cancels_the_song(server: Server) -> None:
    with closing(ask(server)) as answer:
        track_id = next(data["track_id"] for _, data in read_events(answer) if data["stage"] == "sample")
    while (track := server.get(f"/api/track/{track_id}").json())["status"] == "running":
        pass
    assert (track["status"], track["formats"]) == ("cancelled", {})
    assert server.get("/health").json()["model_state"] == "ready"


def test_a_bad_request_makes_no_track(server: Server) -> None:
    n_before = server.get("/api/tracks").headers["X-Pagination"]
    for fields, field in (({"duration": 290}, "duration"), ({"lyrics": "雨"}, "lyrics"), ({"of": "x"}, "regenerate")):
        answer = ask(server, **fields)
        assert (answer.status_code, list(answer.json()["errors"])) == (422, [field])
    assert server.get("/api/tracks").headers["X-Pagination"] == n_before
