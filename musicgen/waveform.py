"""Rendered sound, whole or while it is being made: what every engine returns and every exporter takes."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Waveform:
    """Stereo sound.

    Attributes:
        samples: (2, n) float32, left and right, full scale is 1.0.
        sample_rate: samples a second (Hz).
    """

    samples: NDArray[np.float32]
    sample_rate: int

    def __post_init__(self) -> None:
        if self.samples.ndim != 2 or self.samples.shape[0] != 2 or self.samples.dtype != np.float32:
            raise ValueError(f"samples must be (2, n) float32, not {self.samples.shape} {self.samples.dtype}")

    @property
    def n_samples(self) -> int:
        """Length in samples a channel."""
        return self.samples.shape[1]

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.n_samples / self.sample_rate


# Samples in a block of sound that is handed on: 1.5 s at 44.1 kHz, half a megabyte.
BLOCK_SAMPLES = 2**16


@dataclass(frozen=True, slots=True)
class AudioStream:
    """Stereo sound of known length that is made while it is taken.

    Attributes:
        n_samples: length in samples a channel, known before the first block.
        sample_rate: samples a second (Hz).
        blocks: (2, k) float32 each, consecutive, `n_samples` in all; taken once, each block the taker's to keep.
            Taking one may raise what the making of it raises.
    """

    n_samples: int
    sample_rate: int
    blocks: Iterator[NDArray[np.float32]]

    @classmethod
    def of(cls, waveform: Waveform) -> "AudioStream":
        """Stream sound that is already made."""
        n = waveform.n_samples
        blocks = (waveform.samples[:, start : start + BLOCK_SAMPLES] for start in range(0, n, BLOCK_SAMPLES))
        return cls(n, waveform.sample_rate, blocks)

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.n_samples / self.sample_rate

    def collect(self) -> Waveform:
        """Take all blocks."""
        samples = np.empty((2, self.n_samples), dtype=np.float32)
        n_taken = 0
        for block in self.blocks:
            samples[:, n_taken : n_taken + block.shape[1]] = block
            n_taken += block.shape[1]
        return Waveform(samples, self.sample_rate)
