"""Candidates: melodies that are being written, each with its cursor and its chances, and the batch that they stand in.

Owns what is written without being drawn: the bars that return. Knows nothing of the network but its cache's rows.
"""

import itertools
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from musicgen.composer.lead_sheet_network.cursor import Cursor, write_section
from musicgen.composer.lead_sheet_network.matrices import Floats
from musicgen.composer.lead_sheet_network.network import KeyValueCache
from musicgen.composer.lead_sheet_network.section import (
    Event,
    Section,
    SectionRequest,
    chord_events,
    chords_of,
    melody_of,
)
from musicgen.composer.lead_sheet_network.tokens import (
    CHORD_GRID,
    CHORD_STREAM,
    HIGHEST_PITCH,
    HOLD,
    LOWEST_PITCH,
    MELODY_STREAM,
    REST,
    SIXTEENTH,
    is_pitch,
    symbol_pitch,
)

# Products with more vectors than this are slower for each: what they make no longer stays in the nearest cache.
MOST_SLOTS = 48

Slot = tuple[list[int], tuple[float, float]]  # columns and times, as `LeadSheetNetwork.read` takes them


@dataclass(slots=True)
class Candidate:
    """One row of the batch.

    Attributes:
        unread: slots that the network has yet to read; more than one where bars returned, whose events are not drawn.
            The last one says where the next event will stand.
        noise: (events, 2) float32, uniform in [0, 1), what each event's duration and symbol are drawn with.
        low, high: lowest and highest pitch so far, semitones from the tonic.
        run: how often the last pitch was struck in a row.
    """

    request: SectionRequest
    cursor: Cursor
    noise: Floats
    unread: list[Slot]
    n_written: int = 0
    low: int = HIGHEST_PITCH
    high: int = LOWEST_PITCH
    run: int = 0
    _given: deque[Event] = field(default_factory=deque)

    @property
    def done(self) -> bool:
        """Whether all is written."""
        return self.cursor.stream == MELODY_STREAM and self.cursor.stream_is_full

    @property
    def waits(self) -> bool:
        """Whether there is more to read than the others have."""
        return len(self.unread) > 1

    @property
    def will_wait(self) -> bool:
        """Whether a bar that returns lies ahead."""
        bar = self.cursor.tick // self.cursor.bar_ticks if self.cursor.stream == MELODY_STREAM else -1
        return any(later > bar for later in self.request.returns)

    def take(self, ticks: int, symbol: int) -> None:
        """Take an event that was drawn when all was read, and those that follow it in bars that return."""
        self.unread.clear()
        self._write(ticks, symbol)
        while not self.done and (event := self._next_given()):
            self._write(*event)

    def _write(self, ticks: int, symbol: int) -> None:
        if is_pitch(symbol):
            self.run = self.run + 1 if symbol == self.cursor.last_pitch else 1
            self.low = min(self.low, symbol_pitch(symbol))
            self.high = max(self.high, symbol_pitch(symbol))
        self.cursor.write(ticks, symbol)
        self.n_written += 1
        _settle(self.cursor)
        self.unread.append((self.cursor.slot(), self.cursor.times()))

    def _next_given(self) -> Event | None:
        """Give the next event where it is not to be drawn: in a bar whose melody returns."""
        cursor = self.cursor
        if cursor.stream == MELODY_STREAM and cursor.position == 0 and not self._given:
            earlier = self.request.returns.get(cursor.tick // cursor.bar_ticks)
            if earlier is not None:
                self._given.extend(_bar(cursor, earlier))
        return self._given.popleft() if self._given else None


def _settle(cursor: Cursor) -> None:
    """Pass to the melody where the chords are done."""
    if cursor.stream == CHORD_STREAM and cursor.stream_is_full:
        cursor.turn_to_melody()


def _bar(cursor: Cursor, bar: int) -> Iterator[Event]:
    """Give the melody events of a bar as they can be written now: a held note needs one before it."""
    tick, bar_ticks = 0, cursor.bar_ticks
    can_hold = cursor.situation == 2
    for ticks, symbol in cursor.events[MELODY_STREAM]:
        if tick // bar_ticks == bar:
            yield ticks, REST if symbol == HOLD and not can_hold else symbol
        tick += ticks


class Batch:
    """Candidates that are not done and their rows of the cache, in one order: first the ready, then the waiting.

    Attributes:
        ready: the candidates whose next event can be drawn when one slot is read.
        waiting: those with more to read. They wait until all that will have as much have come as far, and are read
            at once: a few large products instead of many small ones.
    """

    def __init__(self, candidates: Sequence[Candidate], cache: KeyValueCache) -> None:
        self.ready = list(candidates)
        self.waiting: list[Candidate] = []
        self._cache = cache

    def sort_out(self) -> None:
        """Let go of candidates that are done, and let those wait that have to."""
        for row in reversed(range(len(self.ready))):
            if self.ready[row].done:
                self._let_go(row)
            elif self.ready[row].waits:
                self._let_wait(row)

    def _let_go(self, row: int) -> None:
        last = self.ready.pop()
        if row < len(self.ready):
            self.ready[row] = last
            self._cache.move(len(self.ready), row)
        if self.waiting:
            self._cache.move(len(self.ready) + len(self.waiting), len(self.ready))
            self.waiting.insert(0, self.waiting.pop())

    def _let_wait(self, row: int) -> None:
        end = len(self.ready) - 1
        if row < end:
            self._cache.swap(row, end)
            self.ready[row], self.ready[end] = self.ready[end], self.ready[row]
        self.waiting.insert(0, self.ready.pop())

    def to_read(self) -> Iterator[tuple[list[Candidate], KeyValueCache]]:
        """Yield candidates and rows that are to be read now, all of which are ready then."""
        first = len(self.ready)
        yield list(self.ready), self._cache.rows(0, first)
        if any(candidate.will_wait for candidate in self.ready):
            return
        self.ready += self.waiting
        self.waiting = []
        while first < len(self.ready):
            n_slots = itertools.accumulate(len(candidate.unread) for candidate in self.ready[first:])
            end = first + max(sum(n <= MOST_SLOTS for n in n_slots), 1)
            yield self.ready[first:end], self._cache.rows(first, end)
            first = end


def begin(request: SectionRequest, index: int) -> Candidate:
    """Stand where drawing begins: the chords, where the request has them, are written and unread."""
    controls = request.controls
    cursor, slots, times, _ = write_section(controls, chord_events(request.chords, controls), None)
    _settle(cursor)
    # Where the chords fill the section, its last slot already looks ahead to the melody.
    known = [*zip(slots[:-1], times[:-1], strict=True), (cursor.slot(), cursor.times())]
    limit = controls.bars * (controls.bar_ticks // SIXTEENTH + controls.bar_ticks // CHORD_GRID)
    noise = np.random.default_rng(candidate_seed(request.seed, index)).random((limit, 2), dtype=np.float32)
    return Candidate(request, cursor, noise, known)


def candidate_seed(seed: int, index: int) -> int:
    """Mix a seed and a candidate's number into a seed of 63 bits (the finaliser of SplitMix64)."""
    mixed = (seed * 0x9E3779B97F4A7C15 + (index + 1) * 0xBF58476D1CE4E5B9) & 0xFFFFFFFFFFFFFFFF
    mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & 0xFFFFFFFFFFFFFFFF
    mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & 0xFFFFFFFFFFFFFFFF
    return (mixed ^ (mixed >> 31)) >> 1


def section_of(cursor: Cursor) -> Section:
    """Give what was written."""
    return Section(cursor.controls, chords_of(cursor.events[CHORD_STREAM]), melody_of(cursor.events[MELODY_STREAM]))
