"""Read lead-sheet files and cut songs into sections with their controls.

Owns the split into training and held-out songs, the removal of near-duplicate tunes and the meaning of section labels
of each data set. Knows nothing of tensors. The file format is described where the data lies.
"""

import gzip
import hashlib
import itertools
import json
import random
from bisect import bisect_right
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from musicgen.composer.lead_sheet_network.figures import cadence_of
from musicgen.composer.lead_sheet_network.section import (
    DENSITY_EDGES,
    RHYTHM_EDGES,
    RICHNESS_EDGES,
    Chord,
    Note,
    Section,
    SectionControls,
    chord_events,
    chords_of,
)
from musicgen.composer.lead_sheet_network.tokens import METRES, RICH_QUALITIES, TICKS_PER_QUARTER
from musicgen.composer.lead_sheet_network.training.harmonise import harmonise

STYLE_OF_FILE = {"pop909": "pop", "openewld": "standards", "folk_pd": "folk", "billboard": "rock"}
MODE_OF_DATA = {
    "maj": "major", "min": "minor", "dor": "dorian", "mix": "mixolydian", "lyd": "lydian", "phr": "phrygian",
}  # fmt: skip
METRE_OF_DATA = {"2/2": "4/4", "12/8": "6/8"} | {name: name for name in METRES}
# POP909's letters: A and B are melodic phrases in order of appearance, lower case means without melody. The second
# letter lies 3 semitones above the first on average, which is where choruses lie.
LABEL_OF_POP909 = {"i": "intro", "o": "outro", "A": "verse", "X": "bridge", "x": "interlude", "b": "interlude"}
LABEL_OF_BILLBOARD = {
    "intro": "intro", "verse": "verse", "chorus": "chorus", "bridge": "bridge", "solo": "solo",
    "interlude": "interlude", "outro": "outro", "trans": "interlude", "pre-chorus": "prechorus",
    "instrumental": "interlude", "fadeout": "outro", "pre-verse": "interlude", "prechorus": "prechorus",
    "coda": "outro", "transition": "interlude", "refrain": "chorus", "pre chorus": "prechorus",
}  # fmt: skip
LOWEST_MEAN = -2  # a song's tonic is put so that its melody's mean lies in the octave from here up, semitones
LONGEST_SECTION = 32
HELD_OUT_OF = 20  # one song in twenty is never trained on


@dataclass(frozen=True, slots=True)
class Song:
    """A song relative to its tonic, with its sections' places in bars."""

    id: str
    style: str
    mode: str
    metre: str
    bars: int
    chords: tuple[Chord, ...]
    melody: tuple[Note, ...]
    places: tuple[tuple[int, int, str | None], ...]  # first bar, bars, label


def is_held_out(song_id: str) -> bool:
    """Tell by the song's id alone whether it is kept for evaluation."""
    return int(hashlib.md5(song_id.encode(), usedforsecurity=False).hexdigest(), 16) % HELD_OUT_OF == 0


def read_songs(folder: Path) -> list[Song]:
    """Read all four files, without near-duplicate tunes and songs in metres we do not write."""
    songs = []
    for name, style in STYLE_OF_FILE.items():
        with gzip.open(folder / f"{name}.jsonl.gz", "rt") as lines:
            read = [song for line in lines if (song := _song(json.loads(line), style)) is not None]
        songs += without_near_duplicates(read) if style == "folk" else read
    return songs


def _song(record: dict[str, Any], style: str) -> Song | None:
    metre = METRE_OF_DATA.get("/".join(map(str, record["meter"])))
    if metre is None:
        return None
    tonic, bars_in_bar = record["key"]["tonic"], 2 if record["meter"] == [12, 8] else 1
    melody = record["melody"]
    centre = sum(pitch for *_, pitch in melody) / len(melody) if melody else tonic
    reference = tonic + 12 * int((centre - tonic - LOWEST_MEAN) // 12)
    return Song(
        id=record["id"],
        style=style,
        mode=MODE_OF_DATA[record["key"]["mode"]],
        metre=metre,
        bars=record["bars"] * bars_in_bar,
        chords=tuple(
            Chord(onset, length, (root - tonic) % 12, quality, (bass - tonic) % 12)
            for onset, length, root, quality, bass in record["chords"]
        ),
        melody=tuple(Note(onset, length, pitch - reference) for onset, length, pitch in melody),
        places=tuple(
            (first * bars_in_bar, n * bars_in_bar, _label(label, style)) for first, n, label in record["sections"]
        ),
    )


def _label(label: str, style: str) -> str | None:
    if style == "pop":
        return LABEL_OF_POP909.get(label, "chorus")
    return LABEL_OF_BILLBOARD.get(label)


def shingles(melody: tuple[Note, ...], length: int = 8) -> set[tuple[float, ...]]:
    """Give every run of `length` notes as intervals and time steps, so that key does not matter."""
    steps = [
        (after.pitch - before.pitch, round(after.onset - before.onset, 2))
        for before, after in itertools.pairwise(melody)
    ]
    return {tuple(x for step in steps[i : i + length - 1] for x in step) for i in range(len(steps) - length + 2)}


def without_near_duplicates(songs: list[Song], shared: float = 0.5) -> list[Song]:
    """Drop every tune that shares at least half of its runs of eight notes with an earlier one."""
    owners: dict[tuple[float, ...], list[int]] = defaultdict(list)
    kept = []
    for index, song in enumerate(songs):
        runs = shingles(song.melody)
        overlaps = Counter(owner for run in runs for owner in owners[run])
        if runs and max(overlaps.values(), default=0) < shared * len(runs):
            kept.append(song)
            for run in runs:
                owners[run].append(index)
    return kept


def cut(song: Song, dice: random.Random) -> list[Section]:
    """Cut a song into sections; equal neighbours are joined at random, so that lengths vary from cut to cut."""
    places = _joined(song.places, dice) if song.places else _phrases(song, dice)
    with_chords = song.style != "folk" or dice.random() < 0.85
    sections = [_section(song, *place, with_chords) for place in places]
    return [section for section in sections if section is not None]


def _joined(places: tuple[tuple[int, int, str | None], ...], dice: random.Random) -> list[tuple[int, int, str | None]]:
    joined: list[tuple[int, int, str | None]] = []
    for first, n_bars, label in places:
        fits = joined and joined[-1][0] + joined[-1][1] == first and joined[-1][1] + n_bars <= 16
        if fits and (n_bars < 2 or joined[-1][1] < 2 or (joined[-1][2] == label and dice.random() < 0.5)):
            joined[-1] = (joined[-1][0], joined[-1][1] + n_bars, joined[-1][2])
        else:
            joined.append((first, n_bars, label))
    return [
        (first + start, min(16, n_bars - start) if n_bars > LONGEST_SECTION else n_bars, label)
        for first, n_bars, label in joined
        for start in (range(0, n_bars, 16) if n_bars > LONGEST_SECTION else (0,))
    ]


def _phrases(song: Song, dice: random.Random) -> list[tuple[int, int, str | None]]:
    """Cut a song without sections into phrases that end where its long notes are."""
    offset = 0 if song.style == "folk" else _phrase_offset(song)
    length = dice.choices((4, 8, 16), (1, 5, 2))[0]
    return [(first, length, "phrase") for first in range(offset, song.bars - length + 1, length)]


def _phrase_offset(song: Song) -> int:
    """Find the bar from which every eighth bar holds the longest notes before it ends."""
    bar = METRES[song.metre] / TICKS_PER_QUARTER
    longest = [0.0] * (song.bars + 1)
    for note, after in zip(song.melody, song.melody[1:], strict=False):
        index = int(max(note.onset, 0) // bar)
        if index < len(longest):
            longest[index] = max(longest[index], after.onset - note.onset)
    scores = [sum(longest[offset + 7 :: 8]) / max(1, len(longest[offset + 7 :: 8])) for offset in range(8)]
    return max(range(8), key=lambda offset: (scores[offset], -offset))


def _section(song: Song, first: int, n_bars: int, label: str | None, with_chords: bool) -> Section | None:
    bar = METRES[song.metre] / TICKS_PER_QUARTER
    start, end = first * bar, (first + n_bars) * bar
    melody = tuple(
        replace(note, onset=note.onset - start, duration=min(note.duration, end - note.onset))
        for note in song.melody
        if start - 1e-6 <= note.onset < end - 1e-6
    )
    if len(melody) < 0.5 * n_bars:
        melody = ()
    controls = SectionControls(n_bars, song.metre, song.mode, song.style, label)
    chords = tuple(
        replace(chord, onset=max(chord.onset - start, 0.0))
        for chord in song.chords
        if chord.onset + chord.duration > start + 0.24 and chord.onset < end - 0.24
    )
    if song.style == "folk" and with_chords:
        chords = harmonise(melody, controls)
    if not chords and not melody:
        return None
    chords = chords_of(chord_events(chords, controls))
    return Section(measured_controls(controls, chords, melody), chords, melody)


def measured_controls(
    controls: SectionControls, chords: tuple[Chord, ...], melody: tuple[Note, ...]
) -> SectionControls:
    """Fill in the controls that are counted from the music."""
    quarters = controls.bars * controls.bar_ticks / TICKS_PER_QUARTER
    rich = sum(chord.quality in RICH_QUALITIES for chord in chords)
    return replace(
        controls,
        density=bisect_right(DENSITY_EDGES, len(melody) / quarters) if melody else None,
        richness=bisect_right(RICHNESS_EDGES, rich / len(chords)) if chords else None,
        harmonic_rhythm=bisect_right(RHYTHM_EDGES, len(chords) / controls.bars) if chords else None,
        cadence=cadence_of(chords, melody),
    )
