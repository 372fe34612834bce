"""Style vectors from a tiny MuQ-MuLan in the published format, against those that PyPI's `muq` makes of the same files.

`style_golden.json` was made by `muq_reference`, which says how.
"""

import json
import socket
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from musicgen.diffrhythm.style import CLIP_SAMPLES, StyleEncoder, read_negative_style, style_clip
from musicgen.diffrhythm.weights import (
    LISTENER_CONFIG,
    NEGATIVE_STYLE,
    READER_CONFIG,
    STYLE_CONFIG,
    STYLE_WEIGHTS,
    TOKENIZER,
    WeightsFile,
    find_file,
)
from musicgen.errors import EngineUnavailable
from tests.diffrhythm.muq_reference import GOLDEN, golden_sound
from tests.diffrhythm.tiny_style_encoder import LISTENER, READER, STYLE, random_weights, write_tiny_style_encoder

SAMPLE_RATE = 24_000
ROUNDING = {"rtol": 0.0, "atol": 1e-6}
STYLE_FILES = (LISTENER_CONFIG, READER_CONFIG, STYLE_CONFIG, STYLE_WEIGHTS, TOKENIZER)
needs_tokenizers = pytest.mark.skipif(
    find_spec("tokenizers") is None, reason="the extra musicgen[diffrhythm] is not installed"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("weights")
    write_tiny_style_encoder(folder)
    return folder


@pytest.fixture(scope="module")
def encoder(folder: Path) -> StyleEncoder:
    return StyleEncoder(folder)


@pytest.fixture
def own_folder(tmp_path: Path) -> Path:
    """A set that a test may damage."""
    write_tiny_style_encoder(tmp_path)
    return tmp_path


def stereo(n_samples: int, hz: float = 440.0, sample_rate: int = SAMPLE_RATE) -> np.ndarray:
    sound = 0.3 * np.sin(2 * np.pi * hz * np.arange(n_samples) / sample_rate)
    return np.stack([sound, 0.5 * sound]).astype(np.float32)


def assert_style(style: Tensor) -> None:
    assert style.shape == (1, 512)
    assert style.dtype == torch.float32
    assert style.norm().item() == pytest.approx(1.0, abs=1e-5)


@needs_tokenizers
def test_text_is_read_as_muq_reads_it(encoder: StyleEncoder) -> None:
    for text, expected in json.loads(GOLDEN.read_text())["texts"].items():
        style = encoder.from_text(text)
        assert_style(style)
        torch.testing.assert_close(style[0], torch.tensor(expected), **ROUNDING)


def test_sound_is_heard_as_muq_hears_it(encoder: StyleEncoder) -> None:
    mono = golden_sound().numpy()
    style = encoder.from_audio(np.stack([1.5 * mono, 0.5 * mono]), SAMPLE_RATE)
    assert_style(style)
    torch.testing.assert_close(style[0], torch.tensor(json.loads(GOLDEN.read_text())["audio"]), **ROUNDING)


@needs_tokenizers
def test_styles_are_repeatable_and_tell_texts_apart(encoder: StyleEncoder, folder: Path) -> None:
    style = encoder.from_text("piano")
    assert torch.equal(style, StyleEncoder(folder).from_text("piano"))
    assert not torch.allclose(style, encoder.from_text("guitar"), atol=1e-3)


@needs_tokenizers
@pytest.mark.parametrize("text", ["", " ", "🎹", "爵士钢琴", "a" * 2000, "jazz " * 2000])
def test_any_text_has_a_style(encoder: StyleEncoder, text: str) -> None:
    assert_style(encoder.from_text(text))


@needs_tokenizers
def test_what_is_beyond_the_longest_text_is_not_read(encoder: StyleEncoder) -> None:
    assert torch.equal(encoder.from_text("jazz " * 100), encoder.from_text("jazz " * 100 + "rock"))


@needs_tokenizers
def test_a_text_needs_nothing_of_what_listens(own_folder: Path) -> None:
    LISTENER_CONFIG.path_in(own_folder).unlink()
    assert_style(StyleEncoder(own_folder).from_text("jazz"))


def test_sound_needs_nothing_of_what_reads(own_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    for file in (READER_CONFIG, TOKENIZER):
        file.path_in(own_folder).unlink()
    assert_style(StyleEncoder(own_folder).from_audio(stereo(48_000), SAMPLE_RATE))


def test_without_the_extra_a_text_is_refused_with_the_command(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    with pytest.raises(EngineUnavailable, match=r"pip install 'musicgen\[diffrhythm\]'"):
        StyleEncoder(folder).from_text("jazz")


def test_silence_has_a_style(encoder: StyleEncoder) -> None:
    assert_style(encoder.from_audio(np.zeros((2, 1000), dtype=np.float32), 44_100))


def test_the_clip_is_the_middle_of_both_channels() -> None:
    long = np.zeros((2, 40 * SAMPLE_RATE), dtype=np.float32)
    long[0, 20 * SAMPLE_RATE] = 1
    clip = style_clip(long, SAMPLE_RATE)
    assert clip.shape == (CLIP_SAMPLES,)
    assert clip.dtype == np.float32
    assert np.flatnonzero(clip).tolist() == [CLIP_SAMPLES // 2]
    assert clip[CLIP_SAMPLES // 2] == 0.5


@pytest.mark.parametrize("sample_rate", [8000, 11_025, 24_000, 44_100, 48_000, 96_000])
def test_the_clip_keeps_a_tone_at_any_sample_rate(sample_rate: int) -> None:
    clip = style_clip(stereo(12 * sample_rate, 1000.0, sample_rate), sample_rate)
    assert clip.shape == (CLIP_SAMPLES,)
    spectrum = np.abs(np.fft.rfft(clip * np.hanning(CLIP_SAMPLES)))
    assert spectrum.argmax() == 1000 * 10
    assert clip.std() == pytest.approx(0.225 / np.sqrt(2), rel=0.01)


@pytest.mark.parametrize("n_samples", [1, 1000, 239_999])
def test_a_short_sound_is_repeated(n_samples: int) -> None:
    clip = style_clip(stereo(n_samples), SAMPLE_RATE)
    assert clip.shape == (CLIP_SAMPLES,)
    np.testing.assert_array_equal(clip, np.resize(clip[:n_samples], CLIP_SAMPLES))


@pytest.mark.parametrize("samples", [np.zeros((2, 0)), np.zeros(100), np.zeros((0, 100)), np.full((2, 50), np.nan)])
def test_what_is_no_sound_is_refused(samples: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"sound|samples"):
        style_clip(samples.astype(np.float32), SAMPLE_RATE)


@needs_tokenizers
@pytest.mark.parametrize("file", STYLE_FILES, ids=lambda file: file.origin)
def test_a_missing_file_is_told_with_its_origin_and_place(own_folder: Path, file: WeightsFile) -> None:
    file.path_in(own_folder).unlink()
    with pytest.raises(EngineUnavailable) as caught:
        encode_both(own_folder)
    assert file.origin in str(caught.value)
    assert file.path_in(Path("MUSICGEN_WEIGHTS_DIR/diffrhythm")).as_posix() in str(caught.value)
    assert str(own_folder) not in str(caught.value)


@needs_tokenizers
@pytest.mark.parametrize("file", STYLE_FILES, ids=lambda file: file.origin)
@pytest.mark.parametrize("content", [b"", b"\x80nonsense", b"[]", b"{}"])
def test_a_damaged_file_is_told(own_folder: Path, file: WeightsFile, content: bytes) -> None:
    file.path_in(own_folder).write_bytes(content)
    with pytest.raises(EngineUnavailable, match=rf"{file.name} cannot be used"):
        encode_both(own_folder)


@needs_tokenizers
@pytest.mark.parametrize("name", ["mulan.text_to_latents.weight", "mulan.audio.proj.bias"])
def test_missing_weights_are_told(own_folder: Path, name: str) -> None:
    others = {key: value for key, value in random_weights().items() if key != name}
    torch.save(others, STYLE_WEIGHTS.path_in(own_folder))
    with pytest.raises(EngineUnavailable, match=r"misses 1 of \d+ weights"):
        encode_both(own_folder)


def with_inner(**changes: Any) -> dict[str, Any]:
    return LISTENER | {"w2v2_config": LISTENER["w2v2_config"] | changes}


@needs_tokenizers
@pytest.mark.parametrize(
    ("file", "config", "message"),
    [
        (LISTENER_CONFIG, with_inner(position_embeddings_type="relative"), "position_embeddings_type is 'relative'"),
        (LISTENER_CONFIG, with_inner(hidden_act="relu"), "hidden_act is 'relu'"),
        (LISTENER_CONFIG, LISTENER | {"label_rate": 50}, "label_rate is 50"),
        (LISTENER_CONFIG, LISTENER | {"encoder_dim": 64}, "do not fit"),
        (READER_CONFIG, READER | {"hidden_act": "relu"}, "hidden_act is 'relu'"),
        (STYLE_CONFIG, {key: STYLE[key] for key in STYLE if key != "mulan"}, "it has no 'mulan'"),
    ],
)
def test_another_architecture_is_told(
    own_folder: Path, file: WeightsFile, config: dict[str, Any], message: str
) -> None:
    file.path_in(own_folder).write_text(json.dumps(config))
    with pytest.raises(EngineUnavailable, match=message):
        encode_both(own_folder)


def encode_both(folder: Path) -> None:
    encoder = StyleEncoder(folder)
    encoder.from_text("jazz")
    encoder.from_audio(stereo(48_000), SAMPLE_RATE)


@pytest.mark.parametrize("has_client", [True, False])
@pytest.mark.parametrize(
    ("file", "origin"),
    [
        (STYLE_CONFIG, r"config\.json of huggingface\.co/OpenMuQ/MuQ-MuLan-large \(CC-BY-NC 4\.0\)"),
        (NEGATIVE_STYLE, r"infer/example/vocal\.npy of github\.com/ASLP-lab/DiffRhythm \(Apache-2\.0\)"),
    ],
)
def test_a_file_that_is_not_here_is_left_to_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: WeightsFile, origin: str, has_client: bool
) -> None:
    if not has_client:
        monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    monkeypatch.setattr(socket, "create_connection", pytest.fail)
    monkeypatch.setattr(socket, "getaddrinfo", pytest.fail)
    with pytest.raises(EngineUnavailable, match=rf"{origin}\. `flask models fetch diffrhythm` gets it\."):
        find_file(tmp_path, file)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_the_negative_style_is_read(tmp_path: Path, dtype: type) -> None:
    style = np.random.default_rng(0).normal(size=(1, 512)).astype(dtype)
    np.save(tmp_path / "vocal.npy", style)
    read = read_negative_style(tmp_path)
    assert read.dtype == torch.float32
    np.testing.assert_array_equal(read.numpy(), style.astype(np.float32))


def save_pickled(path: Path) -> None:
    np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True)


@pytest.mark.parametrize(
    "write",
    [
        save_pickled,
        lambda path: path.write_bytes(b""),
        lambda path: path.write_text("vocals"),
        lambda path: np.save(path, np.zeros((512,), dtype=np.float32)),
        lambda path: np.save(path, np.zeros((1, 512), dtype=np.int64)),
        lambda path: np.save(path, np.full((1, 512), np.nan)),
        lambda path: path.with_suffix(".npz").rename(path) if np.savez(path.with_suffix(".npz"), a=1) is None else None,
    ],
)
def test_a_negative_style_of_another_kind_is_refused(tmp_path: Path, write: Callable[[Path], object]) -> None:
    write(tmp_path / "vocal.npy")
    with pytest.raises(EngineUnavailable, match=r"vocal\.npy cannot be used"):
        read_negative_style(tmp_path)


def test_a_missing_negative_style_is_told(tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailable, match=r"MUSICGEN_WEIGHTS_DIR/diffrhythm/vocal\.npy is missing"):
        read_negative_style(tmp_path)
