"""Oscillators: a cycle that is read at a pitch. The phase is a whole number, 2**32 to a cycle, so it never drifts.

Legend: n samples, r rows of a table, m samples of a cycle (a power of two).
"""

from functools import lru_cache

import numpy as np
import torch

from musicgen.composer.sound.articulation import CONTROL_HOP, SAMPLE_RATE
from musicgen.composer.sound.resampling import Samples
from musicgen.composer.sound.synthesis.curves import Curve

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

    def between(self, start: int, stop: int, device: torch.device) -> torch.Tensor:
        """Return the phase of the samples from `start`, a multiple of the hop, to `stop` as int64, not yet wrapped."""
        if not self._moves:
            return torch.arange(stop - start, device=device) * self._step + (self._begin + start * self._step) % CYCLE
        span = slice(start // CONTROL_HOP, -(-stop // CONTROL_HOP))
        at = torch.arange(CONTROL_HOP, device=device)
        starts, steps, turns = (
            torch.as_tensor(values[span], device=device)[:, None] for values in (self._starts, self._steps, self._turns)
        )
        return (starts + steps * at + (turns * (at * at) >> SQUARE_BITS)).flatten()[: stop - start]


class Wavetable:
    """Cycles, one a row, read at any phase and between rows."""

    def __init__(self, cycles: Samples, device: torch.device) -> None:
        """Keep (r, m) float32 cycles on a device."""
        self.n_rows, self._m = cycles.shape
        self._shift = CYCLE_BITS - (self._m.bit_length() - 1)
        # Scaled for the phase's fraction as a whole number.
        rises = (np.roll(cycles, -1, 1) - cycles) * np.float32(2.0**-self._shift)
        self._values, self._rises = (torch.as_tensor(table.ravel(), device=device) for table in (cycles, rises))

    def read(self, phase: torch.Tensor, row: torch.Tensor | float = 0.0) -> torch.Tensor:
        """Return the waves at (n,) int64 phases, in a row of the table or between two of them, as (n,) float32."""
        place = (phase >> self._shift) & (self._m - 1)
        fraction = (phase & ((1 << self._shift) - 1)).to(torch.float32)
        if isinstance(row, float):
            first, share = min(int(row), self.n_rows - 1), row - min(int(row), self.n_rows - 1)
            if share == 0:
                return self._at(place + first * self._m, fraction)
        else:
            first = torch.clamp(row.to(torch.int64), 0, self.n_rows - 2)
            share = row - first
        place = place + first * self._m
        lower = self._at(place, fraction)
        return lower + (self._at(place + self._m, fraction) - lower) * share

    def _at(self, place: torch.Tensor, fraction: torch.Tensor) -> torch.Tensor:
        return self._values.index_select(0, place) + self._rises.index_select(0, place) * fraction


@lru_cache(maxsize=4)
def sine(device: torch.device) -> Wavetable:
    """Return the table of a sine."""
    cycle = np.sin(2 * np.pi * np.arange(SINE_LENGTH) / SINE_LENGTH)
    return Wavetable(cycle[None].astype(np.float32), device)
