"""Resampling, loops and warping on sines, whose true values are known."""

import numpy as np
import pytest

from musicgen.composer.sound.resampling import Looped, Samples, play, resample, transform_sizes, warp


def sine(n: int, cycles_per_sample: float) -> Samples:
    return np.sin(2 * np.pi * cycles_per_sample * np.arange(n)).astype(np.float32)


def frequency(samples: Samples) -> float:
    """Return the strongest frequency in cycles a sample, by the phase's advance between two windows."""
    half = len(samples) // 2
    spectra = [np.fft.rfft(part * np.hanning(half)) for part in (samples[:half], samples[1 : half + 1])]
    peak = int(np.argmax(np.abs(spectra[0])))
    return float(np.angle(spectra[1][peak] / spectra[0][peak]) / (2 * np.pi))


@pytest.mark.parametrize("stretch", [0.53, 0.9439, 1.3783, 3.17])
def test_a_sine_comes_out_at_its_pitch(stretch: float) -> None:
    resampled = resample(sine(30_000, 0.031), stretch)
    assert len(resampled) == int(30_000 * stretch)
    assert resampled.dtype == np.float32
    middle = resampled[len(resampled) // 4 : 3 * len(resampled) // 4]
    assert 1200 * np.log2(frequency(middle) / (0.031 / stretch)) == pytest.approx(0, abs=0.2)
    assert np.abs(middle).max() == pytest.approx(1, abs=0.01)


def test_what_would_alias_is_gone() -> None:
    """At half the length a sine of 0.4 cycles a sample would fold down to 0.2."""
    resampled = resample(sine(30_000, 0.4) * np.hanning(30_000).astype(np.float32), 0.5)
    assert np.abs(resampled).max() < 1e-4


def test_transform_sizes_are_within_a_fifth_of_a_cent_almost_everywhere() -> None:
    random = np.random.default_rng(1)
    errors = []
    for _ in range(300):
        n, stretch = int(random.integers(500, 300_000)), float(random.uniform(0.25, 4))
        n_in, n_out = transform_sizes(n, stretch)
        assert n <= n_in
        errors.append(abs(1200 * np.log2(n_out / n_in / stretch)))
    assert np.percentile(errors, 95) < 0.2
    assert max(errors) < 0.6


@pytest.mark.parametrize("stretch", [0.71, 1.0, 1.3333, 2.77])
@pytest.mark.parametrize("period", [40, 107])
def test_a_short_loop_goes_on_without_a_seam(stretch: float, period: int) -> None:
    """A loop of one cycle becomes a sine without end: nothing but that frequency may be heard."""
    source = sine(20 * period, 1 / period)
    n = 150_000
    played = play(source, (10 * period, 11 * period), stretch, n).extended(n)
    assert len(played) == n
    window = np.hanning(n - 20_000)
    spectrum = np.abs(np.fft.rfft(played[10_000:-10_000].astype(np.float64) * window))
    peak = int(np.argmax(spectrum))
    assert peak / len(window) * stretch * period == pytest.approx(1, abs=2e-3)
    spectrum[peak - 20 : peak + 20] = 0
    assert 20 * np.log10(spectrum.max() / window.sum() * 2) < -75


def test_a_long_loop_is_periodic() -> None:
    random = np.random.default_rng(2)
    source = np.convolve(random.standard_normal(40_000), np.hanning(20), "same").astype(np.float32) / 10
    played = play(source, (5_000, 38_000), 1.1, 200_000).extended(200_000)
    period = round(33_000 * 1.1)
    turn = played[60_000 : 60_000 + period]
    assert np.allclose(played[60_000 + period : 60_000 + 2 * period], turn, atol=1e-4)


def test_a_loop_goes_on_for_ever() -> None:
    looped = Looped(np.arange(10, dtype=np.float32), 4)
    assert looped.extended(7).tolist() == list(range(7))
    assert looped.extended(17).tolist() == [*range(10), 6, 7, 8, 9, 6, 7, 8]


def test_a_sample_without_a_loop_ends() -> None:
    assert len(play(sine(1000, 0.01), None, 2.0, 100_000).extended(100_000)) == 2000
    assert len(play(sine(1000, 0.01), None, 2.0, 100).extended(100_000)) == 100


def test_a_longer_rendering_begins_like_a_shorter_one() -> None:
    source = sine(30_000, 0.02)
    short, long = (play(source, (20_000, 29_950), 1.2, n).extended(n) for n in (5_000, 90_000))
    assert np.allclose(short[:4_900], long[:4_900], atol=2e-3)


def test_warping_reads_between_samples() -> None:
    positions = np.linspace(10, 4000, 7777)
    assert np.allclose(warp(sine(5000, 0.01), positions), np.sin(2 * np.pi * 0.01 * positions), atol=1e-3)
    stereo = np.stack([sine(5000, 0.01), -sine(5000, 0.01)])
    assert np.array_equal(warp(stereo, positions)[1], -warp(stereo, positions)[0])
