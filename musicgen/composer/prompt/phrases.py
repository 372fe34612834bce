"""Finding phrases in tokens: a tree of words, walked from every token, so that time grows with the text alone.

Knows nothing of what phrases mean: whoever adds one says what is found with it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Generic, TypeVar

from musicgen.composer.prompt.text import Token, cut

Found = TypeVar("Found")
# Entries of the vocabulary that a word may stand for: within a phrase, and only at its end.
_Spellings = tuple[tuple[str, ...], tuple[str, ...]]
_UNKNOWN: _Spellings = ((), ())
# "melanchol*" matches every word that begins so; no written prefix is longer.
_MAX_PREFIX = 14
_MIN_PREFIX = 2
# No phrase has a longer word; of the others this many are remembered.
_LONGEST_WORD = 40
_MEMORY = 8192


@dataclass(frozen=True, slots=True)
class Match(Generic[Found]):
    """A phrase in the tokens from `first` up to but without `last`; `found` is all that was added under it."""

    first: int
    last: int
    found: tuple[Found, ...]


class _Node(Generic[Found]):
    """A place in the tree: the words that may follow, and what ends here."""

    __slots__ = ("ends", "follow")

    def __init__(self) -> None:
        self.follow: dict[str, _Node[Found]] = {}
        self.ends: tuple[Found, ...] = ()


class PhraseIndex(Generic[Found]):
    """Phrases of one or more words, folded as prompts are.

    A word ending in "*" stands for all words that begin so, and plurals in -s are found too.
    """

    def __init__(self, phrases: Iterable[tuple[str, Found]]) -> None:
        self._root: _Node[Found] = _Node()
        self._vocabulary: set[str] = set()
        for phrase, found in phrases:
            self._add(phrase, found)
        self._spellings = lru_cache(maxsize=_MEMORY)(self._spellings_of)

    def _add(self, phrase: str, found: Found) -> None:
        node = self._root
        for text, _, end in cut(phrase):
            word = f"{text}*" if phrase.startswith("*", end) else text
            self._vocabulary.add(word)
            if word not in node.follow:
                node.follow[word] = _Node()
            node = node.follow[word]
        if node is self._root:
            raise ValueError(f"{phrase!r} holds no word")
        node.ends += (found,)

    def find(self, tokens: Sequence[Token]) -> list[Match[Found]]:
        """Find every phrase at every place; of readings of the same tokens the most literal one."""
        spellings = [self._spellings(token.text) if len(token.text) <= _LONGEST_WORD else _UNKNOWN for token in tokens]
        matches: list[Match[Found]] = []
        for first, candidates in enumerate(spellings):
            if candidates != _UNKNOWN:
                matches.extend(self._from(first, spellings))
        return matches

    def _from(self, first: int, spellings: Sequence[_Spellings]) -> Iterable[Match[Found]]:
        """Walk the tree from one token; nodes are kept in the order of literalness."""
        nodes = [self._root]
        for last in range(first, len(spellings)):
            words, singulars = spellings[last]
            endings = (*words[:1], *singulars, *words[1:])
            ends = [node.follow[word] for node in nodes for word in endings if word in node.follow]
            found = next((node.ends for node in ends if node.ends), None)
            if found:
                yield Match(first, last + 1, found)
            nodes = [node.follow[word] for node in nodes for word in words if word in node.follow]
            if not nodes:
                return

    def _spellings_of(self, word: str) -> _Spellings:
        """List what a word may stand for: itself and its beginnings; and its singulars, which only end a phrase."""
        known = self._vocabulary
        beginnings = (word[:n] + "*" for n in range(min(len(word), _MAX_PREFIX), _MIN_PREFIX - 1, -1))
        singulars = []
        if len(word) > 3 and word[-1] == "s" and word[-2] != "s" and word.isascii():
            singulars = [
                word[:-1],
                word[:-2] if word.endswith("es") else "",
                word[:-3] + "y" if word.endswith("ies") else "",
            ]
        words = tuple(spelling for spelling in (word, *beginnings) if spelling in known)
        return words, tuple(spelling for spelling in singulars if spelling in known)
