"""The sound codec, with an Oobleck of the published strides and one channel for its hundred and twenty-eight."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from musicgen.diffrhythm.frames import SAMPLE_RATE, SAMPLES_PER_FRAME
from musicgen.diffrhythm.vae import (
    CHUNK_BYTES,
    CHUNK_FRAMES,
    N_CHANNELS,
    SoundCodec,
    chunks_that_fit,
    kept_spans,
)
from musicgen.errors import EngineUnavailable
from tests.diffrhythm.tiny_checkpoints import write_tiny_vae
from tests.diffrhythm.tiny_oobleck import TinyOobleck, random_oobleck

LENGTHS = (1, 127, 128, 129, 224, 225, 1000)
# Convolutions of another length may add in another order.
ROUNDING = {"rtol": 0.0, "atol": 2e-6}


@pytest.fixture(scope="module")
def network() -> TinyOobleck:
    return random_oobleck(channels=1)


@pytest.fixture(scope="module")
def codec(network: TinyOobleck) -> SoundCodec:
    return SoundCodec(network)


@pytest.fixture(scope="module")
def vae_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("vae") / "vae_model.pt"
    write_tiny_vae(path)
    return path


def random_latents(n_frames: int) -> Tensor:
    return torch.randn(N_CHANNELS, n_frames, generator=torch.Generator().manual_seed(n_frames))


def random_sound(n_samples: int) -> np.ndarray:
    return np.random.default_rng(n_samples).normal(0, 0.1, (2, n_samples)).astype(np.float32)


def decoded(codec: SoundCodec, latents: Tensor) -> np.ndarray:
    return np.concatenate(list(codec.decode(latents)), axis=1)


def test_spans_cover_every_frame_once_and_keep_away_from_cuts() -> None:
    for n_frames in (*range(1, 700), 1000, 6138):
        spans = kept_spans(n_frames)
        assert [frame for _, first, end in spans for frame in range(first, end)] == list(range(n_frames))
        for start, first, end in spans:
            stop = min(start + CHUNK_FRAMES, n_frames)
            assert first < end
            assert start == 0 or first - start >= 16
            assert stop == n_frames or stop - end >= 16
            assert stop - start == min(CHUNK_FRAMES, n_frames)


def test_spans_are_those_of_the_source() -> None:
    assert kept_spans(224) == [(0, 0, 112), (96, 112, 224)]
    assert kept_spans(225) == [(0, 0, 112), (96, 112, 113), (97, 113, 225)]


@pytest.mark.parametrize("n_frames", LENGTHS)
def test_decoding_in_chunks_is_decoding_at_once(codec: SoundCodec, network: TinyOobleck, n_frames: int) -> None:
    latents = random_latents(n_frames)
    sound = decoded(codec, latents)
    assert sound.shape == (2, SAMPLES_PER_FRAME * n_frames)
    assert sound.dtype == np.float32
    np.testing.assert_allclose(sound, network.decode_export(latents[None])[0].numpy(), **ROUNDING)


@pytest.mark.parametrize("n_samples", [1, 2047, 2048, 2049, 127 * 2048, 128 * 2048 + 1, 225 * 2048, 300 * 2048 - 5])
def test_encoding_in_chunks_is_encoding_at_once(codec: SoundCodec, network: TinyOobleck, n_samples: int) -> None:
    sound = random_sound(n_samples)
    latents = codec.encode(sound)
    n_frames = -(-n_samples // SAMPLES_PER_FRAME)
    assert latents.shape == (N_CHANNELS, n_frames)
    assert latents.dtype == torch.float32
    padded = np.pad(sound, ((0, 0), (0, n_frames * SAMPLES_PER_FRAME - n_samples)))
    means = network.encode_export(torch.from_numpy(padded)[None])[0, :N_CHANNELS]
    torch.testing.assert_close(latents, means, **ROUNDING)


def test_what_a_frame_depends_on_is_less_than_what_is_trimmed(network: TinyOobleck) -> None:
    latents = random_latents(61)[None]
    changed = latents.clone()
    changed[..., 30] += 1
    difference = (network.decode_export(changed) - network.decode_export(latents)).abs().amax(dim=(0, 1))
    touched = difference.reshape(61, SAMPLES_PER_FRAME).amax(dim=1).nonzero()
    assert 8 <= (touched - 30).abs().max() <= 10


def test_blocks_come_as_they_are_final(codec: SoundCodec) -> None:
    shares: list[float] = []
    blocks = codec.decode(random_latents(300), shares.append)
    assert shares == []
    assert next(blocks).shape == (2, 112 * SAMPLES_PER_FRAME)
    assert shares == [0.0, 1 / 3]
    assert [block.shape[1] // SAMPLES_PER_FRAME for block in blocks] == [76, 112]
    assert shares == [0.0, 1 / 3, 2 / 3, 1.0]


@pytest.mark.parametrize("frames", [10, 300])
def test_progress_can_end_the_work(codec: SoundCodec, frames: int) -> None:
    class Cancelled(Exception):
        pass

    def cancel(share: float) -> None:
        if share > 0:
            raise Cancelled

    with pytest.raises(Cancelled):
        list(codec.decode(random_latents(frames), cancel))
    with pytest.raises(Cancelled):
        codec.encode(random_sound(frames * SAMPLES_PER_FRAME), cancel)


def test_several_chunks_at_once_make_the_same_sound(codec: SoundCodec, network: TinyOobleck) -> None:
    latents = random_latents(400)
    shares: list[float] = []
    blocks = list(SoundCodec(network, chunks_at_once=3).decode(latents, shares.append))
    np.testing.assert_allclose(np.concatenate(blocks, axis=1), decoded(codec, latents), **ROUNDING)
    assert shares == [0.0, 0.75, 1.0]


def test_only_cuda_decodes_several_chunks_at_once() -> None:
    assert [chunks_that_fit("cuda", n * CHUNK_BYTES) for n in (0, 1, 4)] == [1, 1, 4]
    assert chunks_that_fit("cpu", 100 * CHUNK_BYTES) == chunks_that_fit("mps", 100 * CHUNK_BYTES) == 1


def test_the_file_decodes_and_encodes_alike_every_time(vae_path: Path) -> None:
    latents, sound = random_latents(150), random_sound(SAMPLE_RATE)
    codec = SoundCodec.load(vae_path)
    first, encoded = decoded(codec, latents), codec.encode(sound)
    for _ in range(3):  # TorchScript optimises after two calls, if it may
        assert np.array_equal(decoded(codec, latents), first)
        assert torch.equal(codec.encode(sound), encoded)
    assert np.array_equal(decoded(SoundCodec.load(vae_path), latents), first)
    assert np.isfinite(first).all()
    assert first.std() > 0.01


def test_latents_of_any_float_type_do(codec: SoundCodec) -> None:
    latents = random_latents(5).bfloat16()
    assert np.array_equal(decoded(codec, latents), decoded(codec, latents.float()))


@pytest.mark.parametrize("shape", [(64, 0), (63, 5), (1, 64, 5), (64,)])
def test_latents_of_another_shape_are_refused_at_once(codec: SoundCodec, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="latents must be"):
        codec.decode(torch.zeros(shape))


@pytest.mark.parametrize("shape", [(2, 0), (1, 5), (5,)])
def test_sound_of_another_shape_is_refused(codec: SoundCodec, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="samples must be"):
        codec.encode(np.zeros(shape, dtype=np.float32))


@pytest.mark.parametrize("content", [b"", b"not a network", b"PK\x03\x04 and no more"])
def test_a_file_that_is_no_torchscript_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "vae_model.pt"
    path.write_bytes(content)
    with pytest.raises(EngineUnavailable, match=r"vae_model\.pt cannot be used: it is not a TorchScript file"):
        SoundCodec.load(path)


def test_weights_alone_are_refused(tmp_path: Path, network: TinyOobleck) -> None:
    torch.save(network.state_dict(), tmp_path / "vae_model.pt")
    with pytest.raises(EngineUnavailable, match="not a TorchScript file"):
        SoundCodec.load(tmp_path / "vae_model.pt")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_network_without_the_methods_is_refused(tmp_path: Path) -> None:
    torch.jit.script(nn.Linear(2, 2)).save(str(tmp_path / "vae_model.pt"))
    with pytest.raises(EngineUnavailable, match="no method decode_export and no method encode_export"):
        SoundCodec.load(tmp_path / "vae_model.pt")


def test_a_network_of_another_hop_is_refused() -> None:
    class Slow(nn.Module):
        def decode_export(self, latents: Tensor) -> Tensor:
            return torch.zeros(len(latents), 2, 1024 * latents.shape[2])

    with pytest.raises(ValueError, match=r"returned \(1, 2, 1024\), not \(1, 2, 2048\)"):
        next(SoundCodec(Slow()).decode(torch.zeros(64, 1)))
