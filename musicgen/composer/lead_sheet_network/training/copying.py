"""How long the runs are that a melody shares with the training songs: the check that the network does not copy.

A run is a row of notes with the same intervals and the same time from note to note, in any key, anywhere in the bar.
"""

import itertools
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from musicgen.composer.lead_sheet_network.section import Note, to_ticks

SHORTEST_RUN, LONGEST_RUN = 4, 40  # notes
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)


def _steps(melody: Sequence[Note]) -> list[int]:
    """Number every step from note to note by its interval and its time."""
    return [
        (to_ticks(after.onset - before.onset) * 128 + after.pitch - before.pitch + 64) % 2**32
        for before, after in itertools.pairwise(melody)
    ]


def _hashes_by_length(steps: np.ndarray) -> Iterator[np.ndarray]:
    """Hash every run of 1, 2, 3 ... steps (uint64); equal runs have equal hashes."""
    hashes = np.zeros(len(steps), dtype=np.uint64)
    for length in range(1, LONGEST_RUN):
        following = steps[length - 1 :]
        hashes = hashes[: len(following)]
        hashes = (hashes * _MULTIPLIER + following + np.uint64(1)) ^ (hashes >> np.uint64(29))
        yield hashes


class TrainingRuns:
    """All runs of the training melodies."""

    def __init__(self, melodies: Iterable[Sequence[Note]]) -> None:
        joined: list[int] = []
        for break_number, melody in enumerate(melodies):
            joined += [*_steps(melody), 2**32 + break_number]  # no step has a break's number
        self.runs = [np.unique(hashes) for hashes in _hashes_by_length(np.array(joined, dtype=np.uint64))]

    def longest_shared(self, melody: Sequence[Note]) -> int:
        """Give the longest run, in notes, that a melody shares with any training song; 0 below `SHORTEST_RUN`."""
        longest = 0
        hashes_by_length = _hashes_by_length(np.array(_steps(melody), dtype=np.uint64))
        for n_notes, (hashes, known) in enumerate(zip(hashes_by_length, self.runs, strict=True), start=2):
            places = np.searchsorted(known, hashes).clip(max=len(known) - 1)
            if not (known[places] == hashes).any():
                break
            longest = n_notes
        return longest if longest >= SHORTEST_RUN else 0
