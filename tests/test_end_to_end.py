"""The whole way with nothing replaced: gunicorn with two workers, the composer, real files, a real database."""

import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import mido
import numpy as np
import pytest
import requests
import soundfile

from musicgen.loudness import integrated_loudness
from musicgen.waveform import Waveform
from tests.gunicorn_server import PATIENCE_S, Server

PROMPT = "lofi hip hop, rainy night, 80 bpm"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("whole"), "--workers=2", app="wsgi:app", model="composer")
    yield server
    assert server.stop() == 0


@pytest.fixture(scope="module")
def answer(server: Server) -> requests.Response:
    return generate(server, prompt=PROMPT, duration=12.5, seed=7)


def generate(server: Server, **fields: Any) -> requests.Response:
    return requests.post(server.url("/api/generate"), json=fields, timeout=PATIENCE_S)


def read_audio(server: Server, url: str) -> Waveform:
    samples, sample_rate = soundfile.read(io.BytesIO(server.get(url).content), dtype="float32", always_2d=True)
    return Waveform(np.ascontiguousarray(samples.T), sample_rate)


def test_a_prompt_becomes_a_track(server: Server, answer: requests.Response) -> None:
    track = answer.json()
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"/api/track/{track['track_id']}"
    assert track["audio_url"] == track["formats"]["mp3"]
    assert set(track["formats"]) == {"wav", "mp3", "flac", "ogg", "mid", "musicxml"}
    assert (track["status"], track["model"], track["seed"], track["tempo"]) == ("done", "composer", 7, 80.0)
    assert track["duration"] == pytest.approx(12.5, abs=1 / 44100)
    assert datetime.fromisoformat(track["created_at"]).utcoffset() == timedelta(0)
    assert track["understanding"]["style"] == "lofi"
    assert server.get(answer.headers["Location"]).json() == track


def test_the_audio_is_music_of_the_asked_length_and_level(server: Server, answer: requests.Response) -> None:
    waveform = read_audio(server, answer.json()["formats"]["wav"])
    assert waveform.n_samples == round(12.5 * 44100)
    assert integrated_loudness(waveform) == pytest.approx(-14, abs=0.5)
    assert np.abs(waveform.samples).max() < 10 ** (-1 / 20)
    assert answer.json()["loudness_lufs"] == pytest.approx(integrated_loudness(waveform), abs=0.1)


def test_the_mp3_is_the_same_music(server: Server, answer: requests.Response) -> None:
    wav, mp3 = (read_audio(server, answer.json()["formats"][name]).samples for name in ("wav", "mp3"))
    assert mp3.shape == wav.shape
    assert np.corrcoef(wav[0], mp3[0])[0, 1] > 0.99


def test_the_midi_file_has_the_tempo_and_the_band(server: Server, answer: requests.Response) -> None:
    content = server.get(answer.json()["formats"]["mid"]).content
    file = mido.MidiFile(file=io.BytesIO(content))
    assert mido.tempo2bpm(next(m.tempo for m in file.tracks[0] if m.type == "set_tempo")) == pytest.approx(80)
    assert len(file.tracks) == 1 + len(answer.json()["understanding"]["instruments"])


def test_equal_requests_give_equal_bytes_from_whichever_worker(server: Server, answer: requests.Response) -> None:
    with ThreadPoolExecutor(2) as callers:
        again = list(callers.map(lambda _: generate(server, prompt=PROMPT, duration=12.5, seed=7).json(), range(2)))
    wanted = server.get(answer.json()["formats"]["wav"]).content[-10_000:]
    for track in again:
        assert track["track_id"] != answer.json()["track_id"]
        assert server.get(track["formats"]["wav"]).content[-10_000:] == wanted


def test_a_range_is_served_and_a_track_can_be_deleted_with_its_files(server: Server) -> None:
    track = generate(server, prompt="waltz", duration=5, key="D minor").json()
    assert track["key"] == "D minor"
    part = requests.get(server.url(track["audio_url"]), headers={"Range": "bytes=0-99"}, timeout=PATIENCE_S)
    assert (part.status_code, len(part.content)) == (206, 100)
    path = f"/api/track/{track['track_id']}"
    assert requests.delete(server.url(path), timeout=PATIENCE_S).status_code == 204
    assert server.get(path).status_code == 404
    assert all(server.get(url).status_code == 404 for url in track["formats"].values())


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"prompt": ""}, "prompt"),
        ({"prompt": "x", "duration": 4.9}, "duration"),
        ({"prompt": "x", "key": "H dur"}, "key"),
        ({"prompt": "x", "model": "gpt"}, "model"),
        ({"prompt": "x", "colour": "blue"}, "colour"),
    ],
)
def test_a_bad_request_names_its_field_and_makes_no_track(server: Server, fields: dict[str, Any], named: str) -> None:
    before = server.get("/api/tracks").headers["X-Pagination"]
    response = generate(server, **fields)
    assert response.status_code == 422
    assert list(response.json()["errors"]) == [named]
    assert server.get("/api/tracks").headers["X-Pagination"] == before
