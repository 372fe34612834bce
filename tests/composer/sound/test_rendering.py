"""A score as a stream: its length, its level, its progress, the same bits always, and how it is cut short."""

import os
import threading
from dataclasses import replace

import numpy as np
import pyloudnorm
import pytest
from numpy.typing import NDArray

from musicgen.composer.card import SOUND_FONTS
from musicgen.composer.composition import compose
from musicgen.composer.score import MixSettings, Score
from musicgen.composer.sound import sound_check
from musicgen.composer.sound.articulation import SAMPLE_RATE
from musicgen.composer.sound.rendering import TrackAudio
from musicgen.composer.sound.sampler import Sampler
from musicgen.options import GenerationOptions


@pytest.fixture(scope="module")
def sampler() -> Sampler:
    return Sampler(SOUND_FONTS)


def score_for(prompt: str, duration: float) -> Score:
    return compose(GenerationOptions(prompt, duration=duration, seed=3)).score


def render(score: Score, sampler: Sampler, seed: int = 1) -> NDArray[np.float32]:
    return np.concatenate(list(TrackAudio(score, sampler, seed).blocks(lambda share: None)), axis=1)


@pytest.mark.parametrize("duration_s", [5.0, 5.00001, 7.777777])
def test_a_track_is_as_long_as_asked_to_the_sample(sampler: Sampler, duration_s: float) -> None:
    score = replace(score_for("pop", 6), duration_s=duration_s)
    audio = TrackAudio(score, sampler, 1)
    blocks = list(audio.blocks(lambda share: None))
    assert {block.dtype for block in blocks} == {np.dtype(np.float32)}
    assert sum(block.shape[1] for block in blocks) == audio.n_samples == round(duration_s * SAMPLE_RATE)


@pytest.mark.parametrize("prompt", ["pop song, full band", "solo piano ballad", "lofi hip hop"])
def test_a_piece_of_which_only_excerpts_were_heard_before_is_as_loud_as_wanted(
    sampler: Sampler, prompt: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sound_check, "HEARD_WHOLE", 1)
    samples = render(score_for(prompt, 60), sampler)
    loudness = pyloudnorm.Meter(SAMPLE_RATE).integrated_loudness(samples.T.astype(np.float64))
    assert loudness == pytest.approx(-14, abs=0.3)


def test_the_meter_has_heard_the_track_and_the_peak_is_that_of_the_sum(sampler: Sampler) -> None:
    audio = TrackAudio(score_for("disco", 8), sampler, 1)
    samples = np.concatenate(list(audio.blocks(lambda share: None)), axis=1)
    loudness = pyloudnorm.Meter(SAMPLE_RATE, filter_class="DeMan").integrated_loudness(samples.T.astype(np.float64))
    assert audio.meter.integrated_loudness() == pytest.approx(loudness, abs=0.01)
    assert audio.sum_peak > 0


def test_the_bits_are_the_same_on_one_thread_and_on_several_cold_and_warm(
    sampler: Sampler, monkeypatch: pytest.MonkeyPatch
) -> None:
    score = replace(score_for("lofi hip hop", 20), mix=MixSettings(tape=0.5, crackle_db=-45, sidechain_db=6))
    first = render(score, Sampler(SOUND_FONTS))
    render(score_for("jazz trio", 8), sampler)
    assert np.array_equal(render(score, sampler), first)
    assert np.array_equal(render(score, sampler), first)
    assert np.array_equal(render(score, Sampler(SOUND_FONTS, budget_bytes=1_000_000)), first)
    for n_workers in (1, 2, 5):
        monkeypatch.setattr(os, "cpu_count", lambda n=n_workers: n)
        assert np.array_equal(render(score, sampler), first)


def test_progress_rises_to_one(sampler: Sampler) -> None:
    shares: list[float] = []
    list(TrackAudio(score_for("rock", 12), sampler, 1).blocks(shares.append))
    assert shares == sorted(shares)
    assert len(shares) > 8
    assert shares[-1] == 1.0


@pytest.mark.parametrize("at", [0.05, 0.5])
def test_a_cancelled_rendering_leaves_no_threads_and_a_working_sampler(sampler: Sampler, at: float) -> None:
    class Cancelled(Exception):
        pass

    def cancel(share: float) -> None:
        if share > at:
            raise Cancelled

    score = score_for("rock", 12)
    expected = render(score, sampler)
    before = threading.active_count()
    with pytest.raises(Cancelled):
        list(TrackAudio(score, sampler, 1).blocks(cancel))
    assert threading.active_count() == before
    assert np.array_equal(render(score, sampler), expected)


def test_a_stream_that_is_left_alone_leaves_no_threads(sampler: Sampler) -> None:
    before = threading.active_count()
    blocks = TrackAudio(score_for("rock", 12), sampler, 1).blocks(lambda share: None)
    next(blocks)
    del blocks
    assert threading.active_count() == before
