"""The band: every chair gets its part."""

import random
from collections import Counter
from dataclasses import replace

from musicgen.composer.arrangement.bass import play_bass
from musicgen.composer.arrangement.boundaries import cross_boundaries
from musicgen.composer.arrangement.comping import play_comping
from musicgen.composer.arrangement.drums import play_drums
from musicgen.composer.arrangement.performance import perform
from musicgen.composer.arrangement.riser import play_riser
from musicgen.composer.arrangement.second_line import play_second
from musicgen.composer.arrangement.sustained import play_counter, play_melody, play_pad
from musicgen.composer.arrangement.timeline import Bar, bars_of_chair, bars_of_piece
from musicgen.composer.casting import Chair
from musicgen.composer.checkpoint import checkpoint
from musicgen.composer.development import all_closes
from musicgen.composer.lead_sheet import ChordSpan, LeadSheet
from musicgen.composer.plan import Plan
from musicgen.composer.score import Note, Part, Score
from musicgen.composer.section import second_voice

# A last chord that is struck lasts so many quarter notes, and rings on in the room for no more than so many seconds.
STRUCK_QUARTERS, MOST_TAIL_S = 1.0, 1.0


def arrange(plan: Plan, sheet: LeadSheet, seed: str) -> Score:
    """Write out every player's notes; the randomness comes from `seed`.

    Every chair has streams of its own, named by its role, so that a player who leaves does not change the others.
    """
    bars = list(bars_of_piece(plan, sheet))
    parts: list[Part] = []
    n_of_role: Counter[str] = Counter()
    for chair in plan.band:
        checkpoint()
        role = chair.layer.role
        name = f"{role}/{n_of_role[role]}"
        n_of_role[role] += 1
        written = _write(plan, chair, bars, sheet, random.Random(f"{seed}/arrangement/{name}"))
        written = _within(cross_boundaries(written, chair, plan), chair)
        notes = perform(written, role, plan, random.Random(f"{seed}/performance/{name}"))
        if notes:
            parts.append(_part(chair, notes))
    parts += _second_part(plan, bars, sheet, random.Random(f"{seed}/performance/second"))
    key, *changes = plan.keys
    return Score(
        plan.tempo, key.key, plan.time_signature, plan.duration_s, tuple(parts), plan.style.mix, tuple(changes)
    )


def _write(plan: Plan, chair: Chair, piece: list[Bar], sheet: LeadSheet, rng: random.Random) -> list[Note]:
    bars = bars_of_chair(plan, chair, piece)
    ends = bool(bars) and _ends(plan, bars[-1], piece[-1])
    last = _last_chord(plan, sheet.chords[-1]) if ends else None
    match chair.layer.role:
        case "melody":
            return play_melody(chair, bars, sheet, plan, last)
        case "drums":
            return play_drums(plan, chair, bars, ends, rng)
        case "bass":
            return play_bass(plan, chair, bars, last, rng)
        case "comping":
            return play_comping(plan, chair, bars, last, rng)
        case "pad":
            return play_pad(chair, bars, last)
        case "counter":
            return play_counter(chair, bars, last)
        case "riser":
            return play_riser(plan, chair)
        case role:
            raise ValueError(f"{role!r} is not a role")


def _within(notes: list[Note], chair: Chair) -> list[Note]:
    """Move what the instrument does not have by octaves; drums are keys, not pitches."""
    if chair.layer.role == "drums":
        return notes
    lowest, highest = chair.instrument.lowest, chair.instrument.highest
    return [
        note if lowest <= note.pitch <= highest else replace(note, pitch=chair.instrument.in_range(note.pitch))
        for note in notes
    ]


def _ends(plan: Plan, bar: Bar, last: Bar) -> bool:
    """Whether a player whose last bar is `bar` plays the last chord: all of the last section do, unless it fades."""
    fades = all_closes()[plan.close].changes.get("rises", 0.0) < 0
    return bar.start == last.start or (bar.section == last.section and not fades)


def _last_chord(plan: Plan, span: ChordSpan) -> ChordSpan:
    """Shorten the last chord where the ending strikes it, but leave no silence after it."""
    if not all_closes()[plan.close].short:
        return span
    quarter_s = 60 / plan.tempo
    return replace(span, duration=min(span.duration, max(STRUCK_QUARTERS, span.duration - MOST_TAIL_S / quarter_s)))


def _second_part(plan: Plan, piece: list[Bar], sheet: LeadSheet, rng: random.Random) -> list[Part]:
    """Write the part of the player who joins the melody, on its own instrument in the melody's place of the mix."""
    player = second_voice(plan.band)
    if player is None:
        return []
    melody = next(chair for chair in plan.band if chair.layer.role == "melody")
    layer = replace(melody.layer, pan=player.layer.pan)
    chair = Chair(layer, player.instrument)
    notes = perform(_within(play_second(plan, chair, piece, sheet), chair), "melody", plan, rng)
    return [_part(chair, notes)] if notes else []


def _part(chair: Chair, notes: tuple[Note, ...]) -> Part:
    layer, instrument = chair.layer, chair.instrument
    return Part(
        name=instrument.title,
        role=layer.role,
        bank=instrument.bank,
        program=instrument.program,
        notes=notes,
        gain_db=layer.gain_db + instrument.level_db,
        pan=layer.pan,
        reverb_db=layer.reverb_db,
        voice=instrument.voice,
    )
