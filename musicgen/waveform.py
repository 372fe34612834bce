"""Rendered sound: what every engine returns and every exporter takes."""

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
