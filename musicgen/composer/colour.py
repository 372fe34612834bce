"""The sound of old machines: tape (wow, saturation, dull top) and the crackle and hiss of vinyl.

Pure functions of a mix and a seed. Knows no scores. Tape and needle are made window by window, so that long pieces
need no more memory than short ones.
"""

import numpy as np
import scipy.signal
from numpy.typing import NDArray

from musicgen.composer.resampling import Samples, warp

WINDOW = 2**16
# Slow and quick unevenness of a worn transport: rate in Hz and depth in cents at full tape colour.
WOW = ((0.55, 7.0), (1.3, 2.5), (6.2, 1.2))
# Samples around a window that interpolation may reach.
REACH = 4
# Gain into the saturation, against a peak of 1, at full tape colour.
MAX_DRIVE = 1.6
TAPE_TOP_HZ = (18_000.0, 7_000.0)
CLICKS_PER_S = 7.0
CLICK_S = 0.0007
HISS_BELOW_CLICKS_DB = 16.0


def play_from_tape(mix: Samples, amount: float, seed: int, sample_rate: int) -> Samples:
    """Give a mix, whose peak is near full scale, the colour of a tape machine.

    Args:
        mix: (2, n) float32.
        amount: 0 to 1.
        seed: of the transport's unevenness.
        sample_rate: of the mix, Hz.

    Returns:
        (2, n) float32.
    """
    n = mix.shape[1]
    phases = np.random.default_rng(seed).uniform(0, 2 * np.pi, len(WOW))
    top_hz = TAPE_TOP_HZ[0] * (TAPE_TOP_HZ[1] / TAPE_TOP_HZ[0]) ** amount
    top = scipy.signal.butter(2, top_hz, fs=sample_rate, output="sos")
    state = np.zeros((1, 2, 2))
    played = np.empty_like(mix)
    for start in range(0, n, WINDOW):
        stop = min(start + WINDOW, n)
        positions = np.arange(start, stop) + _delay(np.arange(start, stop), amount, phases, sample_rate)
        first = max(int(positions.min()) - REACH, 0)
        heard = warp(mix[:, first : int(positions.max()) + REACH], positions - first)
        dulled, state = scipy.signal.sosfilt(top, _saturated(heard, amount), axis=-1, zi=state)
        played[:, start:stop] = dulled
    return played


def crackle(n: int, level_db: float, seed: int, sample_rate: int) -> Samples:
    """Make the noise of a record: sparse clicks around a level against full scale, and a hiss well below.

    Returns:
        (2, n) float32.
    """
    generator = np.random.default_rng(seed)
    level = 10 ** (level_db / 20)
    noise = generator.standard_normal((2, n), dtype=np.float32)
    noise *= np.float32(level * 10 ** (-HISS_BELOW_CLICKS_DB / 20))
    count = generator.poisson(n / sample_rate * CLICKS_PER_S)
    length = round(6 * CLICK_S * sample_rate)
    decay = np.exp(-np.arange(length) / (CLICK_S * sample_rate))
    for place in np.sort(generator.integers(0, max(n - length, 1), count)):
        click = generator.standard_normal(length) * decay * level * generator.lognormal(0, 0.6)
        width = generator.uniform(0.3, 1.0, 2)
        noise[:, place : place + length] += (np.outer(width, click)[:, : n - place]).astype(np.float32)
    low_cut = scipy.signal.butter(1, 500, "high", fs=sample_rate, output="sos")
    return scipy.signal.sosfilt(low_cut, noise, axis=-1).astype(np.float32)


def _delay(
    clock: NDArray[np.int64], amount: float, phases: NDArray[np.float64], sample_rate: int
) -> NDArray[np.float64]:
    """Return how far, in samples, the transport is from where it should be."""
    seconds = clock / sample_rate
    delay = np.zeros(len(clock))
    for (rate_hz, cents), phase in zip(WOW, phases, strict=True):
        depth = amount * (2 ** (cents / 1200) - 1) * sample_rate / (2 * np.pi * rate_hz)
        delay += depth * (np.sin(2 * np.pi * rate_hz * seconds + phase) - np.sin(phase))
    return delay


def _saturated(samples: Samples, amount: float) -> Samples:
    """Round the peaks off, keeping the gain of what is quiet."""
    drive = np.float32(amount * MAX_DRIVE)
    return np.tanh(samples * drive) / drive if drive > 0 else samples
