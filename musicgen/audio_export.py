"""Waveform to audio file: WAV, MP3, FLAC and OGG Vorbis, with tags.

Owns the conversion to 16-bit PCM and the choice of encoder settings. Knows nothing of file names, folders or the
database: it writes to the path it is given. Encoders are imported when they are used, because the web app imports this
module for AUDIO_FORMATS.
"""

import io
import struct
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from musicgen.mp3 import encode_mp3
from musicgen.tags import Tags, id3, riff_chunk, riff_info, vorbis_fields
from musicgen.vorbis_comment import tag_flac, tag_ogg
from musicgen.waveform import Waveform

__all__ = ["AUDIO_FORMATS", "AudioFormat", "Tags", "write_audio"]

OGG_COMPRESSION = 0.3  # libsndfile's scale; Vorbis quality 7, about 224 kbps
_PCM = 1  # of the sample formats in WAV
_BLOCK_SAMPLES = 1 << 16

# What a file takes: bytes, or memory that NumPy owns.
Buffer = bytes | memoryview


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
    if format not in AUDIO_FORMATS:
        raise ValueError(f"{format!r} is not an audio format; the formats are {', '.join(AUDIO_FORMATS)}")
    parts = _ENCODERS[format](quantize(waveform), waveform.sample_rate, tags)
    with path.open("wb") as file:
        file.writelines(parts)


def quantize(waveform: Waveform) -> NDArray[np.int16]:
    """Round to 16-bit PCM, (n, 2) int16, full scale 32,768.

    Plain rounding, no dither: digital silence stays silent, sound that was 16-bit comes back exactly, FLAC stays small,
    and under music at -14 LUFS the rounding error is 80 dB down, where dither has nothing to hide.

    Raises:
        ValueError: there are no samples, or some are NaN or infinite.
    """
    if waveform.n_samples == 0:
        raise ValueError("there are no samples to write")
    if not np.isfinite(waveform.samples).all():
        raise ValueError("samples must be finite; these hold NaN or infinity")
    pcm = np.empty((waveform.n_samples, 2), np.int16)
    for start in range(0, waveform.n_samples, _BLOCK_SAMPLES):
        block = waveform.samples[:, start : start + _BLOCK_SAMPLES] * np.float32(32768)
        np.clip(np.rint(block, out=block), -32768, 32767, out=block)
        pcm[start : start + _BLOCK_SAMPLES] = block.T
    return pcm


def _encode_wav(pcm: NDArray[np.int16], sample_rate: int, tags: Tags) -> Iterable[Buffer]:
    frame_bytes = 2 * pcm.itemsize
    layout = struct.pack("<HHIIHH", _PCM, 2, sample_rate, sample_rate * frame_bytes, frame_bytes, 8 * pcm.itemsize)
    head = b"WAVE" + riff_chunk(b"fmt ", layout) + b"data" + struct.pack("<I", pcm.nbytes)
    # Tags come last, so that the sound starts at byte 44, where simple readers look for it.
    tail = riff_chunk(b"LIST", riff_info(tags)) + riff_chunk(b"id3 ", id3(tags))
    size = len(head) + pcm.nbytes + len(tail)
    return b"RIFF" + struct.pack("<I", size), head, pcm.astype("<i2", copy=False).data, tail


def _encode_mp3(pcm: NDArray[np.int16], sample_rate: int, tags: Tags) -> Iterable[Buffer]:
    return id3(tags), encode_mp3(pcm, sample_rate)


def _encode_flac(pcm: NDArray[np.int16], sample_rate: int, tags: Tags) -> Iterable[Buffer]:
    return [tag_flac(_encode_with_libsndfile(pcm, sample_rate, "FLAC", "PCM_16"), vorbis_fields(tags))]


def _encode_ogg(pcm: NDArray[np.int16], sample_rate: int, tags: Tags) -> Iterable[Buffer]:
    return [tag_ogg(_encode_with_libsndfile(pcm, sample_rate, "OGG", "VORBIS", OGG_COMPRESSION), vorbis_fields(tags))]


def _encode_with_libsndfile(
    pcm: NDArray[np.int16], sample_rate: int, container: str, subtype: str, compression: float | None = None
) -> bytes:
    import soundfile

    file = io.BytesIO()
    with soundfile.SoundFile(
        file, "w", sample_rate, 2, subtype, format=container, compression_level=compression
    ) as encoder:
        # In blocks: libsndfile overflows the stack where a long Vorbis file comes in one call.
        for start in range(0, len(pcm), _BLOCK_SAMPLES):
            encoder.write(pcm[start : start + _BLOCK_SAMPLES])
    return file.getvalue()


_ENCODERS: Mapping[str, Callable[[NDArray[np.int16], int, Tags], Iterable[Buffer]]] = {
    "wav": _encode_wav,
    "mp3": _encode_mp3,
    "flac": _encode_flac,
    "ogg": _encode_ogg,
}
