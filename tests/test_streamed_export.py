"""A track's files while the sound is still being made: what is heard when, and how it ends when something fails."""

import threading
from collections.abc import Collection, Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from musicgen import track_files
from musicgen.audio_export import AUDIO_FORMATS, write_audio
from musicgen.engine import Rendering
from musicgen.errors import GenerationCancelled
from musicgen.loudness import integrated_loudness
from musicgen.stage_watch import Report, StageWatch
from musicgen.tables import Track, new_id, utc_now
from musicgen.track_export import ExportedTrack, OnMp3, export_track, tags_of
from musicgen.waveform import AudioStream, Waveform
from tests.asking import PATIENCE_S, files_in_output
from tests.tone_engine import ToneEngine, card

pytestmark = pytest.mark.usefixtures("database")

SAMPLE_RATE = 44_100
CARD = card(ToneEngine)
FIRST_BLOCK = SAMPLE_RATE // 5


def music(duration_s: float = 6.0) -> Waveform:
    n = round(duration_s * SAMPLE_RATE)
    noise = np.random.default_rng(1).standard_normal((2, n)) * np.linspace(0.01, 0.1, n)
    return Waveform(noise.astype(np.float32), SAMPLE_RATE)


def cut(waveform: Waveform, first: int = FIRST_BLOCK, length: int = 30_000) -> Iterator[NDArray[np.float32]]:
    edges = [0, *range(first, waveform.n_samples, length), waveform.n_samples]
    for start, stop in pairwise(edges):
        yield waveform.samples[:, start:stop]


def new_track() -> Track:
    return Track(id=new_id(), title="Rain", tempo=90.0, prompt="rain", model="tone", seed=3, created_at=utc_now())


def export(
    track: Track,
    waveform: Waveform,
    formats: Collection[str] = ("wav", "mp3"),
    *,
    blocks: Iterator[NDArray[np.float32]] | None = None,
    on_mp3: OnMp3 | None = None,
    on_progress: Report = lambda stage, fraction, seconds_left: None,
) -> ExportedTrack:
    audio = AudioStream(waveform.n_samples, SAMPLE_RATE, blocks or cut(waveform))
    rendering = Rendering(audio, title="Rain", tempo=90.0, scores={"mid": lambda: b"MThd"})
    return export_track(track, rendering, formats, CARD, StageWatch(on_progress), on_mp3)


def n_threads() -> int:
    return sum(thread.name.startswith("fan-out") for thread in threading.enumerate())


def test_files_are_those_of_the_whole_sound(tmp_path: Path) -> None:
    track, waveform = new_track(), music()
    exported = export(track, waveform, AUDIO_FORMATS)
    assert list(exported.paths) == [*AUDIO_FORMATS, "mid"]
    for name in AUDIO_FORMATS:
        write_audio(waveform, tmp_path / name, tags_of(track, CARD), name)
        assert exported.paths[name].read_bytes() == (tmp_path / name).read_bytes()
    assert exported.loudness_lufs == pytest.approx(integrated_loudness(waveform), abs=1e-6)
    assert n_threads() == 0


def test_one_long_block_is_cut() -> None:
    waveform = music()
    cut_up, whole = export(new_track(), waveform), export(new_track(), waveform, blocks=iter([waveform.samples]))
    assert whole.paths["wav"].stat().st_size == cut_up.paths["wav"].stat().st_size
    decoded = [soundfile.read(exported.paths["mp3"])[0] for exported in (cut_up, whole)]
    np.testing.assert_array_equal(*decoded)


@pytest.mark.parametrize("formats", [["mp3"], ["wav", "mp3"], ["flac"], []])
def test_what_is_heard_is_the_mp3_file(formats: list[str]) -> None:
    track, waveform, heard = new_track(), music(), []
    exported = export(track, waveform, formats, on_mp3=heard.append)
    assert ("mp3" in exported.paths) == ("mp3" in formats)
    if "mp3" not in formats:
        export(track, waveform, ["mp3"])
    assert b"".join(heard) == track_files.partial_path(track.id, "mp3").read_bytes()


def test_sound_is_heard_while_the_next_block_is_made() -> None:
    waveform, heard, has_sound = music(), [], threading.Event()

    def on_mp3(data: bytes) -> None:
        heard.append(data)
        # The first piece is the tags and the Info frame.
        if len(heard) > 1:
            has_sound.set()

    def blocks() -> Iterator[NDArray[np.float32]]:
        first, *others = cut(waveform)
        yield first
        assert has_sound.wait(PATIENCE_S)
        yield from others

    export(new_track(), waveform, blocks=blocks(), on_mp3=on_mp3)
    assert len(heard) > 5


def test_the_first_piece_does_not_wait_for_sound() -> None:
    waveform, heard = music(), threading.Event()

    def blocks() -> Iterator[NDArray[np.float32]]:
        assert heard.wait(PATIENCE_S)
        yield from cut(waveform)

    export(new_track(), waveform, blocks=blocks(), on_mp3=lambda _: heard.set())


def test_silence_has_no_loudness() -> None:
    assert export(new_track(), Waveform(np.zeros((2, SAMPLE_RATE), np.float32), SAMPLE_RATE)).loudness_lufs is None


def test_the_export_is_reported_when_the_last_block_is_taken() -> None:
    waveform, seen = music(), []

    def blocks() -> Iterator[NDArray[np.float32]]:
        yield from cut(waveform)
        seen.append("last block")

    export(new_track(), waveform, blocks=blocks(), on_progress=lambda stage, _fraction, _seconds: seen.append(stage))
    assert seen == ["last block", "export"]


@pytest.mark.parametrize(
    "error", [GenerationCancelled("enough"), RuntimeError("the string broke"), KeyboardInterrupt()]
)
def test_an_error_of_the_rendering_ends_every_thread(error: BaseException) -> None:
    waveform = music()

    def blocks() -> Iterator[NDArray[np.float32]]:
        yield from list(cut(waveform))[:3]
        raise error

    with pytest.raises(type(error)) as caught:
        export(new_track(), waveform, AUDIO_FORMATS, blocks=blocks(), on_mp3=lambda _: None)
    assert caught.value is error
    assert n_threads() == 0
    assert all(name.endswith(".part") for name in files_in_output())


def test_an_error_of_the_listener_ends_the_rendering() -> None:
    is_closed = threading.Event()
    waveform = music()

    def hang_up(_: bytes) -> None:
        raise GenerationCancelled("nobody listens")

    def blocks() -> Iterator[NDArray[np.float32]]:
        try:
            while True:
                yield from cut(waveform)
        finally:
            is_closed.set()

    with pytest.raises(GenerationCancelled, match="nobody listens"):
        export(new_track(), waveform, blocks=blocks(), on_mp3=hang_up)
    assert is_closed.is_set()
    assert n_threads() == 0


def test_a_cancellation_after_the_last_block_counts() -> None:
    def cancel(stage: str, _fraction: float, _seconds_left: float | None) -> None:
        raise GenerationCancelled(stage)

    with pytest.raises(GenerationCancelled, match="export"):
        export(new_track(), music(), on_progress=cancel)
    assert n_threads() == 0


@pytest.mark.parametrize("n_blocks", [3, 100])
def test_an_engine_that_breaks_its_promise_of_length_is_told(n_blocks: int) -> None:
    waveform = music()

    def blocks() -> Iterator[NDArray[np.float32]]:
        for _ in range(n_blocks):
            yield waveform.samples[:, :10_000]

    with pytest.raises(ValueError, match="264600 samples were promised"):
        export(new_track(), waveform, blocks=blocks())


def test_sound_that_is_no_number_is_an_error() -> None:
    waveform = music()
    waveform.samples[0, 200_000] = np.nan
    with pytest.raises(ValueError, match="finite"):
        export(new_track(), waveform)
    assert n_threads() == 0
