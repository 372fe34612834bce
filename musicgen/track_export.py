"""From a rendering to the files of a track, under the names that they have until they are complete."""

import io
import math
from collections.abc import Callable, Collection, Generator, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from musicgen import __version__, track_files
from musicgen.audio_export import AUDIO_FORMATS, Tags, quantize, write_audio, writer_of
from musicgen.audio_writers import OutputFile
from musicgen.engine import EngineCard, Rendering
from musicgen.fan_out import fan_out
from musicgen.loudness import LoudnessMeter
from musicgen.stage_watch import ENGINE_SHARE, StageWatch
from musicgen.tables import Track
from musicgen.waveform import BLOCK_SAMPLES, AudioStream

STEM_FORMAT = "wav"

OnMp3 = Callable[[bytes], None]


@dataclass(frozen=True, slots=True)
class Sound:
    """A block of sound on its way to the files.

    Attributes:
        samples: (2, k) float32, as rendered.
        pcm: (k, 2) int16, as written.
    """

    samples: NDArray[np.float32]
    pcm: NDArray[np.int16]


Worker = Callable[[Iterator[Sound]], Any]


@dataclass(frozen=True, slots=True)
class ExportedTrack:
    """What was written of a track.

    Attributes:
        paths: format -> file, under its partial name.
        loudness_lufs: integrated loudness; None for silence.
    """

    paths: dict[str, Path]
    loudness_lufs: float | None


def export_track(
    track: Track,
    rendering: Rendering,
    formats: Collection[str],
    card: EngineCard,
    watch: StageWatch,
    on_mp3: OnMp3 | None = None,
) -> ExportedTrack:
    """Write a track's music as it is made, every format being encoded while later blocks are rendered, and its notes.

    Args:
        on_mp3: hears the bytes of the track's MP3 file, whether it is stored or not, in order and as soon as there are
            any; called from another thread. What it raises ends the export.

    Raises:
        Exception: whatever the making of the sound, an encoder or `on_mp3` raises. No thread is left then; files may
            be.
    """
    tags = tags_of(track, card)
    audio = rendering.audio
    paths = {name: track_files.partial_path(track.id, name) for name in AUDIO_FORMATS if name in formats}
    workers: list[Worker] = []
    for name in AUDIO_FORMATS:
        heard_by = on_mp3 if name == "mp3" else None
        if name in paths or heard_by:
            workers.append(partial(_write, name, paths.get(name), heard_by, audio, tags))
    score_paths = {name: track_files.partial_path(track.id, name) for name in rendering.scores}

    def write_scores() -> None:
        """Write the notes while the encoders finish."""
        watch.enter("export", ENGINE_SHARE)
        for name, write in rendering.scores.items():
            score_paths[name].write_bytes(write())

    meter = LoudnessMeter(audio.sample_rate)
    try:
        fan_out(_sounds(audio, None if rendering.loudness else meter), workers, write_scores)
    finally:
        # The making of the sound may have threads, too, which must not outlive an error.
        if isinstance(audio.blocks, Generator):
            audio.blocks.close()
    loudness_lufs = (rendering.loudness or meter.integrated_loudness)()
    return ExportedTrack(paths | score_paths, loudness_lufs if math.isfinite(loudness_lufs) else None)


def _sounds(audio: AudioStream, meter: LoudnessMeter | None) -> Iterator[Sound]:
    """Cut blocks that are long, so that neither memory nor a worker's turn grows with them, and round each once."""
    for block in audio.blocks:
        for start in range(0, block.shape[1], BLOCK_SAMPLES):
            samples = block[:, start : start + BLOCK_SAMPLES]
            if meter:
                meter.add(samples)
            yield Sound(samples, quantize(samples))


def _write(
    format: str, path: Path | None, heard_by: OnMp3 | None, audio: AudioStream, tags: Tags, sounds: Iterator[Sound]
) -> None:
    """Encode one format into a file, where a path is given, and for a listener, where there is one."""
    with ExitStack() as stack:
        file: OutputFile | None = stack.enter_context(path.open("wb")) if path else None
        if heard_by:
            file = _HeardFile(heard_by, file)
        if file is None:
            raise ValueError(f"nobody takes the {format}")
        writer = stack.enter_context(writer_of(format)(file, audio.n_samples, audio.sample_rate, tags))
        for sound in sounds:
            writer.write(sound.pcm)


class _HeardFile(io.RawIOBase):
    """A file whose bytes somebody hears while they are written; `file` is None where nothing is stored."""

    def __init__(self, on_bytes: OnMp3, file: OutputFile | None) -> None:
        self._on_bytes = on_bytes
        self._file = file

    def write(self, data: Any, /) -> None:
        """Store the bytes, then let them be heard."""
        if not data:
            return
        if self._file:
            self._file.write(data)
        self._on_bytes(data)


def export_stems(track: Track, rendering: Rendering, card: EngineCard) -> dict[str, Path]:
    """Write a track's stems, each as soon as it is made; returns name -> path."""
    tags = tags_of(track, card)
    paths = {}
    for name, stem in rendering.stems:
        paths[name] = track_files.partial_path(track.id, stem_ending(name))
        write_audio(stem, paths[name], replace(tags, title=f"{tags.title} ({name})"), STEM_FORMAT)
        # It would stay in memory while the next one is made.
        del stem
    return paths


def stem_ending(name: str) -> str:
    """Say how the name of a stem's file ends: "bass.wav"."""
    return f"{name}.{STEM_FORMAT}"


def tags_of(track: Track, card: EngineCard) -> Tags:
    """Say what the files of a track tell about it; its row must have title, tempo and key of the rendering by now."""
    return Tags(
        title=track.title or "",
        prompt=track.prompt,
        model=track.model,
        seed=track.seed,
        date=track.created_at,
        tempo=track.tempo,
        key=track.key,
        weights_licence=card.weights_licence,
        version=track.version or __version__,
    )
