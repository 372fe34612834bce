"""Human drumming as the composer writes music: the bars of the Groove MIDI set, their swing found and taken out.

DATA_DIR holds `groove_midi/bars.jsonl.gz`: bars of 4/4 on a grid of 16 steps, each stroke as step, drum, velocity and
offset from the step (in steps, -0.5 to 0.5). Swung eighths and triplets have no place on that grid; once the swing of a
performance is known and undone they have. Data: Gillick, Roberts, Engel, Eck, Bamman, "Learning to Groove with Inverse
Sequence Transformations", ICML 2019, CC BY 4.0.
"""

import gzip
import json
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

STEPS = 16  # in a bar of 4/4
# Names of the data -> names of `instruments.PERCUSSION`.
DRUMS = {
    "kick": "kick", "snare": "snare", "rim": "rim", "hh_closed": "hat", "hh_open": "open_hat", "hh_pedal": "pedal_hat",
    "ride": "ride", "ride_bell": "bell", "crash": "crash", "tom_low": "tom_low", "tom_mid": "tom_mid",
    "tom_high": "tom_high",
}  # fmt: skip
# Which styles of the data make a group that styles of ours may name. A part of a style ("jazz/swing") is named where
# the whole has other music too; of the styles left out there is too little, or no style of ours is near to them.
GROUPS = {
    "blues": ("blues/shuffle", "rock/shuffle"),
    "bossa": ("latin/brazilian-bossa", "latin/brazilian"),
    "country": ("country", "rock/folk"),
    "dance": ("dance/disco",),
    "funk": ("funk", "funk/fast", "funk/groove1", "funk/groove2", "funk/groove5", "funk/rock", "neworleans/funk"),
    "gospel": ("gospel", "soul/motown"),
    "hiphop": ("hiphop",),
    "jazz": ("jazz", "jazz/swing", "jazz/fast", "jazz/mediumfast"),
    "latin": ("afrocuban", "latin", "latin/brazilian-songo", "latin/dominican-merengue", "neworleans/chacha"),
    "pop": ("pop",),
    "punk": ("punk",),
    "reggae": ("reggae",),
    "rock": ("rock", "rock/indie", "rock/groove8", "rock/prog"),
    "soul": ("soul",),
}
# Families of the data that are taken whole, whatever follows the slash.
WHOLE = frozenset({"afrocuban", "hiphop", "pop", "punk", "reggae", "soul"})

# How a stroke lies around its place in the search for swing: most near it (ms), some anywhere.
NEAR_MS, ANYWHERE = 16.0, 0.1
RATIOS = np.arange(0.51, 0.73, 0.01)
UNITS = (0.5, 0.25)  # swung eighths, swung sixteenths, in quarters
LEAST_GAIN = 0.02  # nats a stroke that swing must explain better than straight time
LEAST_STROKES, MOST_STROKES = 24, 1000  # the first so many tell enough
# Sixteenths faster than this (quarters a minute) are not swung; what looks so is scatter.
SIXTEENTH_TEMPO = 125.0
LAG_WINDOW = 0.1  # quarters around the beat in which a performance's delay is looked for


@dataclass(frozen=True, slots=True)
class Stroke:
    """One stroke: drum, bar, step of the bar with the swing undone, velocity, delay behind its (swung) place in ms."""

    drum: str
    bar: int
    step: int
    velocity: int
    lag_ms: float


@dataclass(frozen=True, slots=True)
class Performance:
    """What one drummer played in one go.

    Attributes:
        name: its path in the data.
        group: one of `GROUPS`.
        tempo: quarter notes a minute.
        unit: the swung note in quarters, 0.5 or 0.25.
        ratio: where the off-beat falls in its pair, 0.5 straight.
        is_fill: whether it is a fill of a bar or so, no groove.
        bars: numbers of its bars, in order.
        strokes: in the order of time.
    """

    name: str
    group: str
    tempo: float
    unit: float
    ratio: float
    is_fill: bool
    bars: tuple[int, ...]
    strokes: tuple[Stroke, ...]


def group_of(style: str) -> str | None:
    """Return the group that a style of the data ("funk/groove1") belongs to."""
    for group, styles in GROUPS.items():
        if style in styles or (style.split("/")[0] in WHOLE and style.split("/")[0] in styles):
            return group
    return None


def read_performances(data_dir: Path, grooves: bool = True) -> list[Performance]:
    """Read the performances that belong to a group: grooves, or the fills."""
    found: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    with gzip.open(data_dir / "groove_midi" / "bars.jsonl.gz", "rt", encoding="utf-8") as lines:
        for bar in map(json.loads, lines):
            group = group_of(bar["style"])
            if group and (bar["type"] == "beat") == grooves:
                found[bar["id"], group].append(bar)
    return [_performance(name, group, bars, not grooves) for (name, group), bars in found.items()]


def _performance(name: str, group: str, bars: list[dict[str, Any]], is_fill: bool) -> Performance:
    tempo = float(bars[0]["bpm"])
    hits = [
        (bar["bar"], drum, velocity, (step + offset) / 4)
        for bar in bars
        for step, drum, velocity, offset in bar["hits"]
    ]
    unit, ratio = find_swing(np.array([place for *_, place in hits]), tempo)
    strokes = []
    for bar, drum, velocity, place in hits:
        step = round(float(undo_swing(place, unit, ratio)) * 4)
        lag = place - swung(step / 4, unit, ratio)
        strokes.append(Stroke(DRUMS[drum], bar + step // STEPS, step % STEPS, velocity, lag * 60_000 / tempo))
    numbers = tuple(sorted({bar["bar"] for bar in bars}))
    ordered = tuple(sorted(strokes, key=lambda s: (s.bar, s.step, s.drum)))
    return Performance(name, group, tempo, unit, ratio, is_fill, numbers, ordered)


def find_swing(places: Floats, tempo: float) -> tuple[float, float]:
    """Find the swing that explains best where strokes fall; `places` (n,) in quarters from a bar line.

    Returns the swung unit in quarters and the off-beat's place in its pair, or (0.5, 0.5): straight time.
    """
    if len(places) < LEAST_STROKES:
        return 0.5, 0.5
    off_beat = places - np.round(places)
    near = np.abs(off_beat) < LAG_WINDOW
    places = (places - (np.median(off_beat[near]) if near.any() else 0.0))[:MOST_STROKES]
    straight = _likelihood(places, tempo, 0.5, 0.5)
    units = UNITS if tempo <= SIXTEENTH_TEMPO else UNITS[:1]
    gain, unit, ratio = max((_likelihood(places, tempo, u, r) - straight, u, float(r)) for u in units for r in RATIOS)
    return (unit, ratio) if gain >= LEAST_GAIN and ratio < RATIOS[-1] else (0.5, 0.5)


def _likelihood(places: Floats, tempo: float, unit: float, ratio: float) -> float:
    """Mean log-likelihood of strokes that fall on or between the swung sixteenths."""
    grid = np.round(undo_swing(places, unit, ratio) * 4) / 4
    miss_ms = (places - swung(grid, unit, ratio)) * 60_000 / tempo
    near = np.exp(-0.5 * (miss_ms / NEAR_MS) ** 2) / (NEAR_MS * np.sqrt(2 * np.pi))
    return float(np.mean(np.log((1 - ANYWHERE) * near + ANYWHERE * tempo / 15_000)))


def undo_swing(place: Floats | float, unit: float, ratio: float) -> Floats:
    """Move places (quarters) to where they would be in straight time."""
    start, within = _split(place, unit)
    return start + 2 * unit * np.where(within < ratio, within / (2 * ratio), 0.5 + (within - ratio) / (2 * (1 - ratio)))


def swung(place: Floats | float, unit: float, ratio: float) -> Floats:
    """Move places (quarters) of straight time to where swing has them."""
    start, within = _split(place, unit)
    return start + 2 * unit * np.where(within < 0.5, within * 2 * ratio, ratio + (within - 0.5) * 2 * (1 - ratio))


def _split(place: Floats | float, unit: float) -> tuple[Floats, Floats]:
    pairs = np.asarray(place) / (2 * unit)
    return np.floor(pairs) * 2 * unit, pairs - np.floor(pairs)
