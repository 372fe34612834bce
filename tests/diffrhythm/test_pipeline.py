"""One song from noise to sound, with tiny networks and few frames: lengths, levels, what is heard, what is kept."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from musicgen.diffrhythm.checkpoint import load_network
from musicgen.diffrhythm.frames import SAMPLE_RATE, SAMPLES_PER_FRAME
from musicgen.diffrhythm.pipeline import CEILING_DB, TARGET_LUFS, Networks, edit_song, frames_of, make_song
from musicgen.diffrhythm.request import SongRequest
from musicgen.diffrhythm.style import read_negative_style
from musicgen.diffrhythm.vae import SoundCodec
from musicgen.diffrhythm.weights import BASE_NETWORK, FULL_NETWORK, VAE, WeightsFile
from musicgen.loudness import integrated_loudness, true_peak_db
from musicgen.waveform import Waveform

N_FRAMES = 64
N_MADE = N_FRAMES * SAMPLES_PER_FRAME  # 2.97 s
N_SAMPLES = 2 * SAMPLE_RATE
# Three chunks of the codec.
MANY_FRAMES = 230
LONG_SAMPLES = 10 * SAMPLE_RATE
SEGMENT = (1.0, 2.0)
INSIDE = slice(SAMPLE_RATE, 2 * SAMPLE_RATE)

Samples = NDArray[np.float32]
Load = Callable[[WeightsFile], Networks]


class Stopped(Exception):
    """Stands for a person who no longer wants the song."""


class Listener:
    """Collects progress; raises where a stage has been heard of so often."""

    def __init__(self, stop_at: str = "", after: int = 0) -> None:
        self.heard: list[tuple[str, float]] = []
        self._stop_at, self._after = stop_at, after

    def __call__(self, stage: str, fraction: float) -> None:
        self.heard.append((stage, fraction))
        if stage == self._stop_at and self.count(stage) > self._after:
            raise Stopped

    def count(self, stage: str) -> int:
        return sum(heard == stage for heard, _ in self.heard)

    @property
    def fractions(self) -> list[float]:
        return [fraction for _, fraction in self.heard]


@pytest.fixture(scope="module")
def load(weights_dir: Path) -> Load:
    folder = weights_dir / "diffrhythm"

    def load_networks(file: WeightsFile) -> Networks:
        path, is_long = file.path_in(folder), file is FULL_NETWORK
        velocity = load_network(path, torch.device("cpu"), torch.float32, expect_long=is_long)
        return Networks(velocity, SoundCodec.load(VAE.path_in(folder)), read_negative_style(folder))

    return load_networks


@pytest.fixture(scope="module")
def networks(load: Load) -> Networks:
    return load(BASE_NETWORK)


@pytest.fixture(scope="module", params=[BASE_NETWORK, FULL_NETWORK], ids=["base", "long"])
def either(load: Load, request: pytest.FixtureRequest) -> Networks:
    return load(request.param)


@pytest.fixture(scope="module")
def original(networks: Networks) -> Samples:
    """A song to edit, as it comes out of a file of 16 bits."""
    song = make(networks, seed=5, n_samples=N_MADE).samples
    return (np.round(song * 32768).clip(-32768, 32767) / 32768).astype(np.float32)


def request(n_samples: int = N_SAMPLES, n_frames: int = N_FRAMES, **changes: Any) -> SongRequest:
    return replace(SongRequest(BASE_NETWORK, n_frames, n_samples, "rain", (), [], ()), **changes)


def style_vector(seed: int = 0) -> Tensor:
    return torch.nn.functional.normalize(torch.randn(1, 512, generator=torch.Generator().manual_seed(seed)))


def sung(*ids: int, n_frames: int = N_FRAMES) -> NDArray[np.int64]:
    tokens = np.zeros(n_frames, np.int64)
    tokens[4 : 4 + len(ids)] = ids
    return tokens


def make(
    networks: Networks,
    seed: int = 1,
    n_samples: int = N_SAMPLES,
    n_frames: int = N_FRAMES,
    tokens: NDArray[np.int64] | None = None,
    style: Tensor | None = None,
    progress: Listener | None = None,
) -> Waveform:
    tokens = sung(n_frames=n_frames) if tokens is None else tokens
    style = style_vector() if style is None else style
    return make_song(networks, request(n_samples, n_frames), style, tokens, seed, progress or Listener())


def edit(
    networks: Networks, original: Samples, seed: int = 1, progress: Listener | None = None, **changes: Any
) -> Samples:
    asked = request(original.shape[1], **{"segments": [SEGMENT]} | changes)
    tokens = sung(n_frames=asked.n_frames)
    return edit_song(networks, asked, original, style_vector(), tokens, seed, progress or Listener()).samples


@pytest.mark.parametrize("n_samples", [100_001, N_MADE, N_MADE + 1972])
def test_a_song_has_its_length_to_the_sample(either: Networks, n_samples: int) -> None:
    song = make(either, n_samples=n_samples)
    assert (song.n_samples, song.sample_rate) == (n_samples, 44_100)
    assert np.isfinite(song.samples).all()
    assert np.abs(song.samples[:, -1]).max() < 1e-6


@pytest.mark.parametrize("seed", [1, 2])
def test_a_song_is_as_loud_as_its_peaks_allow(networks: Networks, seed: int) -> None:
    song = make(networks, seed, n_samples=N_MADE)
    loudness, peak_db = integrated_loudness(song), true_peak_db(song)
    assert loudness <= TARGET_LUFS + 0.01
    assert peak_db <= CEILING_DB + 0.01
    assert loudness == pytest.approx(TARGET_LUFS, abs=0.01) or peak_db == pytest.approx(CEILING_DB, abs=0.01)


def test_progress_never_falls_and_ends_at_the_whole(networks: Networks) -> None:
    progress = Listener()
    make(networks, n_frames=MANY_FRAMES, n_samples=LONG_SAMPLES, progress=progress)
    assert all(before <= after for before, after in pairwise(progress.fractions))
    assert (progress.fractions[0] > 0, progress.fractions[-1]) == (True, 1.0)
    assert progress.count("sample") == 1 + 31
    assert progress.count("decode") > 2


@pytest.mark.parametrize("stage", ["sample", "decode"])
def test_what_progress_raises_ends_the_work_at_once(networks: Networks, stage: str) -> None:
    progress = Listener(stage, after=2)
    with pytest.raises(Stopped):
        make(networks, n_frames=MANY_FRAMES, n_samples=LONG_SAMPLES, progress=progress)
    assert progress.count(stage) == 3
    assert progress.fractions[-1] < 1


def test_equal_seeds_give_equal_bits_and_others_do_not(either: Networks) -> None:
    first, again, other = (make(either, seed).samples for seed in (1, 1, 2))
    assert first.tobytes() == again.tobytes()
    assert np.abs(first - other).max() > 0.1


def test_what_is_sung_and_in_which_style_is_heard(either: Networks) -> None:
    plain = make(either).samples
    assert np.abs(make(either, tokens=sung(42, 58, 51, 24, 2)).samples - plain).max() > 1e-3
    assert np.abs(make(either, style=style_vector(1)).samples - plain).max() > 1e-3


@pytest.mark.parametrize(("file", "is_heard"), [(BASE_NETWORK, False), (FULL_NETWORK, True)], ids=["base", "long"])
def test_the_long_network_hears_how_long_the_song_is(load: Load, file: WeightsFile, is_heard: bool) -> None:
    networks, other = load(file), load(file)
    # The same frames as a smaller part of the longest song.
    other.velocity.config = replace(other.velocity.config, max_frames=4 * other.velocity.config.max_frames)
    difference = np.abs(make(networks).samples - make(other).samples).max()
    assert (difference > 1e-4) == is_heard


def test_both_ways_of_guidance_make_the_same_song(networks: Networks) -> None:
    batched = make(replace(networks, batched_guidance=True)).samples
    assert batched == pytest.approx(make(networks).samples, abs=1e-3)


def test_only_what_is_wanted_is_decoded_and_it_sounds_the_same(networks: Networks) -> None:
    listeners = short, whole = Listener(), Listener()
    songs = [
        make(networks, n_frames=MANY_FRAMES, n_samples=n_samples, progress=listener).samples
        for n_samples, listener in zip((N_SAMPLES, LONG_SAMPLES), listeners, strict=True)
    ]
    assert short.count("decode") < whole.count("decode")
    # Each was brought to its own level, and the short one fades within its last quarter.
    first, second = (song[:, :SAMPLE_RATE] / np.linalg.norm(song[:, :SAMPLE_RATE]) for song in songs)
    assert first == pytest.approx(second, abs=1e-5)


@pytest.mark.parametrize("segments", [[SEGMENT], [(0.0, 1.0)], [(0.2, 1.2), (1.5, 2.5)], [(1.9, N_MADE / SAMPLE_RATE)]])
def test_outside_its_segments_an_edit_is_the_original_to_the_sample(
    networks: Networks, original: Samples, segments: list[tuple[float, float]]
) -> None:
    song = edit(networks, original, segments=segments)
    inside = np.zeros(original.shape[1], bool)
    for start_s, end_s in segments:
        inside[round(start_s * SAMPLE_RATE) : round(end_s * SAMPLE_RATE)] = True
    assert song.shape == original.shape
    assert np.array_equal(song[:, ~inside], original[:, ~inside])
    assert (song[:, inside] != original[:, inside]).mean() > 0.9
    assert np.abs(song).max() <= 1


def test_the_seed_of_an_edit_is_heard_in_its_segments_only(networks: Networks, original: Samples) -> None:
    first, again, other = (edit(networks, original, seed) for seed in (1, 1, 2))
    assert first.tobytes() == again.tobytes()
    differs = (first != other).any(axis=0)
    assert differs[INSIDE].mean() > 0.9
    assert differs.sum() == differs[INSIDE].sum()


def test_a_new_part_hears_what_is_around_it(networks: Networks, original: Samples) -> None:
    other = original.copy()
    other[:, : SAMPLE_RATE // 2] *= -1  # so that its level stays
    differs = edit(networks, original)[:, INSIDE] != edit(networks, other)[:, INSIDE]
    # Not by much: what the tiny codec encodes is small.
    assert differs.mean() > 0.5


def test_progress_of_an_edit_never_falls_either(networks: Networks, original: Samples) -> None:
    progress = Listener()
    edit(networks, original, progress=progress)
    assert progress.heard[0][0] == "encode"
    assert progress.fractions == sorted(progress.fractions)
    assert (progress.fractions[0] > 0, progress.fractions[-1]) == (True, 1.0)


@pytest.mark.parametrize("stage", ["encode", "sample", "decode"])
def test_an_edit_can_be_cancelled_too(networks: Networks, original: Samples, stage: str) -> None:
    with pytest.raises(Stopped):
        edit(networks, original, progress=Listener(stage))


@pytest.mark.parametrize("level", [0.0, 1e-4, 1.0])
def test_an_original_may_be_silent_quiet_or_loud(networks: Networks, original: Samples, level: float) -> None:
    scale = np.float32(level / np.abs(original).max())
    song = edit(networks, original * scale)
    assert np.isfinite(song).all()
    assert np.abs(song).max() <= 1
    assert np.array_equal(song[:, : INSIDE.start], (original * scale)[:, : INSIDE.start])


def test_a_new_part_is_about_as_loud_as_the_original(networks: Networks, original: Samples) -> None:
    quiet, loud = (edit(networks, original * np.float32(level))[:, INSIDE] for level in (0.01, 0.5))
    assert loud.std() / quiet.std() == pytest.approx(50, rel=0.01)


@pytest.mark.parametrize("n_more", [1, 1972, 2048])
def test_an_original_longer_than_the_networks_song_is_edited_up_to_its_end(
    networks: Networks, original: Samples, n_more: int
) -> None:
    longer = np.concatenate([original, original[:, :n_more]], axis=1)
    end_s = longer.shape[1] / SAMPLE_RATE
    song = edit(networks, longer, segments=[(1.9, end_s)])
    assert song.shape == longer.shape
    assert np.array_equal(song[:, : round(1.9 * SAMPLE_RATE)], longer[:, : round(1.9 * SAMPLE_RATE)])


def test_an_original_shorter_than_the_networks_song_is_edited_up_to_its_end(
    networks: Networks, original: Samples
) -> None:
    shorter = original[:, : 2 * SAMPLE_RATE + 7]
    song = edit(networks, shorter, segments=[(1.0, 2.0)])
    assert song.shape == shorter.shape
    assert np.array_equal(song[:, 2 * SAMPLE_RATE :], shorter[:, 2 * SAMPLE_RATE :])


@pytest.mark.parametrize(
    ("segments", "n_frames", "frames"),
    [
        ([(0.0, 1.0)], 64, [(0, 22)]),
        ([(1.0, 2.0)], 64, [(21, 44)]),
        ([(1.0, 2.0), (2.5, 9.0)], 64, [(21, 44), (53, 64)]),
        ([(5.0, 6.0)], 64, []),
    ],
)
def test_frames_are_those_that_a_segment_touches(
    segments: list[tuple[float, float]], n_frames: int, frames: list[tuple[int, int]]
) -> None:
    assert frames_of(segments, n_frames) == frames
