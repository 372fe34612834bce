"""Parts made anew in an old song: exact outside, seamless inside."""

import numpy as np
import pytest
from numpy.typing import NDArray

from musicgen.diffrhythm.splicing import CROSS_FADE_S, CROSS_FADE_SHARE, spliced

SAMPLE_RATE = 8000
N_SAMPLES = 10 * SAMPLE_RATE
N_FADE = round(CROSS_FADE_S * SAMPLE_RATE)

Samples = NDArray[np.float32]
Segments = list[tuple[float, float]]


def noise(seed: int, n_samples: int = N_SAMPLES) -> Samples:
    return np.random.default_rng(seed).uniform(-0.5, 0.5, (2, n_samples)).astype(np.float32)


def level(value: float, n_samples: int = N_SAMPLES) -> Samples:
    return np.full((2, n_samples), value, np.float32)


def inside(segments: Segments) -> NDArray[np.bool_]:
    """Tell for each sample whether it lies in a segment."""
    mask = np.zeros(N_SAMPLES, bool)
    for start_s, end_s in segments:
        mask[round(start_s * SAMPLE_RATE) : round(end_s * SAMPLE_RATE)] = True
    return mask


@pytest.mark.parametrize(
    "segments",
    [
        [(3.0, 5.0)],
        [(0.0, 2.5)],
        [(7.7, 10.0)],
        [(0.0, 10.0)],
        [(1.0, 2.0), (2.01, 4.0), (8.123, 9.456)],
        [(4.0, 4.1)],
    ],
)
def test_outside_the_segments_the_song_is_what_it_was(segments: Segments) -> None:
    old, new = noise(1), noise(2)
    kept = old.copy()
    song = spliced(old, new, segments, SAMPLE_RATE)
    mask = inside(segments)
    assert (song.shape, song.dtype) == (old.shape, np.float32)
    assert np.array_equal(song[:, ~mask], old[:, ~mask])
    assert (song[:, mask] != old[:, mask]).mean() > 0.95
    assert np.array_equal(old, kept), "the song that was handed in is not changed"


def test_between_its_fades_a_segment_is_new() -> None:
    old, new = noise(1), noise(2)
    song = spliced(old, new, [(3.0, 5.0)], SAMPLE_RATE)
    middle = slice(3 * SAMPLE_RATE + N_FADE, 5 * SAMPLE_RATE - N_FADE)
    assert np.array_equal(song[:, middle], new[:, middle])


@pytest.mark.parametrize(("segment", "edge"), [((0.0, 2.0), 0), ((8.0, 10.0), N_SAMPLES - 1)])
def test_where_the_song_does_not_go_on_there_is_no_fade(segment: tuple[float, float], edge: int) -> None:
    song = spliced(noise(1), noise(2), [segment], SAMPLE_RATE)
    assert np.array_equal(song[:, edge], noise(2)[:, edge])


def test_the_powers_of_old_and_new_add_up_to_one() -> None:
    segments = [(3.0, 5.0), (6.0, 6.3)]
    gain_new = spliced(level(0), level(1), segments, SAMPLE_RATE)
    gain_old = spliced(level(1), level(0), segments, SAMPLE_RATE)
    assert gain_new**2 + gain_old**2 == pytest.approx(np.ones((2, N_SAMPLES)), abs=1e-6)
    for gain in (gain_new, gain_old):
        assert np.abs(np.diff(gain)).max() < 0.01, "no step that would click"
    assert gain_new[0, 4 * SAMPLE_RATE] == 1
    assert gain_new[0, 3 * SAMPLE_RATE + N_FADE // 2] == pytest.approx(0.5**0.5, abs=0.01)


def test_a_short_segment_fades_within_itself() -> None:
    # Half a second holds no two whole fades and something between.
    start, n = 4 * SAMPLE_RATE, round(0.4 * SAMPLE_RATE)
    gain = spliced(level(0), level(1), [(4.0, 4.4)], SAMPLE_RATE)[0]
    n_fade = int(n * CROSS_FADE_SHARE)
    assert n_fade < N_FADE
    assert (gain[start + n_fade : start + n - n_fade] == 1).all()
    assert (gain[start : start + n_fade] < 1).all()
    assert gain[start : start + n] == pytest.approx(gain[start : start + n][::-1])


@pytest.mark.parametrize("loudest", [0.9, 1.0, 3.0, 100.0])
def test_a_loud_part_stays_within_full_scale(loudest: float) -> None:
    new = noise(2) * np.float32(2 * loudest)
    song = spliced(noise(1), new, [(2.0, 6.0)], SAMPLE_RATE)
    assert np.abs(song).max() <= 1
    middle = slice(2 * SAMPLE_RATE + N_FADE, 6 * SAMPLE_RATE - N_FADE)
    scale = max(1.0, float(np.abs(new[:, 2 * SAMPLE_RATE : 6 * SAMPLE_RATE]).max()))
    assert song[:, middle] == pytest.approx(new[:, middle] / scale, abs=1e-6)


def test_a_loud_part_does_not_lower_another() -> None:
    new = level(0.5)
    new[:, : 3 * SAMPLE_RATE] = 4
    song = spliced(level(0), new, [(1.0, 2.0), (5.0, 7.0)], SAMPLE_RATE)
    assert (song[0, round(1.5 * SAMPLE_RATE)], song[0, 6 * SAMPLE_RATE]) == (1.0, 0.5)


@pytest.mark.parametrize("n_made", [9 * SAMPLE_RATE, N_SAMPLES - 1, N_SAMPLES, N_SAMPLES + 500])
def test_a_new_song_of_another_length_leaves_the_old_one_its_length(n_made: int) -> None:
    old = noise(1)
    song = spliced(old, noise(2, n_made), [(7.0, 10.0)], SAMPLE_RATE)
    assert song.shape == old.shape
    assert np.array_equal(song[:, n_made:], old[:, n_made:])


def test_a_segment_beyond_the_song_changes_nothing() -> None:
    assert np.array_equal(spliced(noise(1), noise(2), [(10.0, 12.0)], SAMPLE_RATE), noise(1))
