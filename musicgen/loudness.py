"""How loud a waveform is: integrated loudness and true peak, as ITU-R BS.1770-4 defines them.

Measures only; `composer`'s master changes levels. Nothing here depends on the number of threads or on BLAS, so that a
level derived from these figures is bit-identical everywhere on one machine.
"""

import math
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import numpy as np
from numpy.typing import NDArray

from musicgen.waveform import Waveform

# The gate looks at blocks of 400 ms that begin every 100 ms: four hops each.
HOP_S = 0.1
HOPS_PER_BLOCK = 4
LOUDNESS_OFFSET_LUFS = -0.691  # makes a 997 Hz sine at 0 dBFS in one channel -3.01 LUFS
ABSOLUTE_GATE_LUFS = -70.0
RELATIVE_GATE_LU = -10.0

OVERSAMPLING = 4

_HOPS_AT_ONCE = 50  # 1.8 MB of float64 at 44.1 kHz, small enough for the processor's cache
_PEAK_BLOCK = 64  # samples that are oversampled together, or not at all
_PEAK_BLOCKS_AT_ONCE = 512
# Filter states below this are silence. They would decay to subnormal numbers, which slow many processors down.
_NO_STATE = 1e-30


def integrated_loudness(waveform: Waveform) -> float:
    """Measure integrated loudness in LUFS; -inf for silence and for sound that never passes the gate at -70 LUFS.

    Sound shorter than one gating block of 0.4 s is measured whole, without gates.

    Raises:
        ValueError: samples are NaN or infinite.
    """
    hop_length = round(waveform.sample_rate * HOP_S)
    with ThreadPoolExecutor(2) as threads:
        left, right = threads.map(
            lambda channel: _hop_energies(channel, waveform.sample_rate, hop_length), waveform.samples
        )
    energies = left + right
    if not np.isfinite(energies).all():
        raise ValueError("samples must be finite; these hold NaN or infinity")
    n_hops = waveform.n_samples // hop_length
    if n_hops < HOPS_PER_BLOCK:
        return _lufs(float(energies.sum()) / max(waveform.n_samples, 1))
    blocks = np.lib.stride_tricks.sliding_window_view(energies[:n_hops], HOPS_PER_BLOCK).mean(axis=1) / hop_length
    return _gated_lufs(blocks)


def _gated_lufs(blocks: NDArray[np.float64]) -> float:
    """Average mean squares of gating blocks, first without silence, then without what is 10 LU below that average."""
    for_gate = blocks[blocks > _mean_square(ABSOLUTE_GATE_LUFS)]
    if not for_gate.size:
        return -math.inf
    relative_gate = for_gate.mean() * 10 ** (RELATIVE_GATE_LU / 10)
    return _lufs(float(for_gate[for_gate > relative_gate].mean()))


def _lufs(mean_square: float) -> float:
    return LOUDNESS_OFFSET_LUFS + 10 * math.log10(mean_square) if mean_square > 0 else -math.inf


def _mean_square(lufs: float) -> float:
    return 10 ** ((lufs - LOUDNESS_OFFSET_LUFS) / 10)


def _hop_energies(channel: NDArray[np.float32], sample_rate: int, hop_length: int) -> NDArray[np.float64]:
    """Sum the squares of each hop of a K-weighted channel; the last hop may be a shorter one."""
    from scipy.signal import sosfilt

    sections = k_weighting(sample_rate)
    state = np.zeros((len(sections), 2))
    energies = []
    for start in range(0, len(channel), _HOPS_AT_ONCE * hop_length):
        chunk = channel[start : start + _HOPS_AT_ONCE * hop_length].astype(np.float64)
        weighted, state = sosfilt(sections, chunk, zi=state)
        state[np.abs(state) < _NO_STATE] = 0
        np.square(weighted, out=weighted)
        energies.append(np.add.reduceat(weighted, np.arange(0, len(weighted), hop_length)))
    return np.concatenate(energies) if energies else np.zeros(0)


@cache
def k_weighting(sample_rate: int) -> NDArray[np.float64]:
    """Design the K filter as second-order sections, (2, 6) float64: a shelf for the head, then a high-pass.

    The standard tabulates coefficients for 48 kHz; these analogue parameters, of libebur128 (MIT), give them back by
    the bilinear transform and so serve for other rates.
    """
    gain_db, centre_hz, q = 3.999843853973347, 1681.974450955533, 0.7071752369554196
    k = math.tan(math.pi * centre_hz / sample_rate)
    high = 10 ** (gain_db / 20)
    band = high**0.4996667741545416
    a0 = 1 + k / q + k * k
    shelf = [
        (high + band * k / q + k * k) / a0,
        2 * (k * k - high) / a0,
        (high - band * k / q + k * k) / a0,
        1,
        2 * (k * k - 1) / a0,
        (1 - k / q + k * k) / a0,
    ]
    cutoff_hz, q = 38.13547087602444, 0.5003270373238773
    k = math.tan(math.pi * cutoff_hz / sample_rate)
    a0 = 1 + k / q + k * k
    high_pass = [1, -2, 1, 1, 2 * (k * k - 1) / a0, (1 - k / q + k * k) / a0]
    return np.array([shelf, high_pass])


def true_peak_db(waveform: Waveform) -> float:
    """Measure the true peak in dBTP: the largest level of either channel, four times oversampled; -inf for silence.

    Raises:
        ValueError: samples are NaN or infinite.
    """
    samples = waveform.samples
    sample_peak = max(float(samples.max(initial=0)), -float(samples.min(initial=0)))
    if not math.isfinite(sample_peak):
        raise ValueError("samples must be finite; these hold NaN or infinity")
    if sample_peak == 0:
        return -math.inf
    with ThreadPoolExecutor(2) as threads:
        peaks = threads.map(lambda channel: _peak_between_samples(channel, sample_peak), samples)
    return 20 * math.log10(max(sample_peak, *peaks))


def _peak_between_samples(channel: NDArray[np.float32], sample_peak: float) -> float:
    """Find the largest interpolated level where it can be above `sample_peak`; 0 where it can be so nowhere."""
    phases = _interpolation_phases()
    n_taps = phases.shape[1]
    before = n_taps // 2 - 1  # samples that a filter needs before the sample that its interval follows
    n_blocks = -(-len(channel) // _PEAK_BLOCK)
    padded = np.pad(channel, (before, n_blocks * _PEAK_BLOCK - len(channel) + n_taps))
    windows = np.lib.stride_tricks.sliding_window_view(padded, _PEAK_BLOCK + n_taps - 1)[::_PEAK_BLOCK][:n_blocks]
    # No sum of |tap| x |sample| beats the sample peak in a window where every sample is below this.
    threshold = sample_peak / np.abs(phases).sum(axis=1).max()
    candidates = np.flatnonzero((windows.max(axis=1) >= threshold) | (windows.min(axis=1) <= -threshold))
    peak = 0.0
    for start in range(0, len(candidates), _PEAK_BLOCKS_AT_ONCE):
        window = np.ascontiguousarray(windows[candidates[start : start + _PEAK_BLOCKS_AT_ONCE]].T)
        peak = max(peak, *(_largest_level(window, taps) for taps in phases))
    return peak


def _largest_level(window: NDArray[np.float32], taps: NDArray[np.float32]) -> float:
    """Filter windows, (n + n_taps - 1, blocks) float32, along the first axis and return the largest level."""
    n = len(window) - len(taps) + 1
    levels = window[:n] * taps[0]
    weighted = np.empty_like(levels)
    for i in range(1, len(taps)):
        levels += np.multiply(window[i : i + n], taps[i], out=weighted)
    return max(float(levels.max()), -float(levels.min()))


@cache
def _interpolation_phases() -> NDArray[np.float32]:
    """Design the filters for the points at 1/4, 1/2 and 3/4 of the way between two samples, (3, 20) float32."""
    from scipy.signal import firwin

    half_length = 10 * OVERSAMPLING
    taps = OVERSAMPLING * firwin(2 * half_length + 1, 1 / OVERSAMPLING, window=("kaiser", 5.0))
    return np.stack([taps[phase::OVERSAMPLING][::-1] for phase in range(1, OVERSAMPLING)]).astype(np.float32)
