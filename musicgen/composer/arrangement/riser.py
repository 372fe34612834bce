"""Risers: one long note that leads into a section stronger than the one before, or into the end where there is none."""

from collections.abc import Iterator
from itertools import pairwise

from musicgen.composer.casting import Chair
from musicgen.composer.plan import Plan
from musicgen.composer.score import Note

VELOCITY = 90
# A section that is stronger by this much than the one before is worth a riser.
LEAST_GAIN = 0.15
# It lasts for the section before, or so many bars of it.
MOST_BARS = 4


def play_riser(plan: Plan, chair: Chair) -> list[Note]:
    """Rise into sections that the layer enters and that are much stronger than the one before; at least once."""
    notes = []
    for bars, goal in _goals(plan, chair.layer.enters):
        tonic = plan.key_of(plan.section_at(goal)).tonic
        pitch = chair.centre - 6 + (tonic - chair.centre + 6) % 12
        length = min(bars, MOST_BARS) * plan.time_signature.bar_quarters
        notes.append(Note(goal - length, length, pitch, VELOCITY))
    return notes


def _goals(plan: Plan, enters: float) -> Iterator[tuple[int, float]]:
    """Yield the length in bars of the section before, and the onset in quarters, of what is worth a riser."""
    rises = [
        (after.energy - before.energy, before.bars, after.first_bar * plan.time_signature.bar_quarters)
        for before, after in pairwise(plan.sections)
        if after.energy > before.energy and after.energy >= enters
    ]
    greatest = max((gain for gain, _, _ in rises), default=0.0)
    goals = [(bars, onset) for gain, bars, onset in rises if gain >= min(LEAST_GAIN, greatest)]
    yield from goals or [(plan.sections[-1].bars, plan.ending)]
