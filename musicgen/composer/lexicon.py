"""The words that mean something in a prompt, read from `lexicon/*.toml`, which a musician can extend.

A table is a meaning: its figures, and the words for it by language. Words stand in one string, separated by commas;
"melanchol*" stands for every word that begins so; "fast!" counts only in prompts of its own language (where another
language writes the same for something else). A file that does not fit is refused with its name, the key and the reason.
Knows nothing of grammar: what a `role` does is decided in `prompt/scopes.py`.
"""

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from musicgen.composer.instruments import all_instruments
from musicgen.composer.prompt.phrases import PhraseIndex
from musicgen.composer.prompt.text import fold
from musicgen.errors import MusicgenError
from musicgen.notation import MODES, TimeSignature
from musicgen.options import MAX_TEMPO, MIN_TEMPO

LEXICON_DIR = Path(__file__).with_name("lexicon")
ROLES = frozenset(
    {
        *("negate", "negate_all", "negate_after", "degree", "only", "only_after", "solo", "alone", "and", "or", "but"),
        *("except", "feature", "function", "request", "voice", "instrumental", "ignore"),
    }
)
# At least a letter, a digit or an emoji.
_WORD = re.compile(r"[^\W_]|[^\x00-\x7f]")
# Words that belong to no language: emoji and the like.
NO_LANGUAGE = "emoji"


class InvalidLexicon(MusicgenError):
    """A lexicon file does not fit; the message names file, key and reason."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One meaning.

    Attributes:
        name: the table's name in the file.
        valence: -1 (grief) to 1 (joy).
        arousal: 0 (asleep) to 1 (frenzy).
        brightness: -1 (dull, dark sound) to 1 (brilliant).
        weight: how much it counts against other meanings, over 0 to 1.
        tempo: lowest and highest tempo, quarter notes a minute.
        tempo_factor: what it does to a style's usual tempo.
        mode: name in `notation.MODES`.
        time_signature: of every bar.
        instruments: names or families in `instruments.toml`.
        alone: whether its instruments, and others that the prompt names, are all that play ("string quartet").
        without: names or families that it leaves out ("drumless").
        styles: styles that suit it, best first; they count only where the prompt names none.
        style_weight: how much the suggestion counts; None: as much as `weight`.
        era: "1980s" or the name of a period.
        role: what it does to its neighbours, one of `ROLES`.
        factor: for the role `degree`: what it does to the strength of the next word.
        crackle: whether it asks for the noise of an old record or tape.
        missing: whether its words name an instrument that there is not; `instruments` stand in for it.
        note: a sentence for the person who wrote it.
    """

    name: str
    valence: float | None = None
    arousal: float | None = None
    brightness: float | None = None
    weight: float = 1.0
    tempo: tuple[float, float] | None = None
    tempo_factor: float = 1.0
    mode: str | None = None
    time_signature: TimeSignature | None = None
    instruments: tuple[str, ...] = ()
    alone: bool = False
    without: tuple[str, ...] = ()
    styles: tuple[str, ...] = ()
    style_weight: float | None = None
    era: str | None = None
    role: str | None = None
    factor: float = 1.0
    crackle: bool | None = None
    missing: bool = False
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Word:
    """One word or phrase of an entry in a language; a `strict` one counts only in prompts of that language."""

    entry: Entry
    language: str
    strict: bool


@cache
def load_lexicon(folder: Path = LEXICON_DIR) -> PhraseIndex[Word]:
    """Read every file of the folder.

    Raises:
        InvalidLexicon: a file is not TOML, or has a key or value that means nothing here.
    """
    return PhraseIndex(read_lexicon(folder))


def read_lexicon(folder: Path = LEXICON_DIR) -> Iterator[tuple[str, Word]]:
    """Yield every phrase of the folder's files with its meaning.

    Raises:
        InvalidLexicon: a file is not TOML, or has a key or value that means nothing here.
    """
    for path in sorted(folder.glob("*.toml")):
        yield from _read(path)


def _read(path: Path) -> Iterator[tuple[str, Word]]:
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidLexicon(f"{path.name}: {error}") from error
    weight = tables.pop("weight", 1.0)
    for name, table in tables.items():
        if not isinstance(table, dict):
            raise InvalidLexicon(f"{path.name}: {name} is no table; write [{name}] and its keys below")
        try:
            yield from _words(name, {"weight": weight, **table})
        except ValueError as error:
            raise InvalidLexicon(f"{path.name}: {name}.{error}") from error


def _words(name: str, table: Mapping[str, Any]) -> Iterator[tuple[str, Word]]:
    """Make the entry of one table and pair it with each of its phrases."""
    languages = {key: value for key, value in table.items() if _is_language(key)}
    if not languages:
        raise ValueError("en is missing: an entry needs words in at least one language")
    entry = Entry(name=name, **{key: _field(key, table[key]) for key in table if key not in languages})
    for language, listed in languages.items():
        for phrase in _split(language, listed):
            yield phrase.rstrip("!"), Word(entry, language, phrase.endswith("!"))


def _is_language(key: str) -> bool:
    return key == NO_LANGUAGE or (len(key) == 2 and key.isalpha())


def _split(key: str, listed: Any) -> list[str]:
    phrases = [phrase.strip() for phrase in fold(listed).split(",")] if isinstance(listed, str) else []
    if not phrases or not all(map(_WORD.search, phrases)):
        raise ValueError(f"{key} = {listed!r} is not a text of words separated by commas")
    return phrases


def _field(key: str, value: Any) -> Any:
    if key not in _FIELDS:
        raise ValueError(f"{key} is unknown; use one of {', '.join(sorted(_FIELDS))} or a language of two letters")
    try:
        return _FIELDS[key](value)
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(f"{key} = {value!r} is wrong: {error}") from error


def _between(low: float, high: float) -> Callable[[Any], float]:
    def check(value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise ValueError(f"a number from {low:g} to {high:g} is needed")
        return float(value)

    return check


def _tempo(value: Any) -> tuple[float, float]:
    low, high = (_between(MIN_TEMPO, MAX_TEMPO)(bound) for bound in value)
    if low >= high:
        raise ValueError("the lower tempo comes first")
    return low, high


def _one_of(names: Any) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        if value not in names:
            raise ValueError(f"one of {', '.join(sorted(names))} is needed")
        return str(value)

    return check


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("a text is needed")
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("true or false is needed")
    return value


def _names(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise ValueError('a list of names is needed, like ["piano"]')
    return tuple(value)


@cache
def instrument_names() -> frozenset[str]:
    """Return what a prompt may call instruments by: their names and their families."""
    instruments = all_instruments().values()
    return frozenset(i.name for i in instruments) | frozenset(i.family for i in instruments)


def _instruments(value: Any) -> tuple[str, ...]:
    return tuple(_one_of(instrument_names())(name) for name in _names(value))


_FIELDS: Mapping[str, Callable[[Any], Any]] = {
    "valence": _between(-1, 1),
    "arousal": _between(0, 1),
    "brightness": _between(-1, 1),
    "weight": _between(0.05, 1),
    "tempo": _tempo,
    "tempo_factor": _between(0.5, 2),
    "mode": _one_of(MODES),
    "time_signature": TimeSignature.parse,
    "instruments": _instruments,
    "without": _instruments,
    "styles": _names,
    "style_weight": _between(0.05, 1),
    "era": _text,
    "role": _one_of(ROLES),
    "factor": _between(-1, 3),
    "alone": _flag,
    "crackle": _flag,
    "missing": _flag,
    "note": _text,
}
