"""Reharmonisation: other chords for a phrase that comes again, under the same melody. Chords in, chords out.

Each rule touches a few bars of a phrase and leaves its first and its last bar alone, so that the ear knows where it is.
"""

import random
from collections.abc import Callable

from musicgen.composer.chords import MINOR_QUALITIES, Chord
from musicgen.composer.harmony import MINOR_TONICS, Bars

# How many bars of four a rule touches at most.
MOST_OF_FOUR = 2
# Relatives share two tones: what stands in for the chord on each degree (semitones above the tonic), and its quality.
RELATIVES_IN_MAJOR = {0: (9, "min"), 5: (2, "min"), 9: (0, "maj"), 2: (5, "maj"), 4: (0, "maj")}
RELATIVES_IN_MINOR = {0: (3, "maj"), 5: (8, "maj"), 8: (5, "min"), 3: (0, "min"), 10: (7, "min")}
SEVENTHS = {"maj": "maj7", "min": "min7"}
DOMINANTS = frozenset({"7", "9", "13", "7#9", "7sus4"})
UNSTABLE = frozenset({"dim", "dim7", "hdim7", "aug"})

Bar = tuple[Chord, ...]
Rule = Callable[[Bar, Bar, str], Bar | None]


def reharmonise(bars: Bars, name: str, mode: str, rng: random.Random) -> Bars:
    """Vary the chords of a phrase by a rule of `RULES`; a phrase that offers it nothing stays as it is."""
    rule = RULES[name]
    varied = list(bars)
    for start in range(0, len(bars), 4):
        inner = range(max(start, 1), min(start + 4, len(bars) - 1))
        found = {i: bar for i in inner if (bar := rule(bars[i], bars[i + 1], mode)) not in (None, bars[i])}
        for i in rng.sample(sorted(found), min(MOST_OF_FOUR, len(found))):
            varied[i] = found[i] or bars[i]
    return tuple(varied)


def _relative(bar: Bar, following: Bar, mode: str) -> Bar | None:
    """Play the relative instead of a triad or seventh chord."""
    chord = bar[0]
    relatives = RELATIVES_IN_MINOR if mode in MINOR_TONICS else RELATIVES_IN_MAJOR
    if len(bar) > 1 or chord.offset not in relatives or chord.quality in DOMINANTS | UNSTABLE:
        return None
    offset, quality = relatives[chord.offset]
    substitute = Chord(offset, SEVENTHS[quality] if "7" in chord.quality or "9" in chord.quality else quality)
    return None if substitute.offset == following[0].offset else (substitute,)


def _secondary(bar: Bar, following: Bar, mode: str) -> Bar | None:
    """Lead into the next bar's chord by its own dominant in the second half of this one."""
    goal, before = following[0], bar[0]
    dominant = Chord((goal.offset + 7) % 12, "7")
    if len(bar) > 1 or goal.offset == before.offset or goal.quality in UNSTABLE or dominant.offset == before.offset:
        return None
    return (before, dominant)


def _tritone(bar: Bar, following: Bar, mode: str) -> Bar | None:
    """Replace a dominant that falls a fifth by the one a tritone away, which falls a semitone."""
    chord = bar[-1]
    if chord.quality not in DOMINANTS or (chord.offset - following[0].offset) % 12 != 7:
        return None
    return (*bar[:-1], Chord((chord.offset + 6) % 12, "7"))


def _suspended(bar: Bar, following: Bar, mode: str) -> Bar | None:
    """Hold the third of a dominant, or of a plain chord on the fifth degree, up for half a bar."""
    chord = bar[0]
    if len(bar) > 1 or chord.offset != 7 or chord.quality not in ("7", "9", "maj"):
        return None
    return (Chord(7, "sus4" if chord.quality == "maj" else "7sus4"), chord)


def _borrowed(bar: Bar, following: Bar, mode: str) -> Bar | None:
    """Turn a major subdominant minor before it leaves."""
    chord = bar[0]
    if len(bar) > 1 or chord.offset != 5 or chord.quality in MINOR_QUALITIES | DOMINANTS or following[0].offset == 5:
        return None
    return (chord, Chord(5, "min6" if chord.quality in ("maj7", "maj9", "6") else "min"))


RULES: dict[str, Rule] = {
    "relative": _relative,
    "secondary": _secondary,
    "suspended": _suspended,
    "borrowed": _borrowed,
    "tritone": _tritone,
}
