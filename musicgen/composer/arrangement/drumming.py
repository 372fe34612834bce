"""Drumming: how a human drummer plays written strokes, by the figures of the style's groove."""

import math
import random
from collections.abc import Iterator, Sequence
from itertools import groupby

from musicgen.composer.groove import DRUM_NAMES, DrumTouch, all_grooves
from musicgen.composer.plan import Plan
from musicgen.composer.score import Note

STEP = 0.25  # quarter notes
SOFT_VELOCITY = 60  # written strokes below are ghost notes
WRITTEN_LOUD = 96  # what is written for a stroke as loud as drummers mostly strike
# Velocity of a full stroke: the snare leads, hats and cymbals stay below it.
FULL, FULL_OF = 112, {"snare": 120, "hat": 102, "open_hat": 104, "pedal_hat": 92, "ride": 102, "bell": 104}
# Kits were set up so differently that the groups' own full strokes are followed only so far.
SOFTEST_FULL, LOUDEST_FULL = 0.75, 1.05
LOUDEST_LEVEL = 1.15  # of a full stroke
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


class _Manner:
    """What is this drummer's own: how much later and louder each drum is played on each step."""

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._drawn: dict[tuple[int, int], tuple[float, float]] = {}

    def of(self, pitch: int, step: int) -> tuple[float, float]:
        """Return how much later and louder a drum is played on a step, in standard deviations."""
        if (pitch, step) not in self._drawn:
            rng = random.Random(f"{self._seed}/{pitch}/{step}")
            later, louder = (max(-MAX_DEVIATIONS, min(MAX_DEVIATIONS, rng.gauss(0, 1))) for _ in range(2))
            self._drawn[pitch, step] = later, louder
        return self._drawn[pitch, step]


def play_as_drummer(notes: Sequence[Note], plan: Plan, rng: random.Random) -> Iterator[tuple[Note, float, float]]:
    """Yield each written stroke, how late it falls (quarter notes) and the factor of its velocity.

    Raises:
        KeyError: the style's groove is none of the statistics.
    """
    groove = all_grooves()[plan.style.groove or ""]
    quarters_a_ms = plan.tempo / 60_000 * (groove.reference_tempo / plan.tempo) ** groove.tempo_exponent
    timing, loudness = (_Drift(*drift, rng) for drift in (groove.timing_drift, groove.velocity_drift))
    manner = _Manner(f"{rng.random()}")
    for onset, strokes in groupby(sorted(notes, key=lambda n: (n.onset, n.pitch)), key=lambda n: n.onset):
        step = round(onset % plan.time_signature.bar_quarters / STEP) % 16
        timing.step()
        loudness.step()
        for note in strokes:
            touch = groove.touch(note.pitch)
            # How this drummer differs from the others of the group on this step, throughout the piece.
            later, louder = manner.of(note.pitch, step)
            lag_ms = touch.lag_ms[step] + touch.lag_own_ms * later + touch.lag_spread_ms * timing.draw()
            full = FULL_OF.get(DRUM_NAMES.get(note.pitch, ""), FULL) * min(max(touch.full, SOFTEST_FULL), LOUDEST_FULL)
            velocity = full * _level(touch, step, note.velocity, louder, loudness.draw())
            yield note, lag_ms * quarters_a_ms, velocity / note.velocity


def _level(touch: DrumTouch, step: int, written: int, louder: float, chance: float) -> float:
    """Return how hard a written stroke is struck, as a share of a full one; the last two in standard deviations."""
    if written < SOFT_VELOCITY:
        return max(touch.soft + touch.soft_spread * chance, touch.soft / 2)
    level = touch.loud[step] * written / WRITTEN_LOUD + touch.loud_own * louder + touch.loud_spread * chance
    return min(level, LOUDEST_LEVEL)
