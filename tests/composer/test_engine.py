"""The engine end to end, judged by ear's stand-ins: librosa for tempo and key, pyloudnorm for loudness."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import librosa
import mido
import numpy as np
import pyloudnorm
import pytest
from numpy.typing import NDArray
from scipy.signal import resample_poly

from musicgen.composer.engine import SAMPLE_RATE, ComposerEngine
from musicgen.engine import EngineSettings, Rendering
from musicgen.errors import GenerationCancelled
from musicgen.notation import Key
from musicgen.options import GenerationOptions
from musicgen.waveform import Waveform

# Krumhansl and Kessler's probe-tone profiles (1982), from the tonic up.
MAJOR_PROFILE = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)
MINOR_PROFILE = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)


@pytest.fixture(scope="module")
def engine() -> ComposerEngine:
    engine = ComposerEngine()
    engine.load(EngineSettings())
    return engine


@dataclass(frozen=True)
class Take:
    rendering: Rendering
    waveform: Waveform


Render = Callable[..., Take]


@pytest.fixture(scope="module")
def render(engine: ComposerEngine) -> Render:
    @cache
    def rendered(prompt: str, duration: float = 15.0, seed: int = 1, **asked: object) -> Take:
        """Render once what several tests listen to."""
        options = GenerationOptions(prompt, duration=duration, seed=seed, **asked)  # type: ignore[arg-type]
        rendering = engine.generate(options, lambda stage, fraction: None)
        return Take(rendering, rendering.audio.collect())

    return rendered


def mono(take: Take) -> NDArray[np.float32]:
    mixed: NDArray[np.float32] = take.waveform.samples.mean(axis=0)
    return mixed


def estimated_tempo_ratio(take: Take) -> float:
    """Ratio of librosa's tempo to the take's, folded into the octave around 1."""
    tempo = librosa.feature.tempo(y=mono(take), sr=SAMPLE_RATE)[0]
    ratio = tempo / take.rendering.tempo
    while ratio > 2**0.5:
        ratio /= 2
    while ratio < 0.5**0.5:
        ratio *= 2
    return float(ratio)


def estimated_keys(take: Take) -> list[Key]:
    """The keys that fit the chroma best, best first."""
    halved = resample_poly(mono(take), 1, 2)
    chroma = librosa.feature.chroma_cqt(y=halved, sr=SAMPLE_RATE // 2).mean(axis=1)
    scores = {
        Key(tonic, mode): np.corrcoef(np.roll(profile, tonic), chroma)[0, 1]
        for mode, profile in (("major", MAJOR_PROFILE), ("minor", MINOR_PROFILE))
        for tonic in range(12)
    }
    return sorted(scores, key=lambda key: -scores[key])


@pytest.mark.parametrize("duration", [5.0, 7.123, 30.0])
def test_a_track_is_as_long_as_asked_to_the_sample(render: Render, duration: float) -> None:
    assert render("pop song", duration).waveform.n_samples == round(duration * SAMPLE_RATE)


@pytest.mark.parametrize("prompt", ["pop song", "solo piano", "ambient drone", "hard techno", "reggae", "waltz"])
def test_a_track_is_loud_enough_and_never_clips(render: Render, prompt: str) -> None:
    samples = render(prompt, 20).waveform.samples
    assert np.isfinite(samples).all()
    assert pyloudnorm.Meter(SAMPLE_RATE).integrated_loudness(samples.T) == pytest.approx(-14, abs=0.5)
    assert 20 * np.log10(np.abs(resample_poly(samples, 4, 1, axis=1)).max()) <= -1 + 0.05
    assert np.abs(samples.mean(axis=1)).max() < 1e-3


@pytest.mark.parametrize("prompt", ["pop song", "lofi", "rock", "ambient", "solo piano", "house"])
def test_a_track_ends_by_itself(render: Render, prompt: str) -> None:
    """The last second still sounds, the last hundredth is gone, and nothing is cut."""
    samples = np.abs(mono(render(prompt, 20)))
    level = samples.max()
    assert samples[-3 * SAMPLE_RATE : -2 * SAMPLE_RATE].max() > 0.01 * level
    assert samples[-SAMPLE_RATE // 200 :].max() < 0.01 * level


@pytest.mark.parametrize(
    ("prompt", "tempo"),
    [
        ("pop song", 100.0),
        ("house", 124.0),
        ("rock", 132.0),
        ("lofi hip hop", 80.0),
        ("funk", 108.0),
        ("synthwave", 96.0),
    ],
)
def test_the_asked_tempo_is_found_again(render: Render, prompt: str, tempo: float) -> None:
    take = render(f"{prompt}, {tempo:g} bpm", 30)
    assert take.rendering.tempo == tempo
    assert estimated_tempo_ratio(take) == pytest.approx(1, abs=0.04)


@pytest.mark.parametrize(
    ("prompt", "key"),
    [
        ("pop song", "C major"),
        ("pop song", "F# minor"),
        ("solo piano", "Eb major"),
        ("cinematic", "A minor"),
        ("folk", "G major"),
    ],
)
def test_the_asked_key_is_found_again(render: Render, prompt: str, key: str) -> None:
    take = render(f"{prompt} in {key}", 30)
    assert Key.parse(take.rendering.key or "") == Key.parse(key)
    assert Key.parse(key) in estimated_keys(take)[:2]


def test_equal_seeds_are_bit_identical_cold_and_warm_and_other_seeds_are_not(engine: ComposerEngine) -> None:
    def samples_of(engine: ComposerEngine, prompt: str, seed: int) -> NDArray[np.float32]:
        options = GenerationOptions(prompt, duration=10, seed=seed)
        return engine.generate(options, lambda stage, fraction: None).audio.collect().samples

    warm = samples_of(engine, "jazz trio", 5)
    samples_of(engine, "metal", 6)
    again = samples_of(engine, "jazz trio", 5)
    cold_engine = ComposerEngine()
    cold_engine.load(EngineSettings())
    assert np.array_equal(warm, again)
    assert np.array_equal(warm, samples_of(cold_engine, "jazz trio", 5))
    assert not np.array_equal(warm, samples_of(engine, "jazz trio", 6))


def test_the_midi_file_is_the_same_music(render: Render) -> None:
    take = render("waltz in D minor at 120 bpm", 12)
    file = mido.MidiFile(file=io.BytesIO(take.rendering.scores["mid"]()))
    assert file.length == pytest.approx(12, abs=0.01)
    assert any(message.type == "note_on" for track in file.tracks for message in track)


def test_progress_never_falls_and_names_the_stages(engine: ComposerEngine) -> None:
    seen: list[tuple[str, float]] = []
    engine.generate(
        GenerationOptions("pop", duration=8, seed=1), lambda stage, done: seen.append((stage, done))
    ).audio.collect()
    assert [done for _, done in seen] == sorted(done for _, done in seen)
    assert list(dict.fromkeys(stage for stage, _ in seen)) == ["compose", "render"]
    assert seen[-1][1] == 1.0


def test_a_cancelled_generation_stops_and_the_engine_lives_on(engine: ComposerEngine, render: Render) -> None:
    def cancel(stage: str, fraction: float) -> None:
        if stage == "render":
            raise GenerationCancelled

    with pytest.raises(GenerationCancelled):
        engine.generate(GenerationOptions("pop", duration=60, seed=1), cancel)
    assert render("pop", 5).waveform.n_samples == 5 * SAMPLE_RATE


@pytest.mark.parametrize(
    "prompt",
    ["🌧️", "a", "asdf qwer zxcv", "fast slow happy sad techno waltz", "雨の夜", "x" * 2000, "'; DROP TABLE track; --"],
)
def test_any_prompt_makes_music(render: Render, prompt: str) -> None:
    take = render(prompt, 5)
    assert np.abs(take.waveform.samples).max() > 0.1
    assert take.rendering.title.strip()


@pytest.mark.parametrize("tempo", [40.0, 240.0])
@pytest.mark.parametrize("time_signature", ["4/4", "7/8", "12/8"])
def test_the_extremes_of_tempo_and_metre_render(render: Render, tempo: float, time_signature: str) -> None:
    take = render("rock", 6, tempo=tempo, time_signature=time_signature)
    assert take.rendering.time_signature == time_signature
    assert np.abs(take.waveform.samples).max() > 0.1
