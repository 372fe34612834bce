"""Tape and crackle: what they change, and what they leave alone."""

from collections.abc import Iterator

import numpy as np
import pytest

from musicgen.composer.sound.colour import crackled, play_from_tape, tape_top

SAMPLE_RATE = 44_100


def sine(level: float, frequency_hz: float = 440.0, seconds: float = 4.0) -> np.ndarray:
    wave = level * np.sin(2 * np.pi * frequency_hz * np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE)
    return np.stack([wave, wave]).astype(np.float32)


def cut(mix: np.ndarray, length: int = 2**15) -> Iterator[np.ndarray]:
    return (mix[:, start : start + length] for start in range(0, mix.shape[1], length))


def from_tape(mix: np.ndarray, amount: float, seed: int = 1, length: int = 2**15) -> np.ndarray:
    return np.concatenate(list(play_from_tape(cut(mix, length), amount, seed, SAMPLE_RATE)), axis=1)


def add_crackle(mix: np.ndarray, level_db: float, seed: int) -> None:
    for _ in crackled(cut(mix), mix.shape[1], level_db, seed, SAMPLE_RATE):
        pass


def test_wow_moves_the_pitch_by_a_few_cents() -> None:
    played = from_tape(sine(0.01), 1.0)[0, 2000:-2000]
    crossings = np.flatnonzero((played[:-1] < 0) & (played[1:] >= 0))
    exact = crossings - played[crossings] / (played[crossings + 1] - played[crossings])
    cents = 1200 * np.log2(SAMPLE_RATE / np.diff(exact) / 440)
    assert 3 < np.abs(cents).max() < 13
    assert abs(cents.mean()) < 2


def test_quiet_sound_keeps_its_level_and_loud_peaks_are_rounded() -> None:
    assert np.abs(from_tape(sine(0.01), 0.8)).max() == pytest.approx(0.01, rel=0.01)
    assert np.abs(from_tape(sine(0.9), 0.8)).max() < 0.75


def test_tape_is_as_long_as_what_it_is_given_and_the_same_however_that_is_cut() -> None:
    mix = sine(0.5)
    assert from_tape(mix, 0.6).shape == mix.shape
    assert np.allclose(from_tape(mix, 0.6, length=10_000), from_tape(mix, 0.6), atol=1e-4)
    assert not np.array_equal(from_tape(mix, 0.6, seed=1), from_tape(mix, 0.6, seed=2))


def test_more_tape_has_less_top() -> None:
    def gain_at_10_khz(amount: float) -> float:
        b, a = tape_top(amount, SAMPLE_RATE)[0, :3], tape_top(amount, SAMPLE_RATE)[0, 3:]
        z = np.exp(-2j * np.pi * 10_000 / SAMPLE_RATE * np.arange(3))
        return float(abs(b @ z / (a @ z)))

    assert gain_at_10_khz(0.1) > 0.85
    assert gain_at_10_khz(1.0) < 0.5


def test_crackle_is_sparse_and_near_its_level() -> None:
    mix = np.zeros((2, 20 * SAMPLE_RATE), dtype=np.float32)
    add_crackle(mix, -40, 5)
    peaks = np.abs(mix).max()
    assert -38 < 20 * np.log10(peaks) < -25
    assert 20 * np.log10(np.sqrt(np.mean(mix**2))) == pytest.approx(-56, abs=2)
    assert np.mean(np.abs(mix) > 0.5 * 10 ** (-40 / 20)) < 0.01


def test_crackle_follows_its_seed() -> None:
    first, again, other = (np.zeros((2, SAMPLE_RATE), dtype=np.float32) for _ in range(3))
    for mix, seed in ((first, 1), (again, 1), (other, 2)):
        add_crackle(mix, -40, seed)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
