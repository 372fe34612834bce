"""Draw sections from the network: a batch of candidates, one event at a time, under the grammar.

Owns the loop, the cache's use and the draw. All randomness comes from one local generator per candidate, seeded by the
caller; a candidate does not depend on the seeds beside it. Knows nothing of files, nor of which candidate is best.

Axes: b candidates, s symbols, n durations, p one slot.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from musicgen.composer.lead_sheet_network.cursor import Cursor, write_section
from musicgen.composer.lead_sheet_network.network import KeyValueCache, LeadSheetNetwork
from musicgen.composer.lead_sheet_network.section import (
    MODE_NAMES,
    Event,
    Section,
    SectionControls,
    chord_events,
    chords_of,
    melody_events,
    melody_of,
)
from musicgen.composer.lead_sheet_network.tokens import (
    CHORD_GRID,
    CHORD_INDEX,
    CHORD_STREAM,
    DURATIONS,
    FIRST_CHORD,
    FIRST_PITCH,
    HIGHEST_PITCH,
    LOWEST_PITCH,
    MELODY_STREAM,
    N_SYMBOLS,
    SIXTEENTH,
    is_pitch,
    symbol_pitch,
)

# Semitones above the tonic, in the order of `MODE_NAMES`; minor lends the leading tone to its dominant chords.
SCALES = ((0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10, 11), (0, 2, 3, 5, 7, 9, 10),
          (0, 1, 3, 5, 7, 8, 10), (0, 2, 4, 6, 7, 9, 11), (0, 2, 4, 5, 7, 9, 10))  # fmt: skip
LONGEST_CONTEXT = 700  # slots of earlier sections that are read; training rows were shorter, more only costs time


@dataclass(frozen=True, slots=True)
class SamplingOptions:
    """How to draw.

    Attributes:
        chord_temperature, rhythm_temperature, pitch_temperature: above 1 more adventurous, below 1 more common.
        top_p: only the likeliest choices that together have this probability are drawn.
        span: widest melody, semitones from its lowest to its highest note.
        lowest, highest: bounds of the melody, semitones from the tonic; at least an octave apart.
        in_scale: keep chords in the mode, and the melody in the mode or the sounding chord.
    """

    chord_temperature: float = 1.0
    rhythm_temperature: float = 0.95
    pitch_temperature: float = 1.0
    top_p: float = 0.96
    span: int = 17
    lowest: int = LOWEST_PITCH
    highest: int = HIGHEST_PITCH
    in_scale: bool = False

    def __post_init__(self) -> None:
        if self.highest - self.lowest < 12:
            raise ValueError(f"the melody's bounds {self.lowest} to {self.highest} are less than an octave apart")
        if self.span < 12:
            raise ValueError(f"span is {self.span}; a melody needs at least 12 semitones")


@dataclass(slots=True)
class _Candidate:
    """One row of the batch."""

    cursor: Cursor
    with_melody: bool
    low: int = HIGHEST_PITCH
    high: int = LOWEST_PITCH
    done: bool = False
    _slot: list[int] = field(default_factory=list)

    def settle(self) -> None:
        """Pass to the melody where the chords are done, and stop where all is done."""
        if self.cursor.stream == CHORD_STREAM and self.cursor.stream_is_full and self.with_melody:
            self.cursor.turn_to_melody()
        self.done = self.cursor.stream_is_full

    def write(self, ticks: int, symbol: int) -> None:
        """Take a drawn event."""
        self.cursor.write(ticks, symbol)
        if is_pitch(symbol):
            self.low = min(self.low, symbol_pitch(symbol))
            self.high = max(self.high, symbol_pitch(symbol))
        self.settle()


def scale_masks() -> tuple[Tensor, Tensor]:
    """Build what `in_scale` allows: (mode, s) and (chord symbol, s) bool; a symbol allowed by either may be drawn."""
    by_mode = torch.ones(len(MODE_NAMES), N_SYMBOLS, dtype=torch.bool)
    by_chord = torch.zeros(N_SYMBOLS, N_SYMBOLS, dtype=torch.bool)
    pitch_symbols = range(FIRST_PITCH, FIRST_CHORD)
    for mode, scale in enumerate(SCALES):
        by_mode[mode, FIRST_PITCH:FIRST_CHORD] = torch.tensor([symbol_pitch(s) % 12 in scale for s in pitch_symbols])
        for chord, symbol in CHORD_INDEX.items():
            by_mode[mode, symbol] = (chord.pitch_classes | {chord.bass}) <= set(scale)
    for chord, symbol in CHORD_INDEX.items():
        tones = [symbol_pitch(s) % 12 in chord.pitch_classes for s in pitch_symbols]
        by_chord[symbol, FIRST_PITCH:FIRST_CHORD] = torch.tensor(tones)
    return by_mode, by_chord


class Sampler:
    """A network and the tables it is sampled with."""

    def __init__(self, network: LeadSheetNetwork) -> None:
        self.network = network.eval()
        self.scale_by_mode, self.scale_by_chord = scale_masks()
        self.pitches = torch.arange(N_SYMBOLS) - FIRST_PITCH + LOWEST_PITCH
        self.sounds = torch.tensor([is_pitch(symbol) for symbol in range(N_SYMBOLS)])

    @torch.inference_mode()
    def draw(
        self, controls: SectionControls, seeds: Sequence[int], options: SamplingOptions, *,
        chords: Sequence[Event] = (), melody: Sequence[Event] = (), previous: Sequence[Section] = (),
        with_chords: bool = True, with_melody: bool = True,
    ) -> list[Section]:  # fmt: skip
        """Draw one section per seed.

        Args:
            chords: chord events to begin with; events that fill the section fix the whole progression.
            melody: melody events to begin with; they need a full chord stream, or `with_chords=False`.
            previous: sections that go before, in order.
        """
        slots, times = context_slots(previous)
        known_melody = melody if melody or not with_chords else None
        offset = sum(section.controls.bars for section in previous)
        _, new_slots, new_times, _ = write_section(controls, chords, known_melody, offset)
        candidates = [_Candidate(write_section(controls, chords, known_melody, offset)[0], with_melody) for _ in seeds]
        for candidate in candidates:
            _start(candidate)
        # Where the given chords fill the section, its last slot already looks ahead to the melody.
        new_slots[-1], new_times[-1] = candidates[0].cursor.slot(), candidates[0].cursor.times()
        prefix = torch.tensor([slots + new_slots]), torch.tensor([times + new_times])
        limit = controls.bars * (controls.bar_ticks // SIXTEENTH + controls.bar_ticks // CHORD_GRID)
        noise = torch.stack([torch.rand(limit, 2, generator=torch.Generator().manual_seed(s)) for s in seeds])
        cache = KeyValueCache.empty(self.network.shape, 1, prefix[0].shape[1] + limit)
        states = self.network(*prefix, cache)[:, -1].expand(len(seeds), -1)
        cache, slot = cache.repeat(len(seeds)), prefix[0][:, -1].expand(len(seeds), -1)
        for step in range(limit):
            self._write_events(candidates, states, slot, noise[:, step], options)
            if all(candidate.done for candidate in candidates):
                break
            slot = torch.tensor([candidate.cursor.slot() for candidate in candidates])
            places = torch.tensor([candidate.cursor.times() for candidate in candidates])
            states = self.network(slot[:, None], places[:, None], cache)[:, -1]
        return [_section(candidate.cursor) for candidate in candidates]

    def _write_events(
        self, candidates: list[_Candidate], states: Tensor, slot: Tensor, noise: Tensor, options: SamplingOptions
    ) -> None:
        """Draw the next event of every candidate that is not done, from states (b, d), slots (b, c), noise (b, 2)."""
        in_chords = torch.tensor([candidate.cursor.stream == CHORD_STREAM for candidate in candidates])
        warmth = torch.where(in_chords, options.chord_temperature, options.rhythm_temperature)
        durations = choose(self.network.duration_logits(states, slot), warmth, options.top_p, noise[:, 0])
        logits = self.network.symbol_logits(states, slot, durations)
        logits = logits.masked_fill(~self._allowed(candidates, slot, options), -torch.inf)
        warmth = torch.where(in_chords, options.chord_temperature, options.pitch_temperature)
        symbols = choose(logits, warmth, options.top_p, noise[:, 1])
        for candidate, duration, symbol in zip(candidates, durations.tolist(), symbols.tolist(), strict=True):
            if not candidate.done:
                candidate.write(DURATIONS[duration], symbol)

    def _allowed(self, candidates: list[_Candidate], slot: Tensor, options: SamplingOptions) -> Tensor:
        """Give the symbols (b, s) bool within the singable range and, if asked, the scale."""
        lows = [max(options.lowest, candidate.high - options.span) for candidate in candidates]
        highs = [min(options.highest, candidate.low + options.span) for candidate in candidates]
        in_range = (self.pitches >= torch.tensor(lows)[:, None]) & (self.pitches <= torch.tensor(highs)[:, None])
        allowed = in_range | ~self.sounds
        if options.in_scale:
            mode = MODE_NAMES.index(candidates[0].cursor.controls.mode)
            allowed &= self.scale_by_mode[mode] | self.scale_by_chord[_chord_now(slot)]
        return allowed


def _chord_now(slot: Tensor) -> Tensor:
    return slot[:, 5]


def _start(candidate: _Candidate) -> None:
    """Take over what the given melody says of the range, and stand where drawing begins."""
    for _, symbol in candidate.cursor.events[MELODY_STREAM]:
        if is_pitch(symbol):
            candidate.low = min(candidate.low, symbol_pitch(symbol))
            candidate.high = max(candidate.high, symbol_pitch(symbol))
    candidate.settle()


def _section(cursor: Cursor) -> Section:
    return Section(cursor.controls, chords_of(cursor.events[CHORD_STREAM]), melody_of(cursor.events[MELODY_STREAM]))


def context_slots(sections: Sequence[Section]) -> tuple[list[list[int]], list[tuple[float, float]]]:
    """Write earlier sections as slots and times, keeping the last whole sections that fit `LONGEST_CONTEXT`."""
    written, offset = [], 0
    for section in sections:
        chords = chord_events(section.chords, section.controls)
        melody = melody_events(section.melody, section.controls) if section.melody else None
        written.append(write_section(section.controls, chords, melody, offset)[1:3])
        offset += section.controls.bars
    while sum(len(slots) for slots, _ in written) > LONGEST_CONTEXT:
        written.pop(0)
    return [s for slots, _ in written for s in slots], [t for _, times in written for t in times]


def choose(logits: Tensor, temperature: Tensor, top_p: float, noise: Tensor) -> Tensor:
    """Draw from the likeliest choices.

    Args:
        logits: (b, k) float32, minus infinity where forbidden.
        temperature: (b,) float32.
        top_p: probability that the kept choices reach together, 0 to 1.
        noise: (b,) float32, uniform in [0, 1).

    Returns:
        (b,) int64.
    """
    shares, order = torch.softmax(logits / temperature[:, None], dim=-1).sort(dim=-1, descending=True, stable=True)
    below = shares.cumsum(dim=-1) - shares
    shares = shares.masked_fill(below >= top_p, 0.0)
    reached = shares.cumsum(dim=-1)
    drawn = (reached <= noise[:, None] * reached[:, -1:]).sum(dim=-1, keepdim=True)
    return order.gather(-1, drawn.clamp(max=logits.shape[-1] - 1)).squeeze(-1)
