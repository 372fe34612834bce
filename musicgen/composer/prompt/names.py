"""Names in a prompt: its title, and people or works that it wants imitated. Neither describes the music."""

import re
from dataclasses import dataclass

from musicgen.composer.prompt.text import PromptText

MAX_TITLE_CHARS = 80
_CALLED = re.compile(
    r"(?<!so-)(?<!style )(?<!genre )(?<!band )(?<!artist )(?<!dance )(?<!scale )(?<!\w)"
    r"(?:called|titled|entitled|named|title(?: is|:)|"
    r"llamad[ao]|titulad[ao]|intitule|intitulee|appele|appelee|genannt|namens|mit dem titel|chamad[ao]|intitulad[ao]|"
    r"intitolat[ao]|chiamat[ao]|под названием|название)(?!\w)\s?:?\s?"
)
_QUOTED = re.compile(r"\"([^\"\n]{1,80})\"|'([^\n]{1,80}?)'(?!\w)|[「『《<]([^」』》>\n]{1,80})[」』》>]")
_FREE_QUOTE = re.compile(
    r"(?<!\w)\"([^\"\n]{2,60})\"|[『《]([^』》\n]{1,60})[』》]|「([^」\n]{1,60})」(?=という|って|라는)"
)
_EASTERN = re.compile(
    r"(?:タイトル|曲名|标题|標題|题目|歌名|名为|名為|叫做|题为|제목)(?:は|是|为|:|은|이)?\s?[\"'「『《]?"
    r"([^\"'「『《」』》,.。、\n]{1,40}?)(?:[\"'」』》]|の曲|的(?:歌|曲|音乐|音樂)|인|$|[,.。、\n])"
)
_NO_TITLE = re.compile(r"(?:like|by|of|from|to|lyrics?|saying|says|sings?|singing|words|chant(?:ing)?)\s?:?\s?$")
_STOP_WORDS = frozenset(
    {
        "with",
        "in",
        "at",
        "featuring",
        "using",
        "that",
        "which",
        "for",
        "by",
        "con",
        "en",
        "a",
        "avec",
        "dans",
        "mit",
        "com",
        "em",
        "в",
        "с",
    }
)
_SMALL_WORDS = frozenset(
    {
        "of",
        "the",
        "and",
        "in",
        "a",
        "an",
        "to",
        "for",
        "on",
        "at",
        "my",
        "your",
        "de",
        "la",
        "le",
        "el",
        "del",
        "der",
        "die",
        "das",
        "und",
        "y",
        "e",
        "et",
        "du",
        "i",
        "o",
        "o'",
    }
)
_WORD = re.compile(r"[^\s,.;:!?()\"]+")
_MAX_TITLE_WORDS = 8
_NAME = r"(?:[Tt]he )?([A-Z][\w'-]*(?:(?: (?:and|of|the|&|n'|van|von|de))? [A-Z][\w'-]*){0,4})"
_IN_STYLE_OF = re.compile(
    r"(?i:(?<!\w)(?:in the (?:style|vein) of|style of|sounds? (?:exactly |just )?like|similar to|inspired by|"
    r"reminiscent of|"
    r"(?:song|songs|music|track|tune|piece|something|someone) (?:by|like)|cover of|estilo de|dans le style de|"
    r"a la maniere de|nello stile di|imitat(?:e|ing)|a la)) \"?" + _NAME
)
_TYPE_BEAT = re.compile(r"(?<!\w)((?:[A-Z][\w'-]* ){1,3})type beat")


@dataclass(frozen=True, slots=True)
class Name:
    """A name as it was written, and its place in the folded text."""

    text: str
    start: int
    end: int


def find_title(text: PromptText) -> Name | None:
    """Find the title that the prompt gives: after "called" and its like, or in quotation marks."""
    called = _CALLED.search(text.folded)
    if called:
        quoted = _QUOTED.match(text.cased, called.end())
        start, end = quoted.span(quoted.lastindex or 0) if quoted else _unquoted(text.cased, called.end())
        if end > start:
            return _name(text, start, end)
    eastern = _EASTERN.search(text.folded)
    if eastern:
        return _name(text, *eastern.span(1))
    for quote in _FREE_QUOTE.finditer(text.cased):
        start, end = quote.span(quote.lastindex or 0)
        is_whole = quote.start() == 0 and quote.end() >= len(text.cased.rstrip())
        if (
            not is_whole
            and not text.cased[start].islower()
            and not _NO_TITLE.search(text.folded[max(0, start - 20) : start - 1])
        ):
            return _name(text, start, end)
    return None


def _unquoted(cased: str, start: int) -> tuple[int, int]:
    """Follow a title without quotes: to the last capitalised word, or in small letters to the next "with" or mark."""
    end = start
    capitals = cased[start : start + 1].isupper()
    words = list(_WORD.finditer(cased[: start + MAX_TITLE_CHARS], start))[:_MAX_TITLE_WORDS]
    for place, word in enumerate(words):
        if not cased[end : word.start()].isspace() and end > start:
            break
        small = word[0].lower()
        following = words[place + 1][0] if place + 1 < len(words) else ""
        joins = small in _SMALL_WORDS and word[0] == small and following[:1].isupper()
        if (
            small == "with"
            or (not capitals and small in _STOP_WORDS)
            or (capitals and not (word[0][0].isupper() or joins))
        ):
            break
        end = word.end()
    return start, end


def find_imitated(text: PromptText) -> list[Name]:
    """Find capitalised names after "in the style of", "sounds like"; capitals everywhere mean nothing."""
    if text.cased.isupper():
        return []
    spans = [match.span(1) for match in (*_IN_STYLE_OF.finditer(text.cased), *_TYPE_BEAT.finditer(text.cased))]
    return [_name(text, start, end) for start, end in spans]


def _name(text: PromptText, start: int, end: int) -> Name:
    return Name(text.words(start, end)[:MAX_TITLE_CHARS], start, end)
