"""The alphabet of a lead sheet: metres, durations, symbols, and which of them may follow where.

Owns the numbering of everything the network reads and writes, and the grammar masks. Knows nothing of networks, files
or training data. Pitches and roots are relative to the tonic, so that one key serves for all.

A section is written as two streams of events, first its chords, then its melody. An event is a pair (duration, symbol):
a chord, or a pitch, a rest, or HOLD, which prolongs the note before across a bar line. No event crosses a bar line.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]

TICKS_PER_QUARTER = 12  # holds sixteenths (3 ticks) and eighth triplets (4 ticks)
SIXTEENTH, TRIPLET = 3, 4  # ticks
CHORD_GRID = 6  # chords start on eighths, ticks

METRES = {"4/4": 48, "3/4": 36, "2/4": 24, "6/8": 36, "9/8": 54}  # ticks in a bar
METRE_NAMES = tuple(METRES)
COMPOUND_METRES = frozenset({"6/8", "9/8"})
MAX_BAR_TICKS = max(METRES.values())

# Ticks. Those that are multiples of three are made of sixteenths; the others of triplets.
DURATIONS = tuple(sorted({*range(3, MAX_BAR_TICKS + 1, 3), 4, 8, 16, 20, 28, 32, 40, 44}))
DURATION_INDEX = {ticks: index for index, ticks in enumerate(DURATIONS)}

# Semitones above the root.
QUALITIES: dict[str, tuple[int, ...]] = {
    "maj": (0, 4, 7),
    "min": (0, 3, 7),
    "7": (0, 4, 7, 10),
    "maj7": (0, 4, 7, 11),
    "min7": (0, 3, 7, 10),
    "6": (0, 4, 7, 9),
    "min6": (0, 3, 7, 9),
    "9": (0, 2, 4, 7, 10),
    "maj9": (0, 2, 4, 7, 11),
    "min9": (0, 2, 3, 7, 10),
    "add9": (0, 2, 4, 7),
    "69": (0, 2, 4, 7, 9),
    "sus2": (0, 2, 7),
    "sus4": (0, 5, 7),
    "7sus4": (0, 5, 7, 10),
    "dim": (0, 3, 6),
    "dim7": (0, 3, 6, 9),
    "hdim7": (0, 3, 6, 10),
    "aug": (0, 4, 8),
    "aug7": (0, 4, 8, 10),
    "13": (0, 4, 7, 9, 10),
    "7b9": (0, 1, 4, 7, 10),
    "7#9": (0, 3, 4, 7, 10),
    "minmaj7": (0, 3, 7, 11),
    "5": (0, 7),
}
NEAREST_QUALITY = {"min11": "min9", "11": "7sus4"}
RICH_QUALITIES = frozenset(QUALITIES) - {"maj", "min", "sus2", "sus4", "dim", "aug", "5"}
# Bass notes other than the root that are worth a symbol of their own, semitones above the root.
SLASH_BASSES = {
    "maj": (2, 4, 5, 7, 10, 11),
    "min": (3, 5, 7, 10),
    "7": (4, 7, 10),
    "min7": (3, 5, 7, 10),
    "maj7": (4, 7, 11),
}


@dataclass(frozen=True, slots=True)
class ChordSymbol:
    """A chord relative to the tonic.

    Attributes:
        root: semitones above the tonic, 0 to 11.
        quality: a name in `QUALITIES`.
        bass: lowest note, semitones above the tonic, 0 to 11.
    """

    root: int
    quality: str
    bass: int

    @property
    def pitch_classes(self) -> frozenset[int]:
        """Semitones above the tonic of every chord tone, without the bass."""
        return frozenset((self.root + step) % 12 for step in QUALITIES[self.quality])


def _chord_symbols() -> tuple[ChordSymbol, ...]:
    kinds = [(quality, 0) for quality in QUALITIES]
    kinds += [(quality, bass) for quality, basses in SLASH_BASSES.items() for bass in basses]
    return tuple(ChordSymbol(root, quality, (root + bass) % 12) for quality, bass in kinds for root in range(12))


START, REST, HOLD = 0, 1, 2
LOWEST_PITCH, HIGHEST_PITCH = (-15, 28)  # semitones from the tonic below or at the melody's centre
FIRST_PITCH = 3
N_PITCHES = HIGHEST_PITCH - LOWEST_PITCH + 1
FIRST_CHORD = FIRST_PITCH + N_PITCHES
CHORDS = _chord_symbols()
CHORD_INDEX = {chord: FIRST_CHORD + index for index, chord in enumerate(CHORDS)}
N_SYMBOLS = FIRST_CHORD + len(CHORDS)
CHORD_STREAM, MELODY_STREAM = 0, 1


def is_pitch(symbol: int) -> bool:
    """Tell whether a symbol is a sounding pitch."""
    return FIRST_PITCH <= symbol < FIRST_CHORD


def pitch_symbol(pitch: int) -> int:
    """Number a pitch in semitones from the tonic, folding what lies outside the alphabet by octaves."""
    while pitch < LOWEST_PITCH:
        pitch += 12
    while pitch > HIGHEST_PITCH:
        pitch -= 12
    return FIRST_PITCH + pitch - LOWEST_PITCH


def symbol_pitch(symbol: int) -> int:
    """Give the semitones from the tonic of a pitch symbol."""
    return symbol - FIRST_PITCH + LOWEST_PITCH


def chord_symbol(root: int, quality: str, bass: int) -> int:
    """Number a chord, dropping a bass note that has no symbol.

    Raises:
        ValueError: `quality` is not in `QUALITIES`.
    """
    quality = NEAREST_QUALITY.get(quality, quality)
    if quality not in QUALITIES:
        raise ValueError(f"{quality!r} is not a chord quality; choose from {', '.join(QUALITIES)}")
    chord = ChordSymbol(root % 12, quality, bass % 12)
    return CHORD_INDEX.get(chord) or CHORD_INDEX[ChordSymbol(root % 12, quality, root % 12)]


def connected(start: int, end: int, metre: str) -> bool:
    """Tell whether one event may last from `start` to `end`, ticks from the bar line.

    An event lies on the grid of sixteenths or, in simple metres, on that of triplets; they meet on the beats.
    """
    straight = start % SIXTEENTH == 0 and end % SIXTEENTH == 0
    return straight or (metre not in COMPOUND_METRES and start % TRIPLET == 0 and end % TRIPLET == 0)


def duration_masks() -> Mask:
    """Build the durations allowed at every place: (stream, metre, position in the bar, duration) bool.

    Every allowed duration ends inside the bar, and from every place so reached the bar line can be reached: a bar is
    always exactly full.
    """
    masks = np.zeros((2, len(METRES), MAX_BAR_TICKS, len(DURATIONS)), dtype=bool)
    for metre, (name, bar_ticks) in enumerate(METRES.items()):
        for position in range(bar_ticks):
            for index, ticks in enumerate(DURATIONS):
                end = position + ticks
                if end > bar_ticks:
                    continue
                masks[MELODY_STREAM, metre, position, index] = connected(position, end, name)
                masks[CHORD_STREAM, metre, position, index] = position % CHORD_GRID == 0 and end % CHORD_GRID == 0
    return masks


def symbol_masks() -> Mask:
    """Build the symbols allowed in each situation: (situation, symbol) bool.

    Situations: 0 the chord stream, 1 a melody event that cannot prolong a note, 2 one that can.
    """
    masks = np.zeros((3, N_SYMBOLS), dtype=bool)
    masks[0, FIRST_CHORD:] = True
    masks[1:, REST] = True
    masks[2, HOLD] = True
    masks[1:, FIRST_PITCH:FIRST_CHORD] = True
    return masks


def chord_tones() -> NDArray[np.float32]:
    """Build the pitch classes of every symbol: (symbol, 12 semitones above the tonic) float32, zero for non-chords."""
    tones = np.zeros((N_SYMBOLS, 12), dtype=np.float32)
    for chord, symbol in CHORD_INDEX.items():
        tones[symbol, list(chord.pitch_classes | {chord.bass})] = 1.0
    return tones
