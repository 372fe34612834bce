"""From a score to the finished track as a stream: a sound check, then the piece, mixed and mastered window by window.

Owns the order of the steps. They run one after the other in the taker's thread, beside the encoders: in threads of
their own they hand Python's lock to and fro so often that nothing is gained. The level of the whole must be known
before the first sample is handed out; so excerpts from all over the piece are played first, as a band does before a
concert, and kept for when the piece gets there. Of a piece that is not longer than the excerpts, all is heard.
"""

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from musicgen.composer.score import Score
from musicgen.composer.sound.articulation import SAMPLE_RATE
from musicgen.composer.sound.mastering import Level, find_level, master
from musicgen.composer.sound.mixing import Band, Played, colour_gain, finished, in_room, peak_of
from musicgen.composer.sound.part_rendering import WINDOW
from musicgen.composer.sound.resampling import Samples
from musicgen.composer.sound.sampler import Sampler
from musicgen.loudness import LoudnessMeter

# Windows that a sound check plays: 24 s of a piece that is longer than 60 s, all of others.
N_EXCERPTS, HEARD_WHOLE = 16, 42
# Share of the work that is done with the sound check.
CHECKED = 0.1

OnShare = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Levels:
    """What a sound check finds: the gain before tape and crackle (None: there are none), and the master's level."""

    colour: float | None
    master: Level


class TrackAudio:
    """The sound of a score.

    Attributes:
        n_samples: its length, `score.duration_s` at 44,100 Hz.
        sum_peak: the loudest sample, so far, of the parts' sum in the room, before the tone and colour of the whole.
        meter: has heard the blocks that were taken.
    """

    def __init__(self, score: Score, sampler: Sampler, seed: int, device: str = "cpu") -> None:
        """Prepare the notes.

        Args:
            score: the piece.
            sampler: plays its parts.
            seed: of tape and crackle; the notes need none.
            device: torch's name of what adds the notes up.

        Raises:
            ValueError: the sound font lacks a part's preset, or a note is out of range.
        """
        self._band = Band(score, score.parts, sampler, device)
        self._settings = score.mix
        self._seed = seed
        self.n_samples = self._band.n_samples
        self.sum_peak = 0.0
        self.meter = LoudnessMeter(SAMPLE_RATE)

    def blocks(self, on_progress: OnShare) -> Generator[Samples, None, None]:
        """Make the track, (2, k) float32 blocks, mastered.

        Args:
            on_progress: called with the share that is done, 0 to 1; may raise to cancel.
        """
        n_windows = len(self._band.windows)
        excerpts = {}
        chosen = excerpt_places(n_windows)
        with closing(self._band.play(self._windows(chosen))) as rehearsed:
            for i, excerpt in zip(chosen, rehearsed, strict=True):
                excerpts[i] = excerpt
                on_progress(CHECKED * len(excerpts) / len(chosen))
        levels, toned = self._check_sound(excerpts)
        mix = toned if len(chosen) == n_windows else self._mix(excerpts, levels)
        n_done = 0
        for block in master(mix, self.n_samples, levels.master, SAMPLE_RATE, self.meter):
            n_done += block.shape[1]
            on_progress(CHECKED + (1 - CHECKED) * n_done / self.n_samples)
            yield block

    def _check_sound(self, excerpts: dict[int, Played]) -> tuple[Levels, list[Samples]]:
        """Find the levels of the piece from what its band plays in some windows; returns their mix as well."""
        sums = list(in_room(excerpts.values(), self._settings.reverb_s))
        self.sum_peak = peak_of(sums)
        colour = colour_gain(self._settings, self.sum_peak)
        toned = list(finished(sums, self._settings, self.n_samples, colour, self._seed))
        level = find_level(toned, SAMPLE_RATE)
        return Levels(colour, replace(level, expected=self._spread(level.expected, list(excerpts)))), toned

    def _spread(self, heard: NDArray[np.float64], places: list[int]) -> NDArray[np.float64]:
        """Give every moment of the piece, each hop of the meter, what was heard in the excerpt nearest to it."""
        moments = np.arange(0, self.n_samples, self.meter.hop_length)
        nearest = np.abs(moments[:, None] // WINDOW - np.array(places)).argmin(axis=1)
        hops = (nearest * WINDOW + moments % WINDOW) // self.meter.hop_length
        return heard[np.minimum(hops, len(heard) - 1)] if heard.size else heard

    def _windows(self, places: list[int]) -> list[slice]:
        return [self._band.windows[i] for i in places]

    def _mix(self, excerpts: dict[int, Played], levels: Levels) -> Generator[Samples, None, None]:
        with closing(self._played(excerpts)) as played:
            sums = self._watched(in_room(played, self._settings.reverb_s))
            yield from finished(sums, self._settings, self.n_samples, levels.colour, self._seed)

    def _played(self, excerpts: dict[int, Played]) -> Generator[Played, None, None]:
        """Play the piece; what the sound check has played is taken from it, and let go."""
        n_windows = len(self._band.windows)
        rest = self._band.play(self._windows([i for i in range(n_windows) if i not in excerpts]))
        for i in range(n_windows):
            yield excerpts.pop(i) if i in excerpts else next(rest)

    def _watched(self, sums: Iterator[Samples]) -> Generator[Samples, None, None]:
        for samples in sums:
            self.sum_peak = max(self.sum_peak, peak_of([samples]))
            yield samples


def excerpt_places(n_windows: int) -> list[int]:
    """Choose the windows of a sound check, spread over the piece: all of a short one."""
    n = n_windows if n_windows <= HEARD_WHOLE else N_EXCERPTS
    return [int((i + 0.5) * n_windows / n) for i in range(n)]
