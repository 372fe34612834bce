"""How fast generations go on this machine, learned from those before: an honest share of the whole, the seconds left.

What an engine reports is its guess at its share of the work: a hand on a dial, which only has to move forward. Past
generations tell after how many seconds the hand reached each mark, and so what it means in time. Knows no database:
what was measured is handed in and out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

# Marks on the dial, evenly spaced up to 1; the end of the generation, after the last of them, is one more.
N_MARKS = 20
# So much of a whole generation has to pass before what is measured in it counts as much as what was learned.
TRUST_IN_THE_PAST = 0.25
# Durations (seconds) that differ by less say nothing on how time grows with duration.
MIN_DIFFERENCE_S = 1.0


@dataclass(frozen=True, slots=True)
class Pace:
    """When a generation reaches which mark.

    Attributes:
        seconds: from its begin to each of N_MARKS marks and to its end, never falling.
    """

    seconds: tuple[float, ...]

    @property
    def total_s(self) -> float:
        """Seconds that the whole takes."""
        return self.seconds[-1]

    def seconds_until(self, position: float) -> float:
        """Say how many seconds pass until the hand stands at `position`, 0 to 1."""
        marks = np.linspace(0.0, 1.0, N_MARKS + 1)
        return float(np.interp(position, marks, (0.0, *self.seconds[:-1])))

    def seconds_left(self, position: float, elapsed_s: float) -> float:
        """Say how many seconds are left where `position` was reached after `elapsed_s`.

        The past is corrected by how this generation went so far, the more so the further it is.
        """
        expected_s = self.seconds_until(position)
        trust_s = TRUST_IN_THE_PAST * self.total_s
        slowness = (elapsed_s + trust_s) / (expected_s + trust_s) if expected_s + trust_s else 1.0
        return (self.total_s - expected_s) * slowness


def learn_pace(durations_s: Sequence[float], measured: Sequence[Sequence[float]], duration_s: float) -> Pace | None:
    """Expect the pace of a track of `duration_s` from past ones; None where there are none.

    The time to each mark grows linearly with the duration: slope and offset are medians (Theil and Sen), so that a few
    generations on a busy machine do not matter. Where all tracks were equally long, it grows in proportion.

    Args:
        durations_s: length of each past track, seconds.
        measured: `Pace.seconds` of each.
        duration_s: length of the track to come, seconds.
    """
    if not durations_s:
        return None
    lengths, times = np.array(durations_s)[:, np.newaxis], np.array(measured)
    slope = np.median(times / lengths, axis=0)
    pairs = [(i, j) for i, j in combinations(range(len(lengths)), 2) if _differ(durations_s[i], durations_s[j])]
    if pairs:
        first, second = np.array(pairs).T
        between = (times[second] - times[first]) / (lengths[second] - lengths[first])
        slope = np.clip(np.median(between, axis=0), 0.0, slope)
    offset = np.maximum(np.median(times - slope * lengths, axis=0), 0.0)
    return Pace(tuple(np.maximum.accumulate(offset + slope * duration_s).tolist()))


def _differ(one_s: float, other_s: float) -> bool:
    return abs(one_s - other_s) >= MIN_DIFFERENCE_S
