"""FM voices: pairs of sines, the second one moving the phase of the first.

Source: J. Chowning, "The Synthesis of Complex Audio Spectra by Means of Frequency Modulation", 1973.
"""

import numpy as np

from musicgen.composer.sound.resampling import Samples
from musicgen.composer.sound.synthesis.curves import clock, falling, level, to_samples
from musicgen.composer.sound.synthesis.oscillators import BLOCK, CYCLE, Phase, sine
from musicgen.composer.sound.synthesis.spectra import TOP_HZ
from musicgen.composer.sound.synthesis.voice import FmPair, FmVoice

CYCLES_A_RADIAN = 1 / (2 * np.pi)
# The depth halves in so many semitones above middle C: high bars and bells are struck to a simpler tone.
HALVING_SEMITONES, MIDDLE_C = 18, 60
# Side bands beyond the index and this many more are too weak to be heard.
SPARE_SIDE_BANDS = 3


def play_fm(voice: FmVoice, pitch: int, velocity: int, n: int, held_s: float) -> Samples:
    """Play a note for n samples; pairs that would sound above the top of the band are left out.

    Returns:
        (1, n) float32, about as loud as full scale.
    """
    hertz = 440 * 2 ** ((pitch - 69) / 12)
    played = np.zeros((1, n), dtype=np.float32)
    brightness = (1 - voice.velocity_to_index) + voice.velocity_to_index * velocity / 127
    brightness *= 2 ** (-max(pitch - MIDDLE_C, 0) / HALVING_SEMITONES)
    for pair in voice.pairs:
        if pair.ratio * hertz < TOP_HZ:
            _add_pair(played[0], pair, hertz, pair.index * brightness, n)
    envelope = level(voice.amplitude, clock(n), held_s)
    for start in range(0, n, BLOCK):
        stop = min(start + BLOCK, n)
        played[:, start:stop] *= to_samples(envelope, start, stop)
    return played


def _add_pair(played: Samples, pair: FmPair, hertz: float, index: float, n: int) -> None:
    """Add a pair to (n,) samples, its depth limited to what fits below the top of the band."""
    seconds = clock(n)
    room = (TOP_HZ - pair.ratio * hertz) / (pair.modulator_ratio * hertz) - SPARE_SIDE_BANDS
    fall = pair.index_sustain + (1 - pair.index_sustain) * falling(seconds, pair.index_decay_s)
    depth = max(min(index, room), 0.0) * CYCLES_A_RADIAN * fall
    loudness = 10 ** (pair.level_db / 20) * (falling(seconds, pair.decay_s) if pair.decay_s else np.ones(len(seconds)))
    carrier, modulator = Phase(pair.ratio * hertz), Phase(pair.modulator_ratio * hertz)
    wave = sine()
    for start in range(0, n, BLOCK):
        stop = min(start + BLOCK, n)
        moved = wave.read(modulator.between(start, stop)) * to_samples(depth, start, stop)
        phase = carrier.between(start, stop) + (moved * np.float32(CYCLE)).astype(np.int64).astype(np.uint32)
        played[start:stop] += wave.read(phase) * to_samples(loudness, start, stop)
