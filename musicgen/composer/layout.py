"""The layout of a piece: the form's kinds laid out over the bars, each grown out of the ones before it.

Decides energy, who plays, variations, transitions and the key lift of every section, from the tables of `forms.toml`
and `development.toml` under the weights of the style. Writes no notes.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from musicgen.composer.casting import Chair
from musicgen.composer.development import (
    REHARMONISATIONS,
    SECOND_VOICES,
    Close,
    all_intros,
    all_textures,
    usual_weights,
)
from musicgen.composer.forms import SectionKind, all_forms, fill_bars
from musicgen.composer.section import Section, can_vary, is_supplied
from musicgen.composer.style import Style

# Energy that a prompt's arousal adds to, or takes from, every section.
AROUSAL_SHARE = 0.6
LEAST_ENERGY = 0.05
# A piece of a single section of at least so many bars grows by this much in itself.
BARS_TO_GROW, ALONE_RISES = 6, 0.25
# Sections that lead up to something go over into one that is stronger by at least this.
RISE_INTO = 0.08
# The last choruses of pieces of at least so many bars and seconds may stand higher, by so many semitones.
LIFT_BARS, LIFT_S, LIFTS = 40, 100.0, (1, 2)
# In how many ways a section differs that returns.
WAYS = 2
# Share of the sections that begin with a pick-up, where their kind may.
PICKUP_SHARE = 0.4


@dataclass(frozen=True, slots=True)
class Frame:
    """What a piece's sections have to fit.

    Attributes:
        style: whose form they follow.
        band: who may play.
        mode: of the key; in some modes chords are not varied.
        n_bars: their number of bars together.
        bar_s: length of a bar in seconds.
        arousal: 0 to 1.
        intro: name of the intro, in `development.toml`.
        close: how the piece ends.
        may_lift: whether the key may change.
    """

    style: Style
    band: tuple[Chair, ...]
    mode: str
    n_bars: int
    bar_s: float
    arousal: float
    intro: str
    close: Close
    may_lift: bool

    def weight(self, name: str) -> float:
        """How often the style uses a variation, an exit or a texture, against others."""
        return self.style.develop.get(name, usual_weights()[name])


def lay_out(frame: Frame, seed: str) -> tuple[Section, ...]:
    """Fill the bars with the sections of the style's form; the randomness comes from `seed`."""
    kinds = _shaped(frame)
    sections: list[Section] = []
    first_bar = 0
    for index, (_, bars) in enumerate(kinds):
        sections.append(_section(frame, kinds, index, first_bar, random.Random(f"{seed}/form/{index}")))
        first_bar += bars
    if not any(section.melody for section in sections):
        sections[-1] = replace(sections[-1], melody=True)
    sections = [_with_exit(frame, sections, kinds, i, random.Random(f"{seed}/exit/{i}")) for i in range(len(sections))]
    return _lifted(frame, sections, random.Random(f"{seed}/lift"))


def _shaped(frame: Frame) -> list[tuple[SectionKind, int]]:
    """Give the form's opening and closing section the shape of the piece's intro and ending."""
    form = all_forms()[frame.style.form]
    kinds = list(fill_bars(frame.style.form, frame.n_bars, frame.bar_s))
    if len(kinds) == 1:
        kind, bars = kinds[0]
        rises = ALONE_RISES if bars >= BARS_TO_GROW else 0.0
        return [(replace(kind, energy=kind.energy - rises / 2, rises=rises), bars)]
    if kinds[0][0].name == form.opening:
        kinds[0] = (_changed(frame, kinds[0][0], all_intros()[frame.intro]), kinds[0][1])
    if kinds[-1][0].name == form.closing:
        kinds[-1] = (_changed(frame, kinds[-1][0], frame.close.changes), kinds[-1][1])
    return kinds


def _changed(frame: Frame, kind: SectionKind, changes: Mapping[str, Any]) -> SectionKind:
    """Return a kind with the changes of an intro or ending; the energy that these name is added."""
    told = dict(changes)
    texture = told.pop("texture", None)
    kind = replace(kind, energy=kind.energy + told.pop("energy", 0.0), **told)
    return replace(kind, textures=(texture,)) if texture and is_supplied(frame.band, texture) else kind


def _section(
    frame: Frame, kinds: Sequence[tuple[SectionKind, int]], index: int, first_bar: int, rng: random.Random
) -> Section:
    kind, bars = kinds[index]
    names = [other.name for other, _ in kinds]
    occurrence, is_last = names[:index].count(kind.name), kind.name not in names[index + 1 :]
    energy = kind.energy + AROUSAL_SHARE * (frame.arousal - 0.5) + kind.grows * occurrence
    texture = _draw(frame, [t for t in kind.textures if is_supplied(frame.band, t)], rng) or "full"
    roles = all_textures()[texture].roles
    section = Section(
        name=kind.name,
        material=f"{kind.material} {occurrence + 1}" if kind.fresh and occurrence else kind.material,
        first_bar=first_bar,
        bars=bars,
        energy=_clamped(energy),
        melody=kind.melody and (roles is None or "melody" in roles),
        to_energy=_clamped(energy + kind.rises),
        texture=texture,
        from_bar=kind.from_bar,
        over=kind.over if kind.over in {other.material for other, _ in kinds} else "",
    )
    return replace(section, variations=_vary(frame, kind, section, occurrence, is_last, rng))


def _clamped(energy: float) -> float:
    return round(min(max(energy, LEAST_ENERGY), 1.0), 3)


def _vary(
    frame: Frame, kind: SectionKind, section: Section, occurrence: int, is_last: bool, rng: random.Random
) -> tuple[str, ...]:
    """Choose how a section differs: in two ways when it returns, and in one more for the last of its kind.

    Sections may begin with a pick-up the first time as well.
    """
    chosen = [name for name in kind.always if can_vary(frame.band, frame.mode, section, name)]
    if "pickup" in kind.vary and rng.random() < PICKUP_SHARE * frame.weight("pickup"):
        chosen += ["pickup"] if can_vary(frame.band, frame.mode, section, "pickup") else []
    for pool, times in ((kind.vary, WAYS if occurrence else 0), (kind.finale, int(is_last and occurrence > 0))):
        for _ in range(times):
            free = [
                n
                for n in pool
                if n != "pickup" and _goes_with(n, chosen) and can_vary(frame.band, frame.mode, section, n)
            ]
            drawn = _draw(frame, free, rng)
            chosen += [drawn] if drawn else []
    return tuple(chosen)


def _goes_with(name: str, chosen: Sequence[str]) -> bool:
    """One octave, one second voice, and one change of the chords are enough for a section."""
    groups = (SECOND_VOICES, REHARMONISATIONS, ("octave_up", "octave_down"), ("ornament", "simplify"))
    return name not in chosen and not any(name in group and set(group) & set(chosen) for group in groups)


def _draw(frame: Frame, names: Sequence[str], rng: random.Random) -> str | None:
    """Draw one of `names` by the style's weights, None where there is none to draw; takes one number from `rng`."""
    chance = rng.random()
    weights = [frame.weight(name) for name in names]
    if sum(weights) <= 0:
        return None
    return random.Random(chance).choices(list(names), weights)[0]


def _with_exit(
    frame: Frame,
    sections: Sequence[Section],
    kinds: Sequence[tuple[SectionKind, int]],
    index: int,
    rng: random.Random,
) -> Section:
    """Choose how a section goes over into the next: only a stronger one is led up to; the last goes to its end."""
    section = sections[index]
    roles = {chair.layer.role for chair in frame.band}
    if index == len(sections) - 1:
        strikes = frame.close.short and "drums" in roles and section.bars > 1
        return replace(section, exit="stabs" if strikes else "plain")
    rises = sections[index + 1].energy >= section.energy + RISE_INTO
    allowed = [
        name
        for name in kinds[index][0].exits
        if (rises or name not in ("build", "breath"))
        and ("drums" in roles or name not in ("build", "stabs", "breath"))
        and section.bars > 1
    ]
    return replace(section, exit=_draw(frame, allowed, rng) or "plain")


def _lifted(frame: Frame, sections: Sequence[Section], rng: random.Random) -> tuple[Section, ...]:
    """Lift the key from the last return of the strongest section on, in some long pieces of styles that do so."""
    lifts, by = rng.random() < frame.weight("lift"), rng.choice(LIFTS)
    is_long = frame.n_bars >= LIFT_BARS and frame.n_bars * frame.bar_s >= LIFT_S
    if not (lifts and frame.may_lift and is_long):
        return tuple(sections)
    strongest = max(sections, key=lambda section: (section.melody, section.energy)).name
    start = max(i for i, section in enumerate(sections) if section.name == strongest)
    if start < len(sections) / 2:
        return tuple(sections)
    return tuple(replace(section, lift=by if i >= start else 0) for i, section in enumerate(sections))
