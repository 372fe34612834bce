"""The sampler against FluidSynth, where that is installed: the same notes, as loud and of the same colour."""

import shutil

import pytest

from benchmarks.sampler_vs_fluidsynth import compare
from musicgen.composer.card import SOUND_FONT
from musicgen.composer.sound.sampler import Sampler

pytestmark = pytest.mark.skipif(shutil.which("fluidsynth") is None, reason="needs the fluidsynth command")


@pytest.mark.parametrize(("bank", "program"), [(0, 0), (0, 48), (128, 0)])
def test_notes_sound_as_fluidsynth_plays_them(bank: int, program: int) -> None:
    difference = compare(Sampler(SOUND_FONT), SOUND_FONT, bank, program)
    # FluidSynth takes off 0.3 dB for controllers that a MIDI file cannot set higher than 127 of 128.
    assert difference.level_db == pytest.approx(0.35, abs=0.3)
    assert abs(difference.worst_level_db) < 1.5
    assert difference.bands_db < 0.5
    assert difference.bands_90_percent_db < 3
    assert abs(difference.release_db) < 1
