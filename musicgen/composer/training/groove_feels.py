"""What drummers play: feels (prototype bars) of a group, how bars follow one another, and how fills go.

A feel is a component of a Bernoulli mixture over the bars of all performances of a group: for each drum and step the
chances of a full stroke and of a ghost note, from which no performance can be read back. A fill is a walk of the hands
from drum to drum, sixteenth by sixteenth.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from musicgen.composer.groove import CHANCES, FILL_STEPS, HANDS, RESTING
from musicgen.composer.training.groove_performances import DRUMS, STEPS, Performance

Floats = NDArray[np.float64]

VOICES = tuple(dict.fromkeys(DRUMS.values()))
LOUD, SOFT = 0, 1
# A stroke is soft (a ghost note) below this share of a full one: the 90th percentile of its drum in the performance.
SOFT_SHARE, FULL_PERCENTILE = 0.6, 90
# Longer performances count no more than this many bars.
MOST_BARS = 32
# A group has feels by the square root of its bars: few bars tell few feels apart.
FEELS_BY_ROOT, FEWEST_FEELS, MOST_FEELS = 0.6, 4, 16
# Fitting the mixture: random starts, rounds, bars that each feel borrows from the group's mean bar, bound of chances.
STARTS, ROUNDS, BORROWED, LEAST_CHANCE = 2, 20, 0.5, 0.004
# Feels with fewer bars are left out.
LEAST_BARS = 12
# Counts of all groups' fills that a group borrows, and the ten digits that chances of a fill are written in.
BORROWED_FILLS, DIGITS = 20.0, 9


def full_strokes(performance: Performance) -> dict[str, float]:
    """Return the velocity of a full stroke of each drum."""
    velocities: dict[str, list[int]] = {}
    for stroke in performance.strokes:
        velocities.setdefault(stroke.drum, []).append(stroke.velocity)
    return {drum: float(np.percentile(values, FULL_PERCENTILE)) for drum, values in velocities.items()}


def bars_of_performance(performance: Performance) -> Floats:
    """Write bars as (bars, 2, drums, 16): 1 where a full stroke falls, or a soft one."""
    full = full_strokes(performance)
    index = {bar: i for i, bar in enumerate(performance.bars)}
    grid = np.zeros((len(index), 2, len(VOICES), STEPS))
    for s in performance.strokes:
        if s.bar in index:
            loudness = LOUD if s.velocity >= SOFT_SHARE * full[s.drum] else SOFT
            grid[index[s.bar], loudness, VOICES.index(s.drum), s.step] = 1
    grid[:, SOFT] *= 1 - grid[:, LOUD]
    return grid


def learn_feels(performances: Sequence[Performance], rng: np.random.Generator) -> tuple[list[dict[str, Any]], float]:
    """Fit a group's feels; return them as JSON values, and the habit: how often a stroke is as in the bar before."""
    grids = [bars_of_performance(p) for p in performances]
    bars = np.concatenate(grids).reshape(sum(map(len, grids)), -1)
    weights = np.concatenate([np.full(len(g), min(len(g), MOST_BARS) / len(g)) for g in grids])
    owner = np.repeat(np.arange(len(grids)), [len(g) for g in grids])
    n_feels = int(np.clip(round(FEELS_BY_ROOT * weights.sum() ** 0.5), FEWEST_FEELS, MOST_FEELS))
    fits = (_mixture(bars, weights, n_feels, rng) for _ in range(STARTS))
    _, chances, belonging = max(fits, key=lambda fit: fit[0])
    shares = weights @ belonging
    energy = (weights * _loudness(performances)[owner]) @ belonging / shares
    kept = np.flatnonzero(belonging.sum(axis=0) >= LEAST_BARS)
    kept = kept[np.argsort(energy[kept])]
    feels = [
        {"share": round(float(shares[feel] / shares[kept].sum()), 2), "energy": round(rank / max(1, len(kept) - 1), 2)}
        | _written(chances[feel].reshape(-1, len(VOICES), STEPS))
        for rank, feel in enumerate(kept)
    ]
    return feels, _habit(bars, belonging @ chances, owner)


def _loudness(performances: Sequence[Performance]) -> Floats:
    """Return how hard each performance is played: the mean velocity of kick and snare."""
    drums = ("kick", "snare", "rim")
    return np.array([np.mean([s.velocity for s in p.strokes if s.drum in drums] or [0]) for p in performances])


def _mixture(bars: Floats, weights: Floats, n: int, rng: np.random.Generator) -> tuple[float, Floats, Floats]:
    """Fit n components by expectation and maximization; return likelihood, chances (n, cells), shares (bars, n)."""
    mean = weights @ bars / weights.sum()
    centres = [bars[rng.choice(len(bars), p=weights / weights.sum())]]
    while len(centres) < n:
        far = np.min([((bars - centre) ** 2).sum(axis=1) for centre in centres], axis=0) * weights
        centres.append(bars[rng.choice(len(bars), p=far / far.sum())])
    chances, shares = 0.6 * np.array(centres) + 0.4 * mean, np.full(n, 1 / n)
    for _ in range(ROUNDS):
        bounded = np.clip(chances, LEAST_CHANCE, 1 - LEAST_CHANCE)
        log = bars @ np.log(bounded / (1 - bounded)).T + np.log(1 - bounded).sum(axis=1) + np.log(shares)
        peak = log.max(axis=1, keepdims=True)
        belonging = np.exp(log - peak)
        likelihood = float(weights @ (peak[:, 0] + np.log(belonging.sum(axis=1))))
        belonging /= belonging.sum(axis=1, keepdims=True)
        counts = weights @ belonging
        shares = (counts + 1) / (counts.sum() + n)
        chances = ((belonging * weights[:, None]).T @ bars + BORROWED * mean) / (counts[:, None] + BORROWED)
    return likelihood, chances, belonging


def _habit(bars: Floats, expected: Floats, owner: NDArray[np.intp]) -> float:
    """Correlate what bars leave of their feel's chances with the bar before, in the same performance."""
    rest = bars - expected
    follows = owner[1:] == owner[:-1]
    return round(float((rest[1:] * rest[:-1])[follows].sum() / (rest[1:] ** 2)[follows].sum()), 2)


def _written(feel: Floats) -> dict[str, dict[str, str]]:
    """Write chances, (2, drums, 16), as a digit for each step; drums that hardly play are left out."""
    written = {}
    for name, grid in zip(("loud", "soft"), feel, strict=True):
        lines = {voice: "".join(map(_digit, line)) for voice, line in zip(VOICES, grid, strict=True)}
        written[name] = {voice: line for voice, line in lines.items() if set(line) != {"."}}
    return written


def _digit(chance: float) -> str:
    nearest = min(range(len(CHANCES)), key=lambda i: abs(CHANCES[i] - chance))
    return str(nearest) if nearest else "."


def learn_fills(groups: dict[str, list[Performance]]) -> dict[str, dict[str, Any]]:
    """Learn for each group how the hands walk from drum to drum in a fill, and where the foot joins.

    For each hand before and each sixteenth of the beat: chances of the next hand, in digits, in the order of `HANDS`.
    """
    walks = {group: _count_walk(fills) for group, fills in groups.items()}
    every: Counter[tuple[str, str, int]] = sum(walks.values(), Counter())
    return {group: _fill_figures(walk, every) for group, walk in walks.items()}


def _count_walk(fills: list[Performance]) -> Counter[tuple[str, str, int]]:
    """Count (hand before, hand, sixteenth of the beat); the foot counts as ("kick", hand, sixteenth)."""
    walk: Counter[tuple[str, str, int]] = Counter()
    for grid in (bar for fill in fills for bar in bars_of_performance(fill).max(axis=1)):
        before = RESTING
        for step in range(STEPS):
            struck = [voice for voice in HANDS[1:] if grid[VOICES.index(voice), step]]
            hand = struck[0] if struck else RESTING
            walk[before, hand, step % FILL_STEPS] += 1
            walk["kick", hand, step % FILL_STEPS] += int(grid[VOICES.index("kick"), step])
            walk["all", hand, step % FILL_STEPS] += 1
            before = hand
    return walk


def _fill_figures(walk: Counter[tuple[str, str, int]], every: Counter[tuple[str, str, int]]) -> dict[str, Any]:
    hands: dict[str, list[str]] = {}
    for before in HANDS:
        rows = []
        for place in range(FILL_STEPS):
            whole = np.array([every[before, hand, place] for hand in HANDS]) + 1e-9
            own = np.array([walk[before, hand, place] for hand in HANDS]) + BORROWED_FILLS * whole / whole.sum()
            rows.append("".join(str(round(DIGITS * chance)) for chance in own / own.sum()))
        hands[before] = rows
    foot = []
    for place in range(FILL_STEPS):
        rates = [
            (
                walk["kick", hand, place]
                + BORROWED_FILLS * every["kick", hand, place] / max(1, every["all", hand, place])
            )
            / (walk["all", hand, place] + BORROWED_FILLS)
            for hand in HANDS
        ]
        foot.append("".join(str(round(DIGITS * rate)) for rate in rates))
    return {"hands": hands, "foot": foot}
