"""Who plays: what the prompt names is heard, what it refuses is not."""

from functools import cache
from random import Random

import pytest

from musicgen.composer.brief import understand
from musicgen.composer.casting import Chair, cast_band
from musicgen.composer.composition import compose
from musicgen.composer.instruments import all_instruments
from musicgen.composer.lexicon import read_lexicon
from musicgen.composer.score import Part
from musicgen.composer.style_file import all_styles
from musicgen.options import GenerationOptions


@cache
def parts_for(prompt: str, seed: int = 1) -> tuple[Part, ...]:
    return compose(GenerationOptions(prompt=prompt, duration=24, seed=seed)).score.parts


@pytest.mark.parametrize("seed", range(2))
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


def band_of(prompt: str, tempo: float = 110.0, seed: int = 1) -> dict[str, str]:
    """Cast a band; its instruments by role."""
    words = {name: style.words for name, style in all_styles().items()}
    brief = understand(GenerationOptions(prompt), words)
    chairs = cast_band(all_styles()[brief.style or "pop"], brief, tempo, Random(seed))
    return {chair.layer.role: chair.instrument.name for chair in chairs}


@pytest.mark.parametrize("seed", range(4))
def test_a_refused_beat_or_bass_is_replaced_by_the_nearest(seed: int) -> None:
    plain, others = (band_of(prompt, seed=seed) for prompt in ("trap", "trap, no 808s"))
    assert (plain["bass"], plain["drums"]) == ("bass_808", "tr808")
    assert (others["bass"], others["drums"]) == ("sine_sub", "electronic_drums")
    assert band_of("hip hop", seed=seed)["drums"] == "tr808"
    assert band_of("hip hop without 808s", seed=seed)["drums"] == "electronic_drums"
    assert band_of("waltz, no brushes", seed=seed)["drums"] == "drums"
    assert not {"bass", "drums"} & set(band_of("trap without drums or bass", seed=seed))
    assert "drums" not in band_of("trap, no 808s, no drums", seed=seed)


def test_stand_ins_can_take_the_chair() -> None:
    instruments = all_instruments()
    for instrument in instruments.values():
        if instrument.stand_in:
            other = instruments[instrument.stand_in]
            assert other is not instrument and other.roles[0] == instrument.roles[0], instrument.name


@pytest.mark.parametrize("seed", range(6))
def test_ballads_are_played_with_brushes(seed: int) -> None:
    assert band_of("jazz", tempo=70.0, seed=seed)["drums"] == "brush_drums"
    assert band_of("very calm jazz", seed=seed)["drums"] == "brush_drums"
    assert band_of("slow rock", tempo=70.0, seed=seed)["drums"] == "drums"


def test_faster_jazz_is_played_with_sticks_too() -> None:
    assert {band_of("jazz", seed=seed)["drums"] for seed in range(8)} == {"brush_drums", "drums"}


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
            chairs = [chair for chair in cast_band(style, brief, 110.0, Random(1)) if chair.instrument is instrument]
            assert chairs, name
            assert all(chair.layer.enters <= 0.25 and chair.layer.gain_db >= -9 for chair in chairs), name


def test_timpani_play_beside_the_bass_and_not_instead() -> None:
    basses = {part.program: part for part in parts_for("pop song with timpani") if part.role == "bass"}
    assert len(basses) == 2
    timpani = basses.pop(47)
    (bass,) = basses.values()
    assert 0 < len(timpani.notes) < len(bass.notes) / 2


@pytest.mark.parametrize("name", ["glockenspiel", "baritone_sax", "timpani", "harp"])
def test_a_layer_moves_to_where_its_player_has_room(name: str) -> None:
    instrument, layer = all_instruments()[name], all_styles()["jazz"].layers[0]
    centre = Chair(layer, instrument).centre
    assert instrument.lowest + 8 <= centre <= instrument.highest - 8
    assert centre == layer.centre or not instrument.lowest + 8 <= layer.centre <= instrument.highest - 8


def test_an_ensemble_plays_alone_but_for_those_that_the_prompt_adds() -> None:
    assert {part.program for part in parts_for("string quartet in G minor")} <= {40, 41, 42}
    assert {46, 42} <= {part.program for part in parts_for("string quartet with harp")} <= {40, 41, 42, 46}
    assert not any(part.bank == 128 for part in parts_for("Streichquartett, langsam"))
