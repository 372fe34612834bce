"""Trimming presets: from a font that is there to one that is smaller, and what must survive."""

import io
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import soundfile

from musicgen.composer.card import SOUND_FONTS
from musicgen.composer.sound.sampler import Sampler, SoundKey
from musicgen.composer.sound.soundfont import ATTENUATION, Region, SampleHeader, SoundFont
from musicgen.composer.training.soundfont_writer import PackedPreset, PackedSample, encode, write_soundfont
from musicgen.composer.training.trim_presets import (
    OUT_FILE,
    Wanted,
    main,
    read_wanted,
    trim,
    trimmed_regions,
    trimmed_sample,
)

VIOLIN, KIT = (0, 40), (128, 0)
INFO = {b"isng": "EMU8000", b"INAM": "Trimmed"}
SAMPLE_RATE = 44_100


@pytest.fixture(scope="module")
def source() -> SoundFont:
    return SoundFont(SOUND_FONTS[0])


def header(sample_rate: int = SAMPLE_RATE, loop: tuple[int, int] = (0, 0)) -> SampleHeader:
    return SampleHeader("tone", 0, 0, *loop, sample_rate, 60, 0, 1)


def tone(hertz: float, n: int) -> np.ndarray:
    return np.sin(2 * np.pi * hertz * np.arange(n) / SAMPLE_RATE, dtype=np.float32) * np.float32(0.5)


def test_every_key_keeps_an_answer_and_the_outer_roots_stay(source: SoundFont) -> None:
    regions = trimmed_regions(source, Wanted(*VIOLIN, "Violin", keys=(55, 96), every=3))
    whole = source.regions(*VIOLIN)
    for key in range(128):
        answers = [region for region in regions if region.keys[0] <= key <= region.keys[1]]
        assert {region.velocities for region in answers} == {region.velocities for region in whole}
    reached = {region.sample for region in whole if region.keys[0] <= 96 and region.keys[1] >= 55}
    used = {region.sample for region in regions}
    assert used < reached
    assert len(used) == -(-len(reached) // 3)
    for key in (55, 96):
        assert {r.sample for r in regions if r.keys[0] <= key <= r.keys[1]} == {
            r.sample for r in whole if r.keys[0] <= key <= r.keys[1]
        }


def test_a_kit_is_laid_out_anew_at_the_pitch_it_had(source: SoundFont) -> None:
    moved = trimmed_regions(source, Wanted(*KIT, "Kit", layout={50: (36, 2)}))
    there = [region for region in source.regions(*KIT) if region.keys[0] <= 36 <= region.keys[1]]
    assert [(region.keys, region.sample) for region in moved] == [((50, 50), region.sample) for region in there]
    for now, before in zip(moved, there, strict=True):
        tracked = before.generators[56] / 100 * (36 - 50)
        assert now.generators[51] - before.generators.get(51, 0) == pytest.approx(tracked + 2, abs=0.5)


@pytest.mark.parametrize("length", [100, 147, 5000])
def test_a_dull_loop_is_resampled_to_whole_samples_and_still_runs_through(length: int) -> None:
    hertz = 3 * SAMPLE_RATE / length if length < 1000 else 90 * SAMPLE_RATE / length
    start, end = 4000, 4000 + length
    short, loop, ratio = trimmed_sample(tone(hertz, end + 8), header(loop=(start, end)), True, 4.0)
    assert Fraction(1, 2) <= ratio < 1
    assert loop[1] - loop[0] == length * ratio
    assert len(short) == loop[1] + 64
    # What follows the loop is what it begins with, and both are the tone itself.
    seam = short[loop[1] - 40 : loop[1] + 40] - short[loop[0] - 40 : loop[0] + 40]
    assert np.abs(seam).max() < 2e-3
    expected = 0.5 * np.sin(2 * np.pi * hertz * np.arange(1000, 3000) / (SAMPLE_RATE * float(ratio)))
    assert np.abs(short[1000:3000] - expected[: len(short[1000:3000])]).max() < 2e-3


def test_a_bright_loop_is_left_as_it_is() -> None:
    samples = tone(15_000, 6000)
    short, loop, ratio = trimmed_sample(samples, header(loop=(1000, 5900)), True, 4.0)
    assert (ratio, loop) == (1, (1000, 5900))
    assert np.array_equal(short[:5900], samples[:5900])


def test_a_sound_that_plays_once_is_cut_with_a_fade() -> None:
    short, _, _ = trimmed_sample(tone(9000, 3 * SAMPLE_RATE), header(), False, 1.0)
    assert len(short) == pytest.approx(32_000, abs=2)
    assert np.abs(short[-300:]).max() < 0.01
    assert np.abs(short[:20_000]).max() > 0.49


def test_equal_sounds_give_equal_streams_that_any_reader_takes() -> None:
    samples = tone(440, 100_000)
    stream = encode(samples, SAMPLE_RATE, 0.4)
    assert encode(samples, SAMPLE_RATE, 0.4) == stream
    decoded, rate = soundfile.read(io.BytesIO(stream))
    assert (len(decoded), rate) == (100_000, SAMPLE_RATE)
    assert np.sqrt(np.mean((decoded - samples) ** 2)) < 0.01


def test_a_written_font_reads_as_it_was_meant(tmp_path: Path) -> None:
    stream = encode(tone(261.6, 5000), 22_050, 0.5)
    sample = PackedSample("a tone", stream, (1000, 4000), 22_050, 60, -7)
    region = Region((0, 127), (1, 127), 0, {**dict.fromkeys((54,), 1), ATTENUATION: -30, 58: -1}, ())
    path = tmp_path / "one.sf3"
    write_soundfont(path, INFO, [sample], [PackedPreset(0, 5, "Tone", (region,))])
    font = SoundFont(path)
    assert font.preset_names == {(0, 5): "Tone"}
    (read,) = font.regions(0, 5)
    assert (read.keys, read.velocities) == ((0, 127), (1, 127))
    assert (read.generators[ATTENUATION], read.generators[54]) == (-30, 1)
    assert read.modulators == (), "a region that ignores velocity still does"
    (there,) = font.samples
    assert (there.loop_start, there.loop_end, there.sample_rate, there.root_pitch) == (1000, 4000, 22_050, 60)
    assert there.correction_cents == -7
    assert len(font.decode(0)) == 5000


def test_a_trimmed_preset_sounds_as_its_source(source: SoundFont, tmp_path: Path) -> None:
    path = tmp_path / "violin.sf3"
    write_soundfont(path, INFO, *trim(source, [Wanted(*VIOLIN, "Violin", keys=(60, 72))], 0.6))
    layer = Sampler([path]).layer_velocity(*VIOLIN, 67, 90)
    key = SoundKey(*VIOLIN, 67, layer, SAMPLE_RATE)
    (theirs,), (ours,) = (Sampler([font]).sounds(key) for font in (source.path, path))
    there, here = (sound.samples.astype(float) * sound.gains[90] for sound in (theirs, ours))
    n = min(there.shape[1], here.shape[1])
    assert 10 * np.log10(np.mean(here[:, :n] ** 2) / np.mean(there[:, :n] ** 2)) == pytest.approx(0, abs=0.3)
    assert np.array_equal(ours.envelope, theirs.envelope)


def test_two_presets_share_their_samples(source: SoundFont) -> None:
    wanted = [Wanted(*VIOLIN, "Violin", keys=(60, 62)), Wanted(*VIOLIN, "Again", keys=(60, 62))]
    samples, presets = trim(source, wanted, 0.2)
    assert {r.sample for r in presets[0].regions} == {r.sample for r in presets[1].regions} == set(range(len(samples)))


def test_the_shipped_font_holds_what_the_list_asks_for() -> None:
    about, wanted = read_wanted()
    font = SoundFont(OUT_FILE)
    assert font.preset_names == {(preset.bank, preset.program): preset.name for preset in wanted}
    assert about["info"]["INAM"].encode() in OUT_FILE.read_bytes()[:2000]
    assert OUT_FILE.stat().st_size < 4_500_000
    for place in font.preset_names:
        for region in font.regions(*place):
            there = font.samples[region.sample]
            assert region.generators.get(54, 0) == 0 or there.loop_end - there.loop_start >= 8, place


def test_another_source_is_refused(source: SoundFont, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"general-mid\.sf3 has sha256 893662e.*for MuseScore_General_Full"):
        main(source.path, tmp_path / "out.sf3")
