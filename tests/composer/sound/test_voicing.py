"""Generators and modulators in seconds, hertz and decibels, on regions written by hand."""

from dataclasses import replace

import pytest

from musicgen.composer.sound.soundfont import (
    ATTENUATION,
    DEFAULT_GENERATORS,
    VELOCITY_TO_ATTENUATION,
    Modulator,
    Region,
    SampleHeader,
)
from musicgen.composer.sound.voicing import attenuation_cb, voice_of

HEADER = SampleHeader("A4", 0, 1000, 100, 400, 22_050, 69, 0, 0x11)


def region(*modulators: Modulator, **generators: int) -> Region:
    """Make a region from generators written g8=..., over the defaults."""
    values = {**DEFAULT_GENERATORS, **{int(name[1:]): value for name, value in generators.items()}}
    return Region((0, 127), (0, 127), 0, values, modulators)


def test_velocity_sets_the_level_by_a_square_law() -> None:
    plain = region(VELOCITY_TO_ATTENUATION)
    assert attenuation_cb(plain, 60, 127) == pytest.approx(1.4, abs=0.1), "seven bits reach 127 of 128"
    assert attenuation_cb(plain, 60, 64) == pytest.approx(120.4, abs=0.1)  # 40 dB x log10(128 / 64)


def test_a_zones_attenuation_counts_four_tenths_and_a_modulators_wholly() -> None:
    by_velocity = Modulator(0x102, ATTENUATION, 128, 0, 0)  # linear, falling
    assert attenuation_cb(region(by_velocity, g48=100), 60, 28) == pytest.approx(40 + 100)
    assert attenuation_cb(region(by_velocity, g48=-1000), 60, 28) == 0, "nothing is louder than full scale"


@pytest.mark.parametrize(("key", "speed"), [(69, 22_050), (81, 44_100), (57, 11_025)])
def test_the_speed_follows_the_key(key: int, speed: float) -> None:
    assert voice_of(region(), HEADER, key, 100).playback.speed == pytest.approx(speed)


def test_tuning_adds_up() -> None:
    tuned = voice_of(region(g51=-12, g52=30), replace(HEADER, correction_cents=-30), 69, 100)
    assert tuned.playback.speed == pytest.approx(11_025)
    drum = voice_of(region(g58=35), HEADER, 35, 100)
    assert drum.playback.speed == pytest.approx(22_050), "a root key set by the zone overrides the sample's"
    untuned = voice_of(region(g56=0), HEADER, 20, 100)
    assert untuned.playback.speed == pytest.approx(22_050), "scale tuning 0 is one pitch for all keys"


def test_envelope_times_are_read_and_bent_by_the_key() -> None:
    volume = voice_of(region(g34=-1200, g35=0, g36=1200, g37=200, g38=-2400, g39=100), HEADER, 48, 100).volume
    assert (volume.delay_s, volume.attack_s) == (0, pytest.approx(0.5))
    assert volume.hold_s == pytest.approx(2), "100 timecents a key, twelve keys below middle C"
    assert volume.decay_s == pytest.approx(2)
    assert volume.sustain == pytest.approx(0.8)
    assert volume.release_s == pytest.approx(0.25)


def test_loops_play_where_the_zone_says_so() -> None:
    assert voice_of(region(), HEADER, 69, 100).playback.loop is None
    assert voice_of(region(g54=1, g2=10, g45=1), HEADER, 69, 100).playback.loop is None, "an empty loop is none"
    assert voice_of(region(g54=1, g3=20), HEADER, 69, 100).playback.loop == (100, 420)


@pytest.mark.parametrize(
    ("source", "key", "velocity", "share"),
    [
        (0x002, 60, 127, 127 / 128),
        (0x102, 60, 127, 1 / 128),
        (0x003, 127, 1, 127 / 128),
        (0x203, 127, 1, 126 / 128),
        (0x203, 64, 1, 0.0),
        (0x203, 0, 1, -1.0),
        (0x303, 0, 1, 1.0),
        (0x402, 60, 127, 0.878),
        (0x402, 60, 64, 0.125),
        (0x802, 60, 64, 0.875),
        (0xC02, 60, 63, 0.0),
        (0xC02, 60, 64, 1.0),
        (0x081, 60, 100, 0.0),
    ],
)
def test_modulator_sources_reach_their_ends(source: int, key: int, velocity: int, share: float) -> None:
    moved = voice_of(region(Modulator(source, 11, 1000, 0, 0)), HEADER, key, velocity)
    assert moved.envelope_to_cutoff_cents == pytest.approx(1000 * share, abs=0.5)


def test_a_second_source_scales_the_first_and_absolute_takes_the_sign() -> None:
    both = voice_of(region(Modulator(0x002, 11, 1000, 0x003, 0)), HEADER, 127, 127)
    assert both.envelope_to_cutoff_cents == pytest.approx(1000 * (127 / 128) ** 2)
    assert voice_of(region(Modulator(0x002, 11, 1000, 0x003, 0)), HEADER, 0, 127).envelope_to_cutoff_cents == 0
    absolute = voice_of(region(Modulator(0x203, 11, 1000, 0, 2)), HEADER, 0, 100)
    assert absolute.envelope_to_cutoff_cents == pytest.approx(1000)
