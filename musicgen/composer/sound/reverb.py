"""A room: the impulse response of one, made from noise, and the convolution with it.

Owns how the room sounds for a given length. Does not know parts or sends. The noise comes from a fixed local seed, so
that a length always gives the same room.
"""

from functools import lru_cache

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from musicgen.composer.sound.resampling import Samples

ROOM_SEED = 1951
MAX_REVERB_S = 20.0
PRE_DELAY_S = 0.018
# Build-up of the diffuse sound, so that the room does not answer with a click.
BUILD_UP_S = 0.012
# Early reflections: how many, the time over which they come, and their share of the room's energy.
N_REFLECTIONS, REFLECTIONS_S, REFLECTIONS_SHARE = 9, 0.055, 0.12
# Centre of each band in Hz, and its decay time against the room's: air and walls swallow the top first.
BANDS = (
    (125.0, 1.1),
    (250.0, 1.08),
    (500.0, 1.03),
    (1000.0, 1.0),
    (2000.0, 0.88),
    (4000.0, 0.66),
    (8000.0, 0.42),
    (16000.0, 0.24),
)
# Level of the bands outside of which the room is silent: no rumble below, no hiss above.
LOW_CUT_HZ, HIGH_CUT_HZ = 180.0, 9000.0


class Reverb:
    """A stereo room, heard two blocks at a time; each channel has its own, decorrelated, answer.

    Partitioned convolution: the impulse is cut into blocks, and the spectra of what was sent are kept for as long. Two
    blocks of two channels make four rows, which scipy transforms four times quicker than one by one.
    """

    def __init__(self, reverb_s: float, sample_rate: int, block: int) -> None:
        """Enter a silent room.

        Args:
            reverb_s: time in which its sound falls by 60 dB, seconds.
            sample_rate: Hz.
            block: samples that are convolved at a time; half of what `answer` takes.

        Raises:
            ValueError: `reverb_s` is not a sensible time.
        """
        self._block = block
        self._parts = _impulse_spectra(reverb_s, sample_rate, block)
        n_parts, n_bins = self._parts.shape[1:]
        # Spectra of the blocks that are still heard, the oldest first, and of the two that are new. All large arrays
        # are made once: to get fresh memory for each call takes as long as the transforms.
        self._history = np.zeros((2, n_parts + 1, n_bins), dtype=np.complex64)
        self._product, self._term = (np.empty((2, 2, n_bins), dtype=np.complex64) for _ in range(2))
        self._blocks = np.zeros((2, 2, 2 * block), dtype=np.float32)  # channel, block, sample and as many zeros
        self._rest = np.zeros((2, block), dtype=np.float32)

    def answer(self, sent: Samples) -> Samples:
        """Return what the room adds to the next samples.

        Args:
            sent: (2, n) float32; n is two blocks, or less in the last call.

        Returns:
            (2, n) float32.
        """
        n, block = sent.shape[1], self._block
        self._blocks[:] = 0
        for i in range(2):
            part = sent[:, i * block : (i + 1) * block]
            self._blocks[:, i, : part.shape[1]] = part
        self._history[:, -2:] = scipy.fft.rfft(self._blocks)
        answers = scipy.fft.irfft(self._convolved(), 2 * block)
        self._history[:, :-2] = self._history[:, 2:]
        answers[:, 0, :block] += self._rest
        answers[:, 1, :block] += answers[:, 0, block:]
        self._rest[:] = answers[:, 1, block:]
        return answers[:, :, :block].reshape(2, -1)[:, :n]

    def _convolved(self) -> NDArray[np.complex64]:
        """Return the spectra, (2, 2, bins), of what the two new blocks end and the older ones left."""
        n_parts = self._parts.shape[1]
        np.multiply(self._history[:, -2:], self._parts[:, :1], out=self._product)
        for age in range(1, n_parts):
            first = n_parts - 1 - age
            np.multiply(self._history[:, first : first + 2], self._parts[:, age : age + 1], out=self._term)
            self._product += self._term
        return self._product


@lru_cache(maxsize=4)
def _impulse_spectra(reverb_s: float, sample_rate: int, block: int) -> NDArray[np.complex64]:
    """Return the impulse in blocks, transformed: (2, blocks, block + 1) complex64."""
    if not 0 < reverb_s <= MAX_REVERB_S:
        raise ValueError(f"reverb_s must be above 0 and at most {MAX_REVERB_S} seconds, not {reverb_s}")
    impulse = impulse_response(reverb_s, sample_rate)
    n_parts = -(-impulse.shape[1] // block)
    blocks = np.zeros((2, n_parts, 2 * block), dtype=np.float32)
    padded = np.pad(impulse, ((0, 0), (0, n_parts * block - impulse.shape[1])))
    blocks[:, :, :block] = padded.reshape(2, n_parts, block)
    return scipy.fft.rfft(blocks)


def impulse_response(reverb_s: float, sample_rate: int) -> Samples:
    """Make a room's answer to a click in each channel, of unit energy each.

    Returns:
        (2, n) float32; n is the pre-delay and `reverb_s`.
    """
    generator = np.random.default_rng(ROOM_SEED)
    n = round(reverb_s * sample_rate)
    tail = _unit_energy(_diffuse(generator, n, reverb_s, sample_rate))
    early = _unit_energy(_reflections(generator, n, sample_rate))
    sound = np.sqrt(1 - REFLECTIONS_SHARE) * tail + np.sqrt(REFLECTIONS_SHARE) * early
    sound = _unit_energy(_band_limited(sound, sample_rate))
    return np.pad(sound, ((0, 0), (round(PRE_DELAY_S * sample_rate), 0))).astype(np.float32)


def _diffuse(generator: np.random.Generator, n: int, reverb_s: float, sample_rate: int) -> NDArray[np.float64]:
    """Sum noise in bands, each with its own decay."""
    times = np.arange(n) / sample_rate
    spectrum = scipy.fft.rfft(generator.standard_normal((2, n)))
    octaves = np.log2(np.maximum(scipy.fft.rfftfreq(n, 1 / sample_rate), 1.0))
    tail = np.zeros((2, n))
    for centre_hz, share in BANDS:
        weight = np.clip(1 - np.abs(octaves - np.log2(centre_hz)), 0, 1)  # triangles that add up to one
        tail += scipy.fft.irfft(spectrum * weight, n) * 10 ** (-3 * times / (reverb_s * share))
    return tail * np.minimum(times / BUILD_UP_S, 1)


def _reflections(generator: np.random.Generator, n: int, sample_rate: int) -> NDArray[np.float64]:
    early = np.zeros((2, n))
    reach = min(round(REFLECTIONS_S * sample_rate), n)
    for channel in early:
        places = generator.integers(0, reach, N_REFLECTIONS)
        signs = generator.choice([-1.0, 1.0], N_REFLECTIONS)
        np.add.at(channel, places, signs * (1 - 0.7 * places / reach))
    return early


def _band_limited(sound: NDArray[np.float64], sample_rate: int) -> NDArray[np.float64]:
    n = sound.shape[1]
    frequencies = np.maximum(scipy.fft.rfftfreq(2 * n, 1 / sample_rate), 1e-3)
    passed = 1 / np.sqrt(1 + (LOW_CUT_HZ / frequencies) ** 4) / np.sqrt(1 + (frequencies / HIGH_CUT_HZ) ** 4)
    limited = scipy.fft.irfft(scipy.fft.rfft(sound, 2 * n) * passed, 2 * n)[:, :n]
    n_fade = n // 8
    limited[:, n - n_fade :] *= np.cos(np.linspace(0, np.pi / 2, n_fade))
    return limited


def _unit_energy(sound: NDArray[np.float64]) -> NDArray[np.float64]:
    return sound / np.sqrt(np.sum(sound**2, axis=1, keepdims=True))
