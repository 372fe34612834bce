"""The clock of the stages, and what it foretells."""

from itertools import pairwise

import pytest

from musicgen.pace import N_MARKS, Pace
from musicgen.stage_watch import StageWatch

Report = tuple[str, float, float | None]


class Clock:
    """A clock that stands still until it is told."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def watched(pace: Pace | None = None, loading_s: float | None = None) -> tuple[StageWatch, Clock, list[Report]]:
    heard: list[Report] = []
    clock = Clock()
    return StageWatch(lambda *report: heard.append(report), pace, loading_s, clock), clock, heard


def even_pace(total_s: float) -> Pace:
    return Pace((*(total_s * mark / N_MARKS for mark in range(1, N_MARKS + 1)), total_s))


def test_stages_are_timed_also_when_they_come_back() -> None:
    watch, clock, heard = watched()
    for stage, fraction, seconds in (("a", 0.4, 1.0), ("b", 0.2, 2.0), ("a", 0.5, 4.0), ("a", 1.5, 8.0)):
        watch.enter(stage, fraction)
        clock.now_s += seconds
    watch.stop()
    assert watch.timings == {"a": 13.0, "b": 2.0}
    assert heard == [("a", 0.4, None), ("b", 0.4, None), ("a", 0.5, None), ("a", 1.0, None)]


def test_what_is_measured_leaves_waiting_and_loading_out() -> None:
    watch, clock, heard = watched()
    for stage, fraction, seconds in (("waiting", 0.0, 5.0), ("loading", 0.0, 3.0), ("plan", 0.0, 1.0)):
        watch.enter(stage, fraction)
        clock.now_s += seconds
    watch.on_engine_progress("render", 0.5)
    clock.now_s += 2.0
    watch.enter("store", 1.0)
    clock.now_s += 0.5
    measured = watch.finish()
    assert measured == [1.0] * 9 + [3.0] * 11 + [3.5]
    assert len(measured) == N_MARKS + 1
    assert heard[-1] == ("store", 1.0, 0.0)
    assert watch.timings["store"] == 0.5


def test_the_fraction_is_the_share_of_time_that_past_generations_took() -> None:
    # Half of the engine's work took a second, the rest of it and all else three more.
    watch, _, heard = watched(Pace((1.0,) * 9 + (3.0,) * 11 + (4.0,)))
    for fraction in (0.0, 0.5, 1.0):
        watch.on_engine_progress("render", fraction)
    watch.enter("store", 1.0)
    assert [(fraction, left_s) for _, fraction, left_s in heard] == [
        (0.0, 4.0),
        (0.25, pytest.approx(3 * 1 / 2)),
        (0.75, pytest.approx(1 * 1 / 4)),
        (0.75, pytest.approx(1 * 1 / 4)),
    ]


def test_loading_counts_where_it_has_to_be_done() -> None:
    watch, clock, heard = watched(even_pace(4.0), loading_s=2.0)
    watch.enter("waiting", 0.0)
    for _ in range(4):
        watch.enter("loading", 0.0)
        clock.now_s += 1.0
    watch.enter("plan", 0.0)
    assert heard == [
        ("waiting", 0.0, None),
        ("loading", 0.0, 6.0),
        ("loading", 1 / 6, 5.0),
        ("loading", 2 / 6, 4.0),
        ("loading", 2 / 6, 4.0),
        ("plan", 2 / 6, 4.0),
    ]


def test_seconds_left_fall_also_while_nothing_is_reported() -> None:
    watch, clock, heard = watched(even_pace(4.0))
    for _ in range(6):
        watch.enter("render", 0.0)
        clock.now_s += 1.0
    assert [left_s for *_, left_s in heard] == [4.0, 3.0, 2.0, 1.0, 0.0, 0.0]


@pytest.mark.parametrize("slowness", [0.5, 1.0, 3.0])
def test_a_slower_machine_is_believed_step_by_step_and_the_end_is_met(slowness: float) -> None:
    watch, clock, heard = watched(even_pace(10.0))
    ends_at = []
    for step in range(101):
        clock.now_s = slowness * step / 10
        watch.enter("render", step / 100)
        ends_at.append(clock.now_s + (heard[-1][2] or 0.0))
    assert ends_at[0] == 10.0
    assert ends_at[-1] == pytest.approx(10.0 * slowness)
    assert max(abs(later - earlier) for earlier, later in pairwise(ends_at)) < 0.08 * 10.0 * max(slowness, 1.0)
    assert sorted(ends_at, reverse=slowness < 1) == pytest.approx(ends_at)


def test_without_a_past_the_engine_is_believed_and_no_end_foretold() -> None:
    watch, _, heard = watched()
    watch.enter("loading", 0.0)
    watch.on_engine_progress("render", 0.5)
    assert heard == [("loading", 0.0, None), ("render", 0.45, None)]
