"""Chords: their qualities, Roman numerals and symbols, and the tones they sound. Knows no key signature and no style.

Numerals always count from the major scale of the tonic, in every mode, so that "bVI" is eight semitones above the tonic
in major and in minor alike. Upper case has a major third, lower case a minor one.
"""

import re
from dataclasses import dataclass
from typing import Self

from musicgen.notation import LETTER_PITCH_CLASS, Key

# Semitones above the root, from the root up.
QUALITIES: dict[str, tuple[int, ...]] = {
    "maj": (0, 4, 7),
    "min": (0, 3, 7),
    "dim": (0, 3, 6),
    "aug": (0, 4, 8),
    "sus2": (0, 2, 7),
    "sus4": (0, 5, 7),
    "5": (0, 7),
    "6": (0, 4, 7, 9),
    "min6": (0, 3, 7, 9),
    "7": (0, 4, 7, 10),
    "maj7": (0, 4, 7, 11),
    "min7": (0, 3, 7, 10),
    "dim7": (0, 3, 6, 9),
    "hdim7": (0, 3, 6, 10),
    "7sus4": (0, 5, 7, 10),
    "add9": (0, 4, 7, 14),
    "9": (0, 4, 7, 10, 14),
    "maj9": (0, 4, 7, 11, 14),
    "min9": (0, 3, 7, 10, 14),
    "13": (0, 4, 7, 10, 14, 21),
    "7#9": (0, 4, 7, 10, 15),
}
SYMBOL_SUFFIX = {
    "maj": "",
    "min": "m",
    "min6": "m6",
    "min7": "m7",
    "min9": "m9",
    "hdim7": "m7b5",
}
_OWN_SUFFIXES = {SYMBOL_SUFFIX.get(quality, quality): quality for quality in QUALITIES}
MINOR_QUALITIES = frozenset({"min", "min6", "min7", "min9", "dim", "dim7", "hdim7"})

# Further ways to write a quality in a chord symbol, beside `SYMBOL_SUFFIX` and the qualities' own names.
OTHER_SUFFIXES = {
    "M": "maj", "-": "min", "mi": "min", "M7": "maj7", "ma7": "maj7", "-7": "min7", "mi7": "min7", "M9": "maj9",
    "ma9": "maj9", "-9": "min9", "-6": "min6", "°": "dim", "o": "dim", "°7": "dim7", "o7": "dim7", "+": "aug",
    "ø": "hdim7", "ø7": "hdim7", "-7b5": "hdim7", "sus": "sus4", "7sus": "7sus4", "add2": "add9",
}  # fmt: skip

DEGREES = {"I": 0, "II": 2, "III": 4, "IV": 5, "V": 7, "VI": 9, "VII": 11}
CHROMATIC_NUMERALS = ("I", "bII", "II", "bIII", "III", "IV", "#IV", "V", "bVI", "VI", "bVII", "VII")
_SYMBOL = re.compile(r"([A-G])([#♯b♭]?)(.*)")
_NUMERAL = re.compile(r"([b#]?)(VII|VI|IV|V|III|II|I|vii|vi|iv|v|iii|ii|i)(.*)")
# What a suffix means after a lower-case numeral; elsewhere a suffix is the quality's own name.
_MINOR_SUFFIX = {"": "min", "6": "min6", "7": "min7", "9": "min9"}
_QUALITY_OF_SUFFIX = {quality: quality for quality in QUALITIES} | OTHER_SUFFIXES | _OWN_SUFFIXES


@dataclass(frozen=True, slots=True)
class Chord:
    """A chord as semitones above the tonic (0 to 11) and a quality (a name in `QUALITIES`)."""

    offset: int
    quality: str

    @classmethod
    def parse(cls, numeral: str) -> Self:
        """Read a Roman numeral such as "ii7", "V7", "bVImaj7" or "viihdim7".

        Raises:
            ValueError: the text is no numeral or its quality is unknown.
        """
        match = _NUMERAL.fullmatch(numeral)
        if not match:
            raise ValueError(f"{numeral!r} is not a Roman numeral; write one like 'ii7', 'V7' or 'bVImaj7'")
        accidental, degree, suffix = match.groups()
        quality = _MINOR_SUFFIX.get(suffix, suffix) if degree.islower() else suffix or "maj"
        if quality not in QUALITIES:
            raise ValueError(f"{numeral!r} has the unknown quality {suffix!r}; known are {', '.join(QUALITIES)}")
        return cls((DEGREES[degree.upper()] + {"b": -1, "#": 1, "": 0}[accidental]) % 12, quality)

    @classmethod
    def from_symbol(cls, text: str, key: Key) -> Self:
        """Read a chord symbol such as "F#m7", "Bb" or "Cø" in `key`; the inverse of `symbol`.

        Raises:
            ValueError: the text is no chord symbol or its quality is unknown.
        """
        match = _SYMBOL.fullmatch(text.strip())
        if not match:
            raise ValueError(f"{text!r} is not a chord symbol; write one like 'C', 'F#m7' or 'Bbmaj7'")
        letter, accidental, suffix = match.groups()
        quality = _QUALITY_OF_SUFFIX.get(suffix)
        if quality is None:
            known = ", ".join(suffix for suffix in _OWN_SUFFIXES if suffix)
            raise ValueError(
                f"{text!r} is not a chord symbol that can be played; after the root write nothing or {known}"
            )
        root = LETTER_PITCH_CLASS[letter] + {"#": 1, "♯": 1, "b": -1, "♭": -1, "": 0}[accidental]
        return cls((root - key.tonic) % 12, quality)

    @property
    def numeral(self) -> str:
        """The Roman numeral, readable by `parse`."""
        degree = CHROMATIC_NUMERALS[self.offset]
        if self.quality not in MINOR_QUALITIES:
            return degree + ("" if self.quality == "maj" else self.quality)
        accidental = degree[:1] if degree[0] in "b#" else ""
        return accidental + degree[len(accidental) :].lower() + self.quality.removeprefix("min")

    @property
    def intervals(self) -> tuple[int, ...]:
        """Semitones above the root, from the root up; ninths and thirteenths lie above the octave."""
        return QUALITIES[self.quality]

    def root(self, key: Key) -> int:
        """Pitch class of the root in `key`."""
        return (key.tonic + self.offset) % 12

    def pitch_classes(self, key: Key) -> tuple[int, ...]:
        """Pitch classes in `key`, root first."""
        return tuple((key.tonic + self.offset + interval) % 12 for interval in self.intervals)

    def symbol(self, key: Key) -> str:
        """Name the chord for a chart: "F#m7", "Bb", "G7"."""
        return key.spell(self.root(key)) + SYMBOL_SUFFIX.get(self.quality, self.quality)
