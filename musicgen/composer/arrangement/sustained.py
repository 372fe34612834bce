"""Lines that sing: the melody as the instrument can play it, pads under it, and a counter-line between."""

import math
from collections.abc import Iterable

from musicgen.composer.arrangement.comping import Voices
from musicgen.composer.arrangement.timeline import Bar, plays_in
from musicgen.composer.casting import Chair
from musicgen.composer.lead_sheet import ChordSpan, LeadSheet
from musicgen.composer.plan import Plan
from musicgen.composer.score import Note

PAD_VELOCITY = 74
COUNTER_VELOCITY = 72


def play_melody(plan: Plan, chair: Chair, bars: Iterable[Bar], sheet: LeadSheet) -> list[Note]:
    """Play the lead sheet's melody in the sections where the layer plays, in the octave nearest to its centre."""
    sung = [(bar.start, bar.start + bar.length) for bar in bars if plays_in(chair.layer, bar.section)]
    notes = [note for note in sheet.melody if any(start <= note.onset < end for start, end in sung)]
    last = sheet.chords[-1]
    if notes and plays_in(chair.layer, plan.sections[-1]):
        notes += [note for note in sheet.melody if note.onset >= last.onset and note not in notes]
    if not notes:
        return []
    # The first section that sings decides the octave, so that a longer version of the piece begins in the same one.
    end = next(end for start, end in _section_ends(plan) if any(start <= note.onset < end for note in notes))
    early = [note.pitch for note in notes if note.onset < end]
    mean = sum(early) / len(early)
    shift = 12 * round((chair.layer.centre - mean) / 12)
    return [Note(n.onset, n.duration, chair.instrument.in_range(n.pitch + shift), n.velocity) for n in notes]


def _section_ends(plan: Plan) -> list[tuple[float, float]]:
    bar_quarters = plan.time_signature.bar_quarters
    ends = [(s.first_bar * bar_quarters, (s.first_bar + s.bars) * bar_quarters) for s in plan.sections]
    return [*ends[:-1], (ends[-1][0], math.inf)]


def play_pad(plan: Plan, chair: Chair, bars: Iterable[Bar], last: ChordSpan) -> list[Note]:
    """Hold each chord for as long as it lasts; equal neighbours are tied within a section's phrase."""
    voices = Voices(plan, chair)
    notes: list[Note] = []
    for span in _spans(plan, chair, bars, last):
        notes += [Note(span.onset, span.duration, pitch, PAD_VELOCITY) for pitch in voices.of(span.chord)]
    return notes


def play_counter(plan: Plan, chair: Chair, bars: Iterable[Bar], last: ChordSpan) -> list[Note]:
    """Play a calm line of thirds and sevenths, from each chord to the nearest such tone of the next."""
    line: list[Note] = []
    at = chair.layer.centre
    for span in _spans(plan, chair, bars, last):
        tones = span.chord.pitch_classes(plan.key)[1:4]
        near = [p for p in range(at - 7, at + 8) if p % 12 in tones]
        at = min(near, key=lambda p: (abs(p - at) + 0.3 * abs(p - chair.layer.centre), p))
        line.append(Note(span.onset, span.duration, chair.instrument.in_range(at), COUNTER_VELOCITY))
    return line


def _spans(plan: Plan, chair: Chair, bars: Iterable[Bar], last: ChordSpan) -> list[ChordSpan]:
    """List the chords that the layer plays, those that go on through a bar line tied together."""
    spans: list[ChordSpan] = []
    for bar in bars:
        if not plays_in(chair.layer, bar.section):
            continue
        for span in bar.chords:
            onset, end = max(span.onset, bar.start), min(span.end, bar.start + bar.length)
            if spans and spans[-1].chord == span.chord and abs(spans[-1].end - onset) < 1e-6:
                spans[-1] = ChordSpan(spans[-1].onset, end - spans[-1].onset, span.chord)
            else:
                spans.append(ChordSpan(onset, end - onset, span.chord))
    if spans and plays_in(chair.layer, plan.sections[-1]):
        spans.append(last)
    return spans
