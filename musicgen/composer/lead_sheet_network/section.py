"""What a section of a lead sheet is, and how it becomes events and music again.

Owns the controls that a section is written to, its notes and chords, and the way between them and the events of
`tokens.py`. Knows nothing of networks. Pitches and roots are semitones above the tonic; time is in quarter notes.
"""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from musicgen.composer.lead_sheet_network.tokens import (
    CHORD_GRID,
    CHORDS,
    FIRST_CHORD,
    HOLD,
    METRES,
    REST,
    SIXTEENTH,
    TICKS_PER_QUARTER,
    chord_symbol,
    connected,
    is_pitch,
    pitch_symbol,
    symbol_pitch,
)

STYLES = ("pop", "standards", "folk", "rock")
MODE_NAMES = ("major", "minor", "dorian", "phrygian", "lydian", "mixolydian")
LABELS = ("intro", "verse", "prechorus", "chorus", "bridge", "interlude", "solo", "outro", "phrase")
CADENCES = ("open", "half", "closed")  # ends elsewhere, on the dominant, on the tonic
DENSITY_EDGES = (0.6, 0.9, 1.25, 1.75)  # melody notes a quarter; five bins
RICHNESS_EDGES = (0.02, 0.3, 0.7)  # share of chords with sevenths, sixths or ninths; four bins
RHYTHM_EDGES = (0.8, 1.2, 1.8)  # chord changes a bar; four bins
MAX_BARS = 32

Event = tuple[int, int]  # (ticks, symbol)


@dataclass(frozen=True, slots=True)
class SectionControls:
    """What a section shall be like. None leaves a control to the network.

    Attributes:
        bars: length, 1 to 32 bars.
        metre: a key of `METRES`.
        mode: one of `MODE_NAMES`.
        style: one of `STYLES`; "rock" was learned from chords alone, its melodies are written as pop.
        label: one of `LABELS`.
        density: melody notes, 0 (few) to 4 (many); see `DENSITY_EDGES`.
        richness: sevenths and ninths, 0 (triads) to 3 (nearly all); see `RICHNESS_EDGES`.
        harmonic_rhythm: chord changes a bar, 0 (slow) to 3 (quick); see `RHYTHM_EDGES`.
        cadence: one of `CADENCES`.
    """

    bars: int
    metre: str = "4/4"
    mode: str = "major"
    style: str | None = "pop"
    label: str | None = None
    density: int | None = None
    richness: int | None = None
    harmonic_rhythm: int | None = None
    cadence: str | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.bars <= MAX_BARS:
            raise ValueError(f"bars is {self.bars}; a section has 1 to {MAX_BARS} bars")
        choices: dict[str, Iterable[str]] = {
            "metre": METRES,
            "mode": MODE_NAMES,
            "style": STYLES,
            "label": LABELS,
            "cadence": CADENCES,
        }
        bins = {"density": DENSITY_EDGES, "richness": RICHNESS_EDGES, "harmonic_rhythm": RHYTHM_EDGES}
        allowed: dict[str, tuple[str | int, ...]] = {name: tuple(values) for name, values in choices.items()}
        allowed |= {name: tuple(range(len(edges) + 1)) for name, edges in bins.items()}
        for name, values in allowed.items():
            value = getattr(self, name)
            if value not in values and (value is not None or name in ("metre", "mode")):
                raise ValueError(f"{name} is {value!r}; choose from {', '.join(map(str, values))}")

    @property
    def bar_ticks(self) -> int:
        """Length of a bar in ticks."""
        return METRES[self.metre]


@dataclass(frozen=True, slots=True)
class Chord:
    """A chord.

    Attributes:
        onset: quarter notes from the section's start.
        duration: quarter notes.
        root: semitones above the tonic, 0 to 11.
        quality: a name in `tokens.QUALITIES`.
        bass: lowest note, semitones above the tonic, 0 to 11.
    """

    onset: float
    duration: float
    root: int
    quality: str
    bass: int


@dataclass(frozen=True, slots=True)
class Note:
    """A melody note.

    Attributes:
        onset: quarter notes from the section's start.
        duration: quarter notes.
        pitch: semitones from the tonic, which lies low in or under the melody's range.
    """

    onset: float
    duration: float
    pitch: int


@dataclass(frozen=True, slots=True)
class Section:
    """Some bars of a lead sheet; either stream may be empty."""

    controls: SectionControls
    chords: tuple[Chord, ...]
    melody: tuple[Note, ...]


@dataclass(frozen=True, slots=True)
class SectionRequest:
    """A section to write.

    Attributes:
        controls: what it shall be like.
        seed: 0 or more; equal requests give equal sections.
        chords: a progression for the whole section; none has the network write one.
        centre: semitones above the tonic around which the melody shall lie, in any octave; ranks the candidates.
        returns: the bars whose melody is that of an earlier bar: later bar to earlier bar.
    """

    controls: SectionControls
    seed: int
    chords: tuple[Chord, ...] = ()
    centre: float | None = None
    returns: Mapping[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for later, earlier in self.returns.items():
            if not 0 <= earlier < later < self.controls.bars:
                raise ValueError(f"returns says that bar {later} is bar {earlier} again; it must be an earlier bar")


def to_ticks(quarters: float) -> int:
    """Round quarter notes to the nearest tick."""
    return round(quarters * TICKS_PER_QUARTER)


def snap(now: int, tick: int, controls: SectionControls) -> int:
    """Move a tick to the nearest one, not before `now`, that an event starting at `now` may reach."""
    bar_ticks = controls.bar_ticks

    def reachable(candidate: int) -> bool:
        bar_line = candidate // bar_ticks * bar_ticks
        return candidate == now or (
            candidate > now and connected(max(now - bar_line, 0), candidate - bar_line, controls.metre)
        )

    candidates = (tick, tick - 1, tick + 1, tick - 2, tick + 2, tick + 3, tick + 4)
    return next(candidate for candidate in candidates if reachable(candidate))


def split_at_bars(start: int, end: int, bar_ticks: int) -> list[tuple[int, int]]:
    """Cut a span of ticks at every bar line."""
    cuts = [start, *range((start // bar_ticks + 1) * bar_ticks, end, bar_ticks), end]
    return list(itertools.pairwise(cuts))


def chord_events(chords: Sequence[Chord], controls: SectionControls) -> list[Event]:
    """Write chords as events that fill the section; a chord is named again in every bar it sounds in.

    The first chord reaches back to the section's start, every chord lasts until the next.
    """
    if not chords:
        return []
    total = controls.bars * controls.bar_ticks
    starts = [min(round(chord.onset * TICKS_PER_QUARTER / CHORD_GRID) * CHORD_GRID, total) for chord in chords]
    starts[0] = 0
    events: list[Event] = []
    for chord, start, end in zip(chords, starts, [*starts[1:], total], strict=True):
        symbol = chord_symbol(chord.root, chord.quality, chord.bass)
        for first, last in split_at_bars(start, end, controls.bar_ticks) if end > start else ():
            if events and events[-1][1] == symbol and first % controls.bar_ticks:
                events[-1] = (events[-1][0] + last - first, symbol)
            else:
                events.append((last - first, symbol))
    return events


def melody_events(melody: Sequence[Note], controls: SectionControls) -> list[Event]:
    """Write notes as events that fill the section: pitches, rests, and HOLD where a note crosses a bar line.

    Notes are moved to the grid; one that leaves less than a sixteenth of silence is lengthened, one that starts
    together with the next is dropped.
    """
    total = controls.bars * controls.bar_ticks
    onsets = [to_ticks(note.onset) for note in melody] + [total]
    events: list[Event] = []
    now = 0
    for index, note in enumerate(melody):
        following = min(onsets[index + 1], total)
        if onsets[index] + 2 < now or onsets[index] + 2 >= following:
            continue
        start = snap(now, max(onsets[index], now), controls)
        end = onsets[index] + to_ticks(note.duration)
        end = min(snap(start, following if following - end < SIXTEENTH else end, controls), total)
        if end > start:
            events += _fill(now, start, REST, REST, controls.bar_ticks)
            events += _fill(start, end, pitch_symbol(note.pitch), HOLD, controls.bar_ticks)
            now = end
    return events + _fill(now, total, REST, REST, controls.bar_ticks)


def _fill(start: int, end: int, first_symbol: int, later_symbol: int, bar_ticks: int) -> list[Event]:
    """Write one span as events, cut at bar lines."""
    spans = split_at_bars(start, end, bar_ticks) if end > start else []
    return [(last - first, later_symbol if index else first_symbol) for index, (first, last) in enumerate(spans)]


def chords_of(events: Iterable[Event]) -> tuple[Chord, ...]:
    """Read chord events; equal neighbours become one chord."""
    spans: list[list[int]] = []  # start, end, symbol
    now = 0
    for ticks, symbol in events:
        if spans and spans[-1][2] == symbol:
            spans[-1][1] = now + ticks
        else:
            spans.append([now, now + ticks, symbol])
        now += ticks
    return tuple(_chord(start, end, symbol) for start, end, symbol in spans)


def _chord(start: int, end: int, symbol: int) -> Chord:
    chord = CHORDS[symbol - FIRST_CHORD]
    quarters = (end - start) / TICKS_PER_QUARTER
    return Chord(start / TICKS_PER_QUARTER, quarters, chord.root, chord.quality, chord.bass)


def melody_of(events: Iterable[Event]) -> tuple[Note, ...]:
    """Read melody events; HOLD prolongs the note before it."""
    spans: list[list[int]] = []  # start, end, symbol
    now = 0
    for ticks, symbol in events:
        if is_pitch(symbol):
            spans.append([now, now + ticks, symbol])
        elif symbol == HOLD:
            spans[-1][1] = now + ticks
        now += ticks
    return tuple(
        Note(start / TICKS_PER_QUARTER, (end - start) / TICKS_PER_QUARTER, symbol_pitch(symbol))
        for start, end, symbol in spans
    )
