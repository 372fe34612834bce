"""How a song comes to its length: one that is cut short fades from the last strong change of the music before its end.

Looks at sound alone. Source: spectral flux as a measure of onsets (Bello et al. 2005). Axes: n samples, t frames.
"""

import numpy as np
from numpy.typing import NDArray

HOP_LENGTH, FRAME_LENGTH = 1024, 2048
# How much quiet bins count beside loud ones (Müller 2015).
COMPRESSION = 100
# The fade lasts between these times, seconds; less in a song of a few seconds.
SHORTEST_FADE_S, LONGEST_FADE_S = 0.8, 4.0
MOST_OF_A_SONG = 0.25
# A song that ends by itself is let go within this time, seconds, lest its last sample clicks.
LET_GO_S = 0.02

Samples = NDArray[np.float32]


def at_length(samples: Samples, n_samples: int, sample_rate: int) -> Samples:
    """Bring a song, (2, n) float32, to `n_samples`: a longer one is cut short, a shorter one ends in silence.

    Args:
        sample_rate: Hz.
    """
    n_made = samples.shape[1]
    if n_made > n_samples:
        return cut_short(samples, n_samples, sample_rate)
    song = np.pad(samples, ((0, 0), (0, n_samples - n_made)))
    start = max(n_made - round(LET_GO_S * sample_rate), 0)
    song[:, start:n_made] *= np.linspace(1, 0, n_made - start, dtype=np.float32)
    return song


def cut_short(samples: Samples, n_samples: int, sample_rate: int) -> Samples:
    """Cut a longer song, (2, n) float32, to `n_samples`: it fades from a musical boundary on, and ends in silence.

    Args:
        sample_rate: Hz.
    """
    song = samples[:, :n_samples].copy()
    start = fade_start(song, sample_rate)
    song[:, start:] *= np.cos(np.linspace(0, np.pi / 2, n_samples - start)).astype(np.float32) ** 2
    return song


def fade_start(song: Samples, sample_rate: int) -> int:
    """Find the sample of the strongest onset among those from which a fade to the end has a good length."""
    n_samples = song.shape[1]
    longest = min(LONGEST_FADE_S * sample_rate, n_samples * MOST_OF_A_SONG)
    shortest = min(SHORTEST_FADE_S * sample_rate, longest / 2)
    first, stop = round(n_samples - longest), round(n_samples - shortest)
    flux = spectral_flux(song[:, max(first - FRAME_LENGTH, 0) : stop + FRAME_LENGTH].mean(axis=0))
    n_before = min(first, FRAME_LENGTH)
    # A frame's change is heard in its middle.
    places = np.arange(len(flux)) * HOP_LENGTH + FRAME_LENGTH // 2 + first - n_before
    inside = (places >= first) & (places < stop)
    if not inside.any():
        return first
    return int(places[inside][flux[inside].argmax()])


def spectral_flux(mono: NDArray[np.float32]) -> NDArray[np.float32]:
    """Sum by how much each bin's level, compressed, rises from frame to frame; (t,) float32, the first is 0.

    Levels are parts of the loudest one, so that it does not matter how loud the sound is as a whole.
    """
    n_frames = max((len(mono) - FRAME_LENGTH) // HOP_LENGTH + 1, 0)
    if not n_frames:
        return np.zeros(0, np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(mono, FRAME_LENGTH)[::HOP_LENGTH]
    levels = np.abs(np.fft.rfft(frames * np.hanning(FRAME_LENGTH)))
    levels = np.log1p(COMPRESSION * levels / max(levels.max(), 1e-9))
    rises = np.maximum(np.diff(levels, axis=0), 0).sum(axis=1)
    return np.concatenate([[0.0], rises]).astype(np.float32)
