"""Variation: how a melody changes when it comes again, and how it fits chords it was not written over.

Every function takes notes and gives notes; onsets and durations are in quarter notes. Who plays them is not known here.
"""

import random
from collections.abc import Sequence
from dataclasses import replace

from musicgen.composer.chords import Chord
from musicgen.composer.score import Note
from musicgen.notation import Key

# How often a place that takes an ornament gets one: in what repeats within a section, and in what is varied.
REPEAT_ORNAMENTS, VARIED_ORNAMENTS = 0.3, 0.6
ORNAMENT_SOFTER = 8  # velocity
SHORT = 0.75  # quarter notes; shorter notes off the beat may be left out
# A pick-up: its notes' length and how many there are at most.
PICKUP_STEP, PICKUP_NOTES = 0.5, 3


def ornament(notes: Sequence[Note], key: Key, share: float, rng: random.Random) -> list[Note]:
    """Ornament some long notes: by the passing tone to a third, or by a neighbour that moves on."""
    varied: list[Note] = []
    for note, following in zip(notes, [*notes[1:], None], strict=True):
        if following is None or following.onset > note.onset + note.duration + 1.0 or rng.random() >= share:
            varied.append(note)
            continue
        interval = following.pitch - note.pitch
        if note.duration >= 0.5 and 3 <= abs(interval) <= 4:
            varied += _split(note, scale_step(note.pitch, key, 1 if interval > 0 else -1))
        elif note.duration >= 1.0:
            varied += _split(note, scale_step(note.pitch, key, 1 if interval >= 0 else -1))
        else:
            varied.append(note)
    return varied


def _split(note: Note, pitch: int) -> tuple[Note, Note]:
    half = note.duration / 2
    return replace(note, duration=half), Note(note.onset + half, half, pitch, note.velocity - ORNAMENT_SOFTER)


def simplify(notes: Sequence[Note]) -> list[Note]:
    """Leave short notes off the beat out; the notes before them last until the next."""
    kept = [note for i, note in enumerate(notes) if i == 0 or note.duration >= SHORT or abs(note.onset % 1) < 1e-6]
    plain: list[Note] = []
    for note, following in zip(kept, [*kept[1:], None], strict=True):
        gap = [n for n in notes if following and note.onset < n.onset < following.onset]
        end = max([note.onset + note.duration, *(n.onset + n.duration for n in gap)])
        plain.append(replace(note, duration=end - note.onset))
    return plain


def transpose(notes: Sequence[Note], semitones: int) -> list[Note]:
    """Move notes by `semitones`."""
    return [replace(note, pitch=note.pitch + semitones) for note in notes]


def lead_in(first: Note, last: Note | None, key: Key, start: float, rng: random.Random) -> list[Note]:
    """Write the notes that lead by step into `first`, which opens a section at `start`.

    They begin no earlier than half a beat after `last`, the note before, and there are none where that leaves no room.
    """
    earliest = last.onset + PICKUP_STEP if last else start - PICKUP_NOTES * PICKUP_STEP
    room = int((start - earliest) / PICKUP_STEP + 1e-6)
    count = min(rng.randint(2, PICKUP_NOTES), room)
    direction = 1 if rng.random() < 0.7 else -1
    pitch = first.pitch
    notes: list[Note] = []
    for i in range(count):
        pitch = scale_step(pitch, key, -direction)
        velocity = first.velocity - 6 - 4 * i
        notes.insert(0, Note(start - (i + 1) * PICKUP_STEP, PICKUP_STEP, pitch, velocity))
    return notes


def settle(note: Note, chord: Chord, key: Key) -> Note:
    """Move a note to the nearest tone of `chord` where it would clash with it.

    Notes of the scale that pass quickly, or rub against no tone of a chord of the scale, stay.
    """
    tones = chord.pitch_classes(key)
    if note.pitch % 12 in tones:
        return note
    if set(tones) <= set(key.scale) and note.pitch % 12 in key.scale:
        rubs = any((note.pitch - tone) % 12 == 1 for tone in tones)
        if note.duration <= 0.5 or not rubs:
            return note
    return to_chord(note, chord, key)


def to_chord(note: Note, chord: Chord, key: Key) -> Note:
    """Move a note to the nearest tone of `chord`."""
    tones = chord.pitch_classes(key)
    near = (p for p in range(note.pitch - 6, note.pitch + 7) if p % 12 in tones)
    return replace(note, pitch=min(near, key=lambda p: abs(p - note.pitch)))


def scale_step(pitch: int, key: Key, direction: int) -> int:
    """Return the next pitch of the scale above (1) or below (-1)."""
    pitch += direction
    while pitch % 12 not in key.scale:
        pitch += direction
    return pitch
