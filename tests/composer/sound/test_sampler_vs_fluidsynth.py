"""The sampler against FluidSynth, where that is installed: a preset of each kind as loud and of the same colour.

All presets, keys and layers: `python -m benchmarks.sampler_vs_fluidsynth`.
"""

import shutil
from pathlib import Path

import numpy as np
import pytest

from benchmarks.fluidsynth import COMMAND
from benchmarks.sampler_vs_fluidsynth import Comparison, compare
from musicgen.composer.card import SOUND_FONTS
from musicgen.composer.sound.sampler import Sampler

pytestmark = pytest.mark.skipif(shutil.which(COMMAND) is None, reason="needs the fluidsynth command")

GENERAL, MORE = SOUND_FONTS
KEY_STEP = 12


@pytest.fixture(scope="module")
def sampler() -> Sampler:
    return Sampler(SOUND_FONTS)


def median(comparison: Comparison, figure: str) -> float:
    """Return the median size of a figure's differences, 0 where nothing could be compared."""
    sizes = comparison.absolute(figure)
    return float(np.median(sizes)) if len(sizes) else 0.0


@pytest.mark.parametrize(
    ("font", "bank", "program"),
    [
        (GENERAL, 0, 0),
        (GENERAL, 0, 48),
        (GENERAL, 0, 33),
        (MORE, 0, 46),
        (MORE, 0, 60),
        (MORE, 8, 24),
        (MORE, 128, 48),
    ],
)
def test_notes_sound_as_fluidsynth_plays_them(font: Path, bank: int, program: int, sampler: Sampler) -> None:
    difference = compare(sampler, font, bank, program, key_step=KEY_STEP)
    assert len(difference.differences["level"]) > 10
    assert median(difference, "level") < 0.3
    # The piano's layers under velocity 10 are the worst: there a step of the filter is a decibel.
    assert np.percentile(difference.absolute("level"), 90) < 2.0
    assert median(difference, "bands") < 0.28
    assert median(difference, "release") < 0.5
    assert median(difference, "sustain") < 0.5
    assert median(difference, "choke") < 0.5
    assert median(difference, "pitch") < 0.5
