"""Extensions: a plan that begins as another one does, and goes on. A plan's document in, a longer one out.

Every section of the original stays with its chords. What follows never makes a material's phrase longer or more
energetic than the original has it, so that its melody stays note for note what it was.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from musicgen.composer.brief import Brief
from musicgen.composer.plan import Plan, make_plan
from musicgen.composer.plan_document import pinned, read_document, write_document, write_section
from musicgen.composer.progression import phrase_chords, repeat_bars
from musicgen.composer.section import Section
from musicgen.errors import InvalidOptions

# What a last section is called when the piece goes on after it.
GOES_ON = {"outro": "interlude", "close": "interlude"}


def extend_document(document: Mapping[str, Any], brief: Brief, duration_s: float, seed: str) -> dict[str, Any]:
    """Lengthen a plan to `duration_s` seconds; `brief` and `seed` are those that it was made with.

    Raises:
        InvalidOptions: not even one bar is to be added.
    """
    plan, progression = read_document(document, brief, document["duration"], seed)
    whole = make_plan(pinned(brief, document), duration_s, seed)
    n_more = whole.n_bars - plan.n_bars
    if n_more < 1:
        bar_s = plan.time_signature.bar_quarters * 60 / plan.tempo
        least_s = plan.duration_s + bar_s
        text = f"{duration_s:g} s leave no room for another bar after {plan.duration_s:g} s; ask for {least_s:.1f} s."
        raise InvalidOptions({"duration": [text]})
    longer = write_document(plan, progression)
    sections = longer["sections"]
    cadence = sections[-1]["chords"][-1]
    sections[-1]["name"] = GOES_ON.get(sections[-1]["name"], sections[-1]["name"])
    phrases = {section.material: phrase_chords(plan, progression, section.material) for section in plan.sections}
    for section in _fitted(plan, _tail(whole.sections, n_more)):
        known = section.material in phrases
        bars = repeat_bars(phrases[section.material], section.bars, section.from_bar) if known else None
        sections.append(write_section(section, bars, plan.key_of(section)))
    if "chords" in sections[-1]:
        sections[-1]["chords"][-1] = cadence
    return longer | {"duration": duration_s}


def _tail(sections: tuple[Section, ...], n_bars: int) -> list[Section]:
    """Take the last `n_bars` bars of a form; a section that is cut keeps its end."""
    tail: list[Section] = []
    for section in reversed(sections):
        bars = min(section.bars, n_bars - sum(kept.bars for kept in tail))
        if bars > 0:
            tail.insert(0, replace(section, bars=bars))
    return tail


def _fitted(plan: Plan, sections: list[Section]) -> Iterator[Section]:
    """Yield sections that are no longer and no stronger than the plan's own of the same material."""
    for section in sections:
        own = [known for known in plan.sections if known.material == section.material]
        longest = max((known.bars for known in own), default=section.bars)
        energy = min(section.energy, max((known.energy for known in own), default=1.0))
        section = replace(section, energy=energy, lift=plan.sections[-1].lift)
        for start in range(0, section.bars, longest):
            yield replace(section, bars=min(longest, section.bars - start))
