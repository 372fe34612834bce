"""The grid language: rhythms as text, one character a step.

A grid is a bar, or several separated by "/"; "|" and spaces are for the eye. Its number of characters sets the length
of a step: in 4/4, 16 characters are sixteenths, 12 are triplet eighths. "." is silence, "-" holds what sounded before,
any other character is an event whose meaning the player knows. See docs/styles.md.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from musicgen.notation import TimeSignature

REST, HOLD = ".", "-"
# Where the quarters of a beat fall when its rhythm is played in a compound metre, in thirds of the dotted beat.
COMPOUND_THIRDS = (0, 1, 2, 2)


@dataclass(frozen=True, slots=True)
class GridEvent:
    """A character that sounds: `onset` and `duration` in quarter notes from the start of the bar."""

    onset: float
    duration: float
    symbol: str


@cache
def bars_of(grid: str) -> tuple[str, ...]:
    """Split a grid into its bars, without the marks that are for the eye."""
    return tuple("".join(bar.replace("|", "").split()) for bar in grid.split("/"))


@cache
def read_bar(bar: str, written_in: TimeSignature, played_in: TimeSignature) -> tuple[GridEvent, ...]:
    """Read one bar of a grid written in one time signature as it is played in another.

    A longer bar starts the pattern again, a shorter one ends it early; a compound metre turns each beat into three.
    """
    step = written_in.bar_quarters / len(bar)
    if played_in.is_compound and not written_in.is_compound:
        cells = _in_thirds(bar, step, played_in)
    else:
        n_steps = round(played_in.bar_quarters / step)
        cells = [(i * step, bar[i % len(bar)]) for i in range(n_steps)]
    return tuple(_events(cells, played_in.bar_quarters))


def _in_thirds(bar: str, step: float, played_in: TimeSignature) -> list[tuple[float, str]]:
    """Place the beats of a simple metre on the dotted beats of a compound one; first come, first served."""
    cells: dict[float, str] = {}
    n_beats = played_in.beats // 3
    for i, symbol in enumerate(bar):
        beat, within = divmod(i * step, 1.0)
        if beat < n_beats:
            place = beat * 1.5 + COMPOUND_THIRDS[min(int(within * 4), 3)] * 0.5
            if cells.get(place, REST) in (REST, HOLD):
                cells[place] = symbol
    return sorted(cells.items())


def _events(cells: list[tuple[float, str]], bar_quarters: float) -> Iterator[GridEvent]:
    ends = [onset for onset, _ in cells[1:]] + [bar_quarters]
    for i, (onset, symbol) in enumerate(cells):
        if symbol in (REST, HOLD):
            continue
        last = i
        while last + 1 < len(cells) and cells[last + 1][1] == HOLD:
            last += 1
        yield GridEvent(onset, ends[last] - onset, symbol)
