"""The stages of a generation as they pass by: how long each takes, the share that is done, the seconds that remain."""

import time
from collections.abc import Callable

from musicgen.pace import N_MARKS, Pace

# Share of the whole that the engine's own progress covers; export and storing are the rest.
ENGINE_SHARE = 0.9
# The stages before the work itself, whose pace is measured and foretold without them.
WAITING, LOADING = "waiting", "loading"

# Called with the stage, the share of the whole that is done (0 to 1, never falling) and the seconds left, if known.
Report = Callable[[str, float, float | None], None]


class StageWatch:
    """Times the stages that pass by, and reports how far the whole is.

    With a `pace` the reported share is one of time; without, it is what the engine says.

    Attributes:
        timings: stage -> seconds, of the stages that have ended.
    """

    def __init__(
        self,
        report: Report,
        pace: Pace | None = None,
        loading_s: float | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """Begin to watch; `loading_s` is how many seconds an engine usually takes to load, if it has to be."""
        self.timings: dict[str, float] = {}
        self._report = report
        self._past = pace
        self._usual_loading_s = loading_s or 0.0
        self._clock = clock
        self._stage: str | None = None
        self._since = 0.0
        self._fraction = 0.0
        # Seconds of loading, where there is any: of the whole that is expected, and of that the part that has passed.
        self._loading_whole_s = self._loading_done_s = 0.0
        # The engine's word on how much is done; when the work began, and when that word last grew.
        self._position = 0.0
        self._has_begun = False
        self._began_at = self._moved_at = 0.0
        self._reached_s: list[float] = []

    def on_engine_progress(self, stage: str, fraction: float) -> None:
        """Take the engine's progress, 0 to 1, as its share of the whole."""
        self.enter(stage, fraction * ENGINE_SHARE)

    def enter(self, stage: str, fraction: float) -> None:
        """Go on to `stage` with `fraction` of the whole done."""
        now = self._clock()
        if stage != self._stage:
            self.stop()
            self._stage, self._since = stage, now
        if stage == LOADING:
            self._loading_whole_s = self._usual_loading_s
            self._loading_done_s = min(now - self._since, self._usual_loading_s)
        elif stage != WAITING:
            self._move_to(min(fraction, 1.0), now)
        self._fraction = max(self._fraction, self._share_done())
        self._report(stage, self._fraction, self._seconds_left(now))

    def _move_to(self, position: float, now: float) -> None:
        if not self._has_begun:
            self._has_begun = True
            self._began_at = self._moved_at = now
            self._loading_done_s = self._loading_whole_s
        if position > self._position:
            self._position, self._moved_at = position, now
        while len(self._reached_s) < N_MARKS and self._position >= (len(self._reached_s) + 1) / N_MARKS:
            self._reached_s.append(now - self._began_at)

    def _share_done(self) -> float:
        if self._past is None:
            return self._position
        whole_s = self._loading_whole_s + self._past.total_s
        return (self._loading_done_s + self._past.seconds_until(self._position)) / whole_s if whole_s else 0.0

    def _seconds_left(self, now: float) -> float | None:
        if self._past is None or self._stage == WAITING:
            return None
        if not self._has_begun:
            loading_s = self._loading_whole_s - self._loading_done_s
            return loading_s + self._past.total_s if self._usual_loading_s else None
        left_s = self._past.seconds_left(self._position, self._moved_at - self._began_at)
        return max(left_s - (now - self._moved_at), 0.0)

    def stop(self) -> None:
        """End the present stage."""
        if self._stage is not None:
            self.timings[self._stage] = self.timings.get(self._stage, 0.0) + self._clock() - self._since
        self._stage = None

    def finish(self) -> list[float]:
        """End the whole; return the seconds from its begin to each mark and to the end, as `Pace` has them."""
        now = self._clock()
        stage = self._stage or ""
        self.stop()
        self._move_to(1.0, now)
        self._report(stage, 1.0, 0.0)
        return [*self._reached_s, now - self._began_at]
