"""The slow curves of a note: level, pitch, filter. Pure functions of numbers; a value each `CONTROL_HOP` samples.

`to_samples` draws them out.
"""

import numpy as np
from numpy.typing import NDArray

from musicgen.composer.sound.articulation import CONTROL_HOP, SAMPLE_RATE
from musicgen.composer.sound.resampling import Samples
from musicgen.composer.sound.synthesis.voice import Amplitude, LowPass, PitchMotion

Curve = NDArray[np.float64]
# Nobody can tell two cutoffs apart that are nearer than this: what creeps towards its goal has arrived.
LEAST_MOTION_OCTAVES = 0.01
# Velocity at which `velocity_octaves` leaves the filter where it is: a calm melody's.
PLAIN_VELOCITY = 88
FALL_DB = 60.0


def clock(n: int) -> Curve:
    """Return the seconds at which a note of n samples has its control points, the last one at or after its end."""
    return np.arange(-(-n // CONTROL_HOP) + 1, dtype=np.float64) * (CONTROL_HOP / SAMPLE_RATE)


def falling(since_s: Curve, fall_s: float) -> Curve:
    """Fall from 1 at zero seconds, to a thousandth in `fall_s`."""
    return np.asarray(10 ** (-FALL_DB / 20 * np.maximum(since_s, 0) / fall_s))


def level(amplitude: Amplitude, seconds: Curve, held_s: float) -> Curve:
    """Return the level of a note, 0 to 1, while it is held."""
    fallen = falling(seconds - amplitude.attack_s, amplitude.decay_s)
    shape = np.minimum(seconds / amplitude.attack_s, 1) * (amplitude.sustain + (1 - amplitude.sustain) * fallen)
    swell_db = amplitude.swell_db * (_progress(seconds, held_s) - 1)
    return np.asarray(shape * 10 ** (swell_db / 20))


def bend_octaves(pitch: PitchMotion, seconds: Curve, held_s: float) -> Curve:
    """Return how far, in octaves, the pitch is from the note that is played."""
    semitones = pitch.drop_semitones * falling(seconds, pitch.drop_s)
    semitones += pitch.rise_semitones * (_progress(seconds, held_s) - 1)
    if pitch.vibrato_cents:
        fade = np.minimum(seconds / max(pitch.vibrato_delay_s, 1e-3), 1) ** 2
        semitones += pitch.vibrato_cents / 100 * fade * np.sin(2 * np.pi * pitch.vibrato_hz * seconds)
    return semitones / 12


def cutoff_octaves(filter_: LowPass, velocity: int, pitch: int, seconds: Curve, held_s: float) -> Curve:
    """Return where the filter's cutoff is, in octaves above `cutoff_hz`."""
    rest = filter_.key_tracking * (pitch - 60) / 12 + filter_.velocity_octaves * (velocity - PLAIN_VELOCITY) / 127
    rising = np.minimum(seconds / filter_.attack_s, 1)
    envelope = filter_.envelope_octaves * rising * falling(seconds - filter_.attack_s, filter_.decay_s)
    envelope[(np.abs(envelope) < LEAST_MOTION_OCTAVES) & (seconds > filter_.attack_s)] = 0
    swing = filter_.lfo_octaves * np.sin(2 * np.pi * filter_.lfo_hz * seconds)
    rise = filter_.rise_octaves * (_progress(seconds, held_s) - 1)
    return np.asarray(rest + envelope + swing + rise)


def to_samples(curve: Curve, start: int, stop: int) -> Samples:
    """Draw a curve straight between its points, from sample `start`, a multiple of the hop, to `stop`.

    Returns:
        (stop - start,) float32.
    """
    first, last = start // CONTROL_HOP, -(-stop // CONTROL_HOP)
    points = curve[first : last + 1].astype(np.float32)
    share = np.arange(CONTROL_HOP, dtype=np.float32) / np.float32(CONTROL_HOP)
    drawn: Samples = points[:-1, None] + np.diff(points)[:, None] * share
    return drawn.ravel()[: stop - start]


def _progress(seconds: Curve, held_s: float) -> Curve:
    return np.minimum(seconds / held_s, 1)
