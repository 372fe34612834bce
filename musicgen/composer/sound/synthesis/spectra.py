"""One cycle of a wave as its harmonics, and what a filter and a drive make of it.

Legend: k harmonics, r rows (cutoffs), m samples of a cycle. A spectrum is (k + 1,), the constant part first, which is
always zero. Waves are sums of exactly those harmonics that lie below `TOP_HZ`: nothing is there to alias.
"""

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from musicgen.composer.sound.articulation import SAMPLE_RATE
from musicgen.composer.sound.resampling import Samples
from musicgen.composer.sound.synthesis.voice import LowPass, Oscillator, WaveVoice

Spectrum = NDArray[np.complex128]
TOP_HZ = 0.45 * SAMPLE_RATE
# Samples of a cycle for each harmonic: straight lines between them are right to -70 dB.
CYCLE_OVERSAMPLING = 16
SHORTEST_CYCLE, LONGEST_CYCLE = 1024, 4096
STEPS_OF_TRIANGLE = 32
LEVELS_OF_TRIANGLE = 15
# The second pair of poles of a filter with four is damped so that the first one's resonance is heard alone.
SECOND_QUALITY = 0.6


def n_harmonics(highest_hz: float) -> int:
    """Return how many harmonics of a fundamental may sound, at least 1."""
    return max(int(TOP_HZ / highest_hz), 1)


def cycle_length(n_harmonics: int) -> int:
    """Return how many samples a cycle of so many harmonics is drawn with: a power of two."""
    wanted = 1 << (CYCLE_OVERSAMPLING * n_harmonics - 1).bit_length()
    return min(max(wanted, SHORTEST_CYCLE), LONGEST_CYCLE)


def mixed(voice: WaveVoice, n: int) -> Spectrum:
    """Mix a voice's oscillators into one cycle of n harmonics of the lowest of them."""
    lowest = min(oscillator.octave for oscillator in voice.oscillators)
    total = np.zeros(n + 1, dtype=np.complex128)
    for oscillator in voice.oscillators:
        step = 2 ** (oscillator.octave - lowest)
        total[::step] += 10 ** (oscillator.level_db / 20) * _harmonics(oscillator, n // step)
    return total


def _harmonics(oscillator: Oscillator, n: int) -> Spectrum:
    """Return the spectrum of a wave between about -1 and 1, that begins near zero, rising where it can."""
    k = np.arange(1, n + 1)
    match oscillator.shape:
        case "sine":
            own = np.where(k == 1, -1j, 0)
        case "saw":
            own = 2j / (np.pi * k) * np.where(k % 2, -1, 1)
        case "pulse":
            own = 4 / (np.pi * k) * np.sin(np.pi * k * oscillator.duty) * np.exp(-1j * np.pi * k * oscillator.duty)
        case "triangle":
            own = np.where(k % 2, -8j / (np.pi * k) ** 2 * np.sin(np.pi * k / 2), 0)
        case _:
            own = _stepped_triangle(k)
    return np.concatenate([[0], own])


def _stepped_triangle(k: NDArray[np.int64]) -> Spectrum:
    """The triangle of a game machine's four-bit converter: 32 steps, each held until the next."""
    steps = np.abs((np.arange(STEPS_OF_TRIANGLE) + 24) % STEPS_OF_TRIANGLE - 15.5) - 0.5
    repeated = np.fft.fft(2 * steps / LEVELS_OF_TRIANGLE - 1)[k % STEPS_OF_TRIANGLE]
    held = np.sinc(k / STEPS_OF_TRIANGLE) * np.exp(-1j * np.pi * k / STEPS_OF_TRIANGLE)
    return np.asarray(2 / STEPS_OF_TRIANGLE * repeated * held)


def response(filter_: LowPass, hertz: NDArray[np.float64], cutoffs_hz: NDArray[np.float64]) -> Spectrum:
    """Return what the filter does to frequencies (k,) at cutoffs (r,), as (r, k)."""
    s = 1j * hertz[None, :] / cutoffs_hz[:, None]
    quality = 10 ** ((filter_.resonance_db - 3.01) / 20)
    passed = 1 / (s * s + s / quality + 1)
    return passed if filter_.poles == 2 else passed / (s * s + s / SECOND_QUALITY + 1)


def draw(spectra: Spectrum, m: int) -> Samples:
    """Draw one cycle, m samples long, of each of (r, k + 1) spectra; returns (r, m) float32."""
    drawn: Samples = scipy.fft.irfft((spectra * (m / 2)).astype(np.complex64), m)
    return drawn


def driven(cycles: Samples, drive: float, n: int) -> Samples:
    """Clip (r, m) cycles softly, keeping the first n harmonics of what comes out and no constant part."""
    spectra = scipy.fft.rfft(np.tanh(cycles * np.float32(drive)) / np.float32(np.tanh(drive)))
    spectra[:, 0] = 0
    spectra[:, n + 1 :] = 0
    shaped: Samples = scipy.fft.irfft(spectra, cycles.shape[1])
    return shaped
