"""DiffRhythm through the whole app, with tiny weights: songs as they are stored and told, edits, refusals, failures.

A whole song takes this machine some ten seconds: there is one, and one edit of it.
"""

import base64
import io
import shutil
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from flask import Flask
from flask.testing import FlaskClient
from numpy.typing import NDArray

from musicgen.app import create_app
from musicgen.composer.card import CARD as COMPOSER
from musicgen.database import db, ensure_prepared
from musicgen.diffrhythm.card import CARD
from musicgen.diffrhythm.engine import DiffRhythmEngine
from musicgen.diffrhythm.weights import BASE_NETWORK, FULL_NETWORK, NEGATIVE_STYLE, OTHER_FILES, STYLE_WEIGHTS, VAE
from musicgen.engine import EngineSettings
from musicgen.errors import EngineUnavailable, GenerationCancelled
from musicgen.follow_ups import options_after
from musicgen.loudness import integrated_loudness, true_peak_db
from musicgen.options import FollowUp, GenerationOptions
from musicgen.service import Progress, find_track, generate_track
from musicgen.waveform import Waveform
from tests.tone_engine import CARDS

pytest.importorskip("tokenizers", reason="the extra musicgen[diffrhythm] is not installed")
needs_espeak = pytest.mark.skipif(not shutil.which("espeak-ng"), reason="the program espeak-ng is not installed")

SAMPLE_RATE = 44_100
DURATION_S = 12.0
LYRICS = "[00:01.00]Hello, world!\n[00:05.00]Moonlight spills through broken blinds"
PARTS = [[2.0, 4.5], [10.0, 12.0]]

Place = Callable[..., Path]


@pytest.fixture(scope="module")
def studio(quick_weights_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """One app for the whole module: with it lives the one song."""
    folder = tmp_path_factory.mktemp("studio")
    app = create_app(
        {
            "TESTING": True,
            "OUTPUT_DIR": folder / "output",
            "DATABASE_URL": f"sqlite:///{folder}/musicgen.sqlite",
            "MUSICGEN_WEIGHTS_DIR": quick_weights_dir,
            "MUSICGEN_PRECISION": "fp32",
            "MUSICGEN_DEVICE": "cpu",
            "ENGINE_CARDS": (CARD, COMPOSER, *CARDS),
            "MUSICGEN_MODEL": "diffrhythm",
            "MIN_FREE_DISK_MB": 0,
        }
    )
    with app.app_context():
        ensure_prepared()
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture(scope="module")
def two_threads() -> Iterator[None]:
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def heard() -> list[Progress]:
    """What was heard while the song was made."""
    return []


@pytest.fixture(scope="module")
def song(studio: Flask, heard: list[Progress], two_threads: None) -> dict[str, Any]:
    lyrics = LYRICS if shutil.which("espeak-ng") else None
    options = GenerationOptions("slow rain, piano", DURATION_S, seed=7, tempo=80.0, lyrics=lyrics)
    with studio.app_context():
        return told(studio, generate_track(options, on_progress=heard.append).id)


@pytest.fixture(scope="module")
def edited(studio: Flask, song: dict[str, Any], two_threads: None) -> dict[str, Any]:
    with studio.app_context():
        request = FollowUp("of", song["track_id"], {"regenerate": PARTS, "seed": 8})
        return told(studio, generate_track(request, formats=["wav"]).id)


@pytest.fixture
def client(studio: Flask, song: dict[str, Any]) -> Iterator[FlaskClient]:
    """A client of the app that has the song; nothing may be added to it."""
    yield studio.test_client()
    assert len(studio.test_client().get("/api/tracks").get_json()) <= 2


@pytest.fixture
def weights(tmp_path: Path, quick_weights_dir: Path) -> Path:
    """A copy of the weights, to be damaged."""
    folder: Path = shutil.copytree(quick_weights_dir, tmp_path / "weights")
    return folder


@pytest.fixture
def damaged_app(make_app: Callable[..., Flask], weights: Path) -> Flask:
    return make_app(ENGINE_CARDS=(CARD, COMPOSER, *CARDS), MUSICGEN_MODEL="diffrhythm", MUSICGEN_WEIGHTS_DIR=weights)


def told(app: Flask, track_id: str) -> dict[str, Any]:
    """Return what GET says of a track."""
    track: dict[str, Any] = app.test_client().get(f"/api/track/{track_id}").get_json()
    return track


def sound_of(app: Flask, url: str) -> NDArray[np.int16]:
    samples: NDArray[np.int16] = soundfile.read(io.BytesIO(app.test_client().get(url).data), dtype="int16")[0]
    return samples


def test_a_song_is_stored_as_long_and_as_loud_as_it_should_be(studio: Flask, song: dict[str, Any]) -> None:
    wav, mp3 = (sound_of(studio, song["formats"][name]) for name in ("wav", "mp3"))
    assert wav.shape == mp3.shape == (12 * SAMPLE_RATE, 2)
    waveform = Waveform(np.ascontiguousarray(wav.T / np.float32(32768), np.float32), SAMPLE_RATE)
    loudness, peak_db = integrated_loudness(waveform), true_peak_db(waveform)
    assert max(loudness + 14, peak_db + 1) == pytest.approx(0, abs=0.05)
    assert song["loudness_lufs"] == pytest.approx(loudness, abs=0.1)
    assert not wav[-1].any()
    # Tiny networks make noise, of which MP3 leaves out the highest part.
    assert np.corrcoef(wav[:, 0], mp3[:, 0])[0, 1] > 0.5


def test_a_song_is_told_as_it_was_made(song: dict[str, Any]) -> None:
    assert song["status"] == "done"
    assert (song["model"], song["device"], song["seed"], song["duration"]) == ("diffrhythm", "cpu", 7, DURATION_S)
    assert song["title"] == "Slow Rain"
    assert song["understanding"]["style"] == "slow rain, piano, 80 bpm"
    assert song["understanding"]["network"] == "DiffRhythm-1_2"
    assert song["notes"][0].startswith("diffrhythm was told the tempo in words")
    assert (song["tempo"], song["key"], song["plan"]) == (None, None, None)
    assert set(song["formats"]) == {"wav", "mp3", "flac", "ogg"}


@needs_espeak
def test_a_song_tells_what_is_sung_and_when(song: dict[str, Any]) -> None:
    assert song["understanding"]["lyrics"] == [
        {"start_s": 1.0, "text": "Hello, world!"},
        {"start_s": 5.0, "text": "Moonlight spills through broken blinds"},
    ]


def test_progress_of_a_song_tells_its_stages_and_never_falls(song: dict[str, Any], heard: list[Progress]) -> None:
    stages = list(dict.fromkeys(progress.stage for progress in heard))
    assert stages[:5] == ["loading", "style", "load the network", "sample", "decode"]
    assert all(before.fraction <= after.fraction for before, after in pairwise(heard))
    assert {progress.track_id for progress in heard} == {song["track_id"]}


def test_an_edit_equals_the_original_outside_its_parts_to_the_sample(
    studio: Flask, song: dict[str, Any], edited: dict[str, Any]
) -> None:
    before, after = (sound_of(studio, track["formats"]["wav"]) for track in (song, edited))
    inside = np.zeros(len(before), bool)
    for start_s, end_s in PARTS:
        inside[round(start_s * SAMPLE_RATE) : round(end_s * SAMPLE_RATE)] = True
    assert after.shape == before.shape
    assert np.array_equal(after[~inside], before[~inside])
    assert (after[inside] != before[inside]).any(axis=1).mean() > 0.9


def test_an_edit_keeps_what_was_asked_of_the_original(song: dict[str, Any], edited: dict[str, Any]) -> None:
    assert [edited[name] for name in ("prompt", "model", "duration")] == ["slow rain, piano", "diffrhythm", DURATION_S]
    assert (edited["seed"], edited["status"]) == (8, "done")
    assert edited["understanding"]["regenerated"] == PARTS
    assert edited["understanding"].get("lyrics") == song["understanding"].get("lyrics")


def test_a_variation_of_an_edit_asks_for_the_same_parts_with_a_new_seed(studio: Flask, edited: dict[str, Any]) -> None:
    with studio.app_context():
        before = find_track(edited["track_id"])
        options = options_after(FollowUp("variation_of", before.id, {}), before)
        assert (options.of, options.regenerate) == (before.job.options["of"], PARTS)
        assert options.original is None
        assert options.seed != edited["seed"]


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({"duration": 285.5}, "duration", "at most 285 seconds, not 285.5; ask for less, or use composer"),
        ({"lyrics": "[00:77.00]Hello"}, "lyrics", "Line 1"),
        ({"lyrics": "[00:31.00]Hello"}, "lyrics", "after the end at 30 s"),
        ({"lyrics": "雨水落在屋顶"}, "lyrics", "Chinese"),
        ({"lyrics": "Regen fällt", "language": "de"}, "language", "sings English"),
        ({"style_audio": "AAAA"}, "style_audio", "not an audio file"),
        ({"plan": {"tempo": 90}}, "plan", "composer"),
        ({"model": "composer", "style_audio": "AAAA"}, "style_audio", 'ask for "model": "diffrhythm"'),
        ({"regenerate": [[1, 2]]}, "of", "Missing"),
    ],
)
def test_what_cannot_be_is_refused_before_any_work(
    client: FlaskClient, fields: dict[str, Any], field: str, words: str
) -> None:
    answer = client.post("/api/generate", json={"prompt": "rain"} | fields)
    assert answer.status_code == 422
    assert list(answer.get_json()["errors"]) == [field]
    assert words in answer.get_json()["errors"][field][0]


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({"regenerate": [[10, 12.5]]}, "regenerate", "The track ends at 12 s: 10 to 12.5 is not in it"),
        ({"regenerate": [[1, 2]], "duration": 20}, "duration", "Leave it out"),
        ({"regenerate": [[1, 2]], "model": "composer"}, "regenerate", 'ask for "model": "diffrhythm"'),
        ({"regenerate": [[1, 2]], "lyrics": "[99:00]late"}, "lyrics", "after the end at 12 s"),
        ({}, "regenerate", "Missing"),
    ],
)
def test_an_edit_that_cannot_be_is_refused_before_any_work(
    client: FlaskClient, song: dict[str, Any], fields: dict[str, Any], field: str, words: str
) -> None:
    answer = client.post("/api/generate", json={"of": song["track_id"]} | fields)
    assert answer.status_code == 422
    assert list(answer.get_json()["errors"]) == [field]
    assert words in answer.get_json()["errors"][field][0]


def test_a_song_without_a_plan_cannot_be_extended(client: FlaskClient, song: dict[str, Any]) -> None:
    answer = client.post("/api/generate", json={"extend": song["track_id"], "duration": 30})
    assert (answer.status_code, list(answer.get_json()["errors"])) == (422, ["extend"])
    assert "has no plan" in answer.get_json()["errors"]["extend"][0]


def test_an_edit_of_an_unknown_track_is_not_found(client: FlaskClient) -> None:
    answer = client.post("/api/generate", json={"of": "nothing", "regenerate": [[1, 2]]})
    assert answer.status_code == 404


def test_the_model_is_ready_and_tells_its_licences(client: FlaskClient) -> None:
    (model,) = [model for model in client.get("/api/models").get_json() if model["name"] == "diffrhythm"]
    assert (model["ready"], model["reason"], model["max_duration"]) == (True, None, 285.0)
    assert [licence in model["weights_licence"] for licence in ("Apache-2.0", "Stability", "CC-BY-NC")] == [True] * 3


@pytest.mark.parametrize("missing", OTHER_FILES, ids=lambda file: file.path_in(Path()).as_posix())
def test_a_missing_file_is_named_before_any_work(damaged_app: Flask, weights: Path, missing: Any) -> None:
    missing.path_in(weights / "diffrhythm").unlink()
    client = damaged_app.test_client()
    answer = client.post("/api/generate", json={"prompt": "rain"})
    assert answer.status_code == 503
    assert missing.path_in(Path()).as_posix() in answer.get_json()["message"]
    assert client.get("/api/tracks").get_json() == []


def test_with_the_base_network_alone_a_long_song_is_refused(damaged_app: Flask, weights: Path) -> None:
    FULL_NETWORK.path_in(weights / "diffrhythm").unlink()
    answer = damaged_app.test_client().post("/api/generate", json={"prompt": "rain", "duration": 100})
    assert (answer.status_code, list(answer.get_json()["errors"])) == (422, ["duration"])


@pytest.mark.parametrize("damaged", [BASE_NETWORK, VAE, STYLE_WEIGHTS, NEGATIVE_STYLE], ids=lambda file: file.name)
def test_a_damaged_file_is_named_and_the_next_request_works(damaged_app: Flask, weights: Path, damaged: Any) -> None:
    path = damaged.path_in(weights / "diffrhythm")
    path.write_bytes(path.read_bytes()[:1000])
    client = damaged_app.test_client()
    answer = client.post("/api/generate", json={"prompt": "rain", "duration": 5})
    assert answer.status_code == 500
    assert damaged.name in answer.get_json()["message"]
    assert str(weights) not in answer.get_json()["message"]
    (track,) = client.get("/api/tracks").get_json()
    assert (track["status"], track["formats"]) == ("failed", {})
    assert client.post("/api/generate", json={"prompt": "rain", "duration": 5, "model": "composer"}).status_code == 201


def test_half_precision_on_a_processor_is_refused_with_the_name_of_the_setting(
    make_app: Callable[..., Flask], quick_weights_dir: Path
) -> None:
    app = make_app(
        ENGINE_CARDS=(CARD,),
        MUSICGEN_MODEL="diffrhythm",
        MUSICGEN_WEIGHTS_DIR=quick_weights_dir,
        MUSICGEN_PRECISION="fp16",
    )
    answer = app.test_client().post("/api/generate", json={"prompt": "rain"})
    assert answer.status_code == 500
    assert "MUSICGEN_PRECISION" in answer.get_json()["message"]


class Stop:
    """Ends a generation when it comes to a stage."""

    def __init__(self, stage: str) -> None:
        self.stage = stage

    def __call__(self, stage: str, _fraction: float) -> None:
        if stage == self.stage:
            raise GenerationCancelled


@pytest.fixture
def engine(quick_weights_dir: Path) -> DiffRhythmEngine:
    engine = DiffRhythmEngine()
    engine.load(EngineSettings("cpu", quick_weights_dir, "fp32"))
    return engine


def recording() -> str:
    file = io.BytesIO()
    soundfile.write(file, np.random.default_rng(0).normal(0, 0.1, (48_000, 2)), 24_000, format="WAV")
    return base64.b64encode(file.getvalue()).decode()


@pytest.mark.parametrize("stage", ["style", "load the network", "sample"])
@pytest.mark.parametrize("asked", [{}, {"style_audio": recording()}, {"duration": 120.0}])
def test_a_song_may_be_cancelled_at_every_stage(engine: DiffRhythmEngine, stage: str, asked: dict[str, Any]) -> None:
    for _ in range(2):
        with pytest.raises(GenerationCancelled):
            engine.generate(GenerationOptions("rain", seed=1, **asked), Stop(stage))


def test_both_networks_take_turns_in_memory(engine: DiffRhythmEngine) -> None:
    for duration in (30.0, 120.0, 30.0):
        with pytest.raises(GenerationCancelled):
            engine.generate(GenerationOptions("rain", duration, seed=1), Stop("sample"))


def test_an_engine_that_is_not_loaded_says_so() -> None:
    with pytest.raises(RuntimeError, match="before load"):
        DiffRhythmEngine().generate(GenerationOptions("rain", seed=1), Stop("sample"))


def test_loading_without_weights_names_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailable, match=r"vae_model\.pt"):
        DiffRhythmEngine().load(EngineSettings("cpu", tmp_path))
