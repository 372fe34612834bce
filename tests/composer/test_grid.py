"""The grid language."""

import pytest

from musicgen.composer.grid import GridEvent, bars_of, read_bar
from musicgen.notation import TimeSignature

FOUR, THREE, SIX = TimeSignature(4, 4), TimeSignature(3, 4), TimeSignature(6, 8)


def test_bars_lose_the_marks_that_are_for_the_eye() -> None:
    assert bars_of("x--- x---|x--- x--- / ....x...") == ("x---x---x---x---", "....x...")


def test_holds_lengthen_and_rests_separate() -> None:
    events = read_bar("x--.o...X-------", FOUR, FOUR)
    assert events == (GridEvent(0, 0.75, "x"), GridEvent(1, 0.25, "o"), GridEvent(2, 2, "X"))


def test_the_number_of_steps_sets_their_length() -> None:
    onsets = [event.onset for event in read_bar("x.x.x.x.x.x.", FOUR, FOUR)]
    assert onsets == pytest.approx([0, 2 / 3, 4 / 3, 2, 8 / 3, 10 / 3])


def test_a_shorter_bar_ends_early_and_a_longer_one_begins_again() -> None:
    assert [e.onset for e in read_bar("x...x...x...x...", FOUR, THREE)] == [0, 1, 2]
    assert [e.onset for e in read_bar("x.......", FOUR, TimeSignature(5, 4))] == [0, 4]


def test_a_compound_bar_turns_beats_into_three() -> None:
    assert [e.onset for e in read_bar("x.x.x.x.x.x.x.x.", FOUR, SIX)] == [0, 1, 1.5, 2.5]


def test_events_fill_the_bar_and_no_more() -> None:
    assert read_bar("x---", FOUR, SIX) == (GridEvent(0, 3.0, "x"),)
