"""Forms: which sections make a piece, and how their lengths fill the bars that there are. Read from `forms.toml`."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class SectionKind:
    """What a form says of one kind of section.

    Attributes:
        name: intro, verse, chorus, ...
        bars: usual length.
        energy: 0 to 1.
        material: sections of the same material share chords and melody.
        melody: whether the melody sings.
    """

    name: str
    bars: int
    energy: float
    material: str
    melody: bool


@dataclass(frozen=True, slots=True)
class Form:
    """Orders in which sections may follow, shortest first, and the `unit` of bars in which they stretch."""

    unit: int
    orders: tuple[tuple[SectionKind, ...], ...]


@cache
def all_forms() -> dict[str, Form]:
    """Read every form, by name."""
    table = tomllib.loads(Path(__file__).with_name("forms.toml").read_text(encoding="utf-8"))
    return {name: _form(entry) for name, entry in table.items()}


def _form(entry: dict[str, Any]) -> Form:
    kinds = {name: SectionKind(name=name, **section) for name, section in entry["sections"].items()}
    return Form(entry["unit"], tuple(tuple(kinds[name] for name in order) for order in entry["orders"]))


def fill_bars(form: Form, n_bars: int) -> list[tuple[SectionKind, int]]:
    """Choose the order nearest to `n_bars` and stretch it so that the bars add up exactly.

    Lengths change by whole units, longest sections first; what makes no unit is added to, or taken from, the beginning.
    """
    order = min(form.orders, key=lambda kinds: abs(sum(kind.bars for kind in kinds) - n_bars))
    bars = [kind.bars for kind in order]
    scale = n_bars / sum(bars)
    if scale > 1.5:
        bars = [b * round(scale) if b >= form.unit else b for b in bars]
    while n_bars - sum(bars) >= form.unit:
        bars[_shortest(bars, order)] += form.unit
    while sum(bars) - n_bars >= form.unit and max(bars) > form.unit:
        bars[bars.index(max(bars))] -= form.unit
    bars[0] += max(0, n_bars - sum(bars))
    _drop_from_front(bars, sum(bars) - n_bars)
    return [(kind, b) for kind, b in zip(order, bars, strict=True) if b > 0]


def _shortest(bars: list[int], order: tuple[SectionKind, ...]) -> int:
    """Index of the section that has grown least against its usual length, the later the better."""
    return min(range(len(bars)), key=lambda i: (bars[i] / order[i].bars, -order[i].energy))


def _drop_from_front(bars: list[int], surplus: int) -> None:
    """Shorten the first sections by `surplus` bars; some may be left with none."""
    for i in range(len(bars)):
        dropped = min(bars[i], max(0, surplus))
        bars[i] -= dropped
        surplus -= dropped
