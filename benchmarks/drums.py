"""Compare the composer's drumming with people's: the Groove MIDI set, like with like.

    python -m benchmarks.drums DATA_DIR

Both are read the same way: the swing of each piece is found from its strokes alone and undone, so that swung eighths
have a step of their own; toms, cymbals and the foot on the hat are compared, hand percussion (which the set does not
have) is not. Of ours those sections count in which the whole kit plays, with their fills, as people's have theirs.
Spreads are those within a piece, since every drummer's kit was set up otherwise. The statistics that the composer plays
from were learned from the same bars; how they do on bars kept out is told in docs/data.md.
"""

import random
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from musicgen.composer.arrangement.drums import play_drums
from musicgen.composer.arrangement.performance import perform
from musicgen.composer.arrangement.timeline import Bar, bars_of_chair
from musicgen.composer.composition import decide
from musicgen.composer.development import all_textures
from musicgen.composer.instruments import PERCUSSION
from musicgen.composer.plan import Plan
from musicgen.composer.score import Note
from musicgen.composer.style_file import all_styles
from musicgen.composer.training.groove_performances import (
    STEPS,
    Performance,
    find_swing,
    read_performances,
    swung,
    undo_swing,
)
from musicgen.options import GenerationOptions

SEEDS, DURATION_S = range(1, 9), 90.0
WHOLE_KIT_ENERGY = 0.42  # weaker sections leave drums out on purpose
LEAST_STROKES = 4
# Strokes further from their step, in steps, are flams and rolls.
MICRO_TIMING = 0.3
# A ghost note is below this share of the 90th percentile of its drum in the piece.
GHOST = 0.6
# Of each piece so many bars count towards what is played where, and so many are compared one by one.
COUNTED_BARS, COMPARED_BARS = 32, 40
KIT = {
    "kick": "kick", "snare": "snare", "rim": "snare", "clap": "snare", "hat": "hat", "open_hat": "hat", "ride": "ride",
    "bell": "ride", "pedal_hat": "foot", "crash": "crash", "tom_low": "tom", "tom_mid": "tom", "tom_high": "tom",
}  # fmt: skip
DRUM_NAMES = {pitch: name for name, pitch in PERCUSSION.items()}
# Which drummers of the Groove MIDI set a style is compared with.
DRUMMERS = {
    "rock": "rock", "indie": "rock", "metal": "rock", "punk": "punk", "pop": "pop", "funk": "funk", "disco": "dance",
    "soul": "soul", "gospel": "gospel", "hip_hop": "hiphop", "lofi": "hiphop", "jazz": "jazz", "bossa_nova": "bossa",
    "latin": "latin", "reggae": "reggae", "country": "country", "blues": "blues",
}  # fmt: skip
TITLES = {
    "hits": "hits a bar", "ghosts": "ghost notes, %", "velocity_sd": "velocity sd", "cell_velocity_sd": "velocity sd, "
    "one drum and step", "timing_sd": "timing sd, one drum and step, ms", "lag": "mean lag, ms", "lag_sd":
    "sd of the steps' mean lags, ms", "same": "strokes in common with the bar before, %", "swing": "swing, %",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Stroke:
    """One stroke: drum of the kit, step of the bar 0 to 15, velocity, delay behind its place in ms."""

    drum: str
    step: int
    velocity: int
    lag_ms: float


@dataclass(frozen=True, slots=True)
class Piece:
    """The bars of one performance, its tempo and where its off-beats fall (0.5 straight)."""

    bars: tuple[tuple[Stroke, ...], ...]
    tempo: float
    swing: float


def human_piece(performance: Performance) -> Piece:
    """Read a performance of the data."""
    bars: dict[int, list[Stroke]] = {bar: [] for bar in performance.bars}
    for s in performance.strokes:
        bars.get(s.bar, []).append(Stroke(KIT[s.drum], s.step, s.velocity, s.lag_ms))
    return Piece(tuple(map(tuple, bars.values())), performance.tempo, performance.ratio)


def our_piece(plan: Plan, notes: Sequence[Note]) -> Piece:
    """Read the drum part of a plan in 4/4."""
    notes = [note for note in notes if note.onset < plan.ending - 0.5]
    unit, ratio = find_swing(np.array([note.onset for note in notes]), plan.tempo)
    bars: dict[int, list[Stroke]] = defaultdict(list)
    for note in notes:
        drum = KIT.get(DRUM_NAMES[note.pitch])
        if drum:
            place = round(float(undo_swing(note.onset, unit, ratio)) * 4)
            lag = note.onset - float(swung(place / 4, unit, ratio))
            bars[place // STEPS].append(Stroke(drum, place % STEPS, note.velocity, lag * 60_000 / plan.tempo))
    whole = [
        tuple(bars[section.first_bar + i])
        for section in plan.sections
        if section.energy >= WHOLE_KIT_ENERGY and all_textures()[section.texture].roles is None
        for i in range(section.bars)
    ]
    return Piece(tuple(whole), plan.tempo, ratio)


def play(style: str, seed: int) -> tuple[Plan, tuple[Note, ...]] | None:
    """Write and play the drum part of a piece of a style, None where its band has no drummer."""
    plan = decide(GenerationOptions(all_styles()[style].example, duration=DURATION_S, seed=seed, time_signature="4/4"))[
        1
    ]
    quarters = plan.time_signature.bar_quarters
    bars = [
        Bar((section.first_bar + i) * quarters, quarters, section, i, ())
        for section in plan.sections
        for i in range(section.bars)
    ]
    for chair in plan.band:
        if chair.layer.role == "drums" and plan.style.name == style:
            written = play_drums(plan, chair, bars_of_chair(plan, chair, bars), True, random.Random(f"{seed}/drums"))
            return plan, perform(written, "drums", plan, random.Random(f"{seed}/performance"))
    return None


def figures(pieces: Sequence[Piece]) -> dict[str, float]:
    """Measure what `TITLES` names, over the bars of all pieces."""
    cells: dict[tuple[int, str, int], list[Stroke]] = defaultdict(list)
    velocities: dict[tuple[int, str], list[int]] = defaultdict(list)
    for i, piece in enumerate(pieces):
        for stroke in (s for bar in piece.bars for s in bar):
            cells[i, stroke.drum, stroke.step].append(stroke)
            velocities[i, stroke.drum].append(stroke.velocity)
    full = {drum: float(np.percentile(values, 90)) for drum, values in velocities.items()}
    lags = {
        cell: [s.lag_ms for s in strokes if abs(s.lag_ms) <= MICRO_TIMING * 15_000 / pieces[cell[0]].tempo]
        for cell, strokes in cells.items()
    }
    means: dict[int, list[float]] = defaultdict(list)
    for (i, _, _), values in lags.items():
        if len(values) >= LEAST_STROKES:
            means[i].append(float(np.mean(values)))
    n_bars = [len(piece.bars) for piece in pieces]
    pairs = [(_cells(a), _cells(b)) for piece in pieces for a, b in pairwise(piece.bars)]
    return {
        "hits": sum(map(len, cells.values())) / sum(n_bars),
        "ghosts": 100 * float(np.mean([s.velocity < GHOST * full[i, d] for (i, d, _), c in cells.items() for s in c])),
        "velocity_sd": _spread_within([[s.velocity for bar in piece.bars for s in bar] for piece in pieces]),
        "cell_velocity_sd": _spread_within([s.velocity for s in strokes] for strokes in cells.values()),
        "timing_sd": _spread_within(lags.values()),
        "lag": float(np.mean([lag for values in lags.values() for lag in values])),
        "lag_sd": _spread_within(means.values()),
        "same": 100 * float(np.mean([len(a & b) / max(1, len(a | b)) for a, b in pairs])),
        "swing": 100 * float(np.average([piece.swing for piece in pieces], weights=n_bars)),
    }


def _cells(bar: Iterable[Stroke]) -> set[tuple[str, int]]:
    return {(stroke.drum, stroke.step) for stroke in bar}


def _spread_within(groups: Iterable[Sequence[float]]) -> float:
    """Return the standard deviation around the groups' own means, of those that are large enough to have one."""
    large = [group for group in groups if len(group) >= LEAST_STROKES]
    if not large:
        return float("nan")
    return float(np.sqrt(sum(np.var(g) * len(g) for g in large) / sum(len(g) - 1 for g in large)))


def histogram(pieces: Iterable[Piece]) -> Counter[tuple[str, int]]:
    """Count in how many bars each drum is struck on each step; long pieces count no more than `COUNTED_BARS`."""
    counts: Counter[tuple[str, int]] = Counter()
    for piece in pieces:
        weight = min(1.0, COUNTED_BARS / max(1, len(piece.bars)))
        for bar in piece.bars:
            for cell in _cells(bar):
                counts[cell] += weight  # type: ignore[assignment]
    return counts


def histogram_distance(one: Counter[tuple[str, int]], other: Counter[tuple[str, int]]) -> float:
    """Return the total variation distance of two histograms, 0 (equal) to 1."""
    n, m = sum(one.values()), sum(other.values())
    return 0.5 * sum(abs(one[cell] / n - other[cell] / m) for cell in set(one) | set(other))


def nearest_bars(pieces: Sequence[Piece], human: Sequence[Piece]) -> float:
    """Return the mean share of strokes in which a bar differs from the nearest human bar of another piece."""
    drums = sorted(set(KIT.values()))
    grids = {
        id(piece): np.array([_grid(bar, drums) for bar in piece.bars[:COMPARED_BARS]]) for piece in (*pieces, *human)
    }
    nearest = []
    for piece in pieces:
        others = np.concatenate([grids[id(other)] for other in human if other is not piece])
        ours = grids[id(piece)]
        if len(ours):
            both = ours @ others.T
            either = ours.sum(axis=1)[:, None] + others.sum(axis=1) - both
            nearest.append((1 - both / np.maximum(either, 1)).min(axis=1))
    return float(np.mean(np.concatenate(nearest)))


def _grid(bar: Iterable[Stroke], drums: Sequence[str]) -> np.ndarray:
    grid = np.zeros(len(drums) * STEPS)
    for stroke in bar:
        grid[drums.index(stroke.drum) * STEPS + stroke.step] = 1
    return grid


def print_drums(data_dir: Path) -> None:
    """Print the figures of each style with a groove beside those of its drummers."""
    human: dict[str, list[Piece]] = defaultdict(list)
    for performance in read_performances(data_dir):
        if len(performance.bars) >= LEAST_STROKES:
            human[performance.group].append(human_piece(performance))
    print(
        f"\nDrums in 4/4, each figure ours / human (Groove MIDI), {len(SEEDS)} pieces of {DURATION_S:g} s a style. "
        "Swing is found from the strokes and undone on both sides. Step histogram: distance of what is struck where, 0 "
        "equal, 1 disjoint, in brackets that of two halves of the human performances. Nearest bar: share of strokes in "
        "which a bar differs from the nearest human bar, in brackets that of a human bar from other performances'.\n"
    )
    print(f"| style | drummers | bars | {' | '.join(TITLES.values())} | step histogram | nearest bar |")
    print("|---" * (len(TITLES) + 5) + "|")
    for style, group in DRUMMERS.items():
        played = [found for found in (play(style, seed) for seed in SEEDS) if found]
        ours, theirs = [our_piece(*found) for found in played], human[group]
        if not sum(len(piece.bars) for piece in ours):
            continue
        own, other = figures(ours), figures(theirs)
        cells = [f"{own[name]:.0f} / {other[name]:.0f}" for name in TITLES]
        among = histogram_distance(histogram(theirs[::2]), histogram(theirs[1::2]))
        distance = histogram_distance(histogram(ours), histogram(theirs))
        near, near_among = nearest_bars(ours, theirs), nearest_bars(theirs, theirs)
        print(f"| {style} | {group} | {sum(len(piece.bars) for piece in ours)} | {' | '.join(cells)} | "
              f"{distance:.2f} ({among:.2f}) | {near:.2f} ({near_among:.2f}) |")  # fmt: skip


if __name__ == "__main__":
    print_drums(Path(sys.argv[1]))
