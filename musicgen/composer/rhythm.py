"""Rhythms of melodies: real bars (`statistics/rhythm.json`, made by `training/statistics.py`), drawn by their figures.

A bar of rhythm is text on the sixteenth grid: x an onset, - held, . silent.
"""

import json
import random
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from musicgen.composer.style import MelodyStyle
from musicgen.notation import TimeSignature

STEP = 0.25  # quarter notes of one character of a rhythm
LEAST_RHYTHMS = 20  # a smaller pool repeats itself


@dataclass(frozen=True, slots=True)
class RhythmPool:
    """Bars of rhythm for one metre and their figures, one array entry a bar.

    Attributes:
        rhythms: the bars.
        liking: square roots of how often songs use them.
        density: onsets a quarter note.
        syncopation: share of onsets that are held over the next beat.
        first: sixteenths before the first onset.
    """

    rhythms: tuple[str, ...]
    liking: NDArray[np.floating]
    density: NDArray[np.floating]
    syncopation: NDArray[np.floating]
    first: NDArray[np.floating]


def draw_rhythm(
    style: MelodyStyle, time_signature: TimeSignature, energy: float, resting: bool, rng: random.Random
) -> str:
    """Draw a bar of rhythm near the style's density and syncopation; a resting bar is calm and ends open."""
    pool = _rhythm_pool(style.rhythms, time_signature)
    density = style.density * (0.7 + 0.6 * energy) * (0.45 if resting else 1.0)
    beat_steps = 6 if time_signature.is_compound else 4
    misfit = 4 * np.abs(np.log(pool.density / density)) + 6 * np.abs(pool.syncopation - style.syncopation)
    weights = pool.liking * np.exp(-misfit)
    if resting:
        weights = weights * (pool.first <= beat_steps)
    rhythm = rng.choices(pool.rhythms, weights.tolist())[0]
    return _breathe(rhythm, beat_steps) if resting else rhythm


def read_rhythm(rhythm: str) -> list[tuple[float, float]]:
    """Read onsets and lengths, in quarters, from a bar of rhythm."""
    onsets = [i for i, symbol in enumerate(rhythm) if symbol == "x"]
    notes = []
    for i in onsets:
        end = i + 1
        while end < len(rhythm) and rhythm[end] == "-":
            end += 1
        notes.append((i * STEP, (end - i) * STEP))
    return notes


@cache
def _rhythms() -> dict[str, dict[str, int]]:
    path = Path(__file__).with_name("statistics") / "rhythm.json"
    rhythms: dict[str, dict[str, int]] = json.loads(path.read_text(encoding="utf-8"))
    return rhythms


@cache
def _rhythm_pool(source: str, time_signature: TimeSignature) -> RhythmPool:
    """Measure the bars that songs have in this time signature, or those of 4/4 cut or continued to length."""
    n_steps = round(time_signature.bar_quarters / STEP)
    beat_steps = 6 if time_signature.is_compound else 4
    sources = ("folk_pd",) if time_signature.is_compound else (source, "openewld", "pop909")
    found = (_rhythms().get(f"{name}/{n_steps}", {}) for name in sources)
    counts = next((pool for pool in found if len(pool) >= LEAST_RHYTHMS), None) or _stretched(n_steps)
    counts = {rhythm: count for rhythm, count in counts.items() if "x" in rhythm}
    onsets = [[i for i, symbol in enumerate(rhythm) if symbol == "x"] for rhythm in counts]
    held = [sum(_is_syncopated(r, i, beat_steps) for i in at) for r, at in zip(counts, onsets, strict=True)]
    n_onsets = np.array([len(at) for at in onsets], dtype=np.float64)
    return RhythmPool(
        rhythms=tuple(counts),
        liking=np.sqrt(list(counts.values())),
        density=n_onsets / time_signature.bar_quarters,
        syncopation=np.array(held) / n_onsets,
        first=np.array([at[0] for at in onsets], dtype=np.float64),
    )


def _stretched(n_steps: int) -> dict[str, int]:
    """Cut the bars of 4/4 to `n_steps` sixteenths, or let them begin again."""
    return {(rhythm * 2)[:n_steps] if n_steps <= 32 else rhythm.ljust(n_steps, "-"): count
            for rhythm, count in _rhythms()["pop909/16"].items()}  # fmt: skip


def _is_syncopated(rhythm: str, i: int, beat_steps: int) -> bool:
    """Whether the onset lies between beats and is held over the next one."""
    next_beat = (i // beat_steps + 1) * beat_steps
    return i % beat_steps != 0 and next_beat < len(rhythm) and set(rhythm[i + 1 : next_beat + 1]) <= {"-"}


def _breathe(rhythm: str, beat_steps: int) -> str:
    """Leave the last beat of a resting bar to silence."""
    return rhythm[:-beat_steps] + "." * beat_steps if "x" in rhythm[:-beat_steps] else rhythm
