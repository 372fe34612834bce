"""Bass: how the grid of a bass line is read over the chords.

1 root, X the root accented, 2 to 7 the chord's or scale's tone of that number above it, 8 the octave, b the fifth
below, a a step into the next chord's root, w a walking step towards it.
"""

import random
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from musicgen.composer.arrangement.timeline import Bar, events_in, pattern_choices, pattern_of
from musicgen.composer.casting import Chair
from musicgen.composer.chords import MINOR_QUALITIES, Chord
from musicgen.composer.lead_sheet import ChordSpan
from musicgen.composer.plan import Plan
from musicgen.composer.score import Note

VELOCITY, ACCENTED_VELOCITY = 92, 122
MAJOR_STEPS = {"2": 2, "3": 4, "4": 5, "5": 7, "6": 9, "7": 10, "8": 12}
# Where a pedal may lie, semitones above the tonic.
PEDALS = (0, 7)
# Which intervals above the root count as each number, to be taken from the chord itself where it has them.
CHORD_STEPS = {"3": (3, 4), "5": (6, 7, 8), "7": (9, 10, 11)}


def play_bass(plan: Plan, chair: Chair, bars: Sequence[Bar], last: ChordSpan | None, rng: random.Random) -> list[Note]:
    """Play the bass line through the player's bars, and the last chord if there is one."""
    line: list[Note] = []
    choices = pattern_choices(plan, rng)
    following = {bar.start: after for bar, after in pairwise(bars)}
    for bar in bars:
        pattern = pattern_of(chair.layer, bar, choices)
        after = following.get(bar.start)
        target = after.chords[0] if after else last or bar.chords[-1]
        for event in events_in(bar, pattern.grids["grid"], plan.style.time_signature, plan.time_signature):
            span = _under(bar, event.onset)
            later = [s for s in bar.chords if s.onset > event.onset + 1e-6] or [target]
            root, goal = _root_pitch(span, chair), _root_pitch(later[0], chair)
            pitch = _read(event.symbol, span, root, goal, line, rng)
            velocity = ACCENTED_VELOCITY if event.symbol == "X" else VELOCITY
            line.append(Note(event.onset, event.duration, chair.instrument.in_range(pitch), velocity))
    if last:
        line.append(Note(last.onset, last.duration, _root_pitch(last, chair), VELOCITY))
    return line


def _under(bar: Bar, onset: float) -> ChordSpan:
    """Return what the bass plays by: the chord, or a pedal on whichever of tonic and dominant the chord has."""
    span = bar.chord_at(onset)
    if "pedal" not in bar.section.variations:
        return span
    tones = {(span.chord.offset + interval) % 12 for interval in span.chord.intervals}
    held = next((offset for offset in PEDALS if offset in tones), None)
    return span if held is None else replace(span, chord=Chord(held, "5"))


def _root_pitch(span: ChordSpan, chair: Chair) -> int:
    """Return the root nearest to the layer's centre that the instrument has."""
    centre = chair.centre
    pitch = centre - 6 + (span.chord.root(span.key) - centre + 6) % 12
    return chair.instrument.in_range(pitch)


def _read(symbol: str, span: ChordSpan, root: int, goal: int, line: list[Note], rng: random.Random) -> int:
    """Turn a symbol of the grid into a pitch."""
    chord = span.chord
    if symbol == "b":
        return root - 5
    if symbol == "a":
        return goal + rng.choice((-1, -2, 1 if chord.quality in MINOR_QUALITIES else 2))
    if symbol == "w":
        return _walk(span, root, goal, line, rng)
    if symbol in CHORD_STEPS:
        own = [i % 12 for i in chord.intervals if i % 12 in CHORD_STEPS[symbol]]
        return root + (own[0] if own else MAJOR_STEPS[symbol])
    return root + MAJOR_STEPS.get(symbol, 0)


def _walk(span: ChordSpan, root: int, goal: int, line: list[Note], rng: random.Random) -> int:
    """Step from the last note through chord and scale tones in the direction of the next root."""
    at = line[-1].pitch if line else root
    direction = 1 if goal > at or (goal == at and rng.random() < 0.5) else -1
    tones = set(span.pitch_classes) | (set(span.key.scale) if rng.random() < 0.45 else set())
    reachable = [p for p in range(at + direction, at + 6 * direction, direction) if p % 12 in tones]
    return reachable[0] if reachable else root
