"""True peaks where a limiter needs them: exact for what may be over a ceiling, by a cheap bound for the rest.

Pure functions of arrays. The interpolation is the loudness meter's.
"""

import numpy as np
from numpy.typing import NDArray

from musicgen.composer.sound.resampling import Samples
from musicgen.loudness import interpolation_phases

# Between samples a wave rises above the larger one by at most this share of its second difference there; a sine of a
# quarter of the sample rate, whose samples miss its peak most, by 0.21.
OVERSHOOT = 0.25


def block_peaks(samples: Samples, block: int, ceiling: float) -> NDArray[np.float64]:
    """Return the largest true peak of either channel in each block but the first and the last.

    Args:
        samples: (2, (k + 2) * block) float32, k at least 1; NaN and infinities come through.
        block: samples in a block, more than the interpolation's filter reaches to either side.
        ceiling: what is surely below needs no interpolation; its sample peak is returned.

    Returns:
        (k,) float64.
    """
    n_blocks = samples.shape[1] // block - 2
    inner = samples[:, block : (n_blocks + 1) * block].reshape(2, n_blocks, block)
    peaks = np.maximum(inner.max(axis=(0, 2)), -inner.min(axis=(0, 2))).astype(np.float64)
    # The interval that follows a block's last sample is the block's own, and ends in the next one.
    nearby = np.maximum(peaks, np.abs(samples[:, 2 * block :: block]).max(axis=0))
    # No second difference is more than four times the level around it.
    suspects = np.flatnonzero(nearby * (1 + 4 * OVERSHOOT) > ceiling)
    suspects = suspects[_bounds(samples, block, suspects) > ceiling]
    if suspects.size:
        peaks[suspects] = np.maximum(peaks[suspects], _interpolated(samples, block, suspects))
    return peaks


def _bounds(samples: Samples, block: int, blocks: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return for some inner blocks a level that no wave between their samples passes."""
    windows = np.lib.stride_tricks.sliding_window_view(samples, block + 3, axis=1)[:, (blocks + 1) * block - 1]
    before, at, after = windows[..., :-2], windows[..., 1:-1], windows[..., 2:]
    bounds = np.abs(at) + np.float32(OVERSHOOT) * np.abs(before + after - 2 * at)
    return np.asarray(bounds.max(axis=(0, 2)))


def _interpolated(samples: Samples, block: int, blocks: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return the largest level between the samples of each of some inner blocks, over both channels."""
    phases = interpolation_phases()
    n_taps = phases.shape[1]
    windows = np.lib.stride_tricks.sliding_window_view(samples, block + n_taps - 1, axis=1)
    first = (blocks + 1) * block - (n_taps // 2 - 1)
    window = np.ascontiguousarray(windows[:, first].transpose(2, 0, 1))  # sample, channel, block
    largest = np.zeros(len(blocks), dtype=np.float32)
    levels, weighted = (np.empty((block, *window.shape[1:]), dtype=np.float32) for _ in range(2))
    for taps in phases:
        np.multiply(window[:block], taps[0], out=levels)
        for i in range(1, n_taps):
            levels += np.multiply(window[i : i + block], taps[i], out=weighted)
        np.abs(levels, out=levels)
        np.maximum(largest, levels.max(axis=(0, 1)), out=largest)
    return largest
