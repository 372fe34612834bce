"""Oscillators: a cycle that is read at a pitch.

The phase is a whole number, 2**32 to a cycle: it wraps by itself and never drifts.

Legend: n samples, r rows of a table, m samples of a cycle (a power of two).
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from musicgen.composer.sound.articulation import CONTROL_HOP, SAMPLE_RATE
from musicgen.composer.sound.resampling import Samples
from musicgen.composer.sound.synthesis.curves import Curve

Phases = NDArray[np.uint32]
# Samples that are worked out at a time: they fit the processor's cache.
BLOCK = 2**14
CYCLE_BITS = 32
CYCLE = 1 << CYCLE_BITS
SINE_LENGTH = 4096
# A hop's squares are halved and divided by its length: 2 * 64 = 2**7.
SQUARE_BITS = (2 * CONTROL_HOP).bit_length() - 1


class Phase:
    """The phase of an oscillator whose frequency moves in straight lines between control points."""

    def __init__(self, hertz: Curve | float, begin: float = 0.0) -> None:
        """Prepare a phase.

        Args:
            hertz: frequency, or its value at each control point.
            begin: where in its cycle the oscillator begins, 0 to 1.
        """
        self._begin = int(begin * CYCLE)
        steps = np.rint(np.asarray(hertz) / SAMPLE_RATE * CYCLE).astype(np.int64)
        self._step = int(steps.flat[0])
        self._moves = bool(np.any(steps != self._step))
        if self._moves:
            self._steps, self._turns = steps[:-1], np.diff(steps)
            advanced = self._steps * CONTROL_HOP + (self._turns * (CONTROL_HOP * CONTROL_HOP) >> SQUARE_BITS)
            self._starts = self._begin + np.concatenate([[0], np.cumsum(advanced)[:-1]])

    def between(self, start: int, stop: int) -> Phases:
        """Return the phase of the samples from `start`, a multiple of the hop, to `stop`."""
        if not self._moves:
            begin = (self._begin + start * self._step) % CYCLE
            return np.arange(stop - start, dtype=np.uint32) * np.uint32(self._step) + np.uint32(begin)
        span = slice(start // CONTROL_HOP, -(-stop // CONTROL_HOP))
        at = np.arange(CONTROL_HOP)
        starts, steps, turns = (values[span, None] for values in (self._starts, self._steps, self._turns))
        phases: Phases = (starts + steps * at + (turns * (at * at) >> SQUARE_BITS)).astype(np.uint32)
        return phases.ravel()[: stop - start]


class Wavetable:
    """Cycles, one a row, read at any phase and between rows."""

    def __init__(self, cycles: Samples) -> None:
        """Keep (r, m) float32 cycles."""
        self.n_rows, self._m = cycles.shape
        self._shift = CYCLE_BITS - (self._m.bit_length() - 1)
        # Scaled for the phase's fraction as a whole number.
        rises = (np.roll(cycles, -1, 1) - cycles) * np.float32(2.0**-self._shift)
        self._values, self._rises = cycles.ravel(), rises.ravel()

    def read(self, phase: Phases, row: Samples | float = 0.0) -> Samples:
        """Return the waves at (n,) phases, in a row of the table or between two of them, as (n,) float32."""
        place = (phase >> self._shift).astype(np.intp)
        fraction = (phase & ((1 << self._shift) - 1)).astype(np.float32)
        if isinstance(row, float):
            first: int | NDArray[np.intp] = min(int(row), self.n_rows - 1)
            share: np.float32 | Samples = np.float32(row - first)
            if share == 0:
                return self._at(place + first * self._m, fraction)
        else:
            first = np.clip(row.astype(np.intp), 0, self.n_rows - 2)
            share = (row - first).astype(np.float32)
        place += first * self._m
        lower = self._at(place, fraction)
        return lower + (self._at(place + self._m, fraction) - lower) * share

    def _at(self, place: NDArray[np.intp], fraction: Samples) -> Samples:
        return self._values.take(place) + self._rises.take(place) * fraction


@cache
def sine() -> Wavetable:
    """Return the table of a sine."""
    cycle = np.sin(2 * np.pi * np.arange(SINE_LENGTH) / SINE_LENGTH)
    return Wavetable(cycle[None].astype(np.float32))
