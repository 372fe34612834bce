"""Melodies by the shipped network: what is asked for is kept, closes and breaths are there, requests do not disturb."""

from dataclasses import replace
from itertools import pairwise
from statistics import mean

import pytest

from musicgen.composer.chords import Chord
from musicgen.composer.learned_melody import BREATH, BREATH_BARS, can_write, write_learned_melodies
from musicgen.composer.melody import MelodyRequest
from musicgen.composer.score import Note
from musicgen.composer.style_file import all_styles
from musicgen.notation import Key, TimeSignature


def request(
    numerals: str, seed: str = "a", style: str = "pop", metre: str = "4/4", mode: str = "major"
) -> MelodyRequest:
    return MelodyRequest(
        style=all_styles()[style].melody,
        key=Key(9, mode),
        time_signature=TimeSignature.parse(metre),
        bars=tuple(tuple(Chord.parse(n) for n in bar.split()) for bar in numerals.split("|")),
        material="verse",
        centre=71,
        energy=0.6,
        seed=seed,
    )


LOOP = request("I | V | vi | IV | I | V | IV | I")
OTHERS = [
    request("I | vi | ii V | I | I | vi | ii V | I", style="jazz"),
    request("i | bVII | bVI | V", style="folk", metre="6/8", mode="minor"),
]


@pytest.fixture(scope="module")
def melodies() -> list[tuple[Note, ...]]:
    return write_learned_melodies([LOOP, *OTHERS])


def test_the_metres_it_learned_are_known() -> None:
    assert can_write(TimeSignature.parse("6/8"))
    assert not can_write(TimeSignature.parse("7/8"))


def test_each_request_gets_its_melody_within_its_bars(melodies: list[tuple[Note, ...]]) -> None:
    for asked, notes in zip([LOOP, *OTHERS], melodies, strict=True):
        length = len(asked.bars) * asked.time_signature.bar_quarters
        assert len(notes) > len(asked.bars)
        assert all(n.onset >= 0 and n.onset + n.duration <= length + 1e-6 and n.duration > 0 for n in notes)
        assert all(a.onset + a.duration <= b.onset + 1e-6 for a, b in pairwise(notes))
        assert abs(mean(n.pitch for n in notes) - asked.centre) <= 6.5


def test_a_melody_does_not_depend_on_the_others(melodies: list[tuple[Note, ...]]) -> None:
    assert write_learned_melodies([LOOP]) == melodies[:1]
    assert write_learned_melodies(OTHERS[::-1]) == melodies[:0:-1]


def test_seeds_give_different_melodies() -> None:
    one, other = write_learned_melodies([LOOP, replace(LOOP, seed="b")])
    assert one != other


def test_the_second_phrase_begins_as_the_first_where_the_chords_do(melodies: list[tuple[Note, ...]]) -> None:
    first, second = (
        [(n.onset - start, n.pitch) for n in melodies[0] if start <= n.onset < start + 8] for start in (0, 16)
    )
    assert first == second
    (answer,) = write_learned_melodies([request("I | V | vi | IV | ii | V | IV | I")])
    first, second = ([(n.onset - start, n.pitch) for n in answer if start <= n.onset < start + 8] for start in (0, 16))
    assert first != second


def test_long_notes_leave_a_breath() -> None:
    seeds = [replace(LOOP, seed=str(i)) for i in range(4)]
    for notes in write_learned_melodies(seeds):
        for note in notes:
            left = -(note.onset + note.duration) % (BREATH_BARS * 4)
            assert note.duration < 1 or not 1e-6 < BREATH - left < BREATH + 1e-6


def test_most_melodies_close_on_a_tone_of_the_last_chord() -> None:
    seeds = [replace(LOOP, seed=str(i)) for i in range(8)]
    tonic_triad = Chord.parse("I").pitch_classes(LOOP.key)
    closed = [notes[-1].pitch % 12 in tonic_triad for notes in write_learned_melodies(seeds)]
    assert mean(closed) >= 0.75


def test_what_is_denser_is_written_denser() -> None:
    seeds = [replace(LOOP, seed=str(i)) for i in range(4)]
    calm = [replace(r, style=replace(r.style, density=0.5)) for r in seeds]
    busy = [replace(r, style=replace(r.style, density=1.8)) for r in seeds]
    counts = [sum(len(notes) for notes in write_learned_melodies(requests)) for requests in (calm, busy)]
    assert counts[1] > 1.5 * counts[0]
