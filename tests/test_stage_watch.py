"""The clock of the stages."""

from musicgen.stage_watch import StageWatch


def test_stages_are_timed_also_when_they_come_back() -> None:
    now_s = 0.0
    heard = []
    watch = StageWatch(lambda *progress: heard.append(progress), clock=lambda: now_s)
    for stage, fraction, seconds in (("a", 0.4, 1.0), ("b", 0.2, 2.0), ("a", 0.5, 4.0), ("a", 1.5, 8.0)):
        watch.enter(stage, fraction)
        now_s += seconds
    watch.stop()
    assert watch.timings == {"a": 13.0, "b": 2.0}
    assert heard == [("a", 0.4), ("b", 0.4), ("a", 0.5), ("a", 1.0)]
