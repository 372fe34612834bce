"""The band: every chair gets its part."""

import random
from collections import Counter

from musicgen.composer.arrangement.bass import play_bass
from musicgen.composer.arrangement.comping import play_comping
from musicgen.composer.arrangement.drums import play_drums
from musicgen.composer.arrangement.performance import perform
from musicgen.composer.arrangement.sustained import play_counter, play_melody, play_pad
from musicgen.composer.arrangement.timeline import Bar, bars_of_piece
from musicgen.composer.casting import Chair
from musicgen.composer.lead_sheet import LeadSheet
from musicgen.composer.plan import Plan
from musicgen.composer.score import Note, Part, Score


def arrange(plan: Plan, sheet: LeadSheet, seed: str) -> Score:
    """Write out every player's notes; the randomness comes from `seed`.

    Every chair has streams of its own, named by its role, so that a player who leaves does not change the others.
    """
    bars = list(bars_of_piece(plan, sheet))
    parts = []
    n_of_role: Counter[str] = Counter()
    for chair in plan.band:
        role = chair.layer.role
        name = f"{role}/{n_of_role[role]}"
        n_of_role[role] += 1
        written = _write(plan, chair, bars, sheet, random.Random(f"{seed}/arrangement/{name}"))
        notes = perform(written, role, plan, random.Random(f"{seed}/performance/{name}"))
        if notes:
            parts.append(_part(chair, notes))
    return Score(plan.tempo, plan.key, plan.time_signature, plan.duration_s, tuple(parts), plan.style.mix)


def _write(plan: Plan, chair: Chair, bars: list[Bar], sheet: LeadSheet, rng: random.Random) -> list[Note]:
    last = sheet.chords[-1]
    match chair.layer.role:
        case "melody":
            return play_melody(plan, chair, bars, sheet)
        case "drums":
            return play_drums(plan, chair, bars, rng)
        case "bass":
            return play_bass(plan, chair, bars, last, rng)
        case "comping":
            return play_comping(plan, chair, bars, last, rng)
        case "pad":
            return play_pad(plan, chair, bars, last)
        case "counter":
            return play_counter(plan, chair, bars, last)
        case role:
            raise ValueError(f"{role!r} is not a role")


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
    )
