"""Lyrics as people write them, LRC or plain: which lines are sung, their stamps, and what is metadata or a label.

Owns the forms of stamps, metadata and labels, and how lyrics are refused. Does not know when a line without a stamp is
sung, nor how long the song is: that is the business of `lyrics`.
"""

import re
from dataclasses import dataclass, field

from musicgen.diffrhythm.spoken_english import MARKS, spoken_text
from musicgen.errors import InvalidOptions

MAX_CHARS = 20_000

_MOST_ERRORS = 5
_QUOTED_CHARS = 40

_STAMP = re.compile(r"\[\s*([0-9]{1,3}):([0-5]?[0-9])(?:[.:,]([0-9]{1,6}))?\s*\]\s*")
_FAILED_STAMP = re.compile(r"\[[\s0-9.,;:-]*[0-9]\s*:[\s0-9.,;:-]*\]")
_WORD_STAMP = re.compile(r"<\s*[0-9]{1,3}:[0-9]{1,2}(?:[.:,][0-9]{1,3})?\s*>")
_OFFSET = re.compile(r"\[\s*offset\s*:(.*)\]", re.IGNORECASE)
_MILLISECONDS = re.compile(r"\s*[+-]?[0-9]{1,6}\s*")
_METADATA = re.compile(
    r"\[\s*(?:ar|artist|ti|title|al|album|au|author|lr|lyricist|by|re|tool|ve|version|length|la|language|lang|key|id|"
    r"encoding|#)\s*:.*\]",
    re.IGNORECASE,
)
_BRACKETED = re.compile(r"\[[^\[\]]*\]")
_SURE_PART = r"(?:intro|verse|pre-?\s?chorus|chorus|post-?\s?chorus|refrain|bridge|interlude|instrumental|outro)"
_PART = rf"(?:{_SURE_PART}|hook|break|solo|drop|coda)"
_WHICH = r"(?:\s*(?:[0-9]{1,2}|[ivx]{1,4}|[a-d]|one|two|three|four))?(?:\s*\(?x\s?[0-9]\)?)?\s*"
# Without brackets a lone "Drop" may be sung; "Chorus", "(Drop)", "## Hook 2" and "Solo:" are labels.
_LABEL = re.compile(rf"[#*_(]+\s*{_PART}{_WHICH}[:)*_]*|{_PART}{_WHICH}:|{_SURE_PART}{_WHICH}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Row:
    """A line as it is written: its stamps (seconds), its words, and how many rests come before it (0 to 2)."""

    stamps: tuple[float, ...]
    text: str
    rests: int


@dataclass(slots=True)
class Sheet:
    """What reading collects.

    Attributes:
        rows: lines to sing, as they stand.
        errors: sentences, one for each line that cannot be read.
        offset_s: by how much all stamps come sooner.
        n_blank: blank lines since the last row.
        n_labels: labels since the last row.
    """

    rows: list[Row] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    offset_s: float = 0.0
    n_blank: int = 0
    n_labels: int = 0

    def add(self, stamps: tuple[float, ...], text: str) -> None:
        """Add a row. Two labels in a row name a section without words, such as a solo: twice the rest."""
        self.rows.append(Row(stamps, text, min(2, max(self.n_labels, min(1, self.n_blank)))))
        self.n_blank = self.n_labels = 0


def read_sheet(text: str) -> Sheet:
    """Read lyrics line by line.

    Raises:
        InvalidOptions: too many characters, a stamp that is no time, or an offset that is no number.
    """
    if len(text) > MAX_CHARS:
        raise refused(f"They have {len(text):,} characters; at most {MAX_CHARS:,} can be read. Shorten them.")
    sheet = Sheet()
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), start=1):
        _read_line(sheet, number, line.strip())
    if sheet.errors:
        raise refused(*sheet.errors)
    return sheet


def _read_line(sheet: Sheet, number: int, line: str) -> None:
    if offset := _OFFSET.fullmatch(line):
        if _MILLISECONDS.fullmatch(offset[1]):
            sheet.offset_s = int(offset[1]) / 1000
        else:
            sheet.errors.append(f'Line {number}: "{quoted(line)}" needs milliseconds, as in [offset:+250].')
        return
    if _METADATA.fullmatch(line):
        return
    stamps, words = _take_stamps(line)
    if failed := _FAILED_STAMP.match(words):
        sheet.errors.append(
            f'Line {number}: "{quoted(failed[0])}" is no time. Write minutes and seconds (below 60), as in [01:23.45].'
        )
        return
    text = " ".join(_BRACKETED.sub(" ", _WORD_STAMP.sub(" ", words)).split())
    is_sung = bool(spoken_text(text).strip(f" {MARKS}"))
    if _LABEL.fullmatch(text) or (not is_sung and _BRACKETED.search(words)):
        sheet.n_labels += 1
    elif is_sung:
        sheet.add(stamps, text)
    else:
        sheet.n_blank += 1


def _take_stamps(line: str) -> tuple[tuple[float, ...], str]:
    """Take the stamps off the front of a line: their times in seconds, and the rest."""
    times: list[float] = []
    at = 0
    while stamp := _STAMP.match(line, at):
        minutes, seconds, part = stamp.groups()
        times.append(int(minutes) * 60 + float(f"{seconds}.{part or 0}"))
        at = stamp.end()
    return tuple(times), line[at:]


def refused(*texts: str) -> InvalidOptions:
    """Make the error that tells what is wrong with lyrics, the first few things where there are many."""
    shown = list(texts[:_MOST_ERRORS])
    if len(texts) > _MOST_ERRORS:
        shown.append(f"There are {len(texts) - _MOST_ERRORS} more lines like these.")
    return InvalidOptions({"lyrics": shown})


def quoted(text: str) -> str:
    """Shorten a line that a message quotes."""
    return text if len(text) <= _QUOTED_CHARS else text[:_QUOTED_CHARS] + "…"
