"""Melodies by rule: they fit their chords, return, come to rest, and depend on the request alone."""

from dataclasses import replace
from itertools import pairwise
from statistics import mean

from musicgen.composer.chords import Chord
from musicgen.composer.melody import RANGE, MelodyRequest, distance_from_songs, onset_velocity, write_melody
from musicgen.composer.score import Note
from musicgen.composer.style_file import all_styles
from musicgen.notation import Key, TimeSignature

FOUR_FOUR = TimeSignature.parse("4/4")
CHORDS = ("I", "V", "vi IV", "V", "I", "V", "IV V", "I")
LOOP = MelodyRequest(
    style=all_styles()["pop"].melody,
    key=Key(2, "major"),
    time_signature=FOUR_FOUR,
    bars=tuple(tuple(Chord.parse(n) for n in bar.split()) for bar in CHORDS),
    material="verse",
    centre=71,
    energy=0.6,
    seed="a",
)
TAKES = [replace(LOOP, seed=str(i)) for i in range(8)]


def test_the_chord_of_every_place_is_known() -> None:
    names = [LOOP.chord_at(onset).numeral for onset in (0, 3.99, 4, 8, 9.99, 10, 31.9, 40)]
    assert names == ["I", "I", "V", "vi", "vi", "IV", "I", "I"]


def test_equal_requests_give_equal_melodies_and_other_seeds_others() -> None:
    assert write_melody(LOOP) == write_melody(LOOP)
    assert write_melody(LOOP) != write_melody(TAKES[0])


def test_notes_follow_one_another_around_the_centre() -> None:
    for take in TAKES:
        notes = write_melody(take)
        assert all(a.onset + a.duration <= b.onset + 1e-6 for a, b in pairwise(notes))
        assert all(abs(n.pitch - take.centre) <= RANGE + 3 for n in notes)
        assert notes[-1].onset + notes[-1].duration <= 32


def test_notes_on_the_beat_mostly_belong_to_the_chord() -> None:
    on_beat = [(take, n) for take in TAKES for n in write_melody(take) if n.onset % 1 == 0]
    shares = [n.pitch % 12 in take.chord_at(n.onset).pitch_classes(take.key) for take, n in on_beat]
    assert 0.66 <= mean(shares) <= 0.95


def test_the_last_note_rests_on_the_tonic() -> None:
    assert mean(write_melody(take)[-1].pitch % 12 == LOOP.key.tonic for take in TAKES) >= 0.75


def test_energy_makes_it_denser() -> None:
    calm, wild = (sum(len(write_melody(replace(t, energy=energy))) for t in TAKES) for energy in (0.1, 1.0))
    assert wild > 1.2 * calm


def test_a_melody_of_one_pitch_is_far_from_songs() -> None:
    drone = [Note(i / 2, 0.5, 62, 90) for i in range(64)]
    assert distance_from_songs(drone, LOOP) > distance_from_songs(write_melody(LOOP), LOOP) + 0.5


def test_the_beat_is_struck_harder() -> None:
    assert onset_velocity(0, FOUR_FOUR) > onset_velocity(1, FOUR_FOUR) > onset_velocity(1.25, FOUR_FOUR)
