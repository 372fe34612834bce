"""The room: its decay, and its convolution against scipy's."""

import numpy as np
import pytest
from scipy.signal import fftconvolve

from musicgen.composer.sound.reverb import PRE_DELAY_S, Reverb, impulse_response

SAMPLE_RATE = 44_100
BLOCK = 4096


def answer(reverb: Reverb, sent: np.ndarray) -> np.ndarray:
    windows = [reverb.answer(sent[:, start : start + 2 * BLOCK]) for start in range(0, sent.shape[1], 2 * BLOCK)]
    return np.concatenate(windows, axis=1)


@pytest.mark.parametrize("reverb_s", [0.02, 0.3, 1.1])
def test_the_answer_is_the_convolution_with_the_impulse(reverb_s: float) -> None:
    sent = np.random.default_rng(3).standard_normal((2, 90_000)).astype(np.float32)
    expected = fftconvolve(sent, impulse_response(reverb_s, SAMPLE_RATE), axes=1)[:, :90_000]
    heard = answer(Reverb(reverb_s, SAMPLE_RATE, BLOCK), sent)
    assert heard.shape == sent.shape
    assert np.allclose(heard, expected, atol=1e-4)


@pytest.mark.parametrize("reverb_s", [0.6, 2.5])
def test_the_sound_falls_by_60_db_in_the_given_time(reverb_s: float) -> None:
    """By Schroeder's backward integral, from -5 to -25 dB, as rooms are measured."""
    impulse = impulse_response(reverb_s, SAMPLE_RATE).astype(np.float64)
    for channel in impulse:
        decay_db = 10 * np.log10(np.cumsum(channel[::-1] ** 2)[::-1] / np.sum(channel**2) + 1e-12)
        first, last = (int(np.argmax(decay_db < level)) for level in (-5, -25))
        assert 3 * (last - first) / SAMPLE_RATE == pytest.approx(reverb_s, rel=0.25)


def test_high_tones_die_first() -> None:
    impulse = impulse_response(2.0, SAMPLE_RATE)[0]
    early, late = impulse[2000:22_000], impulse[44_000:64_000]
    spectra = [np.abs(np.fft.rfft(part)) ** 2 for part in (early, late)]
    low, high = slice(140, 450), slice(2300, 3600)  # about 300-1000 Hz and 5-8 kHz
    fall_db = [10 * np.log10(spectra[1][band].sum() / spectra[0][band].sum()) for band in (low, high)]
    assert fall_db[1] < fall_db[0] - 15


def test_the_room_answers_after_its_pre_delay_with_unit_energy_and_apart_in_each_ear() -> None:
    impulse = impulse_response(1.2, SAMPLE_RATE)
    assert not np.any(impulse[:, : round(PRE_DELAY_S * SAMPLE_RATE)])
    assert np.sum(impulse.astype(np.float64) ** 2, axis=1) == pytest.approx(1, rel=1e-3)
    assert abs(np.corrcoef(impulse)[0, 1]) < 0.1
    assert np.abs(np.sum(impulse, axis=1)).max() < 0.5, "next to nothing at 0 Hz"


def test_a_room_is_always_the_same() -> None:
    assert np.array_equal(impulse_response(0.9, SAMPLE_RATE), impulse_response(0.9, SAMPLE_RATE))


@pytest.mark.parametrize("reverb_s", [0.0, -1.0, 100.0, float("nan")])
def test_a_senseless_time_is_named(reverb_s: float) -> None:
    with pytest.raises(ValueError, match="reverb_s must be above 0 and at most"):
        Reverb(reverb_s, SAMPLE_RATE, BLOCK)
