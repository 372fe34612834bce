"""Two pictures of a sound file: its waveform, and a spectrogram over a logarithmic frequency axis; both PNG.

Both can be read on light and on dark pages: the waveform has no background, the spectrogram its own. Knows nothing of
tracks. Pillow and SciPy are imported when they are used.
"""

import io
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from musicgen.waveform_peaks import read_outline

if TYPE_CHECKING:
    from PIL import Image, ImageDraw
    from soundfile import SoundFile

WIDTH, WAVEFORM_HEIGHT, SPECTROGRAM_HEIGHT = 1600, 280, 420  # pixels, with the axes
LEFT_MARGIN, BOTTOM_MARGIN = 64, 28
PEAK_COLOUR, RMS_COLOUR = (111, 155, 216, 255), (52, 108, 184, 255)
AXIS_COLOUR = (128, 128, 128, 255)
FONT_PIXELS = 16

LOWEST_HZ, HIGHEST_HZ = 30.0, 16_000.0
FREQUENCY_LABELS_HZ = (50, 100, 200, 500, 1000, 2000, 5000, 10_000)
WINDOW_LENGTH = 8192  # samples: at 44.1 kHz 5.4 Hz a bin
RANGE_DB = 65.0
# From the quietest to the loudest, evenly spaced; lightness grows all the way.
COLOUR_STOPS = (
    (8, 8, 24),
    (48, 16, 92),
    (120, 28, 109),
    (187, 55, 84),
    (237, 105, 37),
    (251, 180, 30),
    (252, 255, 190),
)

_TICK_STEPS_S = (0.5, 1, 2, 5, 10, 15, 30, 60)
_MOST_TICKS = 13
_FRAMES_AT_ONCE = 128


def draw_waveform(path: Path) -> bytes:
    """Draw lowest to highest sample, and the root mean square inside, over time: PNG with a clear background."""
    from PIL import Image, ImageDraw

    width, height = WIDTH, WAVEFORM_HEIGHT - BOTTOM_MARGIN
    outline = read_outline(path, width)
    image = Image.new("RGBA", (WIDTH, WAVEFORM_HEIGHT))
    draw = ImageDraw.Draw(image)
    middle = (height - 1) / 2
    pixels = np.arange(width) * len(outline.low) // width
    for low, high, colour in ((outline.low, outline.high, PEAK_COLOUR), (-outline.rms, outline.rms, RMS_COLOUR)):
        tops = np.rint(middle * (1 - np.clip(high[pixels], -1, 1))).astype(int)
        bottoms = np.rint(middle * (1 - np.clip(low[pixels], -1, 1))).astype(int)
        for x, (top, bottom) in enumerate(zip(tops.tolist(), bottoms.tolist(), strict=True)):
            draw.line([(x, top), (x, bottom)], fill=colour)
    _draw_time_axis(draw, 0, height, outline.n_samples / outline.sample_rate)
    return _png(image)


def draw_spectrogram(path: Path) -> bytes:
    """Draw how much of each frequency sounds when: PNG, the loudest brightest, RANGE_DB below it black."""
    from PIL import Image, ImageDraw

    width, height = WIDTH - LEFT_MARGIN, SPECTROGRAM_HEIGHT - BOTTOM_MARGIN
    levels, duration_s, highest_hz = _levels(path, width, height)
    colours = _colour_map()[np.rint(levels * 255).astype(np.uint8)]
    image = Image.new("RGB", (WIDTH, SPECTROGRAM_HEIGHT), COLOUR_STOPS[0])
    image.paste(Image.fromarray(colours), (LEFT_MARGIN, 0))
    draw = ImageDraw.Draw(image)
    _draw_frequency_axis(draw, height, highest_hz)
    _draw_time_axis(draw, LEFT_MARGIN, height, duration_s)
    # A palette makes the file a third as large.
    return _png(image.quantize(colors=256, dither=Image.Dither.NONE))


def _levels(path: Path, width: int, height: int) -> tuple[NDArray[np.float32], float, float]:
    """Measure the level in each pixel, (height, width) float32, 0 to 1, low frequencies last; also length and top."""
    import soundfile

    with soundfile.SoundFile(path) as sound:
        n_samples, sample_rate = sound.frames, sound.samplerate
        highest_hz = min(HIGHEST_HZ, sample_rate / 2)
        hop_length = max(1, min(WINDOW_LENGTH // 2, n_samples // width))
        edges = np.geomspace(LOWEST_HZ, highest_hz, height + 1) * WINDOW_LENGTH / sample_rate
        power = np.concatenate([_band_power(frames, edges) for frames in _frames(sound, hop_length)], dtype=np.float32)
    # Every column is the mean of the frames that fall into it, or the nearest frame.
    first = np.minimum(np.arange(width) * len(power) // width, len(power) - 1)
    columns = np.add.reduceat(power, first) / np.maximum(np.diff(first, append=len(power)), 1)[:, None]
    decibels = 10 * np.log10(columns + 1e-20)
    levels = np.clip(1 + (decibels - decibels.max()) / RANGE_DB, 0, 1) if columns.max() > 1e-12 else 0 * columns
    return levels.T[::-1].astype(np.float32), n_samples / sample_rate, highest_hz


def _frames(sound: "SoundFile", hop_length: int) -> Iterator[NDArray[np.float32]]:
    """Yield windows centred on every hop, (frames, 2, WINDOW_LENGTH) float32, many at a time."""
    half = WINDOW_LENGTH // 2
    waiting = np.zeros((half, 2), np.float32)
    n_hops_left = -(-sound.frames // hop_length)
    while n_hops_left:
        n_hops = min(_FRAMES_AT_ONCE, n_hops_left)
        wanted = (n_hops - 1) * hop_length + WINDOW_LENGTH
        read = sound.read(wanted - len(waiting), dtype="float32", always_2d=True)
        samples = np.concatenate([waiting, read])
        samples = np.pad(samples, ((0, wanted - len(samples)), (0, 0)))
        yield np.lib.stride_tricks.sliding_window_view(samples, WINDOW_LENGTH, axis=0)[::hop_length]
        waiting = samples[n_hops * hop_length :]
        n_hops_left -= n_hops


def _band_power(frames: NDArray[np.float32], edges: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sum the power of both channels between neighbouring edges, in bins and parts of bins: (frames, bands)."""
    from scipy import fft

    window = np.hanning(WINDOW_LENGTH).astype(np.float32)
    spectra = fft.rfft(frames * window, axis=2)
    power = (spectra.real**2 + spectra.imag**2).sum(axis=1, dtype=np.float64)
    up_to = np.pad(np.cumsum(power, axis=1), ((0, 0), (1, 0)))
    # Bin k reaches from k - 1/2 to k + 1/2.
    places = np.clip(edges + 0.5, 0, up_to.shape[1] - 1.001)
    whole = places.astype(int)
    at_edges = up_to[:, whole] + (places - whole) * (up_to[:, whole + 1] - up_to[:, whole])
    return np.maximum(np.diff(at_edges, axis=1), 0)


@cache
def _colour_map() -> NDArray[np.uint8]:
    """Blend the stops into 256 colours, (256, 3) uint8."""
    places = np.linspace(0, 255, len(COLOUR_STOPS))
    channels = [np.interp(np.arange(256), places, channel) for channel in zip(*COLOUR_STOPS, strict=True)]
    return np.rint(np.stack(channels, axis=1)).astype(np.uint8)


def _draw_time_axis(draw: "ImageDraw.ImageDraw", left: int, top: int, duration_s: float) -> None:
    step_s = next((step for step in _TICK_STEPS_S if duration_s / step <= _MOST_TICKS), _TICK_STEPS_S[-1])
    draw.line([(left, top), (WIDTH - 1, top)], fill=AXIS_COLOUR)
    for number in range(int(duration_s / step_s) + 1):
        x = left + round(number * step_s / duration_s * (WIDTH - 1 - left))
        draw.line([(x, top), (x, top + 5)], fill=AXIS_COLOUR)
        text = _clock(number * step_s)
        length = draw.textlength(text, font_size=FONT_PIXELS)
        at_x = min(max(x - length / 2, left), WIDTH - length)
        draw.text((at_x, top + 7), text, fill=AXIS_COLOUR, font_size=FONT_PIXELS)


def _clock(seconds: float) -> str:
    """Write a time as players do: 1:05, or 0:02.5."""
    minutes, rest = divmod(seconds, 60)
    return f"{minutes:.0f}:{rest:02.0f}" if rest == int(rest) else f"{minutes:.0f}:{rest:04.1f}"


def _draw_frequency_axis(draw: "ImageDraw.ImageDraw", height: int, highest_hz: float) -> None:
    for frequency_hz in FREQUENCY_LABELS_HZ:
        y = round((height - 1) * (1 - np.log(frequency_hz / LOWEST_HZ) / np.log(highest_hz / LOWEST_HZ)))
        text = f"{frequency_hz // 1000} kHz" if frequency_hz >= 1000 else f"{frequency_hz} Hz"
        draw.line([(LEFT_MARGIN - 6, y), (LEFT_MARGIN - 1, y)], fill=AXIS_COLOUR)
        length = draw.textlength(text, font_size=FONT_PIXELS)
        draw.text((LEFT_MARGIN - 9 - length, y), text, fill=AXIS_COLOUR, font_size=FONT_PIXELS, anchor="lm")


def _png(image: "Image.Image") -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True)
    return file.getvalue()
