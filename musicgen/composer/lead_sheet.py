"""The lead sheet: chords and melody of the whole piece. Each material is written once, placed where the form asks."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace

from musicgen.composer.chords import Chord
from musicgen.composer.harmony import Bars, final_chord, write_cadence, write_chords
from musicgen.composer.melody import settle, vary_melody, write_melody
from musicgen.composer.plan import Plan, Section
from musicgen.composer.score import Note

PHRASE_BARS = 8
MELODY_CENTRE = 71
# How far a section lies above the usual register, in semitones for each unit of energy above the middle.
REGISTER_LIFT = 10


@dataclass(frozen=True, slots=True)
class ChordSpan:
    """A chord and when it sounds, in quarter notes."""

    onset: float
    duration: float
    chord: Chord

    @property
    def end(self) -> float:
        """Where the next chord begins, in quarter notes."""
        return self.onset + self.duration


@dataclass(frozen=True, slots=True)
class LeadSheet:
    """Chords and melody; onsets and durations in quarter notes from the beginning of the piece.

    Attributes:
        chords: without gaps from 0 to the last chord, which is included and lasts to the end of the track.
        melody: single notes, sorted.
    """

    chords: tuple[ChordSpan, ...]
    melody: tuple[Note, ...]

    def chord_at(self, onset: float) -> ChordSpan:
        """Return the chord that sounds at `onset`."""
        return next((span for span in reversed(self.chords) if span.onset <= onset + 1e-6), self.chords[0])


@dataclass(frozen=True, slots=True)
class Material:
    """A phrase that sections share: chords by bar, and the melody from the phrase's beginning."""

    bars: Bars
    melody: tuple[Note, ...]


def write_lead_sheet(plan: Plan, seed: str) -> LeadSheet:
    """Write the chords and the melody of the plan's piece; the randomness comes from `seed`."""
    materials: dict[str, Material] = {}
    chords: list[ChordSpan] = []
    melody: list[Note] = []
    for index, section in enumerate(plan.sections):
        if section.material not in materials:
            materials[section.material] = _write_material(plan, section, seed)
        material = materials[section.material]
        chords += _place_chords(plan, section, material)
        if section.melody:
            melody += _place_melody(plan, section, material, random.Random(f"{seed}/vary/{index}"))
    chords = _end(plan, chords)
    return LeadSheet(tuple(chords), tuple(_finish_melody(plan, melody, chords)))


def phrase_length(plan: Plan, material: str) -> int:
    """Length in bars of the phrase that the sections of this material repeat."""
    longest = max(section.bars for section in plan.sections if section.material == material)
    if longest % 12 == 0:
        return 12
    return min(PHRASE_BARS, longest)


def _write_material(plan: Plan, section: Section, seed: str) -> Material:
    n_bars = phrase_length(plan, section.material)
    rng = random.Random(f"{seed}/harmony/{section.material}")
    bars = write_chords(plan.style.harmony, plan.key.mode, n_bars, rng)
    energy = max(s.energy for s in plan.sections if s.material == section.material)
    centre = MELODY_CENTRE + round(REGISTER_LIFT * (energy - 0.6))
    rng = random.Random(f"{seed}/melody/{section.material}")
    melody = write_melody(plan.style.melody, plan.key, plan.time_signature, bars, centre, energy, rng)
    return Material(bars, melody)


def _place_chords(plan: Plan, section: Section, material: Material) -> Iterator[ChordSpan]:
    bar_quarters = plan.time_signature.bar_quarters
    for i in range(section.bars):
        bar = material.bars[i % len(material.bars)]
        length = bar_quarters / len(bar)
        for j, chord in enumerate(bar):
            yield ChordSpan((section.first_bar + i) * bar_quarters + j * length, length, chord)


def _place_melody(plan: Plan, section: Section, material: Material, rng: random.Random) -> Iterator[Note]:
    """Repeat the phrase through the section, plainly at first, then with ornaments."""
    bar_quarters = plan.time_signature.bar_quarters
    phrase = len(material.bars) * bar_quarters
    start, length = section.first_bar * bar_quarters, section.bars * bar_quarters
    for repeat in range(-(-section.bars // len(material.bars))):
        notes = material.melody if repeat == 0 else vary_melody(material.melody, plan.key, rng)
        for note in notes:
            onset = note.onset + repeat * phrase
            if onset < length - 1e-6:
                yield replace(note, onset=start + onset, duration=min(note.duration, length - onset))


def _end(plan: Plan, chords: list[ChordSpan]) -> list[ChordSpan]:
    """Lead the last bar into the last chord, prolong it by the plan's hold, and add the last chord."""
    bar_quarters = plan.time_signature.bar_quarters
    cadence_start = (plan.n_bars - 1) * bar_quarters
    tonic = final_chord(plan.style.harmony, plan.key.mode)
    cadence = write_cadence(plan.style.harmony, plan.key.mode)
    if plan.n_bars == 1:
        cadence = (tonic, cadence[-1])
    length = (plan.ending - cadence_start) / len(cadence)
    return [
        *(span for span in chords if span.onset < cadence_start - 1e-6),
        *(ChordSpan(cadence_start + i * length, length, chord) for i, chord in enumerate(cadence)),
        ChordSpan(plan.ending, plan.duration_s * plan.tempo / 60 - plan.ending, tonic),
    ]


def _finish_melody(plan: Plan, melody: list[Note], chords: list[ChordSpan]) -> list[Note]:
    """Fit the melody to the cadence, and close it on the tonic or the third of the last chord, whichever is nearer."""
    last = chords[-1]
    notes = [note for note in melody if note.onset < plan.ending - 0.5]
    if not notes:
        return []
    cadence_start = (plan.n_bars - 1) * plan.time_signature.bar_quarters
    for i, note in enumerate(notes):
        if note.onset >= cadence_start:
            chord = next(span.chord for span in reversed(chords) if span.onset <= note.onset + 1e-6)
            notes[i] = settle(note, chord, plan.key)
    notes[-1] = replace(notes[-1], duration=min(notes[-1].duration, plan.ending - notes[-1].onset))
    targets = [plan.key.tonic, (plan.key.tonic + last.chord.intervals[1]) % 12]
    before = notes[-1].pitch
    pitch = min((p for p in range(before - 7, before + 8) if p % 12 in targets), key=lambda p: (abs(p - before), p))
    return [*notes, Note(last.onset, last.duration, pitch, notes[-1].velocity)]
