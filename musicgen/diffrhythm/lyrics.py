"""When each line is sung: lyrics text (LRC, plain, or mixed) -> timed lines -> one token a frame.

Owns time: stamps in a song of some length, and a singable time for lines without one. Does not know how lyrics are
written (`lyrics_text`), nor how a line is pronounced, but for counting its letters; the ids come from `phonemes`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from musicgen.diffrhythm.frames import LONGEST_S, SAMPLE_RATE, SAMPLES_PER_FRAME
from musicgen.diffrhythm.lyrics_text import Row, Sheet, quoted, read_sheet, refused
from musicgen.diffrhythm.phonemes import COMMA_ID, FULL_STOP_ID
from musicgen.diffrhythm.spoken_english import spoken_text
from musicgen.errors import InvalidOptions

MAX_LINES = 1000

# Seconds a line wants at an easy pace: so many letters a second, then a breath.
_LETTERS_PER_S = 9.0
_BREATH_S = 0.6
# How far the easy pace is stretched (few lines) or pressed (many); below the last, syllables would run together.
_SLOWEST, _FAST, _FASTEST = 2.0, 0.75, 0.5
# Silence where lines have no times, as parts of the duration, each with its limit in seconds.
_INTRO = (0.08, 10.0)
_BETWEEN_SECTIONS = (0.04, 4.0)
_ENDING = (0.06, 8.0)
_ALL_BETWEEN_SECTIONS = 0.3
_LONGEST_INTRO_S = 20.0
_LEAST_SILENCE = 0.25
# A line that begins a little late is not worth a note.
_NOTABLE_FRAMES = 10


@dataclass(frozen=True, slots=True)
class LyricLine:
    """A line to sing: `start_s` is its clock time in seconds, `text` its words as they were written."""

    start_s: float
    text: str


@dataclass(frozen=True, slots=True)
class Lyrics:
    """What is sung: `lines` by time, all before the end; `notes` are sentences for the user."""

    lines: tuple[LyricLine, ...]
    notes: tuple[str, ...]


def parse_lyrics(text: str, duration_s: float) -> Lyrics:
    """Read lyrics and give every line its time in a song of `duration_s` seconds.

    `[mm:ss.xx]` stamps hold (several before one line repeat it; `[offset:...]` in milliseconds makes all come sooner).
    Without any stamp the lines are spread over the song, blank lines and labels like `[Chorus]` parting its sections;
    among stamped lines the others are put between their neighbours. What stands in square brackets is not sung.

    Raises:
        InvalidOptions: see `lyrics_text.read_sheet`; all lines after the end, or more words than can be sung.
    """
    sheet = read_sheet(text)
    if not sheet.rows:
        return Lyrics((), ("The lyrics have no words to sing, so the track is instrumental.",) if text.strip() else ())
    if any(row.stamps for row in sheet.rows):
        lines, notes = _timed(sheet, duration_s)
    else:
        lines, notes = _spread(sheet.rows, duration_s)
    lines.sort(key=lambda line: line.start_s)
    if len(lines) > MAX_LINES:
        raise refused(f"They have {len(lines):,} lines to sing; at most {MAX_LINES:,} can be. Shorten them.")
    return _within(lines, notes, duration_s)


def token_ids(lines: Sequence[LyricLine], line_ids: Sequence[Sequence[int]], n_frames: int) -> NDArray[np.int64]:
    """Lay lines out in time, one token a frame of 2048 samples at 44.1 kHz; 0 where nobody sings.

    A line starts at its time or where the one before ends. Inside it a full stop becomes a comma; a full stop ends it.
    A line without ids is a rest and leaves no full stop either: the network knows one only after words.

    Args:
        lines: by time.
        line_ids: for each line its phone ids, as `phonemes.line_ids` makes them.
        n_frames: length of the song; what would stand beyond is cut.

    Returns:
        (n_frames,) int64.
    """
    tokens = np.zeros(n_frames, np.int64)
    for place in _places(lines, line_ids):
        room = tokens[place.start : place.end]
        room[:] = place.ids[: len(room)]
    return tokens


def placement_notes(lines: Sequence[LyricLine], line_ids: Sequence[Sequence[int]], n_frames: int) -> tuple[str, ...]:
    """Say what `token_ids` had to change: lines that begin later than asked, are cut, or do not fit."""
    places = _places(lines, line_ids)
    begun = [place for place in places if place.start < n_frames]
    late = sum(place.start > place.asked + _NOTABLE_FRAMES for place in begun)
    cut = sum(place.end > n_frames for place in begun)
    notes = []
    if late:
        notes.append(f"{_count(late, 'begins', 'begin')} later than asked: the line before takes longer to sing.")
    if cut:
        notes.append(f"{_count(cut, 'is', 'are')} cut off by the end of the song.")
    if unsung := len(places) - len(begun):
        notes.append(f"{_count(unsung, 'finds', 'find')} no room before the end and {_are(unsung)} not sung.")
    return tuple(notes)


@dataclass(frozen=True, slots=True)
class _Place:
    """The frames of a line, `start` to `end` (not included), the start it asked for, and its tokens."""

    asked: int
    start: int
    ids: tuple[int, ...]

    @property
    def end(self) -> int:
        return self.start + len(self.ids)


def _places(lines: Sequence[LyricLine], line_ids: Sequence[Sequence[int]]) -> list[_Place]:
    places: list[_Place] = []
    for line, ids in zip(lines, line_ids, strict=True):
        if ids:
            asked = int(line.start_s * SAMPLE_RATE / SAMPLES_PER_FRAME)
            inner = (COMMA_ID if token == FULL_STOP_ID else token for token in ids)
            start = max(asked, places[-1].end if places else 0)
            places.append(_Place(asked, start, (*inner, FULL_STOP_ID)))
    return places


def _timed(sheet: Sheet, duration_s: float) -> tuple[list[LyricLine], list[str]]:
    """Take the stamps as they are, less the offset; put lines without any between their neighbours."""
    rows = [replace(row, stamps=tuple(max(0.0, stamp - sheet.offset_s) for stamp in row.stamps)) for row in sheet.rows]
    lines = [LyricLine(stamp, row.text) for row in rows for stamp in row.stamps]
    stamped = [at for at, row in enumerate(rows) if row.stamps]
    lines += _before(rows[: stamped[0]], rows[stamped[0]].stamps[0])
    for first, after in zip(stamped, [*stamped[1:], len(rows)], strict=True):
        lines += _following(rows[first:after], rows[after].stamps[0] if after < len(rows) else None, duration_s)
    if n_guessed := len(rows) - len(stamped):
        return lines, [f"{_count(n_guessed, 'has', 'have')} no time and {_are(n_guessed)} put beside the lines around."]
    return lines, []


def _before(rows: Sequence[Row], end_s: float) -> list[LyricLine]:
    """Place rows right before the first stamp, at an easy pace if there is room."""
    wants = [_wanted_s(row) for row in rows]
    scale = min(1.0, end_s / sum(wants)) if wants else 1.0
    starts = accumulate((want * scale for want in wants), initial=end_s - scale * sum(wants))
    return [LyricLine(max(0.0, start), row.text) for start, row in zip(starts, rows, strict=False)]


def _following(rows: Sequence[Row], next_s: float | None, duration_s: float) -> list[LyricLine]:
    """Place what follows the stamped `rows[0]`: before the next stamp, if that lies ahead, else before the end."""
    start_s = rows[0].stamps[0]
    wants = [_wanted_s(row) for row in rows]
    if next_s is not None and next_s > start_s:
        scale = min(_SLOWEST, (next_s - start_s) / sum(wants))
    else:
        scale = min(1.0, max(_FASTEST, (duration_s - start_s) / sum(wants)))
    starts = accumulate(want * scale for want in wants)
    return [LyricLine(start_s + start, row.text) for start, row in zip(starts, rows[1:], strict=False)]


def _spread(rows: Sequence[Row], duration_s: float) -> tuple[list[LyricLine], list[str]]:
    """Spread rows over the song in proportion to their letters: an intro, rests between sections, an ending."""
    wants = [_wanted_s(row) for row in rows]
    silences = _silences(rows, duration_s)
    easy_s, silent_s = sum(wants), sum(silences)
    shrink = min(1.0, max(_LEAST_SILENCE, (duration_s - easy_s) / silent_s))
    pace = min(_SLOWEST, (duration_s - silent_s * shrink) / easy_s)
    if pace < _FASTEST:
        raise _too_long(len(rows), pace, duration_s)
    silences = _fill(silences, duration_s - pace * easy_s)
    lines, at_s = [], 0.0
    for row, silence, want in zip(rows, silences, wants, strict=False):
        lines.append(LyricLine(at_s + silence, row.text))
        at_s += silence + want * pace
    notes = []
    if pace < _FAST:
        notes.append(f"The lyrics are long for {duration_s:g} s and are sung fast.")
    elif pace == _SLOWEST:
        notes.append(f"The lyrics are short for {duration_s:g} s: much of the track is instrumental.")
    return lines, notes


def _silences(rows: Sequence[Row], duration_s: float) -> list[float]:
    """Find the seconds without voice before each row, and after the last."""
    intro, between, ending = (min(part * duration_s, most) for part, most in (_INTRO, _BETWEEN_SECTIONS, _ENDING))
    rests = [row.rests for row in rows[1:]]
    between = min(between, _ALL_BETWEEN_SECTIONS * duration_s / max(1, sum(rests)))
    return [intro, *(between * rest for rest in rests), ending]


def _fill(silences: Sequence[float], total_s: float) -> list[float]:
    """Scale silences to `total_s` together; an intro that grows too long gives the others what is over."""
    intro = min(silences[0] * total_s / sum(silences), _LONGEST_INTRO_S)
    scale = (total_s - intro) / sum(silences[1:])
    return [intro, *(silence * scale for silence in silences[1:])]


def _wanted_s(row: Row) -> float:
    letters = sum(char.isalnum() for char in spoken_text(row.text))
    return letters / _LETTERS_PER_S + _BREATH_S


def _within(lines: list[LyricLine], notes: list[str], duration_s: float) -> Lyrics:
    """Leave out what begins at the end or after it."""
    sung = tuple(line for line in lines if line.start_s < duration_s)
    if not sung:
        first = lines[0]
        raise refused(
            f'All lines begin after the end at {duration_s:g} s, the first ("{quoted(first.text)}") at '
            f"{first.start_s:g} s. Ask for a longer track or for earlier times."
        )
    if late := len(lines) - len(sung):
        notes.append(f"{_count(late, 'begins', 'begin')} after the end at {duration_s:g} s and {_are(late)} not sung.")
    return Lyrics(sung, tuple(notes))


def _too_long(n_rows: int, pace: float, duration_s: float) -> InvalidOptions:
    needed_s = math.ceil(duration_s * _FASTEST / pace)
    n_fitting = int(n_rows * pace / _FASTEST)
    shorter = f"Keep about {n_fitting}" if n_fitting else "Shorten them"
    longer = f", or ask for {needed_s} s" if needed_s <= LONGEST_S else ""
    return refused(
        f"{_count(n_rows, 'is', 'are')} too much for {duration_s:g} s, even sung very fast. {shorter}{longer}."
    )


def _count(n: int, one: str, many: str) -> str:
    return f"1 line {one}" if n == 1 else f"{n} lines {many}"


def _are(n: int) -> str:
    return "is" if n == 1 else "are"
