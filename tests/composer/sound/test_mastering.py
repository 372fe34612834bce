"""Masters against independent meters: pyloudnorm for loudness, a full four times oversampling for the true peak."""

import numpy as np
import pyloudnorm
import pytest
from scipy.signal import resample_poly

from musicgen.composer.sound.mastering import CEILING_DB, TARGET_LUFS, find_level, master
from musicgen.loudness import LoudnessMeter
from musicgen.waveform import AudioStream, Waveform

SAMPLE_RATE = 44_100


def waveform(samples: np.ndarray) -> Waveform:
    return Waveform(np.ascontiguousarray(samples, dtype=np.float32), SAMPLE_RATE)


def mastered_from(mix: Waveform) -> Waveform:
    """Master a mix that is there as a whole."""
    blocks = list(AudioStream.of(mix).blocks)
    level, meter = find_level(blocks, SAMPLE_RATE), LoudnessMeter(SAMPLE_RATE)
    return AudioStream(mix.n_samples, SAMPLE_RATE, master(blocks, mix.n_samples, level, SAMPLE_RATE, meter)).collect()


def noise(seconds: float, level: float, seed: int = 1) -> np.ndarray:
    """Pink noise in two channels."""
    n = round(seconds * SAMPLE_RATE)
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal((2, n)))
    pink = np.fft.irfft(spectrum / np.sqrt(np.arange(spectrum.shape[1]) + 10), n)
    return level * pink / np.abs(pink).max()


def plucks(seconds: float, every_s: float, decay_s: float, level: float = 0.5) -> np.ndarray:
    times = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    pluck = np.sin(2 * np.pi * 330 * times) * np.exp(-(times % every_s) / decay_s)
    return level * np.stack([pluck, 0.7 * pluck])


def beat(seconds: float) -> np.ndarray:
    """Loud short bangs over a quiet bed: work for the limiter."""
    return noise(seconds, 0.1) + plucks(seconds, 0.5, 0.05, 0.9)


MIXES = {
    "pink noise": noise(8, 0.3),
    "too loud": noise(8, 4.0),
    "very quiet": noise(8, 0.01),
    "plucks": plucks(10, 0.7, 0.25),
    "beat": beat(10),
    "one channel": np.stack([noise(6, 0.5)[0], np.zeros(6 * SAMPLE_RATE)]),
    "bass": 0.8 * np.stack([np.sin(2 * np.pi * 45 * np.arange(6 * SAMPLE_RATE) / SAMPLE_RATE)] * 2),
    "five seconds of fade": noise(5, 0.5) * np.linspace(1, 0, 5 * SAMPLE_RATE),
}


def loudness(mastered: Waveform) -> float:
    return float(pyloudnorm.Meter(SAMPLE_RATE).integrated_loudness(mastered.samples.T.astype(np.float64)))


def oversampled_peak_db(mastered: Waveform) -> float:
    return float(20 * np.log10(np.abs(resample_poly(mastered.samples.astype(np.float64), 4, 1, axis=1)).max()))


@pytest.mark.parametrize("name", MIXES)
def test_a_master_has_its_loudness_and_keeps_its_ceiling(name: str) -> None:
    mastered = mastered_from(waveform(MIXES[name]))
    assert loudness(mastered) == pytest.approx(TARGET_LUFS, abs=0.25)
    assert oversampled_peak_db(mastered) <= CEILING_DB + 0.02


@pytest.mark.parametrize("name", MIXES)
def test_a_master_is_whole_finite_and_begins_and_ends_at_zero(name: str) -> None:
    mix = MIXES[name]
    samples = mastered_from(waveform(mix)).samples
    assert samples.shape == mix.shape
    assert samples.dtype == np.float32
    assert np.isfinite(samples).all()
    assert not np.any(samples[:, [0, -1]])
    assert np.abs(samples[:, -40:]).max() < 0.005


def test_the_mix_that_was_given_is_left_alone() -> None:
    mix = waveform(MIXES["beat"])
    before = mix.samples.copy()
    mastered_from(mix)
    assert np.array_equal(mix.samples, before)


def test_what_needs_no_limiter_is_only_amplified() -> None:
    times = np.arange(6 * SAMPLE_RATE) / SAMPLE_RATE
    tone = 0.01 * np.stack([np.sin(2 * np.pi * hertz * times) for hertz in (440, 550)])
    middle = slice(SAMPLE_RATE, 5 * SAMPLE_RATE)
    samples = mastered_from(waveform(tone)).samples[:, middle]
    gain = np.sum(samples * tone[:, middle]) / np.sum(tone[:, middle] ** 2)
    assert gain > 10
    assert np.allclose(samples, gain * tone[:, middle], atol=1e-5)


def test_the_limiter_moves_both_channels_alike() -> None:
    mix = beat(6)
    mix[1] = 0.5 * mix[0]
    samples = mastered_from(waveform(mix)).samples[:, 1000:-2000].astype(np.float64)
    assert np.allclose(samples[1], 0.5 * samples[0], atol=2e-3)


def test_the_limiter_adds_no_harsh_overtones_to_a_low_tone() -> None:
    """A tone with bangs: between the bangs the tone must come back clean."""
    times = np.arange(6 * SAMPLE_RATE) / SAMPLE_RATE
    tone = 0.25 * np.sin(2 * np.pi * 100 * times)
    tone[::SAMPLE_RATE] += 1.5
    samples = mastered_from(waveform(np.stack([tone, tone]))).samples[0]
    quiet = samples[round(1.6 * SAMPLE_RATE) : round(1.9 * SAMPLE_RATE)].astype(np.float64)
    spectrum = np.abs(np.fft.rfft(quiet * np.hanning(len(quiet))))
    tone_bin = round(100 * len(quiet) / SAMPLE_RATE)
    rest = np.delete(spectrum, range(tone_bin - 4, tone_bin + 5))
    assert 20 * np.log10(rest.max() / spectrum[tone_bin]) < -55


def test_a_sparse_piece_is_not_pumped_beyond_reason() -> None:
    """One bang in a long hush: the hush may come up by the gain, not by more than the limiter's range."""
    mix = noise(10, 0.0005)
    mix[:, 3 * SAMPLE_RATE : 3 * SAMPLE_RATE + 200] += 0.9
    mastered = mastered_from(waveform(mix))
    assert oversampled_peak_db(mastered) <= CEILING_DB + 0.02
    assert loudness(mastered) < TARGET_LUFS
    raised_db = 20 * np.log10(np.std(mastered.samples[:, -5 * SAMPLE_RATE :]) / np.std(mix[:, -5 * SAMPLE_RATE :]))
    assert raised_db < 13


def test_silence_stays_silence() -> None:
    assert not np.any(mastered_from(waveform(np.zeros((2, 5 * SAMPLE_RATE)))).samples)


def test_next_to_silence_is_not_blown_up() -> None:
    faint = np.random.default_rng(1).standard_normal((2, 5 * SAMPLE_RATE)) * 1e-6
    assert np.abs(mastered_from(waveform(faint)).samples).max() < 1e-5


@pytest.mark.parametrize("n", [0, 1, 50, 5000])
def test_even_a_few_samples_come_back_as_many(n: int) -> None:
    samples = mastered_from(waveform(np.full((2, n), 0.3))).samples
    assert samples.shape == (2, n)
    assert np.isfinite(samples).all()


def test_nan_is_refused() -> None:
    mix = noise(5, 0.3)
    mix[0, 77_777] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        mastered_from(waveform(mix))


def test_a_master_is_the_same_bits_every_time() -> None:
    mix = waveform(MIXES["beat"])
    assert np.array_equal(mastered_from(mix).samples, mastered_from(mix).samples)
