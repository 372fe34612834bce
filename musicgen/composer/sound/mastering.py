"""The last step: a mix at the loudness that streaming services play, without a peak over the ceiling.

Owns level, limiter and the edges of a track. Does not know scores, nor how loudness is measured (`musicgen.loudness`).
The gain of the whole is found from excerpts of the piece, before the rest of it is there (`find_level`); then the mix
passes by once (`master`). The limiter looks ahead, closes and opens smoothly, and moves both channels alike.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from musicgen.composer.sound.resampling import Samples
from musicgen.composer.sound.true_peaks import block_peaks
from musicgen.loudness import RELATIVE_GATE_LU, LoudnessMeter, gated_loudness, mean_square

TARGET_LUFS = -14.0
CEILING_DB = -1.0
# Below the ceiling by what interpolation and the limiter's own movement may add to a peak.
CEILING = 10 ** ((CEILING_DB - 0.1) / 20)
# Peaks are lowered by at most this much: a sparse piece stays under the target instead of being pumped.
MAX_LIMITING_DB = 12.0
# The limiter's gain is worked out for blocks of this many samples (0.7 ms), ahead by so many blocks (5 ms).
BLOCK, LOOK_AHEAD_BLOCKS = 32, 7
RELEASE_DB_PER_S = 120.0
# By so many samples (11 ms) the limiter is late: the gain of a block depends on that many later ones.
DELAY = (2 * LOOK_AHEAD_BLOCKS + 1) * BLOCK
RAMP = (np.arange(BLOCK, dtype=np.float32) + np.float32(0.5)) / np.float32(BLOCK)
# The gain is corrected until the limited excerpts are this near the target, at most so many times.
TOLERANCE_LU, MAX_PASSES = 0.1, 4
# The limiter has nothing to do where samples are this far below the ceiling.
BETWEEN_SAMPLES_DB = 3.0
# How far the fader may ride from there, and by how much from block to block: slower than any ear follows.
MAX_RIDE_DB, RIDE_STEP_DB = 1.5, 0.1
FADE_IN_S, FADE_OUT_S = 0.001, 0.03

Curve = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Level:
    """What is decided about the loudness of a piece before it is heard.

    Attributes:
        gain_db: from the mix to the limiter.
        target_lufs: what the whole should have: -14, or less where the limiter would have too much to do.
        expected: (blocks,) mean square that each gating block of the piece will about have, by `LoudnessMeter`.
    """

    gain_db: float
    target_lufs: float
    expected: Curve


def find_level(excerpts: Sequence[Samples], sample_rate: int, places: NDArray[np.intp] | None = None) -> Level:
    """Find the gain that brings a mix to -14 LUFS after the limiter's losses; 0 dB for silence.

    A piece whose peaks would have to be lowered by more than `MAX_LIMITING_DB` stays quieter than that.

    Args:
        excerpts: (2, k) float32 each; all of them together stand for the piece.
        sample_rate: Hz.
        places: (blocks,) for each gating block of the piece the number of the one that stands for it, among those of
            the excerpts one after the other; None where these are the piece.

    Raises:
        ValueError: samples are NaN or infinite.
    """
    loudness, expected = _metered(excerpts, sample_rate, places)
    peak = max((float(np.abs(samples).max(initial=0.0)) for samples in excerpts), default=0.0)
    if not np.isfinite(loudness) or not peak:
        return Level(0.0, loudness, expected)
    highest_db = MAX_LIMITING_DB - 20 * float(np.log10(peak / CEILING))
    gain_db = min(TARGET_LUFS - loudness, highest_db)
    if gain_db <= highest_db - MAX_LIMITING_DB - BETWEEN_SAMPLES_DB:
        return Level(gain_db, TARGET_LUFS, expected * 10 ** (gain_db / 10))
    for _ in range(MAX_PASSES):
        amplified = limited(excerpts, partial(float, gain_db), sample_rate)
        loudness, expected = _metered(amplified, sample_rate, places)
        missing = TARGET_LUFS - loudness
        if abs(missing) <= TOLERANCE_LU or (missing > 0 and gain_db == highest_db):
            break
        # What is added is limited as well.
        gain_db = min(gain_db + 1.3 * missing, highest_db)
    target = TARGET_LUFS if gain_db < highest_db else min(loudness, TARGET_LUFS)
    return Level(gain_db, target, expected)


def _metered(blocks: Iterable[Samples], sample_rate: int, places: NDArray[np.intp] | None) -> tuple[float, Curve]:
    """Measure excerpts: the loudness of the piece that they stand for, and the mean squares of its gating blocks."""
    meter = LoudnessMeter(sample_rate)
    for block in blocks:
        meter.add(block)
    loudness, heard = meter.integrated_loudness(), meter.mean_squares()
    if places is None or not heard.size:
        return loudness, heard
    expected = heard[np.minimum(places, len(heard) - 1)]
    return gated_loudness(expected), expected


def master(
    blocks: Iterable[Samples], n_samples: int, level: Level, sample_rate: int, meter: LoudnessMeter
) -> Iterator[Samples]:
    """Amplify and limit a mix of `n_samples` while it is made; it begins and ends at zero.

    Args:
        blocks: (2, k) float32 each.
        n_samples: of all of them.
        level: from `find_level`, `expected` being that of the piece.
        sample_rate: Hz.
        meter: hears the track.

    Returns:
        as many samples in blocks of other sizes, without a true peak over -1 dBTP.

    Raises:
        ValueError: samples are NaN or infinite.
    """
    fader = _Fader(level, meter)
    n_done = 0
    for samples in limited(blocks, fader.gain_db, sample_rate):
        _shape_edges(samples, n_done, n_samples, sample_rate)
        n_done += samples.shape[1]
        meter.add(samples)
        yield samples


class _Fader:
    """Rides the gain: what excerpts could not tell is mended by tenths of a decibel while the piece passes by."""

    def __init__(self, level: Level, meter: LoudnessMeter) -> None:
        self._level = level
        self._meter = meter
        self._ride_db = 0.0

    def gain_db(self) -> float:
        """Return the gain for the next block: that which lets the piece as a whole meet its target."""
        heard = self._meter.mean_squares()
        to_come = self._level.expected[len(heard) :]
        gate = mean_square(self._level.target_lufs + RELATIVE_GATE_LU)
        heard, to_come = heard[heard > gate], to_come[to_come > gate]
        if to_come.size:
            wanted = mean_square(self._level.target_lufs) * (len(heard) + len(to_come)) - heard.sum()
            ride_db = 10 * float(np.log10(max(wanted / to_come.sum(), 1e-3)))
            ride_db = min(max(ride_db, -MAX_RIDE_DB), MAX_RIDE_DB)
            self._ride_db += min(max(ride_db - self._ride_db, -RIDE_STEP_DB), RIDE_STEP_DB)
        return self._level.gain_db + self._ride_db


def limited(blocks: Iterable[Samples], gain_db: Callable[[], float], sample_rate: int) -> Iterator[Samples]:
    """Amplify what passes by, and lower it smoothly where its true peaks would be over the ceiling.

    Args:
        blocks: (2, k) float32 each.
        gain_db: asked before each block for the gain that is reached at its end.
        sample_rate: Hz.

    Returns:
        as many samples, (2, k) float32 in blocks of other sizes, each the taker's own.

    Raises:
        ValueError: samples are NaN or infinite.
    """
    limiter = _Limiter(sample_rate)
    amplifier = _Amplifier(gain_db)
    n_given, n_early, n_handed = 0, DELAY, 0
    for block in chain(blocks, [None]):
        n_given += 0 if block is None else block.shape[1]
        # What the limiter still holds at the end is pushed out by silence.
        silence = np.zeros((2, DELAY + 2 * BLOCK), dtype=np.float32)
        ready = limiter.take(silence if block is None else amplifier.amplified(block))
        n_skipped = min(n_early, ready.shape[1])
        n_early -= n_skipped
        ready = ready[:, n_skipped : n_skipped + n_given - n_handed]
        n_handed += ready.shape[1]
        if ready.size:
            yield ready


class _Amplifier:
    """Multiplies by a gain that moves in straight lines from block to block."""

    def __init__(self, gain_db: Callable[[], float]) -> None:
        self._gain_db = gain_db
        self._gain: float | None = None

    def amplified(self, block: Samples) -> Samples:
        """Return (2, k) float32."""
        gain = 10 ** (self._gain_db() / 20)
        before, self._gain = gain if self._gain is None else self._gain, gain
        if before == gain:
            return block * np.float32(gain)
        return block * np.linspace(before, gain, block.shape[1], dtype=np.float32)


class _Limiter:
    """Hands out what it is given `DELAY` samples later, limited."""

    def __init__(self, sample_rate: int) -> None:
        self._release_db = RELEASE_DB_PER_S * BLOCK / sample_rate
        window = np.hanning(2 * LOOK_AHEAD_BLOCKS + 3)[1:-1]
        self._window = window / window.sum()
        # Samples: from the block on before the first whose peak is unknown; of blocks without a gain.
        self._unmeasured = np.zeros((2, BLOCK), dtype=np.float32)
        self._waiting = np.zeros((2, DELAY), dtype=np.float32)
        # The last values, in dB, of the curves that lead to the gain.
        self._needed, self._opened = (np.zeros(2 * LOOK_AHEAD_BLOCKS) for _ in range(2))
        self._smooth, self._edge = np.zeros(1), np.zeros(1)

    def take(self, block: Samples) -> Samples:
        """Take (2, k) float32 and return what is ready, maybe nothing."""
        samples = np.concatenate([self._unmeasured, block], axis=1)
        n_blocks = samples.shape[1] // BLOCK - 2
        if n_blocks < 1:
            self._unmeasured = samples
            return samples[:, :0]
        peaks = block_peaks(samples[:, : (n_blocks + 2) * BLOCK], BLOCK, CEILING)
        if not np.isfinite(peaks).all():
            raise ValueError("samples must be finite; these hold NaN or infinity")
        self._unmeasured = samples[:, n_blocks * BLOCK :]
        waiting = np.concatenate([self._waiting, samples[:, BLOCK : (n_blocks + 1) * BLOCK]], axis=1)
        ready, self._waiting = np.split(waiting, [n_blocks * BLOCK], axis=1)
        edges = self._edges(peaks)
        if not np.any(edges):
            return ready
        gains = (10 ** (edges / 20)).astype(np.float32)[:, None]
        return ready * (gains[:-1] + (gains[1:] - gains[:-1]) * RAMP).reshape(-1)

    def _edges(self, peaks: Curve) -> Curve:
        """Return the gain in dB, 0 or less, between the blocks that are ready now, one value more than blocks."""
        needed = np.concatenate([self._needed, np.minimum(-20 * np.log10(np.maximum(peaks / CEILING, 1e-9)), 0.0)])
        held = np.lib.stride_tricks.sliding_window_view(needed, 2 * LOOK_AHEAD_BLOCKS + 1).min(axis=1)
        # Opens at a fixed rate in dB: a running minimum of straight lines.
        slope = np.arange(len(peaks) + 1) * self._release_db
        falling = np.concatenate([self._opened[-1:], held]) - slope
        opened = np.concatenate([self._opened, (np.minimum.accumulate(falling) + slope)[1:]])
        # A mean of values that each reach far enough down does so, too.
        smooth = np.concatenate([self._smooth, np.convolve(opened, self._window, "valid")])
        edges = np.concatenate([self._edge, np.minimum(smooth[:-1], smooth[1:])])
        keep = -2 * LOOK_AHEAD_BLOCKS
        self._needed, self._opened, self._smooth, self._edge = needed[keep:], opened[keep:], smooth[-1:], edges[-1:]
        return edges


def _shape_edges(samples: Samples, start: int, n_samples: int, sample_rate: int) -> None:
    """Let a track of `n_samples` begin and end at zero; these samples begin at its sample `start`, in place."""
    n_in, n_out = (min(round(seconds * sample_rate), n_samples) for seconds in (FADE_IN_S, FADE_OUT_S))
    stop = start + samples.shape[1]
    if start < n_in:
        rise = np.linspace(0, 1, n_in, dtype=np.float32)[start:stop]
        samples[:, : len(rise)] *= rise
    first = max(start, n_samples - n_out)
    if first < stop:
        fall = np.cos(np.linspace(0, np.pi / 2, n_out)).astype(np.float32) ** 2
        fall[-1] = 0.0
        samples[:, first - start :] *= fall[first - (n_samples - n_out) : stop - (n_samples - n_out)]
