"""The stages of a generation as they pass by: how long each takes, and the share of the whole that is done."""

import time
from collections.abc import Callable

from musicgen.engine import OnProgress

# Share of the whole that the engine's own progress covers; export and storing are the rest.
ENGINE_SHARE = 0.9


class StageWatch:
    """Times the stages that pass by, and tells the caller one fraction of the whole that never falls.

    Attributes:
        timings: stage -> seconds, of the stages that have ended.
    """

    def __init__(self, on_progress: OnProgress, clock: Callable[[], float] = time.perf_counter) -> None:
        self.timings: dict[str, float] = {}
        self._on_progress = on_progress
        self._clock = clock
        self._stage: str | None = None
        self._since = 0.0
        self._fraction = 0.0

    def on_engine_progress(self, stage: str, fraction: float) -> None:
        """Take the engine's progress, 0 to 1, as its share of the whole."""
        self.enter(stage, fraction * ENGINE_SHARE)

    def enter(self, stage: str, fraction: float) -> None:
        """Go on to `stage` with `fraction` of the whole done."""
        if stage != self._stage:
            self.stop()
            self._stage, self._since = stage, self._clock()
        self._fraction = max(self._fraction, min(fraction, 1.0))
        self._on_progress(stage, self._fraction)

    def stop(self) -> None:
        """End the present stage."""
        if self._stage is not None:
            self.timings[self._stage] = self.timings.get(self._stage, 0.0) + self._clock() - self._since
        self._stage = None
