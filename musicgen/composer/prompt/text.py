"""A prompt as the readers see it: folded for comparison, cut into tokens, with the way back to what was written.

Knows scripts, not meanings. Latin, Cyrillic and other alphabets are cut into words; Chinese, Japanese and Korean into
single characters, so that a phrase matches anywhere in a line without spaces.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

# Compatibility forms can unfold one character into eighteen; what lies beyond is not read.
MAX_FOLDED_CHARS = 4000

CJK = "\u3005\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff"
# Vowel signs of Hebrew, Arabic, Indian and Thai writing: they belong to the letter before them.
_SIGNS = "\u0591-\u05c7\u064b-\u065f\u0900-\u0903\u093a-\u094f\u0981-\u0dff\u0e31-\u0e4e"
# The first alternative is there for speed: most words are plain.
_TOKEN = re.compile(
    rf"[a-z0-9]+(?![^ ,*])|[{CJK}]|(?:(?![{CJK}])[^\W_]|(?<=\w)[{_SIGNS}]+)+|(?<=\s)-(?=\s)|[^\w\s'#*^`_-]|\n"
)
_LAST_LATIN = "\u024f"
_SAME = str.maketrans(
    {
        **dict.fromkeys("’‘ʼ`", "'"),
        **dict.fromkeys("“”„«»‟", '"'),
        **dict.fromkeys("‐‑‒–—−", "-"),
        **{"〜": "~", "ё": "е", "Ё": "Е", "\t": " ", "\r": "\n"},
    }
)
# Most prompts: printable ASCII with single spaces folds by lowering alone.
_PLAIN = re.compile(r"(?: ?[!-_a-~])*")
_SPACES = re.compile(" +")
_INVISIBLE = frozenset(("Cf", "Cc", "Cs", "Sk"))
_NAMED_ALIKE = {"&": "and", "n": "and", "+": "and", "/": "and", "、": ",", "،": ","}
# German writes "Klaviermusik" in one word; the first half carries the meaning.
_COMPOUND = re.compile(r"(?P<head>[a-z]{4,})(?P<tail>musik|stuck|melodie|ballade|stimmung|solo)")
BREAKS = frozenset('.;:!?()[]{}"\n。-|…·')
COMMA = ","


@dataclass(frozen=True, slots=True)
class Token:
    """A word, a CJK character or a mark; `start` and `end` are places in `PromptText.folded`."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class PromptText:
    """A prompt in four aligned forms.

    Attributes:
        written: the prompt in Unicode's compatibility form (full-width letters made plain), as titles quote it.
        folded: lower case, Latin accents dropped, runs of white space made one; phrases are compared with it.
        cased: `folded` with its capitals, place by place the same length.
        origin: for each place of `folded`, and its end, the place in `written`.
    """

    written: str
    folded: str
    cased: str
    origin: Sequence[int]

    @classmethod
    def read(cls, prompt: str) -> Self:
        """Fold a prompt; every string is accepted."""
        written = unicodedata.normalize("NFKC", prompt)[:MAX_FOLDED_CHARS]
        if _PLAIN.fullmatch(written):
            return cls(written, written.lower(), written, range(len(written) + 1))
        folded: list[str] = []
        cased: list[str] = []
        origin: list[int] = []
        after_space = True
        for place, char in enumerate(written):
            lower, upper = _fold_char(char)
            if lower == " " and after_space:
                continue
            if lower:
                after_space = lower == " "
                folded.append(lower)
                cased.append(upper)
                origin.extend([place] * len(lower))
        return cls(written, "".join(folded), "".join(cased), (*origin, len(written)))

    def words(self, start: int, end: int) -> str:
        """Return what was written between two places of `folded`."""
        return self.written[self.origin[start] : self.origin[end]].strip()


@lru_cache(maxsize=8192)
def _fold_char(char: str) -> tuple[str, str]:
    """Return one character in lower case and as it is, both without Latin accents; invisible ones become nothing."""
    char = char.translate(_SAME)
    if char.isspace():
        return ("\n", "\n") if char == "\n" else (" ", " ")
    if unicodedata.category(char) in _INVISIBLE or "\u0300" <= char <= "\u036f" or "\ufe00" <= char <= "\ufe0f":
        return "", ""
    parts = unicodedata.normalize("NFD", char)
    plain = parts[0] if parts[0] <= _LAST_LATIN else char
    lower = plain.casefold()
    return lower, plain if len(plain) == len(lower) else lower


def fold(text: str) -> str:
    """Fold a phrase of the lexicon the way prompts are folded."""
    written = unicodedata.normalize("NFKC", text)[:MAX_FOLDED_CHARS]
    if _PLAIN.fullmatch(written):
        return written.lower().strip()
    return _SPACES.sub(" ", "".join(_fold_char(char)[0] for char in written)).strip()


def tokenise(folded: str) -> list[Token]:
    """Cut folded text into tokens, in order."""
    return [Token(*piece) for piece in cut(folded)]


def cut(folded: str) -> Iterator[tuple[str, int, int]]:
    """Yield text, start and end of every token of folded text."""
    for match in _TOKEN.finditer(folded):
        text, (start, end) = match[0], match.span()
        compound = _COMPOUND.fullmatch(text) if 8 <= end - start <= 40 else None
        if compound:
            middle = start + compound.end("head")
            yield compound["head"], start, middle
            yield compound["tail"], middle, end
        else:
            yield _NAMED_ALIKE.get(text, text), start, end
