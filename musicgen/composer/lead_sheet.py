"""The lead sheet: chords and melody. Each material's melody is written once and placed where the form asks."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from musicgen.composer.chords import Chord
from musicgen.composer.harmony import Bars
from musicgen.composer.melody import settle, vary_melody, write_melody
from musicgen.composer.plan import Plan, Section
from musicgen.composer.progression import Progression, phrase_chords
from musicgen.composer.score import Note
from musicgen.composer.style import MelodyStyle
from musicgen.notation import Key, TimeSignature

MelodyWriter = Callable[[MelodyStyle, Key, TimeSignature, Bars, int, float, random.Random], tuple[Note, ...]]

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


def write_lead_sheet(plan: Plan, progression: Progression, seed: str) -> LeadSheet:
    """Place the chords of the plan's piece and write its melody over them; the randomness comes from `seed`."""
    materials: dict[str, Material] = {}
    chords: list[ChordSpan] = []
    melody: list[Note] = []
    for index, section in enumerate(plan.sections):
        if section.material not in materials:
            materials[section.material] = _write_material(plan, progression, section, seed)
        bars = progression.sections[index]
        chords += _place_chords(plan, section, bars)
        if section.melody:
            rng = random.Random(f"{seed}/vary/{index}")
            melody += _place_melody(plan, section, materials[section.material], bars, rng)
    chords.append(ChordSpan(plan.ending, plan.duration_s * plan.tempo / 60 - plan.ending, progression.last))
    return LeadSheet(tuple(chords), tuple(_finish_melody(plan, melody, chords)))


def _write_material(plan: Plan, progression: Progression, section: Section, seed: str) -> Material:
    bars = phrase_chords(plan, progression, section.material)
    energy = max(s.energy for s in plan.sections if s.material == section.material)
    centre = MELODY_CENTRE + round(REGISTER_LIFT * (energy - 0.6))
    rng = random.Random(f"{seed}/melody/{section.material}")
    melody = _melody_writer(plan)(plan.style.melody, plan.key, plan.time_signature, bars, centre, energy, rng)
    return Material(bars, melody)


def _melody_writer(plan: Plan) -> MelodyWriter:
    """Return the writer that the style asks for; the rules where the network does not know the metre."""
    if plan.style.melody.writer == "network":
        # Imported on use: it takes torch and a second, which most styles do without.
        from musicgen.composer.learned_melody import can_write, write_learned_melody

        if can_write(plan.time_signature):
            return write_learned_melody
    return write_melody


def _place_chords(plan: Plan, section: Section, bars: Bars) -> Iterator[ChordSpan]:
    """Place the chords of a section; the last bar of the piece is as long as the plan's hold makes it."""
    bar_quarters = plan.time_signature.bar_quarters
    for i, bar in enumerate(bars, section.first_bar):
        end = plan.ending if i == plan.n_bars - 1 else (i + 1) * bar_quarters
        length = (end - i * bar_quarters) / len(bar)
        for j, chord in enumerate(bar):
            yield ChordSpan(i * bar_quarters + j * length, length, chord)


def _place_melody(plan: Plan, section: Section, material: Material, bars: Bars, rng: random.Random) -> Iterator[Note]:
    """Repeat the phrase through the section, plainly at first, then with ornaments; fit it to chords of other bars."""
    bar_quarters = plan.time_signature.bar_quarters
    phrase = len(material.bars) * bar_quarters
    start, length = section.first_bar * bar_quarters, section.bars * bar_quarters
    for repeat in range(-(-section.bars // len(material.bars))):
        notes = material.melody if repeat == 0 else vary_melody(material.melody, plan.key, rng)
        for note in notes:
            onset = note.onset + repeat * phrase
            if onset < length - 1e-6:
                index, place = divmod(onset + 1e-6, bar_quarters)
                bar = bars[int(index)]
                placed = replace(note, onset=start + onset, duration=min(note.duration, length - onset))
                if bar != material.bars[int(index) % len(material.bars)]:
                    placed = settle(placed, bar[int(place / bar_quarters * len(bar))], plan.key)
                yield placed


def _finish_melody(plan: Plan, melody: list[Note], chords: list[ChordSpan]) -> list[Note]:
    """Fit the melody to the cadence, and close it on the root or the third of the last chord, whichever is nearer."""
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
    targets = last.chord.pitch_classes(plan.key)[:2]
    before = notes[-1].pitch
    pitch = min((p for p in range(before - 7, before + 8) if p % 12 in targets), key=lambda p: (abs(p - before), p))
    return [*notes, Note(last.onset, last.duration, pitch, notes[-1].velocity)]
