"""The sampler against FluidSynth, where that is installed: the same notes, as loud and of the same colour."""

import shutil
from pathlib import Path

import pytest

from benchmarks.sampler_vs_fluidsynth import compare
from musicgen.composer.card import SOUND_FONTS
from musicgen.composer.sound.sampler import Sampler

pytestmark = pytest.mark.skipif(shutil.which("fluidsynth") is None, reason="needs the fluidsynth command")


GENERAL, MORE = SOUND_FONTS


@pytest.fixture(scope="module")
def sampler() -> Sampler:
    return Sampler(SOUND_FONTS)


@pytest.mark.parametrize(
    ("font", "bank", "program"),
    [
        (GENERAL, 0, 0),
        (GENERAL, 0, 48),
        (GENERAL, 128, 0),
        (MORE, 0, 46),
        (MORE, 0, 60),
        (MORE, 8, 24),
        (MORE, 128, 48),
    ],
)
def test_notes_sound_as_fluidsynth_plays_them(font: Path, bank: int, program: int, sampler: Sampler) -> None:
    difference = compare(sampler, font, bank, program)
    # FluidSynth takes off 0.3 dB for controllers that a MIDI file cannot set higher than 127 of 128.
    assert difference.level_db == pytest.approx(0.35, abs=0.3)
    assert abs(difference.worst_level_db) < 1.5
    assert difference.bands_db < 0.5
    assert difference.bands_90_percent_db < 3
    assert abs(difference.release_db) < 1
    assert difference.pitch_cents < 0.5
    assert difference.worst_pitch_cents < 2
