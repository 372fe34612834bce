"""Reharmonisation: other chords in a few bars, none in the first and the last, and none where a rule finds nothing."""

import random

import pytest

from musicgen.composer.chords import Chord
from musicgen.composer.development import REHARMONISATIONS
from musicgen.composer.harmony import Bars, parse_bars
from musicgen.composer.reharmonisation import RULES, reharmonise

SONG = "I | vi | IV | V | I | IV | ii | V"
MINOR_SONG = "i | bVI | iv | V | i | bIII | bVII | V"


def varied(text: str, name: str, mode: str = "major", seed: int = 1) -> tuple[Bars, Bars]:
    bars = parse_bars(text)
    return bars, reharmonise(bars, name, mode, random.Random(seed))


def test_there_is_a_rule_for_every_name() -> None:
    assert set(RULES) == set(REHARMONISATIONS)


@pytest.mark.parametrize("name", REHARMONISATIONS)
@pytest.mark.parametrize(("text", "mode"), [(SONG, "major"), (MINOR_SONG, "minor")])
def test_the_frame_of_the_phrase_stays_and_most_bars_with_it(name: str, text: str, mode: str) -> None:
    for seed in range(10):
        before, after = varied(text, name, mode, seed)
        assert len(after) == len(before)
        assert (after[0], after[-1]) == (before[0], before[-1])
        assert sum(one != other for one, other in zip(before, after, strict=True)) <= len(before) / 2


def test_secondary_dominants_fall_a_fifth_into_the_next_bar() -> None:
    before, after = varied(SONG, "secondary")
    changed = [i for i, bar in enumerate(after) if bar != before[i]]
    assert changed
    for i in changed:
        assert after[i][0] == before[i][0]
        assert after[i][1].quality == "7"
        assert (after[i][1].offset - after[i + 1][0].offset) % 12 == 7


def test_tritone_substitutes_fall_a_semitone() -> None:
    before, after = varied("Imaj7 | VI7 | ii7 | V7 | Imaj7 | ii7 V7 | Imaj7 | V7", "tritone")
    changed = [i for i, bar in enumerate(after) if bar != before[i]]
    assert changed
    assert all((after[i][-1].offset - after[i + 1][0].offset) % 12 == 1 for i in changed)


def test_relatives_share_two_tones() -> None:
    before, after = varied(SONG, "relative")
    pairs = [(one[0], other[0]) for one, other in zip(before, after, strict=True) if one != other]
    assert pairs
    for one, other in pairs:
        tones = [{(chord.offset + interval) % 12 for interval in chord.intervals} for chord in (one, other)]
        assert len(tones[0] & tones[1]) == 2


def test_the_borrowed_subdominant_and_the_suspension_resolve_within_their_bar() -> None:
    _, borrowed = varied("I | IV | I | V | I | IV | V | I", "borrowed")
    assert (Chord(5, "maj"), Chord(5, "min")) in borrowed
    _, suspended = varied("I | V7 | I | V | I | IV | V7 | I", "suspended")
    assert (Chord(7, "7sus4"), Chord(7, "7")) in suspended


def test_a_phrase_that_offers_nothing_stays() -> None:
    for name in ("tritone", "suspended", "borrowed"):
        before, after = varied("I | vi | I | vi", name)
        assert before == after
