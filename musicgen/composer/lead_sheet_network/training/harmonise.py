"""Put plain chords under tunes that came without any, so that the network learns folk melodies over chords.

A Viterbi search over the chords of the mode: chord tones on long and strong notes earn, other notes cost, and so does
every change. The chords are ours, not the sources'.
"""

from collections.abc import Sequence

from musicgen.composer.lead_sheet_network.section import Chord, Note, SectionControls
from musicgen.composer.lead_sheet_network.tokens import QUALITIES, TICKS_PER_QUARTER

# Root in semitones above the tonic, quality, what choosing it earns.
PALETTES: dict[str, tuple[tuple[int, str, float], ...]] = {
    "major": ((0, "maj", 0.5), (7, "maj", 0.35), (5, "maj", 0.3), (2, "min", 0.1), (9, "min", 0.15), (7, "7", 0.2)),
    "minor": ((0, "min", 0.5), (10, "maj", 0.3), (7, "maj", 0.3), (7, "min", 0.1), (5, "min", 0.2), (3, "maj", 0.25),
              (8, "maj", 0.15)),
    "dorian": ((0, "min", 0.5), (10, "maj", 0.4), (5, "maj", 0.2), (7, "min", 0.2), (3, "maj", 0.2)),
    "mixolydian": ((0, "maj", 0.5), (10, "maj", 0.4), (5, "maj", 0.25), (7, "min", 0.1), (2, "min", 0.1)),
    "lydian": ((0, "maj", 0.5), (2, "maj", 0.3), (7, "maj", 0.25), (9, "min", 0.1)),
    "phrygian": ((0, "min", 0.5), (1, "maj", 0.4), (10, "min", 0.2), (3, "maj", 0.2)),
}  # fmt: skip
SPAN_TICKS = {"4/4": 24, "3/4": 36, "2/4": 24, "6/8": 36, "9/8": 54}
CHANGE_COST = 0.45
CADENCE_GAIN = 0.3  # dominant to tonic
HOME_GAIN = 0.8  # tonic at the very start and end


def harmonise(melody: Sequence[Note], controls: SectionControls) -> tuple[Chord, ...]:
    """Choose a chord for every half bar (4/4) or bar of a section."""
    span = SPAN_TICKS[controls.metre] / TICKS_PER_QUARTER
    n_spans = controls.bars * controls.bar_ticks // SPAN_TICKS[controls.metre]
    palette = PALETTES[controls.mode]
    spans = [[note for note in melody if index * span <= note.onset < (index + 1) * span] for index in range(n_spans)]
    fits = [[_fit(notes, root, quality) + gain for root, quality, gain in palette] for notes in spans]
    fits[0][0] += HOME_GAIN
    fits[-1][0] += HOME_GAIN
    path = _best_path(fits, palette)
    return tuple(
        Chord(index * span, span, palette[choice][0], palette[choice][1], palette[choice][0])
        for index, choice in enumerate(path)
    )


def _fit(notes: Sequence[Note], root: int, quality: str) -> float:
    """Score a chord under some notes, from about -1 to 1."""
    tones = {(root + step) % 12 for step in QUALITIES[quality]}
    weights = [min(note.duration, 2.0) * (1.5 if note.onset % 1 == 0 else 1.0) for note in notes]
    total = sum(weights)
    earned = sum(w if note.pitch % 12 in tones else -0.6 * w for w, note in zip(weights, notes, strict=True))
    return 2.0 * earned / total if total else 0.0


def _best_path(fits: list[list[float]], palette: Sequence[tuple[int, str, float]]) -> list[int]:
    scores, backs = fits[0], []
    choices = range(len(palette))
    for fit in fits[1:]:
        arrivals = [[scores[before] + _move(palette, before, after) for before in choices] for after in choices]
        scores = [max(arrival) + fit[after] for after, arrival in zip(choices, arrivals, strict=True)]
        backs.append([arrival.index(max(arrival)) for arrival in arrivals])
    path = [max(range(len(palette)), key=scores.__getitem__)]
    for came in reversed(backs):
        path.append(came[path[-1]])
    return path[::-1]


def _move(palette: Sequence[tuple[int, str, float]], before: int, after: int) -> float:
    if before == after:
        return 0.0
    return (CADENCE_GAIN if palette[before][0] == 7 and palette[after][0] == 0 else 0.0) - CHANGE_COST
