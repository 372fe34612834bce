"""Figures of written music: the melody against its chords, bars that return, drums against human drumming.

Reference figures are those of the data sets (docs/data.md); the drumming is read from the Groove MIDI bars where a
DATA_DIR is given.
"""

import gzip
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from musicgen.composer.composition import Composition
from musicgen.composer.instruments import PERCUSSION
from musicgen.composer.score import DRUM_BANK

STEPS = 16  # steps in a bar of 4/4
MICRO_TIMING = 0.3  # strokes further from their step, in steps, are off the grid: triplets, swing
LEAST_STROKES = 4
# Which drums of the score and of the data are the same for the comparison; others are not compared.
DRUM_GROUPS = {
    "kick": "kick", "snare": "snare", "rim": "snare", "clap": "snare", "hat": "hat", "open_hat": "hat",
    "hh_closed": "hat", "hh_open": "hat", "ride": "ride", "bell": "ride", "ride_bell": "ride",
}  # fmt: skip
DRUM_NAMES = {pitch: name for name, pitch in PERCUSSION.items()}


@dataclass(frozen=True, slots=True)
class Stroke:
    """One stroke: the piece, step of the bar 0 to 15, drum group, velocity, distance from the step (ms)."""

    piece: str
    step: int
    drum: str
    velocity: int
    offset_ms: float
    on_grid: bool


Bars = list[list[Stroke]]


def melody_figures(composition: Composition) -> dict[str, float]:
    """Return the shares of on-beat melody notes in the chord, of all in the scale, and of bars that return exactly."""
    key, sheet = composition.plan.key, composition.sheet
    on_beat = [n for n in sheet.melody if n.onset % 1 == 0]
    in_chord = [n.pitch % 12 in sheet.chord_at(n.onset).chord.pitch_classes(key) for n in on_beat]
    diatonic = [n.pitch % 12 in key.scale for n in sheet.melody]
    bars = list(melody_bars(composition))
    return {
        "in_chord": float(np.mean(in_chord)) if in_chord else float("nan"),
        "diatonic": float(np.mean(diatonic)),
        "repeats": 1 - len(set(bars)) / len(bars),
    }


def melody_bars(composition: Composition) -> Iterator[tuple[tuple[float, int], ...]]:
    """Yield each bar of the melody that has notes as (onset in the bar, pitch above the tonic)."""
    quarters = composition.plan.time_signature.bar_quarters
    bars: dict[int, list[tuple[float, int]]] = defaultdict(list)
    for note in composition.sheet.melody:
        bar, onset = divmod(note.onset, quarters)
        bars[int(bar)].append((round(onset, 3), note.pitch - composition.plan.key.tonic))
    yield from (tuple(bars[bar]) for bar in sorted(bars))


def shared_bars(one: Composition, other: Composition) -> float:
    """Return the share of melody bars of three notes or more that both pieces have."""
    first, second = ({bar for bar in melody_bars(piece) if len(bar) > 2} for piece in (one, other))
    return len(first & second) / max(1, min(len(first), len(second)))


def drum_bars(composition: Composition) -> Bars:
    """Read the drum part of a piece in 4/4 as bars of strokes, swing taken as part of the timing."""
    score = composition.score
    piece = f"{composition.brief.prompt} {score.duration_s} {score.parts[0].notes[:4]}"
    bars: dict[int, list[Stroke]] = defaultdict(list)
    for note in (n for part in score.parts if part.bank == DRUM_BANK for n in part.notes):
        group = DRUM_GROUPS.get(DRUM_NAMES.get(note.pitch, ""))
        if group and note.onset < composition.plan.ending - 0.1:
            place = round(note.onset * 4)
            offset_ms = (note.onset * 4 - place) * score.quarter_s * 250
            on_grid = abs(note.onset * 4 - place) <= MICRO_TIMING
            bars[place // STEPS].append(Stroke(piece, place % STEPS, group, note.velocity, offset_ms, on_grid))
    return [bars[bar] for bar in sorted(bars)]


def read_groove_bars(data_dir: Path) -> dict[str, Bars]:
    """Read the bars of beats, by the first word of the style."""
    bars: dict[str, Bars] = defaultdict(list)
    with gzip.open(data_dir / "groove_midi" / "bars.jsonl.gz", "rt", encoding="utf-8") as lines:
        for bar in map(json.loads, lines):
            if bar["type"] == "beat":
                step_ms = 15_000 / bar["bpm"]
                bars[bar["style"].split("/")[0]].append(
                    [
                        Stroke(
                            bar["id"], step, DRUM_GROUPS[drum], velocity, offset * step_ms, abs(offset) <= MICRO_TIMING
                        )
                        for step, drum, velocity, offset in bar["hits"]
                        if drum in DRUM_GROUPS
                    ]
                )
    return bars


def drum_figures(bars: Bars) -> dict[str, float]:
    """Return hits a bar, the mean lag (ms), and the spreads of velocity and of timing (ms).

    `cell_velocity_sd` and `timing_sd` are spreads around the mean of each drum and step of a piece, `lag_sd` is the
    spread of those means within a piece. Strokes far off the grid count as triplets, not as timing.
    """
    cells: dict[tuple[str, str, int], list[Stroke]] = defaultdict(list)
    for stroke in (s for bar in bars for s in bar):
        cells[stroke.piece, stroke.drum, stroke.step].append(stroke)
    strokes = [s for cell in cells.values() for s in cell]
    if not strokes:
        return {}
    on_grid = {cell: [s.offset_ms for s in hits if s.on_grid] for cell, hits in cells.items()}
    means: dict[str, list[float]] = defaultdict(list)
    for (piece, _, _), offsets in on_grid.items():
        if len(offsets) >= LEAST_STROKES:
            means[piece].append(float(np.mean(offsets)))
    return {
        "hits": len(strokes) / len(bars),
        "velocity_sd": float(np.std([s.velocity for s in strokes])),
        "cell_velocity_sd": _spread_within([s.velocity for s in hits] for hits in cells.values()),
        "timing_sd": _spread_within(on_grid.values()),
        "lag_mean": float(np.mean([s.offset_ms for s in strokes if s.on_grid])),
        "lag_sd": _spread_within(means.values()),
    }


def _spread_within(groups: Iterable[Sequence[float]]) -> float:
    """Return the standard deviation around the groups' own means, of those that are large enough to have one."""
    full = [group for group in groups if len(group) >= LEAST_STROKES]
    if not full:
        return float("nan")
    return float(np.sqrt(sum(np.var(g) * len(g) for g in full) / sum(len(g) - 1 for g in full)))


def step_histogram(bars: Bars) -> Counter[tuple[str, int]]:
    """Count strokes by drum and step."""
    return Counter((s.drum, s.step) for bar in bars for s in bar)


def histogram_distance(one: Counter[tuple[str, int]], other: Counter[tuple[str, int]]) -> float:
    """Return the total variation distance of two step histograms, 0 (equal) to 1."""
    n, m = max(1, one.total()), max(1, other.total())
    return 0.5 * sum(abs(one[cell] / n - other[cell] / m) for cell in set(one) | set(other))
