"""Words to sung sounds: English lines -> phone symbols -> the ids of DiffRhythm's vocabulary.

Owns the way through the separate program espeak-ng (GPL: run as a program, never linked), and the merges that the
network was trained with. Does not know when a line is sung, nor how figures are read (`spoken_english`). Behaves as the
text front end of DiffRhythm (Apache-2.0) and Amphion (MIT), whose code is not used: a mark parts what stands around it,
the apostrophe too ("don't" is don, ', t), for so the network has learned it.
"""

import json
import logging
import re
import shutil
import subprocess
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from musicgen.diffrhythm.lyrics_text import quoted
from musicgen.diffrhythm.spoken_english import MARKS, spoken_text
from musicgen.diffrhythm.weights import ENGINE_NAME
from musicgen.errors import EngineUnavailable, InvalidOptions

WORD_GAP = "_"
N_SYMBOLS = 363
COMMA_ID = 1
FULL_STOP_ID = 2

logger = logging.getLogger(__name__)

_OPTIONS = ("-v", "en-us", "-b", "1", "-q", "--ipa", "--sep=_")
_TIMEOUT_S = 60
# espeak-ng answers one line for one line up to about 700 bytes, and reads at most about 160 letters as one word.
_LONGEST_PIECE = 300
_LONGEST_WORD = 60

_GET_IT = "Put vocab.json of DiffRhythm's g2p folder beside the weights."
_ESPEAK_MISSING = (
    "to sing lyrics it needs the program espeak-ng, which is not installed. Install the package espeak-ng (Debian and "
    "Ubuntu: apt-get install espeak-ng; macOS: brew install espeak-ng; Windows: winget install eSpeak-NG.eSpeak-NG), "
    "or ask for an instrumental."
)
_ESPEAK_FAILED = "espeak-ng did not transcribe the lyrics ({}); the server's log has its words. Try to reinstall it."

_MARK_OR_WORDS = re.compile(rf"[{MARKS}]|[^{MARKS}]+")

_LANGUAGE_FLAG = re.compile(r"\([a-z-]+\)")
_STRESS = re.compile("[ˈˌ'-]")
_MERGED = frozenset((("t", "ɹ"), ("d", "ɹ"), ("t", "s"), ("d", "z"), ("ɪ", "ɹ"), ("oː", "ɹ")))
_REPLACED = {"ɐ": "ɚ", "ᵻ": "ɪ", "əl": "l", "x": "k", "ɬ": "l", "ʔ": "t", "n̩": "n"}

_SCRIPTS = {"CJK": "Chinese characters", "HANGUL": "Korean", "HIRAGANA": "Japanese", "KATAKANA": "Japanese"}
_CHINESE_NEEDS = "Chinese needs a pronouncing lexicon and a model for characters of many readings, which are not here"
_MOST_ERRORS = 3


def load_vocabulary(path: Path) -> dict[str, int]:
    """Read `vocab.json`: phone symbol -> token id (index + 1; 0 is silence), symbols exactly as they are written.

    Accepts the table alone or under a "vocab" key. No Unicode normalisation: ç stands in it in two forms.

    Raises:
        EngineUnavailable: the file is missing or is no such table.
    """
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise EngineUnavailable(ENGINE_NAME, f"its vocabulary {path.name} cannot be read. {_GET_IT}") from error
    if isinstance(table, dict) and isinstance(table.get("vocab"), dict):
        table = table["vocab"]
    if not _is_vocabulary(table):
        raise EngineUnavailable(ENGINE_NAME, f"{path.name} is not its vocabulary of phone symbols. {_GET_IT}")
    return {symbol: index + 1 for symbol, index in table.items()}


def line_ids(lines: Sequence[str], vocabulary: Mapping[str, int]) -> list[list[int]]:
    """Turn lines into token ids, one list a line; symbols that the vocabulary lacks are left out.

    Raises:
        InvalidOptions: a line is not written in Latin letters.
        EngineUnavailable: espeak-ng is missing or fails.
    """
    return [[vocabulary[phone] for phone in phones if phone in vocabulary] for phones in line_phones(lines)]


def line_phones(lines: Sequence[str]) -> list[tuple[str, ...]]:
    """Turn lines into phone symbols, marks and word gaps, one tuple a line; empty where no word is to be sung.

    All lines go through one process. Raises as `line_ids` does.
    """
    require_english(lines)
    pieces = {line: _pieces(spoken_text(line)) for line in dict.fromkeys(lines)}
    words = list(dict.fromkeys(piece for line in pieces.values() for piece in line if piece not in MARKS))
    phones = dict(zip(words, map(_read_answer, _transcribe(words)), strict=True)) if words else {}
    return [_join(pieces[line], phones) for line in lines]


def require_english(lines: Iterable[str]) -> None:
    """Refuse lines with letters that are not Latin; `InvalidOptions` names each and what to do."""
    scripts = {line: script for line in lines if (script := _foreign_script(line))}
    if not scripts:
        return
    errors = [_foreign_text(line, script) for line, script in list(scripts.items())[:_MOST_ERRORS]]
    if len(scripts) > _MOST_ERRORS:
        errors.append(f"So it is with {len(scripts) - _MOST_ERRORS} more.")
    raise InvalidOptions({"lyrics": errors})


def find_espeak() -> str:
    """Find the program espeak-ng.

    Raises:
        EngineUnavailable: it is not installed; the text says how to.
    """
    program = shutil.which("espeak-ng")
    if program is None:
        raise EngineUnavailable(ENGINE_NAME, _ESPEAK_MISSING)
    return program


def _is_vocabulary(table: object) -> bool:
    if not isinstance(table, dict) or not all(type(index) is int for index in table.values()):
        return False
    indices = set(table.values())
    distinct = len(indices) == len(table) and indices <= set(range(N_SYMBOLS))
    return distinct and (table.get(","), table.get(".")) == (COMMA_ID - 1, FULL_STOP_ID - 1)


def _foreign_script(line: str) -> str | None:
    """Name the script of the first letter that is not Latin; None where there is none."""
    for char in unicodedata.normalize("NFKC", line):
        if not char.isascii() and char.isalpha() and unicodedata.category(char) != "Lm":
            script = unicodedata.name(char, "UNKNOWN").split()[0].split("-")[0]
            if script != "LATIN":
                return script
    return None


def _foreign_text(line: str, script: str) -> str:
    written = _SCRIPTS.get(script, f"{script.capitalize()} letters")
    reason = _CHINESE_NEEDS if script == "CJK" else "this engine sings English here"
    return f'The line "{quoted(line)}" is written in {written}: {reason}. Write it in English or leave it out.'


def _pieces(spoken: str) -> list[str]:
    """Part a spoken line at its marks, and runs of words that are too long for espeak-ng at a word."""
    pieces: list[str] = []
    for match in _MARK_OR_WORDS.finditer(spoken):
        if match[0] in MARKS:
            pieces.append(match[0])
        else:
            pieces += _short_runs(match[0].split())
    return pieces


def _short_runs(words: Iterable[str]) -> list[str]:
    runs: list[str] = []
    for part in (word[at : at + _LONGEST_WORD] for word in words for at in range(0, len(word), _LONGEST_WORD)):
        if runs and len(f"{runs[-1]} {part}".encode()) <= _LONGEST_PIECE:
            runs[-1] += f" {part}"
        else:
            runs.append(part)
    return runs


def _transcribe(pieces: Sequence[str]) -> list[str]:
    """Let espeak-ng read each piece: words parted by spaces, phones by `_`; one answer a piece."""
    program = find_espeak()
    answers = _ask_espeak(program, pieces)
    if len(answers) == len(pieces):
        return answers
    # A version that breaks lines otherwise: slower, but no line can slip.
    return [" ".join(_ask_espeak(program, [piece])) for piece in pieces]


def _ask_espeak(program: str, pieces: Sequence[str]) -> list[str]:
    """Run espeak-ng once. Given its text neither as argument nor as file, it answers line by line."""
    text = "".join(f"{piece}\n" for piece in pieces)
    try:
        run = subprocess.run(
            [program, *_OPTIONS],
            input=text, capture_output=True, encoding="utf-8", errors="replace", timeout=_TIMEOUT_S, check=True,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError) as error:
        logger.error("espeak-ng failed: %s %s", error, getattr(error, "stderr", ""))
        raise EngineUnavailable(ENGINE_NAME, _ESPEAK_FAILED.format(type(error).__name__)) from error
    return run.stdout.split("\n")[:-1]


def _read_answer(answer: str) -> list[str]:
    """Read the phones of a piece, `WORD_GAP` between words: without stress, merged as the network knows them."""
    phones: list[str] = []
    for word in _STRESS.sub("", _LANGUAGE_FLAG.sub("", answer)).split():
        heard = _merge([phone for phone in word.split("_") if phone])
        phones += [WORD_GAP, *heard] if phones and heard else heard
    return phones


def _merge(phones: Sequence[str]) -> list[str]:
    merged: list[str] = []
    taken = False
    for phone, following in pairwise([*phones, ""]):
        if taken:
            taken = False
        elif taken := (phone, following) in _MERGED:
            merged.append(phone + following)
        else:
            merged.append(_REPLACED.get(phone, phone))
    return merged


def _join(pieces: Sequence[str], phones: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    joined: list[str] = []
    for piece in pieces:
        if piece in MARKS:
            joined.append(piece)
        elif heard := phones[piece]:
            joined += [WORD_GAP, *heard] if joined and joined[-1] not in MARKS else heard
    return tuple(joined) if any(symbol not in MARKS for symbol in joined) else ()
