"""Compare the sampler with FluidSynth, preset by preset: level, spectrum and pitch of single notes.

    python -m benchmarks.sampler_vs_fluidsynth [MuseScore_General_Full.sf2]

Both play our sound fonts; or, with the font that ours was trimmed from, FluidSynth plays that one.

FluidSynth (`apt-get install fluidsynth`) is the judge only; the project does not depend on it.
"""

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import mido
import numpy as np
import soundfile
from numpy.typing import NDArray

from musicgen.composer.card import SOUND_FONTS
from musicgen.composer.instruments import all_instruments
from musicgen.composer.score import DRUM_BANK, Note, Part
from musicgen.composer.sound.articulation import SAMPLE_RATE
from musicgen.composer.sound.part_rendering import render_part
from musicgen.composer.sound.sampler import Sampler
from musicgen.composer.sound.soundfont import SoundFont

QUARTER_S = 0.5
HELD_S, SPACING_S = 1.0, 3.0
N_PITCHES = 8
DRUM_PITCHES = (35, 36, 38, 40, 42, 46, 49, 51, 45, 54)
VELOCITIES = (45, 75, 110)
# Half octaves from 44 Hz to 16 kHz; a band this far below a note's loudest is not compared.
BANDS_HZ = 44.0 * 2 ** (np.arange(18) / 2)
BAND_FLOOR_DB = 45.0
# A partial is searched this far around its place in the other sound; the spectrum is padded for a fine grid.
PITCH_REACH_CENTS, PITCH_BAND_HZ, PADDING = 60.0, (60.0, 5000.0), 8
TICKS_PER_BEAT = 960


@dataclass(frozen=True)
class Comparison:
    """How one preset differs from the oracle, in dB and cents; medians and worst cases over its notes."""

    name: str
    level_db: float
    worst_level_db: float
    bands_db: float
    bands_90_percent_db: float
    release_db: float
    pitch_cents: float
    worst_pitch_cents: float


def compare(sampler: Sampler, sound_font: Path, bank: int, program: int) -> Comparison:
    """Render one preset's notes with both and measure."""
    part = test_part(sampler.preset_names()[bank, program], bank, program)
    n = round((len(part.notes) + 1) * SPACING_S * SAMPLE_RATE)
    ours = render_part(part, sampler, QUARTER_S, n).astype(np.float64)
    theirs = render_with_fluidsynth(part, sound_font, n)
    levels, bands, releases, pitches = [], [], [], []
    for note in part.notes:
        start = round(note.onset * QUARTER_S * SAMPLE_RATE)
        held = slice(start, start + round(HELD_S * SAMPLE_RATE))
        tail = slice(held.stop, held.stop + round(0.25 * SAMPLE_RATE))
        if np.max(np.abs(theirs[:, held])) < 1e-6:
            continue
        levels.append(level_db(ours[:, held]) - level_db(theirs[:, held]))
        bands.append(band_errors_db(ours[:, held], theirs[:, held]))
        if bank != DRUM_BANK:
            pitches.append(abs(pitch_error_cents(ours[:, held], theirs[:, held])))
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
        float(np.median(pitches)) if pitches else 0.0,
        float(np.max(pitches)) if pitches else 0.0,
    )


def test_part(name: str, bank: int, program: int) -> Part:
    """Write a part that plays single notes over the instrument's range."""
    pitches: Sequence[int] = DRUM_PITCHES
    if bank != DRUM_BANK:
        instrument = next(
            i for i in all_instruments().values() if (i.bank, i.program, i.voice) == (bank, program, None)
        )
        pitches = np.linspace(instrument.lowest, instrument.highest, N_PITCHES).round().astype(int).tolist()
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
    if part.bank != DRUM_BANK:
        track.append(mido.Message("control_change", channel=channel, control=0, value=part.bank))
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


def pitch_error_cents(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> float:
    """Return by how much our strongest partial lies above the same one of theirs."""
    n = ours.shape[1] * PADDING
    window = np.hanning(ours.shape[1])
    mine, other = (np.abs(np.fft.rfft(samples.sum(axis=0) * window, n)) for samples in (ours, theirs))
    low, high = (int(hertz * n / SAMPLE_RATE) for hertz in PITCH_BAND_HZ)
    place = low + int(np.argmax(other[low:high]))
    reach = max(int(place * (2 ** (PITCH_REACH_CENTS / 1200) - 1)), PADDING)
    near = place - reach + int(np.argmax(mine[place - reach : place + reach + 1]))
    return float(1200 * np.log2(_peak(mine, near) / _peak(other, place)))


def _peak(spectrum: NDArray[np.float64], place: int) -> float:
    """Place a spectrum's local maximum between its bins, by a parabola through the logarithm."""
    below, here, above = np.log(spectrum[place - 1 : place + 2] + 1e-12)
    return float(place + 0.5 * (below - above) / min(below - 2 * here + above, -1e-12))


def main(source: Path | None = None) -> None:
    """Print a table: all our presets, or those that the source has, too, as the source plays them."""
    sampler = Sampler(SOUND_FONTS)
    print(f"{'preset':24s} level  worst  bands  bands 90 %  release  pitch  worst   (dB, cents)")
    rows = []
    for font in SOUND_FONTS if source is None else SOUND_FONTS[1:]:
        for bank, program in SoundFont(font).preset_names:
            if source and bank == DRUM_BANK:  # its drums lie under other keys
                continue
            row = compare(sampler, source or font, bank, program)
            rows.append(row)
            print(
                f"{row.name:24s}{row.level_db:6.2f} {row.worst_level_db:6.2f} {row.bands_db:6.2f} "
                f"{row.bands_90_percent_db:9.2f} {row.release_db:9.2f} "
                f"{row.pitch_cents:8.2f} {row.worst_pitch_cents:6.2f}",
                flush=True,
            )
    levels, bands, pitches = ([abs(getattr(r, f)) for r in rows] for f in ("level_db", "bands_db", "pitch_cents"))
    print(
        f"median: |level| {np.median(levels):.2f} dB, bands {np.median(bands):.2f} dB, "
        f"pitch {np.median(pitches):.2f} cents"
    )


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))
