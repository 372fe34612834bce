"""Several fonts as one."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from musicgen.composer.card import SOUND_FONTS
from musicgen.composer.sound.sound_bank import SoundBank
from musicgen.composer.sound.soundfont import SoundFont

PIANO, HARP = (0, 0), (0, 46)


@pytest.fixture(scope="module")
def bank() -> SoundBank:
    return SoundBank(SOUND_FONTS)


def test_presets_of_all_files_are_there(bank: SoundBank) -> None:
    fonts = [SoundFont(path) for path in SOUND_FONTS]
    assert len(fonts) > 1
    assert bank.preset_names == {place: name for font in fonts for place, name in font.preset_names.items()}


@pytest.mark.parametrize("place", [PIANO, HARP])
def test_a_preset_plays_the_samples_of_its_own_file(bank: SoundBank, place: tuple[int, int]) -> None:
    font = next(font for font in map(SoundFont, SOUND_FONTS) if place in font.preset_names)
    theirs, ours = font.regions(*place)[-1], bank.regions(*place)[-1]
    assert (ours.keys, ours.velocities, ours.generators) == (theirs.keys, theirs.velocities, theirs.generators)
    assert bank.header(ours.sample) == font.samples[theirs.sample]
    assert np.array_equal(bank.decode(ours.sample, 999), font.decode(theirs.sample, 999))


def test_samples_of_different_files_have_different_numbers(bank: SoundBank) -> None:
    used = [{region.sample for region in bank.regions(*place)} for place in (PIANO, HARP)]
    assert used[0].isdisjoint(used[1])


def test_a_missing_preset_is_named(bank: SoundBank) -> None:
    with pytest.raises(ValueError, match=r"bank 0, program 127 in general-mid\.sf3 and general-more\.sf3"):
        bank.regions(0, 127)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"the sound font rare\.sf3 is missing from "):
        SoundBank([SOUND_FONTS[0], tmp_path / "rare.sf3"])


def test_a_later_file_never_replaces_a_preset() -> None:
    with pytest.raises(ValueError, match=r"both have a preset for bank 0, program 6 \(Harpsichord, Harpsichord\)"):
        SoundBank([SOUND_FONTS[1], SOUND_FONTS[1]])


@pytest.mark.parametrize("path", SOUND_FONTS, ids=lambda path: path.name)
def test_each_file_is_the_one_that_its_provenance_describes(path: Path) -> None:
    provenance = path.with_name("PROVENANCE.md").read_text(encoding="utf-8")
    (heading,) = (line for line in provenance.splitlines() if line.startswith(f"## {path.name}:"))
    assert hashlib.sha256(path.read_bytes()).hexdigest() in heading
    assert path.with_name("COPYRIGHT").is_file()
