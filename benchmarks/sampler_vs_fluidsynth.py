"""Compare the sampler with FluidSynth, preset by preset: level, spectrum, pitch, release, loops and chokes.

    python -m benchmarks.sampler_vs_fluidsynth [MuseScore_General_Full.sf2]

Both play our sound fonts; or, with the font that ours was trimmed from, FluidSynth plays that one. Each melodic preset
plays every third key of its instrument's range, each kit every key it answers, at fixed velocities and on both sides
of every border between velocity layers.
"""

import os
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from itertools import permutations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.fluidsynth import QUARTER_S, Take, aligned, play_takes
from musicgen.composer.card import SOUND_FONTS
from musicgen.composer.instruments import all_instruments
from musicgen.composer.score import DRUM_BANK, Note, Part
from musicgen.composer.sound.articulation import SAMPLE_RATE
from musicgen.composer.sound.part_rendering import render_part
from musicgen.composer.sound.sampler import Sampler
from musicgen.composer.sound.soundfont import EXCLUSIVE_CLASS, Region, SoundFont

HELD_S, RELEASE_S = 0.6, 0.3
SUSTAINED_S = 4.0
CHOKE_AFTER_S, CHOKED_S = 0.25, 0.3
VELOCITIES = (30, 64, 100, 127)
MIDDLE_VELOCITY = 100
KEY_STEP = 3
# Half octaves from 44 Hz to 16 kHz; a band this far below a note's loudest is not compared.
BANDS_HZ = 44.0 * 2 ** (np.arange(18) / 2)
BAND_FLOOR_DB = 45.0
# What is this far below the note, in a release or a choke, is not compared.
TAIL_FLOOR_DB = 50.0
SILENCE = 1e-5
# A partial is searched this far around its place in the other sound; the spectrum is padded for a fine grid.
PITCH_REACH_CENTS, PITCH_BAND_HZ, PADDING = 60.0, (30.0, 5000.0), 8

FIGURES = ("level", "bands", "release", "sustain", "choke", "pitch")


@dataclass
class Comparison:
    """How one preset differs from the oracle: (note, difference) by figure, ours less theirs, in dB, pitch in cents."""

    name: str
    differences: dict[str, list[tuple[str, float]]] = field(default_factory=lambda: {name: [] for name in FIGURES})

    def absolute(self, figure: str) -> NDArray[np.float64]:
        """Return the sizes of a figure's differences; empty where nothing could be compared."""
        return np.abs([difference for _, difference in self.differences[figure]])

    def worst(self, figure: str) -> tuple[str, float]:
        """Return the note that differs most, and by how much."""
        return max(self.differences[figure], key=lambda named: abs(named[1]), default=("", 0.0))


def compare(sampler: Sampler, sound_font: Path, bank: int, program: int, *, key_step: int = KEY_STEP) -> Comparison:
    """Play one preset with both and measure.

    `key_step` is that of melodic presets; where it is larger than `KEY_STEP`, kits are thinned out likewise.
    """
    comparison = Comparison(sampler.preset_names()[bank, program])
    regions = SoundFont(_font_of(bank, program)).regions(bank, program)
    keys = _keys(bank, program, regions, key_step)
    kinds = {
        _measure_note: list(_single_notes(bank, program, regions, keys)),
        _measure_sustain: [] if bank == DRUM_BANK else [_sustained(bank, program, keys[len(keys) // 2])],
        _measure_choke: list(_chokes(bank, program, regions)),
    }
    takes = [take for group in kinds.values() for take in group]
    theirs = iter(play_takes(takes, sound_font))
    for measure, group in kinds.items():
        for take in group:
            part = Part(comparison.name, "melody", bank, program, take.notes)
            ours = render_part(part, sampler, QUARTER_S, take.n_samples).astype(np.float64)
            reference = aligned(next(theirs), ours)
            label = f"{take.notes[0].pitch} at {take.notes[0].velocity}"
            for figure, difference in measure(take, ours, reference):
                comparison.differences[figure].append((label, difference))
    return comparison


def _font_of(bank: int, program: int) -> Path:
    return next(path for path in SOUND_FONTS if (bank, program) in SoundFont(path).preset_names)


def _keys(bank: int, program: int, regions: Sequence[Region], key_step: int) -> list[int]:
    """Return the keys to play, of those that the preset answers."""
    answered = sorted({key for r in regions for key in range(r.keys[0], r.keys[1] + 1)})
    if bank == DRUM_BANK:
        return answered[:: key_step // KEY_STEP]
    instrument = next(i for i in all_instruments().values() if (i.bank, i.program, i.voice) == (bank, program, None))
    wanted = {*range(instrument.lowest, instrument.highest, key_step), instrument.highest}
    return [key for key in answered if key in wanted]


def _single_notes(bank: int, program: int, regions: Sequence[Region], keys: Sequence[int]) -> Iterator[Take]:
    for key in keys:
        velocities = set(VELOCITIES)
        for region in regions:
            if region.keys[0] <= key <= region.keys[1]:
                low, high = region.velocities
                velocities |= {low - 1, low, high, high + 1}
        for velocity in sorted(velocities & set(range(1, 128))):
            yield Take(bank, program, (Note(0, HELD_S / QUARTER_S, key, velocity),), HELD_S + RELEASE_S + 0.1)


def _sustained(bank: int, program: int, key: int) -> Take:
    return Take(bank, program, (Note(0, SUSTAINED_S / QUARTER_S, key, MIDDLE_VELOCITY),), SUSTAINED_S)


def _chokes(bank: int, program: int, regions: Iterable[Region]) -> Iterator[Take]:
    """Yield a sound of an exclusive class and another that silences it, for every two keys of a class."""
    classes: dict[int, set[int]] = defaultdict(set)
    for region in regions:
        classes[region.generators.get(EXCLUSIVE_CLASS, 0)].update(range(region.keys[0], region.keys[1] + 1))
    for keys in (keys for number, keys in classes.items() if number):
        for first, second in permutations(sorted(keys), 2):
            notes = (
                Note(0, 2 * CHOKE_AFTER_S / QUARTER_S, first, MIDDLE_VELOCITY),
                Note(CHOKE_AFTER_S / QUARTER_S, 0.1, second, 1),
            )
            yield Take(bank, program, notes, CHOKE_AFTER_S + CHOKED_S)


Differences = Iterator[tuple[str, float]]
Sound = NDArray[np.float64]


def _measure_note(take: Take, ours: Sound, theirs: Sound) -> Differences:
    held, tail = _span(0, HELD_S), _span(HELD_S, HELD_S + RELEASE_S)
    if np.max(np.abs(theirs[:, held])) < SILENCE:
        return
    yield "level", level_db(ours[:, held]) - level_db(theirs[:, held])
    yield from (("bands", float(error)) for error in band_errors_db(ours[:, held], theirs[:, held]))
    if take.bank != DRUM_BANK and take.notes[0].velocity == MIDDLE_VELOCITY:
        yield "pitch", pitch_error_cents(ours[:, held], theirs[:, held])
    if level_db(theirs[:, tail]) > level_db(theirs[:, held]) - TAIL_FLOOR_DB:
        yield "release", level_db(ours[:, tail]) - level_db(theirs[:, tail])


def _measure_sustain(take: Take, ours: Sound, theirs: Sound) -> Differences:
    late = _span(take.length_s - 1, take.length_s)
    if level_db(theirs[:, late]) > level_db(theirs) - TAIL_FLOOR_DB:
        yield "sustain", level_db(ours[:, late]) - level_db(theirs[:, late])


def _measure_choke(_take: Take, ours: Sound, theirs: Sound) -> Differences:
    before, after = _span(0, CHOKE_AFTER_S), _span(CHOKE_AFTER_S + 0.05, CHOKE_AFTER_S + CHOKED_S)
    if level_db(theirs[:, after]) > level_db(theirs[:, before]) - TAIL_FLOOR_DB:
        yield "choke", level_db(ours[:, after]) - level_db(theirs[:, after])


def _span(start_s: float, stop_s: float) -> slice:
    return slice(round(start_s * SAMPLE_RATE), round(stop_s * SAMPLE_RATE))


def level_db(samples: Sound) -> float:
    """Return the RMS level in dB against full scale."""
    return float(10 * np.log10(np.mean(samples**2) + 1e-20))


def band_errors_db(ours: Sound, theirs: Sound) -> Sound:
    """Return the differences of the half-octave bands that carry the note, without the difference in level."""
    window = np.hanning(ours.shape[1])
    frequencies = np.fft.rfftfreq(ours.shape[1], 1 / SAMPLE_RATE)
    powers = [np.sum(np.abs(np.fft.rfft(samples * window)) ** 2, axis=0) for samples in (ours, theirs)]
    edges = np.searchsorted(frequencies, BANDS_HZ)
    in_bands = [10 * np.log10(np.add.reduceat(power, edges)[:-1] + 1e-12) for power in powers]
    carrying = in_bands[1] > np.max(in_bands[1]) - BAND_FLOOR_DB
    errors = in_bands[0] - in_bands[1]
    return (errors - np.median(errors[carrying]))[carrying]


def pitch_error_cents(ours: Sound, theirs: Sound) -> float:
    """Return by how much our strongest partial lies above the same one of theirs."""
    n = ours.shape[1] * PADDING
    window = np.hanning(ours.shape[1])
    mine, other = (np.abs(np.fft.rfft(samples.sum(axis=0) * window, n)) for samples in (ours, theirs))
    low, high = (int(hertz * n / SAMPLE_RATE) for hertz in PITCH_BAND_HZ)
    place = low + int(np.argmax(other[low:high]))
    reach = max(int(place * (2 ** (PITCH_REACH_CENTS / 1200) - 1)), PADDING)
    near = place - reach + int(np.argmax(mine[place - reach : place + reach + 1]))
    return float(1200 * np.log2(_peak(mine, near) / _peak(other, place)))


def _peak(spectrum: Sound, place: int) -> float:
    """Place a spectrum's local maximum between its bins, by a parabola through the logarithm."""
    below, here, above = np.log(spectrum[place - 1 : place + 2] + 1e-12)
    return float(place + 0.5 * (below - above) / min(below - 2 * here + above, -1e-12))


def main(source: Path | None = None) -> None:
    """Print two tables: each preset's figures, and those over all; or those of presets that the source has, too."""
    presets = [
        (source or font, bank, program)
        for font in (SOUND_FONTS if source is None else SOUND_FONTS[1:])
        for bank, program in SoundFont(font).preset_names
        if source is None or bank != DRUM_BANK  # its drums lie under other keys
    ]
    print("| preset | notes | " + " | ".join(f"{figure} | worst" for figure in FIGURES) + " |")
    print("|" + "---|" * (2 + 2 * len(FIGURES)))
    rows = []
    with ProcessPoolExecutor(os.cpu_count()) as processes:
        for row in processes.map(_compared, presets):
            rows.append(row)
            print(f"| {row.name} | {len(row.differences['level'])} | {' | '.join(_cells(row))} |", flush=True)
    print("\n| figure | compared | median | 90 % | 99 % | worst | preset and note of the worst |")
    print("|" + "---|" * 7)
    for figure in FIGURES:
        sizes = np.concatenate([row.absolute(figure) for row in rows])
        worst = max(rows, key=lambda row: abs(row.worst(figure)[1]))
        centiles = " | ".join(f"{np.percentile(sizes, share):.2f}" for share in (50, 90, 99))
        note, difference = worst.worst(figure)
        print(f"| {figure} | {len(sizes)} | {centiles} | {difference:+.2f} | {worst.name}, {note} |")


def _compared(preset: tuple[Path, int, int]) -> Comparison:
    return compare(_sampler(), *preset)


@cache
def _sampler() -> Sampler:
    return Sampler(SOUND_FONTS)


def _cells(row: Comparison) -> Iterator[str]:
    for figure in FIGURES:
        sizes = row.absolute(figure)
        if len(sizes):
            note, difference = row.worst(figure)
            yield f"{np.median(sizes):.2f} | {difference:+.2f} ({note})"
        else:
            yield " | "


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))
