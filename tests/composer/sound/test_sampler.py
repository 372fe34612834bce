"""Rendered notes of the real font: pitch, level, layers, release, and what the store does to them (nothing)."""

import numpy as np
import pytest

from musicgen.composer.card import SOUND_FONTS
from musicgen.composer.sound import sampler as sampler_module
from musicgen.composer.sound.articulation import SAMPLE_RATE, bent
from musicgen.composer.sound.kept_sound import Sound
from musicgen.composer.sound.resampling import Looped
from musicgen.composer.sound.sampler import CUTOFF_TOLERANCE, Sampler, SoundKey, held_length

PIANO, ORGAN, BASS, STRINGS, SAX, PICCOLO, FLUTE, SAW = 0, 16, 33, 48, 65, 72, 73, 81


@pytest.fixture(scope="module")
def sampler() -> Sampler:
    return Sampler(SOUND_FONTS)


def sounds(sampler: Sampler, program: int, pitch: int, velocity: int, bank: int = 0) -> tuple[Sound, ...]:
    layer = sampler.layer_velocity(bank, program, pitch, velocity)
    made = sampler.sounds(SoundKey(bank, program, pitch, layer, SAMPLE_RATE))
    return tuple(sound.unrolled(SAMPLE_RATE + len(sound.release)) for sound in made)


def held(sound: Sound) -> np.ndarray:
    """Give a sound its envelope; (1 or 2, n) float64."""
    envelope = np.full(sound.samples.shape[1], sound.envelope[-1], dtype=np.float64)
    envelope[: len(sound.envelope)] = sound.envelope
    return sound.samples * envelope


def played(sampler: Sampler, program: int, pitch: int, velocity: int, bank: int = 0) -> np.ndarray:
    """Play a held note; (2, n) float64."""
    parts = sounds(sampler, program, pitch, velocity, bank)
    total = np.zeros((2, max(part.samples.shape[1] for part in parts)))
    for part in parts:
        total[:, : part.samples.shape[1]] += held(part) * part.gains[velocity]
    return total


def fundamental_hz(samples: np.ndarray, near_hz: float) -> float:
    """Return the frequency of the partial that lies nearest to `near_hz`, within a semitone of it."""
    n = len(samples)
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(n), 8 * n))
    frequencies = np.fft.rfftfreq(8 * n, 1 / SAMPLE_RATE)
    low, high = np.searchsorted(frequencies, [near_hz / 1.06, near_hz * 1.06])
    return float(frequencies[low + int(np.argmax(spectrum[low:high]))])


def level_db(samples: np.ndarray) -> float:
    return float(10 * np.log10(np.mean(samples**2) + 1e-20))


@pytest.mark.parametrize("program", [PIANO, BASS, SAX, FLUTE, SAW])
@pytest.mark.parametrize("pitch", [43, 55, 61, 68, 74])
def test_notes_are_in_tune(sampler: Sampler, program: int, pitch: int) -> None:
    expected_hz = 440 * 2 ** ((pitch - 69) / 12)
    samples = played(sampler, program, pitch, 90).sum(axis=0)[4410 : 4410 + 33_000]
    assert 1200 * np.log2(fundamental_hz(samples, expected_hz) / expected_hz) == pytest.approx(0, abs=12)


def test_loudness_follows_every_velocity_of_a_layer_exactly(sampler: Sampler) -> None:
    (organ,) = sounds(sampler, ORGAN, 60, 75)
    assert len(organ.gains) > 4
    low, high = min(organ.gains), max(organ.gains)
    expected_db = 40 * np.log10(high / low) * 800 / 960  # the preset's velocity curve
    assert 20 * np.log10(organ.gains[high] / organ.gains[low]) == pytest.approx(expected_db, abs=0.01)


@pytest.mark.parametrize(("bank", "program", "pitch"), [(0, PIANO, 60), (0, BASS, 40), (0, SAX, 60), (128, 0, 38)])
def test_harder_is_louder_and_brighter(sampler: Sampler, bank: int, program: int, pitch: int) -> None:
    levels, centres = [], []
    for velocity in (30, 60, 90, 120):
        samples = played(sampler, program, pitch, velocity, bank)[0]
        power = np.abs(np.fft.rfft(samples)) ** 2
        levels.append(level_db(samples))
        centres.append(np.sum(power * np.arange(len(power))) / np.sum(power) / len(samples))
    assert np.all(np.diff(levels) > 2)
    assert centres[-1] > centres[0]


def layers_of(sampler: Sampler, program: int, pitch: int) -> list[int]:
    """List the layer of every velocity."""
    layers = [sampler.layer_velocity(0, program, pitch, velocity) for velocity in range(1, 128)]
    assert layers == sorted(layers)
    assert all(sampler.layer_velocity(0, program, pitch, layer) == layer for layer in layers)
    return layers


@pytest.mark.parametrize(("program", "cents"), [(BASS, 4800), (FLUTE, 1200)])
def test_layers_are_so_narrow_that_velocity_moves_the_filter_little_within_one(
    sampler: Sampler, program: int, cents: float
) -> None:
    layers = layers_of(sampler, program, 60)
    widest = max(layers.count(layer) for layer in layers)
    assert 10 <= widest <= 127 * CUTOFF_TOLERANCE / cents


def test_where_velocity_is_only_loudness_all_velocities_share_a_layer(sampler: Sampler) -> None:
    assert set(layers_of(sampler, PICCOLO, 84)) == {64}


def test_a_layer_never_spans_two_recordings(sampler: Sampler) -> None:
    """The piano changes its samples between velocities 107 and 108."""
    assert sampler.layer_velocity(0, PIANO, 60, 107) <= 107 < 108 <= sampler.layer_velocity(0, PIANO, 60, 108)


@pytest.mark.parametrize("velocity", [0, 128, -3])
def test_a_velocity_out_of_range_is_named(sampler: Sampler, velocity: int) -> None:
    with pytest.raises(ValueError, match=f"velocity must be 1 to 127, not {velocity}"):
        sampler.layer_velocity(0, PIANO, 60, velocity)


def test_stereo_instruments_are_stereo_and_centred_ones_are_stored_once(sampler: Sampler) -> None:
    (strings,) = sounds(sampler, STRINGS, 60, 80)
    assert strings.samples.shape[0] == 2
    assert not np.allclose(strings.samples[0], strings.samples[1])
    (bass,) = sounds(sampler, BASS, 40, 80)
    assert bass.samples.shape[0] == 1


def test_a_sustained_sound_lasts_and_a_plucked_one_dies(sampler: Sampler) -> None:
    long = held_length(8 * SAMPLE_RATE)
    (flute,) = sampler.sounds(SoundKey(0, FLUTE, 72, sampler.layer_velocity(0, FLUTE, 72, 90), long))
    assert flute.samples.shape[1] >= long
    early, late = (level_db(held(flute)[:, second * SAMPLE_RATE :][:, :SAMPLE_RATE]) for second in (1, 7))
    assert late == pytest.approx(early, abs=1), "the loop neither swells nor fades"
    (bass,) = sampler.sounds(SoundKey(0, BASS, 40, sampler.layer_velocity(0, BASS, 40, 90), long))
    plucked = held(bass)
    assert level_db(plucked[:, 6 * SAMPLE_RATE :]) < level_db(plucked[:, :SAMPLE_RATE]) - 15


def test_a_key_that_the_preset_leaves_out_is_silent(sampler: Sampler) -> None:
    assert sounds(sampler, 0, 5, 90, bank=128) == ()


def test_a_missing_preset_is_named(sampler: Sampler) -> None:
    with pytest.raises(ValueError, match="no preset for bank 7, program 3"):
        sampler.layer_velocity(7, 3, 60, 90)


def test_every_preset_makes_finite_sound_that_begins_at_once(sampler: Sampler) -> None:
    for bank, program in sampler.preset_names():
        samples = played(sampler, program, 38 if bank else 60, 100, bank)
        assert np.isfinite(samples).all()
        assert np.abs(samples[:, : SAMPLE_RATE // 2]).max() > 0.005, (bank, program)


def test_a_small_store_forgets_and_makes_the_same_bits_again() -> None:
    small, large = Sampler(SOUND_FONTS, budget_bytes=1_000_000), Sampler(SOUND_FONTS)
    keys = [SoundKey(0, STRINGS, pitch, 75, 22_050) for pitch in range(55, 61)]
    first = [small.sounds(key)[0].samples.copy() for key in keys]
    assert small.store.n_bytes <= small.store.budget_bytes
    assert not small.is_ready(keys[0])
    for key, samples in zip(keys, first, strict=True):
        assert np.array_equal(small.sounds(key)[0].samples, samples)
        assert np.array_equal(large.sounds(key)[0].samples, samples)
    assert large.is_ready(keys[0])


def test_the_store_hands_out_what_it_keeps(sampler: Sampler) -> None:
    key = SoundKey(0, FLUTE, 72, sampler.layer_velocity(0, FLUTE, 72, 90), 11_025)
    assert sampler.sounds(key) is sampler.sounds(key)


def test_held_lengths_are_few_and_long_enough() -> None:
    lengths = {held_length(n) for n in range(1, 20 * SAMPLE_RATE, 1000)}
    assert len(lengths) < 14
    assert all(n <= held_length(n) <= max(1.5 * n, SAMPLE_RATE / 4) for n in (1, 5000, 30_000, 500_000))


WARM_PAD, STRINGS = 89, 48


@pytest.mark.parametrize("program", [WARM_PAD, STRINGS])
def test_what_sustains_takes_no_more_memory_for_longer_notes(sampler: Sampler, program: int) -> None:
    layer = sampler.layer_velocity(0, program, 60, 90)
    longer, longest = (sampler.sounds(SoundKey(0, program, 60, layer, n * SAMPLE_RATE)) for n in (40, 80))
    assert all(sound.n_loop for sound in longest)
    assert sum(s.n_bytes for s in longest) == sum(s.n_bytes for s in longer) < 3e6
    for sound, other in zip(longer, longest, strict=True):
        assert np.array_equal(sound.samples, other.samples)


@pytest.mark.parametrize("program", [WARM_PAD, STRINGS])
def test_a_loop_sounds_as_if_all_of_it_had_been_rendered(
    sampler: Sampler, program: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, n = SoundKey(0, program, 60, sampler.layer_velocity(0, program, 60, 90), 20 * SAMPLE_RATE), 20 * SAMPLE_RATE
    looped = sampler.sounds(key)
    monkeypatch.setattr(
        sampler_module, "bent", lambda playback, source, n: Looped(bent(playback, source, n).extended(n))
    )
    whole = Sampler(SOUND_FONTS).sounds(key)
    assert any(sound.n_loop for sound in looped) and not any(sound.n_loop for sound in whole)
    heard, expected = (
        sum(held(s.unrolled(n))[:, :n] * next(iter(s.gains.values())) for s in made) for made in (looped, whole)
    )
    assert np.abs(heard - expected).max() < 10 ** (-80 / 20) * np.abs(expected).max()


def test_pieces_of_a_loop_are_those_of_the_unrolled_sound(sampler: Sampler) -> None:
    layer = sampler.layer_velocity(0, WARM_PAD, 60, 90)
    (sound,) = sampler.sounds(SoundKey(0, WARM_PAD, 60, layer, 60 * SAMPLE_RATE))
    whole = sound.unrolled(50 * SAMPLE_RATE)
    assert not whole.n_loop and whole.unrolled(1) is whole
    end = sound.samples.shape[1]
    for start, stop in ((0, 100), (end - 50, end + 50), (end, end + 1), (30 * SAMPLE_RATE, 40 * SAMPLE_RATE)):
        assert np.array_equal(np.concatenate(list(sound.pieces(start, stop)), axis=1), whole.samples[:, start:stop])
    assert [piece.shape[1] for piece in whole.pieces(50 * SAMPLE_RATE - 10, 50 * SAMPLE_RATE + 10)] == [10]
