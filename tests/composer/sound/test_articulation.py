"""Envelopes, oscillators and the filter, against what their numbers promise."""

import numpy as np
import pytest

from musicgen.composer.sound.articulation import (
    CONTROL_HOP,
    SAMPLE_RATE,
    audible_length,
    low_passed,
    modulation_level,
    moving_length,
    oscillation,
    release_gain,
    volume_gain,
)
from musicgen.composer.sound.resampling import Samples
from musicgen.composer.sound.voicing import Envelope, Lfo

HELD = Envelope(delay_s=0, attack_s=0, hold_s=0, decay_s=0.1, sustain=1, release_s=0.5)


def db(amplitude: float) -> float:
    return 20 * float(np.log10(amplitude))


def gain_at(cents: float, resonance_db: float, frequency_hz: float) -> float:
    """Measure in dB how loud a sine leaves the filter."""
    n = 40_000
    sine = np.sin(2 * np.pi * frequency_hz * np.arange(n) / SAMPLE_RATE).astype(np.float32)
    filtered = low_passed(sine, np.full(-(-n // CONTROL_HOP), cents), resonance_db)
    return db(float(np.sqrt(2 * np.mean(filtered[n // 2 :] ** 2))))


def test_the_volume_envelope_goes_through_its_stages() -> None:
    envelope = Envelope(delay_s=0.01, attack_s=0.02, hold_s=0.05, decay_s=0.96, sustain=0.75, release_s=1)
    gain = volume_gain(envelope, SAMPLE_RATE)
    at = [int(SAMPLE_RATE * seconds) for seconds in (0.005, 0.02, 0.05, 0.18, 0.9)]
    assert [float(gain[i]) for i in at[:3]] == [0, pytest.approx(0.5, abs=0.01), 1]
    assert db(gain[at[3]]) == pytest.approx(-10, abs=0.1), "96 dB in 0.96 s, for a tenth of a second"
    assert db(gain[at[4]]) == pytest.approx(-24, abs=0.1), "three quarters of 96 dB"


@pytest.mark.parametrize("attack_s", [0.0, 0.01, 0.017, 0.0170068, 0.3])
@pytest.mark.parametrize("decay_s", [0.0, 0.001, 0.5])
@pytest.mark.parametrize("sustain", [0.0, 0.965, 1.0])
def test_an_envelope_has_moved_where_it_is_said_to_stand_still(attack_s: float, decay_s: float, sustain: float) -> None:
    envelope = Envelope(0.01, attack_s, 0.003, decay_s, sustain, release_s=1)
    n = moving_length(envelope)
    gain = volume_gain(envelope, n + 1000)
    assert np.ptp(gain[n - 1 :]) == pytest.approx(0, abs=2e-5)


def test_a_plain_envelope_is_one() -> None:
    assert np.all(volume_gain(HELD, 1000) == 1)


def test_the_release_falls_evenly_and_ends_in_silence() -> None:
    gain = release_gain(0.5)
    assert gain[0] == 1
    assert db(gain[SAMPLE_RATE // 10]) == pytest.approx(-96 / 5, abs=0.05)
    assert gain[-1] == 0
    assert np.all(np.diff(gain) <= 0)
    assert len(release_gain(100.0)) < 9 * SAMPLE_RATE


def test_what_decays_to_nothing_has_an_end() -> None:
    assert audible_length(HELD) is None
    n = audible_length(Envelope(0, 0, 0, decay_s=1.0, sustain=0, release_s=1))
    assert n is not None
    assert db(volume_gain(Envelope(0, 0, 0, 1.0, 0, 1), n + 1)[n]) == pytest.approx(-60, abs=0.1)


def test_the_modulation_envelope_rises_and_decays_to_its_sustain() -> None:
    level = modulation_level(Envelope(0.1, 0.2, 0.1, 1.0, 0.4, 1), 2 * SAMPLE_RATE)
    at = [round(seconds * SAMPLE_RATE / CONTROL_HOP) for seconds in (0.05, 0.2, 0.35, 0.65, 1.9)]
    assert level[at[0]] == 0
    assert 0.8 < level[at[1]] < 0.95, "convex: half the time is most of the way"
    assert level[at[2]] == 1
    assert level[at[3]] == pytest.approx(0.75, abs=0.01)
    assert level[at[4]] == pytest.approx(0.4)


def test_an_oscillator_waits_and_then_rises_first() -> None:
    wave = oscillation(Lfo(delay_s=0.5, frequency_hz=2), 2 * SAMPLE_RATE)
    at = [round(seconds * SAMPLE_RATE / CONTROL_HOP) for seconds in (0.3, 0.625, 0.875, 1.0)]
    assert np.allclose(wave[at], [0, 1, -1, 0], atol=0.02)


@pytest.mark.parametrize("resonance_db", [0, 6, 20])
def test_the_filter_cuts_above_its_cutoff_and_resonates_at_it(resonance_db: float) -> None:
    cents = 1200 * np.log2(1000 / 8.176)
    below, at, above = (gain_at(cents, resonance_db, hertz) for hertz in (60, 1000, 8000))
    assert below == pytest.approx(1.5 - resonance_db / 2, abs=0.1), "half the resonance is taken off the whole"
    assert at - below == pytest.approx(resonance_db - 3, abs=0.2)
    assert above - below < -34


def test_an_open_filter_is_only_a_gain() -> None:
    samples = np.random.default_rng(1).standard_normal(5000).astype(np.float32)
    opened = low_passed(samples, np.full(79, 13_500.0), 0)
    assert np.allclose(opened, samples * 10 ** (1.505 / 20), atol=1e-4)


def test_a_moving_cutoff_makes_no_clicks() -> None:
    n = SAMPLE_RATE
    sine: Samples = np.sin(2 * np.pi * 220 * np.arange(n) / SAMPLE_RATE).astype(np.float32)
    swept = low_passed(sine, np.linspace(4000, 11_000, -(-n // CONTROL_HOP)), 3)
    spectrum = np.abs(np.fft.rfft(swept * np.hanning(n)))
    assert db(float(spectrum[2000:].max() / spectrum.max())) < -70
