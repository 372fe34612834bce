"""Who plays: what the prompt names is heard, what it refuses is not."""

from random import Random

import pytest

from musicgen.composer.brief import understand
from musicgen.composer.casting import cast_band, seat
from musicgen.composer.composition import compose
from musicgen.composer.instruments import all_instruments
from musicgen.composer.lexicon import read_lexicon
from musicgen.composer.score import Part
from musicgen.composer.style_file import all_styles
from musicgen.options import GenerationOptions


def parts_for(prompt: str, seed: int = 1) -> tuple[Part, ...]:
    return compose(GenerationOptions(prompt=prompt, duration=40, seed=seed)).score.parts


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("prompt", "program"),
    [
        ("rock with a flute", 73),
        ("lofi with vibraphone", 11),
        ("techno with violin", 40),
        ("jazz with trombone", 57),
        ("ambient with choir", 52),
        ("pop song with slap bass", 36),
        ("film score with choir", 52),
    ],
)
def test_a_named_instrument_plays(prompt: str, program: int, seed: int) -> None:
    assert any(part.program == program and part.bank == 0 and part.notes for part in parts_for(prompt, seed))


@pytest.mark.parametrize("seed", range(3))
def test_refused_instruments_do_not_play(seed: int) -> None:
    assert not any(part.role == "drums" for part in parts_for("rock without drums", seed))
    assert not any(part.program in range(24, 32) and part.bank == 0 for part in parts_for("rock, no guitars", seed))
    assert not any(part.role == "bass" for part in parts_for("funk, no bass", seed))


@pytest.mark.parametrize("seed", range(3))
def test_refusing_an_instrument_refuses_its_kinds(seed: int) -> None:
    organs, pianos = {16, 18}, {0, 4, 5}
    assert not any(part.program in organs and part.bank == 0 for part in parts_for("blues, no organ", seed))
    assert not any(part.program in pianos and part.bank == 0 for part in parts_for("lofi without piano", seed))
    kept = parts_for("soul with electric piano, no organ", seed)
    assert any(part.program == 4 and part.bank == 0 for part in kept)


def test_solo_piano_is_piano_alone() -> None:
    parts = parts_for("solo piano, melancholic")
    assert {(part.bank, part.program) for part in parts} == {(0, 0)}
    assert "melody" in {part.role for part in parts}


def test_drums_can_be_added_to_a_style_that_has_none() -> None:
    assert any(part.role == "drums" for part in parts_for("ambient with drums"))


@pytest.mark.parametrize(
    ("prompt", "played"),
    [
        ("banjo and harmonica bluegrass", {(0, 105), (0, 22)}),
        ("orchestral with timpani and french horn", {(0, 47), (0, 60)}),
        ("kalimba and marimba", {(0, 108), (0, 12)}),
        ("ukulele and whistling, happy", {(8, 24), (0, 78)}),
        ("trailer with taiko", {(128, 48)}),
    ],
)
def test_rarer_instruments_play_too(prompt: str, played: set[tuple[int, int]]) -> None:
    assert played <= {(part.bank, part.program) for part in parts_for(prompt) if part.notes}


def test_every_sampled_instrument_gets_a_chair_when_it_is_named() -> None:
    words: dict[str, str] = {}
    for phrase, word in read_lexicon():
        if word.language == "en" and len(word.entry.instruments) == 1 and not (word.entry.missing or word.entry.role):
            words.setdefault(word.entry.instruments[0], phrase)
    style = all_styles()["pop"]
    for name, instrument in all_instruments().items():
        if instrument.voice is None:
            brief = understand(GenerationOptions(f"pop with {words[name]}"), {"pop": ["pop"]})
            assert name in brief.wanted, words[name]
            chairs = [chair for chair in cast_band(style, brief, Random(1)) if chair.instrument is instrument]
            assert chairs, name
            assert all(chair.layer.enters <= 0.25 and chair.layer.gain_db >= -5 for chair in chairs), name


def test_timpani_play_beside_the_bass_and_not_instead() -> None:
    basses = {part.program: part for part in parts_for("pop song with timpani") if part.role == "bass"}
    assert len(basses) == 2
    timpani = basses.pop(47)
    (bass,) = basses.values()
    assert 0 < len(timpani.notes) < len(bass.notes) / 2


@pytest.mark.parametrize("name", ["glockenspiel", "baritone_sax", "timpani", "harp"])
def test_a_layer_moves_to_where_its_player_has_room(name: str) -> None:
    instrument, layer = all_instruments()[name], all_styles()["jazz"].layers[0]
    centre = seat(layer, instrument).layer.centre
    assert instrument.lowest + 8 <= centre <= instrument.highest - 8
    assert centre == layer.centre or not instrument.lowest + 8 <= layer.centre <= instrument.highest - 8
