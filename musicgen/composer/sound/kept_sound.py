"""What is kept of a rendered key: samples as int16, without the volume envelope, and perhaps a loop at their end."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from musicgen.composer.sound.resampling import Samples

INT16_PEAK = 32_767
LEAST_PEAK = 1e-5


@dataclass(frozen=True, slots=True)
class Sound:
    """What the voices of one key make that are released alike.

    Attributes:
        samples: (1, n) int16 where both channels are equal, else (2, n), without the volume envelope, as loud as
            int16 can hold: half the memory of float32, and a noise 98 dB under the sound's own peak.
        envelope: (k,) float32 gain while the note is held and the gain moves; after that it keeps its last value.
        release: (r,) float32 gain after its end, from 1 to 0.
        gains: for every velocity of the layer, what a step of int16 is worth against full scale.
        n_loop: how many of the last samples come again and again as long as the note sounds; 0 where they do not.
    """

    samples: NDArray[np.int16]
    envelope: Samples
    release: Samples
    gains: Mapping[int, float]
    n_loop: int = 0

    @property
    def n_bytes(self) -> int:
        """Memory that the sound takes."""
        return self.samples.nbytes + self.envelope.nbytes

    def pieces(self, start: int, stop: int) -> Iterator[NDArray[np.int16]]:
        """Yield the samples from `start` to `stop`, at most as far as they go, (1 or 2, k) each."""
        n = self.samples.shape[1]
        while start < stop and (start < n or self.n_loop):
            first = start if start < n else n - self.n_loop + (start - n) % self.n_loop
            piece = self.samples[:, first : first + stop - start]
            yield piece
            start += piece.shape[1]

    def unrolled(self, n: int) -> "Sound":
        """Return the same sound without a loop, of at least n samples where there is one."""
        if not self.n_loop:
            return self
        return replace(self, samples=np.concatenate(list(self.pieces(0, n)), axis=1), n_loop=0)


def keep(placed: Samples, envelope: Samples, release: Samples, gains: Mapping[int, float], n_loop: int = 0) -> Sound:
    """Keep (1 or 2, n) float32 samples as int16."""
    step = max(float(np.abs(placed).max(initial=0.0)), LEAST_PEAK) / INT16_PEAK
    samples = np.rint(placed / np.float32(step)).astype(np.int16)
    return Sound(samples, envelope, release, {velocity: step * gain for velocity, gain in gains.items()}, n_loop)
