"""FluidSynth as the judge of our sampler: the same notes, dry and at full volume.

Knows nothing of our sampler. FluidSynth (`apt-get install fluidsynth`) is for benchmarks and tests only; the project
does not depend on it.
"""

import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

import mido
import numpy as np
import soundfile
from numpy.typing import NDArray

from musicgen.composer.score import DRUM_BANK, Note
from musicgen.composer.sound.articulation import SAMPLE_RATE

COMMAND = "fluidsynth"
QUARTER_S = 0.5
TICKS_PER_BEAT = 960
# Volume and expression reach 127/128 of their range in a MIDI file; FluidSynth takes 40 dB a decade for each.
CONTROLLERS_DB = 2 * 40 * np.log10(128 / 127)
VOLUME, BANK, ALL_SOUND_OFF = 7, 0, 120
DRUM_CHANNEL = 9
# What still sounds is cut off so long before the next take: the synthesizer's clock is coarse.
SILENCED_S = 0.01
LATEST = 192


@dataclass(frozen=True, slots=True)
class Take:
    """Notes of one preset that are heard together, from silence on; onsets in quarters of `QUARTER_S`."""

    bank: int
    program: int
    notes: tuple[Note, ...]
    length_s: float

    @property
    def n_samples(self) -> int:
        """Length at `SAMPLE_RATE`."""
        return round(self.length_s * SAMPLE_RATE)


def play_takes(takes: Sequence[Take], sound_font: Path) -> list[NDArray[np.float64]]:
    """Render takes with the FluidSynth command.

    Returns:
        (2, n + `LATEST`) float64 for each; its notes are late by up to `LATEST` samples.
    """
    with tempfile.TemporaryDirectory() as folder:
        midi, wav = Path(folder) / "notes.mid", Path(folder) / "notes.wav"
        write_midi(takes, midi)
        command = [COMMAND, "-ni", "-q", "-R", "0", "-C", "0", "-g", f"{10 ** (CONTROLLERS_DB / 20):.5f}"]
        command += ["-r", str(SAMPLE_RATE), "-o", "synth.dynamic-sample-loading=1"]
        command += ["-T", "wav", "-O", "float", "-F", str(wav), str(sound_font), str(midi)]
        subprocess.run(command, check=True, capture_output=True)
        samples = soundfile.read(wav, dtype="float32", always_2d=True)[0].T
    starts = [round(start * SAMPLE_RATE) for start in accumulate((take.length_s for take in takes), initial=0.0)]
    # The synthesizer ends where the last note has died away.
    fitted = np.pad(samples, ((0, 0), (0, max(0, starts[-1] + LATEST - samples.shape[1]))))
    spans = [slice(start, start + take.n_samples + LATEST) for start, take in zip(starts, takes, strict=False)]
    return [fitted[:, span].astype(np.float64) for span in spans]


def aligned(late: NDArray[np.float64], ours: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cut from a take of FluidSynth's, (2, n + `LATEST`), the n samples that are most like `ours`, (2, n)."""
    n = ours.shape[1]
    size = n + LATEST
    products = np.conj(np.fft.rfft(ours, size)) * np.fft.rfft(late, size)
    likeness = np.fft.irfft(products.sum(axis=0), size)[: LATEST + 1]
    delay = int(np.argmax(likeness))
    return late[:, delay : delay + n]


def write_midi(takes: Sequence[Take], path: Path) -> None:
    """Write takes one after the other, each begun in silence, with the channels' volume at its top."""
    track = mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=round(QUARTER_S * 1e6))])
    now = 0
    for tick, _order, message in sorted(_events(takes), key=lambda event: event[:2]):
        track.append(message.copy(time=tick - now))
        now = tick
    mido.MidiFile(ticks_per_beat=TICKS_PER_BEAT, tracks=[track]).save(path)


def _events(takes: Sequence[Take]) -> Iterator[tuple[int, int, mido.Message]]:
    """Yield (tick, order within the tick, message)."""
    start = 0.0
    for take in takes:
        channel = DRUM_CHANNEL if take.bank == DRUM_BANK else 0
        yield (
            _tick(max(start - SILENCED_S, 0)),
            0,
            mido.Message("control_change", channel=channel, control=ALL_SOUND_OFF, value=0),
        )
        settings = [("control_change", {"control": VOLUME, "value": 127})]
        if take.bank != DRUM_BANK:
            settings.append(("control_change", {"control": BANK, "value": take.bank}))
        settings.append(("program_change", {"program": take.program}))
        for order, (kind, values) in enumerate(settings):
            yield _tick(start), order, mido.Message(kind, channel=channel, **values)
        for note in take.notes:
            begin = start / QUARTER_S + note.onset
            pitch, velocity = note.pitch, note.velocity
            yield (
                _tick(begin * QUARTER_S),
                len(settings) + 1,
                mido.Message("note_on", channel=channel, note=pitch, velocity=velocity),
            )
            yield (
                _tick((begin + note.duration) * QUARTER_S),
                len(settings),
                mido.Message("note_off", channel=channel, note=pitch),
            )
        start += take.length_s
    yield _tick(start), 0, mido.Message("note_off", channel=0, note=0)


def _tick(seconds: float) -> int:
    return round(seconds / QUARTER_S * TICKS_PER_BEAT)
