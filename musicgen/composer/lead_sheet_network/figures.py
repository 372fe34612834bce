"""Figures that describe a section, and the ranking of candidates by how near theirs lie to those of people's music.

Standard library only. The targets are measured on the training songs and travel with the weights.
"""

import itertools
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence

from musicgen.composer.lead_sheet_network.section import DENSITY_EDGES, Chord, Note, Section
from musicgen.composer.lead_sheet_network.tokens import COMPOUND_METRES, QUALITIES, TICKS_PER_QUARTER

SCALES = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10), "dorian": (0, 2, 3, 5, 7, 9, 10),
          "phrygian": (0, 1, 3, 5, 7, 8, 10), "lydian": (0, 2, 4, 6, 7, 9, 11),
          "mixolydian": (0, 2, 4, 5, 7, 9, 10)}  # fmt: skip
WEIGHTS = {"in_chord": 4.0}  # what the ear minds most; the other figures count once
FARTHEST = 3.0  # standard deviations beyond which a figure is no worse
# Variances: for each bin of density, for each thing that a close lacks, for lying half an octave off.
DENSITY_PENALTY, CLOSE_PENALTY, CENTRE_PENALTY = 0.8, 0.5, 0.6
# Figures where only one side is bad: below the target (-1) or above it (1).
ONE_SIDED = {"in_chord": -1, "bar_repeats": -1, "rhythm_repeats": -1, "final_length": -1,
             "leaps": 1, "longest_rest": 1, "longest_same": 1}  # fmt: skip


def measure(section: Section) -> dict[str, float]:
    """Measure a section; figures of a melody or of chords it does not have are left out.

    Returns:
        in_chord: share of on-beat notes that belong to the sounding chord.
        in_scale: share of notes in the mode's scale.
        bar_repeats: share of sounding bars that equal an earlier bar.
        rhythm_repeats: the same, pitches aside.
        span: semitones from the lowest to the highest note.
        leaps: share of intervals of more than seven semitones.
        steps: share of intervals of one or two semitones.
        longest_rest: quarter notes.
        breaths: rests of an eighth or more, a bar.
        longest_same: longest run of one pitch, notes.
        off_beat: share of notes that start off the beat.
        density: notes a quarter.
        final_length: quarter notes of the last note.
        chord_kinds: different chords a bar.
        chord_repeats: share of bars whose chords equal an earlier bar's.
    """
    figures: dict[str, float] = {}
    bar = section.controls.bar_ticks / TICKS_PER_QUARTER
    if section.chords:
        bars = [repr(chords) for chords in chords_by_bar(section.chords, bar, section.controls.bars)]
        figures["chord_kinds"] = len({(c.root, c.quality, c.bass) for c in section.chords}) / section.controls.bars
        figures["chord_repeats"] = _repeated(bars)
    if len(section.melody) < 2:
        return figures
    beat = 1.5 if section.controls.metre in COMPOUND_METRES else 1.0
    on_beat = [note for note in section.melody if note.onset % beat < 1e-6]
    if section.chords and on_beat:
        figures["in_chord"] = _share(note.pitch % 12 in chord_tones_at(section.chords, note.onset) for note in on_beat)
    figures["off_beat"] = 1 - len(on_beat) / len(section.melody)
    return figures | _melody_figures(section, bar)


def _melody_figures(section: Section, bar: float) -> dict[str, float]:
    notes = section.melody
    intervals = [abs(after.pitch - before.pitch) for before, after in itertools.pairwise(notes)]
    bars = notes_by_bar(notes, bar, section.controls.bars)
    ends = [0.0, *(note.onset + note.duration for note in notes)]
    starts = [*(note.onset for note in notes), section.controls.bars * bar]
    rests = [start - end for start, end in zip(starts, ends, strict=True)]
    return {
        "in_scale": _share(note.pitch % 12 in SCALES[section.controls.mode] for note in notes),
        "bar_repeats": _repeated([repr(bar_notes) for bar_notes in bars if bar_notes]),
        "rhythm_repeats": _repeated([repr([n[:2] for n in bar_notes]) for bar_notes in bars if bar_notes]),
        "span": max(note.pitch for note in notes) - min(note.pitch for note in notes),
        "leaps": _share(interval > 7 for interval in intervals),
        "steps": _share(0 < interval <= 2 for interval in intervals),
        "longest_rest": max(rests),
        "breaths": sum(rest >= 0.5 - 1e-6 for rest in rests) / section.controls.bars,
        "longest_same": _longest_run([note.pitch for note in notes]),
        "density": len(notes) / (section.controls.bars * bar),
        "final_length": notes[-1].duration,
    }


def _share(truths: Iterable[bool]) -> float:
    values = list(truths)
    return sum(values) / len(values) if values else 0.0


def _repeated(bars: Sequence[str]) -> float:
    return 1 - len(set(bars)) / len(bars) if bars else 0.0


def _longest_run(pitches: Sequence[int]) -> int:
    longest = run = 1
    for before, after in itertools.pairwise(pitches):
        run = run + 1 if after == before else 1
        longest = max(longest, run)
    return longest


def chord_tones_at(chords: Sequence[Chord], onset: float) -> set[int]:
    """Give the semitones above the tonic of the chord that sounds at `onset`, quarter notes."""
    sounding = [chord for chord in chords if chord.onset <= onset + 1e-6]
    return {(sounding[-1].root + step) % 12 for step in QUALITIES[sounding[-1].quality]} if sounding else set()


def notes_by_bar(notes: Sequence[Note], bar: float, n_bars: int) -> list[list[tuple[float, float, int]]]:
    """Give every bar's notes as (onset in the bar, duration, pitch)."""
    bars: list[list[tuple[float, float, int]]] = [[] for _ in range(n_bars)]
    for note in notes:
        index = int(note.onset / bar + 1e-6)
        bars[index].append((round(note.onset - index * bar, 3), round(note.duration, 3), note.pitch))
    return bars


def chords_by_bar(chords: Sequence[Chord], bar: float, n_bars: int) -> list[list[tuple[float, int, str]]]:
    """Give every bar's chords as (onset in the bar, root, quality), with the one that sounds on at its start."""
    bars: list[list[tuple[float, int, str]]] = []
    for index in range(n_bars):
        start = index * bar
        inside = [c for c in chords if c.onset < start + bar - 1e-6 and c.onset + c.duration > start + 1e-6]
        bars.append([(round(max(c.onset - start, 0.0), 3), c.root, c.quality) for c in inside])
    return bars


def cadence_of(chords: Sequence[Chord], melody: Sequence[Note]) -> str:
    """Name how a section ends: on the tonic in chord and melody, on the dominant, or open."""
    last_root = chords[-1].root if chords else None
    last_pitch = melody[-1].pitch % 12 if melody else None
    if last_root in (None, 0) and last_pitch in (None, 0, 3, 4, 7) and (chords or last_pitch == 0):
        return "closed"
    if last_root == 7 or (last_root is None and last_pitch in (2, 7, 11)):
        return "half"
    return "open"


def distance(figures: Mapping[str, float], targets: Mapping[str, Sequence[float]]) -> float:
    """Give the weighted mean squared distance of figures from targets (mean, deviation), in standard deviations."""
    total = weights = 0.0
    for name, (mean, deviation) in targets.items():
        if name in figures:
            off = (figures[name] - mean) / max(deviation, 1e-3)
            weight = WEIGHTS.get(name, 1.0)
            weights += weight
            if ONE_SIDED.get(name, 0) * off >= 0:
                total += weight * min(abs(off), FARTHEST) ** 2
    return total / weights if weights else 0.0


def missed_density(section: Section) -> int:
    """Count the bins between the density that was asked for and the one that was written."""
    wanted = section.controls.density
    if wanted is None or not section.melody:
        return 0
    quarters = section.controls.bars * section.controls.bar_ticks / TICKS_PER_QUARTER
    return abs(bisect_right(DENSITY_EDGES, len(section.melody) / quarters) - wanted)


def missed_close(section: Section) -> int:
    """Count what an ending lacks: the wanted cadence, a tone of the last chord, and a beat of rest on it."""
    wanted, last = section.controls.cadence, section.melody[-1]
    quarters = section.controls.bars * section.controls.bar_ticks / TICKS_PER_QUARTER
    return sum(
        (
            wanted is not None and cadence_of(section.chords, section.melody) != wanted,
            bool(section.chords) and last.pitch % 12 not in chord_tones_at(section.chords, last.onset),
            last.onset > quarters - 1 + 1e-6,
        )
    )


def distance_from_centre(melody: Sequence[Note], centre: float | None) -> float:
    """Give how far a melody's mean lies from the pitch class it should lie around, 0 to 1 for half an octave."""
    if centre is None:
        return 0.0
    off = sum(note.pitch for note in melody) / len(melody) - centre
    return abs((off + 6) % 12 - 6) / 6


def rank(
    sections: Sequence[Section], targets: Mapping[str, Sequence[float]], centre: float | None = None
) -> list[Section]:
    """Sort candidates by nearness to the targets, the wanted density, a good close and `centre`; silent ones last."""

    def order(section: Section) -> tuple[bool, float]:
        if len(section.melody) < 2:
            return True, distance(measure(section), targets)
        missed = CLOSE_PENALTY * missed_close(section) + DENSITY_PENALTY * missed_density(section)
        missed += CENTRE_PENALTY * distance_from_centre(section.melody, centre) ** 2
        return False, distance(measure(section), targets) + missed

    return sorted(sections, key=order)
