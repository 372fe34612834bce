"""The bars of a piece as players see them: where they are, which chords sound, how hard to play."""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from musicgen.composer.grid import GridEvent, bars_of, read_bar
from musicgen.composer.lead_sheet import ChordSpan, LeadSheet
from musicgen.composer.plan import Plan, Section
from musicgen.composer.style import Layer, Pattern
from musicgen.notation import TimeSignature


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of the piece.

    Attributes:
        start: onset in quarter notes.
        length: quarter notes.
        section: the section that it belongs to.
        index: its number within the section, from 0.
        chords: what sounds in it; the spans may begin before and end after the bar.
    """

    start: float
    length: float
    section: Section
    index: int
    chords: tuple[ChordSpan, ...]

    @property
    def ends_section(self) -> bool:
        """Whether the next bar belongs to another section."""
        return self.index == self.section.bars - 1

    def chord_at(self, onset: float) -> ChordSpan:
        """Return the chord that sounds at `onset` (quarters from the start of the piece)."""
        return next((span for span in reversed(self.chords) if span.onset <= onset + 1e-6), self.chords[0])


def bars_of_piece(plan: Plan, sheet: LeadSheet) -> Iterator[Bar]:
    """Yield the bars before the last chord; the last bar is as long as the plan's hold makes it."""
    bar_quarters = plan.time_signature.bar_quarters
    for section in plan.sections:
        for index in range(section.bars):
            start = (section.first_bar + index) * bar_quarters
            is_last = section is plan.sections[-1] and index == section.bars - 1
            length = bar_quarters + (plan.hold if is_last else 0.0)
            chords = tuple(s for s in sheet.chords if s.onset < start + length - 1e-6 and s.end > start + 1e-6)
            yield Bar(start, length, section, index, chords)


def plays_in(layer: Layer, section: Section) -> bool:
    """Whether the layer takes part in the section."""
    return layer.enters <= section.energy <= layer.leaves


def choose_pattern(patterns: tuple[Pattern, ...], energy: float, choice: int) -> Pattern:
    """Return the pattern for an energy (0 to 1): the highest level reached; `choice` picks among equals."""
    reached = [p for p in patterns if p.energy <= energy] or [min(patterns, key=lambda p: p.energy)]
    level = max(p.energy for p in reached)
    equals = [p for p in reached if p.energy == level]
    return equals[choice % len(equals)]


def pattern_choices(plan: Plan, rng: random.Random) -> dict[str, int]:
    """Draw for each material which of equal patterns it gets; sections that follow later do not change it."""
    base = rng.randrange(2**32)
    return {s.material: random.Random(f"{base}/{s.material}").randrange(2**16) for s in plan.sections}


def events_in(bar: Bar, grid: str, written_in: TimeSignature, played_in: TimeSignature) -> Iterator[GridEvent]:
    """Yield what a grid plays in a bar, with onsets in quarters from the start of the piece.

    An event that sounds on through a change of chord is struck again with the new chord.
    """
    bars = bars_of(grid)
    for event in read_bar(bars[bar.index % len(bars)], written_in, played_in):
        if event.onset >= bar.length - 1e-6:
            break
        onset, end = bar.start + event.onset, bar.start + min(event.onset + event.duration, bar.length)
        if event.onset + event.duration >= played_in.bar_quarters:
            end = bar.start + bar.length
        changes = [span.onset for span in bar.chords if onset + 1e-6 < span.onset < end - 1e-6]
        for begin, finish in zip([onset, *changes], [*changes, end], strict=True):
            yield GridEvent(begin, finish - begin, event.symbol)
