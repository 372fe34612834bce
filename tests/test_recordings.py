"""What is heard of a recording that a request brings."""

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile

from musicgen.recordings import middle_as_flac, read_middle

SAMPLE_RATE = 44_100


def tone(n: int, hertz: float) -> np.ndarray:
    wave = 0.5 * np.sin(2 * np.pi * hertz * np.arange(n) / SAMPLE_RATE)
    return np.stack([wave, wave], axis=1)


@pytest.fixture(params=["wav", "flac", "ogg", "mp3"])
def recording(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """30 s: a low tone, then a higher one, in whose beginning the middle lies."""
    path = tmp_path / f"music.{request.param}"
    soundfile.write(path, np.concatenate([tone(8 * SAMPLE_RATE, 300), tone(22 * SAMPLE_RATE, 440)]), SAMPLE_RATE)
    return path


def strongest_hz(samples: np.ndarray) -> float:
    spectrum = np.abs(np.fft.rfft(samples[0] * np.hanning(samples.shape[1])))
    return float(spectrum.argmax() * SAMPLE_RATE / samples.shape[1])


def test_files_are_heard_in_their_middle(recording: Path) -> None:
    samples, sample_rate = read_middle(recording)
    assert samples.shape == (2, 10 * SAMPLE_RATE) and samples.dtype == np.float32
    assert sample_rate == SAMPLE_RATE
    assert strongest_hz(samples) == pytest.approx(440)


def test_what_is_sent_of_a_file_is_its_middle(recording: Path) -> None:
    sent = middle_as_flac(recording)
    assert len(sent) < 2_000_000
    heard, _ = read_middle(io.BytesIO(sent))
    np.testing.assert_allclose(heard, read_middle(recording)[0], atol=1 / 32768)


def test_a_short_mono_file_is_heard_whole(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "short.wav", tone(500, 440)[:, 0], SAMPLE_RATE)
    assert read_middle(tmp_path / "short.wav")[0].shape == (1, 500)


def test_what_is_no_recording_is_refused(tmp_path: Path) -> None:
    (tmp_path / "music.mp3").write_text("not music")
    soundfile.write(tmp_path / "empty.wav", np.zeros((0, 2)), SAMPLE_RATE)
    soundfile.write(tmp_path / "slow.wav", np.zeros((10, 2)), 100)
    for name, why in (("music.mp3", "not an audio file"), ("empty.wav", "no sound"), ("slow.wav", "100 samples a sec")):
        with pytest.raises(ValueError, match=why):
            read_middle(tmp_path / name)
