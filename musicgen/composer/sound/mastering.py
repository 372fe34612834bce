"""The last step: a mix at the loudness that streaming services play, without a peak over the ceiling.

Owns level, limiter and the edges of a track. Does not know scores, nor how loudness is measured (`musicgen.loudness`).
The limiter looks ahead, closes and opens smoothly, and moves both channels alike.
"""

from functools import cached_property

import numpy as np
import scipy.ndimage
import scipy.optimize
from numpy.typing import NDArray

from musicgen.composer.sound.resampling import Samples
from musicgen.loudness import integrated_loudness, true_peak_db
from musicgen.waveform import Waveform

TARGET_LUFS = -14.0
CEILING_DB = -1.0
LOUDNESS_TOLERANCE_LU = 0.1
# The limiter works on samples; between them a peak can be this much higher.
BETWEEN_SAMPLES_DB = 0.5
# Peaks are lowered by at most this much: a sparse piece stays under the target instead of being pumped.
MAX_LIMITING_DB = 12.0
# The limiter's gain is worked out for blocks of this many samples (0.7 ms), ahead by so many blocks (5 ms).
BLOCK, LOOK_AHEAD_BLOCKS = 32, 7
RELEASE_DB_PER_S = 120.0
MAX_PASSES = 4
CHUNK = BLOCK * 2048
FADE_IN_S, FADE_OUT_S = 0.001, 0.03

Curve = NDArray[np.float64]


def master(waveform: Waveform) -> Waveform:
    """Bring a mix to -14 LUFS with a true peak of at most -1 dBTP; silence stays silence.

    A piece whose peaks would have to be lowered by more than `MAX_LIMITING_DB` stays quieter than that.

    Returns:
        as many samples, without DC, that begin and end at zero.

    Raises:
        ValueError: samples are NaN or infinite.
    """
    loudness = integrated_loudness(waveform)
    mix = _Mix(waveform)
    if not np.isfinite(loudness) or not np.any(mix.peaks):
        return Waveform(_edged(mix.at(0.0, None), waveform.sample_rate), waveform.sample_rate)
    peak_db = _db(float(np.max(mix.peaks)))
    ceiling_db = CEILING_DB - BETWEEN_SAMPLES_DB
    loss = 0.0
    for _ in range(MAX_PASSES):
        highest_db = ceiling_db - peak_db + MAX_LIMITING_DB
        gain_db = mix.solve_gain(TARGET_LUFS - loudness + loss, ceiling_db, highest_db)
        limiting = mix.limiting(gain_db, ceiling_db)
        mastered = Waveform(_edged(mix.at(gain_db, limiting), waveform.sample_rate), waveform.sample_rate)
        missing = TARGET_LUFS - integrated_loudness(mastered)
        over_db = true_peak_db(mastered) - CEILING_DB
        if over_db <= 0 and (abs(missing) <= LOUDNESS_TOLERANCE_LU or gain_db >= highest_db):
            return mastered
        loss += missing
        if over_db > 0:
            ceiling_db -= over_db + 0.02
    mastered.samples[:] *= np.float32(10 ** (-max(over_db + 0.01, 0.0) / 20))
    return mastered


class _Mix:
    """A mix and what the limiter needs to know of it.

    Attributes:
        peaks: (blocks,) largest level of either channel.
        powers: (blocks,) sum of squares of both channels.
    """

    def __init__(self, waveform: Waveform) -> None:
        self._samples = waveform.samples
        self._release_db = RELEASE_DB_PER_S * BLOCK / waveform.sample_rate
        total = waveform.samples.sum(axis=1, dtype=np.float64, keepdims=True)
        self._mean = (total / max(waveform.n_samples, 1)).astype(np.float32)
        self._mastered = np.empty_like(waveform.samples)
        n_blocks = -(-waveform.n_samples // BLOCK)
        self.peaks, self.powers = np.zeros(n_blocks), np.zeros(n_blocks)
        for start in range(0, waveform.n_samples, CHUNK):
            chunk = self._samples[:, start : start + CHUNK] - self._mean
            blocks = np.pad(chunk, ((0, 0), (0, -chunk.shape[1] % BLOCK))).reshape(2, -1, BLOCK)
            span = slice(start // BLOCK, start // BLOCK + blocks.shape[1])
            self.peaks[span] = np.abs(blocks).max(axis=(0, 2))
            self.powers[span] = np.square(blocks).sum(axis=(0, 2))

    @cached_property
    def _peaks_db(self) -> Curve:
        return 20 * np.log10(np.maximum(self.peaks, 1e-9))

    def limiting(self, gain_db: float, ceiling_db: float) -> Curve | None:
        """Return the limiter's gain, (blocks,) dB, for a mix amplified by `gain_db`; None where it has none to do."""
        needed = np.minimum(ceiling_db - gain_db - self._peaks_db, 0.0)
        if not np.any(needed):
            return None
        size = 2 * LOOK_AHEAD_BLOCKS + 1
        held = scipy.ndimage.minimum_filter1d(needed, size, mode="nearest")
        # Opens at a fixed rate in dB: a running minimum of straight lines.
        slope = np.arange(len(held)) * self._release_db
        opened = np.minimum.accumulate(held - slope) + slope
        window = np.hanning(size + 2)[1:-1]
        # A mean of values that each reach far enough down does so, too.
        return scipy.ndimage.convolve1d(np.minimum(opened, 0.0), window / window.sum(), mode="nearest")

    def solve_gain(self, wanted_db: float, ceiling_db: float, highest_db: float) -> float:
        """Find the gain, at most `highest_db`, that makes the mix louder by `wanted_db` after the limiter's losses."""

        def excess_db(gain_db: float) -> float:
            return gain_db - self._loss_db(self.limiting(gain_db, ceiling_db)) - wanted_db

        if wanted_db >= highest_db or excess_db(highest_db) <= 0:
            return highest_db
        if excess_db(wanted_db) >= 0:
            return wanted_db
        return float(scipy.optimize.brentq(excess_db, wanted_db, highest_db, xtol=LOUDNESS_TOLERANCE_LU / 5))

    def _loss_db(self, limiting: Curve | None) -> float:
        """Estimate by how much the limiter makes the mix softer, 0 or more."""
        if limiting is None:
            return 0.0
        return float(10 * np.log10(np.sum(self.powers) / np.sum(self.powers * 10 ** (limiting / 10))))

    def at(self, gain_db: float, limiting: Curve | None) -> Samples:
        """Return the mix amplified and limited, without DC; the array is the same one at every call."""
        gain = np.float32(10 ** (gain_db / 20))
        edges = None if limiting is None else _edge_gains(limiting) * gain
        ramp = (np.arange(BLOCK, dtype=np.float32) + np.float32(0.5)) / np.float32(BLOCK)
        for start in range(0, self._samples.shape[1], CHUNK):
            target = self._mastered[:, start : start + CHUNK]
            np.subtract(self._samples[:, start : start + CHUNK], self._mean, out=target)
            if edges is None:
                target *= gain
                continue
            first, stop = start // BLOCK, start // BLOCK + -(-target.shape[1] // BLOCK)
            before, after = edges[first:stop, None], edges[first + 1 : stop + 1, None]
            target *= (before + (after - before) * ramp).reshape(-1)[: target.shape[1]]
        return self._mastered


def _edge_gains(limiting: Curve) -> Samples:
    """Return the gains between blocks, one more than blocks: none above that of a block beside it."""
    padded = np.concatenate([limiting[:1], limiting, limiting[-1:]])
    return (10 ** (np.minimum(padded[:-1], padded[1:]) / 20)).astype(np.float32)


def _edged(samples: Samples, sample_rate: int) -> Samples:
    """Let a track begin and end at zero, in place."""
    n_in, n_out = (min(round(seconds * sample_rate), samples.shape[1]) for seconds in (FADE_IN_S, FADE_OUT_S))
    samples[:, :n_in] *= np.linspace(0, 1, n_in, dtype=np.float32)
    samples[:, samples.shape[1] - n_out :] *= np.cos(np.linspace(0, np.pi / 2, n_out)).astype(np.float32) ** 2
    if n_out:
        samples[:, -1] = 0.0
    return samples


def _db(amplitude: float) -> float:
    return 20 * float(np.log10(amplitude))
