"""Notes and rests anywhere in a bar: always full, beats in sight."""

import pytest

from musicgen.composer.note_values import NOTE_VALUES, UNITS, beats_of, note_values
from musicgen.notation import TimeSignature

METRES = [TimeSignature(beats, unit) for unit in (4, 8) for beats in range(2, 13)]


@pytest.mark.parametrize("metre", METRES, ids=str)
def test_every_stretch_of_every_metre_is_filled_exactly(metre: TimeSignature) -> None:
    bar = round(metre.bar_quarters * UNITS)
    assert sum(length for _, length in beats_of(metre)) == bar
    for start in range(bar):
        for end in range(start + 1, bar + 1):
            for is_rest in (False, True):
                values = note_values(start, end, metre, is_rest)
                assert sum(values) == end - start
                assert set(values) <= set(NOTE_VALUES)


@pytest.mark.parametrize(
    ("metre", "start", "end", "note", "rest"),
    [
        ("4/4", 0, 16, [16], [16]),
        ("4/4", 0, 12, [12], [8, 4]),
        # A syncopated quarter is read at once; a hidden middle of the bar is not.
        ("4/4", 2, 6, [4], [2, 2]),
        ("4/4", 6, 10, [2, 2], [2, 2]),
        ("4/4", 4, 12, [8], [4, 4]),
        ("4/4", 3, 6, [1, 2], [1, 2]),
        ("3/4", 4, 12, [8], [4, 4]),
        ("6/8", 0, 12, [12], [12]),
        ("6/8", 0, 6, [6], [6]),
        # The beat of 6/8 is a dotted quarter, and it stays in sight.
        ("6/8", 4, 8, [2, 2], [2, 2]),
        ("12/8", 6, 24, [12, 6], [6, 12]),
        ("7/8", 8, 14, [6], [6]),
        ("5/4", 0, 20, [16, 4], [4, 4, 4, 4, 4]),
    ],
)
def test_beats_stay_in_sight(metre: str, start: int, end: int, note: list[int], rest: list[int]) -> None:
    signature = TimeSignature.parse(metre)
    assert note_values(start, end, signature, is_rest=False) == note
    assert note_values(start, end, signature, is_rest=True) == rest
