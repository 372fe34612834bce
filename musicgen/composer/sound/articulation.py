"""How one voice moves while its note is held: envelopes, oscillators, the low-pass filter, vibrato.

Pure functions of a voice and its sample. Knows no keys, presets or caches.
Source: SoundFont Technical Specification 2.04; the filter is R. Bristow-Johnson's cookbook low-pass.
"""

import math
from functools import lru_cache
from itertools import pairwise

import numpy as np
import scipy.signal
from numpy.typing import NDArray

from musicgen.composer.sound.resampling import MARGIN, Looped, Samples, play, warp
from musicgen.composer.sound.voicing import (
    ENVELOPE_RANGE_DB,
    HIGHEST_CUTOFF_CENTS,
    LOWEST_CUTOFF_CENTS,
    Envelope,
    Lfo,
    Playback,
    Voice,
)

SAMPLE_RATE = 44_100
# Envelopes and oscillators that move filters and pitch are worked out once in this many samples (1.5 ms).
CONTROL_HOP = 64
CONTROL_STEP_S = CONTROL_HOP / SAMPLE_RATE
HOP_RAMP = np.arange(CONTROL_HOP) / CONTROL_HOP
# The filter is moved in steps of this size: smaller ones cannot be heard and cost a call each.
CUTOFF_STEP_CENTS = 20.0
# Bends of the pitch under this are not worth an interpolation.
MIN_BEND_CENTS = 1.5
# How much faster than at rest a bent sample may run.
MAX_BEND = 1.1
# What has fallen this far below a note's peak is over.
INAUDIBLE_DB = 60.0
# A release that goes on for longer is faded: only drums write more, and they end by themselves.
MAX_RELEASE_S = 8.0
END_FADE = 256

Curve = NDArray[np.float64]


def articulate(voice: Voice, pitched: Looped, n: int) -> Looped:
    """Give a voice's pitched sample its filter and tremolo; level, pan and volume envelope come later.

    Args:
        voice: what to play.
        pitched: the sample at `SAMPLE_RATE`, from `bent`.
        n: wanted length in samples.

    Returns:
        n samples, or less where the sample ends; a loop that neither filter nor tremolo moves stays one.
    """
    cents, tremolo = cutoff_cents(voice, n), voice.playback.tremolo
    trembles = bool(voice.tremolo_to_volume_db) and tremolo.delay_s * SAMPLE_RATE <= n
    if pitched.n_loop and not trembles and not np.ptp(cents):
        n_cents = _n_controls(len(pitched.samples))
        return Looped(low_passed(pitched.samples, cents[:1].repeat(n_cents), voice.resonance_db), pitched.n_loop)
    samples = pitched.extended(n)
    filtered = low_passed(samples, cents[: _n_controls(len(samples))], voice.resonance_db)
    if not trembles:
        return Looped(filtered)
    n = len(filtered)
    return Looped(filtered * _to_samples(10 ** (voice.tremolo_to_volume_db * oscillation(tremolo, n) / 20), n))


def decoded_length(playback: Playback, n: int) -> int:
    """Return how many samples of a sample n samples of sound may reach, rounded up to a power of two."""
    reach = playback.start + int(n * playback.speed / SAMPLE_RATE * MAX_BEND) + MARGIN + 8
    if playback.loop:
        reach = min(reach, playback.loop[1])
    return 1 << (reach - 1).bit_length()


def bent(playback: Playback, source: Samples, n: int) -> Looped:
    """Play a sample at its pitch, with the bends that oscillators and envelope give it.

    Args:
        playback: what to play.
        source: the first `decoded_length` samples of the sample, or all of it, (m,) float32.
        n: wanted length in samples at `SAMPLE_RATE`.

    Returns:
        n samples, less where the sample ends before, or a loop that can be extended to as many.
    """
    part = source[playback.start : len(source) + playback.end]
    loop = None
    if playback.loop and playback.loop[1] <= len(source):  # else so little is decoded that the loop is not reached
        loop = max(playback.loop[0] - playback.start, 0), playback.loop[1] - playback.start
    stretch = SAMPLE_RATE / playback.speed
    bend = pitch_cents(playback, n)
    if np.max(np.abs(bend), initial=0.0) < MIN_BEND_CENTS:
        return play(part, loop, stretch, n)
    # Twice the rate, so that interpolation is exact over the audible band.
    speed = _to_samples(2.0 ** (bend / 1200), n).astype(np.float64)
    positions = 2 * (np.cumsum(speed) - speed[0])
    n_doubled = int(positions[-1]) + 4
    doubled = play(part, loop, 2 * stretch, n_doubled).extended(n_doubled)
    return Looped(warp(doubled, positions[: np.searchsorted(positions, len(doubled))]))


def pitch_cents(playback: Playback, n: int) -> Curve:
    """Return the bend of the pitch over n samples, a value each `CONTROL_HOP`."""
    bend = np.zeros(_n_controls(n))
    if playback.vibrato_to_pitch_cents:
        bend += playback.vibrato_to_pitch_cents * oscillation(playback.vibrato, n)
    if playback.tremolo_to_pitch_cents:
        bend += playback.tremolo_to_pitch_cents * oscillation(playback.tremolo, n)
    if playback.envelope_to_pitch_cents:
        bend += playback.envelope_to_pitch_cents * modulation_level(playback.modulation, n)
    return bend


def cutoff_cents(voice: Voice, n: int) -> Curve:
    """Return the filter's cutoff over n samples, a value each `CONTROL_HOP`."""
    cents = np.full(_n_controls(n), float(voice.cutoff_cents))
    if voice.envelope_to_cutoff_cents:
        cents += voice.envelope_to_cutoff_cents * modulation_level(voice.playback.modulation, n)
    if voice.tremolo_to_cutoff_cents:
        cents += voice.tremolo_to_cutoff_cents * oscillation(voice.playback.tremolo, n)
    return np.clip(cents, LOWEST_CUTOFF_CENTS, HIGHEST_CUTOFF_CENTS)


def oscillation(lfo: Lfo, n: int) -> Curve:
    """Return a triangle between -1 and 1 over n samples, a value each `CONTROL_HOP`."""
    turns = np.maximum(np.arange(_n_controls(n)) * CONTROL_STEP_S - lfo.delay_s, 0) * lfo.frequency_hz
    return 1 - np.abs((turns + 0.25) % 1 - 0.5) * 4


def modulation_level(envelope: Envelope, n: int) -> Curve:
    """Return the modulation envelope, 0 to 1, of a held note over n samples, a value each `CONTROL_HOP`."""
    since = np.arange(_n_controls(n)) * CONTROL_STEP_S - envelope.delay_s
    falling = (since - envelope.attack_s - envelope.hold_s) / max(envelope.decay_s, CONTROL_STEP_S)
    level = np.clip(1 - falling, envelope.sustain, 1)
    if envelope.attack_s > 0:
        rising = np.clip(since / envelope.attack_s, 1e-9, 1)
        level = np.where(rising < 1, np.maximum(1 + 40 / ENVELOPE_RANGE_DB * np.log10(rising), 0), level)
    return np.where(since < 0, 0.0, level)


def volume_gain(envelope: Envelope, n: int) -> Samples:
    """Return the volume envelope of a held note as (n,) float32 gain, 0 to 1: linear rise, exponential fall."""
    delay, attack, hold = _stage_lengths(envelope)
    gain = np.ones(n, dtype=np.float32)
    rising, falling = gain[delay : delay + attack], gain[delay + attack + hold :]
    gain[:delay] = 0
    rising[:] = np.arange(1, len(rising) + 1, dtype=np.float32) / np.float32(max(attack, 1))
    falling[:] = np.maximum(_exponential(envelope.decay_s, len(falling)), np.float32(_level(envelope.sustain)))
    return gain


@lru_cache(maxsize=64)
def release_gain(release_s: float) -> Samples:
    """Return the fall after a note's end, from 1 to zero, as float32 gain; `release_s` is for the whole range."""
    gain = _exponential(release_s, release_length(release_s))
    fade_out(gain)
    gain.setflags(write=False)
    return gain


def release_length(release_s: float) -> int:
    """Return the length of `release_gain` in samples."""
    return int(min(release_s * INAUDIBLE_DB / ENVELOPE_RANGE_DB, MAX_RELEASE_S) * SAMPLE_RATE) + 1


def audible_length(envelope: Envelope) -> int | None:
    """Return after how many samples a held note has died away; None where it sustains."""
    fall_db = ENVELOPE_RANGE_DB * (1 - envelope.sustain)
    if fall_db < INAUDIBLE_DB:
        return None
    seconds = envelope.delay_s + envelope.attack_s + envelope.hold_s
    return int((seconds + envelope.decay_s * INAUDIBLE_DB / ENVELOPE_RANGE_DB) * SAMPLE_RATE) + 1


def moving_length(envelope: Envelope) -> int:
    """Return after how many samples, at least 1, the volume of a held note no longer changes."""
    delay, attack, hold = _stage_lengths(envelope)
    if envelope.sustain == 1:
        return delay + attack + 1
    decay = math.ceil(max(envelope.decay_s * SAMPLE_RATE, 1.0) * (1 - envelope.sustain))
    return delay + attack + hold + decay + 1


def _stage_lengths(envelope: Envelope) -> tuple[int, int, int]:
    """Return delay, attack and hold in samples."""
    delay, attack, hold = (
        round(seconds * SAMPLE_RATE) for seconds in (envelope.delay_s, envelope.attack_s, envelope.hold_s)
    )
    return delay, attack, hold


def fade_out(samples: Samples) -> None:
    """Bring the last samples of (..., n) to zero, in place: few of a click's, which is hardly longer than the fade."""
    n = min(END_FADE, -(-samples.shape[-1] // 8))
    if n:
        samples[..., -n:] *= np.linspace(1, 0, n, dtype=np.float32)


def low_passed(samples: Samples, cents: Curve, resonance_db: float) -> Samples:
    """Filter (n,) float32 with two poles whose cutoff follows `cents` (a value each `CONTROL_HOP`)."""
    quality = 10 ** ((resonance_db - 3.01) / 20)
    gain = 1 / np.sqrt(quality)
    if resonance_db < 1 and np.min(cents, initial=HIGHEST_CUTOFF_CENTS) >= HIGHEST_CUTOFF_CENTS:
        return samples * np.float32(gain)
    steps = np.round(cents / CUTOFF_STEP_CENTS)
    firsts = np.concatenate([[0], np.flatnonzero(np.diff(steps)) + 1])
    b, a = _low_pass(steps[firsts] * CUTOFF_STEP_CENTS, quality, gain)
    bounds = [*(firsts * CONTROL_HOP).tolist(), len(samples)]
    filtered = np.empty_like(samples)
    state = np.zeros(2)
    for i, (start, stop) in enumerate(pairwise(bounds)):
        # float64 within: at low cutoffs a float32 filter's own noise is heard.
        part = samples[start:stop].astype(np.float64)
        filtered[start:stop], state = scipy.signal.lfilter(b[i], a[i], part, zi=state)
    return filtered


def _low_pass(cents: Curve, quality: float, gain: float) -> tuple[Curve, Curve]:
    """Return (k, 3) numerators and denominators for k cutoffs."""
    hertz = np.minimum(8.176 * 2 ** (cents / 1200), 0.45 * SAMPLE_RATE)
    omega = 2 * np.pi * hertz / SAMPLE_RATE
    alpha = np.sin(omega) / (2 * quality)
    rise = gain * (1 - np.cos(omega))
    b = np.stack([rise / 2, rise, rise / 2], axis=1)
    a = np.stack([1 + alpha, -2 * np.cos(omega), 1 - alpha], axis=1)
    return b / a[:, :1], a / a[:, :1]


def _n_controls(n: int) -> int:
    return -(-n // CONTROL_HOP)


def _to_samples(curve: Curve, n: int) -> Samples:
    """Draw straight lines through a value each `CONTROL_HOP`; what follows the last one stays there."""
    rise = np.diff(curve, append=curve[-1:])
    return (curve[:, None] + rise[:, None] * HOP_RAMP).reshape(-1)[:n].astype(np.float32)


def _level(value: float) -> float:
    return float(10 ** (-ENVELOPE_RANGE_DB * (1 - value) / 20))


def _exponential(fall_s: float, n: int) -> Samples:
    """Fall from 1 by the envelope's range in `fall_s`."""
    octaves = ENVELOPE_RANGE_DB / 20 * np.log2(10) / max(fall_s * SAMPLE_RATE, 1.0)
    # A product of two short falls: powers are dear.
    hops, within = (
        np.exp2(-octaves * CONTROL_HOP * np.arange(_n_controls(n))),
        np.exp2(-octaves * np.arange(CONTROL_HOP)),
    )
    return np.outer(hops.astype(np.float32), within.astype(np.float32)).reshape(-1)[:n]
