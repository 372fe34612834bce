"""Which windows a sound check plays, and for which others they stand."""

import numpy as np
import pytest

from musicgen.composer.composition import compose
from musicgen.composer.score import DRUM_BANK
from musicgen.composer.sound.part_rendering import NEVER, WINDOW, Event
from musicgen.composer.sound.sampler import SoundKey
from musicgen.composer.sound.sound_check import HEARD_WHOLE, N_EXCERPTS, efforts, medoids, stand_ins
from musicgen.options import GenerationOptions


def note(onset: float, end: float, velocity: int = 127, choke: float | None = None) -> Event:
    """Make a note; times in windows."""
    choked = NEVER if choke is None else round(choke * WINDOW)
    return Event(round(onset * WINDOW), round(end * WINDOW), choked, velocity, SoundKey(0, 0, 60, 100, 22_050))


def test_notes_are_held_in_the_windows_that_they_reach_and_struck_in_one() -> None:
    events = [note(0.5, 2.25), note(0.75, 1.0), note(3.0, 5.0, choke=3.5)]
    held, struck = efforts(events, 5)
    assert held / WINDOW == pytest.approx([0.75, 1.0, 0.25, 0.5, 0.0])
    assert struck.tolist() == [2, 0, 0, 1, 0]


def test_louder_notes_count_by_their_power() -> None:
    soft, loud = [note(0, 1, 60)], [note(0, 1, 120)]
    # 5/6 of 40 dB a decade of velocity
    assert 10 * np.log10(efforts(loud, 1) / efforts(soft, 1)) == pytest.approx(10.03, abs=0.01)


def test_a_part_without_notes_does_nothing() -> None:
    assert efforts([], 3).tolist() == [[0, 0, 0]] * 2


def test_a_piece_without_parts_is_heard_in_one_window() -> None:
    assert stand_ins([], 100).tolist() == [0] * 100


@pytest.mark.parametrize("n", [0, 1, 5, HEARD_WHOLE])
def test_of_a_short_piece_every_window_is_played(n: int) -> None:
    assert stand_ins([[note(0, 1)]], n).tolist() == list(range(n))


def test_groups_are_found_and_their_middle_stands_for_them() -> None:
    features = np.array([[0.0], [0.2], [0.1], [5.0], [5.3], [5.1], [9.0]])
    assert medoids(features, 3).tolist() == [2, 2, 2, 5, 5, 5, 6]


def test_equal_rows_need_but_one() -> None:
    assert medoids(np.zeros((6, 2)), 3).tolist() == [0] * 6
    assert medoids(np.array([[0.0], [1.0]] * 3), 5).tolist() == [0, 1] * 3


def test_windows_are_played_for_by_windows_in_which_the_same_parts_play() -> None:
    """A solo from window 30 to 59, with a drummer around it who plays loud at the end."""
    solo = [note(i, i + 0.9) for i in range(30, 60)]
    drums = [note(i / 4, i / 4 + 0.1, 120 if i > 320 else 60) for i in range(400) if not 120 <= i < 240]
    played_for = stand_ins([solo, drums], 100)
    assert len(set(played_for.tolist())) <= N_EXCERPTS
    assert set(played_for[31:59]) <= set(range(30, 60))
    assert set(played_for[:29]) | set(played_for[61:79]) <= {*range(30), *range(60, 80)}
    assert set(played_for[82:]) <= set(range(81, 100))


def test_every_part_of_a_long_piece_is_heard(sampler_schedules: list[list[Event]]) -> None:
    n_windows = 194
    chosen = set(stand_ins(sampler_schedules, n_windows).tolist())
    assert 1 < len(chosen) <= N_EXCERPTS
    for events in sampler_schedules:
        assert efforts(events, n_windows)[0, sorted(chosen)].any()


@pytest.fixture(scope="module")
def sampler_schedules() -> list[list[Event]]:
    """The parts of a long piece; what they sound like does not matter here."""
    score = compose(GenerationOptions("pop song, full band", duration=288, seed=1)).score
    rate = score.quarter_s * 44_100
    assert any(part.bank == DRUM_BANK for part in score.parts)
    return [
        [
            Event(
                round(n.onset * rate),
                round((n.onset + n.duration) * rate),
                NEVER,
                n.velocity,
                SoundKey(0, 0, n.pitch, 100, 1),
            )
            for n in part.notes
        ]
        for part in score.parts
    ]
