"""What stands in a prompt: style words and lexicon words, each at one place, and the guess of its language.

Overlaps are settled here (longest first); what neighbours do to each other is settled in `scopes.py`.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from musicgen.composer.lexicon import NO_LANGUAGE, Entry, Word
from musicgen.composer.prompt.phrases import Match
from musicgen.composer.prompt.text import PromptText, Token

# Roles of words that say something about the music, rather than about their neighbours.
_CONTENT = frozenset((None, "voice", "instrumental", "alone"))
# A script decides where this share of the letters is written in it.
_SCRIPT_SHARE = 0.25
# With equal evidence the language that comes first wins.
_LATIN_LANGUAGES = ("en", "es", "fr", "de", "pt", "it")


@dataclass(slots=True)
class Hit:
    """One understood stretch of the prompt.

    Attributes:
        first, last: its tokens, `last` not included.
        words: as they were written.
        entries: their meanings; empty for a style that has no other meaning.
        style: the style that they name.
        roles: what they do to their neighbours; None stands for a plain meaning.
        instruments: what they name or bring along.
        crackles: whether they say something of the noise of old records or tapes.
        negated: whether the prompt refuses it.
        strength: "very" makes it more, "a bit" less, "less" turns it round.
        exclusive: whether the prompt wants it and nothing else.
    """

    first: int
    last: int
    words: str
    entries: tuple[Entry, ...]
    style: str | None = None
    roles: frozenset[str | None] = field(init=False)
    instruments: tuple[str, ...] = field(init=False)
    crackles: bool = field(init=False)
    negated: bool = False
    strength: float = 1.0
    exclusive: bool = False

    def __post_init__(self) -> None:
        self.roles = frozenset(entry.role for entry in self.entries)
        self.crackles = any(entry.crackle is not None for entry in self.entries)
        self.instruments = tuple(name for entry in self.entries for name in entry.instruments)

    def has_role(self, *roles: str) -> bool:
        """Tell whether one of its meanings plays one of the roles."""
        return not self.roles.isdisjoint(roles)

    @property
    def is_content(self) -> bool:
        """Whether it says something about the music, rather than about its neighbours."""
        return self.style is not None or not self.roles.isdisjoint(_CONTENT)

    @property
    def is_noun(self) -> bool:
        """Whether it is a thing that can be left out, and lists can be made of: an instrument, a voice, a style."""
        return self.style is not None or bool(self.instruments) or self.crackles or self.has_role("voice")


def guess_language(folded: str, matches: Iterable[Match[Word]]) -> str | None:
    """Guess the language (two letters) from script and words; None where nothing speaks for any."""
    return _language_of_script(folded) or _language_of_words(matches)


def _language_of_script(folded: str) -> str | None:
    if folded.isascii():
        return None
    letters = [char for char in folded if char.isalpha()]
    enough = max(1, _SCRIPT_SHARE * len(letters))
    kana = sum("\u3040" <= char <= "\u30ff" for char in letters)
    han = sum("\u3400" <= char <= "\u9fff" for char in letters)
    if kana and kana + han >= enough:
        return "ja"
    counts = {
        "zh": han,
        "ko": sum("\uac00" <= char <= "\ud7af" for char in letters),
        "ru": sum("\u0400" <= char <= "\u04ff" for char in letters),
    }
    language = max(counts, key=counts.__getitem__)
    return language if counts[language] >= enough else None


def _language_of_words(matches: Iterable[Match[Word]]) -> str | None:
    """Let every word vote for its languages; words of one language alone, and small words, count most."""
    votes: defaultdict[str, float] = defaultdict(float)
    for match in matches:
        voters = [word for word in match.found if not word.strict or word.entry.role == "function"]
        languages = {word.language for word in voters if word.language != NO_LANGUAGE}
        small = any(word.entry.role == "function" for word in match.found)
        for language in languages:
            votes[language] += (2 if small else 1) / len(languages) ** 2
    best = max(votes.values(), default=0)
    return next((language for language in _LATIN_LANGUAGES if votes[language] >= best > 0), None)


def settle(
    text: PromptText,
    tokens: Sequence[Token],
    words: Iterable[Match[Word]],
    styles: Sequence[Match[str]],
    language: str | None,
) -> list[Hit]:
    """Choose among overlapping matches and return the hits in order.

    A style word inside a longer phrase ("haunted house") belongs to the phrase. Of the others the longest win,
    styles before words, though moods and tempos inside a style's name ("slow blues") still count.
    """

    def place(match: Match) -> tuple[int, int]:
        return tokens[match.first].start, tokens[match.last - 1].end

    def length(match: Match) -> int:
        start, end = place(match)
        return end - start

    meanings = {(m.first, m.last): _entries(m, language) for m in words}
    phrases = [Match(*span, entries) for span, entries in meanings.items() if entries]
    outside = _outside_phrases(styles, phrases, len(tokens))
    named, taken = [False] * len(tokens), [False] * len(tokens)
    hits = []
    for style in sorted(outside, key=length, reverse=True):
        if _take(named, style):
            entries = meanings.get((style.first, style.last), ())
            hits.append(Hit(style.first, style.last, text.words(*place(style)), entries, style.found[0]))
    for phrase in sorted(phrases, key=length, reverse=True):
        in_style = any(named[phrase.first : phrase.last])
        entries = tuple(entry for entry in phrase.found if not in_style or _may_stand_in_style(entry))
        is_style = in_style and any((hit.first, hit.last) == (phrase.first, phrase.last) for hit in hits if hit.style)
        if entries and not is_style and _take(taken, phrase):
            hits.append(Hit(phrase.first, phrase.last, text.words(*place(phrase)), entries))
    return sorted(hits, key=lambda hit: (hit.first, -hit.last))


def _take(taken: list[bool], match: Match) -> bool:
    """Claim the tokens of a match, if all are free."""
    if any(taken[match.first : match.last]):
        return False
    taken[match.first : match.last] = [True] * (match.last - match.first)
    return True


def _may_stand_in_style(entry: Entry) -> bool:
    """Tell whether a word keeps its meaning in a style's name: "slow blues" is slow, "drum and bass" names no drum."""
    return entry.role is None and not entry.instruments and not entry.without


def _entries(match: Match[Word], language: str | None) -> tuple[Entry, ...]:
    return tuple(word.entry for word in match.found if not word.strict or language in (word.language, None))


def _outside_phrases(styles: Iterable[Match[str]], phrases: Iterable[Match], n_tokens: int) -> list[Match[str]]:
    """Drop the style words that stand inside a longer phrase."""
    own = [0] * (n_tokens + 1)
    for phrase in phrases:
        own[phrase.first] = max(own[phrase.first], phrase.last)
    before = list(accumulate(own, max, initial=0))
    return [style for style in styles if own[style.first] <= style.last and before[style.first] < style.last]
