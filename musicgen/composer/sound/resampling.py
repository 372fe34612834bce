"""Playing a recorded sample at another pitch, band-limited, and for as long as wanted through its loop.

Pure functions of arrays: equal arguments give equal bits. Knows nothing of SoundFont files or notes.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
import scipy.fft
from numpy.typing import NDArray

Samples = NDArray[np.float32]

# Zeros (or a fading rest of the sound) around what is transformed, so that its end does not ring into its start.
MARGIN = 64
# Below this transform size the ratio of two smooth sizes is too coarse for an exact pitch.
MIN_TRANSFORM = 8192
# Extra transform length that may be spent to come closer to the wanted ratio: a share, and samples at least.
SIZE_SLACK, MIN_SLACK = 0.1, 4096
# Top of the band that is tapered to zero, as a share of it: softens the ringing of the cut.
TAPER = 0.04
# A loop is repeated in runs of at least this length: its rounding to whole samples then stays under 0.1 cent.
MIN_RUN = 16_384
LOOP_CROSSFADE = 256
# Positions that are read at a time: what is in between then fits the processor's cache.
WARPED_AT_ONCE = 2**15


@dataclass(frozen=True, slots=True)
class Looped:
    """Sound of which the end may come again and again.

    Attributes:
        samples: (n,) float32.
        n_loop: how many of the last samples are repeated for ever; 0 where the sound ends.
    """

    samples: Samples
    n_loop: int = 0

    def extended(self, n: int) -> Samples:
        """Return the first n samples, or all where the sound ends before."""
        if not self.n_loop or n <= len(self.samples):
            return self.samples[:n]
        n_turns = -(-(n - len(self.samples)) // self.n_loop)
        return np.concatenate([self.samples, np.tile(self.samples[-self.n_loop :], n_turns)])[:n]


def resample(samples: Samples, stretch: float) -> Samples:
    """Make a sound `stretch` times as long by Fourier resampling; the pitch is nearly always within 0.2 cent.

    Args:
        samples: (n,) float32.
        stretch: output samples for each input sample.

    Returns:
        (floor(n * stretch),) float32, without what lies above half of either sample rate.
    """
    if stretch == 1.0:
        return samples
    sizes = transform_sizes(len(samples) + 2 * MARGIN, stretch)
    return _transform(samples, *sizes)[: int(len(samples) * stretch)]


def _transform(samples: Samples, n_in: int, n_out: int) -> Samples:
    """Stretch by exactly n_out / n_in; what follows the stretched samples is near silence."""
    spectrum = scipy.fft.rfft(samples, n_in)[: n_out // 2 + 1]
    n_taper = int(len(spectrum) * TAPER)
    spectrum[-n_taper:] *= np.cos(np.linspace(0, np.pi / 2, n_taper, dtype=np.float32))
    spectrum *= np.float32(n_out / n_in)
    return scipy.fft.irfft(spectrum, n_out)


def transform_sizes(n: int, stretch: float) -> tuple[int, int]:
    """Find two quick transform sizes, the first not much over n, whose ratio comes closest to `stretch`."""
    smooth = _smooth_sizes()
    n = max(n, MIN_TRANSFORM, int(MIN_TRANSFORM / stretch))
    longest = n + max(int(n * SIZE_SLACK), MIN_SLACK)
    sizes = smooth[np.searchsorted(smooth, n) : np.searchsorted(smooth, longest, "right") + 1]
    wanted = sizes * stretch
    above = np.minimum(np.searchsorted(smooth, wanted), len(smooth) - 1)
    nearest = np.where(smooth[above] - wanted < wanted - smooth[above - 1], smooth[above], smooth[above - 1])
    best = int(np.argmin(np.abs(nearest / wanted - 1)))
    return int(sizes[best]), int(nearest[best])


@cache
def _smooth_sizes() -> NDArray[np.int64]:
    """List, ascending, the numbers to 2^23 without prime factors over 13."""
    sizes = np.array([1], dtype=np.int64)
    for prime in (2, 3, 5, 7, 11, 13):
        powers = prime ** np.arange(int(23 / np.log2(prime)) + 1)
        sizes = np.unique(np.outer(sizes, powers))
        sizes = sizes[sizes <= 2**23]
    return sizes


def play(source: Samples, loop: tuple[int, int] | None, stretch: float, n: int) -> Looped:
    """Play a sample from its start, `stretch` times as long, through its loop where it has one.

    Args:
        source: (m,) float32.
        loop: start and end in samples of `source`.
        stretch: output samples for each sample of `source`.
        n: wanted length in output samples.

    Returns:
        n samples, less where a sample without a loop ends before, or a few turns of a loop that can be extended.
    """
    n_needed = int(n / stretch) + MARGIN + 1
    if loop is None:
        return Looped(resample(_faded(source[:n_needed], n_needed < len(source)), stretch)[:n])
    least, most = _turns((loop[1] - loop[0]) * stretch)
    unrolled = Looped(source[: loop[1]], loop[1] - loop[0])
    n_unrolled = loop[1] + most * (loop[1] - loop[0]) + MARGIN + int(LOOP_CROSSFADE / stretch) + 1
    if n_needed <= n_unrolled:
        return Looped(resample(_faded(unrolled.extended(n_needed), True), stretch)[:n])
    n_in, n_out = transform_sizes(n_unrolled + 2 * MARGIN, stretch)
    head = _transform(_faded(unrolled.extended(n_unrolled), True), n_in, n_out)
    # The run that is repeated must be whole turns at the stretch that the sizes really give.
    runs = np.arange(least, most + 1) * (loop[1] - loop[0]) * (n_out / n_in)
    run = round(runs[np.argmin(np.abs(runs - np.round(runs)))])
    return _with_run(head, round(loop[1] * n_out / n_in), run)


def _turns(loop_length: float) -> tuple[int, int]:
    """Return how many turns of a loop (length in output samples) at least and at most make a run to repeat.

    Among several one will be nearly a whole number of samples long; of a loop that is long itself one turn will do.
    """
    least = max(1, int(np.ceil(MIN_RUN / loop_length)))
    return least, 2 * least if least > 1 else 1


def _faded(samples: Samples, fade: bool) -> Samples:
    """Fade the last `MARGIN` samples where the sound would otherwise be cut."""
    if not fade:
        return samples
    n_fade = min(MARGIN, len(samples))
    faded = samples.copy()
    faded[-n_fade:] *= np.cos(np.linspace(0, np.pi / 2, n_fade, dtype=np.float32))
    return faded


def _with_run(head: Samples, start: int, run: int) -> Looped:
    """Repeat `head[start : start + run]`; what follows the run fades into its next turn."""
    fade = np.linspace(0, 1, LOOP_CROSSFADE, dtype=np.float32)
    turn = head[start : start + run].copy()
    after = head[start + run : start + run + LOOP_CROSSFADE]
    turn[: len(after)] = after * (1 - fade[: len(after)]) + turn[: len(after)] * fade[: len(after)]
    return Looped(np.concatenate([head[: start + run], turn]), run)


def warp(samples: Samples, positions: NDArray[np.float64]) -> Samples:
    """Read a sound at fractional positions by cubic interpolation; exact for what lies well below half the rate.

    Args:
        samples: (..., m) float32, m at least 4.
        positions: (n,) in samples, ascending; those outside are held at the ends.

    Returns:
        (..., n) float32.
    """
    warped = np.empty((*samples.shape[:-1], len(positions)), dtype=np.float32)
    for start in range(0, len(positions), WARPED_AT_ONCE):
        span = slice(start, start + WARPED_AT_ONCE)
        warped[..., span] = _warped(samples, positions[span])
    return warped


def _warped(samples: Samples, positions: NDArray[np.float64]) -> Samples:
    whole = np.clip(positions.astype(np.intp), 1, samples.shape[-1] - 3)
    t = np.clip(positions - whole, 0, 1).astype(np.float32)
    first = whole[0] - 1
    near = samples[..., first : whole[-1] + 3]
    # "clip" only because it is the quickest: no index is outside.
    before, here, after, beyond = (near.take(whole - first + i, axis=-1, mode="clip") for i in (-1, 0, 1, 2))
    half = np.float32(0.5)
    slope_here, slope_after, rise = (after - before) * half, (beyond - here) * half, after - here
    bend = slope_here + slope_after - 2 * rise
    interpolated: Samples = here + t * (slope_here + t * (rise - slope_here - bend + t * bend))
    return interpolated
