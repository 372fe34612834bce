"""How a song comes to its length: exact, faded from a musical boundary, silent at the end."""

import numpy as np
import pytest
from numpy.typing import NDArray

from musicgen.diffrhythm.ending import FRAME_LENGTH, HOP_LENGTH, LET_GO_S, at_length, cut_short, fade_start

SAMPLE_RATE = 44_100
SONG_S = 95
# Where in an analysis frame an onset lies cannot be told.
TOLERANCE = HOP_LENGTH + FRAME_LENGTH // 2

Samples = NDArray[np.float32]


def drums(hits: dict[float, float], duration_s: float) -> Samples:
    """Play a quiet tone, and decaying noise of some level at some times, (2, n) float32."""
    rng = np.random.default_rng(3)
    n_samples = round(duration_s * SAMPLE_RATE)
    song = 0.02 * np.sin(2 * np.pi * 220 * np.arange(n_samples) / SAMPLE_RATE)
    decay = np.exp(-np.arange(SAMPLE_RATE // 5) / 1500)
    for start_s, level in hits.items():
        room = song[round(start_s * SAMPLE_RATE) :][: len(decay)]
        room += level * (decay * rng.standard_normal(len(decay)))[: len(room)]
    return np.stack([song, song]).astype(np.float32)


@pytest.fixture(scope="module")
def long_song() -> Samples:
    return np.random.default_rng(1).normal(0, 0.1, (2, SONG_S * SAMPLE_RATE)).astype(np.float32)


@pytest.mark.parametrize("duration_s", [5, 5.5, 7.123, 12, 30, 61.7, 94])
def test_a_song_is_cut_to_the_sample_and_ends_in_silence(long_song: Samples, duration_s: float) -> None:
    n_samples = round(duration_s * SAMPLE_RATE)
    song = cut_short(long_song, n_samples, SAMPLE_RATE)
    assert (song.shape, song.dtype) == ((2, n_samples), np.float32)
    assert np.abs(song[:, -1]).max() < 1e-12
    assert np.abs(song[:, -441:]).max() < 0.001
    start = fade_start(long_song[:, :n_samples], SAMPLE_RATE)
    assert np.array_equal(song[:, :start], long_song[:, :start])
    assert np.isfinite(song).all()


@pytest.mark.parametrize("duration_s", [5, 8, 30, 94])
def test_a_fade_is_never_long_nor_abrupt(long_song: Samples, duration_s: float) -> None:
    n_samples = round(duration_s * SAMPLE_RATE)
    fade_s = (n_samples - fade_start(long_song[:, :n_samples], SAMPLE_RATE)) / SAMPLE_RATE
    assert min(0.8, duration_s / 8) <= fade_s <= min(4.0, duration_s / 4)


@pytest.mark.parametrize("loudness", [0.01, 1, 10])
@pytest.mark.parametrize("hit_s", [26.3, 27.25, 28.1, 29.0])
def test_the_fade_begins_at_the_last_strong_hit(hit_s: float, loudness: float) -> None:
    # A beat that is weaker, and stronger ones from which there is no good way to the end.
    weak = {beat / 2: 0.04 for beat in range(50, 62)}
    song = drums(weak | {25.1: 0.9, hit_s: 0.3, 29.7: 0.9}, 31) * np.float32(loudness)
    start = fade_start(song[:, : 30 * SAMPLE_RATE], SAMPLE_RATE)
    assert start == pytest.approx(hit_s * SAMPLE_RATE, abs=TOLERANCE)


def test_the_fade_only_falls_and_does_not_jump() -> None:
    level = np.ones((2, 10 * SAMPLE_RATE), np.float32)
    fade = cut_short(level, 8 * SAMPLE_RATE, SAMPLE_RATE)[0]
    steps = np.diff(fade)
    assert (steps <= 0).all() and steps.min() > -1e-3
    assert (fade[0], fade[-1]) == pytest.approx((1.0, 0.0), abs=1e-12)


def test_what_comes_after_the_cut_plays_no_part(long_song: Samples) -> None:
    n_samples = 20 * SAMPLE_RATE
    other = long_song.copy()
    other[:, n_samples:] = 0
    assert np.array_equal(cut_short(long_song, n_samples, SAMPLE_RATE), cut_short(other, n_samples, SAMPLE_RATE))
    assert long_song[0, n_samples - 1] != 0, "the song that was handed in is not changed"


@pytest.mark.parametrize("n_samples", [1, 10, 2000, 3 * 2048])
def test_silence_and_the_shortest_sound_have_an_end_too(n_samples: int) -> None:
    assert not cut_short(np.zeros((2, 10_000), np.float32), n_samples, SAMPLE_RATE).any()
    assert cut_short(np.ones((2, 10_000), np.float32), n_samples, SAMPLE_RATE).shape == (2, n_samples)


@pytest.mark.parametrize("n_lacking", [0, 1, 384, 1972])
def test_a_song_that_ends_by_itself_stays_as_it_is(long_song: Samples, n_lacking: int) -> None:
    made = long_song[:, : 6 * SAMPLE_RATE]
    song = at_length(made, made.shape[1] + n_lacking, SAMPLE_RATE)
    n_kept = made.shape[1] - round(LET_GO_S * SAMPLE_RATE)
    assert song.shape == (2, made.shape[1] + n_lacking)
    assert np.array_equal(song[:, :n_kept], made[:, :n_kept])
    assert not song[:, made.shape[1] - 1 :].any()


def test_a_song_that_is_too_long_is_cut_short(long_song: Samples) -> None:
    n_samples = 6 * SAMPLE_RATE
    assert np.array_equal(at_length(long_song, n_samples, SAMPLE_RATE), cut_short(long_song, n_samples, SAMPLE_RATE))
