"""A title for a prompt that gives none: its own most telling words, as a title is written."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from musicgen.composer.prompt.hits import Hit
from musicgen.composer.prompt.text import BREAKS, CJK, COMMA, PromptText, Token

UNTITLED = "Untitled"
MAX_WORDS = 7
MAX_CJK_CHARS = 16
MAX_WORD_CHARS = 20
# As written: invisible characters and stacked accents make seven short words long.
MAX_TITLE_CHARS = 80
# What words are worth in a title: a scene tells more than a mood, a mood more than a style or an instrument.
SCENE, MOOD, UNKNOWN, STYLE, INSTRUMENT, UNKNOWN_CJK, REQUEST, FILLER = 2.0, 1.5, 1.1, 0.8, 0.6, 0.3, 0.1, -0.2
NO_ROLES: Mapping[str, float] = MappingProxyType({})
_SMALL_WORDS = frozenset(
    {
        "a",
        "an",
        "and",
        "as",
        "at",
        "by",
        "for",
        "from",
        "in",
        "into",
        "is",
        "of",
        "on",
        "or",
        "the",
        "to",
        "with",
        "through",
        "under",
        "over",
    }
)
_CJK = re.compile(f"[{CJK}]")
_HANGUL = re.compile("[\uac00-\ud7af]")


@dataclass(frozen=True, slots=True)
class _Unit:
    """A hit or a word on its own; `worth` None is a wall that no title crosses."""

    start: int
    end: int
    worth: float | None


def make_title(
    text: PromptText, tokens: Sequence[Token], hits: Sequence[Hit], masked: Sequence[bool], language: str | None
) -> str:
    """Make a title from the stretch of the prompt that tells most; "Untitled" where nothing tells anything."""
    best, worth = _best_stretch(text, _units(text, tokens, hits, masked))
    if 0 < worth < UNKNOWN:  # "Rock" alone is no title; "Rock Song" is
        best, worth = _best_stretch(text, _units(text, tokens, hits, masked, {"request": REQUEST, "solo": REQUEST}))
    if not best:
        return _from_meanings(hits)
    return capitalise(best.lower() if text.written.isupper() else best, language)


def _best_stretch(text: PromptText, units: Sequence[_Unit]) -> tuple[str, float]:
    best, best_worth = "", 0.0
    for first, unit in enumerate(units):
        worth = 0.0
        for last in range(first, min(first + MAX_CJK_CHARS, len(units))):
            if units[last].worth is None:
                break
            worth += units[last].worth or 0.0
            if worth > best_worth + 1e-9 and _may_stand(text, unit, units[last]):
                best, best_worth = text.words(unit.start, units[last].end), worth
    return best, best_worth


def _units(
    text: PromptText,
    tokens: Sequence[Token],
    hits: Sequence[Hit],
    masked: Sequence[bool],
    worth_of_role: Mapping[str, float] = NO_ROLES,
) -> list[_Unit]:
    """Cut the prompt into hits and words between them; `worth_of_role` lets small words of a role into the title."""
    units = []
    by_first = {hit.first: hit for hit in reversed(hits)}
    place = 0
    while place < len(tokens):
        hit = by_first.get(place)
        last = hit.last if hit else place + 1
        worth = _hit_worth(hit, worth_of_role) if hit else _word_worth(tokens[place].text, masked[place])
        units.append(_Unit(tokens[place].start, tokens[last - 1].end, worth))
        place = last
    return units


def _hit_worth(hit: Hit, worth_of_role: Mapping[str, float]) -> float | None:
    if hit.negated or not hit.words[:1].isalnum():
        return None
    if hit.style:
        return STYLE
    content = [entry for entry in hit.entries if entry.role is None]
    if not content:
        for role in hit.roles.intersection(worth_of_role):
            return worth_of_role[str(role)]
        return (
            FILLER
            if hit.has_role("function", "and") and not hit.has_role("negate", "negate_all", "only", "but")
            else None
        )
    if any(entry.tempo or entry.time_signature for entry in content):
        return STYLE
    if any(entry.valence is not None or entry.arousal is not None for entry in content):
        return MOOD if max(entry.weight for entry in content) == 1 else SCENE
    return INSTRUMENT if hit.instruments else FILLER


def _word_worth(word: str, masked: bool) -> float | None:
    if masked or word in BREAKS or word == COMMA or not word[0].isalpha() or len(word) > MAX_WORD_CHARS:
        return None
    if _CJK.match(word):
        return UNKNOWN_CJK
    return UNKNOWN if len(word) > 2 else FILLER


def _may_stand(text: PromptText, first: _Unit, last: _Unit) -> bool:
    """Tell whether a stretch begins and ends with a telling word and is short enough."""
    words = text.folded[first.start : last.end]
    if (first.worth or 0) <= 0 or (last.worth or 0) <= 0 or len(words.split()) > MAX_WORDS:
        return False
    if len(text.words(first.start, last.end)) > MAX_TITLE_CHARS:
        return False
    return not _CJK.search(words) or (
        len(words) <= MAX_CJK_CHARS and not _cuts_hangul(text.folded, first.start, last.end)
    )


def _cuts_hangul(folded: str, start: int, end: int) -> bool:
    """Korean has spaces: a title does not begin or end within a word."""
    return any(_HANGUL.fullmatch(char) for char in (folded[start - 1 : start], folded[end : end + 1]))


def capitalise(words: str, language: str | None) -> str:
    """Write English in title case, other languages with one capital."""
    words = " ".join(words.split())
    if language not in ("en", None):
        return words[:1].upper() + words[1:]
    parts = words.split(" ")
    return " ".join(
        part.lower() if 0 < i < len(parts) - 1 and part.lower() in _SMALL_WORDS else part[:1].upper() + part[1:]
        for i, part in enumerate(parts)
    )


def _from_meanings(hits: Sequence[Hit]) -> str:
    """Name what emoji and the like mean; a mood, a scene and a style make a title."""
    entries = [entry for hit in hits if not hit.negated for entry in hit.entries if entry.role is None]
    entries.sort(key=lambda entry: bool(entry.instruments))
    names = [entry.instruments[0] if entry.missing else entry.name for entry in entries]
    names += [hit.style for hit in hits if hit.style and not hit.negated]
    return " ".join(dict.fromkeys(names[:3])).replace("_", " ").title() or UNTITLED
