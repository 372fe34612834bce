"""The real font, read: presets, regions and samples; and files that are no fonts."""

from pathlib import Path

import numpy as np
import pytest

from musicgen.composer.card import SOUND_FONTS
from musicgen.composer.sound.soundfont import ATTENUATION, FULL_RANGE, Modulator, SoundFont, Zone, _combine, _overridden

PIANO, VIOLIN, STANDARD_KIT = (0, 0), (0, 40), (128, 0)
GENERAL_MID = SOUND_FONTS[0]


@pytest.fixture(scope="module")
def font() -> SoundFont:
    return SoundFont(GENERAL_MID)


def test_presets_are_named_by_bank_and_program(font: SoundFont) -> None:
    assert font.preset_names[PIANO] == "Grand Piano"
    assert font.preset_names[STANDARD_KIT] == "Standard"
    assert len(font.preset_names) == 40


def test_a_missing_preset_is_named(font: SoundFont) -> None:
    with pytest.raises(ValueError, match=r"general-mid\.sf3 has no preset for bank 0, program 127"):
        font.regions(0, 127)


def test_every_preset_plays_middle_c_or_a_kick_at_every_velocity_from_3_on(font: SoundFont) -> None:
    for bank, program in font.preset_names:
        pitch = 36 if bank else 60
        regions = [r for r in font.regions(bank, program) if r.keys[0] <= pitch <= r.keys[1]]
        for velocity in range(3, 128):
            assert any(r.velocities[0] <= velocity <= r.velocities[1] for r in regions), (bank, program, velocity)


def test_the_piano_plays_a_stereo_pair_for_a_key(font: SoundFont) -> None:
    struck = [
        r for r in font.regions(*PIANO) if r.keys[0] <= 60 <= r.keys[1] and r.velocities[0] <= 120 <= r.velocities[1]
    ]
    assert sorted(r.generators[17] for r in struck) == [-500, 500]
    assert len({r.sample for r in struck}) == 2


def test_generators_of_preset_and_instrument_add_up() -> None:
    preset = Zone({ATTENUATION: 100, 54: 1, 43: 0x4000}, ())
    instrument = Zone({ATTENUATION: 30, 53: 7, 43: 0x7F20, 44: 0x7F10}, ())
    region = _combine(preset, instrument)
    assert region is not None
    assert region.generators[ATTENUATION] == 130
    assert region.generators[8] == 13500, "what nobody sets has its default"
    assert region.generators.get(54, 0) == 0, "only an instrument may set a loop mode"
    assert (region.keys, region.velocities, region.sample) == ((0x20, 0x40), (0x10, 0x7F), 7)


def test_zones_without_a_common_key_make_no_region() -> None:
    assert _combine(Zone({43: 0x2000}, ()), Zone({43: 0x7F21, 53: 0}, ())) is None


def test_modulators_override_within_a_level_and_add_across() -> None:
    silent, half = Modulator(0x502, ATTENUATION, 0, 0, 0), Modulator(0x502, ATTENUATION, 480, 0, 0)
    cutoff = Modulator(0x102, 8, -2400, 0, 0)
    assert _overridden((half, cutoff), (silent,)) == (silent, cutoff)
    region = _combine(Zone({}, (half,)), Zone({53: 0}, (silent, cutoff)))
    assert region is not None
    assert region.modulators == (half, cutoff)
    assert (region.keys, region.velocities) == (FULL_RANGE, FULL_RANGE)


def test_without_modulators_velocity_still_moves_the_level() -> None:
    region = _combine(Zone({}, ()), Zone({53: 0}, ()))
    assert region is not None
    assert region.modulators == (Modulator(0x502, ATTENUATION, 960, 0, 0),)


def test_the_violins_velocity_curve_is_the_sum_of_its_instruments_and_its_presets(font: SoundFont) -> None:
    curves = {m.amount for r in font.regions(*VIOLIN) for m in r.modulators if m.destination == ATTENUATION}
    assert curves == {800}


def test_a_decoded_sample_is_sound_and_its_beginning_can_be_had_alone(font: SoundFont) -> None:
    index = font.regions(*VIOLIN)[3].sample
    whole = font.decode(index)
    assert whole.dtype == np.float32
    assert whole.ndim == 1
    assert 0.05 < np.abs(whole).max() <= 1.01
    assert np.array_equal(font.decode(index, 4096), whole[:4096])


def test_loops_lie_within_their_samples(font: SoundFont) -> None:
    for region in [r for program in (16, 33, 48, 73, 81) for r in font.regions(0, program)]:
        header = font.samples[region.sample]
        assert header.loop_start < header.loop_end <= len(font.decode(region.sample))


@pytest.mark.parametrize("content", [b"", b"RIFF\x04\0\0\0WAVE", b"not a font at all"])
def test_another_file_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "song.sf3"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"song\.sf3 is not a SoundFont"):
        SoundFont(path)


def test_half_a_font_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "half.sf3"
    path.write_bytes(GENERAL_MID.read_bytes()[:1_000_000])
    with pytest.raises(ValueError, match=r"half\.sf3 is not a whole SoundFont: it lacks phdr"):
        SoundFont(path)
