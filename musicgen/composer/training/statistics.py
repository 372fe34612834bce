"""Count how songs move from chord to chord and which rhythms their melodies use; write the composer's figures.

    python -m musicgen.composer.training.statistics DATA_DIR

DATA_DIR holds `leadsheets/*.jsonl.gz` (see docs/data.md for the sets, their licences and credits). Only counts are
written: no song can be read back from them, since rare events are dropped.
"""

import gzip
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from musicgen.composer.chords import Chord

OUT_DIR = Path(__file__).parents[1] / "statistics"
CORPORA = {"pop": ("pop909", "billboard"), "jazz": ("openewld",)}
MELODY_SETS = ("pop909", "openewld", "folk_pd")
START, END = "^", "$"
MIN_CHORD_COUNT = 8
MIN_RHYTHM_COUNT = 12
MAX_RHYTHMS = 160

# The data's rarer qualities, folded into those that the composer uses.
FOLDED = {
    "sus2": "maj", "6": "maj", "add9": "maj", "69": "maj", "5": "maj", "maj9": "maj7", "9": "7", "13": "7", "11": "7",
    "7#9": "7", "7b9": "7", "aug7": "7", "7sus4": "sus4", "min6": "min", "min9": "min7", "min11": "min7",
    "minmaj7": "min", "dim7": "dim",
}  # fmt: skip


def read_songs(data_dir: Path, name: str) -> Iterator[dict[str, Any]]:
    """Yield the songs of one lead-sheet set."""
    with gzip.open(data_dir / "leadsheets" / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def phrases(song: dict[str, Any]) -> Iterator[list[str]]:
    """Yield the chord changes of each section (of each 8 bars where none are marked) as numerals."""
    bar = song["meter"][0] * 4 / song["meter"][1]
    sections = song["sections"] or [[first, 8, ""] for first in range(0, song["bars"], 8)]
    for first_bar, n_bars, _label in sections:
        changes: list[str] = []
        for onset, _duration, root, quality, _bass in song["chords"]:
            if not first_bar * bar <= onset < (first_bar + n_bars) * bar:
                continue
            numeral = Chord((root - song["key"]["tonic"]) % 12, FOLDED.get(quality, quality)).numeral
            if not changes or changes[-1] != numeral:
                changes.append(numeral)
        if len(changes) >= 2:
            yield changes


def count_progressions(songs: Iterable[dict[str, Any]]) -> dict[str, dict[str, dict[str, int]]]:
    """Count, by mode, which chord follows each pair of chords: {mode: {"a b": {c: count}}}."""
    counts: dict[str, dict[str, Counter[str]]] = {"major": defaultdict(Counter), "minor": defaultdict(Counter)}
    for song in songs:
        by_context = counts["minor" if song["key"]["mode"] in ("min", "dor") else "major"]
        for changes in phrases(song):
            padded = [START, START, *changes, END]
            for a, b, c in zip(padded, padded[1:], padded[2:], strict=False):
                by_context[f"{a} {b}"][c] += 1
                by_context[b][c] += 1
    return {mode: {context: kept for context, nexts in table.items() if (kept := frequent(nexts, MIN_CHORD_COUNT))}
            for mode, table in counts.items()}  # fmt: skip


def frequent(counter: Counter[str], least: int) -> dict[str, int]:
    """Keep what was counted at least `least` times, most frequent first."""
    return {item: count for item, count in counter.most_common() if count >= least}


def bar_rhythms(song: dict[str, Any]) -> Iterator[str]:
    """Yield each bar's melody rhythm on the sixteenth grid: x onset, - held, . silent."""
    steps = round(song["meter"][0] * 16 / song["meter"][1])
    cells: dict[int, list[str]] = defaultdict(lambda: ["."] * steps)
    for onset, duration, _pitch in song["melody"]:
        first, last = round(onset * 4), round((onset + duration) * 4)
        if first < 0 or abs(onset * 4 - first) > 0.1:
            continue
        for step in range(first, max(last, first + 1)):
            cells[step // steps][step % steps] = "x" if step == first else "-"
    for bar in sorted(cells):
        yield "".join(cells[bar])


def count_rhythms(data_dir: Path) -> dict[str, dict[str, int]]:
    """Count one-bar melody rhythms by length of the bar in sixteenths."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for name in MELODY_SETS:
        for song in read_songs(data_dir, name):
            if song["meter"][1] <= 8:
                counts[f"{name}/{round(song['meter'][0] * 16 / song['meter'][1])}"].update(bar_rhythms(song))
    kept = {name: frequent(counter, MIN_RHYTHM_COUNT) for name, counter in counts.items()}
    return {name: dict(list(rhythms.items())[:MAX_RHYTHMS]) for name, rhythms in sorted(kept.items()) if rhythms}


def main(data_dir: Path) -> None:
    """Write harmony.json and rhythm.json beside the composer."""
    harmony = {corpus: count_progressions(song for name in names for song in read_songs(data_dir, name))
               for corpus, names in CORPORA.items()}  # fmt: skip
    for name, figures in (("harmony", harmony), ("rhythm", count_rhythms(data_dir))):
        path = OUT_DIR / f"{name}.json"
        path.write_text(json.dumps(figures, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        print(f"{path.name}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
