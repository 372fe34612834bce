"""Noise voices: white noise, or the noise of a game machine's shift register, through a band that may rise.

Each frame of noise is filtered on its own and the frames are laid over each other.

Legend: n samples, f frames of `FRAME` samples, c channels.
"""

from functools import lru_cache

import numpy as np
import scipy.fft

from musicgen.composer.sound.articulation import SAMPLE_RATE
from musicgen.composer.sound.resampling import Samples
from musicgen.composer.sound.synthesis.curves import Curve, clock, level, to_samples
from musicgen.composer.sound.synthesis.voice import NoiseVoice

FRAME, HOP = 1024, 512
# White noise has no greatest value; few samples of this go over full scale.
WHITE_LEVEL = 0.3
REGISTER_BITS = 15


def play_noise(voice: NoiseVoice, seed: int, n: int, held_s: float) -> Samples:
    """Play n samples of noise, drawn from a stream of its own.

    Returns:
        (1 or 2, n) float32.
    """
    n_frames = -(-n // HOP) + 1
    noise = _source(voice, seed, (n_frames + 1) * HOP)
    frames = np.lib.stride_tricks.sliding_window_view(noise, FRAME, axis=1)[:, ::HOP]
    rise = voice.rise_octaves * (np.minimum(np.arange(n_frames) * HOP / SAMPLE_RATE / held_s, 1) - 1)
    filtered = scipy.fft.irfft(scipy.fft.rfft(frames * _window()) * _band(voice, rise).astype(np.float32))
    laid: Samples = (filtered[:, :-1, HOP:] + filtered[:, 1:, :HOP]).reshape(len(noise), -1)[:, :n]
    return laid * to_samples(level(voice.amplitude, clock(n), held_s), 0, n)


def _source(voice: NoiseVoice, seed: int, n: int) -> Samples:
    """Return (c, n) samples of unfiltered noise."""
    if voice.source == "shift_register":
        step = round(voice.clock_hz / SAMPLE_RATE * 2**16)
        bits = (np.arange(n) * step >> 16) % (2**REGISTER_BITS - 1)
        return shift_register()[None, bits]
    white = np.random.default_rng(seed).standard_normal((2 if voice.stereo else 1, n), dtype=np.float32)
    return white * np.float32(WHITE_LEVEL)


def _window() -> Samples:
    """Return a periodic Hann window: laid over itself at each hop it sums to one."""
    window: Samples = (np.sin(np.pi * np.arange(FRAME) / FRAME) ** 2).astype(np.float32)
    return window


def _band(voice: NoiseVoice, rise_octaves: Curve) -> Curve:
    """Return the gains of the band for each frame and frequency, (f, FRAME // 2 + 1)."""
    hertz = np.maximum(np.fft.rfftfreq(FRAME, 1 / SAMPLE_RATE), 1e-3)
    moved = hertz[None, :] / 2 ** rise_octaves[:, None]
    below, above = (moved / voice.high_hz) ** 4, (voice.low_hz / moved) ** 4
    return np.asarray(1 / np.sqrt((1 + below) * (1 + above)))


@lru_cache(maxsize=1)
def shift_register() -> Samples:
    """Return one period of a 15-bit linear feedback shift register, (32767,) float32 of -1 and 1."""
    register, bits = 1, []
    for _ in range(2**REGISTER_BITS - 1):
        bits.append(register & 1)
        fed_back = (register ^ register >> 1) & 1
        register = register >> 1 | fed_back << (REGISTER_BITS - 1)
    return np.array(bits, dtype=np.float32) * 2 - 1
