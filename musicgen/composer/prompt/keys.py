"""Keys in the text, in ten languages: "in D minor", "F#m", "key of Eb", "fis-Moll", "la menor", "ハ短調", "ля минор".

Reads text that has kept its capitals: "Am" is a chord and "am" is not. A mode without a tonic ("a minor key") is a word
of the lexicon.
"""

import re
from dataclasses import dataclass

from musicgen.notation import LETTER_PITCH_CLASS

_MODE_WORDS = {
    "major": "major maj mayor majeur maggiore maior dur ionian мажор мажоре мажора 大调 大調 長調 メジャー 장조 메이저",
    "minor": "minor min menor mineur minore moll aeolian минор миноре минора 小调 小調 短調 マイナー 단조 마이너",
    "dorian": "dorian dorisch dorico dorien",
    "phrygian": "phrygian phrygisch frigio phrygien",
    "lydian": "lydian lydisch lidio lydien",
    "mixolydian": "mixolydian mixolydisch mixolidio misolidio mixolydien",
}
_MODE_OF = {word: mode for mode, words in _MODE_WORDS.items() for word in words.split()}
_SOLFEGE = {"do": 0, "re": 2, "mi": 4, "fa": 5, "sol": 7, "la": 9, "si": 11}
_CYRILLIC = {"до": 0, "ре": 2, "ми": 4, "фа": 5, "соль": 7, "ля": 9, "си": 11}
_IROHA = {"ハ": 0, "ニ": 2, "ホ": 4, "ヘ": 5, "ト": 7, "イ": 9, "ロ": 11}
_HANGUL = {"다": 0, "라": 2, "마": 4, "바": 5, "사": 7, "가": 9, "나": 11}
_SHARPS = frozenset({"#", "♯", "sharp", "sostenido", "diese", "diesis", "sustenido", "диез", "is", "嬰", "升", "올림"})
_FLATS = frozenset({"b", "♭", "flat", "bemol", "bemolle", "бемоль", "es", "s", "変", "變", "降", "내림"})

_LATIN_MODES = "|".join(sorted((w for w in _MODE_OF if w.isascii()), key=len, reverse=True))
_CYRILLIC_MODES = "мажор[еа]?|минор[еа]?"
_HAN_MODES = "大调|大調|長調|小调|小調|短調|メジャー|マイナー|장조|단조|메이저|마이너"
_SHADE = r"(?:(?:harmonic|melodic|natural) )?"
_LETTER = re.compile(
    rf"(?<![\w#'])([A-Ga-g])(?:\s?(#|♯|♭)|(b)|[\s-](sharp|flat))?[\s-]?{_SHADE}({_LATIN_MODES})(?![a-z])", re.I
)
_GERMAN = re.compile(r"(?<!\w)([A-Ha-h])(is|es|s|b|#)?[\s-]?(moll|dur)(?![a-z])", re.I)
_SYLLABLE = re.compile(
    r"(?<!\w)(do|re|mi|fa|sol|la|si)(?:[\s-](sostenido|bemolle|bemol|diesis|diese|sustenido))?[\s-]"
    r"(mayor|menor|majeur|mineur|maggiore|minore|maior)(?!\w)(?! (?:parte|duda|cantidad|parte))"
)
_RUSSIAN = re.compile(rf"(?<!\w)(до|ре|ми|фа|соль|ля|си)(?:[\s-](диез|бемоль))?[\s-]({_CYRILLIC_MODES})(?!\w)")
_EASTERN = re.compile(
    rf"([嬰変變升降#♯♭]|올림|내림)?\s?([ハニホヘトイロ다라마바사가나]|[A-Ga-g])(#|♯|b|♭)?\s?({_HAN_MODES})"
)
_NAMED = re.compile(
    r"(?<!\w)(?:(?:in )?(?:the )?key(?: of| is|:| =)|tonality(?: of)?|tonart|tonalite de|tonalidad de|tonalita di|"
    r"тональность|キー[は:]|调[:是]|키[는:])"
    r"\s?([A-Ga-g])(?:\s?(#|♯|♭)|(b)|[\s-](sharp|flat))?(m(?:in)?|maj)?(?![\w#'])", re.I
)  # fmt: skip
_AFTER = (
    r"(?=\s?(?:$|[,.;:!?)\n\d]|(?:with|at|and|for|on|over|by|key|scale|beat|track|groove|loop|song|trap|drill|jam)\b))"
)
_IN_LETTER = re.compile(rf"(?<!\w)[Ii]n ([A-G])(?:(#|♯|♭)|(b)|[\s-](sharp|flat))?(m(?:in)?|maj)?{_AFTER}")
_CHORD = re.compile(rf"(?<![\w#/'])(?<!\d )([A-G])(?:(#|♯|♭|b)m(?![\w#])|m{_AFTER})")
# Chord symbols or numerals in a row: at least three.
_SYMBOL = r"[A-G][#b♯♭]?(?:maj7|m7b5|m7|m|7|dim|sus[24])?"
_NUMERAL = r"[b#♭♯]?(?:VII|VI|IV|V|III|II|I|vii|vi|iv|v|iii|ii|i)[°7]?"
_PROGRESSION = re.compile(
    rf"(?<!\w)(?:{_SYMBOL}(?:(?:\s?[-|,>/→]+\s?|\s){_SYMBOL}){{2,}}|{_NUMERAL}(?:\s?-\s?{_NUMERAL}){{2,}})(?![\w#])"
)
# "in a minor key", "a minor mood": an article, not the note A.
_ARTICLE_BEFORE = re.compile(
    r"\s(?:key|keys|mode|scale|tonality|chords?|mood|feel|feeling|tone|sound|third|way|style|vibe)\b", re.I
)


@dataclass(frozen=True, slots=True)
class KeyFound:
    """A key in the text: pitch class of the tonic, and the mode if it was said."""

    tonic: int
    mode: str | None
    start: int
    end: int


def find_keys(cased: str) -> list[KeyFound]:
    """Find the keys that are named in full, or else those that are named by a tonic or a chord, in order."""
    folded = cased.casefold() if len(cased.casefold()) == len(cased) else cased
    full = [
        *_letters(cased),
        *(_key(m, _german(m[1], m[2]), m[3]) for m in _GERMAN.finditer(cased)),
        *(_key(m, _SOLFEGE[m[1]] + _alter(m[2]), m[3]) for m in _SYLLABLE.finditer(folded)),
        *(_key(m, _CYRILLIC[m[1]] + _alter(m[2]), m[3]) for m in _RUSSIAN.finditer(folded)),
        *(_key(m, _eastern(m[2]) + _alter(m[1]) + _alter(m[3]), m[4]) for m in _EASTERN.finditer(cased)),
    ]
    short = full or [
        *(_bare(m) for m in _NAMED.finditer(cased) if not m[0].endswith(" a") or _is_note_a(cased, m)),
        *(_bare(m) for m in _IN_LETTER.finditer(cased)),
        *(_key(m, LETTER_PITCH_CLASS[m[1]] + _alter(m[2]), "minor") for m in _CHORD.finditer(cased)),
    ]
    return sorted(short, key=lambda key: key.start)


def _letters(cased: str) -> list[KeyFound]:
    found = []
    for m in _LETTER.finditer(cased):
        word = m[5].lower()
        foreign = word in ("menor", "mayor", "maior", "minore", "maggiore", "mineur", "majeur")
        article = m[1] == "a" and not (m[2] or m[3] or m[4]) and not _is_note_a(cased, m)
        leading_article = m[1] == "A" and m.start() == 0 and _ARTICLE_BEFORE.match(cased, m.end())
        if word not in ("moll", "dur") and not (foreign and m[1].islower()) and not article and not leading_article:
            found.append(_key(m, LETTER_PITCH_CLASS[m[1].upper()] + _alter(m[2] or m[3] or m[4]), word))
    return found


def _is_note_a(cased: str, match: re.Match[str]) -> bool:
    """Whether the small "a" of "a minor" is the note: nothing that an article would introduce follows."""
    if _ARTICLE_BEFORE.match(cased, match.end()):
        return False
    named = cased[: match.start()].lower().endswith(("in ", "key of ", "key: ", "key ", ", "))
    return named or not re.match(r"\s?\w", cased[match.end() : match.end() + 2])


def _bare(match: re.Match[str]) -> KeyFound:
    mode = {"m": "minor", "min": "minor", "maj": "major"}.get((match[5] or "").lower())
    return _key(match, LETTER_PITCH_CLASS[match[1].upper()] + _alter(match[2] or match[3] or match[4]), mode)


def _key(match: re.Match[str], tonic: int, mode_word: str | None) -> KeyFound:
    mode = _MODE_OF.get(mode_word.lower()) if mode_word else None
    return KeyFound(tonic % 12, mode, match.start(), match.end())


def _alter(accidental: str | None) -> int:
    word = (accidental or "").lower()
    return (word in _SHARPS) - (word in _FLATS)


def _german(letter: str, suffix: str | None) -> int:
    """German letters: H is B natural, a plain B is B flat, "Bb" is what English means by it."""
    letter = letter.upper()
    if letter == "H":
        return 11 + _alter(suffix)
    if letter == "B":
        return 10 if suffix in (None, "b", "s", "es") else 12
    return LETTER_PITCH_CLASS[letter] + _alter(suffix)


def _eastern(name: str) -> int:
    return {**_IROHA, **_HANGUL}.get(name, LETTER_PITCH_CLASS.get(name.upper(), 0))


def find_progression(cased: str) -> str | None:
    """Find a row of chords.

    Letters alone ("A B C") may be anything; a minor, a seventh or an accidental makes them chords.
    """
    match = _PROGRESSION.search(cased)
    return match[0] if match and any(char in "m7#b♯♭Vv" for char in match[0]) else None
