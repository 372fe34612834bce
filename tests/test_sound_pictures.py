"""Pictures looked at pixel by pixel: what is loud is bright, what is low is below, what is silent is empty."""

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray
from PIL import Image

from musicgen.sound_pictures import (
    BOTTOM_MARGIN,
    HIGHEST_HZ,
    LEFT_MARGIN,
    LOWEST_HZ,
    PEAK_COLOUR,
    RMS_COLOUR,
    SPECTROGRAM_HEIGHT,
    WAVEFORM_HEIGHT,
    WIDTH,
    draw_spectrogram,
    draw_waveform,
)
from musicgen.waveform_peaks import MAX_PIXELS, peaks_document, read_outline

SAMPLE_RATE = 44_100


def write(path: Path, samples: NDArray, sample_rate: int = SAMPLE_RATE) -> Path:
    soundfile.write(path, samples, sample_rate, "PCM_16", format="WAV")
    return path


def sine(frequency_hz: float, duration_s: float = 6.0, level: float = 0.5, sample_rate: int = SAMPLE_RATE) -> NDArray:
    mono = level * np.sin(2 * np.pi * frequency_hz * np.arange(round(duration_s * sample_rate)) / sample_rate)
    return np.stack([mono, mono], axis=1)


def spectrogram(path: Path) -> NDArray[np.int64]:
    """Return the brightness of the drawn part, (height, width)."""
    image = Image.open(io.BytesIO(draw_spectrogram(path))).convert("RGB")
    assert image.size == (WIDTH, SPECTROGRAM_HEIGHT)
    return np.asarray(image).astype(int).sum(axis=2)[: SPECTROGRAM_HEIGHT - BOTTOM_MARGIN, LEFT_MARGIN:]


def waveform(path: Path) -> NDArray[np.uint8]:
    image = Image.open(io.BytesIO(draw_waveform(path)))
    assert (image.size, image.mode) == ((WIDTH, WAVEFORM_HEIGHT), "RGBA")
    return np.asarray(image)[: WAVEFORM_HEIGHT - BOTTOM_MARGIN]


@pytest.mark.parametrize("frequency_hz", [50.0, 440.0, 3000.0, 12_000.0])
@pytest.mark.parametrize("sample_rate", [32_000, 44_100, 48_000])
def test_a_tone_is_a_line_at_its_place_on_the_frequency_axis(
    tmp_path: Path, frequency_hz: float, sample_rate: int
) -> None:
    bright = spectrogram(write(tmp_path / "a", sine(frequency_hz, sample_rate=sample_rate), sample_rate))
    highest_hz = min(HIGHEST_HZ, sample_rate / 2)
    expected = (len(bright) - 1) * (1 - np.log(frequency_hz / LOWEST_HZ) / np.log(highest_hz / LOWEST_HZ))
    assert abs(bright.mean(axis=1).argmax() - expected) <= 6


def test_what_comes_first_is_left(tmp_path: Path) -> None:
    bright = spectrogram(write(tmp_path / "a", np.concatenate([sine(1000, 3), np.zeros((3 * SAMPLE_RATE, 2))])))
    width = bright.shape[1]
    assert bright[:, : width // 2 - 40].max(axis=0).min() > bright[:, width // 2 + 60 :].max() + 200


@pytest.mark.parametrize("n_samples", [1, 1000, 5 * SAMPLE_RATE])
def test_silence_is_dark_and_flat(tmp_path: Path, n_samples: int) -> None:
    path = write(tmp_path / "a", np.zeros((n_samples, 2)))
    dark = spectrogram(path)
    assert dark.max() == dark.min()
    drawn = waveform(path)[:, :, 3] > 0
    assert drawn.any(axis=0).all()
    assert drawn.sum(axis=0).max() == 1


@pytest.mark.parametrize("duration_s", [0.01, 1.0, 7.3])
def test_a_waveform_reaches_as_far_as_its_sound(tmp_path: Path, duration_s: float) -> None:
    picture = waveform(write(tmp_path / "a", sine(4000, duration_s)))
    drawn = picture[:, :, 3] > 0
    height = len(drawn)
    assert drawn.sum(axis=0).max() == pytest.approx(height / 2, abs=3)
    # The background is clear, peaks and mean have their colours.
    assert not drawn[: height // 4 - 2].any() and not drawn[-height // 4 + 2 :].any()
    colours = {tuple(colour) for colour in picture[drawn].tolist()}
    assert colours <= {PEAK_COLOUR, RMS_COLOUR}


def test_channels_out_of_phase_do_not_vanish(tmp_path: Path) -> None:
    tone = sine(440) * [1, -1]
    assert spectrogram(write(tmp_path / "a", tone)).max() > 600
    outline = read_outline(tmp_path / "a")
    assert outline.rms.mean() == pytest.approx(0.5 / np.sqrt(2), abs=0.01)


@pytest.mark.parametrize("n_samples", [1, 2, MAX_PIXELS, MAX_PIXELS + 1, 7 * MAX_PIXELS - 1, 600_011])
def test_peaks_are_lowest_and_highest_of_each_pixel(tmp_path: Path, n_samples: int) -> None:
    pcm = np.random.default_rng(4).integers(-32768, 32768, (n_samples, 2)).astype(np.int16)
    soundfile.write(tmp_path / "a", pcm, SAMPLE_RATE, "PCM_16", format="WAV")
    outline = read_outline(tmp_path / "a")
    document = peaks_document(outline)
    pixels = [
        pcm[start : start + outline.samples_per_pixel] for start in range(0, n_samples, outline.samples_per_pixel)
    ]
    assert document["length"] == len(pixels) <= MAX_PIXELS
    expected = [value for pixel in pixels for value in (pixel.min() / 256, pixel.max() / 256)]
    np.testing.assert_allclose(document["data"], np.clip(np.rint(expected), -128, 127), atol=1e-6)
