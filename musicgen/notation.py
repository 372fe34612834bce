"""How keys and time signatures are written, in requests, prompts, scores and files alike. Standard library only."""

import re
from dataclasses import dataclass
from typing import Self

LETTER_PITCH_CLASS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
LETTERS = "CDEFGAB"
SHARP_NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
FLAT_NAMES = ("C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B")
# Letters from the tonic up to a pitch so many semitones above it: what lies between the degrees of major is lowered, as
# numerals write it (bII, bIII, bVI, bVII), but the fourth is raised.
LETTERS_UP = (0, 1, 1, 2, 2, 3, 3, 4, 5, 5, 6, 6)
# White keys under a black key's name, written only where the key signature has them.
RARE_NAMES = frozenset({"Cb", "Fb", "E#", "B#"})

# Scale degrees in semitones above the tonic.
MODES: dict[str, tuple[int, ...]] = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "phrygian": (0, 1, 3, 5, 7, 8, 10),
    "lydian": (0, 2, 4, 6, 7, 9, 11),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
}
MODE_SPELLINGS = {
    "maj": "major",
    "min": "minor",
    "m": "minor",
    "ionian": "major",
    "aeolian": "minor",
    "": "major",
}
# Semitones from a mode's tonic up to the tonic of the major scale with the same notes.
RELATIVE_MAJOR = {"major": 0, "minor": 3, "dorian": 10, "phrygian": 8, "lydian": 7, "mixolydian": 5}
# Major keys (as pitch classes) whose signatures are written with flats.
FLAT_MAJOR_KEYS = frozenset({5, 10, 3, 8, 1})

_KEY = re.compile(r"\s*([A-Ga-g])\s*(#|♯|b|♭|-?sharp|-?flat)?\s*([A-Za-z]*)\s*", re.ASCII)
_TIME_SIGNATURE = re.compile(r"\s*(\d{1,2})\s*/\s*(\d{1,2})\s*")


@dataclass(frozen=True, slots=True)
class Key:
    """A tonic (pitch class, 0 is C) and a mode (a name in `MODES`)."""

    tonic: int
    mode: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read "D minor", "F#", "Bbm", "eb maj" or "G dorian".

        Raises:
            ValueError: the text names no key.
        """
        match = _KEY.fullmatch(text)
        mode = None
        if match:
            word = match[3]
            mode = "major" if word == "M" else MODE_SPELLINGS.get(word.lower(), word.lower())
        if not match or mode not in MODES:
            raise ValueError(
                f"{text!r} is not a key; write a tonic and a mode, like 'D minor', 'F# major' or 'G dorian'"
            )
        accidental = {"#": 1, "♯": 1, "b": -1, "♭": -1}.get(match[2] or "", 0)
        if match[2] and match[2].endswith(("sharp", "flat")):
            accidental = 1 if match[2].endswith("sharp") else -1
        return cls((LETTER_PITCH_CLASS[match[1].upper()] + accidental) % 12, mode)

    @property
    def uses_flats(self) -> bool:
        """Whether the key signature is written with flats."""
        return (self.tonic + RELATIVE_MAJOR[self.mode]) % 12 in FLAT_MAJOR_KEYS

    @property
    def scale(self) -> tuple[int, ...]:
        """Pitch classes of the scale, from the tonic up."""
        return tuple((self.tonic + step) % 12 for step in MODES[self.mode])

    @property
    def tonic_name(self) -> str:
        """Name of the tonic, as the key signature has it."""
        return (FLAT_NAMES if self.uses_flats else SHARP_NAMES)[self.tonic]

    def spell(self, pitch_class: int) -> str:
        """Name a pitch class by its degree in this key: the leading note of D minor is "C#", its second step "Bb"."""
        pitch_class %= 12
        steps = LETTERS_UP[(pitch_class - self.tonic) % 12]
        letter = LETTERS[(LETTERS.index(self.tonic_name[0]) + steps) % len(LETTERS)]
        alteration = (pitch_class - LETTER_PITCH_CLASS[letter] + 6) % 12 - 6
        name = letter + ("#" if alteration > 0 else "b") * abs(alteration)
        if abs(alteration) > 1 or (name in RARE_NAMES and pitch_class not in self.scale):
            return (FLAT_NAMES if alteration < 0 else SHARP_NAMES)[pitch_class]
        return name

    def __str__(self) -> str:
        return f"{self.tonic_name} {self.mode}"


@dataclass(frozen=True, slots=True)
class TimeSignature:
    """`beats` notes of the value 1/`unit` to the bar."""

    beats: int
    unit: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read "3/4".

        Raises:
            ValueError: not a time signature of 2 to 12 quarters or eighths.
        """
        match = _TIME_SIGNATURE.fullmatch(text)
        if not match or int(match[2]) not in (4, 8) or not 2 <= int(match[1]) <= 12:
            raise ValueError(
                f"{text!r} is not a time signature; write 2 to 12 quarters or eighths, like '4/4', '3/4' or '6/8'"
            )
        return cls(int(match[1]), int(match[2]))

    @property
    def bar_quarters(self) -> float:
        """Length of a bar in quarter notes."""
        return self.beats * 4 / self.unit

    @property
    def is_compound(self) -> bool:
        """Whether beats are dotted quarters, as in 6/8, 9/8 and 12/8."""
        return self.unit == 8 and self.beats % 3 == 0 and self.beats > 3

    def __str__(self) -> str:
        return f"{self.beats}/{self.unit}"
