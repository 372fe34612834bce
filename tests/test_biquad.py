"""Biquads: as SciPy's, wherever a stream is cut, and silent after silence."""

from itertools import pairwise

import numpy as np
import pytest
import scipy.signal
from numpy.typing import NDArray

from musicgen import biquad
from musicgen.biquad import HELD, BiquadFilter, butterworth, filter_moving

RATE = 44100


def sos(sections: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.insert(sections, 3, 1.0, axis=1)


def noise(n: int, n_channels: int = 2) -> NDArray[np.float32]:
    return np.random.default_rng(5).standard_normal((n_channels, n), dtype=np.float32)


def low_pass(hertz: NDArray[np.float64], quality: float) -> NDArray[np.float64]:
    """Design (k, 5) resonant low-passes."""
    omega = 2 * np.pi * hertz / RATE
    alpha, rise = np.sin(omega) / (2 * quality), 1 - np.cos(omega)
    return np.stack([rise / 2, rise, rise / 2, -2 * np.cos(omega), 1 - alpha], axis=1) / (1 + alpha)[:, None]


@pytest.mark.parametrize("order", [2, 4, 6])
@pytest.mark.parametrize("cutoff_hz", [25.0, 1000.0, 18_000.0])
@pytest.mark.parametrize("kind", ["low", "high"])
def test_butterworth_passes_what_scipys_passes(order: int, cutoff_hz: float, kind: str) -> None:
    frequencies = np.geomspace(10, 22_000, 300)
    ours = butterworth(order, cutoff_hz, "low" if kind == "low" else "high", RATE)
    theirs = scipy.signal.butter(order, cutoff_hz, kind, fs=RATE, output="sos")
    passed = [scipy.signal.freqz_sos(each, frequencies, fs=RATE)[1] for each in (sos(ours), theirs)]
    assert np.allclose(*passed, atol=1e-8)


@pytest.mark.parametrize("n_sections", [1, 2, 3])
@pytest.mark.parametrize("n", [1, 15, 16, 129, 70_001])
def test_a_cascade_filters_as_sosfilt(n: int, n_sections: int) -> None:
    sections = np.vstack([butterworth(2, 25, "high", RATE), butterworth(4, 16_000, "low", RATE)])[:n_sections]
    samples = noise(n)
    expected = scipy.signal.sosfilt(sos(sections), samples.astype(np.float64))
    filtered = BiquadFilter(sections, 2).process(samples)
    assert filtered.dtype == np.float32
    assert filtered.shape == (2, n)
    assert np.abs(filtered - expected).max() < 3e-7 * np.abs(samples).max()
    assert np.sqrt(np.mean((filtered - expected) ** 2)) < 1.2e-7


def test_a_stream_may_be_cut_anywhere() -> None:
    sections = butterworth(4, 40, "high", RATE)
    samples = noise(100_000)
    whole = BiquadFilter(sections, 2).process(samples)
    stream = BiquadFilter(sections, 2)
    cuts = [0, 1, 17, 5000, 5000, 40_003, 100_000]
    pieces = [stream.process(samples[:, start:stop]) for start, stop in pairwise(cuts)]
    assert np.abs(np.concatenate(pieces, axis=1) - whole).max() < 2e-6
    again = BiquadFilter(sections, 2)
    same = [again.process(samples[:, start:stop]) for start, stop in pairwise(cuts)]
    assert all(np.array_equal(*pair) for pair in zip(pieces, same, strict=True))


def test_nothing_to_filter_changes_nothing() -> None:
    stream = BiquadFilter(butterworth(2, 25, "high", RATE), 2)
    assert stream.process(noise(0)).shape == (2, 0)


def test_silence_becomes_silence() -> None:
    stream = BiquadFilter(butterworth(2, 25, "high", RATE), 1)
    stream.process(noise(1000, 1))
    for _ in range(4):
        last = stream.process(np.zeros((1, 2**15), dtype=np.float32))
    assert not last.any()


def test_products_are_too_short_to_be_shared_out_among_threads() -> None:
    """OpenBLAS takes one thread for fewer than 2**18 multiplications."""
    largest = max(biquad.BLOCK * (biquad.BLOCK + 6), (biquad.GROUP + 1) * 6 * biquad.GROUP * 6, HELD * (HELD + 2))
    assert largest <= biquad.PRODUCT_SIZE < 2**18


@pytest.mark.parametrize("n", [1, HELD, 10_007, 2**15])
def test_a_moving_filter_moves_as_one_that_is_exchanged(n: int) -> None:
    firsts = np.arange(0, n, 64)
    sections = low_pass(np.geomspace(200, 9000, len(firsts)), 3.0)
    samples = noise(n, 1)[0]
    state, parts = np.zeros(2), []
    for section, first in zip(sections, firsts.tolist(), strict=True):
        b, a = section[:3], np.concatenate([[1.0], section[3:]])
        part, state = scipy.signal.lfilter(b, a, samples[first : first + 64].astype(np.float64), zi=state)
        parts.append(part)
    filtered = filter_moving(samples, sections, firsts)
    assert filtered.dtype == np.float32
    assert np.allclose(filtered, np.concatenate(parts), rtol=0, atol=3e-6)


def test_a_moving_filter_may_stand_still() -> None:
    samples, sections = noise(50_000, 1)[0], low_pass(np.array([700.0]), 0.7)
    still = BiquadFilter(sections, 1).process(samples[None])[0]
    assert np.allclose(filter_moving(samples, sections, np.array([0])), still, rtol=0, atol=1e-6)
