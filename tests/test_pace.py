"""What is learned from past generations."""

import pytest

from musicgen.pace import N_MARKS, Pace, learn_pace


def measured(total_s: float) -> list[float]:
    return [total_s * mark / N_MARKS for mark in range(1, N_MARKS + 1)] + [total_s]


def total(durations_s: list[float], totals_s: list[float], duration_s: float) -> float:
    pace = learn_pace(durations_s, [measured(total_s) for total_s in totals_s], duration_s)
    assert pace
    assert len(pace.seconds) == N_MARKS + 1
    assert list(pace.seconds) == sorted(pace.seconds)
    return pace.total_s


def test_nothing_past_teaches_nothing() -> None:
    assert learn_pace([], [], 30.0) is None


@pytest.mark.parametrize("durations_s", [[30.0], [30.0, 30.0, 30.4]])
def test_equal_lengths_teach_a_proportion(durations_s: list[float]) -> None:
    assert total(durations_s, [duration / 10 for duration in durations_s], 300.0) == pytest.approx(30.0)


def test_different_lengths_teach_what_is_fixed_and_what_grows() -> None:
    durations_s = [10.0, 30.0, 60.0, 300.0]
    assert total(durations_s, [0.5 + duration / 100 for duration in durations_s], 120.0) == pytest.approx(1.7)


def test_a_few_slow_generations_do_not_matter() -> None:
    durations_s = [10.0, 20.0, 30.0, 60.0, 90.0, 120.0, 200.0, 300.0]
    totals_s = [0.5 + duration / 100 for duration in durations_s]
    totals_s[2] = totals_s[5] = 60.0
    assert total(durations_s, totals_s, 150.0) == pytest.approx(2.0, rel=0.2)


def test_a_longer_track_is_never_expected_to_be_quicker_nor_below_zero() -> None:
    durations_s, totals_s = [30.0, 60.0], [2.0, 1.0]
    assert total(durations_s, totals_s, 300.0) == total(durations_s, totals_s, 5.0) > 0
    assert total([100.0, 200.0], [1.0, 3.0], 5.0) >= 0


def test_time_stands_between_the_marks() -> None:
    pace = Pace((*measured(10.0)[:-1], 12.0))
    assert [pace.seconds_until(position) for position in (0.0, 0.025, 0.5, 1.0)] == pytest.approx([0, 0.25, 5, 10])
    assert pace.seconds_left(1.0, 10.0) == pytest.approx(2.0)
