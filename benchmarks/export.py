"""Time the export of each audio format, the export while sound is made, what is made later, and LAME's settings.

    python -m benchmarks.export [--runs 5] [--seconds 30 285] [--mp3-settings]

Prints Markdown. The sound is made here: pink noise under a chord that is struck twice a second, with an attack of
noise, at about -14 LUFS. It is harder to encode than most music.
"""

import argparse
import io
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
from flask import Flask
from numpy.typing import NDArray

from musicgen import mp3
from musicgen.audio_export import AUDIO_FORMATS, Tags, convert_audio, quantize, write_audio
from musicgen.composer.card import CARD
from musicgen.engine import Rendering
from musicgen.loudness import integrated_loudness, true_peak_db
from musicgen.sound_pictures import draw_spectrogram, draw_waveform
from musicgen.stage_watch import StageWatch
from musicgen.tables import Track
from musicgen.track_export import OnMp3, export_track
from musicgen.waveform import BLOCK_SAMPLES, AudioStream, Waveform
from musicgen.waveform_peaks import peaks_document, read_outline

SAMPLE_RATE = 44_100
# Edges of the critical bands of hearing, 1 to 23 Bark (Traunmüller, 1990), Hz: 149 Hz to 14 kHz.
BARK_EDGES_HZ = tuple(1960 * (bark + 0.53) / (26.28 - bark) for bark in range(1, 24))
TAGS = Tags("Benchmark", "pink noise and a chord", "benchmark", 0, datetime(2026, 1, 1, tzinfo=UTC), 120.0, "A minor")


def music_like(duration_s: float) -> Waveform:
    """Make the sound; equal durations give equal samples."""
    n = round(duration_s * SAMPLE_RATE)
    noise = np.random.default_rng(0).standard_normal((2, n))
    spectrum = np.fft.rfft(noise, axis=1)
    pink = np.fft.irfft(spectrum / np.sqrt(np.arange(spectrum.shape[1]) + 1), n, axis=1)
    times = np.arange(n) / SAMPLE_RATE
    since_attack = times % 0.5
    chord = sum(np.sin(2 * np.pi * hz * times) / (1 + hz / 1000) for hz in (110, 220, 277.2, 329.6, 880, 2217))
    sound = (
        0.05 * pink / pink.std() + 0.12 * chord * np.exp(-4 * since_attack) + 0.1 * noise * np.exp(-60 * since_attack)
    )
    return Waveform((0.8 * sound / np.abs(sound).max()).astype(np.float32), SAMPLE_RATE)


def median_s(work: Callable[[], object], n_runs: int) -> tuple[float, float]:
    """Return the medians of wall and of processor time over `n_runs` calls, seconds."""
    wall_s, processor_s = [], []
    for _ in range(n_runs):
        wall_start, processor_start = time.perf_counter(), time.process_time()
        work()
        wall_s.append(time.perf_counter() - wall_start)
        processor_s.append(time.process_time() - processor_start)
    return statistics.median(wall_s), statistics.median(processor_s)


def table_of_formats(waveform: Waveform, n_runs: int, folder: Path) -> None:
    """Print seconds, times real time and size of each step of an export."""
    path = folder / "track"
    pcm = quantize(waveform.samples)
    steps: dict[str, Callable[[], object]] = {
        name: partial(write_audio, waveform, path, TAGS, name) for name in AUDIO_FORMATS
    }
    steps["mp3 of stored sound, two halves at once"] = partial(mp3.encode_mp3, pcm, SAMPLE_RATE)
    steps["16-bit rounding (once for all formats)"] = partial(quantize, waveform.samples)
    steps["integrated loudness"] = partial(integrated_loudness, waveform)
    steps["true peak"] = partial(true_peak_db, waveform)
    steps["**export of blocks: WAV, MP3, loudness**"] = partial(export_blocks, waveform, ("wav", "mp3"))
    steps["export of blocks: all four formats"] = partial(export_blocks, waveform, AUDIO_FORMATS)
    print(f"\n| {waveform.duration_s:g} s of stereo | s | CPU s | x real time | MB |\n|---|---|---|---|---|")
    for name, work in steps.items():
        wall_s, processor_s = median_s(work, n_runs)
        size = f"{path.stat().st_size / 1e6:.1f}" if name in AUDIO_FORMATS else ""
        print(f"| {name} | {wall_s:.3f} | {processor_s:.3f} | {waveform.duration_s / wall_s:.0f} | {size} |")


def export_blocks(waveform: Waveform, formats: Collection[str], on_mp3: OnMp3 | None = None) -> None:
    """Export a track whose sound comes in blocks, the first of 0.2 s, and costs nothing to make."""
    first = SAMPLE_RATE // 5
    edges = [0, *range(first, waveform.n_samples, BLOCK_SAMPLES), waveform.n_samples]
    blocks = (waveform.samples[:, start:stop] for start, stop in pairwise(edges))
    rendering = Rendering(AudioStream(waveform.n_samples, SAMPLE_RATE, blocks), TAGS.title)
    track = Track(id="0" * 32, title=TAGS.title, prompt=TAGS.prompt, model=TAGS.model, seed=0, created_at=TAGS.date)
    export_track(track, rendering, formats, CARD, StageWatch(lambda *_: None), on_mp3)


def first_sound_s(waveform: Waveform) -> float:
    """Return the seconds from the first block to the first MP3 bytes that are sound."""
    heard_at: list[float] = []
    start = time.perf_counter()
    export_blocks(waveform, ("wav", "mp3"), lambda _data: heard_at.append(time.perf_counter() - start))
    # The first piece is tags and Info frame.
    return heard_at[1]


def table_of_later_files(waveform: Waveform, n_runs: int, folder: Path) -> None:
    """Print what it costs to make a file when somebody first asks for it."""
    source = folder / "track.wav"
    write_audio(waveform, source, TAGS, "wav")
    steps: dict[str, Callable[[], object]] = {
        f"{name} of a WAV": partial(convert_audio, source, folder / "later", TAGS, name)
        for name in ("mp3", "flac", "ogg")
    }
    steps["peaks"] = lambda: json.dumps(peaks_document(read_outline(source)))
    steps["picture of the waveform"] = partial(draw_waveform, source)
    steps["spectrogram"] = partial(draw_spectrogram, source)
    print(f"\n| {waveform.duration_s:g} s of stereo, made later | s | CPU s |\n|---|---|---|")
    for name, work in steps.items():
        wall_s, processor_s = median_s(work, n_runs)
        print(f"| {name} | {wall_s:.3f} | {processor_s:.3f} |")


def table_of_mp3_settings(waveform: Waveform, n_runs: int) -> None:
    """Print what bit rate and quality of LAME cost, and how much error they leave."""
    import soundfile

    pcm = quantize(waveform.samples)
    print("\n| MP3 kbps | quality | CPU s | SNR dB | critical bands with SNR under 6 dB |\n|---|---|---|---|---|")
    for bit_rate_kbps, quality in [(kbps, quality) for kbps in (192, 256, 320) for quality in (2, 5, 7)]:
        mp3.BIT_RATE_KBPS, mp3.QUALITY = bit_rate_kbps, quality
        _, processor_s = median_s(partial(mp3.encode_mp3, pcm, SAMPLE_RATE), n_runs)
        decoded, _ = soundfile.read(io.BytesIO(mp3.encode_mp3(pcm, SAMPLE_RATE)))
        source = pcm / 32768
        snr_db = 10 * np.log10((source**2).sum() / ((decoded - source) ** 2).sum())
        weak = weak_bands(source.T, decoded.T)
        print(f"| {bit_rate_kbps} | {quality} | {processor_s:.2f} | {snr_db:.1f} | {weak:.2%} |")


def weak_bands(source: NDArray[np.float64], decoded: NDArray[np.float64]) -> float:
    """Return the share of critical bands, in frames of 2,048 samples, whose error is within 6 dB of the sound."""
    in_source, in_error = band_energies(source), band_energies(decoded - source)
    return float((in_error > in_source / 4).mean())


def band_energies(sound: NDArray[np.float64], frame_length: int = 2048) -> NDArray[np.float64]:
    """Sum the energy in each critical band: (2, n) to (2, frames, bands)."""
    n_frames = sound.shape[1] // frame_length
    frames = sound[:, : n_frames * frame_length].reshape(2, n_frames, frame_length)
    power = np.abs(np.fft.rfft(frames * np.hanning(frame_length), axis=2)) ** 2
    edges = np.round(np.array(BARK_EDGES_HZ) * frame_length / SAMPLE_RATE).astype(int)
    return np.add.reduceat(power, edges, axis=2)[:, :, :-1]


def app_with_output_in(folder: str) -> Flask:
    """Make the little of an app that names of files need."""
    app = Flask(__name__)
    app.config["OUTPUT_DIR"] = folder
    return app


def main() -> None:
    """Print the tables that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seconds", type=float, nargs="+", default=[30, 285])
    parser.add_argument("--mp3-settings", action="store_true", help="compare bit rates and qualities of LAME")
    arguments = parser.parse_args()
    for duration_s in arguments.seconds:
        waveform = music_like(duration_s)
        with tempfile.TemporaryDirectory() as folder, app_with_output_in(folder).app_context():
            table_of_formats(waveform, arguments.runs, Path(folder))
            first_s = statistics.median(first_sound_s(waveform) for _ in range(arguments.runs))
            print(f"\nFirst sound of the MP3 {1000 * first_s:.0f} ms after the first block.")
            table_of_later_files(waveform, arguments.runs, Path(folder))
        if arguments.mp3_settings:
            table_of_mp3_settings(waveform, arguments.runs)


if __name__ == "__main__":
    main()
