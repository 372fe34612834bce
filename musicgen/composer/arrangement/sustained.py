"""Lines that sing: the melody as the instrument can play it, pads under it, and a counter-line between."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from musicgen.composer.arrangement.comping import Voices
from musicgen.composer.arrangement.timeline import Bar
from musicgen.composer.casting import Chair
from musicgen.composer.lead_sheet import ChordSpan, LeadSheet
from musicgen.composer.plan import Plan
from musicgen.composer.score import Note
from musicgen.composer.section import second_voice

PAD_VELOCITY = 74
COUNTER_VELOCITY = 72
# A pick-up sounds so many quarter notes before the section that it leads into.
PICKUP_QUARTERS = 1.5
# Semitones by which the first section's melody may lie above the layer's centre: later ones rise further.
MOST_ABOVE = 2


def play_melody(chair: Chair, bars: Sequence[Bar], sheet: LeadSheet, plan: Plan, last: ChordSpan | None) -> list[Note]:
    """Play the lead sheet's melody where nobody else takes it, in the octave that suits the layer's centre."""
    others = second_voice(plan.band) is not None
    sung = _joined(
        (bar.start - PICKUP_QUARTERS * (bar.index == 0), bar.start + bar.length)
        for bar in bars
        if bar.section.melody and not (others and "handed_over" in bar.section.variations)
    )
    notes = [n for n in sheet.melody if n.onset < plan.ending and any(start <= n.onset < end for start, end in sung)]
    if last and sheet.melody and plan.sections[-1].melody:
        close = sheet.melody[-1]
        notes.append(replace(close, duration=min(close.duration, last.duration)))
    if not notes:
        return []
    # The first section that sings decides the octave, so that a longer version of the piece begins in the same one.
    end = next(end for start, end in _singing(plan) if any(start <= note.onset < end for note in notes))
    early = [note.pitch for note in notes if note.onset < end]
    mean = sum(early) / len(early)
    shift = 12 * math.floor((chair.centre - mean + MOST_ABOVE) / 12)
    return [replace(note, pitch=note.pitch + shift) for note in notes]


def _joined(spans: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """Join what touches among spans in order."""
    joined: list[tuple[float, float]] = []
    for start, end in spans:
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((start, end))
    return joined


def _singing(plan: Plan) -> Iterator[tuple[float, float]]:
    """Yield where the sections that sing begin and end, in quarters; the last one lasts for ever."""
    for section in plan.sections:
        start, length = (bars * plan.time_signature.bar_quarters for bars in (section.first_bar, section.bars))
        if section.melody:
            yield start, math.inf if section is plan.sections[-1] else start + length


def play_pad(chair: Chair, bars: Sequence[Bar], last: ChordSpan | None) -> list[Note]:
    """Hold each chord for as long as it lasts; equal neighbours are tied within a section's phrase."""
    voices = Voices(chair)
    notes: list[Note] = []
    for span in _spans(bars, last):
        notes += [Note(span.onset, span.duration, pitch, PAD_VELOCITY) for pitch in voices.of(span)]
    return notes


def play_counter(chair: Chair, bars: Sequence[Bar], last: ChordSpan | None) -> list[Note]:
    """Play a calm line of thirds and sevenths, from each chord to the nearest such tone of the next."""
    line: list[Note] = []
    at = chair.centre
    for span in _spans(bars, last):
        tones = span.pitch_classes[1:4]
        near = [p for p in range(at - 7, at + 8) if p % 12 in tones]
        at = min(near, key=lambda p: (abs(p - at) + 0.3 * abs(p - chair.centre), p))
        line.append(Note(span.onset, span.duration, at, COUNTER_VELOCITY))
    return line


def _spans(bars: Sequence[Bar], last: ChordSpan | None) -> list[ChordSpan]:
    """List the chords of a player's bars, those that go on through a bar line tied together."""
    spans: list[ChordSpan] = []
    for bar in bars:
        for span in bar.chords:
            onset, end = max(span.onset, bar.start), min(span.end, bar.start + bar.length)
            same = spans and (spans[-1].chord, spans[-1].key) == (span.chord, span.key)
            if same and abs(spans[-1].end - onset) < 1e-6:
                spans[-1] = ChordSpan(spans[-1].onset, end - spans[-1].onset, span.chord, span.key)
            else:
                spans.append(ChordSpan(onset, end - onset, span.chord, span.key))
    return [*spans, last] if last else spans
