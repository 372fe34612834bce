"""The sound of old machines: tape (wow, saturation, dull top) and the crackle and hiss of vinyl.

Functions of a mix, which passes by block by block, and a seed. Knows no scores.
"""

from collections.abc import Iterable, Iterator
from itertools import chain

import numpy as np
import scipy.signal
from numpy.typing import NDArray

from musicgen.composer.sound.resampling import Samples, warp

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


def play_from_tape(blocks: Iterable[Samples], amount: float, seed: int, sample_rate: int) -> Iterator[Samples]:
    """Give a mix, whose peak is near full scale, the wow and the saturation of a tape machine; not yet its dull top.

    Args:
        blocks: (2, k) float32 each, one after the other.
        amount: 0 to 1.
        seed: of the transport's unevenness.
        sample_rate: of the mix, Hz.

    Returns:
        as many samples in blocks of other sizes: the transport runs ahead and falls behind.
    """
    phases = np.random.default_rng(seed).uniform(0, 2 * np.pi, len(WOW))
    ahead = int(2 * sum(_depths(amount, sample_rate))) + REACH
    # What is not yet played, with as much of what was: `heard` begins at sample `first` of the mix.
    heard, first, n_played, n_given = np.zeros((2, 0), dtype=np.float32), 0, 0, 0
    for block in chain(blocks, [None]):
        if block is not None:
            n_given += block.shape[1]
            heard = np.concatenate([heard, block], axis=1)
        stop = n_given if block is None else n_given - ahead
        if stop <= n_played:
            continue
        positions = np.arange(n_played, stop) + _delay(n_played, stop, amount, phases, sample_rate)
        yield _saturated(warp(heard, positions - first), amount)
        n_played = stop
        n_over = max(n_played - ahead - first, 0)
        heard, first = heard[:, n_over:], first + n_over


def tape_top(amount: float, sample_rate: int) -> NDArray[np.float64]:
    """Design the dull top of tape as (1, 6) second-order sections."""
    top_hz = TAPE_TOP_HZ[0] * (TAPE_TOP_HZ[1] / TAPE_TOP_HZ[0]) ** amount
    return scipy.signal.butter(2, top_hz, fs=sample_rate, output="sos")


def crackled(
    blocks: Iterable[Samples], n_samples: int, level_db: float, seed: int, sample_rate: int
) -> Iterator[Samples]:
    """Add the noise of a record, in place: sparse clicks around a level against full scale, and hiss well below.

    Args:
        blocks: (2, k) float32 each, `n_samples` in all.
        n_samples: length of the piece.
        level_db: of the clicks.
        seed: of clicks and hiss.
        sample_rate: Hz.
    """
    generator = np.random.default_rng(seed)
    level = 10 ** (level_db / 20)
    hiss = (generator.standard_normal((2, HISS_LENGTH)) * level * 10 ** (-HISS_BELOW_CLICKS_DB / 20)).astype(np.float32)
    to_come = _clicks(n_samples, level, generator, sample_rate)
    following = next(to_come, None)
    heard: list[tuple[int, Samples]] = []
    start = 0
    for block in blocks:
        stop = start + block.shape[1]
        block += np.take(hiss, np.arange(start, stop), axis=1, mode="wrap")
        while following and following[0] < stop:
            heard.append(following)
            following = next(to_come, None)
        for place, click in heard:
            _add_within(block, place - start, click)
        heard = [(place, click) for place, click in heard if place + click.shape[1] > stop]
        start = stop
        yield block


def _clicks(
    n_samples: int, level: float, generator: np.random.Generator, sample_rate: int
) -> Iterator[tuple[int, Samples]]:
    """Draw where a piece of `n_samples` clicks, in order, and, as each is taken, how: (2, k) float32."""
    length = min(round(6 * CLICK_S * sample_rate), n_samples)
    decay = np.exp(-np.arange(length) / (CLICK_S * sample_rate))
    places = generator.integers(0, n_samples - length + 1, generator.poisson(n_samples / sample_rate * CLICKS_PER_S))
    for place in np.sort(places).tolist():
        click = generator.standard_normal(length) * decay
        click *= level * generator.lognormal(0, CLICK_SPREAD) / np.abs(click).max()
        yield place, np.outer(generator.uniform(0.3, 1.0, 2), click).astype(np.float32)


def _add_within(block: Samples, place: int, click: Samples) -> None:
    """Add to a block what falls into it of a click that begins at its sample `place`, which may be outside."""
    first, stop = max(place, 0), min(place + click.shape[1], block.shape[1])
    if first < stop:
        block[:, first:stop] += click[:, first - place : stop - place]


def _delay(start: int, stop: int, amount: float, phases: NDArray[np.float64], sample_rate: int) -> NDArray[np.float64]:
    """Return how far, in samples, the transport is from where it should be, for each sample from start to stop."""
    clock = np.arange(start, stop + DELAY_HOP, DELAY_HOP)
    delay = np.zeros(len(clock))
    for (rate_hz, _cents), depth, phase in zip(WOW, _depths(amount, sample_rate), phases, strict=True):
        delay += depth * (np.sin(2 * np.pi * rate_hz * clock / sample_rate + phase) - np.sin(phase))
    return np.interp(np.arange(start, stop), clock, delay)


def _depths(amount: float, sample_rate: int) -> list[float]:
    """Return how far, in samples, each unevenness carries the transport to either side."""
    return [amount * (2 ** (cents / 1200) - 1) * sample_rate / (2 * np.pi * rate_hz) for rate_hz, cents in WOW]


def _saturated(samples: Samples, amount: float) -> Samples:
    """Round the peaks off, keeping the gain of what is quiet."""
    drive = np.float32(amount * MAX_DRIVE)
    return np.tanh(samples * drive) / drive if drive > 0 else samples
