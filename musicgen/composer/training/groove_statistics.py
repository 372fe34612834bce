"""Learn how drummers play, `statistics/groove.json`, from the Groove MIDI set (`groove_performances`).

    python -m musicgen.composer.training.groove_statistics DATA_DIR

For each group of styles: its swing, how late and how hard each drum is struck on each step, how both drift from stroke
to stroke, and what is played (`groove_feels`). What is kept are means, spreads and chances, from which no performance
can be read back.
"""

import json
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from musicgen.composer.training.groove_feels import SOFT_SHARE, full_strokes, learn_feels, learn_fills
from musicgen.composer.training.groove_performances import GROUPS, STEPS, Performance, read_performances

OUT_FILE = Path(__file__).parents[1] / "statistics" / "groove.json"
SEED = 1
BEAT_STEPS = 4
# Strokes further than this share of a step from their place are flams and rolls, not micro-timing.
MICRO_TIMING = 0.3
LEAST_STROKES, LEAST_BARS = 150, 4
STROKES_OF_ONE = 4  # that a performance needs on a step to have a mean there
# Strokes of a step must outweigh this many at the mean of its place in the beat, and those as many of the drum's mean.
PRIOR_STROKES = 25
REFERENCE_TEMPO = 110.0
OTHER = "other"  # the figures of all drums together, for percussion that these drummers did not play
# Longer performances count no more than this many bars where performances are counted.
MOST_BARS = 32
SHORT = 60  # characters of JSON that stay on one line
# Shares of swung playing from which a group swings always, and below which it never does; between, the mean.
SWINGS, STRAIGHT = 2 / 3, 1 / 3
# Swing follows the tempo where so many swung performances spread over so many octaves of tempo.
LEAST_SWUNG, LEAST_OCTAVES = 8, 0.8


@dataclass(frozen=True, slots=True)
class Touch:
    """One stroke on the common scale: velocity as a share of its drum's full stroke, delay at `REFERENCE_TEMPO`."""

    drum: str
    step: int
    onset: int  # steps from the start of the performance
    loud: bool
    lag_ms: float
    level: float


def tempo_exponent(performances: Iterable[Performance]) -> float:
    """Fit how the spread of timing in seconds grows with the length of a step: 0 not at all, 1 in proportion."""
    logs = []
    for performance in performances:
        step_ms = 15_000 / performance.tempo
        lags = [s.lag_ms for s in performance.strokes if abs(s.lag_ms) <= MICRO_TIMING * step_ms]
        if len(lags) >= LEAST_STROKES:
            logs.append((np.log(step_ms), np.log(np.std(lags)), np.sqrt(len(lags))))
    x, y, weight = np.array(logs).T
    return float(np.polyfit(x, y, 1, w=weight)[0])


def on_common_scale(performance: Performance, exponent: float) -> list[Touch]:
    """Bring the strokes of one performance, in the order of time, to one scale of timing and velocity."""
    tempo, full = performance.tempo, full_strokes(performance)
    scale = (tempo / REFERENCE_TEMPO) ** exponent
    near = [s for s in performance.strokes if abs(s.lag_ms) <= MICRO_TIMING * 15_000 / tempo]
    return [
        Touch(
            drum=s.drum,
            step=s.step,
            onset=s.bar * STEPS + s.step,
            loud=s.velocity >= SOFT_SHARE * full[s.drum],
            lag_ms=s.lag_ms * scale,
            level=s.velocity / full[s.drum],
        )
        for s in near
    ]


def by_step(performances: Sequence[list[Touch]], figure: str) -> tuple[list[float], list[float]]:
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


def between_drummers(performances: Sequence[list[Touch]], figure: str) -> float:
    """Return the spread of the performances' own means of a step around the step's mean over all of them."""
    means: dict[int, list[float]] = defaultdict(list)
    for strokes in performances:
        usual = float(np.mean([getattr(stroke, figure) for stroke in strokes])) if strokes else 0.0
        own: dict[int, list[float]] = defaultdict(list)
        for stroke in strokes:
            own[stroke.step].append(getattr(stroke, figure) - usual)
        for step, group in own.items():
            if len(group) >= STROKES_OF_ONE:
                means[step].append(float(np.mean(group)))
    shared = [values for values in means.values() if len(values) > 1]
    if not shared:
        return 0.0
    return float(np.sqrt(sum(np.var(v) * len(v) for v in shared) / sum(len(v) - 1 for v in shared)))


def _leaning_means(values: dict[int, list[float]]) -> list[float]:
    whole = float(np.mean(list(chain(*values.values())))) if values else 0.0
    places = [
        _lean(list(chain(*(v for step, v in values.items() if step % BEAT_STEPS == place))), whole)
        for place in range(BEAT_STEPS)
    ]
    return [_lean(values.get(step, []), places[step % BEAT_STEPS]) for step in range(STEPS)]


def _lean(values: list[float], prior: float) -> float:
    return (sum(values) + PRIOR_STROKES * prior) / (len(values) + PRIOR_STROKES)


def drift(performances: Sequence[list[Touch]], figure: str) -> tuple[float, float]:
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


def swing_figures(performances: Sequence[Performance]) -> dict[str, float]:
    """Say where a group's off-beats fall at `REFERENCE_TEMPO`, in which unit, and by how much less an octave faster."""
    weight = {p.name: min(len(p.bars), MOST_BARS) for p in performances}

    def total(chosen: Callable[[Performance], bool]) -> int:
        return sum(weight[p.name] for p in performances if chosen(p))

    unit = max((0.5, 0.25), key=lambda u: total(lambda p: p.unit == u and p.ratio > 0.5))
    swung = [p for p in performances if p.unit == unit and p.ratio > 0.5]
    straight = total(lambda p: p.ratio == 0.5)
    share = total(lambda p: p in swung) / max(1, total(lambda p: p in swung) + straight)
    if share <= STRAIGHT:
        return {"ratio": 0.5, "unit": 0.5, "per_octave": 0.0}
    octaves = np.log2([p.tempo / REFERENCE_TEMPO for p in swung])
    ratios, weights = np.array([p.ratio for p in swung]), np.array([weight[p.name] for p in swung])
    slope = 0.0
    if len(swung) >= LEAST_SWUNG and np.ptp(octaves) >= LEAST_OCTAVES:
        slope = float(np.polyfit(octaves, ratios, 1, w=np.sqrt(weights))[0])
    ratio = float(np.average(ratios - slope * octaves, weights=weights))
    if share < SWINGS:
        ratio, slope = share * ratio + (1 - share) * 0.5, share * slope
    return {"ratio": round(ratio, 3), "unit": unit, "per_octave": round(slope, 3)}


def usual_full_strokes(performances: Iterable[Performance]) -> dict[str, float]:
    """Return the mean velocity of full strokes by drum, every performance counted by its bars."""
    found: dict[str, list[tuple[float, int]]] = defaultdict(list)
    for performance in performances:
        for drum, velocity in full_strokes(performance).items():
            found[drum].append((velocity, min(len(performance.bars), MOST_BARS)))
    return {drum: sum(v * n for v, n in values) / sum(n for _, n in values) for drum, values in found.items()}


def group_figures(
    performances: Sequence[Performance], exponent: float, usual_full: Mapping[str, float]
) -> dict[str, Any]:
    """Sum up how the drummers of a group play; `usual_full` is how hard all groups strike a drum."""
    full = {drum: velocity / usual_full[drum] for drum, velocity in usual_full_strokes(performances).items()} | {
        OTHER: 1.0
    }
    touches = [on_common_scale(p, exponent) for p in performances]
    drums = {touch.drum for strokes in touches for touch in strokes}
    figures = {drum: _drum_figures([[t for t in p if t.drum == drum] for p in touches]) for drum in sorted(drums)}
    figures[OTHER] = _drum_figures(touches)
    timing, velocity = (drift(touches, figure) for figure in ("lag_ms", "level"))
    feels, habit = learn_feels(performances, np.random.default_rng(SEED))
    return {
        "swing": swing_figures(performances),
        "timing_drift": [round(v, 2) for v in timing],
        "velocity_drift": [round(v, 2) for v in velocity],
        "habit": habit,
        "drums": {drum: {"full": round(full[drum], 2)} | found for drum, found in figures.items() if found},
        "feels": feels,
    }


def _drum_figures(performances: Sequence[list[Touch]]) -> dict[str, Any] | None:
    if sum(map(len, performances)) < LEAST_STROKES:
        return None
    lag, lag_spread = by_step(performances, "lag_ms")
    louds = [[t for t in p if t.loud] for p in performances]
    loud, loud_spread = by_step(louds, "level")
    soft, soft_spread = by_step([[t for t in p if not t.loud] for p in performances], "level")
    return {
        "lag_ms": [round(v) for v in lag],
        "lag_spread_ms": round(float(np.mean(lag_spread)), 1),
        "lag_own_ms": round(between_drummers(performances, "lag_ms"), 1),
        "loud": [round(v, 2) for v in loud],
        "loud_spread": round(float(np.mean(loud_spread)), 2),
        "loud_own": round(between_drummers(louds, "level"), 2),
        "soft": round(float(np.mean(soft)), 2),
        "soft_spread": round(float(np.mean(soft_spread)), 2),
    }


def main(data_dir: Path) -> None:
    """Write groove.json beside the composer."""
    grooves, fills = (read_performances(data_dir, of_grooves) for of_grooves in (True, False))
    exponent = tempo_exponent(grooves)
    walks = learn_fills({group: [fill for fill in fills if fill.group == group] for group in GROUPS})
    grooves = [p for p in grooves if len(p.bars) >= LEAST_BARS]
    usual = usual_full_strokes(grooves)
    figures = {
        group: group_figures([p for p in grooves if p.group == group], exponent, usual) | {"fills": walks[group]}
        for group in GROUPS
    }
    record = {"reference_tempo": REFERENCE_TEMPO, "tempo_exponent": round(exponent, 2), "groups": figures}
    OUT_FILE.write_text(_in_short_lines(record) + "\n", encoding="utf-8")
    print(f"{OUT_FILE.name}: {OUT_FILE.stat().st_size:,} bytes, {', '.join(figures)}")


def _in_short_lines(value: Any, depth: int = 0) -> str:
    """Write JSON in which a drum, a feel and whatever else lies deep or is short takes one line."""
    line = json.dumps(value, separators=(",", ":"))
    if depth > 3 or not isinstance(value, dict | list) or len(line) < SHORT:
        return line
    if isinstance(value, list):
        return "[\n" + ",\n".join(" " * (depth + 1) + _in_short_lines(v, depth + 1) for v in value) + "]"
    rows = [" " * (depth + 1) + f"{json.dumps(k)}: {_in_short_lines(v, depth + 1)}" for k, v in value.items()]
    return "{\n" + ",\n".join(rows) + "}"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
