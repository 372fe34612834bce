"""Who plays: what the prompt names is heard, what it refuses is not."""

import pytest

from musicgen.composer.composition import compose
from musicgen.composer.score import Part
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
