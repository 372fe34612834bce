"""The bars of a piece as players see them: where they are, which chords sound, how hard to play, who plays."""

import random
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from musicgen.composer.casting import Chair
from musicgen.composer.development import all_textures
from musicgen.composer.grid import GridEvent, bars_of, read_bar
from musicgen.composer.lead_sheet import ChordSpan, LeadSheet
from musicgen.composer.plan import Plan
from musicgen.composer.section import Section
from musicgen.composer.style import Layer, Pattern
from musicgen.notation import TimeSignature

# In sections that rise or fall players come and go every so many bars; in those longer than a phrase less often.
STEP_BARS, LONG_STEP_BARS, PHRASE_BARS = 2, 4, 8


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

    @property
    def energy(self) -> float:
        """The section's energy (0 to 1) as it is here."""
        step = STEP_BARS if self.section.bars <= PHRASE_BARS else LONG_STEP_BARS
        n_steps = -(-self.section.bars // step)
        share = self.index // step / (n_steps - 1) if n_steps > 1 else 0.0
        return self.section.energy + share * (self.section.to_energy - self.section.energy)

    def chord_at(self, onset: float) -> ChordSpan:
        """Return the chord that sounds at `onset` (quarters from the start of the piece)."""
        for span in reversed(self.chords):
            if span.onset <= onset + 1e-6:
                return span
        return self.chords[0]


def bars_of_piece(plan: Plan, sheet: LeadSheet) -> Iterator[Bar]:
    """Yield the bars before the last chord; the last bar is as long as the plan's hold makes it."""
    bar_quarters = plan.time_signature.bar_quarters
    onsets, ends = [span.onset for span in sheet.chords], [span.end for span in sheet.chords]
    for number, section in enumerate(plan.sections):
        for index in range(section.bars):
            start = (section.first_bar + index) * bar_quarters
            is_last = number == len(plan.sections) - 1 and index == section.bars - 1
            length = bar_quarters + (plan.hold if is_last else 0.0)
            first, last = bisect_right(ends, start + 1e-6), bisect_left(onsets, start + length - 1e-6)
            yield Bar(start, length, section, index, sheet.chords[first:last])


def bars_of_chair(plan: Plan, chair: Chair, bars: Sequence[Bar]) -> list[Bar]:
    """Return the bars that a player plays: those whose texture and energy ask for it."""
    return [bar for bar in bars if any(chair is player for player in _players(plan, bar))]


def _players(plan: Plan, bar: Bar) -> list[Chair]:
    """List who plays in a bar; where the energy calls nobody, the one who enters first."""
    texture = all_textures()[bar.section.texture]
    # Risers lead from section to section: they accompany nobody.
    band = [chair for chair in plan.band if chair.layer.role != "riser"]
    allowed = [chair for chair in band if texture.roles is None or chair.layer.role in texture.roles]
    if texture.one:
        accompanying = [chair for chair in allowed if chair.layer.role != "melody"]
        allowed = [chair for chair in allowed if chair.layer.role == "melody" or chair is accompanying[0]]
    playing = [chair for chair in allowed if chair.layer.enters <= bar.energy <= chair.layer.leaves]
    others = [chair for chair in allowed or band if chair.layer.role != "melody"]
    if others and not any(chair.layer.role != "melody" for chair in playing):
        playing.append(min(others, key=lambda chair: chair.layer.enters))
    return playing


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


def pattern_of(layer: Layer, bar: Bar, choices: Mapping[str, int]) -> Pattern:
    """Return the pattern that a layer plays in a bar; a section that is varied so takes the next of equal ones."""
    choice = choices[bar.section.material] + ("regroove" in bar.section.variations)
    return choose_pattern(layer.patterns, bar.energy, choice)


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
