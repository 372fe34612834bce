"""From a score to the finished track as a stream: a sound check, then the piece, mixed and mastered window by window.

Owns the order of the steps. They run one after the other in the taker's thread, beside the encoders: in threads of
their own they hand Python's lock to and fro so often that nothing is gained. The level of the whole must be known
before the first sample is handed out; so excerpts from all over the piece are played first, as a band does before a
concert, and kept for when the piece gets there. Of a piece that is not longer than the excerpts, all is heard.
"""

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from musicgen.composer.score import Score
from musicgen.composer.sound.articulation import SAMPLE_RATE
from musicgen.composer.sound.mastering import Level, find_level, master
from musicgen.composer.sound.mixing import Band, Played, colour_gain, finished, in_room, peak_of
from musicgen.composer.sound.part_rendering import WINDOW
from musicgen.composer.sound.resampling import Samples
from musicgen.composer.sound.sampler import Sampler
from musicgen.composer.sound.sound_check import stand_ins
from musicgen.loudness import LoudnessMeter

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
        played_for = stand_ins(self._band.schedules, len(self._band.windows))
        chosen = sorted(set(played_for.tolist()))
        excerpts = {}
        with closing(self._band.play(self._windows(chosen))) as rehearsed:
            for i, excerpt in zip(chosen, rehearsed, strict=True):
                excerpts[i] = excerpt
                on_progress(CHECKED * len(excerpts) / len(chosen))
        levels, toned = self._check_sound(excerpts, np.searchsorted(chosen, played_for))
        mix = toned if len(chosen) == len(played_for) else self._mix(excerpts, levels)
        n_done = 0
        for block in master(mix, self.n_samples, levels.master, SAMPLE_RATE, self.meter):
            n_done += block.shape[1]
            on_progress(CHECKED + (1 - CHECKED) * n_done / self.n_samples)
            yield block

    def _check_sound(self, excerpts: dict[int, Played], places: NDArray[np.intp]) -> tuple[Levels, list[Samples]]:
        """Find the levels of the piece from what its band plays in some windows; returns their mix as well.

        Args:
            excerpts: number of a window to what is played in it, ascending.
            places: (windows of the piece,) which of them, counted from 0, stands for each.
        """
        sums = list(in_room(excerpts.values(), self._settings.reverb_s))
        self.sum_peak = peak_of(sums)
        colour = colour_gain(self._settings, self.sum_peak)
        toned = list(finished(sums, self._settings, self.n_samples, colour, self._seed))
        moments = self.meter.block_starts(self.n_samples)
        stands_for = (places[moments // WINDOW] * WINDOW + moments % WINDOW) // self.meter.hop_length
        return Levels(colour, find_level(toned, SAMPLE_RATE, stands_for)), toned

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
