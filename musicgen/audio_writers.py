"""One writer for each audio format, which takes the sound while it is being made.

Knows nothing of file names: it writes into an open file. Encoders are imported when they are used.
"""

import io
import struct
from abc import ABC, abstractmethod
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from musicgen.mp3 import Mp3Encoder, stream_length
from musicgen.tags import Tags, id3, id3_length, riff_chunk, riff_info, vorbis_fields
from musicgen.vorbis_comment import OggTagger, tag_flac

OGG_COMPRESSION = 0.3  # libsndfile's scale; Vorbis quality 7, about 224 kbps
_PCM = 1  # of the sample formats in WAV
_CHUNK_SAMPLES = 1 << 16
_HEARD_SAMPLES = 1 << 14  # encoded at a time: a listener hears the first third of a second while the next is encoded

# What a file takes: bytes, or memory that NumPy owns.
Buffer = bytes | memoryview


class OutputFile(Protocol):
    """What a writer needs of a file; only FLAC goes back in it."""

    def write(self, data: Buffer, /) -> object:
        """Append or overwrite."""

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Go to a place in the file."""


class AudioWriter(ABC):
    """Writes one audio file while its sound is being made; used as a context, at whose end the file is complete.

    Equal sound gives equal bytes, whatever the blocks it comes in. When the context ends with an error, the encoder is
    released and the file is left as it is, for its owner to remove.
    """

    def __init__(self, file: OutputFile, n_samples: int, sample_rate: int, tags: Tags) -> None:
        """Begin a file of `n_samples` a channel.

        Raises:
            ValueError: there are no samples, or the format lacks the sample rate.
        """
        if n_samples == 0:
            raise ValueError("there are no samples to write")
        self._file = file
        self._n_samples = n_samples
        self._n_written = 0
        self._begin(sample_rate, tags)

    def write(self, pcm: NDArray[np.int16]) -> None:
        """Write the next samples, (k, 2) int16."""
        self._n_written += len(pcm)
        self._encode(np.ascontiguousarray(pcm))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        """Complete the file, or release the encoder after an error.

        Raises:
            ValueError: more or fewer samples came than were promised.
        """
        if error:
            self._release()
        elif self._n_written == self._n_samples:
            self._finish()
        else:
            self._release()
            raise ValueError(f"{self._n_samples} samples were promised, {self._n_written} came")

    @abstractmethod
    def _begin(self, sample_rate: int, tags: Tags) -> None: ...

    @abstractmethod
    def _encode(self, pcm: NDArray[np.int16]) -> None: ...

    @abstractmethod
    def _finish(self) -> None: ...

    def _release(self) -> None:  # noqa: B027 - most have nothing to release
        pass


class WavWriter(AudioWriter):
    """WAV: the sound as it is, between a header and the tags."""

    def _begin(self, sample_rate: int, tags: Tags) -> None:
        frame_bytes = 4
        n_bytes = self._n_samples * frame_bytes
        layout = struct.pack("<HHIIHH", _PCM, 2, sample_rate, sample_rate * frame_bytes, frame_bytes, 16)
        head = b"WAVE" + riff_chunk(b"fmt ", layout) + b"data" + struct.pack("<I", n_bytes)
        # Tags come last, so that the sound starts at byte 44, where simple readers look for it.
        self._tail = riff_chunk(b"LIST", riff_info(tags)) + riff_chunk(b"id3 ", id3(tags))
        self._file.write(b"RIFF" + struct.pack("<I", len(head) + n_bytes + len(self._tail)) + head)

    def _encode(self, pcm: NDArray[np.int16]) -> None:
        self._file.write(pcm.astype("<i2", copy=False).data)

    def _finish(self) -> None:
        self._file.write(self._tail)


class Mp3Writer(AudioWriter):
    """MP3: everything is written in order, so that the file can be heard while it grows.

    Tags and Info frame are the first piece: see `mp3_length`.
    """

    def _begin(self, sample_rate: int, tags: Tags) -> None:
        self._encoder = Mp3Encoder(self._n_samples, sample_rate)
        self._file.write(id3(tags) + self._encoder.head)

    def _encode(self, pcm: NDArray[np.int16]) -> None:
        for start in range(0, len(pcm), _HEARD_SAMPLES):
            self._file.write(self._encoder.encode(pcm[start : start + _HEARD_SAMPLES]))

    def _finish(self) -> None:
        self._file.write(self._encoder.finish())


def mp3_length(first_piece: bytes) -> int:
    """Say how many bytes a whole MP3 file has, from the first piece that `Mp3Writer` writes."""
    id3_bytes = id3_length(first_piece)
    return id3_bytes + stream_length(first_piece[id3_bytes:])


class _LibsndfileWriter(AudioWriter):
    """What libsndfile encodes and `vorbis_comment` tags.

    libsndfile writes into memory, from where every piece goes on to the file at once: an error of the file would be
    lost in libsndfile's callback.
    """

    _container: str
    _subtype: str
    _compression: float | None = None

    def _begin(self, sample_rate: int, tags: Tags) -> None:
        import soundfile

        self._fields = vorbis_fields(tags)
        self._waiting = np.zeros((0, 2), np.int16)
        self._outlet = _Outlet()
        self._encoder = soundfile.SoundFile(
            self._outlet,
            "w",
            sample_rate,
            2,
            self._subtype,
            format=self._container,
            compression_level=self._compression,
        )

    def _encode(self, pcm: NDArray[np.int16]) -> None:
        # In chunks of one length, for Vorbis depends on it; and not all at once, which overflows libsndfile's stack.
        pcm = np.concatenate([self._waiting, pcm]) if len(self._waiting) else pcm
        n_ready = len(pcm) - len(pcm) % _CHUNK_SAMPLES
        for start in range(0, n_ready, _CHUNK_SAMPLES):
            self._encode_chunk(pcm[start : start + _CHUNK_SAMPLES])
        self._waiting = pcm[n_ready:].copy()

    def _encode_chunk(self, chunk: NDArray[np.int16]) -> None:
        self._encoder.write(chunk)
        self._file.write(self._tagged(self._outlet.take()))

    def _finish(self) -> None:
        if len(self._waiting):
            self._encode_chunk(self._waiting)
        self._encoder.close()
        self._file.write(self._tagged(self._outlet.take()))
        for position, data in self._outlet.corrections:
            self._file.seek(position)
            self._file.write(data)

    def _release(self) -> None:
        self._encoder.close()

    @abstractmethod
    def _tagged(self, piece: bytes) -> bytes: ...


class FlacWriter(_LibsndfileWriter):
    """FLAC; libsndfile goes back to correct STREAMINFO, which the tags do not move."""

    _container, _subtype = "FLAC", "PCM_16"

    def _begin(self, sample_rate: int, tags: Tags) -> None:
        super()._begin(sample_rate, tags)
        self._is_tagged = False

    def _tagged(self, piece: bytes) -> bytes:
        if self._is_tagged or not piece:
            return piece
        self._is_tagged = True
        # The first piece has all of the metadata.
        return tag_flac(piece, self._fields)


class OggWriter(_LibsndfileWriter):
    """OGG Vorbis."""

    _container, _subtype, _compression = "OGG", "VORBIS", OGG_COMPRESSION

    def _begin(self, sample_rate: int, tags: Tags) -> None:
        super()._begin(sample_rate, tags)
        self._tagger = OggTagger(self._fields)

    def _tagged(self, piece: bytes) -> bytes:
        return self._tagger.tag(piece)


class _Outlet:
    """The file that libsndfile believes it writes.

    Attributes:
        corrections: position and bytes of what was written over earlier bytes.
    """

    def __init__(self) -> None:
        self._position = 0
        self._length = 0
        self._pieces: list[bytes] = []
        self.corrections: list[tuple[int, bytes]] = []

    def write(self, data: bytes) -> int:
        """Take what is appended and what is corrected apart."""
        if self._position < self._length:
            self.corrections.append((self._position, data))
        else:
            self._pieces.append(data)
            self._length += len(data)
        self._position += len(data)
        return len(data)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place in what was written."""
        self._position = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._length}[whence]
        return self._position

    def tell(self) -> int:
        """Say where the next byte goes."""
        return self._position

    def take(self) -> bytes:
        """Return what was appended since the last call."""
        taken = b"".join(self._pieces)
        self._pieces.clear()
        return taken
