"""One song, step by step: style and lyrics -> latents by flow matching -> sound.

Reads from top to bottom like the paper's figure. Knows the loaded networks and a `SongRequest`; nothing of files, of
loading or of what a person wrote. Source: DiffRhythm (arXiv 2503.01183).
Axes: B batch (1), N frames, n samples.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from musicgen.diffrhythm.dit import DiT
from musicgen.diffrhythm.ending import at_length
from musicgen.diffrhythm.flow_matching import SamplerOptions, Segments, SongInputs, draw_noise, sample
from musicgen.diffrhythm.frames import SAMPLE_RATE, SAMPLES_PER_FRAME
from musicgen.diffrhythm.request import SongRequest
from musicgen.diffrhythm.splicing import spliced
from musicgen.diffrhythm.vae import EDGE_FRAMES, SoundCodec
from musicgen.loudness import integrated_loudness, true_peak_db
from musicgen.waveform import Waveform

# Loudness of a new song; the true peak goes first.
TARGET_LUFS, CEILING_DB = -14.0, -1.0
# Peak at which the codec hears a song that is edited, as in its training.
ENCODED_PEAK = 10 ** (-6 / 20)
# Shares of the work, as progress reports them: reading style and network, encoding what is edited, sampling, decoding.
PREPARED, ENCODED, SAMPLED = 0.02, 0.05, 0.8

Samples = NDArray[np.float32]
OnProgress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class Networks:
    """What makes a song, loaded.

    Attributes:
        velocity: the diffusion transformer, base or long.
        codec: latents to sound and back.
        negative_style: (1, 512) float32, what no song shall sound like.
        batched_guidance: whether both velocities of a step fit into memory as one batch.
    """

    velocity: DiT
    codec: SoundCodec
    negative_style: Tensor
    batched_guidance: bool = False


def make_song(
    networks: Networks, request: SongRequest, style: Tensor, tokens: NDArray[np.int64], seed: int, progress: OnProgress
) -> Waveform:
    """Make a new song, of the wanted length to the sample.

    Args:
        style: (1, 512), what it shall sound like.
        tokens: (N,) what is sung in each frame, 0 for nothing.
        seed: of the noise, the only randomness.
        progress: hears of every step; may raise to cancel.
    """
    reference = torch.zeros(1, request.n_frames, networks.velocity.config.mel_dim)
    latents = _sampled(networks, reference, style, tokens, seed, None, progress)
    # What is not wanted is not decoded, but for as much as still sounds into what is.
    n_wanted = int(np.ceil(request.n_samples / SAMPLES_PER_FRAME)) + EDGE_FRAMES
    song = _decoded(networks.codec, latents[:, :n_wanted], progress)
    return _at_level(at_length(song, request.n_samples, SAMPLE_RATE))


def edit_song(
    networks: Networks,
    request: SongRequest,
    original: Samples,
    style: Tensor,
    tokens: NDArray[np.int64],
    seed: int,
    progress: OnProgress,
) -> Waveform:
    """Make the request's segments of a song anew; what is outside of them stays as it is, to the sample.

    Args:
        original: (2, n) float32 at 44.1 kHz.
        style, tokens, seed, progress: as in `make_song`.
    """
    peak = float(np.abs(original).max(initial=0.0))
    gain = np.float32(ENCODED_PEAK / peak if peak else 1.0)
    encoded = networks.codec.encode(
        original * gain, lambda share: progress("encode", PREPARED + (ENCODED - PREPARED) * share)
    )
    reference = torch.zeros(1, request.n_frames, encoded.shape[0])
    n_known = min(encoded.shape[1], request.n_frames)
    reference[0, :n_known] = encoded[:, :n_known].T
    frames = frames_of(request.segments, request.n_frames)
    latents = _sampled(networks, reference, style, tokens, seed, frames, progress)
    made = _decoded(networks.codec, latents[:, :n_known], progress) / gain
    return Waveform(spliced(original, made, request.segments, SAMPLE_RATE), SAMPLE_RATE)


def _sampled(
    networks: Networks,
    reference: Tensor,
    style: Tensor,
    tokens: NDArray[np.int64],
    seed: int,
    segments: Segments | None,
    progress: OnProgress,
) -> Tensor:
    """Walk from seeded noise to latents, (1, N, 64) float32 on the CPU."""
    network, n_frames = networks.velocity, reference.shape[1]
    song = SongInputs(
        reference=reference,
        text=torch.from_numpy(tokens)[None],
        style=style,
        negative_style=networks.negative_style,
        start_time=torch.zeros(1),
        duration=torch.tensor([n_frames / network.config.max_frames]),
    )
    progress("sample", ENCODED)

    def on_step(done: int, total: int) -> None:
        progress("sample", ENCODED + (SAMPLED - ENCODED) * done / total)

    noise = draw_noise(seed, n_frames, network.config.mel_dim)[None]
    options = SamplerOptions(batched_guidance=networks.batched_guidance)
    return sample(network, noise, song, options, segments=segments, on_step=on_step).cpu()


def _decoded(codec: SoundCodec, latents: Tensor, progress: OnProgress) -> Samples:
    """Decode latents (1, N, 64) to (2, 2048 N) float32."""
    blocks = codec.decode(latents[0].T, lambda share: progress("decode", SAMPLED + (1 - SAMPLED) * share))
    return np.concatenate(list(blocks), axis=1)


def frames_of(segments: Sequence[tuple[float, float]], n_frames: int) -> Segments:
    """Give the frames that hold segments (seconds): every frame that they touch; none beyond `n_frames`."""
    rate = SAMPLE_RATE / SAMPLES_PER_FRAME
    spans = ((int(start * rate), min(int(np.ceil(end * rate)), n_frames)) for start, end in segments)
    return [(first, stop) for first, stop in spans if first < stop]


def _at_level(song: Samples) -> Waveform:
    """Bring a song to its loudness, or to where its true peak still fits; silence stays silent."""
    waveform = Waveform(song, SAMPLE_RATE)
    peak_db, loudness = true_peak_db(waveform), integrated_loudness(waveform)
    if not np.isfinite(peak_db):
        return waveform
    gain_db = min(TARGET_LUFS - loudness, CEILING_DB - peak_db) if np.isfinite(loudness) else CEILING_DB - peak_db
    return Waveform(song * np.float32(10 ** (gain_db / 20)), SAMPLE_RATE)
