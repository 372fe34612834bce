"""The Standard MIDI File says what the score says."""

import io

import mido
import pytest

from musicgen.composer.composition import compose
from musicgen.composer.midi import key_signature, write_midi
from musicgen.notation import Key
from musicgen.options import GenerationOptions


def test_a_file_reads_back_with_tempo_key_metre_names_and_every_note() -> None:
    score = compose(GenerationOptions("waltz, 96 bpm, D minor", duration=20, seed=2)).score
    file = mido.MidiFile(file=io.BytesIO(write_midi(score, "Regentanz 雨")), charset="utf-8")
    conductor = {message.type: message for message in file.tracks[0]}
    assert file.type == 1
    assert mido.tempo2bpm(conductor["set_tempo"].tempo) == pytest.approx(96)
    assert (conductor["time_signature"].numerator, conductor["time_signature"].denominator) == (3, 4)
    assert conductor["key_signature"].key == "Dm"
    assert conductor["track_name"].name == "Regentanz 雨"
    assert file.length == pytest.approx(20, abs=0.01)
    for part, track in zip(score.parts, file.tracks[1:], strict=True):
        assert track.name == f"{part.name} ({part.role})"
        assert [m.program for m in track if m.type == "program_change"] == [part.program]
        assert sum(m.type == "note_on" for m in track) == len(part.notes)


def test_a_key_change_is_written_where_it_happens() -> None:
    told = {"name": "verse", "bars": 8}
    plan = {"key": "C major", "tempo": 120, "sections": [told, told | {"lift": 2}]}
    score = compose(GenerationOptions("pop song", duration=40, seed=2, plan=plan)).score
    conductor = mido.MidiFile(file=io.BytesIO(write_midi(score, "x"))).tracks[0]
    now, keys = 0, {}
    for message in conductor:
        now += message.time
        if message.type == "key_signature":
            keys[now] = message.key
    assert keys == {0: "C", 32 * 480: "D"}


def test_a_variation_of_a_sound_is_chosen_by_its_bank() -> None:
    score = compose(GenerationOptions("ukulele, happy", duration=20, seed=2)).score
    tracks = mido.MidiFile(file=io.BytesIO(write_midi(score, "x"))).tracks[1:]
    banks = {
        track.name.split(" (")[0]: [m.value for m in track if m.is_cc(0)] for track in tracks if "Ukulele" in track.name
    }
    assert banks == {"Ukulele": [8]}
    assert not any(m.is_cc(0) for track in tracks if "Ukulele" not in track.name for m in track)


def test_no_note_is_left_hanging() -> None:
    score = compose(GenerationOptions("funk", duration=30, seed=1)).score
    for track in mido.MidiFile(file=io.BytesIO(write_midi(score, "x"))).tracks:
        sounding: set[int] = set()
        for message in track:
            if message.type == "note_on":
                assert message.note not in sounding
                sounding.add(message.note)
            elif message.type == "note_off":
                sounding.discard(message.note)
        assert not sounding


def test_modes_are_written_by_the_signature_with_their_notes() -> None:
    assert key_signature(Key.parse("D dorian")) == "C"
    assert key_signature(Key.parse("G mixolydian")) == "C"
    assert key_signature(Key.parse("F# minor")) == "F#m"
    assert key_signature(Key.parse("Bb major")) == "Bb"
