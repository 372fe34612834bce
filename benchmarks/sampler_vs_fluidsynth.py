"""Compare the sampler with FluidSynth, preset by preset: level, spectrum and pitch of single notes.

FluidSynth (`apt-get install fluidsynth`) is the judge only; the project does not depend on it.
Run: `python benchmarks/sampler_vs_fluidsynth.py [sound font]`.
"""

import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import mido
import numpy as np
import soundfile
from numpy.typing import NDArray

from musicgen.composer.score import DRUM_BANK, Note, Part
from musicgen.composer.sound.articulation import SAMPLE_RATE
from musicgen.composer.sound.part_rendering import render_part
from musicgen.composer.sound.sampler import Sampler

SOUND_FONT = Path(__file__).parent.parent / "musicgen" / "composer" / "sounds" / "general-mid.sf3"
QUARTER_S = 0.5
HELD_S, SPACING_S = 1.0, 3.0
PITCHES = (36, 43, 48, 55, 60, 67, 72, 79)
DRUM_PITCHES = (35, 36, 38, 40, 42, 46, 49, 51, 45, 54)
VELOCITIES = (45, 75, 110)
# Half octaves from 44 Hz to 16 kHz; a band this far below a note's loudest is not compared.
BANDS_HZ = 44.0 * 2 ** (np.arange(18) / 2)
BAND_FLOOR_DB = 45.0
TICKS_PER_BEAT = 960


@dataclass(frozen=True)
class Comparison:
    """How one preset differs from the oracle, in dB; medians and worst cases over its notes."""

    name: str
    level_db: float
    worst_level_db: float
    bands_db: float
    bands_90_percent_db: float
    release_db: float


def compare(sampler: Sampler, sound_font: Path, bank: int, program: int) -> Comparison:
    """Render one preset's notes with both and measure."""
    part = test_part(sampler.preset_names()[bank, program], bank, program)
    n = round((len(part.notes) + 1) * SPACING_S * SAMPLE_RATE)
    ours = render_part(part, sampler, QUARTER_S, n).astype(np.float64)
    theirs = render_with_fluidsynth(part, sound_font, n)
    levels, bands, releases = [], [], []
    for note in part.notes:
        start = round(note.onset * QUARTER_S * SAMPLE_RATE)
        held = slice(start, start + round(HELD_S * SAMPLE_RATE))
        tail = slice(held.stop, held.stop + round(0.25 * SAMPLE_RATE))
        if np.max(np.abs(theirs[:, held])) < 1e-6:
            continue
        levels.append(level_db(ours[:, held]) - level_db(theirs[:, held]))
        bands.append(band_errors_db(ours[:, held], theirs[:, held]))
        if level_db(theirs[:, tail]) > level_db(theirs[:, held]) - 50:
            releases.append(level_db(ours[:, tail]) - level_db(theirs[:, tail]))
    errors = np.abs(np.concatenate(bands))
    return Comparison(
        part.name,
        float(np.median(levels)),
        float(levels[int(np.argmax(np.abs(levels)))]),
        float(np.median(errors)),
        float(np.percentile(errors, 90)),
        float(np.median(releases)) if releases else 0.0,
    )


def test_part(name: str, bank: int, program: int) -> Part:
    """Write a part that plays single notes over the preset's range."""
    pitches = DRUM_PITCHES if bank == DRUM_BANK else PITCHES
    played = [(pitch, velocity) for velocity in VELOCITIES for pitch in pitches]
    notes = tuple(
        Note(i * SPACING_S / QUARTER_S, HELD_S / QUARTER_S, pitch, velocity)
        for i, (pitch, velocity) in enumerate(played)
    )
    return Part(name, "melody", bank, program, notes)


def render_with_fluidsynth(part: Part, sound_font: Path, n: int) -> NDArray[np.float64]:
    """Render a part dry and at full volume with the FluidSynth command; returns (2, n) float64."""
    with tempfile.TemporaryDirectory() as folder:
        midi, wav = Path(folder) / "notes.mid", Path(folder) / "notes.wav"
        write_midi(part, midi)
        command = ["fluidsynth", "-ni", "-q", "-R", "0", "-C", "0", "-g", "1.0", "-r", str(SAMPLE_RATE)]
        command += ["-T", "wav", "-O", "float", "-F", str(wav), str(sound_font), str(midi)]
        subprocess.run(command, check=True, capture_output=True)
        samples = soundfile.read(wav, dtype="float64", always_2d=True)[0].T
    fitted = np.zeros((2, n))
    fitted[:, : min(n, samples.shape[1])] = samples[:, :n]
    return fitted


def write_midi(part: Part, path: Path) -> None:
    """Write a part as a MIDI file with channel volume at its top."""
    channel = 9 if part.bank == DRUM_BANK else 0
    track = mido.MidiTrack()
    track.append(mido.MetaMessage("set_tempo", tempo=round(QUARTER_S * 1e6)))
    track.append(mido.Message("control_change", channel=channel, control=7, value=127))
    track.append(mido.Message("program_change", channel=channel, program=part.program))
    events = []
    for note in part.notes:
        events.append((round(note.onset * TICKS_PER_BEAT), "note_on", note))
        events.append((round((note.onset + note.duration) * TICKS_PER_BEAT), "note_off", note))
    now = 0
    for tick, kind, note in sorted(events, key=lambda event: event[:2]):
        track.append(mido.Message(kind, channel=channel, note=note.pitch, velocity=note.velocity, time=tick - now))
        now = tick
    track.append(mido.Message("note_off", channel=channel, note=0, time=round(SPACING_S / QUARTER_S * TICKS_PER_BEAT)))
    mido.MidiFile(ticks_per_beat=TICKS_PER_BEAT, tracks=[track]).save(path)


def level_db(samples: NDArray[np.float64]) -> float:
    """Return the RMS level in dB against full scale."""
    return float(10 * np.log10(np.mean(samples**2) + 1e-20))


def band_errors_db(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the differences of the half-octave bands that carry the note, without the difference in level."""
    window = np.hanning(ours.shape[1])
    frequencies = np.fft.rfftfreq(ours.shape[1], 1 / SAMPLE_RATE)
    powers = [np.sum(np.abs(np.fft.rfft(samples * window)) ** 2, axis=0) for samples in (ours, theirs)]
    edges = np.searchsorted(frequencies, BANDS_HZ)
    in_bands = [10 * np.log10(np.add.reduceat(power, edges)[:-1] + 1e-12) for power in powers]
    carrying = in_bands[1] > np.max(in_bands[1]) - BAND_FLOOR_DB
    errors = in_bands[0] - in_bands[1]
    return (errors - np.median(errors[carrying]))[carrying]


def main(sound_font: Path = SOUND_FONT) -> None:
    """Print a table of all presets."""
    sampler = Sampler(sound_font)
    print(f"{'preset':24s} level  worst  bands  bands 90 %  release   (dB)")
    rows = [compare(sampler, sound_font, bank, program) for bank, program in sampler.preset_names()]
    for row in rows:
        print(
            f"{row.name:24s}{row.level_db:6.2f} {row.worst_level_db:6.2f} {row.bands_db:6.2f} "
            f"{row.bands_90_percent_db:9.2f} {row.release_db:9.2f}"
        )
    print(f"median of |level| {np.median([abs(row.level_db) for row in rows]):.2f} dB")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))
