"""Melody by rule: motifs that return, chord tones where the ear expects them, phrases that come to rest.

A phrase of four bars follows a scheme such as "abac": a letter that returns brings its rhythm and its contour back over
the new chord. Pitches are found bar by bar as the cheapest path (Viterbi) through the notes that the chord allows;
seeded noise makes the paths differ. Several phrases are written and the one whose figures come nearest to those of real
songs is kept.
"""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from musicgen.composer.chords import Chord
from musicgen.composer.harmony import Bars
from musicgen.composer.rhythm import draw_rhythm, read_rhythm
from musicgen.composer.score import Note
from musicgen.composer.style import MelodyStyle
from musicgen.notation import Key, TimeSignature

Floats = NDArray[np.floating]

N_CANDIDATES = 6
# Each phrase of four bars: equal letters share rhythm and contour; a capital letter ends the phrase and rests.
SCHEMES = ("abaC", "aabC", "abcD", "abaC", "aaaB", "abbC")
RANGE = 9  # semitones that the melody may leave its centre
ONSET_VELOCITY = 88

# Costs of a note. Non-chord tones cost by the weight of the beat they stand on.
NON_CHORD_COST = 1.5
AVOID_COST = 2.0  # a semitone above a chord tone, held
RESTLESS_COST = 3.0  # ending a phrase elsewhere than on a stable tone
DISTANCE_COST = 0.022  # a squared semitone from the contour
CONTOUR_COST = 1.1  # leaving the motif's contour when it returns, each scale step
NOISE = 0.55
# Cost of an interval, by semitones; wider ones are forbidden.
INTERVAL_COST = (0.75, 0.05, 0.0, 0.7, 0.8, 1.1, 2.8, 1.4, 2.5, 2.3, 3.4, 3.6, 2.6)
FORBIDDEN = 50.0

# What songs show (measured on pop909 and openewld): share of on-beat notes in the chord, and of steps among intervals.
IN_CHORD_GOAL, STEP_GOAL, REPEAT_GOAL = 0.74, 0.58, 0.18


@dataclass(frozen=True, slots=True)
class MelodyRequest:
    """What a melody is written to.

    Attributes:
        style: how it sings.
        key, time_signature: of the piece.
        bars: the chords under it, by bar.
        material: the name of what it is part of: verse, chorus, bridge, theme, ...
        centre: the MIDI pitch around which it lies.
        energy: 0 to 1; it is denser as this rises.
        seed: names the stream of its randomness; equal requests give equal melodies.
    """

    style: MelodyStyle
    key: Key
    time_signature: TimeSignature
    bars: Bars
    material: str
    centre: int
    energy: float
    seed: str

    def chord_at(self, onset: float) -> Chord:
        """Return the chord that sounds at `onset`, in quarter notes from the melody's beginning."""
        index, within = divmod(onset + 1e-6, self.time_signature.bar_quarters)
        bar = self.bars[min(int(index), len(self.bars) - 1)]
        return bar[min(int(within * len(bar) / self.time_signature.bar_quarters), len(bar) - 1)]


@dataclass(frozen=True, slots=True)
class Motif:
    """What returns with a letter: the rhythm's onsets and lengths in quarters, and the contour in scale steps."""

    rhythm: str
    contour: tuple[int, ...] | None


def write_melody(request: MelodyRequest) -> tuple[Note, ...]:
    """Write a melody by rule."""
    rng = random.Random(request.seed)
    candidates = [_write_phrases(request, rng) for _ in range(N_CANDIDATES)]
    best = min(candidates, key=lambda notes: distance_from_songs(notes, request))
    return tuple(best)


def _write_phrases(request: MelodyRequest, rng: random.Random) -> list[Note]:
    scheme = rng.choice(SCHEMES)
    motifs: dict[str, Motif] = {}
    notes: list[Note] = []
    bars, key, bar_quarters = request.bars, request.key, request.time_signature.bar_quarters
    for i, bar in enumerate(bars):
        last_of_phrase = i % 4 == 3 or i == len(bars) - 1
        letter = scheme[i % 4] if not last_of_phrase else scheme[3] + str(i // 4)
        if letter not in motifs:
            rhythm = draw_rhythm(request.style, request.time_signature, request.energy, last_of_phrase, rng)
            motifs[letter] = Motif(rhythm, None)
        arch = 2.5 * math.sin(math.pi * (i % 8 + 0.5) / 8) - 1.0
        rests_on = _stable_tones(bar[-1], key, closing=i == len(bars) - 1) if last_of_phrase else None
        placed = _fit_bar(request, i, motifs[letter], request.centre + arch, notes, rests_on, rng)
        if motifs[letter].contour is None:
            motifs[letter] = replace(motifs[letter], contour=_contour([n.pitch for n in placed], key))
        notes += [replace(note, onset=i * bar_quarters + note.onset) for note in placed]
    return notes


def _stable_tones(chord: Chord, key: Key, closing: bool) -> list[int]:
    """Pitch classes on which a phrase may rest: the triad; at the close the tonic, or the root where that clashes."""
    triad = list(chord.pitch_classes(key)[:3])
    if not closing:
        return triad
    return [key.tonic] if key.tonic in chord.pitch_classes(key) else triad[:1]


def _fit_bar(
    request: MelodyRequest,
    index: int,
    motif: Motif,
    centre: float,
    before: Sequence[Note],
    rests_on: Sequence[int] | None,
    rng: random.Random,
) -> list[Note]:
    """Find the pitches of one bar: the cheapest path through the candidates of its notes.

    `rests_on` are the pitch classes on which the last note may come to rest; None where the phrase goes on.
    """
    key, time_signature, leaps = request.key, request.time_signature, request.style.leaps
    onsets = read_rhythm(motif.rhythm)
    pitches = np.arange(round(centre) - RANGE, round(centre) + RANGE + 1)
    chords = [request.chord_at(index * time_signature.bar_quarters + onset) for onset, _ in onsets]
    noise = np.random.default_rng(rng.getrandbits(64)).gumbel(size=(len(onsets), len(pitches))) * NOISE
    costs = np.stack(
        [
            _note_costs(pitches, chord, key, _beat_weight(onset, length, time_signature), centre)
            for chord, (onset, length) in zip(chords, onsets, strict=True)
        ]
    )
    if rests_on:
        costs[-1] += RESTLESS_COST * ~np.isin(pitches % 12, rests_on)
    if before:
        costs[0] += _interval_costs(leaps)[np.abs(pitches - before[-1].pitch)]
    steps = _steps_of(motif, len(onsets))
    path = _cheapest_path(costs - noise, _move_costs(pitches, leaps), pitches, key, steps)
    return [
        Note(onset, length, int(pitches[p]), onset_velocity(onset, time_signature))
        for p, (onset, length) in zip(path, onsets, strict=True)
    ]


def _beat_weight(onset: float, length: float, time_signature: TimeSignature) -> float:
    """Weigh a place in the bar: 1 on the downbeat, less between beats; long notes weigh more."""
    beat = 1.5 if time_signature.is_compound else 1.0
    place = 1.0 if onset == 0 else 0.6 if onset % beat == 0 else 0.3 if onset % (beat / 2) == 0 else 0.15
    return min(1.0, place + (0.3 if length >= 1.0 else 0.0))


@cache
def _chord_costs(chord: Chord, key: Key) -> tuple[Floats, Floats]:
    """Cost of each of the 128 pitches over a chord: what weighs by the beat, and what holds anywhere."""
    tones = chord.pitch_classes(key)
    clashing = {pc for pc in key.scale for t in tones if (pc - t) % 12 in (1, 11) and t not in key.scale}
    allowed = (set(key.scale) - clashing) | set(tones)
    classes = np.arange(128) % 12
    in_chord = np.isin(classes, tones)
    avoid = np.isin(classes, [(t + 1) % 12 for t in tones]) & ~in_chord
    by_weight: Floats = NON_CHORD_COST * ~in_chord + AVOID_COST * avoid
    anywhere: Floats = FORBIDDEN * ~np.isin(classes, list(allowed))
    return by_weight, anywhere


def _note_costs(pitches: NDArray[np.int64], chord: Chord, key: Key, weight: float, centre: float) -> Floats:
    by_weight, anywhere = _chord_costs(chord, key)
    distance: Floats = DISTANCE_COST * (pitches - centre) ** 2
    return distance + weight * by_weight[pitches] + anywhere[pitches]


@cache
def _interval_costs(leaps: float) -> Floats:
    """Cost of an interval, by semitones; `leaps` (0 to 1) makes wide ones cheaper."""
    costs = np.full(128, FORBIDDEN)
    costs[: len(INTERVAL_COST)] = INTERVAL_COST
    costs[3:] *= 1.3 - leaps
    return costs


def _move_costs(pitches: NDArray[np.int64], leaps: float) -> Floats:
    """Cost of going from pitch to pitch: (from, to)."""
    return _interval_costs(leaps)[np.abs(pitches[:, None] - pitches[None, :])]


def _steps_of(motif: Motif, n_notes: int) -> list[int | None]:
    """Scale steps that the motif's contour wants between the notes; None where it has no opinion."""
    if motif.contour is None:
        return [None] * (n_notes - 1)
    return [b - a for a, b in zip(motif.contour, motif.contour[1:], strict=False)]


def _cheapest_path(
    costs: Floats,
    moves: Floats,
    pitches: NDArray[np.int64],
    key: Key,
    steps: Sequence[int | None],
) -> list[int]:
    """Viterbi: the indices of the pitches whose costs and moves add up to least.

    Args:
        costs: (notes, pitches) cost of each pitch for each note.
        moves: (pitches, pitches) cost of each interval.
        pitches: (pitches,) MIDI numbers.
        key: gives the scale in which `steps` count.
        steps: wanted scale steps between neighbouring notes.
    """
    heights = _heights(key)[pitches]
    rises = heights[None, :] - heights[:, None]
    best = costs[0]
    came_from = []
    for cost, step in zip(costs[1:], steps, strict=True):
        move = moves if step is None else moves * 0.3 + CONTOUR_COST * np.abs(rises - step)
        total = best[:, None] + move
        came_from.append(total.argmin(axis=0))
        best = total.min(axis=0) + cost
    path = [int(best.argmin())]
    for previous in reversed(came_from):
        path.append(int(previous[path[-1]]))
    return path[::-1]


@cache
def _heights(key: Key) -> NDArray[np.int64]:
    """Height of each of the 128 pitches in scale steps; a note between two scale tones counts as the lower one."""
    octave, within = np.divmod(np.arange(128) - key.tonic, 12)
    steps = np.searchsorted([(pc - key.tonic) % 12 for pc in key.scale], within, side="right") - 1
    heights: NDArray[np.int64] = 7 * octave + steps
    return heights


def _contour(pitches: Sequence[int], key: Key) -> tuple[int, ...]:
    """Heights of pitches in scale steps."""
    return tuple(_heights(key)[list(pitches)].tolist())


def onset_velocity(onset: float, time_signature: TimeSignature) -> int:
    """Return the velocity of a melody note by its place in the bar (quarters): heavier on the beat."""
    return ONSET_VELOCITY + round(12 * _beat_weight(onset, 0.0, time_signature)) - 6


def distance_from_songs(notes: Sequence[Note], request: MelodyRequest) -> float:
    """How far a melody's figures lie from those of real songs; 0 is as near as can be."""
    if len(notes) < 3:
        return 0.0
    intervals = [abs(b.pitch - a.pitch) for a, b in pairwise(notes)]
    on_beat = [note for note in notes if note.onset % 1 == 0]
    in_chord = [note.pitch % 12 in request.chord_at(note.onset).pitch_classes(request.key) for note in on_beat]
    spread = max(n.pitch for n in notes) - min(n.pitch for n in notes)
    return (
        abs(sum(in_chord) / max(len(on_beat), 1) - IN_CHORD_GOAL)
        + abs(sum(1 <= i <= 2 for i in intervals) / len(intervals) - STEP_GOAL)
        + abs(intervals.count(0) / len(intervals) - REPEAT_GOAL)
        + abs(spread - 12) / 24
    )
