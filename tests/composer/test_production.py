"""Words for a sound and for a time are heard: what they change in a mix, and in rendered music."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from musicgen.composer.brief import Brief, understand
from musicgen.composer.card import SOUND_FONTS
from musicgen.composer.composition import compose, understood
from musicgen.composer.production import _table, changes, produce
from musicgen.composer.score import MixSettings, Score
from musicgen.composer.sound.rendering import TrackAudio
from musicgen.composer.sound.sampler import Sampler
from musicgen.composer.style_file import _MixSchema, all_styles
from musicgen.options import GenerationOptions

SAMPLE_RATE = 44_100


def brief_of(prompt: str) -> Brief:
    words = {name: style.words for name, style in all_styles().items()}
    return understand(GenerationOptions(prompt, duration=6.0, seed=1), words)


def mix_for(words: str, style: str = "pop") -> MixSettings:
    return produce(all_styles()[style].mix, brief_of(f"{words} {style}"))


@cache
def score() -> Score:
    return compose(GenerationOptions("pop", duration=6.0, seed=1)).score


@cache
def heard(words: str) -> NDArray[np.float32]:
    """Play one score with the mix that a prompt asks for; (2, n) float32, mastered."""
    piece = replace(score(), mix=mix_for(words))
    audio = TrackAudio(piece, Sampler(SOUND_FONTS), 1)
    return np.concatenate(list(audio.blocks(lambda share: None)), axis=1)


def centroid_hz(samples: NDArray[np.float32]) -> float:
    power = np.abs(np.fft.rfft(samples.mean(axis=0))) ** 2
    frequencies = np.fft.rfftfreq(samples.shape[1], 1 / SAMPLE_RATE)
    return float((power * frequencies).sum() / power.sum())


def share_above(samples: NDArray[np.float32], cut_hz: float) -> float:
    power = np.abs(np.fft.rfft(samples.mean(axis=0))) ** 2
    return float(power[np.fft.rfftfreq(samples.shape[1], 1 / SAMPLE_RATE) > cut_hz].sum() / power.sum())


def test_a_prompt_without_such_words_keeps_the_mix_of_the_style() -> None:
    for name, style in all_styles().items():
        assert produce(style.mix, brief_of(name.replace("_", " "))) == style.mix, name


def test_words_for_a_sound_are_ordered_and_heard() -> None:
    brightness = [mix_for(words).brightness_db for words in ("muffled", "dark", "mellow", "", "bright")]
    assert brightness == sorted(set(brightness))
    assert mix_for("warm").brightness_db < mix_for("").brightness_db < mix_for("crisp").brightness_db
    centroids = [centroid_hz(heard(words)) for words in ("muffled", "", "bright")]
    assert centroids[0] < 0.97 * centroids[1] < 0.94 * centroids[2], centroids
    assert share_above(heard("muffled"), 8000) < 0.4 * share_above(heard(""), 8000)
    assert share_above(heard("bright"), 8000) > 2 * share_above(heard(""), 8000)


def test_an_old_record_is_narrow_mono_and_crackles() -> None:
    old, new = heard("1920s"), heard("")
    assert np.array_equal(old[0], old[1]) and not np.array_equal(new[0], new[1])
    assert share_above(old, 6000) < 0.05 * share_above(new, 6000)
    assert mix_for("1920s").crackle_db is not None and mix_for("").crackle_db is None


def test_decades_differ_and_the_nineties_are_neutral() -> None:
    mixes = [mix_for(f"19{decade}s") for decade in range(20, 90, 10)]
    assert len(set(mixes)) == len(mixes)
    assert mix_for("1990s") == mix_for("2000s") == all_styles()["pop"].mix
    assert mix_for("1980s").reverb_s > mix_for("").reverb_s > mix_for("1970s").reverb_s
    assert mix_for("1970s").tape > 0 and mix_for("1980s").brightness_db > mix_for("").brightness_db


def test_a_word_for_the_sound_wins_over_the_era_and_both_over_the_style() -> None:
    assert mix_for("bright 1970s").brightness_db == mix_for("bright").brightness_db
    assert mix_for("bright 1970s").tape == mix_for("1970s").tape
    assert mix_for("1920s", "lofi").crackle_db == mix_for("1920s").crackle_db != all_styles()["lofi"].mix.crackle_db


@pytest.mark.parametrize("words", ["vinyl crackle", "tape hiss", "lo-fi crackle", "dusty vinyl"])
def test_words_for_the_noise_of_old_records_add_it(words: str) -> None:
    mix = mix_for(f"{words},", "jazz")
    assert mix.crackle_db is not None and mix.tape > 0
    least = all_styles()["lofi"].mix.crackle_db
    assert least is not None
    assert (mix_for(f"{words},", "lofi").crackle_db or -99) > least


@pytest.mark.parametrize(
    ("wanting", "refusing"),
    [
        ("jazz with the crackle of a record", "lofi, no crackle"),
        ("jazz with crackly vinyl", "lofi, crackle-free"),
        ("jazz con crujidos de vinilo", "lofi sin crujidos de vinilo"),
        ("jazz avec craquements de vinyle", "lofi sans craquements"),
        ("Jazz mit Vinylknistern", "Lofi ohne Knistern"),
        ("jazz com chiado de vinil", "lofi sem chiado"),
        ("jazz con fruscio del vinile", "lofi senza fruscio"),
        ("джаз с треском винила", "лоу-фай без треска винила"),
        ("レコードノイズのあるジャズ", "ローファイ、レコードノイズなし"),
        ("有黑胶噪音的爵士", "低保真,没有黑胶噪音"),
        ("바이닐 잡음이 있는 재즈", "로파이, 바이닐 잡음 없이"),
    ],
)
def test_crackle_is_asked_for_and_refused_in_ten_languages(wanting: str, refusing: str) -> None:
    wants, refuses = brief_of(wanting), brief_of(refusing)
    assert (wants.style, wants.crackle, refuses.style, refuses.crackle) == ("jazz", True, "lofi", False)
    assert changes(all_styles()["lofi"].mix, refuses) == {"crackle_db": None}
    assert changes(all_styles()["jazz"].mix, wants)["crackle_db"] is not None


def test_a_fire_may_crackle_without_a_record() -> None:
    for prompt in ("the crackle of a campfire, folk guitar", "piano by a crackling fire"):
        assert brief_of(prompt).crackle is None, prompt


def test_crackle_is_refused_of_an_old_record_too() -> None:
    assert mix_for("no crackle, 1920s", "jazz").crackle_db is None
    assert mix_for("vinyl crackle, 1920s", "jazz").crackle_db == mix_for("1920s", "jazz").crackle_db


def test_music_that_is_old_but_still_played_sounds_of_today() -> None:
    for words in ("big band", "ragtime", "rockabilly", "dixieland"):
        assert brief_of(f"{words} tune").era is None, words


def test_every_era_is_a_mix_that_a_style_might_have() -> None:
    for era in _table()["eras"]:
        for style in all_styles().values():
            mix = produce(style.mix, replace(brief_of("pop"), era=era))
            settings = {name: getattr(mix, name) for name in _MixSchema().fields}
            assert _MixSchema().validate({name: value for name, value in settings.items() if value is not None}) == {}


def test_what_was_changed_is_told() -> None:
    composition = compose(GenerationOptions("dark 1980s pop", duration=6.0, seed=1))
    told = understood(composition.brief, composition.plan)
    assert told["mix"] == changes(all_styles()["pop"].mix, composition.brief)
    assert set(told["mix"]) == {"brightness_db", "reverb_s", "reverb_db"}
    assert told["mix"]["brightness_db"] == composition.score.mix.brightness_db < 0
    assert (told["brief"]["era"], told["brief"]["sources"]["brightness"]) == ("1980s", "dark")
    assert understood(brief_of("pop"), composition.plan)["mix"] == {}
