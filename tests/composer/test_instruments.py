"""Every sampled instrument of the table sounds, and in tune, from its lowest note to its highest."""

from itertools import combinations

import numpy as np
import pytest
from numpy.typing import NDArray

from musicgen.composer.card import SOUND_FONTS
from musicgen.composer.instruments import PERCUSSION, Instrument, all_instruments
from musicgen.composer.score import Note, Part
from musicgen.composer.sound.articulation import SAMPLE_RATE
from musicgen.composer.sound.part_rendering import render_part
from musicgen.composer.sound.sampler import Sampler
from musicgen.composer.style_file import ROLES

SAMPLED = [instrument for instrument in all_instruments().values() if instrument.voice is None]
PITCHED = [instrument for instrument in SAMPLED if not instrument.is_drum_kit]
QUARTER_S = 0.7
N_SAMPLES = int(QUARTER_S * SAMPLE_RATE)
MAX_CENTS = 20
# Where the recording itself wavers by more: many players or singers, a wide vibrato.
WAVERING = {"choir": 30, "pizzicato_strings": 30, "alto_sax": 25}

# What the machine that was recorded did not have.
ABSENT = {"tr808": {"timbale"}}


@pytest.fixture(scope="module")
def sampler() -> Sampler:
    return Sampler(SOUND_FONTS)


def played(instrument: Instrument, pitch: int, sampler: Sampler) -> NDArray[np.float32]:
    note = Note(0, 1, pitch, 90)
    part = Part(instrument.title, instrument.roles[0], instrument.bank, instrument.program, (note,))
    return render_part(part, sampler, QUARTER_S, N_SAMPLES)


def detune_cents(samples: NDArray[np.float32], pitch: int) -> float:
    """Slide a comb of six harmonics past the spectrum, up to 60 cents from where the note should be."""
    n = 2**16
    spectrum = np.abs(np.fft.rfft(samples.sum(axis=0) * np.hanning(samples.shape[1]), n))
    frequency = 440 * 2 ** ((pitch - 69) / 12)
    cents = np.arange(-60, 61)
    harmonics = [k * frequency * 2 ** (cents / 1200) for k in range(1, 7) if k * frequency < 15_000]
    strength = sum(np.interp(places * n / SAMPLE_RATE, np.arange(len(spectrum)), spectrum) for places in harmonics)
    return float(cents[np.argmax(strength)])


@pytest.mark.parametrize("instrument", PITCHED, ids=lambda instrument: instrument.name)
def test_notes_sound_in_tune_over_the_whole_range(instrument: Instrument, sampler: Sampler) -> None:
    for pitch in (instrument.lowest, (instrument.lowest + instrument.highest) // 2, instrument.highest):
        samples = played(instrument, pitch, sampler)
        assert np.abs(samples).max() > 0.03, pitch
        assert abs(detune_cents(samples, pitch)) <= WAVERING.get(instrument.name, MAX_CENTS), pitch


@pytest.mark.parametrize("kit", [i for i in SAMPLED if i.is_drum_kit], ids=lambda kit: kit.name)
def test_a_kit_has_every_drum_that_grids_name(kit: Instrument, sampler: Sampler) -> None:
    heard = {name for name, pitch in PERCUSSION.items() if np.abs(played(kit, pitch, sampler)).max() > 0.01}
    assert heard == set(PERCUSSION) - ABSENT.get(kit.name, set())


def test_no_two_instruments_are_the_same_preset() -> None:
    for one, other in combinations(SAMPLED, 2):
        assert (one.bank, one.program) != (other.bank, other.program)


def test_the_sound_fonts_hold_no_preset_that_nobody_can_ask_for(sampler: Sampler) -> None:
    assert {(instrument.bank, instrument.program) for instrument in SAMPLED} == set(sampler.preset_names())


@pytest.mark.parametrize("instrument", all_instruments().values(), ids=lambda instrument: instrument.name)
def test_the_table_is_sound(instrument: Instrument) -> None:
    assert set(instrument.roles) <= set(ROLES)
    assert len(set(instrument.roles)) == len(instrument.roles) > 0
    assert 0 <= instrument.lowest <= instrument.highest - 12 <= 127 - 12, "folding by octaves needs an octave"
    assert -20 < instrument.level_db < 20
