"""The tiny set is whole, is read by the engine's own loaders, and makes sound."""

import json
import unicodedata
from pathlib import Path

import numpy as np
import pytest
import torch

from musicgen.diffrhythm.checkpoint import load_network
from musicgen.diffrhythm.flow_matching import SamplerOptions, SongInputs, draw_noise, sample
from musicgen.diffrhythm.frames import SAMPLES_PER_FRAME
from musicgen.diffrhythm.phonemes import load_vocabulary
from musicgen.diffrhythm.style import StyleEncoder, read_negative_style
from musicgen.diffrhythm.vae import SoundCodec
from musicgen.diffrhythm.weights import (
    BASE_NETWORK,
    FILES,
    FULL_NETWORK,
    NEGATIVE_STYLE,
    STYLE_WEIGHTS,
    VAE,
    VOCABULARY,
    WeightsFile,
    find_file,
)
from tests.diffrhythm.tiny_checkpoints import write_tiny_checkpoints

N_FRAMES = 150


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    weights_dir = tmp_path_factory.mktemp("weights")
    write_tiny_checkpoints(weights_dir)
    return weights_dir / "diffrhythm"


def test_every_file_is_there_and_no_other(folder: Path) -> None:
    written = {path for path in folder.rglob("*") if path.is_file()}
    assert written == {find_file(folder, file) for file in FILES}
    assert sum(path.stat().st_size for path in written) < 9_000_000


def test_the_layout_is_the_hubs(folder: Path) -> None:
    assert {path.relative_to(folder).as_posix() for path in folder.rglob("*.pt")} == {
        "DiffRhythm-1_2/cfm_model.pt",
        "DiffRhythm-1_2-full/cfm_model.pt",
        "DiffRhythm-vae/vae_model.pt",
    }


def test_equal_calls_write_equal_weights(folder: Path, tmp_path: Path) -> None:
    write_tiny_checkpoints(tmp_path)
    for file in (BASE_NETWORK, FULL_NETWORK, STYLE_WEIGHTS):
        first, second = (torch.load(file.path_in(own), weights_only=True) for own in (folder, tmp_path / "diffrhythm"))
        first, second = (content.get("model_state_dict", content) for content in (first, second))
        assert first.keys() == second.keys()
        assert all(torch.equal(first[name], second[name]) for name in first)
    assert NEGATIVE_STYLE.path_in(folder).read_bytes() == (tmp_path / "diffrhythm/vocal.npy").read_bytes()


def test_the_vocabulary_is_of_the_published_form(folder: Path) -> None:
    path = VOCABULARY.path_in(folder)
    symbols = json.loads(path.read_text(encoding="utf-8"))["vocab"]
    assert sorted(symbols.values()) == list(range(363))
    assert {form for form in symbols if unicodedata.normalize("NFC", form) == "ç"} == {"\u00e7", "c\u0327"}
    ids = load_vocabulary(path)
    assert [ids[mark] for mark in ",.?!"] == [1, 2, 3, 4]
    assert [ids[phone] for phone in ("h", "ə", "l", "oʊ", ",", "w", "ɜː", "l", "d", "!")] == [
        *(42, 58, 51, 24, 1),
        *(49, 8, 51, 31, 4),
    ]


@pytest.mark.parametrize("file", [BASE_NETWORK, FULL_NETWORK], ids=["base", "full"])
def test_the_set_makes_sound(folder: Path, file: WeightsFile) -> None:
    is_long = file is FULL_NETWORK
    network = load_network(find_file(folder, file), torch.device("cpu"), torch.float32, expect_long=is_long)
    recording = np.random.default_rng(0).normal(0, 0.1, (2, 48_000)).astype(np.float32)
    song = SongInputs(
        reference=torch.zeros(1, N_FRAMES, 64),
        text=torch.randint(0, 364, (1, N_FRAMES), generator=torch.Generator().manual_seed(0)),
        style=StyleEncoder(folder).from_audio(recording, 24_000),
        negative_style=read_negative_style(folder),
        start_time=torch.zeros(1),
        duration=torch.tensor([N_FRAMES / 6144]) if is_long else None,
    )
    latents = sample(network, draw_noise(1, N_FRAMES, 64)[None], song, SamplerOptions(n_points=4))
    sound = np.concatenate(list(SoundCodec.load(find_file(folder, VAE)).decode(latents[0].T)), axis=1)
    assert sound.shape == (2, N_FRAMES * SAMPLES_PER_FRAME)
    assert np.isfinite(sound).all()
    assert np.abs(sound).max() < 1
    assert abs(sound.mean()) < 0.01
    seconds = sound[:, : 6 * 44_100].reshape(2, 6, 44_100)
    assert seconds.std(axis=2).min() > 0.02
