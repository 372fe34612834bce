"""The plan: tempo and key as asked, bars that end in time for the last chord to ring."""

import itertools

import numpy as np
import pytest

from musicgen.composer.brief import understand
from musicgen.composer.plan import RING_MIN_S, Plan, make_plan
from musicgen.composer.style_file import all_styles
from musicgen.notation import Key, TimeSignature
from musicgen.options import GenerationOptions


def plan_for(prompt: str, duration: float = 30.0, seed: int = 1, **asked: object) -> Plan:
    options = GenerationOptions(prompt=prompt, duration=duration, seed=seed, **asked)  # type: ignore[arg-type]
    brief = understand(options, {name: style.words for name, style in all_styles().items()})
    return make_plan(brief, duration, f"{seed}/{prompt}")


def ring_s(plan: Plan) -> float:
    return plan.duration_s - plan.ending * 60 / plan.tempo


@pytest.mark.parametrize("tempo", [40.0, 61.5, 80.0, 93.7, 120.0, 174.0, 240.0])
@pytest.mark.parametrize("duration", [5.0, 7.3, 30.0, 285.0])
@pytest.mark.parametrize("time_signature", ["4/4", "3/4", "6/8", "5/4", "7/8", "12/8"])
def test_an_asked_tempo_is_exact_and_the_last_chord_rings(tempo: float, duration: float, time_signature: str) -> None:
    plan = plan_for("pop song", duration, tempo=tempo, time_signature=time_signature)
    beat_s = 4 / plan.time_signature.unit * 60 / tempo
    assert plan.tempo == tempo
    assert RING_MIN_S - 1e-9 <= ring_s(plan) <= 4.6 + beat_s
    assert plan.ending > 0


@pytest.mark.parametrize("style", sorted(all_styles()))
@pytest.mark.parametrize("duration", [5.0, 12.0, 30.0, 61.0, 180.0, 300.0])
def test_every_style_plans_every_length(style: str, duration: float) -> None:
    plan = plan_for(style.replace("_", " "), duration)
    low, high = plan.style.tempo
    assert plan.style.name == style
    assert low <= plan.tempo <= high
    assert ring_s(plan) >= RING_MIN_S
    assert plan.n_bars == sum(section.bars for section in plan.sections) > 0
    assert plan.sections[0].first_bar == 0
    for before, after in itertools.pairwise(plan.sections):
        assert after.first_bar == before.first_bar + before.bars
    assert any(section.melody for section in plan.sections)


def test_tempo_and_key_are_read_from_the_prompt() -> None:
    plan = plan_for("house, 124 bpm, F# minor")
    assert (plan.tempo, plan.key) == (124.0, Key(6, "minor"))


def test_explicit_options_win_over_the_prompt() -> None:
    plan = plan_for("waltz at 90 bpm in C major", tempo=100.0, key="D dorian", time_signature="4/4")
    assert (plan.tempo, plan.key, plan.time_signature) == (100.0, Key(2, "dorian"), TimeSignature(4, 4))


def test_keys_differ_from_seed_to_seed_and_equal_seeds_agree() -> None:
    keys = {plan_for("pop song", seed=seed).key for seed in range(20)}
    assert len(keys) >= 5
    assert plan_for("pop song", seed=3) == plan_for("pop song", seed=3)


def test_sad_is_minor_and_happy_is_major_more_often_than_not() -> None:
    def majors(prompt: str) -> int:
        return sum(plan_for(prompt, seed=seed).key.mode == "major" for seed in range(20))

    assert majors("happy cheerful pop song") >= 16
    assert majors("sad melancholic pop song") <= 6


def test_energy_words_move_the_sections() -> None:
    def energy(prompt: str) -> float:
        plan = plan_for(prompt, 60)
        return sum(section.energy * section.bars for section in plan.sections) / plan.n_bars

    assert energy("calm gentle pop ballad") + 0.1 < energy("energetic powerful pop anthem")


def test_energy_goes_from_a_sections_beginning_to_its_end() -> None:
    plan = plan_for("deep house club track", 285)
    quarters = plan.time_signature.bar_quarters
    starts = np.array([section.first_bar * quarters for section in plan.sections])
    middles = starts + np.array([section.bars for section in plan.sections]) * quarters / 2
    assert list(plan.energies_at(starts)) == [section.energy for section in plan.sections]
    assert list(plan.energies_at(middles)) == pytest.approx([(s.energy + s.to_energy) / 2 for s in plan.sections])
    ends = plan.energies_at(np.array([plan.ending + 100, 0.0]))
    assert list(ends) == [plan.sections[-1].to_energy, plan.sections[0].energy]
