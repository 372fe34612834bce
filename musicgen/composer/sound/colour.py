"""The sound of old machines: tape (wow, saturation, dull top) and the crackle and hiss of vinyl.

Pure functions of a mix and a seed. Knows no scores. Tape and needle are made window by window, so that long pieces
need no more memory than short ones.
"""

from concurrent.futures import Executor

import numpy as np
import scipy.signal
from numpy.typing import NDArray

from musicgen.composer.sound.resampling import Samples, warp

WINDOW = 2**15
# The transport's place is worked out once in this many samples and drawn straight between.
DELAY_HOP = 64
# Slow and quick unevenness of a worn transport: rate in Hz and depth in cents at full tape colour.
WOW = ((0.55, 7.0), (1.3, 2.5), (6.2, 1.2))
# Samples around a window that interpolation may reach.
REACH = 4
# Gain into the saturation, against a peak of 1, at full tape colour.
MAX_DRIVE = 1.6
TAPE_TOP_HZ = (18_000.0, 7_000.0)
CLICKS_PER_S = 7.0
CLICK_S = 0.0007
# Spread of the clicks' heights, natural logarithm.
CLICK_SPREAD = 0.4
HISS_BELOW_CLICKS_DB = 16.0
# Length of the hiss before it comes again: too long for the ear to notice.
HISS_LENGTH = 2**18


def play_from_tape(mix: Samples, amount: float, seed: int, sample_rate: int, workers: Executor) -> Samples:
    """Give a mix, whose peak is near full scale, the wow and the saturation of a tape machine; not yet its dull top.

    Args:
        mix: (2, n) float32.
        amount: 0 to 1.
        seed: of the transport's unevenness.
        sample_rate: of the mix, Hz.
        workers: share the work.

    Returns:
        (2, n) float32.
    """
    n = mix.shape[1]
    phases = np.random.default_rng(seed).uniform(0, 2 * np.pi, len(WOW))
    played = np.empty_like(mix)

    def play_window(start: int) -> None:
        stop = min(start + WINDOW, n)
        positions = np.arange(start, stop) + _delay(start, stop, amount, phases, sample_rate)
        first = max(int(positions.min()) - REACH, 0)
        heard = warp(mix[:, first : int(positions.max()) + REACH], positions - first)
        played[:, start:stop] = _saturated(heard, amount)

    list(workers.map(play_window, range(0, n, WINDOW)))
    return played


def tape_top(amount: float, sample_rate: int) -> NDArray[np.float64]:
    """Design the dull top of tape as (1, 6) second-order sections."""
    top_hz = TAPE_TOP_HZ[0] * (TAPE_TOP_HZ[1] / TAPE_TOP_HZ[0]) ** amount
    return scipy.signal.butter(2, top_hz, fs=sample_rate, output="sos")


def add_crackle(mix: Samples, level_db: float, seed: int, sample_rate: int) -> None:
    """Add the noise of a record, in place: sparse clicks around a level against full scale, and hiss well below."""
    n = mix.shape[1]
    generator = np.random.default_rng(seed)
    level = 10 ** (level_db / 20)
    hiss = (generator.standard_normal((2, HISS_LENGTH)) * level * 10 ** (-HISS_BELOW_CLICKS_DB / 20)).astype(np.float32)
    for start in range(0, n, HISS_LENGTH):
        target = mix[:, start : start + HISS_LENGTH]
        target += hiss[:, : target.shape[1]]
    length = min(round(6 * CLICK_S * sample_rate), n)
    decay = np.exp(-np.arange(length) / (CLICK_S * sample_rate))
    n_clicks = generator.poisson(n / sample_rate * CLICKS_PER_S)
    for place in generator.integers(0, n - length + 1, n_clicks):
        click = generator.standard_normal(length) * decay
        click *= level * generator.lognormal(0, CLICK_SPREAD) / np.abs(click).max()
        mix[:, place : place + length] += np.outer(generator.uniform(0.3, 1.0, 2), click).astype(np.float32)


def _delay(start: int, stop: int, amount: float, phases: NDArray[np.float64], sample_rate: int) -> NDArray[np.float64]:
    """Return how far, in samples, the transport is from where it should be, for each sample from start to stop."""
    clock = np.arange(start, stop + DELAY_HOP, DELAY_HOP)
    delay = np.zeros(len(clock))
    for (rate_hz, cents), phase in zip(WOW, phases, strict=True):
        depth = amount * (2 ** (cents / 1200) - 1) * sample_rate / (2 * np.pi * rate_hz)
        delay += depth * (np.sin(2 * np.pi * rate_hz * clock / sample_rate + phase) - np.sin(phase))
    return np.interp(np.arange(start, stop), clock, delay)


def _saturated(samples: Samples, amount: float) -> Samples:
    """Round the peaks off, keeping the gain of what is quiet."""
    drive = np.float32(amount * MAX_DRIVE)
    return np.tanh(samples * drive) / drive if drive > 0 else samples
