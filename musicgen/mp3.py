"""PCM to MP3 by LAME (lameenc), with the Info frame that lameenc leaves out.

The Info frame tells players the exact length, so that seeking is right and playback gapless. Knows nothing of tags.
Source: the "Mp3 info tag, revision 1" page of the LAME project, and ISO/IEC 11172-3 for the frame header.
"""

import struct
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATES = (32_000, 44_100, 48_000)  # of MPEG-1 layer III
BIT_RATE_KBPS = 256
# LAME's 7 is its fastest; at 256 kbps it leaves less error than quality 2 or 5 at 192: docs/decisions/0002.
QUALITY = 7
INFO_QUALITY = 100 - 10 * 4 - QUALITY  # as LAME counts at its default VBR quality 4
FRAME_SAMPLES = 1152
ENCODER_DELAY = 576  # samples of silence that LAME puts first
LAME_VERSION = b"LAME4.0"  # of the library in lameenc

PARALLEL_SAMPLES = 1 << 20  # half a minute; shorter sound is encoded in one go
WARM_UP_FRAMES = 49  # 1.3 s, after which an encoder has forgotten what it heard before

_CHUNK_SAMPLES = 1 << 16
# After so many frames the padding begins anew: a frame of 44.1 kHz has 835 45/49 bytes, the others have whole ones.
_PADDING_PERIOD_FRAMES = 49
_SIDE_INFORMATION_BYTES = 32  # of a stereo frame
_FRAME_HEAD_BYTES = 4 + _SIDE_INFORMATION_BYTES
# In the side information, the end of window_switching_flag, block_type and mixed_block_flag, bits, for both granules
# and channels.
_WINDOW_BITS_END = tuple(20 + 59 * part + 33 + 4 for part in range(4))
_HAS_EVERYTHING = 0b1111  # number of frames, of bytes, seek table, quality
_CONSTANT_BIT_RATE = 1
_STEREO = 1  # as the Info frame numbers LAME's choice at this rate: no joint stereo
# A frame header of MPEG-1 layer III: stereo, original, no checksum; bit rate and sample rate are numbers to put in.
_FRAME_HEADER = 0xFFFB_0004
_BIT_RATES_KBPS = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_RATE_INDICES = {44_100: 0, 48_000: 1, 32_000: 2}


class Mp3Encoder:
    """Encodes sound of known length while it is being made, at a constant 256 kbps.

    The stream is `head`, then what `encode` returns, then what `finish` returns. Equal sound gives equal bytes,
    whatever the blocks.

    Attributes:
        sample_rate: Hz.
        head: the Info frame. Length and rate are known, so it is written before there is any sound.
    """

    def __init__(self, n_samples: int, sample_rate: int) -> None:
        """Set LAME up for `n_samples` (at least 1) a channel.

        Raises:
            ValueError: MP3 has no such sample rate.
        """
        check_sample_rate(sample_rate)
        import lameenc

        self._lame = lameenc.Encoder()
        self._lame.silence()
        self._lame.set_channels(2)
        self._lame.set_in_sample_rate(sample_rate)
        self._lame.set_out_sample_rate(sample_rate)
        self._lame.set_bit_rate(BIT_RATE_KBPS)
        self._lame.set_quality(QUALITY)
        self.sample_rate = sample_rate
        self.head = info_frame(n_samples, sample_rate)

    def encode(self, pcm: NDArray[np.int16]) -> bytes:
        """Encode the next samples, (k, 2) int16; LAME holds on to the last frame or two."""
        # In chunks, so that a thread waiting for the GIL or for a cancellation gets its turn; the bytes are the same.
        return b"".join(
            bytes(self._lame.encode(pcm[start : start + _CHUNK_SAMPLES].tobytes()))
            for start in range(0, len(pcm), _CHUNK_SAMPLES)
        )

    def finish(self) -> bytes:
        """Encode what LAME still holds."""
        return bytes(self._lame.flush())


def encode_mp3(pcm: NDArray[np.int16], sample_rate: int) -> bytes:
    """Encode stereo sound at a constant 256 kbps.

    Args:
        pcm: (n, 2) int16, n at least 1.
        sample_rate: Hz, one of SAMPLE_RATES.

    Returns:
        The stream, Info frame first. Equal input gives equal bytes; those of long sound, whose halves are encoded in
        two threads, are not quite those of `Mp3Encoder`.

    Raises:
        ValueError: MP3 has no such sample rate.
    """
    encoder = Mp3Encoder(len(pcm), sample_rate)
    if len(pcm) < PARALLEL_SAMPLES:
        return encoder.head + encoder.encode(pcm) + encoder.finish()
    middle_frame = len(pcm) // 2 // FRAME_SAMPLES // _PADDING_PERIOD_FRAMES * _PADDING_PERIOD_FRAMES
    middle = middle_frame * FRAME_SAMPLES
    with ThreadPoolExecutor(1) as threads:
        second_half = threads.submit(_encode_alone, pcm[middle:], sample_rate)
        first_half = encoder.encode(pcm[:middle])
        second = second_half.result()
    return encoder.head + _join(first_half, encoder, pcm[middle:], second, count_bytes(middle_frame, sample_rate))


def _encode_alone(pcm: NDArray[np.int16], sample_rate: int) -> bytes:
    encoder = Mp3Encoder(len(pcm), sample_rate)
    return encoder.encode(pcm) + encoder.finish()


def _join(first: bytes, encoder: Mp3Encoder, rest: NDArray[np.int16], second: bytes, offset: int) -> bytes:
    """Go on with the first half, with `rest` of the sound, to a frame from which the second half can follow.

    Where there is no such frame, all of `rest` is encoded.

    Args:
        second: the stream of `rest` alone; its first byte belongs at `offset`.
    """
    n_frames = WARM_UP_FRAMES
    for start in range(0, len(rest), _CHUNK_SAMPLES):
        first += encoder.encode(rest[start : start + _CHUNK_SAMPLES])
        while (position := count_bytes(n_frames, encoder.sample_rate)) + _FRAME_HEAD_BYTES <= len(first) - offset:
            reach = _reach(second, position)
            previous = count_bytes(n_frames - 1, encoder.sample_rate)
            # What the first half has put there is for frames that the second half replaces.
            if reach <= _reach(first, offset + position) and _windows(first, offset + previous) == _windows(
                second, previous
            ):
                return first[: offset + position - reach] + second[position - reach :]
            n_frames += 1
    return first + encoder.finish()


def _reach(stream: bytes, position: int) -> int:
    """Say how many bytes before it the content of the frame at `position` begins: its main_data_begin, 511 at most."""
    return stream[position + 4] << 1 | stream[position + 5] >> 7


def _windows(stream: bytes, position: int) -> list[int]:
    """Return the kinds of window of the frame at `position`; those of neighbouring frames must fit together."""
    side_information = int.from_bytes(stream[position + 4 : position + _FRAME_HEAD_BYTES], "big")
    n_bits = 8 * _SIDE_INFORMATION_BYTES
    return [side_information >> n_bits - last & 0b1111 for last in _WINDOW_BITS_END]


def check_sample_rate(sample_rate: int) -> None:
    """Make sure that MP3 has a sample rate.

    Raises:
        ValueError: it does not.
    """
    if sample_rate not in SAMPLE_RATES:
        raise ValueError(f"MP3 is written at {', '.join(map(str, SAMPLE_RATES))} Hz, not at {sample_rate} Hz")


def count_frames(n_samples: int) -> int:
    """Say in how many frames LAME puts so many samples: its delay first, and at least as much silence last."""
    return -(-(ENCODER_DELAY + n_samples + ENCODER_DELAY) // FRAME_SAMPLES)


def count_bytes(n_frames: int, sample_rate: int) -> int:
    """Say how long the first frames of a stream are: LAME adds a byte wherever whole ones would fall short."""
    whole, fraction = divmod(FRAME_SAMPLES // 8 * BIT_RATE_KBPS * 1000, sample_rate)
    return n_frames * whole - (1 - n_frames) * fraction // sample_rate


def info_frame(n_samples: int, sample_rate: int) -> bytes:
    """Describe a stream of `n_samples` in a silent frame of its own kind."""
    length = count_bytes(1, sample_rate)
    header = _FRAME_HEADER | _BIT_RATES_KBPS.index(BIT_RATE_KBPS) << 12 | _RATE_INDICES[sample_rate] << 10
    n_frames = count_frames(n_samples)
    n_bytes = length + count_bytes(n_frames, sample_rate)
    seek_table = bytes(256 * percent // 100 for percent in range(100))
    end_padding = n_frames * FRAME_SAMPLES - ENCODER_DELAY - n_samples
    # What is 0 below stands for "unknown", or for an empty bit field.
    lame = struct.pack(
        ">9sBB8sBB3sBBHIH",
        LAME_VERSION,
        _CONSTANT_BIT_RATE,
        0,  # low-pass
        bytes(8),  # peak, replay gain
        0,  # psychoacoustic flags
        min(BIT_RATE_KBPS, 255),
        (ENCODER_DELAY << 12 | end_padding).to_bytes(3, "big"),
        SAMPLE_RATES.index(sample_rate) << 6 | _STEREO << 2,
        0,  # gain that was applied
        0,  # preset
        n_bytes,
        0,  # CRC of the stream, which decoders do not read
    )
    xing = b"Info" + struct.pack(">III100sI", _HAS_EVERYTHING, n_frames, n_bytes, seek_table, INFO_QUALITY)
    frame = header.to_bytes(4, "big") + bytes(_SIDE_INFORMATION_BYTES) + xing + lame
    return (frame + struct.pack(">H", _crc16(frame))).ljust(length, b"\0")


def stream_length(head: bytes) -> int:
    """Say how many bytes a whole stream has, from its Info frame."""
    (n_bytes,) = struct.unpack_from(">I", head, _FRAME_HEAD_BYTES + 12)
    return int(n_bytes)


def _crc16(data: bytes) -> int:
    """Compute CRC-16/ARC, the checksum of the LAME extension."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    return crc
