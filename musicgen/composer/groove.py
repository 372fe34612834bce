"""Grooves: how human drummers play, from `statistics/groove.json` (`training/groove_statistics.py`).

Of each group of styles: how it swings, how late a stroke falls and how loud by drum and step, how both drift, which
bars are played (feels) and how fills go.
"""

import json
import math
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from musicgen.composer.instruments import PERCUSSION
from musicgen.composer.style import Style
from musicgen.notation import TimeSignature

# Whose figures each drum follows; percussion that the drummers did not play follows all their drums together.
PLAYED_LIKE = {
    "kick": "kick", "snare": "snare", "clap": "snare", "rim": "rim", "hat": "hat", "open_hat": "open_hat",
    "pedal_hat": "pedal_hat", "ride": "ride", "bell": "bell", "crash": "crash", "tom_low": "tom_low",
    "tom_mid": "tom_mid", "tom_high": "tom_high", "shaker": "hat", "cabasa": "hat", "tambourine": "hat",
}  # fmt: skip
OTHER = "other"
GROOVE_METRE = TimeSignature(4, 4)  # of the feels
# What the digits of a feel's grids mean: the chance of a stroke; "." is none.
CHANCES = (0.0, 0.06, 0.12, 0.2, 0.32, 0.45, 0.6, 0.75, 0.9, 1.0)
# Where the hands may be in a fill, and the sixteenths of a beat that fills are told by.
RESTING = "rest"
HANDS = (RESTING, "tom_low", "tom_mid", "tom_high", "crash", "snare")
FILL_STEPS = 4
LOWEST_SWING, HIGHEST_SWING = 0.5, 0.72
DRUM_NAMES = {pitch: name for name, pitch in PERCUSSION.items()}

Grids = dict[str, tuple[float, ...]]


@dataclass(frozen=True, slots=True)
class DrumTouch:
    """How one drum is played; tuples of 16 have a value for each step of a bar. Levels are shares of a full stroke.

    Attributes:
        full: velocity of a full stroke, as a factor of what drummers of all groups take.
        lag_ms: mean delay behind the (swung) grid at the reference tempo, milliseconds.
        lag_spread_ms: its standard deviation within a performance.
        lag_own_ms: how far the means of performances lie apart on a step.
        loud: mean level of strokes that are no ghost notes.
        loud_spread: its standard deviation within a performance.
        loud_own: how far the means of performances lie apart on a step.
        soft: mean level of ghost notes.
        soft_spread: its standard deviation.
    """

    full: float
    lag_ms: tuple[float, ...]
    lag_spread_ms: float
    lag_own_ms: float
    loud: tuple[float, ...]
    loud_spread: float
    loud_own: float
    soft: float
    soft_spread: float


@dataclass(frozen=True, slots=True)
class Feel:
    """A bar as drummers of a group play it: chances of strokes.

    Attributes:
        share: how much of the playing is like this, 0 to 1.
        energy: how hard it is played among the feels of its group, 0 to 1.
        loud: by drum, the chance of a stroke on each of the 16 steps.
        soft: the same of ghost notes.
    """

    share: float
    energy: float
    loud: Grids
    soft: Grids


@dataclass(frozen=True, slots=True)
class FillWalk:
    """How the hands go from drum to drum in a fill.

    Attributes:
        hands: weights of the next of `HANDS`, by the hand before and the sixteenth of the beat.
        foot: chances of the kick, by the sixteenth of the beat and the place of the hand in `HANDS`.
    """

    hands: dict[str, tuple[tuple[int, ...], ...]]
    foot: tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True)
class Groove:
    """How the drummers of a style play.

    Attributes:
        swing: where the off-beat falls within its pair at the reference tempo, 0.5 straight.
        swing_unit: length of the swung note in quarters.
        swing_per_octave: what the swing changes by at double tempo.
        drums: touch by drum.
        timing_drift: share of the timing's variance that drifts, and the drift's correlation from step to step.
        velocity_drift: the same of velocity.
        habit: how often a stroke is what it was in the bar before, 0 to 1, beyond what the feel says.
        feels: what they play.
        fills: how they fill.
        reference_tempo: quarter notes a minute at which the times are given.
        tempo_exponent: how times grow with the length of a step: 0 not at all, 1 in proportion.
    """

    swing: float
    swing_unit: float
    swing_per_octave: float
    drums: dict[str, DrumTouch]
    timing_drift: tuple[float, float]
    velocity_drift: tuple[float, float]
    habit: float
    feels: tuple[Feel, ...]
    fills: FillWalk
    reference_tempo: float
    tempo_exponent: float

    def touch(self, pitch: int) -> DrumTouch:
        """Return how the drum of a General MIDI percussion key is played."""
        played_like = PLAYED_LIKE.get(DRUM_NAMES.get(pitch, OTHER), OTHER)
        return self.drums.get(played_like, self.drums[OTHER])

    def swing_at(self, tempo: float) -> float:
        """Return where the off-beat falls within its pair at a tempo (quarter notes a minute)."""
        ratio = self.swing + self.swing_per_octave * math.log2(tempo / self.reference_tempo)
        return min(max(ratio, LOWEST_SWING), HIGHEST_SWING)


@cache
def all_grooves() -> dict[str, Groove]:
    """Read the grooves, by the name that styles use."""
    record = json.loads((Path(__file__).with_name("statistics") / "groove.json").read_text(encoding="utf-8"))
    return {name: _groove(group, record) for name, group in record["groups"].items()}


def swing_of_style(style: Style, tempo: float) -> tuple[float, float]:
    """Return where a style's off-beat falls in its pair, and the swung note in quarters: its own or its drummers'."""
    if style.swing is not None:
        return style.swing, style.swing_unit
    if style.groove is None:
        return LOWEST_SWING, style.swing_unit
    groove = all_grooves()[style.groove]
    return groove.swing_at(tempo), groove.swing_unit


def _groove(group: dict[str, Any], record: dict[str, Any]) -> Groove:
    return Groove(
        swing=group["swing"]["ratio"],
        swing_unit=group["swing"]["unit"],
        swing_per_octave=group["swing"]["per_octave"],
        drums={
            drum: DrumTouch(**figures | {name: tuple(figures[name]) for name in ("lag_ms", "loud")})
            for drum, figures in group["drums"].items()
        },
        timing_drift=tuple(group["timing_drift"]),
        velocity_drift=tuple(group["velocity_drift"]),
        habit=group["habit"],
        feels=tuple(
            Feel(feel["share"], feel["energy"], _chances(feel["loud"]), _chances(feel["soft"]))
            for feel in group["feels"]
        ),
        fills=FillWalk(
            hands={hand: tuple(_digits(row) for row in rows) for hand, rows in group["fills"]["hands"].items()},
            foot=tuple(tuple(digit / 9 for digit in _digits(row)) for row in group["fills"]["foot"]),
        ),
        reference_tempo=record["reference_tempo"],
        tempo_exponent=record["tempo_exponent"],
    )


def _chances(grids: dict[str, str]) -> Grids:
    return {drum: tuple(CHANCES[digit] for digit in _digits(grid)) for drum, grid in grids.items()}


def _digits(text: str) -> tuple[int, ...]:
    return tuple(0 if char == "." else int(char) for char in text)
