"""Draw sections from the network: many candidates at once, one event at a time, under the grammar.

Owns the loop, the cache's use and the draw. All randomness comes from one local generator per candidate, seeded by the
request; a candidate does not depend on those beside it, but for the rounding of float32 sums. Knows nothing of files,
nor of which candidate is best.

Axes: b candidates, s symbols, n durations.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from musicgen.composer.checkpoint import checkpoint
from musicgen.composer.lead_sheet_network.cursor import Cursor, write_section
from musicgen.composer.lead_sheet_network.matrices import Floats
from musicgen.composer.lead_sheet_network.network import Integers, KeyValueCache, LeadSheetNetwork
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
    DURATION_INDEX,
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

DONE_SHARE = 0.25  # candidates that must be done before the others go on without them
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


@dataclass(slots=True)
class _Candidate:
    """One row of the batch."""

    request: SectionRequest
    cursor: Cursor
    noise: Floats
    low: int = HIGHEST_PITCH
    high: int = LOWEST_PITCH
    run: int = 0
    done: bool = False
    _given: deque[Event] = field(default_factory=deque)

    def settle(self) -> None:
        """Pass to the melody where the chords are done, and stop where all is done."""
        cursor = self.cursor
        if cursor.stream == CHORD_STREAM and cursor.stream_is_full:
            cursor.turn_to_melody()
        self.done = cursor.stream_is_full

    def given(self) -> Event | None:
        """Give the next event where it is not to be drawn: in a bar whose melody returns."""
        cursor = self.cursor
        if cursor.stream == MELODY_STREAM and cursor.position == 0 and not self._given:
            earlier = self.request.returns.get(cursor.tick // cursor.controls.bar_ticks)
            if earlier is not None:
                self._given.extend(_bar(cursor, earlier))
        return self._given.popleft() if self._given else None

    def write(self, ticks: int, symbol: int) -> None:
        """Take an event."""
        if is_pitch(symbol):
            self.run = self.run + 1 if symbol == self.cursor.last_pitch else 1
            self.low = min(self.low, symbol_pitch(symbol))
            self.high = max(self.high, symbol_pitch(symbol))
        self.cursor.write(ticks, symbol)
        self.settle()


def _bar(cursor: Cursor, bar: int) -> Iterator[Event]:
    """Give the melody events of a bar as they can be written now: a held note needs one before it."""
    tick, bar_ticks = 0, cursor.controls.bar_ticks
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
        candidates = [candidate for group in groups for candidate in group]
        states, cache = self._read_chords([group[0] for group in groups], max(len(c.noise) for c in candidates))
        states, cache = states.repeat(n_candidates, axis=0), cache.repeat(n_candidates)
        step = 0
        while candidates:
            if step % STEPS_BETWEEN_CHECKPOINTS == 0:
                checkpoint()
            slots = np.array([candidate.cursor.slot() for candidate in candidates])
            if step:
                times = np.array([candidate.cursor.times() for candidate in candidates], dtype=np.float32)
                states = self.network.read(slots[:, None], times[:, None], cache)[:, 0]
            self._write_events(candidates, states, slots, step, options)
            going_on = [row for row, candidate in enumerate(candidates) if not candidate.done]
            if len(going_on) <= (1 - DONE_SHARE) * len(candidates):
                candidates = [candidates[row] for row in going_on]
                cache.keep(going_on)
            step += 1
        return [[_section(candidate.cursor) for candidate in group] for group in groups]

    def _read_chords(self, firsts: Sequence[_Candidate], n_events: int) -> tuple[Floats, KeyValueCache]:
        """Read what is known of each request; give the states (requests, d) and the cache, with room for events."""
        known = [
            write_section(c.request.controls, chord_events(c.request.chords, c.request.controls), None)[1:3]
            for c in firsts
        ]
        lengths = np.array([len(slots) for slots, _ in known])
        longest = int(lengths.max())
        for candidate, (slots, times) in zip(firsts, known, strict=True):
            # Where the chords fill the section, its last slot already looks ahead to the melody.
            slots[-1], times[-1] = candidate.cursor.slot(), candidate.cursor.times()
            slots += [slots[-1]] * (longest - len(slots))
            times += [times[-1]] * (longest - len(times))
        cache = KeyValueCache.empty(self.network.shape, len(firsts), longest + n_events)
        all_slots, all_times = (np.array(values) for values in zip(*known, strict=True))
        states = self.network.read(all_slots, all_times.astype(np.float32), cache)
        cache.lengths = lengths
        return states[np.arange(len(firsts)), lengths - 1], cache

    def _write_events(
        self, candidates: Sequence[_Candidate], states: Floats, slots: Integers, step: int, options: SamplingOptions
    ) -> None:
        """Write the next event of every candidate that is not done, from states (b, d) and slots (b, c)."""
        given = [None if candidate.done else candidate.given() for candidate in candidates]
        noise = np.stack([candidate.noise[step] for candidate in candidates])
        in_chords = np.array([candidate.cursor.stream == CHORD_STREAM for candidate in candidates])
        warmth = np.where(in_chords, options.chord_temperature, options.rhythm_temperature)
        durations = choose(self.network.duration_logits(states, slots), warmth, options.top_p, noise[:, 0])
        for row, event in enumerate(given):
            if event:
                durations[row] = DURATION_INDEX[event[0]]
        logits = self.network.symbol_logits(states, slots, durations)
        logits = np.where(self._allowed(candidates, options)[:, : logits.shape[1]], logits, -np.inf)
        warmth = np.where(in_chords, options.chord_temperature, options.pitch_temperature)
        symbols = choose(logits, warmth, options.top_p, noise[:, 1])
        for candidate, event, duration, symbol in zip(candidates, given, durations, symbols, strict=True):
            if not candidate.done:
                candidate.write(*(event or (DURATIONS[duration], int(symbol))))

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


def _begin(request: SectionRequest, index: int) -> _Candidate:
    """Stand where drawing begins."""
    controls = request.controls
    cursor = write_section(controls, chord_events(request.chords, controls), None)[0]
    limit = controls.bars * (controls.bar_ticks // SIXTEENTH + controls.bar_ticks // CHORD_GRID)
    noise = np.random.default_rng(candidate_seed(request.seed, index)).random((limit, 2), dtype=np.float32)
    candidate = _Candidate(request, cursor, noise)
    candidate.settle()
    return candidate


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
