"""Wave voices: oscillators through a filter and a drive, in unison.

A filter that moves is a table with a cycle for each cutoff, a semitone apart: the wave is read between the rows.

Legend: n samples, r rows (cutoffs), k harmonics, m samples of a cycle.
"""

import math

import numpy as np

from musicgen.composer.sound.resampling import Samples
from musicgen.composer.sound.synthesis import spectra
from musicgen.composer.sound.synthesis.curves import Curve, bend_octaves, clock, cutoff_octaves, level, to_samples
from musicgen.composer.sound.synthesis.oscillators import BLOCK, Phase, Wavetable
from musicgen.composer.sound.synthesis.voice import WaveVoice

# The copies begin a golden section of a cycle apart, so that no two of them begin together.
GOLDEN = (math.sqrt(5) - 1) / 2
# Copies stand closer to the middle than to the outermost two.
DETUNE_CURVE = 1.4
# Cutoffs a semitone apart are near enough to be blended.
ROWS_AN_OCTAVE = 12
# A filter that moves by less within a block stands still.
STILL_ROWS = 1e-3


def play_wave(voice: WaveVoice, pitch: int, velocity: int, n: int, held_s: float) -> Samples:
    """Play a note for n samples.

    Returns:
        (1 or 2, n) float32, about as loud as full scale.
    """
    seconds = clock(n)
    hertz = 440 * 2 ** ((pitch - 69) / 12) * 2 ** bend_octaves(voice.pitch, seconds, held_s)
    places = np.linspace(-1, 1, voice.unison) if voice.unison > 1 else np.zeros(1)
    ratios = 2 ** (voice.detune_cents / 1200 * np.sign(places) * np.abs(places) ** DETUNE_CURVE)
    table, rows, octave = _table(voice, pitch, velocity, seconds, held_s)
    phases = [
        Phase(hertz * (ratio * 2.0**octave), begin=(index * GOLDEN) % 1) for index, ratio in enumerate(ratios.tolist())
    ]
    sides = _sides(places, voice.spread)
    envelope = level(voice.amplitude, seconds, held_s)
    played = np.zeros((sides.shape[0], n), dtype=np.float32)
    for start in range(0, n, BLOCK):
        stop = min(start + BLOCK, n)
        row = _row_between(rows, start, stop)
        block = played[:, start:stop]
        for phase, gains in zip(phases, sides.T, strict=True):
            block += gains[:, None] * table.read(phase.between(start, stop), row)
        block *= to_samples(envelope, start, stop)
    return played


def _table(voice: WaveVoice, pitch: int, velocity: int, seconds: Curve, held_s: float) -> tuple[Wavetable, Curve, int]:
    """Return the voice's cycles, the row that is heard at each control point, and the octave of their fundamental."""
    octave = min(oscillator.octave for oscillator in voice.oscillators)
    fundamental_hz = 440 * 2 ** ((pitch - 69) / 12 + octave)
    k = spectra.n_harmonics(fundamental_hz * _highest_ratio(voice))
    spectrum = spectra.mixed(voice, k)
    cycles = spectrum[None]
    rows = np.zeros(len(seconds))
    if voice.low_pass:
        steps = cutoff_octaves(voice.low_pass, velocity, pitch, seconds, held_s) * ROWS_AN_OCTAVE
        # Rows lie on a fixed grid, so that longer notes begin as shorter ones.
        lowest = math.floor(steps.min())
        grid = np.arange(lowest, math.ceil(steps.max()) + 1, dtype=np.float64)
        cutoffs_hz: Curve = voice.low_pass.cutoff_hz * np.exp2(grid / ROWS_AN_OCTAVE)
        harmonics_hz = np.arange(k + 1, dtype=np.float64) * fundamental_hz
        cycles = np.multiply(spectrum, spectra.response(voice.low_pass, harmonics_hz, cutoffs_hz))
        rows = steps - lowest
    drawn = spectra.draw(cycles, spectra.cycle_length(k))
    return Wavetable(spectra.driven(drawn, voice.drive, k) if voice.drive else drawn), rows, octave


def _highest_ratio(voice: WaveVoice) -> float:
    """Return how far above its note, as a frequency ratio, the highest copy of a voice may come."""
    bend_cents = 100 * max(voice.pitch.drop_semitones, 0) + voice.pitch.vibrato_cents
    return float(2 ** ((bend_cents + voice.detune_cents) / 1200))


def _row_between(rows: Curve, start: int, stop: int) -> Samples | float:
    """Return the row for every sample, or one for all of them where the filter stands still."""
    row = to_samples(rows, start, stop)
    lowest, highest = float(row.min()), float(row.max())
    return lowest if highest - lowest < STILL_ROWS else row


def _sides(places: Curve, spread: float) -> Samples:
    """Return the gains of the copies as (1, copies), or (2, copies) where they are spread, all of equal power."""
    gain = 1 / math.sqrt(len(places))
    if not spread or len(places) == 1:
        return np.full((1, len(places)), gain, dtype=np.float32)
    # Every second copy, counted from outside, changes sides: each side hears low and high ones.
    from_outside = np.minimum(np.arange(len(places)), np.arange(len(places))[::-1])
    angles = (spread * places * np.where(from_outside % 2, -1, 1) + 1) * np.pi / 4
    return np.asarray(gain * math.sqrt(2) * np.stack([np.cos(angles), np.sin(angles)]), dtype=np.float32)
