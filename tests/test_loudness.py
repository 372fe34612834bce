"""Loudness against the figures of EBU Tech 3341 and pyloudnorm; true peak against a full four times oversampling."""

import math

import numpy as np
import pyloudnorm
import pytest
from numpy.typing import NDArray
from scipy.signal import resample_poly

from musicgen.loudness import LoudnessMeter, integrated_loudness, k_weighting, true_peak_db
from musicgen.waveform import Waveform


def sine(level_db: float, duration_s: float, sample_rate: int = 48_000, frequency_hz: float = 1000) -> NDArray:
    times = np.arange(round(duration_s * sample_rate)) / sample_rate
    return 10 ** (level_db / 20) * np.sin(2 * np.pi * frequency_hz * times)


def stereo(mono: NDArray, sample_rate: int = 48_000) -> Waveform:
    return Waveform(np.stack([mono, mono]).astype(np.float32), sample_rate)


def noise_with_beats(sample_rate: int, duration_s: float = 6) -> Waveform:
    """Coloured noise whose level rises and falls, so that the gate has something to do."""
    random = np.random.default_rng(5)
    n = round(sample_rate * duration_s)
    spectrum = np.fft.rfft(random.standard_normal((2, n)), axis=1)
    noise = np.fft.irfft(spectrum / np.sqrt(np.arange(spectrum.shape[1]) + 20), n, axis=1)
    envelope = np.exp(-3 * (np.arange(n) / sample_rate % 2.5))
    return Waveform((0.8 * noise / np.abs(noise).max() * envelope).astype(np.float32), sample_rate)


def fully_oversampled_db(waveform: Waveform) -> float:
    return 20 * math.log10(np.abs(resample_poly(waveform.samples.astype(np.float64), 4, 1, axis=1)).max())


def test_k_weighting_is_the_standards_table_at_48_khz() -> None:
    shelf = [1.53512485958697, -2.69169618940638, 1.19839281085285, 1, -1.69065929318241, 0.73248077421585]
    high_pass = [1, -2, 1, 1, -1.99004745483398, 0.99007225036621]
    np.testing.assert_allclose(k_weighting(48_000), [shelf, high_pass], atol=1e-8)


def test_full_scale_sine_in_one_channel_is_minus_3_lufs() -> None:
    tone = sine(0, 5, frequency_hz=997).astype(np.float32)
    waveform = Waveform(np.stack([tone, np.zeros_like(tone)]), 48_000)
    assert integrated_loudness(waveform) == pytest.approx(-3.01, abs=0.01)


@pytest.mark.parametrize(
    ("levels_and_lengths", "expected_lufs"),
    [
        ([(-23, 20)], -23),
        ([(-33, 20)], -33),
        ([(-36, 10), (-23, 60), (-36, 10)], -23),
        ([(-72, 10), (-36, 10), (-23, 60), (-36, 10), (-72, 10)], -23),
        ([(-26, 20), (-20, 20.1), (-26, 20)], -23),
    ],
)
def test_ebu_tech_3341_cases_1_to_5(levels_and_lengths: list[tuple[float, float]], expected_lufs: float) -> None:
    tone = np.concatenate([sine(level_db, duration_s) for level_db, duration_s in levels_and_lengths])
    assert integrated_loudness(stereo(tone)) == pytest.approx(expected_lufs, abs=0.1)


@pytest.mark.parametrize("sample_rate", [32_000, 44_100, 48_000])
def test_agrees_with_pyloudnorm(sample_rate: int) -> None:
    waveform = noise_with_beats(sample_rate)
    loudness_lufs = integrated_loudness(waveform)
    samples = waveform.samples.T.astype(np.float64)
    exact = pyloudnorm.Meter(sample_rate, filter_class="DeMan").integrated_loudness(samples)
    usual = pyloudnorm.Meter(sample_rate).integrated_loudness(samples)
    assert loudness_lufs == pytest.approx(exact, abs=0.001)
    assert loudness_lufs == pytest.approx(usual, abs=0.1)


@pytest.mark.parametrize("length", [1, 100, 4_409, 4_410, 65_536, 10**9])
def test_blocks_make_no_difference(length: int) -> None:
    # Every sample in a call of its own takes long.
    waveform = noise_with_beats(44_100, 0.5 if length == 1 else 6)
    meter = LoudnessMeter(44_100)
    for start in range(0, waveform.n_samples, length):
        meter.add(waveform.samples[:, start : start + length])
    assert meter.integrated_loudness() == pytest.approx(integrated_loudness(waveform), abs=1e-6)


def test_a_meter_can_be_read_on_the_way() -> None:
    waveform = noise_with_beats(44_100)
    meter = LoudnessMeter(44_100)
    meter.add(waveform.samples[:, :100_001])
    first = Waveform(waveform.samples[:, :100_001], 44_100)
    assert meter.integrated_loudness() == pytest.approx(integrated_loudness(first), abs=1e-6)
    meter.add(waveform.samples[:, 100_001:])
    assert meter.integrated_loudness() == pytest.approx(integrated_loudness(waveform), abs=1e-6)


def test_a_gain_moves_loudness_by_as_much() -> None:
    waveform = noise_with_beats(44_100)
    quieter = Waveform(waveform.samples * np.float32(0.5), 44_100)
    assert integrated_loudness(waveform) - integrated_loudness(quieter) == pytest.approx(6.0206, abs=1e-3)


def test_silence_has_no_loudness_and_no_peak() -> None:
    for n_samples in (0, 1, 44_100):
        silence = Waveform(np.zeros((2, n_samples), np.float32), 44_100)
        assert integrated_loudness(silence) == -math.inf
        assert true_peak_db(silence) == -math.inf


def test_sound_below_the_absolute_gate_has_no_loudness() -> None:
    assert integrated_loudness(stereo(sine(-80, 2))) == -math.inf


@pytest.mark.parametrize("duration_s", [0.01, 0.1, 0.39])
def test_sound_shorter_than_a_block_is_measured_without_gate(duration_s: float) -> None:
    # A filter that has just been switched on rings, hence the tolerance; below the gate it still has a figure.
    assert integrated_loudness(stereo(sine(-23, duration_s))) == pytest.approx(-23, abs=0.5)
    assert integrated_loudness(stereo(sine(-90, duration_s))) == pytest.approx(-90, abs=0.5)


def test_one_gating_block_is_enough() -> None:
    assert integrated_loudness(stereo(sine(-23, 0.4))) == pytest.approx(-23, abs=0.1)


def test_music_of_one_second_before_a_minute_of_silence_counts_as_that_second() -> None:
    tone = np.concatenate([sine(-20, 1), np.zeros(60 * 48_000)])
    # Blocks across the end of the tone count, too, with what is left of it.
    assert integrated_loudness(stereo(tone)) == pytest.approx(-20, abs=1.0)


@pytest.mark.parametrize("measure", [integrated_loudness, true_peak_db])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_samples_that_are_no_numbers_are_refused(measure, bad: float) -> None:
    samples = np.full((2, 44_100), 0.1, np.float32)
    samples[1, 777] = bad
    with pytest.raises(ValueError, match="finite"):
        measure(Waveform(samples, 44_100))


def test_true_peak_sees_between_samples() -> None:
    times = np.arange(4800)
    tone = np.sin(np.pi / 2 * times + np.pi / 4) * np.hanning(len(times))  # every sample 3 dB below the crest
    assert 20 * math.log10(np.abs(tone).max()) == pytest.approx(-3.01, abs=0.01)
    assert true_peak_db(stereo(tone)) == pytest.approx(0, abs=0.05)


def white_noise() -> NDArray:
    return np.random.default_rng(1).uniform(-1, 1, 30_000)


def square() -> NDArray:
    return np.sign(np.sin(0.0313 * np.arange(20_000)) + 1e-9)


def peak_hidden_in_quieter_samples() -> NDArray:
    """A slow peak of 0.99, and far from it a burst whose samples are at most 0.71 and whose crest is 1."""
    sound = 0.99 * np.sin(2 * np.pi * np.arange(20_000) / 20_000)
    sound[12_000:14_000] = np.sin(np.pi / 2 * np.arange(2000) + np.pi / 4) * np.hanning(2000)
    return sound


def impulse() -> NDArray:
    sound = np.zeros(1000)
    sound[500] = -0.5
    return sound


@pytest.mark.parametrize("make", [white_noise, square, peak_hidden_in_quieter_samples, impulse])
def test_true_peak_equals_a_full_oversampling(make) -> None:
    waveform = stereo(make())
    assert true_peak_db(waveform) == pytest.approx(fully_oversampled_db(waveform), abs=0.01)


@pytest.mark.parametrize("sample_rate", [32_000, 44_100, 48_000])
def test_true_peak_of_music_equals_a_full_oversampling(sample_rate: int) -> None:
    waveform = noise_with_beats(sample_rate)
    # resample_poly's filter scales the samples themselves by 1.0006, 0.0055 dB.
    assert true_peak_db(waveform) == pytest.approx(fully_oversampled_db(waveform), abs=0.006)


@pytest.mark.parametrize("n_samples", [1, 2, 63, 64, 65, 128])
def test_true_peak_of_very_short_sounds(n_samples: int) -> None:
    waveform = stereo(np.linspace(0.2, 0.7, n_samples))
    assert true_peak_db(waveform) == pytest.approx(fully_oversampled_db(waveform), abs=0.01)


def test_either_channel_can_hold_the_true_peak() -> None:
    quiet, loud = sine(-20, 0.1).astype(np.float32), sine(-1, 0.1, frequency_hz=50).astype(np.float32)
    for samples in ([quiet, loud], [loud, quiet]):
        assert true_peak_db(Waveform(np.stack(samples), 48_000)) == pytest.approx(-1, abs=0.01)


def test_measuring_leaves_the_samples_alone() -> None:
    waveform = noise_with_beats(44_100)
    before = waveform.samples.copy()
    integrated_loudness(waveform)
    true_peak_db(waveform)
    np.testing.assert_array_equal(waveform.samples, before)
