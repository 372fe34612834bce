"""The MP3 stream and its Info frame, read frame by frame, by mutagen and by libsndfile's decoder."""

import io
import shutil
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import mutagen.mp3
import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from musicgen.mp3 import (
    BIT_RATE_KBPS,
    ENCODER_DELAY,
    FRAME_SAMPLES,
    LAME_VERSION,
    SAMPLE_RATES,
    Mp3Encoder,
    encode_mp3,
    stream_length,
)

# Samples that a decoder delivers late; players take them and the encoder's delay off the start.
DECODER_DELAY = 529
LENGTHS = [1, 575, 576, 577, 1151, 1152, 1153, 44_100 * 5 + 7]


def chord(n_samples: int, sample_rate: int = 44_100) -> NDArray[np.int16]:
    times = np.arange(n_samples) / sample_rate
    left = sum(np.sin(2 * np.pi * hz * times + hz) for hz in (110, 277.2, 329.6, 1318.5))
    right = sum(np.sin(2 * np.pi * hz * times) for hz in (110, 220, 440, 3520))
    return np.rint(np.stack([left, right], axis=1) * 6000).astype(np.int16)


def frame_lengths(stream: bytes, sample_rate: int) -> list[int]:
    """Walk from frame to frame by their headers; every byte must belong to one."""
    position, lengths = 0, []
    while position < len(stream):
        header = stream[position : position + 4]
        assert header[:2] == b"\xff\xfb", f"no frame at byte {position}"
        assert header[2] >> 4 == 13  # 256 kbps
        padding = header[2] >> 1 & 1
        lengths.append(144 * BIT_RATE_KBPS * 1000 // sample_rate + padding)
        position += lengths[-1]
    assert position == len(stream)
    return lengths


def read_info(stream: bytes) -> dict[str, int]:
    frame = stream[36:]
    assert frame[:4] == b"Info"
    flags, n_frames, n_bytes = struct.unpack_from(">III", frame, 4)
    delay_and_padding = int.from_bytes(frame[141:144], "big")
    return {
        "flags": flags,
        "n_frames": n_frames,
        "n_bytes": n_bytes,
        "delay": delay_and_padding >> 12,
        "padding": delay_and_padding & 0xFFF,
    }


@pytest.mark.parametrize("sample_rate", SAMPLE_RATES)
@pytest.mark.parametrize("n_samples", LENGTHS)
def test_info_frame_counts_what_is_there(n_samples: int, sample_rate: int) -> None:
    stream = encode_mp3(chord(n_samples), sample_rate)
    n_audio_frames = len(frame_lengths(stream, sample_rate)) - 1
    info = read_info(stream)
    assert info["flags"] == 0b1111
    assert info["n_frames"] == n_audio_frames
    assert info["n_bytes"] == len(stream)
    assert info["delay"] == ENCODER_DELAY
    assert n_audio_frames * FRAME_SAMPLES - info["delay"] - info["padding"] == n_samples
    # A decoder is late by 529 samples, which must come out of the padding.
    assert info["padding"] >= DECODER_DELAY


@pytest.mark.parametrize("sample_rate", SAMPLE_RATES)
def test_frames_and_bytes_are_known_before_there_is_sound(sample_rate: int) -> None:
    random = np.random.default_rng(sample_rate)
    around_frames = [n for k in (1, 2, 3, 49, 50) for n in range(k * FRAME_SAMPLES - 578, k * FRAME_SAMPLES - 573)]
    for n_samples in [*around_frames, *random.integers(1, 200_000, 20).tolist()]:
        encoder = Mp3Encoder(n_samples, sample_rate)
        announced = read_info(encoder.head)
        audio = encoder.encode(chord(n_samples, sample_rate)) + encoder.finish()
        assert announced["n_frames"] == len(frame_lengths(audio, sample_rate))
        assert announced["n_bytes"] == stream_length(encoder.head) == len(encoder.head) + len(audio)


@pytest.mark.parametrize("sample_rate", SAMPLE_RATES)
def test_info_frame_has_the_header_of_the_frames_after_it(sample_rate: int) -> None:
    stream = encode_mp3(chord(50_000, sample_rate), sample_rate)
    position = 0
    for length in frame_lengths(stream, sample_rate):
        header = stream[position : position + 4]
        assert bytes([*header[:2], header[2] & ~0b10, header[3]]) == stream[:4]
        position += length


def test_frame_count_is_right_over_minutes() -> None:
    stream = encode_mp3(np.zeros((44_100 * 120 + 1, 2), np.int16), 44_100)
    assert read_info(stream)["n_frames"] == len(frame_lengths(stream, 44_100)) - 1


@pytest.mark.parametrize("sample_rate", SAMPLE_RATES)
@pytest.mark.parametrize("n_samples", LENGTHS)
def test_decoders_return_exactly_the_samples_that_went_in(n_samples: int, sample_rate: int) -> None:
    stream = encode_mp3(chord(n_samples, sample_rate), sample_rate)
    decoded, decoded_rate = soundfile.read(io.BytesIO(stream))
    assert decoded.shape == (n_samples, 2)
    assert decoded_rate == sample_rate


def test_mutagen_reads_the_header() -> None:
    info = mutagen.mp3.MP3(io.BytesIO(encode_mp3(chord(220_507), 44_100))).info
    assert info.length == pytest.approx(220_507 / 44_100, abs=1e-9)
    assert info.bitrate_mode == mutagen.mp3.BitrateMode.CBR
    assert info.bitrate == pytest.approx(256_000, rel=0.01)
    assert info.encoder_info.startswith("LAME")
    assert not info.sketchy


def test_decoded_sound_is_in_place_and_close() -> None:
    pcm = chord(44_100 * 5 + 7)
    decoded, _ = soundfile.read(io.BytesIO(encode_mp3(pcm, 44_100)))
    source = pcm / 32768
    size = 2 * len(source)
    spectra = (np.fft.rfft(channel, size) for channel in (decoded[:, 0], source[:, 0]))
    correlation = np.fft.irfft(next(spectra) * np.conj(next(spectra)))
    assert correlation.argmax() == 0
    error = decoded - source
    assert 10 * np.log10((source**2).sum() / (error**2).sum()) > 40
    # Gapless: the first and last frame are as good as the middle.
    for edge in (slice(0, FRAME_SAMPLES), slice(-FRAME_SAMPLES, None)):
        assert 10 * np.log10((source[edge] ** 2).sum() / (error[edge] ** 2).sum()) > 20


def test_info_frame_is_silent_to_players_that_do_not_know_it() -> None:
    stream = encode_mp3(chord(5000), 44_100)
    without_mark = stream.replace(b"Info", b"    ", 1)
    decoded, _ = soundfile.read(io.BytesIO(without_mark))
    assert np.abs(decoded[: FRAME_SAMPLES // 2]).max() == 0


def test_info_frame_names_the_lame_that_is_installed() -> None:
    """LAME writes its version into frames that have room; a new lameenc may bring a new one."""
    stream = encode_mp3(np.zeros((44_100, 2), np.int16), 44_100)
    info_frame, frames = stream[:835], stream[835:]
    assert LAME_VERSION in info_frame
    assert LAME_VERSION + b"U" in frames


def test_info_frame_has_its_checksum() -> None:
    frame = encode_mp3(chord(5000), 44_100)[:192]
    # A CRC over a message and its own checksum, low byte first, is 0.
    crc = 0
    for byte in frame[:190] + frame[191:189:-1]:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    assert crc == 0


def lively(n_samples: int, sample_rate: int) -> NDArray[np.int16]:
    """Noise that is struck, over a chord: short and long windows, a reservoir that empties and fills."""
    random = np.random.default_rng(n_samples)
    times = np.arange(n_samples)[:, None] / sample_rate
    struck = random.standard_normal((n_samples, 2)) * np.exp(-8 * (times % 0.37)) * 6000
    return np.clip(np.rint(chord(n_samples, sample_rate) + struck), -32768, 32767).astype(np.int16)


def serial(pcm: NDArray[np.int16], sample_rate: int) -> bytes:
    encoder = Mp3Encoder(len(pcm), sample_rate)
    return encoder.head + encoder.encode(pcm) + encoder.finish()


def snr_db(decoded: NDArray, pcm: NDArray, part: slice) -> float:
    source = pcm[part] / 32768
    return float(10 * np.log10((source**2).sum() / ((decoded[part] - source) ** 2).sum()))


@pytest.mark.parametrize("sample_rate", SAMPLE_RATES)
@pytest.mark.parametrize("make", [chord, lively])
@pytest.mark.parametrize("n_samples", [500_001, 700_000])
def test_two_halves_joined_are_the_stream_of_the_whole(
    monkeypatch: pytest.MonkeyPatch,
    n_samples: int,
    make: Callable[[int, int], NDArray[np.int16]],
    sample_rate: int,
) -> None:
    monkeypatch.setattr("musicgen.mp3.PARALLEL_SAMPLES", 500_000)
    pcm = make(n_samples, sample_rate)
    joined, whole = encode_mp3(pcm, sample_rate), serial(pcm, sample_rate)
    assert frame_lengths(joined, sample_rate) == frame_lengths(whole, sample_rate)
    assert joined[: len(joined) // 2] == whole[: len(joined) // 2]
    decoded, expected = (soundfile.read(io.BytesIO(stream))[0] for stream in (joined, whole))
    assert decoded.shape == (n_samples, 2)
    # Frame by frame, the join as good as the rest: it leaves no more error than the encoder does.
    for start in range(n_samples // 2 - 20_000, n_samples // 2 + 150_000, FRAME_SAMPLES):
        part = slice(start, start + 2 * FRAME_SAMPLES)
        assert snr_db(decoded, pcm, part) > snr_db(expected, pcm, part) - 1.0
    second_half = slice(n_samples // 2, n_samples)
    assert snr_db(decoded, pcm, second_half) == pytest.approx(snr_db(expected, pcm, second_half), abs=0.05)


def test_the_second_half_is_not_encoded_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("musicgen.mp3.PARALLEL_SAMPLES", 500_000)
    n_encoded = []
    real = Mp3Encoder.encode

    def counting(encoder: Mp3Encoder, pcm: NDArray[np.int16]) -> bytes:
        n_encoded.append(len(pcm))
        return real(encoder, pcm)

    monkeypatch.setattr(Mp3Encoder, "encode", counting)
    encode_mp3(lively(700_000, 44_100), 44_100)
    assert 700_000 < sum(n_encoded) <= 700_000 + 2 * 65_536


def test_where_no_frame_can_follow_all_is_encoded_in_one_go(monkeypatch: pytest.MonkeyPatch) -> None:
    pcm = lively(600_000, 44_100)
    monkeypatch.setattr("musicgen.mp3.PARALLEL_SAMPLES", 500_000)
    monkeypatch.setattr("musicgen.mp3._windows", lambda stream, position: [object()])
    assert encode_mp3(pcm, 44_100) == serial(pcm, 44_100)


@pytest.mark.skipif(not shutil.which("ffmpeg"), reason="ffmpeg is not installed")
def test_ffmpeg_finds_nothing_wrong_with_a_join(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("musicgen.mp3.PARALLEL_SAMPLES", 500_000)
    path = tmp_path / "joined.mp3"
    path.write_bytes(encode_mp3(lively(700_000, 44_100), 44_100))
    strict = ["-v", "warning", "-xerror", "-err_detect", "explode"]
    command = ["ffmpeg", *strict, "-i", path, "-f", "s16le", "-"]
    process = subprocess.run(command, capture_output=True, check=True)
    assert process.stderr == b""
    assert len(process.stdout) == 700_000 * 4


def test_equal_input_gives_equal_bytes() -> None:
    assert encode_mp3(chord(70_000), 44_100) == encode_mp3(chord(70_000), 44_100)


def test_chunks_do_not_change_the_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = encode_mp3(chord(70_000), 44_100)
    monkeypatch.setattr("musicgen.mp3._CHUNK_SAMPLES", 1_000)
    assert encode_mp3(chord(70_000), 44_100) == stream


def test_a_sample_rate_that_mp3_lacks_is_named() -> None:
    with pytest.raises(ValueError, match="22050 Hz"):
        encode_mp3(chord(100), 22_050)
