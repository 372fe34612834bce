"""Synthesised notes: in tune, without aliases, clicks or a constant part, and the same bits every time."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import scipy.signal
from numpy.typing import NDArray

from musicgen.composer.instruments import PERCUSSION, all_instruments
from musicgen.composer.sound.articulation import CONTROL_HOP, INAUDIBLE_DB, SAMPLE_RATE
from musicgen.composer.sound.synthesis.curves import clock, to_samples
from musicgen.composer.sound.synthesis.fm_voice import play_fm
from musicgen.composer.sound.synthesis.noise_voice import shift_register
from musicgen.composer.sound.synthesis.oscillators import Phase
from musicgen.composer.sound.synthesis.rendering import render
from musicgen.composer.sound.synthesis.voice import FmVoice, Kit, WaveVoice
from musicgen.composer.sound.synthesis.voice_file import all_voices, follows_length
from musicgen.composer.sound.synthesis.wave_voice import play_wave

SECOND = SAMPLE_RATE
PITCHED = [name for name, voice in all_voices().items() if isinstance(voice, WaveVoice) and not follows_length(name)]
INSTRUMENTS = [i.voice for i in all_instruments().values() if i.voice and not i.is_drum_kit]
NOT_DRUMS = [name for name, voice in all_voices().items() if not isinstance(voice, Kit)]


def hertz_of(pitch: int) -> float:
    return 440 * 2 ** ((pitch - 69) / 12)


def steady(voice: WaveVoice) -> WaveVoice:
    """Give a voice one copy at one pitch and level, so that its spectrum is that of its wave."""
    still = replace(voice.pitch, vibrato_cents=0.0, drop_semitones=0.0)
    held = replace(voice.amplitude, sustain=1.0, swell_db=0.0)
    low_pass = voice.low_pass and replace(voice.low_pass, lfo_octaves=0.0)
    return replace(voice, unison=1, pitch=still, amplitude=held, low_pass=low_pass)


def note(name: str, pitch: int = 48, velocity: int = 96, n_held: int = SECOND) -> NDArray[np.float64]:
    """Play a note to its end, (2, n) float64."""
    parts = render(name, pitch, velocity, n_held)
    total = np.zeros((2, max(part.samples.shape[1] for part in parts)))
    for part in parts:
        gain = np.zeros(part.samples.shape[1])
        gain[:n_held] = 1
        released = gain[n_held : n_held + len(part.release)]
        released[:] = part.release[: len(released)]
        total[:, : len(gain)] += part.samples * gain
    return total


def power_spectrum(samples: NDArray[np.float32], n: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    window = scipy.signal.get_window("blackmanharris", len(samples))
    return np.fft.rfftfreq(n, 1 / SAMPLE_RATE), np.abs(np.fft.rfft(samples * window, n)) ** 2


@pytest.mark.parametrize("pitch", [33, 45, 60, 72])
@pytest.mark.parametrize("name", PITCHED)
def test_waves_are_in_tune(name: str, pitch: int) -> None:
    """The fundamental is where the loudest bin near it is; detuned copies lie evenly around it."""
    voice = all_voices()[name]
    assert isinstance(voice, WaveVoice)
    lowest = min(oscillator.octave for oscillator in voice.oscillators)
    samples = play_wave(steady(voice), pitch, 96, 3 * SECOND, 3.0)[0][SECOND:]
    hertz, power = power_spectrum(samples, 2**19)
    expected = hertz_of(pitch + 12 * lowest)
    near = np.flatnonzero(np.abs(1200 * np.log2(np.maximum(hertz, 1) / expected)) < 80)
    assert 1200 * np.log2(hertz[near[power[near].argmax()]] / expected) == pytest.approx(0, abs=2)


@pytest.mark.parametrize("pitch", [29, 60, 84, 96, 105])
@pytest.mark.parametrize("name", PITCHED)
def test_nothing_sounds_between_the_harmonics(name: str, pitch: int) -> None:
    voice = all_voices()[name]
    assert isinstance(voice, WaveVoice)
    lowest = min(oscillator.octave for oscillator in voice.oscillators)
    samples = play_wave(steady(voice), pitch, 127, 5 * SECOND, 5.0)[0][4 * SECOND :]
    hertz, power = power_spectrum(samples, len(samples))
    fundamental = hertz_of(pitch + 12 * lowest)
    away = np.abs(hertz - np.rint(hertz / fundamental) * fundamental) > 6
    assert 10 * np.log10(power[away].max() / power.max()) < -75


def test_a_bell_stays_below_the_top_of_the_band() -> None:
    voice = all_voices()["fm_bell"]
    assert isinstance(voice, FmVoice)
    for pitch in (84, 96, 108):
        samples = play_fm(voice, pitch, 127, SECOND, 1.0)[0][2000:]
        hertz, power = power_spectrum(samples, len(samples))
        assert 10 * np.log10(power[hertz > 21_000].max() / power.max()) < -60


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_a_note_begins_and_ends_without_a_click(name: str) -> None:
    """Neither end has more treble than the note itself, or so little that it is masked."""
    samples = note(name, pitch=41, n_held=SECOND)[0]
    assert abs(samples[0]) < 1e-3
    assert abs(samples[-1]) < 1e-3
    sections = scipy.signal.butter(6, 14_000, "high", fs=SAMPLE_RATE, output="sos")
    treble = np.abs(scipy.signal.sosfilt(sections, np.concatenate([np.zeros(500), samples, np.zeros(500)])))
    loudest = np.abs(samples).max()
    held = treble[1500:SECOND].max()
    assert treble[:502].max() < max(held, 0.003 * loudest)
    assert treble[SECOND + 480 : SECOND + 1500].max() < max(1.5 * held, 0.003 * loudest)


@pytest.mark.parametrize("name", NOT_DRUMS)
def test_there_is_no_constant_part(name: str) -> None:
    samples = note(name, pitch=48, n_held=2 * SECOND)
    assert np.abs(samples.mean(axis=1)).max() < 0.01 * np.abs(samples).max()


@pytest.mark.parametrize("name", list(all_voices()))
def test_a_note_has_the_same_bits_again_and_beside_another_thread(name: str) -> None:
    first = render(name, 38, 101, SECOND)
    with ThreadPoolExecutor(2) as threads:
        others = [threads.submit(render, name, 38, 101, SECOND) for _ in range(2)]
    for again in others:
        for part, other in zip(first, again.result(), strict=True):
            assert part.samples.dtype == np.float32
            assert np.array_equal(part.samples, other.samples)
            assert np.array_equal(part.release, other.release)


@pytest.mark.parametrize("name", [name for name in NOT_DRUMS if not follows_length(name)])
def test_a_longer_note_begins_as_a_shorter_one(name: str) -> None:
    for short, long in zip(render(name, 50, 90, SECOND // 2), render(name, 50, 90, 2 * SECOND), strict=True):
        n = min(SECOND // 2, short.samples.shape[1] - 256)
        assert np.allclose(short.samples[:, :n], long.samples[:, :n], atol=2e-5)


@pytest.mark.parametrize("n_held", [SECOND, 7 * SECOND // 2])
def test_a_riser_is_loudest_and_brightest_where_its_note_ends(n_held: int) -> None:
    samples = note("riser", 60, n_held=n_held)[0, :n_held]
    fifths = np.array_split(samples, 5)
    levels = [float(np.mean(fifth**2)) for fifth in fifths]
    assert levels == sorted(levels)
    assert 10 * np.log10(levels[-1] / levels[0]) > 12
    slopes = [float(np.mean(np.diff(fifth) ** 2) / level) for fifth, level in zip(fifths, levels, strict=True)]
    assert slopes == sorted(slopes)


def test_the_riser_alone_follows_the_length_of_its_note() -> None:
    assert {name for name in all_voices() if follows_length(name)} == {"riser", "riser_noise", "riser_tone"}


def test_what_does_not_sustain_dies_away() -> None:
    for name, fall_s in (("pluck", 1.3), ("bass_808", 5.5)):
        samples = note(name, 36, n_held=8 * SECOND)
        assert samples.shape[1] < (fall_s * INAUDIBLE_DB / 60 + 0.05) * SAMPLE_RATE
        early, late = np.abs(samples[0, :4000]).max(), np.abs(samples[0, -4000:]).max()
        assert 20 * np.log10(late / early) < -50


def test_an_808_falls_to_its_pitch() -> None:
    samples = note("bass_808", 33, n_held=2 * SECOND)[0]
    crossings = np.flatnonzero((samples[:-1] < 0) & (samples[1:] >= 0))
    periods = np.diff(crossings) / SAMPLE_RATE
    assert 1 / periods[0] > 1.3 * hertz_of(33)
    assert 1 / np.mean(periods[20:40]) == pytest.approx(hertz_of(33), rel=0.001)


@pytest.mark.parametrize("name", ["acid_bass", "analog_bass", "pluck", "supersaw", "reese_bass", "fm_bell"])
def test_harder_is_brighter(name: str) -> None:
    centres = []
    for velocity in (40, 80, 120):
        hertz, power = power_spectrum(note(name, 45, velocity)[0, :SECOND].astype(np.float32), SECOND)
        centres.append(float(np.sum(hertz * power) / np.sum(power)))
    assert centres == sorted(centres)
    assert centres[-1] > 1.05 * centres[0]


def test_a_supersaw_is_wide_and_even() -> None:
    left, right = note("supersaw", 60, n_held=3 * SECOND)
    assert np.corrcoef(left, right)[0, 1] < 0.8
    assert 10 * np.log10(np.mean(left**2) / np.mean(right**2)) == pytest.approx(0, abs=1.5)


def test_chip_drums_have_every_percussion_and_ring_out() -> None:
    for voice, key in PERCUSSION.items():
        parts = render("chip_drums", key, 100, 100)
        assert parts, voice
        for part in parts:
            assert part.samples.shape[1] > 1000
            assert np.all(part.release == 1)
            assert np.abs(part.samples).max() > 0.01
    assert render("chip_drums", 27, 100, 100) == ()


def test_the_shift_register_runs_through_all_its_states() -> None:
    bits = shift_register()
    assert len(bits) == 2**15 - 1
    assert int((bits > 0).sum()) == 2**14
    runs = np.diff(np.flatnonzero(np.diff(bits)))
    assert runs.max() <= 15


def test_a_phase_that_moves_goes_on_where_it_was() -> None:
    seconds = clock(3 * CONTROL_HOP * 100)
    phase = Phase(100 + 50 * seconds, begin=0.25)
    whole = phase.between(0, 300 * CONTROL_HOP)
    pieces = [phase.between(i, i + 100 * CONTROL_HOP) for i in range(0, 300 * CONTROL_HOP, 100 * CONTROL_HOP)]
    assert np.array_equal(np.concatenate(pieces), whole)
    t = np.arange(len(whole)) / SAMPLE_RATE
    off = (whole / 2**32 - (0.25 + 100 * t + 25 * t**2) + 0.5) % 1 - 0.5
    assert np.abs(off).max() < 1e-4


def test_curves_are_drawn_straight_between_their_points() -> None:
    curve = np.array([0.0, 1.0, 0.5, 0.5])
    drawn = to_samples(curve, 0, 2 * CONTROL_HOP + 10)
    assert drawn == pytest.approx(np.interp(np.arange(len(drawn)), np.arange(4) * CONTROL_HOP, curve), abs=1e-6)
    assert np.array_equal(to_samples(curve, CONTROL_HOP, 2 * CONTROL_HOP), drawn[CONTROL_HOP : 2 * CONTROL_HOP])


def test_an_unknown_voice_is_named() -> None:
    with pytest.raises(ValueError, match="no synthesised voice 'theremin'"):
        render("theremin", 60, 90, SECOND)
