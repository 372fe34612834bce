"""Sound to audio file, whole or while it is being made: WAV, MP3, FLAC and OGG Vorbis, with tags.

Owns the list of formats and the conversion to 16-bit PCM; `audio_writers` knows how each is written. Knows nothing of
file names, folders or the database: it writes to the path it is given. Encoders are imported when they are used,
because the web app imports this module for AUDIO_FORMATS.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from musicgen.audio_writers import AudioWriter, FlacWriter, Mp3Writer, OggWriter, WavWriter
from musicgen.mp3 import encode_mp3
from musicgen.tags import Tags, id3
from musicgen.waveform import Waveform

__all__ = [
    "AUDIO_FORMATS",
    "AudioFormat",
    "AudioWriter",
    "Tags",
    "convert_audio",
    "quantize",
    "write_audio",
    "writer_of",
]

_CHUNK_SAMPLES = 1 << 16
_CACHED_SAMPLES = 1 << 14  # as float32 stereo 128 kB, which a processor's cache holds


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """A kind of audio file.

    Attributes:
        name: what requests call it.
        extension: end of the file name, with the dot.
        mime_type: for HTTP.
        lossless: whether the file holds the 16-bit samples exactly.
    """

    name: str
    extension: str
    mime_type: str
    lossless: bool


AUDIO_FORMATS: Mapping[str, AudioFormat] = {
    audio_format.name: audio_format
    for audio_format in (
        AudioFormat("wav", ".wav", "audio/wav", lossless=True),
        AudioFormat("mp3", ".mp3", "audio/mpeg", lossless=False),
        AudioFormat("flac", ".flac", "audio/flac", lossless=True),
        AudioFormat("ogg", ".ogg", "audio/ogg", lossless=False),
    )
}


def write_audio(waveform: Waveform, path: Path, tags: Tags, format: str) -> None:
    """Encode a waveform and write it to exactly `path`, whatever its suffix; the order is waveform, path, tags, format.

    Equal arguments give equal bytes. Samples beyond full scale are clipped. The file is not written by way of a
    temporary name: a caller who wants all or nothing renames.

    Raises:
        ValueError: an unknown format, samples that are none, NaN or infinite, or a sample rate that the format lacks.
    """
    writer = writer_of(format)
    pcm = quantize(waveform.samples)
    with path.open("wb") as file, writer(file, waveform.n_samples, waveform.sample_rate, tags) as audio:
        audio.write(pcm)


def convert_audio(source: Path, path: Path, tags: Tags, format: str) -> None:
    """Write the sound of an audio file to exactly `path` in another format.

    Raises:
        ValueError: see `write_audio`.
    """
    import soundfile

    writer = writer_of(format)
    with soundfile.SoundFile(source) as sound, path.open("wb") as file:
        # As numbers that do not wrap: lossy sound may exceed full scale.
        blocks = (quantize(block.T) for block in sound.blocks(_CHUNK_SAMPLES, dtype="float32", always_2d=True))
        if format == "mp3":
            # The slowest, in two threads; that takes the whole sound.
            file.writelines((id3(tags), encode_mp3(np.concatenate(list(blocks)), sound.samplerate)))
            return
        with writer(file, sound.frames, sound.samplerate, tags) as audio:
            for block in blocks:
                audio.write(block)


def writer_of(format: str) -> type[AudioWriter]:
    """Return what writes a format.

    Raises:
        ValueError: an unknown format.
    """
    if format not in AUDIO_FORMATS:
        raise ValueError(f"{format!r} is not an audio format; the formats are {', '.join(AUDIO_FORMATS)}")
    return _WRITERS[format]


def quantize(samples: NDArray[np.float32]) -> NDArray[np.int16]:
    """Round (2, n) float32 to 16-bit PCM, (n, 2) int16, full scale 32,768.

    Plain rounding, no dither: digital silence stays silent, sound that was 16-bit comes back exactly, FLAC stays small,
    and under music at -14 LUFS the rounding error is 80 dB down, where dither has nothing to hide.

    Raises:
        ValueError: some samples are NaN or infinite.
    """
    n_samples = samples.shape[1]
    pcm = np.empty((n_samples, 2), np.int16)
    for start in range(0, n_samples, _CACHED_SAMPLES):
        chunk = samples[:, start : start + _CACHED_SAMPLES] * np.float32(32768)
        lowest, highest = chunk.min(), chunk.max()
        if not (np.isfinite(lowest) and np.isfinite(highest)):
            raise ValueError("samples must be finite; these hold NaN or infinity")
        np.rint(chunk, out=chunk)
        if lowest < -32768 or highest > 32767:
            np.clip(chunk, -32768, 32767, out=chunk)
        for channel, rounded in zip(pcm[start : start + _CACHED_SAMPLES].T, chunk, strict=True):
            channel[:] = rounded
    return pcm


_WRITERS: Mapping[str, type[AudioWriter]] = {
    "wav": WavWriter,
    "mp3": Mp3Writer,
    "flac": FlacWriter,
    "ogg": OggWriter,
}
