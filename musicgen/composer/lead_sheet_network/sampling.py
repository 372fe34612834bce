"""Draw sections from the network: many candidates at once, one event at a time, under the grammar.

Owns the loop, the cache's use and the draw. All randomness comes from one local generator per candidate, seeded by the
request; a candidate does not depend on those beside it, but for the rounding of float32 sums. Knows nothing of files,
nor of which candidate is best.

Axes: b candidates, s symbols, n durations.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from musicgen.composer.checkpoint import checkpoint
from musicgen.composer.lead_sheet_network.candidates import Batch, Candidate, begin, section_of
from musicgen.composer.lead_sheet_network.matrices import Floats
from musicgen.composer.lead_sheet_network.network import STREAM, Integers, KeyValueCache, LeadSheetNetwork
from musicgen.composer.lead_sheet_network.section import Section, SectionRequest
from musicgen.composer.lead_sheet_network.tokens import (
    CHORD_STREAM,
    DURATIONS,
    FIRST_PITCH,
    LOWEST_PITCH,
    N_SYMBOLS,
    Mask,
    is_pitch,
)

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
        groups = [[begin(request, index) for index in range(n_candidates)] for request in requests]
        firsts = [group[0] for group in groups]
        capacity = max(len(first.unread) + len(first.noise) for first in firsts)
        cache = KeyValueCache.empty(self.network.shape, len(firsts), capacity)
        states = self._read(firsts, cache).repeat(n_candidates, axis=0)
        batch = Batch([candidate for group in groups for candidate in group], cache.repeat(n_candidates))
        step = 0
        while batch.ready:
            if step % STEPS_BETWEEN_CHECKPOINTS == 0:
                checkpoint()
            self._write_events(batch.ready, states, options)
            batch.sort_out()
            states = np.concatenate([self._read(*rows) for rows in batch.to_read()])
            step += 1
        return [[section_of(candidate.cursor) for candidate in group] for group in groups]

    def _read(self, candidates: Sequence[Candidate], cache: KeyValueCache) -> Floats:
        """Read what the candidates have unread, and give the state after it, (b, d)."""
        if not candidates:
            return np.zeros((0, self.network.shape.channels), np.float32)
        counts = np.array([len(candidate.unread) for candidate in candidates])
        unread = [slot for candidate in candidates for slot in candidate.unread]
        slots = np.array([columns for columns, _ in unread])
        times = np.array([onsets for _, onsets in unread], dtype=np.float32)
        return self.network.read(slots, times, counts, cache)[counts.cumsum() - 1]

    def _write_events(self, candidates: Sequence[Candidate], states: Floats, options: SamplingOptions) -> None:
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
            candidate.take(DURATIONS[duration], symbol)

    def _allowed(self, candidates: Sequence[Candidate], options: SamplingOptions) -> Mask:
        """Give the symbols (b, s) bool within the singable range, without a pitch that has been struck too often."""
        lows = np.array([candidate.high - options.span for candidate in candidates])
        highs = np.array([candidate.low + options.span for candidate in candidates])
        in_range = (self._pitches >= lows[:, None]) & (self._pitches <= highs[:, None])
        allowed: Mask = in_range | self._silent
        for row, candidate in enumerate(candidates):
            if candidate.run >= options.longest_run:
                allowed[row, candidate.cursor.last_pitch] = False
        return allowed


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
