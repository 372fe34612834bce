"""Finding phrases in tokens: a tree of words, walked from every token, so that time grows with the text alone.

Knows nothing of what phrases mean: whoever adds one says what is found with it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from musicgen.composer.prompt.text import Token, fold, tokenise

Found = TypeVar("Found")
# "melanchol*" matches every word that begins so; no written prefix is longer.
_MAX_PREFIX = 14
_MIN_PREFIX = 2


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
        self.ends: list[Found] = []


class PhraseIndex(Generic[Found]):
    """Phrases of one or more words. A word ending in "*" stands for all words that begin so; plurals in -s are found too."""

    def __init__(self, phrases: Iterable[tuple[str, Found]]) -> None:
        self._root: _Node[Found] = _Node()
        self._vocabulary: set[str] = set()
        for phrase, found in phrases:
            self._add(phrase, found)

    def _add(self, phrase: str, found: Found) -> None:
        folded = fold(phrase)
        node = self._root
        for token in tokenise(folded.replace("*", " ")):
            word = token.text + ("*" if folded[token.end : token.end + 1] == "*" else "")
            self._vocabulary.add(word)
            node = node.follow.setdefault(word, _Node())
        if node is self._root:
            raise ValueError(f"{phrase!r} holds no word")
        node.ends.append(found)

    def find(self, tokens: Sequence[Token]) -> list[Match[Found]]:
        """Find every phrase at every place; of readings of the same tokens the most literal one."""
        spellings = [self._spellings(token.text) for token in tokens]
        matches: list[Match[Found]] = []
        for first, words in enumerate(spellings):
            if words:
                matches.extend(self._from(first, spellings))
        return matches

    def _from(self, first: int, spellings: Sequence[Sequence[str]]) -> Iterable[Match[Found]]:
        """Walk the tree from one token; nodes are kept in the order of literalness."""
        nodes = [self._root]
        for last in range(first, len(spellings)):
            nodes = [node.follow[word] for node in nodes for word in spellings[last] if word in node.follow]
            if not nodes:
                return
            found = next((node.ends for node in nodes if node.ends), None)
            if found:
                yield Match(first, last + 1, tuple(found))

    def _spellings(self, word: str) -> list[str]:
        """List the entries of the vocabulary that a word may stand for: itself, its singular, its beginnings."""
        known = self._vocabulary
        candidates = [word]
        if len(word) > 3 and word[-1] == "s" and word[-2] != "s" and word.isascii():
            candidates.append(word[:-1])
            if word.endswith("es"):
                candidates.append(word[:-2])
            if word.endswith("ies"):
                candidates.append(word[:-3] + "y")
        candidates.extend(word[:n] + "*" for n in range(min(len(word), _MAX_PREFIX), _MIN_PREFIX - 1, -1))
        return [candidate for candidate in candidates if candidate in known]
