"""The progression: the chords of every bar of a piece. Plan in; chords by section and bar, cadence and last chord out.

Each material's phrase is written once and repeated through its sections; the last bar leads into the last chord.
"""

import random
from dataclasses import dataclass

from musicgen.composer.chords import Chord
from musicgen.composer.harmony import Bars, final_chord, write_cadence, write_chords
from musicgen.composer.plan import Plan, Section

PHRASE_BARS = 8


@dataclass(frozen=True, slots=True)
class Progression:
    """The chords of a piece.

    Attributes:
        sections: for each section of the plan, for each of its bars, one or more chords of equal length.
        last: the chord on which the piece ends.
    """

    sections: tuple[Bars, ...]
    last: Chord


def write_progression(plan: Plan, seed: str) -> Progression:
    """Write the chords of the plan's piece; the randomness comes from `seed`."""
    phrases: dict[str, Bars] = {}
    sections: list[Bars] = []
    for section in plan.sections:
        if section.material not in phrases:
            rng = random.Random(f"{seed}/harmony/{section.material}")
            n_bars = phrase_length(plan, section.material)
            phrases[section.material] = write_chords(plan.style.harmony, plan.key.mode, n_bars, rng)
        sections.append(repeat_bars(phrases[section.material], section.bars))
    last = final_chord(plan.style.harmony, plan.key.mode)
    cadence = write_cadence(plan.style.harmony, plan.key.mode)
    if plan.n_bars == 1:
        cadence = (last, cadence[-1])
    sections[-1] = (*sections[-1][:-1], cadence)
    return Progression(tuple(sections), last)


def repeat_bars(bars: Bars, n_bars: int) -> Bars:
    """Repeat the chords of some bars until they fill `n_bars`."""
    return tuple(bars[i % len(bars)] for i in range(n_bars))


def phrase_length(plan: Plan, material: str) -> int:
    """Length in bars of the phrase that the sections of this material repeat."""
    longest = max(section.bars for section in plan.sections if section.material == material)
    if longest % 12 == 0:
        return 12
    return min(PHRASE_BARS, longest)


def phrase_chords(plan: Plan, progression: Progression, material: str) -> Bars:
    """Return the chords over which a material's melody is written: those of its first section that has each bar.

    The cadence of the piece is taken only where no other section has that bar.
    """
    own = [i for i, section in enumerate(plan.sections) if section.material == material]
    return tuple(
        progression.sections[next((i for i in own if _has_plain_bar(plan, i, bar)), own[-1])][bar]
        for bar in range(phrase_length(plan, material))
    )


def _has_plain_bar(plan: Plan, index: int, bar: int) -> bool:
    section: Section = plan.sections[index]
    is_cadence = index == len(plan.sections) - 1 and bar == section.bars - 1
    return bar < section.bars and not is_cadence
