"""The mel spectrogram against librosa, and against figures that need no library."""

import librosa
import numpy as np
import pytest
import torch

from musicgen.diffrhythm.mel_transforms import mel_decibels, mel_filters

SAMPLE_RATE, N_FFT, HOP, N_MELS = 24_000, 2048, 240, 128


def tone(hz: float, n_samples: int = 24_000, level: float = 1.0) -> np.ndarray:
    return (level * np.sin(2 * np.pi * hz * np.arange(n_samples) / SAMPLE_RATE)).astype(np.float32)


def measured(waveform: np.ndarray) -> np.ndarray:
    return mel_decibels(torch.from_numpy(waveform)[None], SAMPLE_RATE, N_FFT, HOP, N_MELS)[0].numpy()


@pytest.mark.parametrize(
    ("sample_rate", "n_fft", "n_mels"), [(24_000, 2048, 128), (16_000, 400, 23), (44_100, 1024, 80)]
)
def test_filters_are_librosas(sample_rate: int, n_fft: int, n_mels: int) -> None:
    expected = librosa.filters.mel(sr=sample_rate, n_fft=n_fft, n_mels=n_mels, htk=True, norm=None)
    filters = mel_filters(sample_rate, n_fft, n_mels)
    assert filters.shape == (n_mels, n_fft // 2 + 1)
    np.testing.assert_allclose(filters, expected, rtol=0, atol=2e-6)
    assert filters.min() == 0
    assert filters.max() <= 1


@pytest.mark.parametrize("n_samples", [2048, 24_000, 24_119])
def test_decibels_are_librosas(n_samples: int) -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, n_samples)
    waveform = (noise + tone(440, n_samples)).astype(np.float32)
    power = librosa.feature.melspectrogram(
        y=waveform,
        sr=SAMPLE_RATE,
        n_fft=N_FFT,
        hop_length=HOP,
        n_mels=N_MELS,
        power=2.0,
        center=True,
        pad_mode="reflect",
        window="hann",
        htk=True,
        norm=None,
    )
    decibels = measured(waveform)
    assert decibels.shape == (N_MELS, 1 + n_samples // HOP)
    np.testing.assert_allclose(decibels, librosa.power_to_db(power, ref=1.0, amin=1e-10, top_db=None), atol=2e-3)


def test_silence_lies_at_the_floor() -> None:
    assert (measured(np.zeros(24_000, dtype=np.float32)) == -100).all()


def test_there_is_no_limit_below_the_loudest() -> None:
    """torchaudio's AmplitudeToDB has no top_db unless it is given, as librosa has."""
    click = np.zeros(24_000, dtype=np.float32)
    click[12_000] = 1
    decibels = measured(click)
    assert decibels.max() - decibels.min() > 100


def test_a_tone_stands_where_and_as_high_as_it_must() -> None:
    """A periodic Hann window sums to half its length, so that a tone on a bin has power (level N / 4)^2 there."""
    bin_number, level = 100, 0.5
    hz = bin_number * SAMPLE_RATE / N_FFT
    weights = mel_filters(SAMPLE_RATE, N_FFT, N_MELS)[:, bin_number - 1 : bin_number + 2]
    expected = weights @ np.array([0.25, 1.0, 0.25]) * (level * N_FFT / 4) ** 2
    middle = measured(tone(hz, level=level))[:, 50]
    assert middle.argmax() == expected.argmax()
    np.testing.assert_allclose(middle[expected > 0], 10 * np.log10(expected[expected > 0]), atol=0.01)


def test_a_batch_is_its_sounds_one_by_one() -> None:
    sounds = np.stack([tone(220), tone(3000)])
    together = mel_decibels(torch.from_numpy(sounds), SAMPLE_RATE, N_FFT, HOP, N_MELS).numpy()
    np.testing.assert_array_equal(together, np.stack([measured(sound) for sound in sounds]))
