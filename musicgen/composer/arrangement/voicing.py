"""Voicings: a chord becomes pitches, moving as little as possible from the chord before."""

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

from musicgen.composer.chords import Chord
from musicgen.notation import Key

MAX_VOICES = 4
GUITAR_STRINGS = 5
# How much the distance from the centre counts against the movement of the voices.
CENTRE_WEIGHT = 0.6
# Thirds this low are mud: below this MIDI pitch close voices are moved up.
LOWEST_CLOSE_PITCH = 45


@lru_cache(maxsize=4096)
def voice_chord(
    chord: Chord, key: Key, voicing: str, centre: int, lowest: int, highest: int, before: tuple[int, ...] = ()
) -> tuple[int, ...]:
    """Spread a chord into MIDI pitches, lowest first, around `centre` and within `lowest` to `highest`.

    `before` are the pitches of the chord that came before; the voices move to the nearest tones.
    """
    if voicing in ("power", "guitar"):
        return tuple(pitch for pitch in _fret(chord, key, voicing, centre, lowest) if pitch <= highest)
    tones = _choose_tones(chord, key, voicing)
    floor = max(lowest, LOWEST_CLOSE_PITCH if voicing != "shell" else lowest)
    candidates = [
        _stack([*tones[i:], *tones[:i]], start) for i in range(len(tones)) for start in range(floor, highest, 12)
    ]
    if voicing == "open":
        candidates = [_drop_second(pitches) for pitches in candidates if len(pitches) > 2] or candidates
    fitting = [p for p in candidates if p[0] >= floor and p[-1] <= highest] or candidates
    return min(fitting, key=lambda pitches: (_movement(before, pitches) + _off_centre(pitches, centre), pitches))


def _fret(chord: Chord, key: Key, voicing: str, centre: int, lowest: int) -> tuple[int, ...]:
    """Spread a chord as strings are tuned, from the root up; where it begins does not depend on the chord before."""
    if voicing == "guitar":
        return _strum(list(chord.pitch_classes(key)), max(lowest, centre - 20))
    root = chord.root(key)
    return _stack([root, (root + _fifth(chord)) % 12, root], max(lowest, centre - 8))


def _fifth(chord: Chord) -> int:
    return next((interval for interval in chord.intervals if interval in (6, 7, 8)), 7)


def _choose_tones(chord: Chord, key: Key, voicing: str) -> list[int]:
    """Choose at most four pitch classes; what gives the chord its colour stays."""
    tones = list(chord.pitch_classes(key))
    if voicing == "shell" and len(tones) >= 3:
        return [tones[0], tones[1], tones[3] if len(tones) > 3 else tones[2]]
    if voicing == "rootless" and len(tones) >= 4:
        return tones[1:][:MAX_VOICES]
    if len(tones) > MAX_VOICES:
        tones = [tones[0], tones[1], *tones[3:]]
    return tones[:MAX_VOICES]


def _stack(classes: Sequence[int], floor: int) -> tuple[int, ...]:
    """Place pitch classes upwards from the first one at or above `floor`."""
    pitches: list[int] = []
    for pitch_class in classes:
        low = pitches[-1] + 1 if pitches else floor
        pitches.append(low + (pitch_class - low) % 12)
    return tuple(pitches)


def _strum(tones: Sequence[int], floor: int) -> tuple[int, ...]:
    """Spread a chord as a guitar would: root, fifth, then the tones upwards with no close clusters."""
    pitches = [floor + (tones[0] - floor) % 12]
    pitches.append(pitches[0] + (tones[2 if len(tones) > 2 else 1] - tones[0]) % 12)
    while len(pitches) < GUITAR_STRINGS:
        above = [pitches[-1] + 3 + (tone - pitches[-1] - 3) % 12 for tone in tones]
        fresh = [p for p in above if p % 12 not in {q % 12 for q in pitches}]
        pitches.append(min(fresh or above))
    return tuple(pitches)


def _drop_second(pitches: tuple[int, ...]) -> tuple[int, ...]:
    """Drop the second voice from the top by an octave."""
    return tuple(sorted((*pitches[:-2], pitches[-2] - 12, pitches[-1])))


def _movement(before: Sequence[int], after: Sequence[int]) -> float:
    """Semitones that the voices move, each to the nearest new tone; a leaping top voice counts once more."""
    if not before:
        return 0.0
    return sum(min(abs(a - b) for b in before) for a in after) + 0.5 * abs(after[-1] - before[-1])


def _off_centre(pitches: Sequence[int], centre: int) -> float:
    crowded = sum(b - a < 2 for a, b in pairwise(pitches))
    return CENTRE_WEIGHT * abs(sum(pitches) / len(pitches) - centre) + 2.0 * crowded
