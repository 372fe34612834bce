"""Parts of a song made anew, put into the old one: the rest stays what it was, to the sample.

Knows nothing of networks. Axes: n, m samples.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

# The old sound goes into the new one, and back, within the part itself: over this time, or this share of a short part.
CROSS_FADE_S, CROSS_FADE_SHARE = 0.25, 0.25

Samples = NDArray[np.float32]


def spliced(original: Samples, made: Samples, segments: Sequence[tuple[float, float]], sample_rate: int) -> Samples:
    """Return `original` with the sound of `made` in its segments.

    Args:
        original: (2, n) float32.
        made: (2, m) float32, at the original's level; lowered where it would be louder than full scale.
        segments: start and end in seconds, by time and apart; what is beyond either song is left out.
        sample_rate: Hz.
    """
    song = original.copy()
    n_samples = min(song.shape[1], made.shape[1])
    for start_s, end_s in segments:
        first, stop = (min(round(seconds * sample_rate), n_samples) for seconds in (start_s, end_s))
        part = made[:, first:stop]
        if part.size:
            part = part / np.float32(max(1.0, float(np.abs(part).max())))
            song[:, first:stop] = _mixed(song[:, first:stop], part, first > 0, stop < song.shape[1], sample_rate)
    return song


def _mixed(old: Samples, new: Samples, has_before: bool, has_after: bool, sample_rate: int) -> Samples:
    """Fade from old to new sound and back, each side where the song goes on there."""
    n = new.shape[1]
    n_fade = min(round(CROSS_FADE_S * sample_rate), int(n * CROSS_FADE_SHARE))
    # Squares of the two gains add up to one: they are different music.
    angle = np.full(n, np.pi / 2)
    ramp = (np.arange(n_fade) + 0.5) / max(n_fade, 1) * np.pi / 2
    if has_before:
        angle[:n_fade] = ramp
    if has_after:
        angle[n - n_fade :] = np.minimum(angle[n - n_fade :], ramp[::-1])
    mixed: Samples = np.sin(angle).astype(np.float32) * new + np.cos(angle).astype(np.float32) * old
    return np.clip(mixed, -1, 1)
