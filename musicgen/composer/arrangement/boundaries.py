"""Where sections meet: what every player does in the last bars before a new section, after the part has been written.

Fills of the drums are the drummer's own (`drums`); bass runs, stabs, breaths and rolls are here.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from musicgen.composer.casting import Chair
from musicgen.composer.grid import read_bar
from musicgen.composer.instruments import PERCUSSION
from musicgen.composer.plan import Plan
from musicgen.composer.score import Note
from musicgen.composer.section import Section
from musicgen.composer.variation import scale_step
from musicgen.notation import Key, TimeSignature

RHYTHM_ROLES = frozenset({"drums", "bass", "comping", "pad", "counter"})
STABBING_ROLES = frozenset({"drums", "bass", "comping"})
STABS = "X..X..X."
STAB_LENGTH, STAB_VELOCITY = 0.4, 108
STAB_DRUMS = ("kick", "snare", "crash")
# A bass run: notes of this length, from this energy up.
RUN_STEP, RUN_NOTES, RUN_ENERGY = 0.5, 2, 0.4
RUN_ROOM = 4  # semitones that it needs below its goal
# A roll lasts for at most so many bars; its strokes come closer from quarter to quarter of it, and louder throughout.
ROLL_BARS, ROLL_STEPS, ROLL_VELOCITIES = 4, (1.0, 0.5, 0.25, 0.25), (44, 112)


def cross_boundaries(notes: Sequence[Note], chair: Chair, plan: Plan) -> list[Note]:
    """Change a part where its sections go over into the next, as their exits say; the notes come sorted by onset."""
    role = chair.layer.role
    crossed = list(notes)
    for section in plan.sections:
        is_last = section is plan.sections[-1]
        end = plan.ending if is_last else (section.first_bar + section.bars) * plan.time_signature.bar_quarters
        match section.exit:
            case "breath" if role in RHYTHM_ROLES:
                crossed = _silenced(crossed, end - plan.time_signature.bar_quarters / 2, end)
            case "stabs" if role in STABBING_ROLES:
                crossed = _stabbed(crossed, role, end - plan.time_signature.bar_quarters, end, plan.time_signature)
            case "build" if role == "drums":
                crossed = _rolled(crossed, section, end, plan.time_signature)
            case "fill" if role == "bass" and section.to_energy >= RUN_ENERGY and section.bars > 1:
                crossed = _led_over(crossed, end, plan.key_of(section), chair.instrument.lowest)
    return sorted(crossed, key=lambda note: note.onset)


def _silenced(notes: Sequence[Note], start: float, end: float) -> list[Note]:
    """Leave silence from `start` to `end`."""
    kept = [note for note in notes if not start - 1e-6 <= note.onset < end - 1e-6]
    return [
        replace(n, duration=min(n.duration, start - n.onset)) if n.onset < start and n.onset + n.duration > start else n
        for n in kept
    ]


def _stabbed(notes: Sequence[Note], role: str, start: float, end: float, metre: TimeSignature) -> list[Note]:
    """Strike what sounds in the bar from `start` to `end` on its accents only."""
    own = [note for note in notes if start - 0.1 <= note.onset < end - 1e-6]
    if not own:
        return list(notes)
    stabs: list[Note] = []
    for event in read_bar(STABS, TimeSignature(4, 4), metre):
        onset = start + event.onset
        if role == "drums":
            pitches = [PERCUSSION[name] for name in STAB_DRUMS]
        else:
            sounding = [n for n in own if n.onset <= onset + 0.1] or own[:1]
            latest = max(n.onset for n in sounding)
            pitches = sorted({n.pitch for n in sounding if n.onset >= latest - 0.25})
        stabs += [Note(onset, STAB_LENGTH, pitch, STAB_VELOCITY) for pitch in pitches if onset < end - 1e-6]
    return [*_silenced(notes, start - 0.1, end), *stabs]


def _rolled(notes: Sequence[Note], section: Section, end: float, metre: TimeSignature) -> list[Note]:
    """Add a roll that grows towards the end of a section; in its last bar it is alone.

    Drums that rest in the section roll as well.
    """
    length = min(ROLL_BARS, section.bars) * metre.bar_quarters
    roll = list(_roll(end - length, end))
    others = _silenced(notes, end - metre.bar_quarters, end) if section.bars > 1 else list(notes)
    return [*others, *roll]


def _roll(start: float, end: float) -> Iterator[Note]:
    onset, (softest, loudest) = start, ROLL_VELOCITIES
    while onset < end - 1e-6:
        share = (onset - start) / (end - start)
        step = ROLL_STEPS[min(int(share * len(ROLL_STEPS)), len(ROLL_STEPS) - 1)]
        yield Note(onset, step, PERCUSSION["snare"], round(softest + share * (loudest - softest)))
        onset += step


def _led_over(notes: Sequence[Note], end: float, key: Key, lowest: int) -> list[Note]:
    """Let a bass run by step into the note that opens the next section; it comes from where the bass is if it can."""
    goal = next((note for note in sorted(notes, key=lambda n: n.onset) if end - 1e-6 <= note.onset < end + 1.0), None)
    start = end - RUN_NOTES * RUN_STEP
    before = [note for note in notes if start - 4 <= note.onset < start]
    if goal is None or not before:
        return list(notes)
    comes_from = -1 if before[-1].pitch <= goal.pitch and goal.pitch - RUN_ROOM >= lowest else 1
    pitch = goal.pitch
    run: list[Note] = []
    for i in range(RUN_NOTES):
        pitch = scale_step(pitch, key, comes_from)
        run.insert(0, Note(end - (i + 1) * RUN_STEP, RUN_STEP, pitch, goal.velocity - 4 * i))
    return [*_silenced(notes, start, end), *run]
