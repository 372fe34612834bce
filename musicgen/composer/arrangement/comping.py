"""Comping: rhythm chords, strums and arpeggios from the style's grids.

x, X and o strike the whole chord (normal, accented, soft), 1 to 9 its tones from the lowest up (past the top they go on
an octave higher), b the root below the chord.
"""

import random
from collections.abc import Iterable, Iterator

from musicgen.composer.arrangement.timeline import Bar, events_in, pattern_choices, pattern_of
from musicgen.composer.arrangement.voicing import voice_chord
from musicgen.composer.casting import Chair
from musicgen.composer.chords import Chord
from musicgen.composer.grid import GridEvent
from musicgen.composer.lead_sheet import ChordSpan
from musicgen.composer.plan import Plan
from musicgen.composer.score import Note
from musicgen.notation import Key

VELOCITY = {"X": 98, "x": 82, "o": 64}
TONE_VELOCITY = 80
STRUM = 0.02  # quarter notes from string to string


class Voices:
    """The voicings of one chair through the piece; each chord moves on from the one before."""

    def __init__(self, chair: Chair) -> None:
        self._chair = chair
        self._chord: tuple[Chord, Key] | None = None
        self._pitches: tuple[int, ...] = ()

    def of(self, span: ChordSpan) -> tuple[int, ...]:
        """Return the chord's pitches, lowest first."""
        if (span.chord, span.key) != self._chord:
            chair, instrument = self._chair, self._chair.instrument
            voicing, limits = chair.layer.voicing, (instrument.lowest, instrument.highest)
            self._pitches = voice_chord(span.chord, span.key, voicing, chair.centre, *limits, self._pitches)
            self._chord = (span.chord, span.key)
        return self._pitches


def play_comping(
    plan: Plan, chair: Chair, bars: Iterable[Bar], last: ChordSpan | None, rng: random.Random
) -> list[Note]:
    """Play the rhythm chords through the player's bars, and the last chord if there is one."""
    notes: list[Note] = []
    voices = Voices(chair)
    choices = pattern_choices(plan, rng)
    for bar in bars:
        pattern = pattern_of(chair.layer, bar, choices)
        for event in events_in(bar, pattern.grids["grid"], plan.style.time_signature, plan.time_signature):
            notes += _strike(event, voices.of(bar.chord_at(event.onset)), chair)
    if last:
        notes += _strike(GridEvent(last.onset, last.duration, "x"), voices.of(last), chair)
    return notes


def _strike(event: GridEvent, pitches: tuple[int, ...], chair: Chair) -> Iterator[Note]:
    if event.symbol in VELOCITY:
        strum = STRUM if chair.layer.voicing == "guitar" else 0.0
        for i, pitch in enumerate(pitches):
            yield Note(event.onset + i * strum, event.duration, pitch, VELOCITY[event.symbol])
    elif event.symbol == "b":
        below = pitches[0] - 12 if pitches[0] - 12 >= chair.instrument.lowest else pitches[0]
        yield Note(event.onset, event.duration, below, TONE_VELOCITY)
    else:
        octave, tone = divmod(int(event.symbol) - 1, len(pitches))
        pitch = pitches[tone] + 12 * octave
        yield Note(event.onset, event.duration, pitch, TONE_VELOCITY)
