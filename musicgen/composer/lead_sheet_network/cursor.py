"""Where writing stands: the one place that turns events into what the network sees, in training and sampling alike.

A *slot* is what the network reads for one event: the event itself and everything known about the place of the event
after it. The first slot of a section is START. Knows nothing of tensors.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from musicgen.composer.lead_sheet_network.section import CADENCES, LABELS, MODE_NAMES, STYLES, Event, SectionControls
from musicgen.composer.lead_sheet_network.tokens import (
    CHORD_GRID,
    CHORD_STREAM,
    DURATION_INDEX,
    MELODY_STREAM,
    METRE_NAMES,
    REST,
    START,
    is_pitch,
)

# Columns of a slot. The last one chooses masks and is not embedded.
COLUMNS = (
    "symbol", "duration", "position", "bars_left", "stream", "chord", "next_chord", "until_next", "last_pitch",
    "style", "mode", "metre", "label", "density", "richness", "harmonic_rhythm", "cadence", "situation",
)  # fmt: skip
FIRST_CONTROL = COLUMNS.index("style")
SITUATION = COLUMNS.index("situation")
MAX_BARS_LEFT = 33
MAX_UNTIL_NEXT = 15  # eighths
MELODY_STYLE = {"rock": "pop"}  # the rock charts hold no melodies


def _choice(value: object, choices: Sequence[object]) -> int:
    """Number a control; 0 leaves it open."""
    return 0 if value is None else choices.index(value) + 1


def _control_columns(controls: SectionControls, stream: int) -> tuple[int, ...]:
    style = controls.style
    if stream == MELODY_STREAM and style is not None:
        style = MELODY_STYLE.get(style, style)
    return (
        _choice(style, STYLES),
        _choice(controls.mode, MODE_NAMES),
        _choice(controls.metre, METRE_NAMES),
        _choice(controls.label, LABELS),
        *(
            0 if level is None else level + 1
            for level in (controls.density, controls.richness, controls.harmonic_rhythm)
        ),
        _choice(controls.cadence, CADENCES),
    )


@dataclass(slots=True)
class Cursor:
    """The state of writing one section.

    Attributes:
        controls: what the section shall be like.
        stream: which stream the next event belongs to.
        bar_offset: bars of earlier sections in the same sequence.
        events: what has been written, by stream.
        tick: where the next event starts, ticks from the section's start.
        last_pitch: symbol of the melody's last note, 0 before the first.
        bar_ticks, total_ticks: length of a bar and of the section.
    """

    controls: SectionControls
    stream: int = CHORD_STREAM
    bar_offset: int = 0
    events: tuple[list[Event], list[Event]] = field(default_factory=lambda: ([], []))
    tick: int = 0
    last_pitch: int = 0
    bar_ticks: int = field(init=False)
    total_ticks: int = field(init=False)
    _last: tuple[int, int] = (START, 0)
    _last_start: int = 0
    _harmony: list[int] = field(default_factory=list)  # chord symbol sounding in every eighth
    _ahead: list[tuple[int, int, int]] = field(default_factory=list)  # what the melody sees of it in every eighth

    _asked: tuple[int, ...] = field(init=False)  # columns of the controls

    def __post_init__(self) -> None:
        self.bar_ticks = self.controls.bar_ticks
        self.total_ticks = self.controls.bars * self.bar_ticks
        self._asked = _control_columns(self.controls, self.stream)

    @property
    def stream_is_full(self) -> bool:
        """Whether the present stream fills the section."""
        return self.tick >= self.total_ticks

    @property
    def position(self) -> int:
        """Ticks from the bar line to the next event."""
        return self.tick % self.bar_ticks

    def write(self, ticks: int, symbol: int) -> None:
        """Take one event of the present stream."""
        self.events[self.stream].append((ticks, symbol))
        self._last = (symbol, DURATION_INDEX[ticks] + 1)
        self._last_start = self.tick
        self.tick += ticks
        if self.stream == CHORD_STREAM:
            self._harmony += [symbol] * (ticks // CHORD_GRID)
        elif is_pitch(symbol):
            self.last_pitch = symbol

    def turn_to_melody(self) -> None:
        """Go back to the section's start to write the melody."""
        self.stream, self.tick = MELODY_STREAM, 0
        self._ahead = list(_look_ahead(self._harmony))
        self._asked = _control_columns(self.controls, self.stream)

    @property
    def situation(self) -> int:
        """Which row of `symbol_masks` holds for the next event."""
        if self.stream == CHORD_STREAM:
            return 0
        written = self.events[MELODY_STREAM]
        return 2 if written and written[-1][1] != REST and self.position == 0 else 1

    def _harmony_ahead(self) -> tuple[int, int, int]:
        """Give the chord at the next event, the chord after it, and the eighths until then."""
        place = self.tick // CHORD_GRID
        return self._ahead[place] if place < len(self._ahead) else (0, 0, 0)

    def slot(self) -> list[int]:
        """Describe the last event and the place of the next, in the order of `COLUMNS`."""
        bars_left = self.controls.bars - self.tick // self.bar_ticks
        return [
            *self._last,
            self.position,
            min(bars_left, MAX_BARS_LEFT),
            self.stream,
            *self._harmony_ahead(),
            self.last_pitch,
            *self._asked,
            self.situation,
        ]

    def times(self) -> tuple[float, float]:
        """Give the onsets of the last event and of the next, in bars since the sequence began."""
        return (self.bar_offset + self._last_start / self.bar_ticks, self.bar_offset + self.tick / self.bar_ticks)


def _look_ahead(harmony: Sequence[int]) -> Iterator[tuple[int, int, int]]:
    """Give for every eighth its chord, the next other chord (0 at the end), and the eighths until that."""
    start = 0
    while start < len(harmony):
        now = harmony[start]
        end = next((place for place in range(start, len(harmony)) if harmony[place] != now), len(harmony))
        following = harmony[end] if end < len(harmony) else 0
        for place in range(start, end):
            yield now, following, min(end - place, MAX_UNTIL_NEXT)
        start = end


def write_section(
    controls: SectionControls, chords: Sequence[Event], melody: Sequence[Event] | None, bar_offset: int = 0
) -> tuple[Cursor, list[list[int]], list[tuple[float, float]], list[Event | None]]:
    """Write known events and give for each slot its columns, its times and the event that follows it.

    Args:
        chords: chord events; none leaves out the chord stream.
        melody: melody events, perhaps only the first ones; None leaves out the melody stream.
    """
    cursor = Cursor(controls, CHORD_STREAM, bar_offset)
    slots, times, targets = [], [], []

    def put(event: Event | None) -> None:
        slots.append(cursor.slot())
        times.append(cursor.times())
        targets.append(event)
        if event is not None:
            cursor.write(*event)

    for event in chords:
        put(event)
    if melody is not None:
        cursor.turn_to_melody()
        for event in melody:
            put(event)
    put(None)
    return cursor, slots, times, targets
