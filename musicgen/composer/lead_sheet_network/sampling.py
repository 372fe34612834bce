"""Draw sections from the network: many candidates at once, one event at a time, under the grammar.

Owns the loop, the cache's use and the draw. All randomness comes from one local generator per candidate, seeded by the
request; a candidate does not depend on those beside it, but for the rounding of float32 sums. Knows nothing of files,
nor of which candidate is best.

Axes: b candidates, s symbols, n durations.
"""

import itertools
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from musicgen.composer.checkpoint import checkpoint
from musicgen.composer.lead_sheet_network.cursor import Cursor, write_section
from musicgen.composer.lead_sheet_network.matrices import Floats
from musicgen.composer.lead_sheet_network.network import STREAM, Integers, KeyValueCache, LeadSheetNetwork
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
    DURATIONS,
    FIRST_PITCH,
    HIGHEST_PITCH,
    HOLD,
    LOWEST_PITCH,
    MELODY_STREAM,
    N_SYMBOLS,
    REST,
    SIXTEENTH,
    Mask,
    is_pitch,
    symbol_pitch,
)

# Products with more vectors than this are slower for each: what they make no longer stays in the nearest cache.
MOST_SLOTS = 48
# About a twentieth of a second.
STEPS_BETWEEN_CHECKPOINTS = 8


@dataclass(frozen=True, slots=True)
class SamplingOptions:
    """How to draw.

    Attributes:
        chord_temperature, rhythm_temperature, pitch_temperature: above 1 more adventurous, below 1 more common.
        top_p: only the likeliest choices that together have this probability are drawn.
        span: widest melody, semitones from its lowest to its highest note.
        longest_run: most times that one pitch is struck in a row.
    """

    chord_temperature: float = 1.0
    rhythm_temperature: float = 0.95
    pitch_temperature: float = 1.0
    top_p: float = 0.96
    span: int = 17
    longest_run: int = 5

    def __post_init__(self) -> None:
        if self.span < 12:
            raise ValueError(f"span is {self.span}; a melody needs at least 12 semitones")


Slot = tuple[list[int], tuple[float, float]]  # columns and times, as `LeadSheetNetwork.read` takes them


@dataclass(slots=True)
class _Candidate:
    """One row of the batch.

    Attributes:
        unread: slots that the network has yet to read; more than one where bars returned, whose events are not drawn.
        last_return: the last bar that returns; -1 where none does.
    """

    request: SectionRequest
    cursor: Cursor
    noise: Floats
    unread: list[Slot]
    last_return: int
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
        return self.last_return > bar

    def take(self, ticks: int, symbol: int) -> None:
        """Take an event that was drawn, and those that follow it in bars that return."""
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


class Sampler:
    """A network and the tables it is sampled with."""

    def __init__(self, network: LeadSheetNetwork) -> None:
        self.network = network
        self._pitches = np.arange(N_SYMBOLS) - FIRST_PITCH + LOWEST_PITCH
        self._silent = np.array([not is_pitch(symbol) for symbol in range(N_SYMBOLS)])

    def draw(
        self, requests: Sequence[SectionRequest], n_candidates: int, options: SamplingOptions
    ) -> list[list[Section]]:
        """Draw `n_candidates` sections for every request; candidate i depends on the request and i alone."""
        groups = [[_begin(request, index) for index in range(n_candidates)] for request in requests]
        firsts = [group[0] for group in groups]
        capacity = max(len(first.unread) + len(first.noise) for first in firsts)
        cache = KeyValueCache.empty(self.network.shape, len(firsts), capacity)
        states = self._read(firsts, cache).repeat(n_candidates, axis=0)
        batch = _Batch([candidate for group in groups for candidate in group], cache.repeat(n_candidates))
        step = 0
        while batch.ready:
            if step % STEPS_BETWEEN_CHECKPOINTS == 0:
                checkpoint()
            self._write_events(batch.ready, states, options)
            batch.sort_out()
            states = np.concatenate([self._read(*rows) for rows in batch.to_read()])
            step += 1
        return [[_section(candidate.cursor) for candidate in group] for group in groups]

    def _read(self, candidates: Sequence[_Candidate], cache: KeyValueCache) -> Floats:
        """Read what the candidates have unread, and give the state after it, (b, d)."""
        if not candidates:
            return np.zeros((0, self.network.shape.channels), np.float32)
        counts = np.array([len(candidate.unread) for candidate in candidates])
        unread = [slot for candidate in candidates for slot in candidate.unread]
        slots = np.array([columns for columns, _ in unread])
        times = np.array([onsets for _, onsets in unread], dtype=np.float32)
        return self.network.read(slots, times, counts, cache)[counts.cumsum() - 1]

    def _write_events(self, candidates: Sequence[_Candidate], states: Floats, options: SamplingOptions) -> None:
        """Draw the next event of every candidate from states (b, d)."""
        slots = np.array([candidate.unread[-1][0] for candidate in candidates])
        noise = np.stack([candidate.noise[candidate.n_written] for candidate in candidates])
        in_chords = slots[:, STREAM] == CHORD_STREAM
        warmth = np.where(in_chords, options.chord_temperature, options.rhythm_temperature)
        durations = choose(self.network.duration_logits(states, slots), warmth, options.top_p, noise[:, 0])
        logits = self.network.symbol_logits(states, slots, durations)
        logits = np.where(self._allowed(candidates, options)[:, : logits.shape[1]], logits, -np.inf)
        warmth = np.where(in_chords, options.chord_temperature, options.pitch_temperature)
        symbols = choose(logits, warmth, options.top_p, noise[:, 1])
        for candidate, duration, symbol in zip(candidates, durations.tolist(), symbols.tolist(), strict=True):
            candidate.unread.clear()
            candidate.take(DURATIONS[duration], symbol)

    def _allowed(self, candidates: Sequence[_Candidate], options: SamplingOptions) -> Mask:
        """Give the symbols (b, s) bool within the singable range, without a pitch that has been struck too often."""
        lows = np.array([candidate.high - options.span for candidate in candidates])
        highs = np.array([candidate.low + options.span for candidate in candidates])
        in_range = (self._pitches >= lows[:, None]) & (self._pitches <= highs[:, None])
        allowed: Mask = in_range | self._silent
        for row, candidate in enumerate(candidates):
            if candidate.run >= options.longest_run:
                allowed[row, candidate.cursor.last_pitch] = False
        return allowed


class _Batch:
    """Candidates that are not done and their rows of the cache, in one order: first the ready, then the waiting.

    Attributes:
        ready: the candidates whose next event can be drawn when one slot is read.
        waiting: those with more to read. They wait until all that will have as much have come as far, and are read
            at once: a few large products instead of many small ones.
    """

    def __init__(self, candidates: Sequence[_Candidate], cache: KeyValueCache) -> None:
        self.ready = list(candidates)
        self.waiting: list[_Candidate] = []
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

    def to_read(self) -> Iterator[tuple[list[_Candidate], KeyValueCache]]:
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


def _begin(request: SectionRequest, index: int) -> _Candidate:
    """Stand where drawing begins."""
    controls = request.controls
    cursor, slots, times, _ = write_section(controls, chord_events(request.chords, controls), None)
    _settle(cursor)
    # Where the chords fill the section, its last slot already looks ahead to the melody.
    known = [*zip(slots[:-1], times[:-1], strict=True), (cursor.slot(), cursor.times())]
    limit = controls.bars * (controls.bar_ticks // SIXTEENTH + controls.bar_ticks // CHORD_GRID)
    noise = np.random.default_rng(candidate_seed(request.seed, index)).random((limit, 2), dtype=np.float32)
    return _Candidate(request, cursor, noise, known, max(request.returns, default=-1))


def candidate_seed(seed: int, index: int) -> int:
    """Mix a seed and a candidate's number into a seed of 63 bits (the finaliser of SplitMix64)."""
    mixed = (seed * 0x9E3779B97F4A7C15 + (index + 1) * 0xBF58476D1CE4E5B9) & 0xFFFFFFFFFFFFFFFF
    mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & 0xFFFFFFFFFFFFFFFF
    mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & 0xFFFFFFFFFFFFFFFF
    return (mixed ^ (mixed >> 31)) >> 1


def _section(cursor: Cursor) -> Section:
    return Section(cursor.controls, chords_of(cursor.events[CHORD_STREAM]), melody_of(cursor.events[MELODY_STREAM]))


def choose(logits: Floats, temperature: Floats, top_p: float, noise: Floats) -> Integers:
    """Draw from the likeliest choices.

    Args:
        logits: (b, k), minus infinity where forbidden.
        temperature: (b,).
        top_p: probability that the kept choices reach together, 0 to 1.
        noise: (b,), uniform in [0, 1).

    Returns:
        (b,) int64.
    """
    shares = np.exp((logits - logits.max(axis=-1, keepdims=True)) / temperature[:, None])
    shares /= shares.sum(axis=-1, keepdims=True)
    order, rows = np.argsort(-shares, axis=-1, kind="stable"), np.arange(len(shares))
    shares = shares[rows[:, None], order]
    shares[np.cumsum(shares, axis=-1) - shares >= top_p] = 0.0
    reached = np.cumsum(shares, axis=-1)
    drawn = (reached <= noise[:, None] * reached[:, -1:]).sum(axis=-1)
    chosen: Integers = order[rows, np.minimum(drawn, logits.shape[-1] - 1)]
    return chosen
