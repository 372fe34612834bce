"""Longer versions: the original's opening stays note for note, and the music goes on to the new duration."""

import json
from dataclasses import replace
from typing import Any

import pytest

from musicgen.composer.composition import Composition, compose
from musicgen.composer.plan_document import write_document
from musicgen.composer.score import Note
from musicgen.errors import InvalidOptions
from musicgen.options import GenerationOptions


def plan_of(composition: Composition) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(json.dumps(write_document(composition.plan, composition.progression)))
    return document


def notes_before(notes: tuple[Note, ...], end: float) -> list[Note]:
    # A note that ends where the cut is may have been shortened or prolonged by what follows.
    return [note for note in notes if note.onset + note.duration < end]


@pytest.mark.parametrize(
    ("prompt", "duration", "longer"),
    [
        ("pop song", 60.0, 150.0),
        ("pop song", 120.0, 128.0),
        ("jazz swing", 30.0, 47.0),
        ("jazz swing", 60.0, 150.0),
        ("house", 30.0, 47.0),
        ("house", 120.0, 128.0),
        ("cinematic", 60.0, 150.0),
        ("solo piano", 30.0, 47.0),
        ("solo piano", 120.0, 128.0),
        ("blues", 60.0, 150.0),
    ],
)
def test_the_opening_stays_note_for_note(prompt: str, duration: float, longer: float) -> None:
    options = GenerationOptions(prompt, duration=duration, seed=6)
    original = compose(options)
    extended = compose(replace(options, duration=longer, extends=plan_of(original)))
    cut = original.plan.sections[-1].first_bar * original.plan.time_signature.bar_quarters
    assert (extended.plan.tempo, extended.plan.key) == (original.plan.tempo, original.plan.key)
    assert extended.plan.duration_s == longer
    assert extended.plan.sections[: len(original.plan.sections) - 1] == original.plan.sections[:-1]
    assert extended.plan.n_bars > original.plan.n_bars
    assert notes_before(extended.sheet.melody, cut) == notes_before(original.sheet.melody, cut)
    parts = {part.name + part.role: part for part in extended.score.parts}
    for part in original.score.parts:
        assert notes_before(parts[part.name + part.role].notes, cut) == notes_before(part.notes, cut), part.role


def test_an_extension_ends_at_home_and_can_be_sent_as_a_plan() -> None:
    options = GenerationOptions("pop song", duration=40.0, seed=6)
    original = compose(options)
    extended = compose(replace(options, duration=100.0, extends=plan_of(original)))
    assert extended.sheet.chords[-1].chord == original.sheet.chords[-1].chord
    assert extended.progression.sections[-1][-1] == original.progression.sections[-1][-1]
    assert compose(replace(options, plan=plan_of(extended))) == extended


def test_no_room_for_another_bar_is_said() -> None:
    options = GenerationOptions("pop song", duration=40.0, seed=6)
    with pytest.raises(InvalidOptions, match="no room for another bar"):
        compose(replace(options, duration=40.1, extends=plan_of(compose(options))))
