"""Grooves: how human drummers play around the grid, from `statistics/groove.json`.

The figures are those of drummers by style, drum and step of the bar (`training/groove_statistics.py`): how late a
stroke falls, how loud, and how both spread; part of the spread drifts from stroke to stroke, all drums together.
"""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from musicgen.composer.instruments import PERCUSSION

# Whose figures each drum follows; percussion that the drummers did not play follows all their drums together.
PLAYED_LIKE = {
    "kick": "kick", "snare": "snare", "clap": "snare", "rim": "rim", "hat": "hh_closed", "open_hat": "hh_open",
    "pedal_hat": "hh_pedal", "ride": "ride", "bell": "ride_bell", "crash": "crash", "tom_low": "tom_low",
    "tom_mid": "tom_mid", "tom_high": "tom_high", "shaker": "hh_closed", "cabasa": "hh_closed",
    "tambourine": "hh_closed",
}  # fmt: skip
OTHER = "other"
DRUM_NAMES = {pitch: name for name, pitch in PERCUSSION.items()}


@dataclass(frozen=True, slots=True)
class DrumTouch:
    """How one drum is played; tuples have a value for each of the 16 steps of a bar.

    Attributes:
        lag_ms: mean delay behind the grid at the reference tempo, milliseconds.
        lag_spread_ms: its standard deviation.
        level: mean velocity as a factor of the written one.
        level_spread: its standard deviation.
        soft_spread: the standard deviation for ghost notes.
    """

    lag_ms: tuple[float, ...]
    lag_spread_ms: tuple[float, ...]
    level: tuple[float, ...]
    level_spread: tuple[float, ...]
    soft_spread: float


@dataclass(frozen=True, slots=True)
class Groove:
    """How the drummers of a style play.

    Attributes:
        drums: their touch by drum.
        timing_drift: share of the timing's variance that drifts, and the drift's correlation from step to step.
        velocity_drift: the same of velocity.
        reference_tempo: quarter notes a minute at which the times are given.
        tempo_exponent: how times grow with the length of a step: 0 not at all, 1 in proportion.
    """

    drums: dict[str, DrumTouch]
    timing_drift: tuple[float, float]
    velocity_drift: tuple[float, float]
    reference_tempo: float
    tempo_exponent: float

    def touch(self, pitch: int) -> DrumTouch:
        """Return how the drum of a General MIDI percussion key is played."""
        played_like = PLAYED_LIKE.get(DRUM_NAMES.get(pitch, OTHER), OTHER)
        return self.drums.get(played_like, self.drums[OTHER])


@cache
def all_grooves() -> dict[str, Groove]:
    """Read the grooves, by the name that styles use."""
    record = json.loads((Path(__file__).with_name("statistics") / "groove.json").read_text(encoding="utf-8"))
    return {name: _groove(group, record) for name, group in record["groups"].items()}


def _groove(group: dict[str, Any], record: dict[str, Any]) -> Groove:
    return Groove(
        drums={
            drum: DrumTouch(
                lag_ms=tuple(figures["lag_ms"]),
                lag_spread_ms=tuple(figures["lag_spread_ms"]),
                level=tuple(figures["level"]),
                level_spread=tuple(figures["level_spread"]),
                soft_spread=figures["soft_spread"],
            )
            for drum, figures in group["drums"].items()
        },
        timing_drift=tuple(group["timing_drift"]),
        velocity_drift=tuple(group["velocity_drift"]),
        reference_tempo=record["reference_tempo"],
        tempo_exponent=record["tempo_exponent"],
    )
