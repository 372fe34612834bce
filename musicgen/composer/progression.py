"""The progression: the chords of every bar of a piece. Plan in; chords by section and bar, cadence and last chord out.

Each material's phrase is written once and repeated through its sections, which vary it as the plan says. The chords of
a section count from its own tonic, which a key lift sets above that of the piece.
"""

import random
from dataclasses import dataclass

from musicgen.composer.chords import Chord
from musicgen.composer.development import REHARMONISATIONS, all_closes
from musicgen.composer.harmony import Bars, final_chord, parse_bars, write_cadence, write_chords
from musicgen.composer.plan import Plan
from musicgen.composer.reharmonisation import reharmonise

PHRASE_BARS, BLUES_BARS = 8, 12
# Materials are told apart by the roots of their first bars; so many attempts are made to have them differ.
TELLING_BARS, ATTEMPTS = 4, 5


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
    for index, section in enumerate(plan.sections):
        if section.harmony not in phrases:
            phrases[section.harmony] = _write_phrase(plan, section.harmony, list(phrases.values()), seed)
        phrase = phrases[section.harmony]
        for name in (name for name in section.variations if name in REHARMONISATIONS):
            phrase = reharmonise(phrase, name, plan.key.mode, random.Random(f"{seed}/{name}/{index}"))
        sections.append(repeat_bars(phrase, section.bars, section.from_bar))
    _prepare_lifts(plan, sections)
    last = _close(plan, sections)
    return Progression(tuple(sections), last)


def _write_phrase(plan: Plan, harmony: str, others: list[Bars], seed: str) -> Bars:
    """Write the chords of a material, in a few attempts unlike those of the others."""
    rng = random.Random(f"{seed}/harmony/{harmony}")
    n_bars = _phrase_bars(max(section.bars for section in plan.sections if section.harmony == harmony))
    for _ in range(ATTEMPTS):
        phrase = write_chords(plan.style.harmony, plan.key.mode, n_bars, rng)
        if not any(_begin_alike(phrase, other) for other in others):
            break
    return phrase


def _begin_alike(one: Bars, other: Bars) -> bool:
    roots = [[chord.offset for bar in bars[:TELLING_BARS] for chord in bar[:1]] for bars in (one, other)]
    shortest = min(map(len, roots))
    return roots[0][:shortest] == roots[1][:shortest]


def _prepare_lifts(plan: Plan, sections: list[Bars]) -> None:
    """Lead into a section that stands in another key by its dominant, in the last half bar before it."""
    for i in range(len(sections) - 1):
        by = plan.sections[i + 1].lift - plan.sections[i].lift
        if by:
            before = sections[i][-1][0]
            sections[i] = (*sections[i][:-1], (before, Chord((7 + by) % 12, "7")))


def _close(plan: Plan, sections: list[Bars]) -> Chord:
    """Write the bars that lead into the last chord, and return that chord."""
    close, mode = all_closes()[plan.close], plan.key.mode
    last = Chord.parse(close.last[mode]) if mode in close.last else final_chord(plan.style.harmony, mode)
    cadence: Bars = (write_cadence(plan.style.harmony, mode),)
    if mode in close.chords and plan.n_bars >= PHRASE_BARS and len(sections[-1]) >= 4:
        cadence = parse_bars(close.chords[mode])
    if plan.n_bars == 1:
        cadence = ((last, cadence[0][-1]),)
    sections[-1] = (*sections[-1][: -len(cadence)], *cadence)
    return last


def repeat_bars(bars: Bars, n_bars: int, from_bar: int = 0) -> Bars:
    """Repeat the chords of some bars, from the bar `from_bar` of them on, until they fill `n_bars`."""
    own = bars[from_bar:] or bars
    return tuple(own[i % len(own)] for i in range(n_bars))


def phrase_length(plan: Plan, material: str) -> int:
    """Length in bars of the phrase that the sections of this material repeat."""
    return _phrase_bars(max(section.bars for section in plan.sections if section.material == material))


def _phrase_bars(longest: int) -> int:
    if longest % BLUES_BARS in (0, 1) and longest >= BLUES_BARS:
        return BLUES_BARS
    return min(PHRASE_BARS, longest)


def phrase_chords(plan: Plan, progression: Progression, material: str) -> Bars:
    """Return the chords over which a material's melody is written: for each bar those of the plainest section.

    Sections whose chords are not varied come first, then those that sing; the cadence of the piece is taken only where
    no other section has that bar.
    """
    return tuple(_plainest(plan, progression, material, bar) for bar in range(phrase_length(plan, material)))


def _plainest(plan: Plan, progression: Progression, material: str, bar: int) -> tuple[Chord, ...]:
    found = []
    for index, section in enumerate(plan.sections):
        own = bar - section.from_bar
        if section.material == material and 0 <= own < section.bars:
            ends = own == section.bars - 1 and (
                index == len(plan.sections) - 1 or plan.sections[index + 1].lift != section.lift
            )
            is_varied = any(name in REHARMONISATIONS for name in section.variations)
            found.append(((ends, is_varied, not section.melody, index), progression.sections[index][own]))
    return min(found, key=lambda candidate: candidate[0])[1] if found else progression.sections[0][0]
