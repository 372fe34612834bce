"""The whole way from a score to a mix, on the real font."""

import os
from dataclasses import replace

import numpy as np
import pytest

from musicgen.composer.card import SOUND_FONTS
from musicgen.composer.score import DRUM_BANK, MixSettings, Note, Part, Score
from musicgen.composer.sound import mixing
from musicgen.composer.sound.articulation import SAMPLE_RATE
from musicgen.composer.sound.mixing import Band, colour_gain, finished, in_room, kick_onsets, peak_of, place
from musicgen.composer.sound.part_rendering import render_part
from musicgen.composer.sound.sampler import Sampler
from musicgen.notation import Key, TimeSignature

KICK, SNARE = 36, 38


@pytest.fixture(scope="module")
def sampler() -> Sampler:
    return Sampler(SOUND_FONTS)


def score(*parts: Part, duration_s: float = 5.0, **mix: float) -> Score:
    return Score(120.0, Key(0, "major"), TimeSignature(4, 4), duration_s, parts, MixSettings(**mix))


def part(*notes: Note, program: int = 0, bank: int = 0, **place_in_mix: float) -> Part:
    return Part("Part", "drums" if bank else "melody", bank, program, notes, **place_in_mix)


def band(duration_s: float = 6.0, **mix: float) -> Score:
    """Four parts: drums with hats that choke, bass, piano chords, and strings that overlap."""
    random = np.random.default_rng(11)
    beats = np.arange(0, duration_s * 2 - 1, 0.5)
    drums = [
        Note(float(b), 0.2, (KICK, 42, SNARE, 46)[i % 4], int(random.integers(70, 120))) for i, b in enumerate(beats)
    ]
    bass = [Note(float(b), 0.4, 36 + int(random.integers(0, 7)), int(random.integers(80, 110))) for b in beats]
    piano = [Note(float(b), 0.8, 60 + 4 * k, int(random.integers(50, 110))) for b in beats[::2] for k in range(3)]
    strings = [Note(float(b), 4.5, 62 + 5 * k, 70) for b in beats[::8] for k in range(2)]
    return score(
        part(*drums, bank=DRUM_BANK, reverb_db=-20),
        part(*bass, program=33, gain_db=-2, reverb_db=-40),
        part(*piano, pan=-0.4, gain_db=-4),
        part(*strings, program=48, pan=0.3, gain_db=-8, reverb_db=-6),
        duration_s=duration_s,
        **mix,
    )


def render(piece: Score, sampler: Sampler, seed: int = 1) -> np.ndarray:
    band = Band(piece, piece.parts, sampler)
    sums = list(in_room(band.play(band.windows), piece.mix.reverb_s))
    colour = colour_gain(piece.mix, peak_of(sums))
    mix = np.concatenate(list(finished(sums, piece.mix, band.n_samples, colour, seed)), axis=1)
    assert mix.dtype == np.float32
    assert np.isfinite(mix).all()
    return mix


def level_db(samples: np.ndarray) -> float:
    return float(10 * np.log10(np.mean(samples.astype(np.float64) ** 2) + 1e-20))


@pytest.mark.parametrize("duration_s", [5.0, 5.00001, 7.777777, 12.3456])
def test_a_mix_is_as_long_as_asked_to_the_sample(sampler: Sampler, duration_s: float) -> None:
    mix = render(score(part(Note(0, 1, 60, 90)), duration_s=duration_s), sampler)
    assert mix.shape == (2, round(duration_s * SAMPLE_RATE))


def test_the_bits_are_the_same_on_one_thread_and_on_two_cold_and_warm(
    sampler: Sampler, monkeypatch: pytest.MonkeyPatch
) -> None:
    piece = band(duration_s=3.2, tape=0.5, crackle_db=-45, sidechain_db=6, brightness_db=2)
    first = render(piece, Sampler(SOUND_FONTS))
    render(band(duration_s=5.0), sampler)  # fills the store with other lengths of the same notes
    assert np.array_equal(render(piece, sampler), first)
    assert np.array_equal(render(piece, sampler), first)
    assert np.array_equal(render(piece, Sampler(SOUND_FONTS, budget_bytes=1_000_000)), first)
    for count in (1, 2, 5):
        monkeypatch.setattr(os, "cpu_count", lambda count=count: count)
        assert np.array_equal(render(piece, sampler), first)


def test_only_tape_and_crackle_hear_the_seed(sampler: Sampler) -> None:
    assert np.array_equal(render(band(), sampler, seed=1), render(band(), sampler, seed=2))
    lofi = band(tape=0.5, crackle_db=-40)
    assert not np.array_equal(render(lofi, sampler, seed=1), render(lofi, sampler, seed=2))


def test_stems_add_up_to_the_mix(sampler: Sampler) -> None:
    piece = band(sidechain_db=6, brightness_db=1.5)
    kicks = piece.parts[0]
    silent_drums = replace(kicks, gain_db=-400)  # the side-chain hears them still
    stems = [render(replace(piece, parts=(kicks,)), sampler)]
    stems += [render(replace(piece, parts=(silent_drums, other)), sampler) for other in piece.parts[1:]]
    assert np.allclose(sum(stems), render(piece, sampler), atol=2e-5)


def test_without_notes_there_is_silence(sampler: Sampler) -> None:
    assert not np.any(render(score(), sampler))
    assert not np.any(render(score(part(), sidechain_db=6, tape=1), sampler))


def test_a_mix_has_no_dc_begins_without_a_click_and_ends_faded(sampler: Sampler) -> None:
    held = score(part(Note(0, 100, 48, 100), program=48), part(Note(0, 0.5, KICK, 120), bank=DRUM_BANK))
    mix = render(held, sampler)
    assert np.abs(mix.mean(axis=1)).max() < 1e-4
    assert np.abs(mix[:, 0]).max() < 0.01
    assert level_db(mix[:, -200:]) < level_db(mix[:, 2 * SAMPLE_RATE : 3 * SAMPLE_RATE]) - 60
    assert np.abs(mix[:, -1]).max() < 1e-9


@pytest.mark.parametrize(("pan", "difference_db"), [(-1.0, np.inf), (-0.5, 7.66), (0.0, 0.0), (0.5, -7.66)])
def test_pan_is_of_equal_power(sampler: Sampler, pan: float, difference_db: float) -> None:
    note = Note(0, 4, 48, 90)
    dry = {"program": 33, "reverb_db": -200.0}
    centre = render(score(part(note, **dry)), sampler)
    left, right = render(score(part(note, pan=pan, **dry)), sampler)
    assert level_db(left) + level_db(right) > -400
    assert level_db(np.stack([left, right])) == pytest.approx(level_db(centre), abs=0.01)
    if np.isinf(difference_db):
        assert np.abs(right).max() < 1e-6
    else:
        assert level_db(left) - level_db(right) == pytest.approx(difference_db, abs=0.05)


def test_gain_is_exact(sampler: Sampler) -> None:
    bus = render_part(part(Note(0, 1, 60, 90)), sampler, 0.5, SAMPLE_RATE)
    louder = place(bus.copy(), part(gain_db=6.0), None)
    assert np.allclose(louder, bus * 10 ** (6 / 20), rtol=1e-5)


def test_the_send_sets_how_much_room_is_heard(sampler: Sampler) -> None:
    def room_after_the_note(reverb_db: float) -> float:
        mix = render(score(part(Note(0, 0.5, SNARE, 110), bank=DRUM_BANK, reverb_db=reverb_db), reverb_s=2.5), sampler)
        return level_db(mix[:, SAMPLE_RATE : 2 * SAMPLE_RATE])

    assert room_after_the_note(-6) - room_after_the_note(-26) == pytest.approx(20, abs=1)


def test_the_kick_ducks_the_others_and_lets_them_go(sampler: Sampler) -> None:
    pad = part(Note(0, 20, 60, 90), program=16, reverb_db=-200)
    kicks = part(*(Note(b, 0.2, KICK, 100) for b in (2.0, 6.0)), bank=DRUM_BANK, gain_db=-400, reverb_db=-200)
    ducked, plain = (render(score(kicks, pad, sidechain_db=depth), sampler) for depth in (12, 0))

    def gain_db(second: float) -> float:
        span = slice(round(second * SAMPLE_RATE), round((second + 0.01) * SAMPLE_RATE))
        return level_db(ducked[:, span]) - level_db(plain[:, span])

    assert gain_db(0.5) == pytest.approx(0, abs=0.1)
    assert gain_db(1.0) == pytest.approx(-12, abs=2)
    assert -9 < gain_db(1.1) < -4
    assert gain_db(1.6) == pytest.approx(0, abs=0.1)
    assert gain_db(3.0) == pytest.approx(-12, abs=2)


def test_the_drums_are_not_ducked(sampler: Sampler) -> None:
    kicks = part(*(Note(b, 0.2, KICK, 100) for b in range(6)), bank=DRUM_BANK)
    assert np.array_equal(render(score(kicks, sidechain_db=12), sampler), render(score(kicks), sampler))


def test_only_drum_parts_have_kicks() -> None:
    piece = score(part(Note(0, 1, KICK, 90)), part(Note(3, 1, 35, 90), Note(1, 1, KICK, 90), bank=DRUM_BANK))
    assert kick_onsets(piece).tolist() == [SAMPLE_RATE // 2, 3 * SAMPLE_RATE // 2]


def test_brightness_lifts_the_top_alone(sampler: Sampler) -> None:
    hats = part(*(Note(b / 2, 0.2, 42, 100) for b in range(18)), part_of_kit := Note(0, 0.2, KICK, 100), bank=DRUM_BANK)
    assert part_of_kit in hats.notes
    spectra = [np.abs(np.fft.rfft(render(score(hats, brightness_db=g), sampler)[0])) ** 2 for g in (0, 4)]
    hertz = np.fft.rfftfreq(2 * len(spectra[0]) - 2, 1 / SAMPLE_RATE)
    lifted_db = [
        10 * np.log10(spectra[1][band].sum() / spectra[0][band].sum())
        for band in ((hertz > 50) & (hertz < 1000), (hertz > 13_000) & (hertz < 18_000))
    ]
    assert lifted_db == [pytest.approx(0, abs=0.2), pytest.approx(4, abs=0.3)]


def test_rumble_is_cut(sampler: Sampler) -> None:
    mix = render(score(part(*(Note(b, 0.5, KICK, 120) for b in range(9)), bank=DRUM_BANK)), sampler)
    spectrum = np.abs(np.fft.rfft(mix[0])) ** 2
    hertz = np.fft.rfftfreq(mix.shape[1], 1 / SAMPLE_RATE)
    assert 10 * np.log10(spectrum[hertz < 12].sum() / spectrum.sum()) < -30


def test_a_missing_preset_is_named(sampler: Sampler) -> None:
    with pytest.raises(ValueError, match=r"there is no preset for bank 0, program 127 in general-mid\.sf3 and "):
        render(score(part(Note(0, 1, 60, 90), program=127)), sampler)


def test_a_mix_is_heard_in_windows_of_the_reverbs_size() -> None:
    assert mixing.WINDOW % mixing.PUMP_HOP == 0
