"""The lead sheet: chords and melody. Each material's melody is written once and placed where the form asks."""

import random
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from musicgen.composer.chords import Chord
from musicgen.composer.harmony import Bars
from musicgen.composer.melody import MelodyRequest, write_melody
from musicgen.composer.plan import Plan
from musicgen.composer.progression import Progression, phrase_chords
from musicgen.composer.score import Note
from musicgen.composer.section import Section
from musicgen.composer.variation import (
    REPEAT_ORNAMENTS,
    VARIED_ORNAMENTS,
    lead_in,
    ornament,
    settle,
    simplify,
    to_chord,
    transpose,
)
from musicgen.notation import Key

MELODY_CENTRE = 71
# How far a section lies above the usual register, in semitones for each unit of energy above the middle.
REGISTER_LIFT = 10


@dataclass(frozen=True, slots=True)
class ChordSpan:
    """A chord, when it sounds, in quarter notes, and the key from whose tonic it counts."""

    onset: float
    duration: float
    chord: Chord
    key: Key

    @property
    def end(self) -> float:
        """Where the next chord begins, in quarter notes."""
        return self.onset + self.duration

    @property
    def pitch_classes(self) -> tuple[int, ...]:
        """Its pitch classes, root first."""
        return self.chord.pitch_classes(self.key)

    @property
    def symbol(self) -> str:
        """Its name in a chart, spelled as its key is."""
        return self.chord.symbol(self.key)


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
        following = bisect_right(self.chords, onset + 1e-6, key=lambda span: span.onset)
        return self.chords[max(following - 1, 0)]


@dataclass(frozen=True, slots=True)
class Material:
    """A phrase that sections share: chords by bar, and the melody from the phrase's beginning."""

    bars: Bars
    melody: tuple[Note, ...]


def write_lead_sheet(plan: Plan, progression: Progression, seed: str) -> LeadSheet:
    """Place the chords of the plan's piece and write its melody over them; the randomness comes from `seed`."""
    materials = _write_materials(plan, progression, seed)
    chords: list[ChordSpan] = []
    melody: list[Note] = []
    for index, section in enumerate(plan.sections):
        bars = progression.sections[index]
        chords += _place_chords(plan, section, bars)
        if section.melody:
            rng = random.Random(f"{seed}/vary/{index}")
            sung = list(_place_melody(plan, section, materials[section.material], bars, rng))
            if "pickup" in section.variations:
                melody = _lead_in(plan, section, melody, sung, rng)
            melody += sung
    key = plan.key_of(plan.sections[-1])
    chords.append(ChordSpan(plan.ending, plan.duration_s * plan.tempo / 60 - plan.ending, progression.last, key))
    return LeadSheet(tuple(chords), tuple(_finish_melody(plan, melody, chords)))


def _write_materials(plan: Plan, progression: Progression, seed: str) -> dict[str, Material]:
    """Write every material that is sung, all at once: a network writes many melodies in the time of one."""
    sung = dict.fromkeys(section.material for section in plan.sections if section.melody)
    requests = [_melody_request(plan, progression, material, seed) for material in sung]
    melodies = _write_melodies(plan, requests)
    return {r.material: Material(r.bars, melody) for r, melody in zip(requests, melodies, strict=True)}


def _melody_request(plan: Plan, progression: Progression, material: str, seed: str) -> MelodyRequest:
    energy = max(section.energy for section in plan.sections if section.material == material)
    return MelodyRequest(
        style=plan.style.melody,
        key=plan.key,
        time_signature=plan.time_signature,
        bars=phrase_chords(plan, progression, material),
        material=material,
        centre=MELODY_CENTRE + round(REGISTER_LIFT * (energy - 0.6)),
        energy=energy,
        seed=f"{seed}/melody/{material}",
    )


def _write_melodies(plan: Plan, requests: Sequence[MelodyRequest]) -> list[tuple[Note, ...]]:
    """Write melodies as the style asks: by the network, or by the rules where it does not know the metre."""
    if plan.style.melody.writer == "network":
        # Imported on use: styles whose melodies the rules write do without the network.
        from musicgen.composer.learned_melody import can_write, write_learned_melodies

        if can_write(plan.time_signature):
            return write_learned_melodies(requests)
    return [write_melody(request) for request in requests]


def _place_chords(plan: Plan, section: Section, bars: Bars) -> Iterator[ChordSpan]:
    """Place the chords of a section; the last bar of the piece is as long as the plan's hold makes it."""
    bar_quarters = plan.time_signature.bar_quarters
    for i, bar in enumerate(bars, section.first_bar):
        end = plan.ending if i == plan.n_bars - 1 else (i + 1) * bar_quarters
        length = (end - i * bar_quarters) / len(bar)
        for j, chord in enumerate(bar):
            yield ChordSpan(i * bar_quarters + j * length, length, chord, plan.key_of(section))


def _place_melody(plan: Plan, section: Section, material: Material, bars: Bars, rng: random.Random) -> Iterator[Note]:
    """Repeat the phrase through the section as its variations say, and fit it to chords of other bars."""
    bar_quarters = plan.time_signature.bar_quarters
    skipped = section.from_bar if section.from_bar < len(material.bars) else 0
    own_bars, length = material.bars[skipped:], section.bars * bar_quarters
    start, phrase = section.first_bar * bar_quarters, len(own_bars) * bar_quarters
    phrases = [note for note in material.melody if note.onset >= skipped * bar_quarters]
    for repeat in range(-(-section.bars // len(own_bars))):
        for note in _varied(phrases, plan.key, section.variations, repeat, rng):
            onset = note.onset - skipped * bar_quarters + repeat * phrase
            if onset < length - 1e-6:
                index, place = divmod(onset + 1e-6, bar_quarters)
                bar = bars[int(index)]
                placed = replace(note, onset=start + onset, duration=min(note.duration, length - onset))
                if bar != own_bars[int(index) % len(own_bars)]:
                    placed = settle(placed, bar[int(place / bar_quarters * len(bar))], plan.key)
                yield replace(placed, pitch=placed.pitch + section.lift)


def _varied(
    notes: Sequence[Note], key: Key, variations: Sequence[str], repeat: int, rng: random.Random
) -> Sequence[Note]:
    """Vary a phrase as its section says; what a section repeats gets some ornaments anyway."""
    if "simplify" in variations:
        notes = simplify(notes)
    elif "ornament" in variations:
        notes = ornament(notes, key, VARIED_ORNAMENTS, rng)
    elif repeat:
        notes = ornament(notes, key, REPEAT_ORNAMENTS, rng)
    octaves = ("octave_up" in variations) - ("octave_down" in variations)
    return transpose(notes, 12 * octaves)


def _lead_in(plan: Plan, section: Section, before: list[Note], sung: list[Note], rng: random.Random) -> list[Note]:
    """Put a pick-up between the melody so far and that of a section; what it would cover is shortened."""
    start = section.first_bar * plan.time_signature.bar_quarters
    if not sung or sung[0].onset > start + 1.0:
        return before
    added = lead_in(sung[0], before[-1] if before else None, plan.key_of(section), start, rng)
    if before and added:
        end = min(before[-1].duration, added[0].onset - before[-1].onset)
        before = [*before[:-1], replace(before[-1], duration=end)]
    return [*before, *added]


def _finish_melody(plan: Plan, melody: list[Note], chords: list[ChordSpan]) -> list[Note]:
    """Fit the melody to the cadence, and close it on the root or the third of the last chord, whichever is nearer."""
    last = chords[-1]
    notes = [note for note in melody if note.onset < plan.ending - 0.5]
    if not notes:
        return []
    cadence_start = (plan.n_bars - 1) * plan.time_signature.bar_quarters
    for i, note in enumerate(notes):
        if note.onset >= cadence_start:
            span = next(span for span in reversed(chords) if span.onset <= note.onset + 1e-6)
            notes[i] = to_chord(note, span.chord, span.key)
    notes[-1] = replace(notes[-1], duration=min(notes[-1].duration, plan.ending - notes[-1].onset))
    if not plan.sections[-1].melody:
        return notes
    before = notes[-1].pitch
    near = (p for p in range(before - 7, before + 8) if p % 12 in last.pitch_classes[:2])
    pitch = min(near, key=lambda p: (abs(p - before), p))
    return [*notes, Note(last.onset, last.duration, pitch, notes[-1].velocity)]
