"""Sections: every style at every length is laid out as a piece, each section grown out of the ones before it."""

import itertools
from collections.abc import Iterator

import pytest

from musicgen.composer.composition import decide
from musicgen.composer.development import EXITS, VARIATIONS, all_textures, usual_weights
from musicgen.composer.layout import LIFT_S
from musicgen.composer.plan import Plan
from musicgen.composer.progression import Progression
from musicgen.composer.section import Section, second_voice
from musicgen.composer.style_file import all_styles
from musicgen.options import GenerationOptions

STYLES = sorted(all_styles())
SEEDS = range(4)


def planned(style: str, duration: float, seed: int = 1, words: str = "", **asked: object) -> tuple[Plan, Progression]:
    prompt = f"{style.replace('_', ' ')}{words}"
    _, plan, progression = decide(GenerationOptions(prompt, duration=duration, seed=seed, **asked))  # type: ignore[arg-type]
    return plan, progression


def returns(plan: Plan) -> Iterator[tuple[Section, Section]]:
    """Pairs of a section and the next one of its name."""
    for name in {section.name for section in plan.sections}:
        yield from itertools.pairwise(section for section in plan.sections if section.name == name)


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("duration", [5.0, 15.0, 30.0, 60.0, 180.0, 300.0])
def test_sections_follow_one_another_and_say_only_what_can_be_played(style: str, duration: float) -> None:
    for seed in SEEDS:
        plan, progression = planned(style, duration, seed)
        roles = {chair.layer.role for chair in plan.band}
        for section, bars in zip(plan.sections, progression.sections, strict=True):
            assert len(bars) == section.bars
            assert section.bars >= 2 or plan.n_bars <= 3
            assert 0 <= section.energy <= 1
            assert 0 <= section.to_energy <= 1
            assert section.exit in EXITS
            assert set(section.variations) <= set(VARIATIONS)
            asked = all_textures()[section.texture].roles
            assert asked is None or roles & set(asked)
            weights = usual_weights() | dict(plan.style.develop)
            assert all(weights[name] > 0 for name in section.variations if name not in ("simplify", "ornament"))
            if {"handed_over", "doubled", "answered"} & set(section.variations):
                assert second_voice(plan.band) is not None
        for before, after in itertools.pairwise(plan.sections):
            assert after.first_bar == before.first_bar + before.bars


@pytest.mark.parametrize("style", STYLES)
def test_half_a_minute_has_two_energies_and_a_minute_a_contrast(style: str) -> None:
    for seed in SEEDS:
        for duration, least in ((30.0, 0.12), (60.0, 0.15)):
            plan, _ = planned(style, duration, seed)
            energies = [energy for section in plan.sections for energy in (section.energy, section.to_energy)]
            assert max(energies) - min(energies) >= least, (duration, seed)


@pytest.mark.parametrize("style", STYLES)
def test_sections_that_return_differ_and_grow(style: str) -> None:
    for seed in SEEDS:
        plan, _ = planned(style, 180.0, seed)
        for before, after in returns(plan):
            assert after.energy >= before.energy
            fresh = after.material != before.material
            assert (
                fresh or (after.variations, after.energy) != (before.variations, before.energy) or after.energy == 1.0
            )
        main = max((s for s in plan.sections if s.melody), key=lambda s: (s.energy, s.first_bar))
        assert main.first_bar >= 0.4 * plan.n_bars, "the last of the strong sections is the fullest"


@pytest.mark.parametrize("style", STYLES)
def test_five_seconds_close_with_a_cadence(style: str) -> None:
    for seed in SEEDS:
        plan, progression = planned(style, 5.0, seed)
        before = progression.sections[-1][-1][-1]
        assert progression.last.offset == 0
        assert before.offset != 0, "the last chord is led into by another one"
        assert any(section.melody for section in plan.sections)


def test_only_a_stronger_section_is_led_up_to() -> None:
    for style, seed in itertools.product(STYLES, SEEDS):
        plan, _ = planned(style, 180.0, seed)
        for before, after in itertools.pairwise(plan.sections):
            if before.exit in ("build", "breath"):
                assert after.energy > before.energy


def test_without_drums_nothing_waits_for_them() -> None:
    for seed in SEEDS:
        plan, _ = planned("rock", 120.0, seed, ", no drums")
        assert {section.exit for section in plan.sections} <= {"plain", "fill"}
        assert not {"half_time", "drums", "drums_and_bass"} & {section.texture for section in plan.sections}


def test_a_lift_comes_late_in_long_pieces_of_styles_that_have_it() -> None:
    lifted = [planned("gospel", 180.0, seed)[0] for seed in range(12)]
    lifted = [plan for plan in lifted if plan.sections[-1].lift]
    assert 3 <= len(lifted) <= 11
    for plan in lifted:
        lifts = [section.lift for section in plan.sections]
        assert lifts == sorted(lifts)
        assert lifts[0] == 0
        start = next(section.first_bar for section in plan.sections if section.lift)
        assert plan.n_bars / 2 <= start < plan.n_bars


@pytest.mark.parametrize(("style", "words", "asked"), [
    ("metal", "", {}), ("techno", "", {}), ("gospel", " in C major", {}), ("gospel", "", {"key": "C major"}),
])  # fmt: skip
def test_no_lift_where_the_style_has_none_or_the_key_is_asked_for(
    style: str, words: str, asked: dict[str, str]
) -> None:
    for seed in range(12):
        plan, _ = planned(style, 180.0, seed, words, **asked)
        assert not any(section.lift for section in plan.sections)


def test_short_pieces_are_not_lifted() -> None:
    assert not any(section.lift for seed in range(12) for section in planned("gospel", LIFT_S - 10, seed)[0].sections)


def test_endings_and_intros_belong_to_the_style() -> None:
    for style, seed in itertools.product(STYLES, SEEDS):
        plan, _ = planned(style, 60.0, seed)
        assert plan.close in plan.style.endings
    opening = {planned("funk", 60.0, seed)[0].sections[0].texture for seed in range(8)}
    assert opening & {"drums", "drums_and_bass"}


def test_solos_are_new_each_time_over_the_same_chords() -> None:
    plan, progression = planned("jazz", 180.0, tempo=150.0)
    solos = [i for i, section in enumerate(plan.sections) if section.name == "solo"]
    assert len({plan.sections[i].material for i in solos}) == len(solos) >= 2
    assert {plan.sections[i].harmony for i in solos} == {"head"}
    plain = [i for i in solos if not plan.sections[i].variations]
    heads = [progression.sections[i] for i, section in enumerate(plan.sections) if section.name == "head"]
    assert all(progression.sections[i] == heads[0] for i in plain)
