"""What one region of a SoundFont plays for one key and velocity, in seconds, hertz, decibels and cents.

Owns the meaning of generators and modulators. Does not touch samples.
Source: SoundFont Technical Specification 2.04, chapters 8 and 9; where synthesizers differ (scale of the attenuation
generator, reach of the envelopes) the behaviour of FluidSynth 2.3, observed from outside.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from musicgen.composer.sound.soundfont import ATTENUATION, Modulator, Region, SampleHeader

# Envelopes fall by this much over their nominal decay or release time.
ENVELOPE_RANGE_DB = 96.0
# E-mu's chips, for which the fonts were made, take 0.4 of the attenuation that a zone writes.
ATTENUATION_SCALE = 0.4
# Samples in one step of the coarse address offsets.
COARSE = 32_768
# A time of -12000 timecents (1 ms) is the format's way to write "none".
NO_TIME = -12000
# Steps of a modulator's source: keys and velocities are numbers of seven bits.
SOURCE_RANGE = 128
LOWEST_CUTOFF_CENTS, HIGHEST_CUTOFF_CENTS = 1500.0, 13500.0
_VELOCITY, _KEY = 2, 3
_CONCAVE, _CONVEX, _SWITCH = 1, 2, 3
_ABSOLUTE = 2


@dataclass(frozen=True, slots=True)
class Envelope:
    """A six-stage envelope; times in seconds, `sustain` 0 (floor) to 1 (peak).

    `decay_s` and `release_s` are the times of a fall over the whole range.
    """

    delay_s: float
    attack_s: float
    hold_s: float
    decay_s: float
    sustain: float
    release_s: float


@dataclass(frozen=True, slots=True)
class Lfo:
    """A triangle that starts at zero, rising, after its delay."""

    delay_s: float
    frequency_hz: float


@dataclass(frozen=True, slots=True)
class Playback:
    """One sample at one pitch: what comes before any filter, level or place.

    Attributes:
        sample: index in the font.
        start: first sample that is played, in the sample's own samples.
        end: where it stops, counted back from the sample's end (0 or less).
        loop: start and end of the loop in the sample's own samples, None where it plays once.
        speed: samples of the sample for each second of sound.
        vibrato, tremolo: the font's vibrato and modulation oscillators.
        modulation: the modulation envelope.
        *_to_pitch_cents: how far they bend the pitch.
    """

    sample: int
    start: int
    end: int
    loop: tuple[int, int] | None
    speed: float
    vibrato: Lfo
    tremolo: Lfo
    modulation: Envelope
    vibrato_to_pitch_cents: float
    tremolo_to_pitch_cents: float
    envelope_to_pitch_cents: float


@dataclass(frozen=True, slots=True)
class Voice:
    """What one region plays for one key and velocity.

    Attributes:
        playback: the sample at its pitch.
        attenuation_cb: level below full scale at this velocity, centibels, 0 or more.
        pan: -1 left to 1 right.
        cutoff_cents, resonance_db: of the low-pass filter, cents above 8.176 Hz.
        volume: envelope of the level.
        tremolo_to_cutoff_cents, envelope_to_cutoff_cents: how far oscillator and modulation envelope move the filter.
        tremolo_to_volume_db: how far the oscillator moves the level.
    """

    playback: Playback
    attenuation_cb: float
    pan: float
    cutoff_cents: float
    resonance_db: float
    volume: Envelope
    tremolo_to_cutoff_cents: float
    envelope_to_cutoff_cents: float
    tremolo_to_volume_db: float


def voice_of(region: Region, header: SampleHeader, key: int, velocity: int) -> Voice:
    """Work out what a region plays for a key and a velocity."""
    values = _moved(region, key, velocity)
    at = values.get
    return Voice(
        playback=_playback(values, region.sample, header, key),
        attenuation_cb=attenuation_cb(region, key, velocity),
        pan=min(max(at(17, 0) / 500, -1.0), 1.0),
        cutoff_cents=values[8],
        resonance_db=min(max(at(9, 0) / 10, 0.0), 96.0),
        volume=_envelope(values, 33, key),
        tremolo_to_cutoff_cents=at(10, 0),
        envelope_to_cutoff_cents=at(11, 0),
        tremolo_to_volume_db=at(13, 0) / 10,
    )


def _playback(values: Mapping[int, float], sample: int, header: SampleHeader, key: int) -> Playback:
    at = values.get
    loop_start = header.loop_start + int(at(2, 0) + COARSE * at(45, 0))
    loop_end = header.loop_end + int(at(3, 0) + COARSE * at(50, 0))
    return Playback(
        sample=sample,
        start=max(int(at(0, 0) + COARSE * at(4, 0)), 0),
        end=min(int(at(1, 0) + COARSE * at(12, 0)), 0),
        loop=(loop_start, loop_end) if at(54, 0) in (1, 3) and loop_end > loop_start >= 0 else None,
        speed=header.sample_rate * 2.0 ** (_pitch_cents(values, header, key) / 1200),
        vibrato=Lfo(_seconds(values[23]), _hertz(at(24, 0))),
        tremolo=Lfo(_seconds(values[21]), _hertz(at(22, 0))),
        modulation=_envelope(values, 25, key),
        vibrato_to_pitch_cents=at(6, 0),
        tremolo_to_pitch_cents=at(5, 0),
        envelope_to_pitch_cents=at(7, 0),
    )


def attenuation_cb(region: Region, key: int, velocity: int) -> float:
    """Return a region's level below full scale in centibels; what would be louder than full scale is 0."""
    moves = (_amount(m, key, velocity) for m in region.modulators if m.destination == ATTENUATION)
    return max(ATTENUATION_SCALE * region.generators.get(ATTENUATION, 0) + sum(moves), 0.0)


def _moved(region: Region, key: int, velocity: int) -> Mapping[int, float]:
    """Return the generators with the modulators' amounts added."""
    values: dict[int, float] = dict(region.generators)
    for modulator in region.modulators:
        values[modulator.destination] = values.get(modulator.destination, 0) + _amount(modulator, key, velocity)
    return values


def _pitch_cents(values: Mapping[int, float], header: SampleHeader, key: int) -> float:
    root = values[58] if values[58] >= 0 else header.root_pitch
    return (key - root) * values[56] + 100 * values.get(51, 0) + values.get(52, 0) + header.correction_cents


def _envelope(values: Mapping[int, float], first: int, key: int) -> Envelope:
    """Read the six generators from number `first` on, and the two after them that bend hold and decay by key."""
    delay, attack, hold, decay = (values[first + i] for i in range(4))
    above = 60 - key
    return Envelope(
        delay_s=_seconds(delay),
        attack_s=_seconds(attack),
        hold_s=_seconds(hold + above * values.get(first + 6, 0)),
        decay_s=_seconds(decay + above * values.get(first + 7, 0)),
        sustain=1.0 - min(max(values.get(first + 4, 0), 0.0), 1000.0) / 1000,
        release_s=2.0 ** (min(max(values[first + 5], -7200.0), 8000.0) / 1200),
    )


def _amount(modulator: Modulator, key: int, velocity: int) -> float:
    primary = _source(modulator.source, key, velocity)
    secondary = _source(modulator.amount_source, key, velocity) if modulator.amount_source else 1.0
    amount = modulator.amount * primary * secondary
    return abs(amount) if modulator.transform == _ABSOLUTE else amount


def _source(bits: int, key: int, velocity: int) -> float:
    """Return a modulator source's value, -1 to 1; everything but key and velocity is at rest, at zero.

    A source of seven bits reaches 127/128 of its range, as the specification draws it and FluidSynth plays it.
    """
    number = bits & 0xFF
    if number not in (_VELOCITY, _KEY):
        return 0.0
    share = (velocity if number == _VELOCITY else key) / SOURCE_RANGE
    if bits & 0x100:
        share = 1 - share
    curve = bits >> 10
    if not bits & 0x200:
        return _curve(curve, share)
    return math.copysign(_curve(curve, abs(2 * share - 1)), 2 * share - 1)


def _curve(curve: int, share: float) -> float:
    if curve == _CONCAVE:
        return 1 - _convex(1 - share)
    if curve == _CONVEX:
        return _convex(share)
    if curve == _SWITCH:
        return float(share >= 0.5)
    return share


def _convex(share: float) -> float:
    """Rise steeply, then level off: the straight line of a square law in decibels."""
    if share <= 0:
        return 0.0
    return max(0.0, 1 + 40 / ENVELOPE_RANGE_DB * math.log10(share))


def _seconds(timecents: float) -> float:
    if timecents <= NO_TIME:
        return 0.0
    return 2.0 ** (min(timecents, 8000.0) / 1200)


def _hertz(cents: float) -> float:
    return 8.176 * 2.0 ** (min(max(cents, -16000.0), 4500.0) / 1200)
