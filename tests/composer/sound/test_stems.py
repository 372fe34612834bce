"""Stems add up to the mix before tape, crackle and mastering."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from musicgen.composer.card import SOUND_FONTS
from musicgen.composer.composition import compose
from musicgen.composer.score import Score
from musicgen.composer.sound.articulation import SAMPLE_RATE
from musicgen.composer.sound.mixing import Band, finished, in_room, peak_of
from musicgen.composer.sound.sampler import Sampler
from musicgen.composer.sound.stems import SUM_PEAK, render_stems, stem_names
from musicgen.errors import GenerationCancelled
from musicgen.options import GenerationOptions
from musicgen.waveform import Waveform


@pytest.fixture(scope="module")
def sampler() -> Sampler:
    return Sampler(SOUND_FONTS)


def score_for(prompt: str) -> Score:
    return compose(GenerationOptions(prompt, duration=8.0, seed=2)).score


def stems_of(score: Score, sampler: Sampler, mix_peak: float = 1.0) -> dict[str, Waveform]:
    return dict(render_stems(score, sampler, mix_peak, lambda: None))


def sums_of(score: Score, sampler: Sampler) -> list[NDArray[np.float32]]:
    band = Band(score, score.parts, sampler)
    return list(in_room(band.play(band.windows), score.mix.reverb_s))


def relative_error_db(stems: dict[str, Waveform], mix: NDArray[np.float32]) -> float:
    """Level of what is left when the sum of the stems, brought to the level of the mix, is taken from it."""
    total = sum(stem.samples.astype(np.float64) for stem in stems.values())
    gain = np.vdot(total, mix) / np.vdot(total, total)
    return float(20 * np.log10(np.abs(gain * total - mix).max() / np.abs(mix).max()))


@pytest.mark.parametrize("prompt", ["pop song", "house", "lofi"])
def test_stems_add_up_to_the_mix_before_tape_and_mastering(sampler: Sampler, prompt: str) -> None:
    score = score_for(prompt)
    stems = stems_of(score, sampler)
    mix = np.concatenate(list(finished(sums_of(score, sampler), score.mix, round(score.duration_s * SAMPLE_RATE))), 1)
    assert list(stems) == stem_names(score)
    assert relative_error_db(stems, mix) < -60


@pytest.mark.parametrize("prompt", ["rock", "lofi"])
def test_one_gain_keeps_the_stems_and_their_sum_below_full_scale(sampler: Sampler, prompt: str) -> None:
    score = score_for(prompt)
    stems = stems_of(score, sampler, peak_of(sums_of(score, sampler)))
    total = np.abs(np.sum([stem.samples for stem in stems.values()], axis=0)).max()
    # The tone of the whole changes peaks a little.
    assert total == pytest.approx(SUM_PEAK, rel=0.2)
    assert max(np.abs(stem.samples).max() for stem in stems.values()) < 1
    assert len({stem.n_samples for stem in stems.values()}) == 1


def test_stems_are_made_one_after_the_other_and_can_be_cancelled(sampler: Sampler) -> None:
    calls = 0

    def cancel_later() -> None:
        nonlocal calls
        calls += 1
        if len(made) == 2:
            raise GenerationCancelled("enough")

    made: list[str] = []
    with pytest.raises(GenerationCancelled):
        for name, _stem in render_stems(score_for("rock"), sampler, 1.0, cancel_later):
            made.append(name)
    assert made == stem_names(score_for("rock"))[:2]
    assert calls > 2


def test_stems_of_one_role_are_numbered() -> None:
    score = score_for("rock")
    doubled = replace(score, parts=(*score.parts, score.parts[0]))
    assert stem_names(doubled)[-1] == f"{score.parts[0].role}-2"
    assert len(set(stem_names(doubled))) == len(doubled.parts)
