"""Forms: which sections make a piece, and how their lengths fill the bars that there are. Read from `forms.toml`."""

import math
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

# Bars of about this length give sections their usual number of bars; shorter bars make more of them, within limits.
USUAL_BAR_S = 2.3
LEAST_STRETCH, MOST_STRETCH = 0.65, 1.3
# A unit of bars that is not divided: a blues chorus.
WHOLE_UNIT = 12
# What it costs to have a bar left over, and what each further section is worth, against a section of half its length.
LEFT_OVER_COST, SECTION_GAIN = 0.06, 0.025
MOST_LEFT_OVER = 3
# Sections without a melody are no longer than this, bars that are left over aside.
MOST_BARS_UNSUNG = 8
# What a bar without melody costs beyond this share of the piece.
MOST_UNSUNG, UNSUNG_COST = 0.14, 2.0
# Pieces up to so many seconds, or too short for two sections, are one section of any length.
MOST_ALONE_S, MOST_BARS_ALONE = 20.0, 7


@dataclass(frozen=True, slots=True)
class SectionKind:
    """What a form says of one kind of section.

    Attributes:
        name: intro, verse, chorus, ...
        bars: usual length.
        energy: 0 to 1, at its beginning.
        material: sections of the same material share chords and melody.
        melody: whether the melody sings.
        rises: what the energy gains from beginning to end; negative where it falls.
        grows: what the energy gains each time the section returns.
        textures: who may play, names in `development.toml`.
        always: how it is varied in any case.
        vary: how it may be varied when it returns.
        finale: how the last of its kind may be varied as well.
        exits: how it may go over into the next section.
        from_bar: the bar of the material's phrase with which it begins.
        over: the material whose chords it plays, if not its own.
        fresh: whether its melody is a new one each time.
    """

    name: str
    bars: int
    energy: float
    material: str
    melody: bool
    rises: float = 0.0
    grows: float = 0.0
    textures: tuple[str, ...] = ("full",)
    always: tuple[str, ...] = ()
    vary: tuple[str, ...] = ()
    finale: tuple[str, ...] = ()
    exits: tuple[str, ...] = ("plain",)
    from_bar: int = 0
    over: str | None = None
    fresh: bool = False


@dataclass(frozen=True, slots=True)
class Form:
    """Orders in which sections may follow, shortest first.

    Attributes:
        unit: the number of bars in which lengths are counted.
        opening, closing: the kinds of section that a style's intros and endings shape.
        orders: the kinds of section, in order.
    """

    unit: int
    opening: str
    closing: str
    orders: tuple[tuple[SectionKind, ...], ...]


# What the lengths of an order's kinds of section cost together, and the lengths in bars.
_Lengths = tuple[float, dict[SectionKind, int]]


@cache
def all_forms() -> dict[str, Form]:
    """Read every form, by name."""
    table = tomllib.loads(Path(__file__).with_name("forms.toml").read_text(encoding="utf-8"))
    return {name: _form(entry) for name, entry in table.items()}


def _form(entry: dict[str, Any]) -> Form:
    kinds = {name: _kind(name, section) for name, section in entry["sections"].items()}
    orders = tuple(tuple(kinds[name] for name in order) for order in entry["orders"])
    return Form(entry["unit"], entry["opening"], entry["closing"], orders)


def _kind(name: str, entry: dict[str, Any]) -> SectionKind:
    told: dict[str, Any] = {field: tuple(value) if isinstance(value, list) else value for field, value in entry.items()}
    return SectionKind(name=name, **told)


@lru_cache(maxsize=256)
def fill_bars(form_name: str, n_bars: int, bar_s: float = USUAL_BAR_S) -> tuple[tuple[SectionKind, int], ...]:
    """Choose the order and the lengths that suit `n_bars` bars of `bar_s` seconds best; they add up exactly.

    What makes no whole section lengthens the piece's opening and its close.
    """
    form = all_forms()[form_name]
    stretch = min(max(USUAL_BAR_S / bar_s, LEAST_STRETCH), MOST_STRETCH)
    found: list[tuple[float, list[int], tuple[SectionKind, ...]]] = []
    is_short = n_bars <= MOST_BARS_ALONE or n_bars * bar_s <= MOST_ALONE_S
    for order in form.orders:
        if len(order) == 1 and not is_short and form.unit != WHOLE_UNIT:
            continue
        lengths = _cheapest_lengths(form, order, n_bars, stretch, is_short)
        for left_over in range(min(MOST_LEFT_OVER, n_bars - 1) + 1):
            if n_bars - left_over in lengths:
                cost, of_kind = lengths[n_bars - left_over]
                total = cost / n_bars + LEFT_OVER_COST * left_over - SECTION_GAIN * len(order)
                found.append((total, _with_rest([of_kind[kind] for kind in order], order, left_over), order))
    if not found and n_bars < _usual_bars(form.orders[0]):
        return ((form.orders[0][0], n_bars),)
    if not found:
        return _longest(form, n_bars)
    _, bars, order = min(found, key=lambda candidate: candidate[0])
    return tuple(zip(order, bars, strict=True))


def _longest(form: Form, n_bars: int) -> tuple[tuple[SectionKind, int], ...]:
    """Lengthen the sections of the longest order that fits, by whole units: for pieces that no order makes exactly."""
    kinds = next((order for order in reversed(form.orders) if _usual_bars(order) <= n_bars), form.orders[0])
    bars = [kind.bars * max(1, n_bars // _usual_bars(kinds)) for kind in kinds]
    while n_bars - sum(bars) >= form.unit:
        for i, kind in enumerate(kinds):
            if n_bars - sum(bars) >= form.unit and kind.bars >= form.unit:
                bars[i] += form.unit
    return tuple(zip(kinds, _with_rest(bars, kinds, n_bars - sum(bars)), strict=True))


def _usual_bars(order: tuple[SectionKind, ...]) -> int:
    return sum(kind.bars for kind in order)


def _cheapest_lengths(
    form: Form, order: tuple[SectionKind, ...], most: int, stretch: float, is_short: bool
) -> dict[int, _Lengths]:
    """For every number of bars up to `most` that the order's sections can have together: the cheapest lengths.

    An order of one section makes all of a piece that `is_short`, and of others only what is whole.
    """
    reached: dict[int, _Lengths] = {0: (0.0, {})}
    for kind, times in Counter(order).items():
        further: dict[int, _Lengths] = {}
        for total, (cost, of_kind) in reached.items():
            for length, price in _lengths(form, kind, stretch, most if len(order) == 1 and is_short else None):
                unsung = 0.0 if kind.melody else UNSUNG_COST * max(0.0, length - MOST_UNSUNG * most)
                together, price = total + times * length, cost + times * (price + unsung)
                if together <= most and (together not in further or price < further[together][0]):
                    further[together] = (price, of_kind | {kind: length})
        reached = further
    return reached


def _lengths(form: Form, kind: SectionKind, stretch: float, alone: int | None) -> Iterator[tuple[int, float]]:
    """Yield the lengths in bars that a section may have, and their costs; `alone` is the piece's, where it is all."""
    usual = kind.bars * (1.0 if form.unit == WHOLE_UNIT else stretch)
    if alone is not None:
        options = {alone}
    elif form.unit == WHOLE_UNIT and kind.bars % WHOLE_UNIT == 0:
        options = {kind.bars}
    else:
        options = {kind.bars // 2, kind.bars}
        if kind.melody or kind.bars < MOST_BARS_UNSUNG:
            options.add(2 * kind.bars)
    for length in sorted(options):
        yield length, max(length, usual) * math.log2(length / usual) ** 2


def _with_rest(bars: list[int], order: tuple[SectionKind, ...], rest: int) -> list[int]:
    """Give pairs of bars that are left over to an opening without melody, the others to the close."""
    lengthened = list(bars)
    first = 0 if len(bars) > 1 and not order[0].melody else -1
    lengthened[first] += rest // 2 * 2
    lengthened[-1] += rest % 2
    return lengthened
