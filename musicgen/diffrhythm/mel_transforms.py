"""Mel spectrogram in decibels, as MuQ was trained to hear sound.

Owns the figures that must be those of torchaudio's `MelSpectrogram` and `AmplitudeToDB` at their defaults, which MuQ
uses and which cannot be installed beside every torch: periodic Hann window of the transform's length, centred frames
with reflected edges, power, triangles on the HTK mel scale from 0 Hz to half the sample rate without normalisation,
10 log10 with a floor of 1e-10 and no other limit. Axes: B batch, n samples.
"""

from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

FLOOR = 1e-10  # of the power, -100 dB


def mel_decibels(waveform: Tensor, sample_rate: int, n_fft: int, hop_length: int, n_mels: int) -> Tensor:
    """Measure the power in mel bands.

    Args:
        waveform: (B, n) float32, n more than n_fft / 2.
        sample_rate: Hz.
        n_fft: samples of a frame.
        hop_length: samples from frame to frame.

    Returns:
        (B, n_mels, 1 + n // hop_length) float32, decibels of the power.
    """
    window = torch.hann_window(n_fft, device=waveform.device)
    spectrum = torch.stft(waveform, n_fft, hop_length, window=window, return_complex=True)  # (B, bins, frames)
    filters = torch.from_numpy(mel_filters(sample_rate, n_fft, n_mels)).to(waveform.device)
    return 10 * torch.log10((filters @ spectrum.abs().square()).clamp(min=FLOOR))


@lru_cache(maxsize=4)
def mel_filters(sample_rate: int, n_fft: int, n_mels: int) -> NDArray[np.float32]:
    """Return the weight of each bin of a spectrum in each band: triangles of height 1, (n_mels, n_fft / 2 + 1)."""
    bins_hz = np.linspace(0, sample_rate // 2, n_fft // 2 + 1)
    corners_hz = _mels_to_hz(np.linspace(0, _hz_to_mels(sample_rate / 2), n_mels + 2))
    distances = bins_hz - corners_hz[:, None]  # of each bin from each corner
    widths = np.diff(corners_hz)[:, None]
    rising, falling = distances[:-2] / widths[:-1], -distances[2:] / widths[1:]
    return np.clip(np.minimum(rising, falling), 0, None).astype(np.float32)


def _hz_to_mels(hz: float) -> float:
    return float(2595 * np.log10(1 + hz / 700))


def _mels_to_hz(mels: NDArray[np.float64]) -> NDArray[np.float64]:
    return 700 * (10 ** (mels / 2595) - 1)
