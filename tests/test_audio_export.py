"""Files in every format, written for real and read back by libsndfile and mutagen."""

import io
import shutil
import struct
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import mutagen
import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from musicgen.audio_export import AUDIO_FORMATS, Tags, quantize, write_audio, writer_of
from musicgen.audio_writers import mp3_length
from musicgen.waveform import Waveform

SAMPLE_RATE = 44_100
LOSSLESS = [name for name, audio_format in AUDIO_FORMATS.items() if audio_format.lossless]
LOSSY = [name for name, audio_format in AUDIO_FORMATS.items() if not audio_format.lossless]
HOSTILE = {
    "emoji": "🎹🥁🎷 🏳️‍🌈",
    "cjk": "東京の夜、静かなピアノ",
    "right to left": "موسيقى هادئة \u202e abc",
    "lines": "one\r\ntwo\rthree\n\n",
    "nul": "before\0after\x01\x1b[2J",
    "half surrogate": "broken \ud83d pair",
    "longest": "長" * 2000,
    "longest emoji": "😀" * 2000,
    "field names": "TITLE=x\nPROMPT=y=z",
    "blank": " ",
}


def make_tags(title: str = "Night Train", prompt: str = "slow blues", seed: int = 7) -> Tags:
    return Tags(
        title=title,
        prompt=prompt,
        model="composer",
        seed=seed,
        date=datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC),
        tempo=92.0,
        key="D minor",
        weights_licence="MIT",
    )


def music(n_samples: int, sample_rate: int = SAMPLE_RATE) -> Waveform:
    """Tones over a little noise, different left and right."""
    times = np.arange(n_samples) / sample_rate
    tones = [sum(np.sin(2 * np.pi * hz * times + hz) for hz in chord) for chord in ((110, 277.2, 1318.5), (110, 440))]
    noise = np.random.default_rng(3).standard_normal((2, n_samples))
    return Waveform((0.15 * np.stack(tones) + 0.002 * noise).astype(np.float32), sample_rate)


def write(waveform: Waveform, path: Path, format: str, tags: Tags | None = None) -> Path:
    write_audio(waveform, path, tags or make_tags(), format)
    return path


def snr_db(decoded: NDArray, waveform: Waveform) -> float:
    source = waveform.samples.T.astype(np.float64)
    return 10 * np.log10((source**2).sum() / ((decoded - source) ** 2).sum())


def test_formats_are_what_http_and_file_names_need() -> None:
    assert list(AUDIO_FORMATS) == ["wav", "mp3", "flac", "ogg"]
    for name, audio_format in AUDIO_FORMATS.items():
        assert audio_format.name == name
        assert audio_format.extension == f".{name}"
        assert audio_format.mime_type.startswith("audio/")
    assert LOSSLESS == ["wav", "flac"]


@pytest.mark.parametrize("format", AUDIO_FORMATS)
@pytest.mark.parametrize("n_samples", [1, 2, 1151, 1152, 1153, 65_536, 65_537, 5 * SAMPLE_RATE, 5 * SAMPLE_RATE + 7])
def test_files_are_exactly_as_long_as_the_waveform(tmp_path: Path, format: str, n_samples: int) -> None:
    path = write(music(n_samples), tmp_path / "track", format)
    decoded, sample_rate = soundfile.read(path)
    assert decoded.shape == (n_samples, 2)
    assert sample_rate == SAMPLE_RATE
    assert mutagen.File(path).info.length == pytest.approx(n_samples / SAMPLE_RATE, abs=1e-9)


@pytest.mark.parametrize("format", LOSSLESS)
def test_lossless_files_hold_the_rounded_samples(tmp_path: Path, format: str) -> None:
    waveform = music(70_001)
    decoded, _ = soundfile.read(write(waveform, tmp_path / "track", format), dtype="int16")
    np.testing.assert_array_equal(decoded, np.rint(waveform.samples.T * 32768).astype(np.int16))
    assert soundfile.info(tmp_path / "track").subtype == "PCM_16"


@pytest.mark.parametrize("format", LOSSY)
def test_lossy_files_sound_like_the_waveform_and_start_with_it(tmp_path: Path, format: str) -> None:
    waveform = music(5 * SAMPLE_RATE + 7)
    decoded, _ = soundfile.read(write(waveform, tmp_path / "track", format))
    # The noise is 37 dB down and of no use to the ear, so encoders drop much of it.
    assert snr_db(decoded, waveform) > 30
    shifted = Waveform(np.roll(waveform.samples, 1, axis=1), SAMPLE_RATE)
    assert snr_db(decoded, waveform) > snr_db(decoded, shifted) + 6


@pytest.mark.parametrize("format", AUDIO_FORMATS)
@pytest.mark.parametrize("sample_rate", [32_000, 48_000])
def test_sample_rates_of_other_engines(tmp_path: Path, format: str, sample_rate: int) -> None:
    waveform = music(sample_rate + 1, sample_rate)
    decoded, found_rate = soundfile.read(write(waveform, tmp_path / "track", format))
    assert (len(decoded), found_rate) == (sample_rate + 1, sample_rate)
    assert snr_db(decoded, waveform) > 25


@pytest.mark.parametrize("format", AUDIO_FORMATS)
def test_silence_stays_silent(tmp_path: Path, format: str) -> None:
    silence = Waveform(np.zeros((2, 5 * SAMPLE_RATE), np.float32), SAMPLE_RATE)
    decoded, _ = soundfile.read(write(silence, tmp_path / "track", format))
    assert decoded.shape == (5 * SAMPLE_RATE, 2)
    assert np.abs(decoded).max() == 0


@pytest.mark.parametrize("format", AUDIO_FORMATS)
def test_equal_channels_stay_equal(tmp_path: Path, format: str) -> None:
    left = music(SAMPLE_RATE).samples[0]
    decoded, _ = soundfile.read(write(Waveform(np.stack([left, left]), SAMPLE_RATE), tmp_path / "track", format))
    np.testing.assert_allclose(decoded[:, 0], decoded[:, 1], atol=1e-6)


@pytest.mark.parametrize("format", AUDIO_FORMATS)
def test_full_scale_square_wave(tmp_path: Path, format: str) -> None:
    square = np.where(np.arange(SAMPLE_RATE) // 100 % 2, 1.0, -1.0).astype(np.float32)
    waveform = Waveform(np.stack([square, -square]), SAMPLE_RATE)
    decoded, _ = soundfile.read(write(waveform, tmp_path / "track", format))
    assert snr_db(decoded, waveform) > 15
    if AUDIO_FORMATS[format].lossless:
        assert snr_db(decoded, waveform) > 90


def test_samples_beyond_full_scale_are_clipped_not_wrapped() -> None:
    waveform = Waveform(np.array([[-1e30, -1.5, -1, 0, 1, 1.5, 1e30], [0] * 7], np.float32), SAMPLE_RATE)
    assert quantize(waveform.samples)[:, 0].tolist() == [-32768, -32768, -32768, 0, 32767, 32767, 32767]


def test_sound_that_was_16_bit_comes_back_exactly() -> None:
    pcm = np.arange(-32768, 32768, dtype=np.int16)
    waveform = Waveform(np.stack([pcm, pcm[::-1]]).astype(np.float32) / 32768, SAMPLE_RATE)
    np.testing.assert_array_equal(quantize(waveform.samples), np.stack([pcm, pcm[::-1]], axis=1))


@pytest.mark.parametrize("format", AUDIO_FORMATS)
def test_equal_input_gives_equal_bytes_and_leaves_the_samples_alone(tmp_path: Path, format: str) -> None:
    waveform = music(100_000)
    before = waveform.samples.copy()
    first = write(waveform, tmp_path / "first", format)
    second = write(waveform, tmp_path / "second", format)
    assert first.read_bytes() == second.read_bytes()
    np.testing.assert_array_equal(waveform.samples, before)
    other = write(waveform, tmp_path / "other", format, make_tags(seed=8))
    assert other.read_bytes() != first.read_bytes()


def cut(pcm: NDArray, lengths: list[int]) -> list[NDArray]:
    """Cut at these lengths, again and again to the end."""
    pieces, start = [], 0
    while start < len(pcm):
        length = lengths[len(pieces) % len(lengths)]
        pieces.append(pcm[start : start + length])
        start += length
    return pieces


@pytest.mark.parametrize("format", AUDIO_FORMATS)
@pytest.mark.parametrize("lengths", [[1, 0, 7], [1152], [8_820, 65_536], [10**9]], ids=str)
def test_the_blocks_make_no_difference_to_the_file(tmp_path: Path, format: str, lengths: list[int]) -> None:
    n_samples = 3_000 if 1 in lengths else 150_000
    waveform = music(n_samples)
    with (tmp_path / "blocks").open("wb") as file:
        writer = writer_of(format)(file, n_samples, SAMPLE_RATE, make_tags())
        with writer as audio:
            for piece in cut(quantize(waveform.samples), lengths):
                audio.write(piece)
    assert (tmp_path / "blocks").read_bytes() == write(waveform, tmp_path / "whole", format).read_bytes()


@pytest.mark.parametrize("format", AUDIO_FORMATS)
def test_nothing_waits_for_the_end_but_what_must(format: str) -> None:
    """What is written of a minute before its end is known; libsndfile's Vorbis gathers pages."""
    file = io.BytesIO()
    pcm = quantize(music(60 * SAMPLE_RATE).samples)
    with writer_of(format)(file, len(pcm), SAMPLE_RATE, make_tags()) as audio:
        audio.write(pcm[: 30 * SAMPLE_RATE])
        at_half = len(file.getvalue())
        audio.write(pcm[30 * SAMPLE_RATE :])
    assert at_half > 0.45 * len(file.getvalue())


@pytest.mark.parametrize("format", AUDIO_FORMATS)
@pytest.mark.parametrize("n_written", [0, 4_999, 5_001])
def test_a_length_that_was_not_promised_is_an_error(format: str, n_written: int) -> None:
    with (
        pytest.raises(ValueError, match=f"5000 samples were promised, {n_written} came"),
        writer_of(format)(io.BytesIO(), 5_000, SAMPLE_RATE, make_tags()) as audio,
    ):
        audio.write(np.zeros((n_written, 2), np.int16))


class FullDisk(io.BytesIO):
    def write(self, data: bytes) -> int:
        if self.tell() + len(data) > 200_000:
            raise OSError(28, "No space left on device")
        return super().write(data)


@pytest.mark.parametrize("format", AUDIO_FORMATS)
def test_an_error_of_the_file_is_raised_as_it_is(format: str, capfd: pytest.CaptureFixture[str]) -> None:
    pcm = quantize(music(20 * SAMPLE_RATE).samples)
    with (
        pytest.raises(OSError, match="No space left"),
        writer_of(format)(FullDisk(), len(pcm), SAMPLE_RATE, make_tags()) as audio,
    ):
        for piece in cut(pcm, [20_000]):
            audio.write(piece)
    assert capfd.readouterr().err == ""


def test_the_length_of_an_mp3_is_known_from_its_first_piece() -> None:
    pieces: list[bytes] = []

    class Pieces(io.BytesIO):
        def write(self, data: bytes) -> int:
            pieces.append(bytes(data))
            return len(data)

    pcm = quantize(music(100_000).samples)
    with writer_of("mp3")(Pieces(), len(pcm), SAMPLE_RATE, make_tags(prompt="長" * 2000)) as audio:
        assert len(pieces) == 1
        announced = mp3_length(pieces[0])
        audio.write(pcm)
    assert announced == len(b"".join(pieces))


@pytest.mark.skipif(not shutil.which("ffmpeg"), reason="ffmpeg is not installed")
@pytest.mark.parametrize("format", AUDIO_FORMATS)
def test_ffmpeg_decodes_the_same_music(tmp_path: Path, format: str) -> None:
    waveform = music(5 * SAMPLE_RATE + 7)
    path = write(waveform, tmp_path / "track", format)
    command = ["ffmpeg", "-v", "error", "-xerror", "-i", path, "-f", "f32le", "-"]
    process = subprocess.run(command, capture_output=True, check=True)
    assert process.stderr == b""
    decoded = np.frombuffer(process.stdout, "<f4").reshape(-1, 2)
    assert decoded.shape == (waveform.n_samples, 2)
    assert snr_db(decoded, waveform) > 30


def found_texts(path: Path) -> dict[str, str]:
    """Read title, prompt, seed and the AI mark by mutagen, whichever way the format names them."""
    tags = mutagen.File(path).tags
    if "TXXX:PROMPT" in tags:
        names = {"title": "TIT2", "prompt": "TXXX:PROMPT", "seed": "TXXX:SEED", "ai_generated": "TXXX:AI_GENERATED"}
        return {name: tags[frame].text[0] for name, frame in names.items() if frame in tags}
    return {name: tags[name][0] for name in ("title", "prompt", "seed", "ai_generated") if name in tags}


@pytest.mark.parametrize("format", AUDIO_FORMATS)
def test_tags_are_found_again(tmp_path: Path, format: str) -> None:
    path = write(music(5000), tmp_path / "track", format)
    assert found_texts(path) == {"title": "Night Train", "prompt": "slow blues", "seed": "7", "ai_generated": "yes"}


@pytest.mark.parametrize("format", AUDIO_FORMATS)
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_words_harm_neither_tags_nor_sound(tmp_path: Path, format: str, text: str) -> None:
    waveform = music(5000)
    path = write(waveform, tmp_path / "track", format, make_tags(title=text, prompt=text))
    decoded, _ = soundfile.read(path)
    assert decoded.shape == (5000, 2)
    assert snr_db(decoded, waveform) > 25
    found = found_texts(path)
    readable = text.replace("\r\n", "\n").replace("\r", "\n").replace("\ud83d", "�")
    readable = "".join(" " if character < " " and character not in "\n\t" else character for character in readable)
    assert found["prompt"] == readable
    assert found.get("title", "") == " ".join(readable.split())


def test_wav_starts_with_the_header_everybody_reads(tmp_path: Path) -> None:
    waveform = music(1001)
    file = write(waveform, tmp_path / "track", "wav").read_bytes()
    size, _, _, channels, sample_rate, byte_rate, align, bits = struct.unpack_from("<4xI4x4xIHHIIHH", file)
    assert size == len(file) - 8
    assert (channels, sample_rate, byte_rate, align, bits) == (2, SAMPLE_RATE, SAMPLE_RATE * 4, 4, 16)
    assert file[36:44] == b"data" + struct.pack("<I", 1001 * 4)
    assert file[44 : 44 + 4004] == quantize(waveform.samples).tobytes()


def test_wav_has_an_info_list_too(tmp_path: Path) -> None:
    path = write(music(1001), tmp_path / "track", "wav", make_tags(title="東京 blues"))
    with soundfile.SoundFile(path) as file:
        assert file.title == "東京 blues"
        assert file.comment.startswith("AI-generated by musicgen")
        assert file.date == "2026-02-03"
        assert file.software.startswith("musicgen ")


def test_the_path_is_taken_as_it_is_and_overwritten(tmp_path: Path) -> None:
    path = tmp_path / ".some name.mp3.part"
    path.write_bytes(b"x" * 10_000_000)
    write_audio(waveform=music(1000), path=path, tags=make_tags(), format="flac")
    assert soundfile.info(path).format == "FLAC"
    assert path.stat().st_size < 100_000
    assert list(tmp_path.iterdir()) == [path]


def test_an_unknown_format_is_named_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"'aiff'.*wav, mp3, flac, ogg"):
        write(music(10), tmp_path / "track", "aiff")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("format", AUDIO_FORMATS)
def test_samples_that_are_no_numbers_are_refused_before_a_file_is_made(tmp_path: Path, format: str, bad: float) -> None:
    samples = np.zeros((2, 100_000), np.float32)
    samples[1, 99_999] = bad
    with pytest.raises(ValueError, match="finite"):
        write(Waveform(samples, SAMPLE_RATE), tmp_path / "track", format)
    assert not list(tmp_path.iterdir())


def test_no_samples_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no samples"):
        write(Waveform(np.zeros((2, 0), np.float32), SAMPLE_RATE), tmp_path / "track", "wav")


def test_importing_the_formats_loads_no_encoder() -> None:
    program = (
        "import sys, musicgen.audio_export, musicgen.loudness;"
        "print(sorted({'scipy', 'soundfile', 'lameenc', 'torch'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
