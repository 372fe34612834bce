"""The sound at its extremes: silence, one note, everything at once, the slowest and the fastest, and nasty mixes.

Judged by independent measures: pyloudnorm for loudness, a polyphase filter for the true peak.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pyloudnorm
import pytest
import scipy.signal
from numpy.typing import NDArray

from musicgen.composer.card import SOUND_FONTS
from musicgen.composer.composition import compose
from musicgen.composer.engine import ComposerEngine
from musicgen.composer.score import DRUM_BANK, MixSettings, Note, Part, Score
from musicgen.composer.sound.articulation import SAMPLE_RATE
from musicgen.composer.sound.mastering import CEILING_DB, TARGET_LUFS, find_level, master
from musicgen.composer.sound.part_rendering import WINDOW
from musicgen.composer.sound.rendering import TrackAudio
from musicgen.composer.sound.sampler import Sampler
from musicgen.engine import EngineSettings
from musicgen.loudness import LoudnessMeter
from musicgen.notation import Key, TimeSignature
from musicgen.options import MAX_TEMPO, MIN_DURATION_S, MIN_TEMPO, GenerationOptions

Sound = NDArray[np.float32]

# Two interpolation filters differ by this much, dB.
PEAK_TOLERANCE_DB = 0.05
SECONDS_AT_ONCE = 10
# Of the independent measure: three times as long as the meter's own, and of another window.
STEEP = scipy.signal.firwin(2 * 120 + 1, 1 / 4, window=("kaiser", 8.0))


@pytest.fixture(scope="module")
def sampler() -> Sampler:
    return Sampler(SOUND_FONTS)


@pytest.fixture(scope="module")
def engine() -> ComposerEngine:
    engine = ComposerEngine()
    engine.load(EngineSettings())
    return engine


def score_of(parts: Sequence[Part], duration_s: float = 6.0, tempo: float = 120.0, **mix: float) -> Score:
    settings = replace(MixSettings(), **mix)
    return Score(tempo, Key.parse("C major"), TimeSignature.parse("4/4"), duration_s, tuple(parts), settings)


def played(score: Score, sampler: Sampler) -> tuple[Sound, LoudnessMeter]:
    audio = TrackAudio(score, sampler, 1)
    samples = np.concatenate(list(audio.blocks(lambda _: None)), axis=1)
    assert samples.shape == (2, audio.n_samples)
    return samples, audio.meter


def true_peak_db(samples: Sound) -> float:
    """Measure the true peak by four times oversampling, some seconds at a time."""
    step = SECONDS_AT_ONCE * SAMPLE_RATE
    peak = 1e-9
    for start in range(0, samples.shape[1], step):
        piece = samples[:, max(start - 200, 0) : start + step + 200].astype(np.float64)
        peak = max(peak, float(np.abs(scipy.signal.resample_poly(piece, 4, 1, axis=1, window=STEEP)).max(initial=0.0)))
    return float(20 * np.log10(peak))


def loudness(samples: Sound) -> float:
    return float(pyloudnorm.Meter(SAMPLE_RATE).integrated_loudness(samples.T.astype(np.float64)))


def assert_clean(samples: Sound) -> None:
    """Assert what holds for every track: finite, under the ceiling, without DC, and no click at either end."""
    assert samples.dtype == np.float32
    assert np.isfinite(samples).all()
    assert true_peak_db(samples) <= CEILING_DB + PEAK_TOLERANCE_DB
    rms = float(np.sqrt(np.mean(samples.astype(np.float64) ** 2)))
    assert np.abs(samples.mean(axis=1, dtype=np.float64)).max() <= 0.003 * rms
    assert not samples[:, [0, -1]].any()
    peak = float(np.abs(samples).max(initial=1e-9))
    for edge in (samples[:, :9], samples[:, -9:]):
        assert np.abs(np.diff(edge)).max() < 0.1 * peak


def one(bank: int, program: int, pitch: int, *, onset: float = 1.0, duration: float = 2.0, velocity: int = 100) -> Part:
    return Part("One", "melody", bank, program, (Note(onset, duration, pitch, velocity),))


@pytest.mark.parametrize("parts", [(), (Part("Nobody", "melody", 0, 0, ()),)])
@pytest.mark.parametrize("duration_s", [MIN_DURATION_S, 70.0])
def test_silence_is_silent(sampler: Sampler, parts: tuple[Part, ...], duration_s: float) -> None:
    samples, meter = played(score_of(parts, duration_s), sampler)
    assert not samples.any()
    assert meter.integrated_loudness() == -np.inf


def test_tape_and_crackle_without_music_stay_finite_and_low(sampler: Sampler) -> None:
    samples, _ = played(score_of((), tape=1.0, crackle_db=-40.0), sampler)
    assert np.isfinite(samples).all()
    assert true_peak_db(samples) <= CEILING_DB + PEAK_TOLERANCE_DB


NOTES = {
    "piano": one(0, 0, 60),
    "its lowest key, softly": one(0, 0, 21, velocity=3),
    "its highest key, hard": one(0, 0, 108, velocity=127),
    "kick": one(DRUM_BANK, 0, 36),
    "a click": one(DRUM_BANK, 0, 32),
    "organ through the whole": one(0, 19, 48, onset=0, duration=100),
    "from before the end on": one(0, 48, 60, onset=11, duration=100),
    "at the first sample": one(0, 81, 60, onset=0),
}


@pytest.mark.parametrize("name", NOTES)
def test_a_single_note_is_clean(sampler: Sampler, name: str) -> None:
    samples, meter = played(score_of([NOTES[name]]), sampler)
    assert samples.any()
    assert_clean(samples)
    ours = meter.integrated_loudness()
    assert ours == pytest.approx(loudness(samples), abs=0.1)
    assert ours < TARGET_LUFS + 0.3


@pytest.mark.parametrize("tempo", [MIN_TEMPO, MAX_TEMPO])
@pytest.mark.parametrize("prompt", ["drum and bass", "lofi hip hop", "string quartet"])
def test_the_shortest_piece_at_extreme_tempi_is_clean(engine: ComposerEngine, prompt: str, tempo: float) -> None:
    options = GenerationOptions(prompt, duration=MIN_DURATION_S, seed=5, tempo=tempo)
    waveform = engine.generate(options, lambda *_: None).audio.collect()
    assert waveform.n_samples == round(MIN_DURATION_S * SAMPLE_RATE)
    assert_clean(waveform.samples)
    assert loudness(waveform.samples) == pytest.approx(TARGET_LUFS, abs=0.5)


def pad(program: int, *pitches: int, seconds: float) -> Part:
    """Hold a chord through the whole piece."""
    return Part("Pad", "pad", 0, program, tuple(Note(0, 2 * seconds, pitch, 90) for pitch in pitches))


def test_no_click_where_windows_meet(sampler: Sampler) -> None:
    """Held low tones: between windows, the sound must be as smooth as elsewhere."""
    samples, _ = played(score_of([pad(89, 36, 43, 48, seconds=12.0), pad(48, 36, 43, seconds=12.0)], 12.0), sampler)
    rough = np.abs(scipy.signal.sosfilt(scipy.signal.butter(6, 12_000, "high", fs=SAMPLE_RATE, output="sos"), samples))
    reach = 2048
    roughest = rough[:, : rough.shape[1] // reach * reach].reshape(2, -1, reach).max(axis=(0, 2))[2:-4]
    seams = [
        rough[:, seam - 64 : seam + 1024].max() for seam in range(WINDOW, samples.shape[1] - SAMPLE_RATE, WINDOW // 4)
    ]
    assert len(seams) > 20
    assert max(seams) < 2 * np.percentile(roughest, 95)


def everything(duration_s: float) -> Score:
    """Three bands at once, a quarter louder each, at the tempo of the first."""
    prompts = ("epic orchestral film music", "drum and bass", "metal with distorted guitars")
    scores = [compose(GenerationOptions(p, duration=duration_s, seed=2, tempo=MAX_TEMPO)).score for p in prompts]
    parts = [replace(part, gain_db=part.gain_db + 6) for score in scores for part in score.parts]
    return replace(scores[0], parts=tuple(parts))


def test_everything_at_once_is_clean(sampler: Sampler) -> None:
    samples, meter = played(everything(8.0), sampler)
    assert_clean(samples)
    assert meter.integrated_loudness() == pytest.approx(loudness(samples), abs=0.1)
    assert loudness(samples) == pytest.approx(TARGET_LUFS, abs=0.5)


@pytest.mark.slow
def test_everything_at_once_for_the_longest_time_is_clean(sampler: Sampler) -> None:
    samples, meter = played(everything(300.0), sampler)
    assert_clean(samples)
    assert meter.integrated_loudness() == pytest.approx(loudness(samples), abs=0.1)
    assert loudness(samples) == pytest.approx(TARGET_LUFS, abs=0.5)


@pytest.mark.parametrize("at_end", [False, True])
def test_a_long_hush_with_one_loud_place_is_clean(sampler: Sampler, at_end: bool) -> None:
    """The loud place lies between the excerpts by which the level is found."""
    seconds = 90.0
    place = 2 * (seconds - 2 if at_end else 45.3)
    notes = tuple(Note(place, 1, pitch, 127) for pitch in range(40, 80, 3))
    parts = [Part("Hush", "pad", 0, 48, (Note(0, 2 * seconds, 60, 20),)), Part("Bang", "comping", 0, 61, notes)]
    samples, _ = played(score_of(parts, seconds), sampler)
    assert_clean(samples)


# Mixes that nobody plays.

N = 6 * SAMPLE_RATE
TIMES = np.arange(N) / SAMPLE_RATE


def both(channel: Sequence[float] | NDArray[np.float64]) -> NDArray[np.float64]:
    return np.stack([np.asarray(channel, dtype=np.float64)] * 2)


def noise(seed: int = 3) -> NDArray[np.float64]:
    return np.random.default_rng(seed).standard_normal((2, N))


def clicks(every: int) -> NDArray[np.float64]:
    train = np.zeros(N)
    train[::every] = 1.0
    train[every // 2 :: every] = -1.0
    return train


def flipping_nyquist() -> NDArray[np.float64]:
    """Alternate as fast as samples can, and stumble now and then: between those two samples it peaks highest."""
    return both(np.where(np.arange(N) % 2, 1.0, -1.0) * np.where(np.arange(N) // 1001 % 2, 1.0, -1.0))


def moved(samples: NDArray[np.float64], hertz: float = 0.5) -> NDArray[np.float64]:
    """Let a sound swell and fade, so that it ends and begins in silence."""
    return samples * np.abs(np.sin(np.pi * hertz * TIMES))


NASTY: dict[str, Callable[[], NDArray[np.float64]]] = {
    "a quarter of the rate, between its samples": lambda: both(np.sin(np.pi * np.arange(N) / 2 + np.pi / 4)),
    "the same, swelling": lambda: moved(both(np.sin(np.pi * np.arange(N) / 2 + np.pi / 4))),
    "a third of the rate": lambda: both(np.sin(2 * np.pi * np.arange(N) / 3 + np.pi / 3)),
    "clicks of one sample": lambda: both(clicks(4410)),
    "clicks and a bed": lambda: both(0.9 * clicks(9000)) + 0.01 * noise(),
    "one click": lambda: both(np.eye(1, N, 3 * SAMPLE_RATE)[0]) + 1e-4 * noise(),
    "square wave": lambda: both(np.sign(np.sin(2 * np.pi * 97 * TIMES))),
    "white noise": noise,
    "white noise, a hundred times too loud": lambda: 100 * noise(),
    "one channel": lambda: noise() * [[1.0], [0.0]],
    "channels upside down": lambda: noise()[:1] * [[1.0], [-1.0]],
    "only upwards": lambda: both(np.maximum(np.sin(2 * np.pi * 220 * TIMES), 0.0)),
    "very quiet": lambda: 1e-5 * noise(),
    "very sparse": lambda: moved(noise()) * (TIMES % 3 < 0.005),
    "loud from the first sample to the last": lambda: both(np.cos(2 * np.pi * 50 * TIMES)),
    "steps from silence": lambda: noise() * (TIMES % 1 < 0.5),
    "sub bass": lambda: both(np.sin(2 * np.pi * 22 * TIMES)),
    "top of the band": lambda: moved(both(np.sin(2 * np.pi * 19_500 * TIMES))),
    "as fast as samples can": flipping_nyquist,
}


def mastered(mix: Sound, n_block: int = WINDOW) -> Sound:
    level, meter = find_level([mix], SAMPLE_RATE), LoudnessMeter(SAMPLE_RATE)
    blocks = [mix[:, start : start + n_block] for start in range(0, mix.shape[1], n_block)]
    return np.concatenate(list(master(blocks, mix.shape[1], level, SAMPLE_RATE, meter)), axis=1)


@pytest.mark.parametrize("name", NASTY)
def test_a_nasty_mix_comes_out_under_the_ceiling(name: str) -> None:
    samples = mastered(NASTY[name]().astype(np.float32))
    assert samples.shape == (2, N)
    assert np.isfinite(samples).all()
    assert not samples[:, [0, -1]].any()
    assert true_peak_db(samples) <= CEILING_DB + PEAK_TOLERANCE_DB
    assert loudness(samples) < TARGET_LUFS + 0.5


def test_a_burst_that_no_excerpt_holds_is_limited_as_well() -> None:
    """The level is found without the burst, 40 dB over the rest."""
    mix = (0.01 * noise()).astype(np.float32)
    level, meter = find_level([mix], SAMPLE_RATE), LoudnessMeter(SAMPLE_RATE)
    mix[:, N // 2 : N // 2 + 3000] *= 100
    samples = np.concatenate(list(master([mix], N, level, SAMPLE_RATE, meter)), axis=1)
    # White noise reaches half the sample rate, where no two filters agree.
    assert true_peak_db(samples) <= CEILING_DB + 0.2


@pytest.mark.parametrize("n_block", [1, 31, 1000])
def test_a_master_is_as_clean_in_blocks_of_any_length(n_block: int) -> None:
    n = 3000 if n_block == 1 else N // 4
    mix = (moved(noise()) + both(clicks(700))).astype(np.float32)[:, N // 4 : N // 4 + n]
    samples = mastered(mix, n_block)
    assert samples.shape == mix.shape
    assert true_peak_db(samples) <= CEILING_DB + PEAK_TOLERANCE_DB
