"""A second voice: the player who takes the melody over, sings along with it, or answers in its rests."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from musicgen.composer.arrangement.timeline import Bar
from musicgen.composer.casting import Chair
from musicgen.composer.lead_sheet import LeadSheet
from musicgen.composer.plan import Plan
from musicgen.composer.score import Note
from musicgen.composer.variation import scale_step, to_chord
from musicgen.notation import Key

# Velocities against the melody's.
ALONG_SOFTER, ANSWER_VELOCITY = 16, 74
# Shorter notes are not sung along.
SHORTEST_ALONG = 0.5
# A rest of the melody, or a note that it holds for longer than so many quarters, is answered if there is room for two
# notes.
HELD, STEP, LEAST_NOTES, MOST_NOTES = 1.0, 0.5, 2, 5


def play_second(plan: Plan, chair: Chair, bars: Sequence[Bar], sheet: LeadSheet) -> list[Note]:
    """Play what the sections of `bars` ask of the second voice; `chair` is its instrument in the melody's place."""
    line: list[Note] = []
    for section in dict.fromkeys(bar.section for bar in bars):
        own = [bar for bar in bars if bar.section == section]
        start, end = own[0].start, own[-1].start + own[-1].length
        melody = [note for note in sheet.melody if start <= note.onset < end]
        if "handed_over" in section.variations:
            line += _in_octave(melody, chair)
        elif "doubled" in section.variations:
            line += _in_octave(list(_along(melody, sheet)), chair)
        elif "answered" in section.variations:
            line += _in_octave(list(_answers(melody, sheet, plan.key_of(section), end)), chair)
    return line


def _in_octave(notes: Sequence[Note], chair: Chair) -> list[Note]:
    """Move a line by octaves until it lies nearest to the layer's centre."""
    if not notes:
        return []
    mean = sum(note.pitch for note in notes) / len(notes)
    shift = 12 * round((chair.centre - mean) / 12)
    return [replace(note, pitch=note.pitch + shift) for note in notes]


def _along(melody: Sequence[Note], sheet: LeadSheet) -> Iterator[Note]:
    """Sing a third below the melody, or on the nearest chord tone where that would clash."""
    for note in melody:
        if note.duration >= SHORTEST_ALONG:
            span = sheet.chord_at(note.onset)
            below = scale_step(scale_step(note.pitch, span.key, -1), span.key, -1)
            fitting = to_chord(Note(note.onset, note.duration, below, note.velocity), span.chord, span.key)
            pitch = fitting.pitch if fitting.pitch < note.pitch else below
            yield Note(note.onset, note.duration, pitch, note.velocity - ALONG_SOFTER)


def _answers(melody: Sequence[Note], sheet: LeadSheet, key: Key, end: float) -> Iterator[Note]:
    """Fill the melody's rests and held notes with short lines that turn back where it came from."""
    for (before, note), following in zip(pairwise(melody), [*melody[2:], None], strict=True):
        start = note.onset + min(max(note.duration, STEP), HELD)
        start += -start % STEP
        n_notes = int(((following.onset if following else end - STEP) - start) / STEP + 1e-6)
        direction = 1 if note.pitch <= before.pitch else -1
        pitch = note.pitch
        for i in range(min(n_notes, MOST_NOTES) if n_notes >= LEAST_NOTES else 0):
            onset = start + i * STEP
            pitch = scale_step(pitch, key, direction)
            placed = Note(onset, STEP, pitch, ANSWER_VELOCITY)
            if i % 2 == 0:
                span = sheet.chord_at(onset)
                placed = to_chord(placed, span.chord, span.key)
            yield placed
            pitch = placed.pitch
