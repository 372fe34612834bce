"""Note values: how a note or rest that lies anywhere in a bar is written so that the beats can be seen.

A stretch is cut where a beat would be hidden, and the pieces are tied. All times are in units of a sixteenth, counted
from the bar line. Knows no pitches. Source: the usual rules of engraving, as in E. Gould, "Behind Bars" (2011).
"""

from collections.abc import Iterator

from musicgen.notation import TimeSignature

# A quarter has four units: the shortest note is a sixteenth.
UNITS = 4
# Units -> type and number of dots, longest first.
NOTE_VALUES = {
    24: ("whole", 1), 16: ("whole", 0), 12: ("half", 1), 8: ("half", 0), 6: ("quarter", 1), 4: ("quarter", 0),
    3: ("eighth", 1), 2: ("eighth", 0), 1: ("16th", 0),
}  # fmt: skip
# Where in a beat of so many units a value may begin; in compound metres the beat is a dotted quarter.
WITHIN_BEAT = {
    4: {3: (0, 1), 2: (0, 1, 2), 1: (0, 1, 2, 3)},
    6: {4: (0, 2), 3: (0, 3), 2: (0, 1, 2, 3, 4), 1: (0, 1, 2, 3, 4, 5)},
}
# Where in two beats of four units a value that hides the second may begin: the syncopations that everybody reads.
SYNCOPATED = {6: (0, 2), 4: (2,)}


def note_values(start: int, end: int, time_signature: TimeSignature, is_rest: bool) -> list[int]:
    """Cut what lies from `start` to `end` of one bar into values of `NOTE_VALUES`, in order."""
    beats = list(beats_of(time_signature))
    values = []
    now = start
    while now < end:
        longest = (units for units in NOTE_VALUES if now + units <= end and _is_readable(now, units, beats, is_rest))
        values.append(next(longest))
        now += values[-1]
    return values


def beats_of(time_signature: TimeSignature) -> Iterator[tuple[int, int]]:
    """Yield start and length of every beat of a bar; of uneven metres like 7/8 the last beat is the long one."""
    bar = round(time_signature.bar_quarters * UNITS)
    length = 6 if time_signature.is_compound else UNITS
    start = 0
    while start < bar:
        # Seven eighths are 2 + 2 + 3: what is left over makes the last beat longer.
        this = bar - start if bar - start < 2 * length and (bar - start) % length else length
        yield start, this
        start += this


def _is_readable(start: int, units: int, beats: list[tuple[int, int]], is_rest: bool) -> bool:
    first, length = next((begin, length) for begin, length in beats if begin <= start < begin + length)
    if start + units <= first + length:
        return units == length or start - first in WITHIN_BEAT[length].get(units, ())
    starts = [begin for begin, _ in beats]
    bar = beats[-1][0] + beats[-1][1]
    if start in starts and start + units in (*starts, bar):
        # Rests show the beats: only a half bar of even metres is one rest.
        return not is_rest or (start % units == 0 and bar % units == 0 and bar // units in (1, 2))
    # A pair of beats may be syncopated, but the middle of a bar of four stays in sight.
    pair = start // 8 * 8 if bar % 8 == 0 else first
    in_pair = start - pair in SYNCOPATED.get(units, ()) and start + units <= pair + 8
    return in_pair and not is_rest and length == UNITS
