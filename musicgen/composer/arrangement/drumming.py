"""Drumming: how a human drummer plays written strokes, by the figures of the style's groove."""

import math
import random
from collections.abc import Iterator, Sequence
from itertools import groupby

from musicgen.composer.groove import all_grooves
from musicgen.composer.plan import Plan
from musicgen.composer.score import Note

STEP = 0.25  # quarter notes
SOFT_VELOCITY = 60  # written strokes below are ghost notes
# Strokes stay within this many standard deviations of their mean.
MAX_DEVIATIONS = 2.0


class _Drift:
    """A chance that wanders: unit variance, part of it shared by neighbours."""

    def __init__(self, share: float, correlation: float, rng: random.Random) -> None:
        self._shared, self._own = math.sqrt(share), math.sqrt(1 - share)
        self._keep, self._renew = correlation, math.sqrt(1 - correlation**2)
        self._rng = rng
        self._at = rng.gauss(0, 1)

    def step(self) -> None:
        """Move on to the next struck step."""
        self._at = self._keep * self._at + self._renew * self._rng.gauss(0, 1)

    def draw(self) -> float:
        """Draw the deviation of one stroke, in standard deviations."""
        drawn = self._shared * self._at + self._own * self._rng.gauss(0, 1)
        return max(-MAX_DEVIATIONS, min(MAX_DEVIATIONS, drawn))


def play_as_drummer(notes: Sequence[Note], plan: Plan, rng: random.Random) -> Iterator[tuple[Note, float, float]]:
    """Yield each written stroke, how late it falls (quarter notes) and the factor of its velocity.

    Raises:
        KeyError: the style's groove is none of the statistics.
    """
    groove = all_grooves()[plan.style.groove or ""]
    quarters_a_ms = plan.tempo / 60_000 * (groove.reference_tempo / plan.tempo) ** groove.tempo_exponent
    timing, loudness = (_Drift(*drift, rng) for drift in (groove.timing_drift, groove.velocity_drift))
    for onset, strokes in groupby(sorted(notes, key=lambda n: (n.onset, n.pitch)), key=lambda n: n.onset):
        step = round(onset % plan.time_signature.bar_quarters / STEP) % 16
        timing.step()
        loudness.step()
        for note in strokes:
            touch = groove.touch(note.pitch)
            lag_ms = touch.lag_ms[step] + touch.lag_spread_ms[step] * timing.draw()
            level, spread = touch.level[step], touch.level_spread[step]
            if note.velocity < SOFT_VELOCITY:
                level, spread = 1.0, touch.soft_spread
            yield note, lag_ms * quarters_a_ms, level * (1 + spread * loudness.draw())
