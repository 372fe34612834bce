"""Performance: what a player does to the written notes: swing, loose timing, dynamics, one note at a time.

Drummers of a style that names a groove play as `drumming` has learned it from people; everyone else is loose by chance.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Self

import numpy as np
from numpy.typing import NDArray

from musicgen.composer.arrangement.drumming import play_as_drummer
from musicgen.composer.groove import swing_of_style
from musicgen.composer.plan import Plan
from musicgen.composer.score import Note

Curve = NDArray[np.float64]

VELOCITY_SPREAD = 4.0
# Dynamics of the quietest and the loudest section, as a factor of the written velocity.
SOFTEST, LOUDEST = 0.72, 1.08
MONOPHONIC_ROLES = frozenset({"melody", "counter", "bass"})
# Drummers keep time better than the others.
DRUM_LOOSENESS = 0.6


def perform(notes: Sequence[Note], role: str, plan: Plan, rng: random.Random) -> tuple[Note, ...]:
    """Play written notes as a human would: the swing, the style's looseness, the sections' dynamics."""
    if not notes:
        return ()
    if role in MONOPHONIC_ROLES:
        notes = _one_at_a_time(notes)
    if role == "drums" and plan.style.groove is not None:
        notes, *touches = zip(*play_as_drummer(notes, plan, rng), strict=True)
        lags, factors = np.array(touches)
    else:
        lags, factors = _touch_loosely(notes, role, plan, rng)
    onsets, durations, pitches, velocities = (
        np.array([getattr(note, name) for note in notes]) for name in ("onset", "duration", "pitch", "velocity")
    )
    swing = Swing.of(plan)
    starts = swing.moved(onsets)
    lengths = np.maximum(swing.moved(onsets + durations) - starts, 0.05)
    starts = np.maximum(starts + lags, 0.0)
    velocities = velocities * factors * (SOFTEST + (LOUDEST - SOFTEST) * plan.energies_at(onsets))
    velocities = np.rint(velocities.clip(1, 127)).astype(int)
    order = np.lexsort([pitches, starts])
    columns = (column[order].tolist() for column in (starts, lengths, pitches, velocities))
    return tuple(map(Note, *columns))


def _touch_loosely(notes: Sequence[Note], role: str, plan: Plan, rng: random.Random) -> tuple[Curve, Curve]:
    """Draw for each note how late it falls by chance (quarter notes) and the factor of its velocity."""
    late, loud = np.random.default_rng(rng.getrandbits(64)).standard_normal((len(notes), 2)).T
    loose = plan.style.looseness_s * plan.tempo / 60 * (DRUM_LOOSENESS if role == "drums" else 1.0)
    return late.clip(-2, 2) * loose, 1 + loud * VELOCITY_SPREAD / np.array([note.velocity for note in notes])


@dataclass(frozen=True, slots=True)
class Swing:
    """How a piece swings.

    Attributes:
        ratio: where the off-beat falls within its pair, 0.5 straight.
        unit: length of the swung note in quarters.
        until: onset in quarters from which nothing swings any more; in compound metres nothing ever does.
    """

    ratio: float
    unit: float
    until: float

    @classmethod
    def of(cls, plan: Plan) -> Self:
        """Return the swing of the plan's style at its tempo."""
        return cls(*swing_of_style(plan.style, plan.tempo), 0.0 if plan.time_signature.is_compound else plan.ending)

    def moved(self, onsets: Curve) -> Curve:
        """Move onsets within their pairs of notes so that the off-beats fall where swing puts them."""
        if self.ratio == 0.5:
            return onsets
        pair = 2 * self.unit
        within = onsets % pair
        places = within / pair
        ratio = self.ratio
        warped = np.where(places < 0.5, places * 2 * ratio, ratio + (places - 0.5) * 2 * (1 - ratio))
        stays = (onsets >= self.until) | _are_triplets(places)
        return np.where(stays, onsets, onsets - within + warped * pair)


def _are_triplets(places: Curve) -> NDArray[np.bool_]:
    """Whether places in a pair, 0 to 1, are thirds or sixths of it: written triplets swing already."""
    sixths = places * 6
    nearest = np.rint(sixths)
    triplets: NDArray[np.bool_] = (np.abs(sixths - nearest) < 1e-6) & (nearest % 3 != 0)
    return triplets


def _one_at_a_time(notes: Sequence[Note]) -> list[Note]:
    """End each note where the next one begins."""
    ordered = sorted(notes, key=lambda n: n.onset)
    followed = [_until(note, after.onset) for note, after in pairwise(ordered)]
    return [*followed, *ordered[-1:]]


def _until(note: Note, end: float) -> Note:
    """End a note at `end`, in quarters, if it lasts longer."""
    longest = end - note.onset
    return note if note.duration <= longest else replace(note, duration=longest)
