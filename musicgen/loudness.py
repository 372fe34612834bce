"""How loud sound is: integrated loudness, block by block or at once, and true peak, as ITU-R BS.1770-4 has them.

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

_HOPS_AT_ONCE = 20  # 0.7 MB of float64 at 44.1 kHz, small enough for the processor's cache
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
    meter = LoudnessMeter(waveform.sample_rate)
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(_ChannelMeter.add, meter.channels, waveform.samples))
    return meter.integrated_loudness()


class LoudnessMeter:
    """Measures the loudness of stereo sound that comes in blocks; their lengths make no difference.

    Attributes:
        hop_length: samples between the beginnings of two gating blocks.
        channels: the meter of each channel; channels may be given their samples in threads of their own.
    """

    def __init__(self, sample_rate: int) -> None:
        self.hop_length = round(sample_rate * HOP_S)
        self.channels = [_ChannelMeter(sample_rate, self.hop_length) for _ in range(2)]

    def add(self, block: NDArray[np.float32]) -> None:
        """Take the next samples, (2, k) float32."""
        for channel, samples in zip(self.channels, block, strict=True):
            channel.add(samples)

    def integrated_loudness(self) -> float:
        """Return the loudness of what was taken so far, as the function of this name does.

        Raises:
            ValueError: samples are NaN or infinite.
        """
        left, right = (channel.energies() for channel in self.channels)
        energies = left + right
        if not np.isfinite(energies).all():
            raise ValueError("samples must be finite; these hold NaN or infinity")
        blocks = self.mean_squares()
        return gated_loudness(blocks) if blocks.size else _lufs(float(energies.sum()) / max(self.n_samples, 1))

    def mean_squares(self) -> NDArray[np.float64]:
        """Return the mean square of each gating block that was taken whole so far; one begins every 100 ms."""
        left, right = (channel.whole_hops() for channel in self.channels)
        hops = left + right
        if len(hops) < HOPS_PER_BLOCK:
            return np.zeros(0)
        return np.lib.stride_tricks.sliding_window_view(hops, HOPS_PER_BLOCK).mean(axis=1) / self.hop_length

    def block_starts(self, n_samples: int) -> NDArray[np.intp]:
        """Return the first sample of each whole gating block of sound of this length."""
        return np.arange(max(n_samples // self.hop_length - HOPS_PER_BLOCK + 1, 0)) * self.hop_length

    @property
    def n_samples(self) -> int:
        """How many samples a channel were taken."""
        return self.channels[0].n_samples


class _ChannelMeter:
    """Sums the squares of each hop of one K-weighted channel.

    Samples wait until their hop is whole, so that every sum is taken in the same order whatever the blocks.
    """

    def __init__(self, sample_rate: int, hop_length: int) -> None:
        self._sections = k_weighting(sample_rate)
        self._state = np.zeros((len(self._sections), 2))
        self._hop_length = hop_length
        self._waiting = np.zeros(0, np.float32)
        self._energies: list[NDArray[np.float64]] = []
        self.n_samples = 0

    def add(self, samples: NDArray[np.float32]) -> None:
        """Take the next samples, (k,) float32."""
        self.n_samples += len(samples)
        samples = np.concatenate([self._waiting, samples]) if len(self._waiting) else samples
        n_whole = len(samples) - len(samples) % self._hop_length
        self._waiting = samples[n_whole:].copy()
        chunk_length = _HOPS_AT_ONCE * self._hop_length
        for start in range(0, n_whole, chunk_length):
            energies, self._state = self._weigh(samples[start : min(start + chunk_length, n_whole)])
            self._energies.append(energies)

    def energies(self) -> NDArray[np.float64]:
        """Return the sum of each hop so far; the last hop may be a shorter one."""
        rest = [self._weigh(self._waiting)[0]] if len(self._waiting) else []
        return np.concatenate([self.whole_hops(), *rest])

    def whole_hops(self) -> NDArray[np.float64]:
        """Return the sum of each whole hop so far."""
        self._energies = [np.concatenate([np.zeros(0), *self._energies])]
        return self._energies[0]

    def _weigh(self, samples: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        from scipy.signal import sosfilt

        weighted, state = sosfilt(self._sections, samples.astype(np.float64), zi=self._state)
        state[np.abs(state) < _NO_STATE] = 0
        np.square(weighted, out=weighted)
        return np.add.reduceat(weighted, np.arange(0, len(weighted), self._hop_length)), state


def gated_loudness(blocks: NDArray[np.float64]) -> float:
    """Average mean squares (k,) of gating blocks, without silence and what is 10 LU below that average; LUFS."""
    for_gate = blocks[blocks > mean_square(ABSOLUTE_GATE_LUFS)]
    if not for_gate.size:
        return -math.inf
    relative_gate = for_gate.mean() * 10 ** (RELATIVE_GATE_LU / 10)
    return _lufs(float(for_gate[for_gate > relative_gate].mean()))


def _lufs(mean_square: float) -> float:
    return LOUDNESS_OFFSET_LUFS + 10 * math.log10(mean_square) if mean_square > 0 else -math.inf


def mean_square(lufs: float) -> float:
    """Return the mean square of K-weighted sound, summed over the channels, that is as loud as `lufs`."""
    return 10 ** ((lufs - LOUDNESS_OFFSET_LUFS) / 10)


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
    phases = interpolation_phases()
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
def interpolation_phases() -> NDArray[np.float32]:
    """Design the filters for the points at 1/4, 1/2 and 3/4 of the way between two samples, (3, 20) float32."""
    from scipy.signal import firwin

    half_length = 10 * OVERSAMPLING
    taps = OVERSAMPLING * firwin(2 * half_length + 1, 1 / OVERSAMPLING, window=("kaiser", 5.0))
    return np.stack([taps[phase::OVERSAMPLING][::-1] for phase in range(1, OVERSAMPLING)]).astype(np.float32)
