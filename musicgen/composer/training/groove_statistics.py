"""Learn how drummers play around the written grid: `statistics/groove.json` from the Groove MIDI bars.

    python -m musicgen.composer.training.groove_statistics DATA_DIR

DATA_DIR holds `groove_midi/bars.jsonl.gz`: bars of 4/4 on a grid of 16 steps, each stroke as step, drum, velocity and
offset from the step (in steps, -0.5 to 0.5). What is kept are means and spreads for each group of styles, drum and
step, from which no performance can be read back. Data: Gillick, Roberts, Engel, Eck, Bamman, "Learning to Groove with
Inverse Sequence Transformations", ICML 2019, CC BY 4.0.
"""

import gzip
import json
import sys
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

# The groups that styles may name; of the others there is too little, or no style is near to them.
GROUPS = (
    "country", "dance", "funk", "gospel", "hiphop", "jazz", "latin", "pop", "punk", "reggae", "rock", "soul",
)  # fmt: skip
OUT_FILE = Path(__file__).parents[1] / "statistics" / "groove.json"
STEPS, BEAT_STEPS = 16, 4
# Strokes further from their step (in steps) are triplets or flams that the grid cannot write, not micro-timing.
MICRO_TIMING = 0.3
# A stroke is soft (a ghost note) below this share of the 90th percentile of its drum's velocities in the performance.
SOFT_SHARE = 0.6
LEAST_STROKES = 60
# Strokes of a step must outweigh this many at the mean of its place in the beat, and those as many of the drum's mean.
PRIOR_STROKES = 25
REFERENCE_TEMPO = 110.0
OTHER = "other"  # the figures of all drums together, for percussion that these drummers did not play


@dataclass(frozen=True, slots=True)
class Stroke:
    """One stroke on the common scale.

    Attributes:
        drum: name in the data.
        step: 0 to 15.
        onset: steps from the start of the performance, without the micro-timing.
        velocity: 1 to 127.
        loud: whether it is no ghost note.
        lag_ms: offset from the step less the performance's mean, in milliseconds at `REFERENCE_TEMPO`.
        level: velocity as a factor of the mean of the performance's strokes of the drum that are as loud (or soft).
    """

    drum: str
    step: int
    onset: int
    velocity: int
    loud: bool
    lag_ms: float
    level: float


Performance = list[Stroke]


def read_performances(data_dir: Path) -> dict[str, list[list[dict[str, Any]]]]:
    """Read the bars of beats (not fills) by group of styles, those of one performance together."""
    groups: dict[str, dict[str, list[dict[str, Any]]]] = defaultdict(lambda: defaultdict(list))
    with gzip.open(data_dir / "groove_midi" / "bars.jsonl.gz", "rt", encoding="utf-8") as lines:
        for bar in map(json.loads, lines):
            if bar["type"] == "beat":
                groups[bar["style"].split("/")[0]][bar["id"]].append(bar)
    return {group: list(performances.values()) for group, performances in groups.items()}


def tempo_exponent(performances: Iterable[list[dict[str, Any]]]) -> float:
    """Fit how the spread of timing in seconds grows with the length of a step: 0 not at all, 1 in proportion."""
    logs = []
    for bars in performances:
        offsets = [hit[3] for bar in bars for hit in bar["hits"] if abs(hit[3]) <= MICRO_TIMING]
        if len(offsets) >= LEAST_STROKES:
            step_s = 15 / bars[0]["bpm"]
            logs.append((np.log(step_s), np.log(np.std(offsets) * step_s), np.sqrt(len(offsets))))
    x, y, weight = np.array(logs).T
    return float(np.polyfit(x, y, 1, w=weight)[0])


def on_common_scale(bars: list[dict[str, Any]], exponent: float) -> Performance:
    """Bring the strokes of one performance, in the order of time, to one scale of timing and velocity."""
    hits = [
        (bar["bar"] * STEPS + step, drum, velocity, offset)
        for bar in bars
        for step, drum, velocity, offset in bar["hits"]
        if abs(offset) <= MICRO_TIMING
    ]
    if len(hits) < BEAT_STEPS:
        return []
    tempo = bars[0]["bpm"]
    ms = 15_000 / tempo * (tempo / REFERENCE_TEMPO) ** exponent
    mean = float(np.mean([offset for *_, offset in hits]))
    full = {name: SOFT_SHARE * np.percentile([v for _, d, v, _ in hits if d == name], 90) for _, name, _, _ in hits}
    strokes = [Stroke(d, o % STEPS, o, v, v >= full[d], (offset - mean) * ms, 1.0) for o, d, v, offset in sorted(hits)]
    velocities: dict[tuple[str, bool], list[int]] = defaultdict(list)
    for stroke in strokes:
        velocities[stroke.drum, stroke.loud].append(stroke.velocity)
    usual = {kind: float(np.mean(values)) for kind, values in velocities.items()}
    return [replace(stroke, level=stroke.velocity / usual[stroke.drum, stroke.loud]) for stroke in strokes]


def by_step(performances: list[Performance], figure: str) -> tuple[list[float], list[float]]:
    """Return for each of the 16 steps the mean of a figure, and its spread around each performance's own mean.

    Steps with few strokes lean on their place in the beat, and that on all strokes.
    """
    values: dict[int, list[float]] = defaultdict(list)
    deviations: dict[int, list[float]] = defaultdict(list)
    for strokes in performances:
        own: dict[int, list[float]] = defaultdict(list)
        for stroke in strokes:
            own[stroke.step].append(getattr(stroke, figure))
        for step, group in own.items():
            values[step] += group
            if len(group) > 1:
                deviations[step] += [float(np.var(group, ddof=1))] * len(group)
    return _leaning_means(values), [float(np.sqrt(v)) for v in _leaning_means(deviations)]


def _leaning_means(values: dict[int, list[float]]) -> list[float]:
    whole = float(np.mean(list(chain(*values.values())))) if values else 0.0
    places = [
        _lean(list(chain(*(v for step, v in values.items() if step % BEAT_STEPS == place))), whole)
        for place in range(BEAT_STEPS)
    ]
    return [_lean(values.get(step, []), places[step % BEAT_STEPS]) for step in range(STEPS)]


def _lean(values: list[float], prior: float) -> float:
    return (sum(values) + PRIOR_STROKES * prior) / (len(values) + PRIOR_STROKES)


def drift(performances: list[Performance], figure: str) -> tuple[float, float]:
    """Split what strokes leave of their step's mean into a slow drift and chance.

    Returns the share of the variance that drifts, and the drift's correlation from one struck step to the next. They
    come from the correlations of strokes one and two apart: phi = c2 / c1, share = c1 / phi.
    """
    pairs: dict[int, list[tuple[float, float]]] = {1: [], 2: []}
    for strokes in performances:
        cells: dict[tuple[str, int], list[float]] = defaultdict(list)
        for stroke in strokes:
            cells[stroke.drum, stroke.step].append(getattr(stroke, figure))
        first = {s.onset: s for s in reversed(strokes) if s.loud}
        line = [getattr(first[o], figure) - np.mean(cells[first[o].drum, first[o].step]) for o in sorted(first)]
        for distance, found in pairs.items():
            found += zip(line, line[distance:], strict=False)
    near, far = (float(np.corrcoef(np.array(pairs[distance]).T)[0, 1]) for distance in (1, 2))
    phi = min(max(far / near, 0.0), 0.99) if near > 0.02 else 0.0
    return (min(near / phi, 1.0), phi) if phi else (0.0, 0.0)


def group_figures(performances: list[Performance]) -> dict[str, Any]:
    """Sum up how the drummers of a group play: each drum by step, and how timing and velocity drift."""
    drums = {stroke.drum for strokes in performances for stroke in strokes}
    figures = {drum: _drum_figures([[s for s in p if s.drum == drum] for p in performances]) for drum in sorted(drums)}
    figures[OTHER] = _drum_figures(performances)
    timing, velocity = (drift(performances, figure) for figure in ("lag_ms", "level"))
    return {
        "timing_drift": [round(v, 2) for v in timing],
        "velocity_drift": [round(v, 2) for v in velocity],
        "drums": {drum: found for drum, found in figures.items() if found},
    }


def _drum_figures(performances: list[Performance]) -> dict[str, Any] | None:
    if sum(map(len, performances)) < LEAST_STROKES:
        return None
    lag, lag_spread = by_step(performances, "lag_ms")
    level, level_spread = by_step([[s for s in p if s.loud] for p in performances], "level")
    _, soft_spread = by_step([[s for s in p if not s.loud] for p in performances], "level")
    return {
        "lag_ms": [round(v) for v in lag],
        "lag_spread_ms": [round(v) for v in lag_spread],
        "level": [round(v, 2) for v in level],
        "level_spread": [round(v, 2) for v in level_spread],
        "soft_spread": round(float(np.mean(soft_spread)), 2),
    }


def main(data_dir: Path) -> None:
    """Write groove.json beside the composer."""
    groups = read_performances(data_dir)
    exponent = tempo_exponent(bars for performances in groups.values() for bars in performances)
    figures = {group: group_figures([on_common_scale(bars, exponent) for bars in groups[group]]) for group in GROUPS}
    record = {"reference_tempo": REFERENCE_TEMPO, "tempo_exponent": round(exponent, 2), "groups": figures}
    OUT_FILE.write_text(_one_line_a_drum(record), encoding="utf-8")
    print(f"{OUT_FILE.name}: {OUT_FILE.stat().st_size:,} bytes, {', '.join(figures)}")


def _one_line_a_drum(record: dict[str, Any]) -> str:
    """Write JSON in which each drum is one line."""
    groups = []
    for name, group in record["groups"].items():
        drums = ",\n".join(f"   {json.dumps(drum)}: {json.dumps(f)}" for drum, f in group["drums"].items())
        rest = ", ".join(f"{json.dumps(key)}: {json.dumps(group[key])}" for key in ("timing_drift", "velocity_drift"))
        groups.append(f'  {json.dumps(name)}: {{{rest}, "drums": {{\n{drums}}}}}')
    head = ", ".join(f"{json.dumps(key)}: {value}" for key, value in record.items() if key != "groups")
    return f'{{{head}, "groups": {{\n' + ",\n".join(groups) + "}}\n"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
