"""Stems add up to the mix before tape, crackle and mastering."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from musicgen.composer.card import SOUND_FONT
from musicgen.composer.composition import compose
from musicgen.composer.score import Score
from musicgen.composer.sound.articulation import SAMPLE_RATE
from musicgen.composer.sound.mixing import finish, render_score, sum_parts
from musicgen.composer.sound.sampler import Sampler
from musicgen.composer.sound.stems import STEM_PEAK, render_stems, stem_names
from musicgen.options import GenerationOptions
from musicgen.waveform import Waveform


@pytest.fixture(scope="module")
def sampler() -> Sampler:
    return Sampler(SOUND_FONT)


def score_for(prompt: str) -> Score:
    return compose(GenerationOptions(prompt, duration=8.0, seed=2)).score


def relative_error_db(stems: dict[str, Waveform], mix: NDArray[np.float32]) -> float:
    """Level of what is left when the sum of the stems, brought to the level of the mix, is taken from it."""
    total = sum(stem.samples.astype(np.float64) for stem in stems.values())
    gain = np.vdot(total, mix) / np.vdot(total, total)
    return float(20 * np.log10(np.abs(gain * total - mix).max() / np.abs(mix).max()))


@pytest.mark.parametrize("prompt", ["pop song", "house", "lofi"])
def test_stems_add_up_to_the_mix_before_tape_and_mastering(sampler: Sampler, prompt: str) -> None:
    score = score_for(prompt)
    stems = render_stems(score, sampler, lambda done: None)
    with ThreadPoolExecutor() as workers:
        n = round(score.duration_s * SAMPLE_RATE)
        mix = sum_parts(score, score.parts, sampler, n, workers, lambda done: None)
        finish(mix, score.mix, workers)
    assert list(stems) == stem_names(score)
    assert relative_error_db(stems, mix) < -60


def test_without_tape_they_add_up_to_what_is_mastered(sampler: Sampler) -> None:
    score = score_for("house")
    assert score.mix.sidechain_db and not score.mix.tape and score.mix.crackle_db is None
    mix = render_score(score, sampler, 2, lambda done: None).samples
    assert relative_error_db(render_stems(score, sampler, lambda done: None), mix) < -60


def test_one_gain_keeps_the_stems_below_full_scale_and_in_balance(sampler: Sampler) -> None:
    stems = render_stems(score_for("rock"), sampler, lambda done: None)
    assert max(np.abs(stem.samples).max() for stem in stems.values()) == pytest.approx(STEM_PEAK)
    assert len({stem.n_samples for stem in stems.values()}) == 1


def test_stems_of_one_role_are_numbered() -> None:
    score = score_for("rock")
    doubled = replace(score, parts=(*score.parts, score.parts[0]))
    assert stem_names(doubled)[-1] == f"{score.parts[0].role}-2"
    assert len(set(stem_names(doubled))) == len(doubled.parts)
