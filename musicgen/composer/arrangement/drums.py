"""Drums: grooves and fills from the style's grids, crashes where a section opens."""

import random
from collections.abc import Iterable, Iterator

from musicgen.composer.arrangement.timeline import Bar, choose_pattern, events_in, pattern_choices, plays_in
from musicgen.composer.casting import Chair
from musicgen.composer.instruments import PERCUSSION
from musicgen.composer.plan import Plan
from musicgen.composer.score import Note
from musicgen.composer.style import Pattern, Style

VELOCITY = {"X": 114, "x": 96, "o": 72, "g": 42}
STRIKE = 0.25  # quarter notes; percussion rings as long as it likes
CRASH_ENERGY, FILL_ENERGY = 0.6, 0.4
FINAL_STRIKES = (("kick", 104), ("crash", 92))


def play_drums(plan: Plan, chair: Chair, bars: Iterable[Bar], rng: random.Random) -> list[Note]:
    """Play the drum part; `rng` picks among equal grooves for each material and among the fills."""
    notes: list[Note] = []
    choices = pattern_choices(plan, rng)
    before: Bar | None = None
    for bar in bars:
        fill = rng.randrange(2**16)
        if plays_in(chair.layer, bar.section):
            pattern = _pattern(plan.style, chair, bar, plan, choices[bar.section.material], fill)
            notes += _strike(plan, bar, pattern)
            opens = before is not None and bar.index == 0 and bar.section.energy >= CRASH_ENERGY
            if opens and plan.style.fills:
                notes.append(Note(bar.start, STRIKE, PERCUSSION["crash"], 90))
        before = bar
    if notes and plan.sections and plays_in(chair.layer, plan.sections[-1]):
        strikes = FINAL_STRIKES if plan.style.fills else FINAL_STRIKES[:1]
        notes += [Note(plan.ending, STRIKE, PERCUSSION[voice], velocity) for voice, velocity in strikes]
    return notes


def _pattern(style: Style, chair: Chair, bar: Bar, plan: Plan, choice: int, fill: int) -> Pattern:
    """Return the groove, or in the last bar of a section a fill that suits its energy."""
    fills = [pattern for pattern in style.fills if pattern.energy <= bar.section.energy]
    if fills and bar.ends_section and bar.section.energy >= FILL_ENERGY and bar.section.bars > 1:
        return fills[fill % len(fills)]
    return choose_pattern(chair.layer.patterns, bar.section.energy, choice)


def _strike(plan: Plan, bar: Bar, pattern: Pattern) -> Iterator[Note]:
    for voice, grid in pattern.grids.items():
        struck = -1.0
        for event in events_in(bar, grid, plan.style.time_signature, plan.time_signature):
            if event.symbol in VELOCITY and event.onset > struck:
                struck = event.onset
                yield Note(event.onset, STRIKE, PERCUSSION[voice], VELOCITY[event.symbol])
