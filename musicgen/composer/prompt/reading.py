"""Reading a prompt as a whole: figures and names are found and masked, then words, then what words do to words."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate

from musicgen.composer.lexicon import Word
from musicgen.composer.prompt.figures import Figure, find_eras, find_length_s, find_time_signatures
from musicgen.composer.prompt.hits import Hit, guess_language, settle
from musicgen.composer.prompt.keys import KeyFound, find_keys, find_progression
from musicgen.composer.prompt.names import Name, find_imitated, find_title
from musicgen.composer.prompt.phrases import Match, PhraseIndex
from musicgen.composer.prompt.scopes import Scopes
from musicgen.composer.prompt.tempo import TempoFigure, find_tempos
from musicgen.composer.prompt.text import PromptText, Token, tokenise


@dataclass(frozen=True, slots=True)
class Reading:
    """Everything that was found in a prompt.

    Attributes:
        text: the prompt itself.
        tokens, masked: its tokens, and which of them belong to figures and names.
        hits: the words that mean something, in order, with what their neighbours do to them.
        language: two letters, given or guessed.
        tempos, keys, time_signatures, eras, length_s: the figures.
        progression: three or more chords in a row, as written.
        title: the title that the prompt gives.
        imitated: people or works that it wants imitated.
    """

    text: PromptText
    tokens: Sequence[Token]
    masked: Sequence[bool]
    hits: Sequence[Hit]
    language: str | None
    tempos: Sequence[TempoFigure]
    keys: Sequence[KeyFound]
    time_signatures: Sequence[Figure]
    eras: Sequence[Figure]
    length_s: Figure | None
    progression: str | None
    title: Name | None
    imitated: Sequence[Name]


def read_prompt(
    prompt: str,
    lexicon: PhraseIndex[Word],
    styles: PhraseIndex[str],
    language: str | None = None,
    title_describes: bool = False,
) -> Reading:
    """Read a prompt; `language` saves the guess, and `title_describes` reads the words of a given title too."""
    text = PromptText.read(prompt)
    tokens = tokenise(text.folded)
    words, named_styles = lexicon.find(tokens), styles.find(tokens)
    tempos = find_tempos(text.folded, (tokens[match.last - 1].end for match in named_styles))
    keys = find_keys(text.cased)
    time_signatures, eras, length_s = (
        find_time_signatures(text.folded),
        find_eras(text.folded),
        find_length_s(text.folded),
    )
    title = find_title(text)
    known = _musical_places(tokens, words, named_styles)
    imitated = [name for name in find_imitated(text) if name.start not in known or text.cased[name.start - 1] == '"']
    figures = [*tempos, *keys, *time_signatures, *eras, length_s, None if title_describes else title, *imitated]
    masked = _mask(tokens, [(figure.start, figure.end) for figure in figures if figure])
    words, named_styles = _unmasked(words, masked), _unmasked(named_styles, masked)
    language = language or guess_language(text.folded, words)
    hits = settle(text, tokens, words, named_styles, language)
    Scopes(tokens, hits).apply()
    return Reading(
        text=text, tokens=tokens, masked=masked, hits=hits, language=language,
        tempos=tempos, keys=keys, time_signatures=time_signatures, eras=eras, length_s=length_s,
        progression=find_progression(text.cased), title=title, imitated=imitated,
    )  # fmt: skip


def _musical_places(tokens: Sequence[Token], words: Iterable[Match[Word]], styles: Iterable[Match[str]]) -> set[int]:
    """Return where words of music begin: a name that begins so ("In the style of Jazz") is none."""
    starts = {match.first for match in styles}
    starts |= {match.first for match in words if any(word.entry.role is None for word in match.found)}
    return {tokens[first].start for first in starts}


def _mask(tokens: Sequence[Token], spans: Iterable[tuple[int, int]]) -> list[bool]:
    """Mark the tokens that overlap one of the spans."""
    marks = bytearray(tokens[-1].end if tokens else 0)
    for start, end in spans:
        marks[start:end] = b"\1" * len(marks[start:end])
    return [any(marks[token.start : token.end]) for token in tokens]


def _unmasked(matches: Iterable[Match], masked: Sequence[bool]) -> list[Match]:
    counts = list(accumulate(masked, initial=0))
    return [match for match in matches if counts[match.first] == counts[match.last]]
