"""Variation of melodies: recognisable, within its time, in the scale."""

import random

import pytest

from musicgen.composer.chords import Chord
from musicgen.composer.score import Note
from musicgen.composer.variation import lead_in, ornament, scale_step, settle, simplify, to_chord, transpose
from musicgen.notation import Key

C = Key(0, "major")
TUNE = [
    Note(0.0, 1.0, 60, 90), Note(1.0, 0.5, 64, 84), Note(1.5, 0.5, 65, 80), Note(2.0, 2.0, 67, 90),
    Note(4.0, 1.0, 64, 90), Note(5.0, 1.0, 62, 88), Note(6.0, 2.0, 60, 90),
]  # fmt: skip


def sounding(notes: list[Note]) -> float:
    return sum(note.duration for note in notes)


@pytest.mark.parametrize("seed", range(10))
def test_ornaments_keep_the_onsets_the_time_and_the_scale(seed: int) -> None:
    varied = ornament(TUNE, C, 1.0, random.Random(seed))
    assert {note.onset for note in TUNE} < {note.onset for note in varied}
    assert sounding(varied) == pytest.approx(sounding(TUNE))
    assert all(note.pitch % 12 in C.scale for note in varied)
    assert varied[-1] == TUNE[-1], "the phrase still comes to rest"


def test_no_ornaments_change_nothing() -> None:
    assert ornament(TUNE, C, 0.0, random.Random(1)) == TUNE


def test_a_third_is_filled_by_the_tone_between() -> None:
    varied = ornament([Note(0, 1, 60, 90), Note(1, 1, 64, 90), Note(2, 1, 64, 90)], C, 1.0, random.Random(1))
    assert [note.pitch for note in varied][:3] == [60, 62, 64]


def test_simple_melodies_keep_what_stands_on_the_beat() -> None:
    plain = simplify(TUNE)
    assert [note.onset for note in plain] == [0.0, 1.0, 2.0, 4.0, 5.0, 6.0]
    assert sounding(plain) == pytest.approx(sounding(TUNE))


def test_transposed_notes_move_together() -> None:
    assert [note.pitch for note in transpose(TUNE, -12)] == [note.pitch - 12 for note in TUNE]


@pytest.mark.parametrize("seed", range(10))
def test_a_pick_up_leads_by_step_to_the_first_note_and_leaves_the_one_before_room(seed: int) -> None:
    before, first = Note(6.0, 2.0, 60, 90), Note(8.0, 1.0, 67, 90)
    notes = lead_in(first, before, C, 8.0, random.Random(seed))
    assert 2 <= len(notes) <= 3
    assert notes[0].onset > before.onset
    assert notes[-1].onset + notes[-1].duration == 8.0
    assert scale_step(notes[-1].pitch, C, 1) == 67 or scale_step(notes[-1].pitch, C, -1) == 67


def test_there_is_no_pick_up_without_room() -> None:
    assert lead_in(Note(8.0, 1.0, 67, 90), Note(7.75, 0.25, 60, 90), C, 8.0, random.Random(1)) == []


def test_notes_settle_where_they_rub() -> None:
    f = Chord.parse("IV")
    assert settle(Note(0, 1, 69, 90), f, C).pitch == 69
    assert settle(Note(0, 0.5, 71, 90), f, C).pitch == 71, "passing"
    assert settle(Note(0, 2, 74, 90), f, C).pitch == 74, "a sixth above the root rubs against nothing"
    assert settle(Note(0, 2, 65, 90), Chord.parse("I"), C).pitch in (64, 67), "a fourth over a major third"
    assert settle(Note(0, 0.5, 64, 90), Chord.parse("#IV"), C).pitch % 12 in (6, 10, 1), "foreign chords pull all"
    assert to_chord(Note(0, 1, 62, 90), Chord.parse("I"), C).pitch in (60, 64)
