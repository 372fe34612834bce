"""What a plan's textures, energies and variations do to the parts of a whole piece."""

import json
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from musicgen.composer.composition import Composition, compose
from musicgen.composer.score import Note
from musicgen.options import GenerationOptions

OPTIONS = GenerationOptions("pop song", duration=40.0, seed=3, tempo=120.0, key="C major")
START, END = 16.0, 32.0  # quarter notes: the second section
BAND = [
    {"role": "melody", "instrument": "flute"},
    {"role": "comping", "instrument": "piano"},
    {"role": "comping", "instrument": "acoustic_guitar"},
    {"role": "pad", "instrument": "strings"},
    {"role": "bass", "instrument": "electric_bass"},
    {"role": "drums", "instrument": "drums"},
]


def developed(band: list[dict[str, str]] = BAND, **changes: Any) -> Composition:
    return composed(json.dumps(band), json.dumps(changes))


@cache
def composed(band: str, changes: str) -> Composition:
    """Compose for a band and changes in JSON; several tests look at the same piece, as nobody can change it."""
    plain = {"name": "verse", "bars": 4, "energy": 0.7, "chords": ["C", "Am", "F", "G"]}
    document = {
        "key": "C major",
        "tempo": 120,
        "band": json.loads(band),
        "sections": [plain, plain | json.loads(changes), plain],
    }
    return compose(replace(OPTIONS, plan=document))


def in_second(composition: Composition) -> dict[tuple[str, str], list[Note]]:
    return {
        (part.role, part.name): [n for n in part.notes if START - 0.1 <= n.onset < END - 0.1]
        for part in composition.score.parts
    }


def roles(composition: Composition) -> set[str]:
    return {role for (role, _), notes in in_second(composition).items() if notes}


@pytest.mark.parametrize(
    ("texture", "playing"),
    [
        ("full", {"melody", "comping", "pad", "bass", "drums"}),
        ("no_drums", {"melody", "comping", "pad", "bass"}),
        ("duo", {"melody", "comping"}),
        ("pads", {"melody", "pad"}),
        ("drums_and_bass", {"melody", "bass", "drums"}),
    ],
)
def test_textures_say_who_plays(texture: str, playing: set[str]) -> None:
    assert roles(developed(texture=texture)) == playing


def test_a_duo_has_one_accompanist() -> None:
    assert (
        sum(bool(notes) for (role, _), notes in in_second(developed(texture="duo")).items() if role == "comping") == 1
    )


def test_half_time_drums_strike_half_as_often() -> None:
    plain, half = (
        next(notes for (role, _), notes in in_second(developed(texture=t)).items() if role == "drums")
        for t in ("full", "half_time")
    )
    assert 0.3 <= len(half) / len(plain) <= 0.75


def test_players_come_in_and_the_band_grows_louder_as_the_energy_rises() -> None:
    rising = developed(energy=0.1, to_energy=0.9)
    halves = [
        [n for part in rising.score.parts for n in part.notes if start - 0.1 <= n.onset < start + 8 - 0.1]
        for start in (START, START + 8)
    ]
    assert len(halves[0]) < len(halves[1])
    loud = [sum(n.velocity for n in half) / len(half) for half in halves]
    assert loud[0] + 5 < loud[1]


def melody_of(composition: Composition) -> list[Note]:
    return [n for n in composition.sheet.melody if START <= n.onset < END]


def test_the_melody_changes_as_the_plan_says_and_stays_itself() -> None:
    plain = melody_of(developed())
    assert [n.pitch - 12 for n in melody_of(developed(variations=["octave_up"]))] == [n.pitch for n in plain]
    assert [n.pitch + 12 for n in melody_of(developed(variations=["octave_down"]))] == [n.pitch for n in plain]
    assert {n.onset for n in plain} <= {n.onset for n in melody_of(developed(variations=["ornament"]))}
    assert {n.onset for n in melody_of(developed(variations=["simplify"]))} <= {n.onset for n in plain}


def test_a_pick_up_sounds_before_the_section() -> None:
    def before(composition: Composition) -> list[Note]:
        return [n for n in composition.sheet.melody if START - 1.5 <= n.onset < START]

    led = developed(variations=["pickup"])
    assert len(before(led)) >= len(before(developed()))
    assert before(led)[-1].onset + before(led)[-1].duration <= START
    assert melody_of(led) == melody_of(developed())


def test_another_player_takes_the_melody_or_joins_it() -> None:
    handed = in_second(developed(variations=["handed_over"]))
    assert handed["melody", "Flute"] == []
    assert len(handed["melody", "Grand Piano"]) == len(melody_of(developed()))
    joined = in_second(developed(variations=["doubled"]))
    assert joined["melody", "Flute"]
    assert 0 < len(joined["melody", "Grand Piano"]) <= len(joined["melody", "Flute"])


def test_alone_nobody_can_take_the_melody_over() -> None:
    solo = developed(band=[{"role": "melody", "instrument": "piano"}], variations=["handed_over"])
    assert in_second(solo)["melody", "Grand Piano"]


def strong(notes: list[Note]) -> set[int]:
    """Pitch classes on the first beat of bars."""
    return {n.pitch % 12 for n in notes if (n.onset + 0.1) % 4 < 0.2}


def test_a_pedal_stays_in_the_bass() -> None:
    bass = next(notes for (role, _), notes in in_second(developed(variations=["pedal"])).items() if role == "bass")
    assert strong(bass) <= {0, 7}
    plain = next(notes for (role, _), notes in in_second(developed()).items() if role == "bass")
    assert strong(plain) - {0, 7}
