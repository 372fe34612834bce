"""Performance: what a player does to the written notes: swing, loose timing, dynamics, one note at a time.

Drummers of a style that names a groove play as `drumming` has learned it from people; everyone else is loose by chance.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from musicgen.composer.arrangement.drumming import play_as_drummer
from musicgen.composer.groove import swing_of_style
from musicgen.composer.plan import Plan
from musicgen.composer.score import Note

VELOCITY_SPREAD = 4.0
# Dynamics of the quietest and the loudest section, as a factor of the written velocity.
SOFTEST, LOUDEST = 0.72, 1.08
MONOPHONIC_ROLES = frozenset({"melody", "counter", "bass"})
# Drummers keep time better than the others.
DRUM_LOOSENESS = 0.6


def perform(notes: Sequence[Note], role: str, plan: Plan, rng: random.Random) -> tuple[Note, ...]:
    """Play written notes as a human would: the swing, the style's looseness, the sections' dynamics."""
    if role in MONOPHONIC_ROLES:
        notes = _one_at_a_time(notes)
    as_drummer = role == "drums" and plan.style.groove is not None
    touched = play_as_drummer(notes, plan, rng) if as_drummer else _play_loosely(notes, role, plan, rng)
    played = []
    for note, lag, factor in touched:
        onset = max(0.0, swing(note.onset, plan) + lag)
        duration = max(0.05, swing(note.onset + note.duration, plan) - swing(note.onset, plan))
        velocity = note.velocity * factor * (SOFTEST + (LOUDEST - SOFTEST) * plan.energy_at(note.onset))
        played.append(replace(note, onset=onset, duration=duration, velocity=round(min(max(velocity, 1), 127))))
    return tuple(sorted(played, key=lambda n: (n.onset, n.pitch)))


def _play_loosely(
    notes: Sequence[Note], role: str, plan: Plan, rng: random.Random
) -> Iterator[tuple[Note, float, float]]:
    """Yield each note, how late it falls by chance (quarter notes) and the factor of its velocity."""
    loose = plan.style.looseness_s * plan.tempo / 60 * (DRUM_LOOSENESS if role == "drums" else 1.0)
    for note in notes:
        lag = max(-2.0, min(2.0, rng.gauss(0, 1))) * loose
        yield note, lag, 1 + rng.gauss(0, VELOCITY_SPREAD) / note.velocity


def swing(onset: float, plan: Plan) -> float:
    """Move an onset (quarters) within its pair of notes so that the off-beat falls where swing puts it."""
    ratio, unit = swing_of(plan)
    pair = 2 * unit
    if ratio == 0.5 or plan.time_signature.is_compound or onset >= plan.ending:
        return onset
    start, place = onset - onset % pair, onset % pair / pair
    if _is_triplet(place):
        return onset
    warped = place * 2 * ratio if place < 0.5 else ratio + (place - 0.5) * 2 * (1 - ratio)
    return start + warped * pair


def swing_of(plan: Plan) -> tuple[float, float]:
    """Return where the off-beat falls within its pair, 0.5 straight, and the swung note in quarters."""
    return swing_of_style(plan.style, plan.tempo)


def _is_triplet(place: float) -> bool:
    """Whether a place in a pair, 0 to 1, is a third or a sixth of it: written triplets swing already."""
    sixths = place * 6
    return abs(sixths - round(sixths)) < 1e-6 and round(sixths) % 3 != 0


def _one_at_a_time(notes: Sequence[Note]) -> list[Note]:
    """End each note where the next one begins."""
    ordered = sorted(notes, key=lambda n: n.onset)
    followed = [replace(n, duration=min(n.duration, after.onset - n.onset)) for n, after in pairwise(ordered)]
    return [*followed, *ordered[-1:]]
