"""The outline of a sound file, and the JSON that players draw a waveform from.

The JSON is version 2 of audiowaveform's (github.com/bbc/audiowaveform, doc/DataFormat.md): for every pixel the lowest
and the highest sample, here of both channels. peaks.js takes it as it is, wavesurfer.js takes `data` divided by 128.
Knows nothing of tracks.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

MAX_PIXELS = 4000  # finer than a screen is wide; at 300 s one is 75 ms
BITS = 8
_FULL_SCALE = 2 ** (BITS - 1)
_SAMPLES_AT_ONCE = 1 << 18


@dataclass(frozen=True, slots=True)
class Outline:
    """A sound seen from afar.

    Attributes:
        low: (pixels,) float32, lowest sample of either channel, full scale is 1.0.
        high: (pixels,) float32, highest sample.
        rms: (pixels,) float32, root mean square of both channels.
        samples_per_pixel: the last pixel may stand for fewer.
        n_samples: length in samples a channel.
        sample_rate: Hz.
    """

    low: NDArray[np.float32]
    high: NDArray[np.float32]
    rms: NDArray[np.float32]
    samples_per_pixel: int
    n_samples: int
    sample_rate: int


def read_outline(path: Path, max_pixels: int = MAX_PIXELS) -> Outline:
    """Read the outline of a sound file, in at most `max_pixels` pixels of equal length."""
    import soundfile

    with soundfile.SoundFile(path) as sound:
        n_samples, sample_rate = sound.frames, sound.samplerate
        samples_per_pixel = max(1, math.ceil(n_samples / max_pixels))
        # Whole pixels at once.
        block_length = samples_per_pixel * math.ceil(_SAMPLES_AT_ONCE / samples_per_pixel)
        blocks = sound.blocks(block_length, dtype="float32", always_2d=True)
        low, high, rms = (np.concatenate(parts) for parts in zip(*_outlines(blocks, samples_per_pixel), strict=True))
    return Outline(low, high, rms, samples_per_pixel, n_samples, sample_rate)


def _outlines(
    blocks: Iterator[NDArray[np.float32]], samples_per_pixel: int
) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]]:
    for block in blocks:
        starts = np.arange(0, len(block), samples_per_pixel)
        lengths = np.diff(starts, append=len(block))
        left, right = np.ascontiguousarray(block.T)
        low = np.minimum.reduceat(np.minimum(left, right), starts)
        high = np.maximum.reduceat(np.maximum(left, right), starts)
        squares = np.add.reduceat(left * left + right * right, starts, dtype=np.float64)
        yield low, high, np.sqrt(squares / (2 * lengths)).astype(np.float32)


def peaks_document(outline: Outline) -> dict[str, int | list[int]]:
    """Write an outline as audiowaveform does: `data` is lowest, highest, lowest, highest, ... of `length` pixels."""
    pairs = np.stack([outline.low, outline.high], axis=1) * _FULL_SCALE
    data = np.clip(np.rint(pairs), -_FULL_SCALE, _FULL_SCALE - 1).astype(int)
    return {
        "version": 2,
        "channels": 1,
        "sample_rate": outline.sample_rate,
        "samples_per_pixel": outline.samples_per_pixel,
        "bits": BITS,
        "length": len(outline.low),
        "data": data.ravel().tolist(),
    }
