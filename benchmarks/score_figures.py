"""Figures of written music: the melody against its chords, bars that return. Reference figures are in docs/data.md."""

from collections import defaultdict
from collections.abc import Iterator

import numpy as np

from musicgen.composer.composition import Composition


def melody_figures(composition: Composition) -> dict[str, float]:
    """Return the shares of on-beat melody notes in the chord, of all in the scale, and of bars that return exactly."""
    sheet = composition.sheet
    on_beat = [n for n in sheet.melody if n.onset % 1 == 0]
    in_chord = [n.pitch % 12 in sheet.chord_at(n.onset).pitch_classes for n in on_beat]
    diatonic = [n.pitch % 12 in sheet.chord_at(n.onset).key.scale for n in sheet.melody]
    bars = list(melody_bars(composition))
    return {
        "in_chord": float(np.mean(in_chord)) if in_chord else float("nan"),
        "diatonic": float(np.mean(diatonic)),
        "repeats": 1 - len(set(bars)) / len(bars),
    }


def melody_bars(composition: Composition) -> Iterator[tuple[tuple[float, int], ...]]:
    """Yield each bar of the melody that has notes as (onset in the bar, pitch above the tonic)."""
    quarters = composition.plan.time_signature.bar_quarters
    bars: dict[int, list[tuple[float, int]]] = defaultdict(list)
    for note in composition.sheet.melody:
        bar, onset = divmod(note.onset, quarters)
        bars[int(bar)].append((round(onset, 3), note.pitch - composition.plan.key.tonic))
    yield from (tuple(bars[bar]) for bar in sorted(bars))


def shared_bars(one: Composition, other: Composition) -> float:
    """Return the share of melody bars of three notes or more that both pieces have."""
    first, second = ({bar for bar in melody_bars(piece) if len(bar) > 2} for piece in (one, other))
    return len(first & second) / max(1, min(len(first), len(second)))
