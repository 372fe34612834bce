"""A part's dry bus: when notes begin, how they end, who silences whom, and that time may be cut anywhere."""

from dataclasses import replace

import numpy as np
import pytest

from musicgen.composer.card import SOUND_FONTS
from musicgen.composer.score import DRUM_BANK, Note, Part
from musicgen.composer.sound import part_rendering
from musicgen.composer.sound.articulation import SAMPLE_RATE
from musicgen.composer.sound.part_rendering import PartPlayer, render_part, schedule
from musicgen.composer.sound.sampler import Sampler
from musicgen.composer.sound.synthesis.rendering import longest_release, render
from musicgen.composer.sound.synthesis.voice_file import all_voices

QUARTER_S = 0.5
CLOSED_HAT, OPEN_HAT, SNARE = 42, 46, 38
SECOND = SAMPLE_RATE


@pytest.fixture(scope="module")
def sampler() -> Sampler:
    return Sampler(SOUND_FONTS)


def melody(*notes: Note, program: int = 0) -> Part:
    return Part("Melody", "melody", 0, program, notes)


def drums(*notes: Note) -> Part:
    return Part("Drums", "drums", DRUM_BANK, 0, notes)


def level_db(samples: np.ndarray) -> float:
    return float(10 * np.log10(np.mean(samples.astype(np.float64) ** 2) + 1e-20))


@pytest.mark.parametrize("onset", [0.0, 0.0001, 1.2345678, 2.5])
def test_a_note_begins_on_its_nearest_sample(sampler: Sampler, onset: float) -> None:
    """The same note, moved, is the same bits, moved by the rounded distance."""
    first = render_part(drums(Note(0, 0.5, SNARE, 100)), sampler, QUARTER_S, 3 * SECOND)
    moved = render_part(drums(Note(onset, 0.5, SNARE, 100)), sampler, QUARTER_S, 3 * SECOND)
    shift = round(onset * QUARTER_S * SAMPLE_RATE)
    assert np.array_equal(moved[:, shift:], first[:, : 3 * SECOND - shift])
    assert not np.any(moved[:, :shift])


def test_a_note_is_released_at_its_end_and_then_silent(sampler: Sampler) -> None:
    bus = render_part(melody(Note(0, 2, 60, 90), program=73), sampler, QUARTER_S, 4 * SECOND)
    held, released, later = bus[:, SECOND // 2 : SECOND], bus[:, SECOND + 8000 : SECOND + 12_000], bus[:, 3 * SECOND :]
    assert level_db(released) < level_db(held) - 20
    assert not np.any(later)
    steps = np.abs(np.diff(bus[0, SECOND - 100 : SECOND + 100]))
    assert steps.max() < 2 * np.abs(np.diff(bus[0, SECOND - 2000 : SECOND])).max(), "the release is no click"


def test_a_closed_hat_silences_an_open_one(sampler: Sampler) -> None:
    n = 2 * SECOND
    ringing = render_part(drums(Note(0, 0.1, OPEN_HAT, 100)), sampler, QUARTER_S, n)
    closing = render_part(drums(Note(0.5, 0.1, CLOSED_HAT, 100)), sampler, QUARTER_S, n)
    both = render_part(drums(Note(0, 0.1, OPEN_HAT, 100), Note(0.5, 0.1, CLOSED_HAT, 100)), sampler, QUARTER_S, n)
    choke = SECOND // 4
    assert np.array_equal(both[:, :choke], ringing[:, :choke])
    rest = both - closing
    after = slice(choke + SECOND // 4, choke + SECOND // 2)
    assert level_db(rest[:, after]) < level_db(ringing[:, after]) - 25


def test_what_has_no_exclusive_class_rings_on(sampler: Sampler) -> None:
    n = 2 * SECOND
    snare = render_part(drums(Note(0, 0.1, SNARE, 100)), sampler, QUARTER_S, n)
    hat = render_part(drums(Note(0.25, 0.1, CLOSED_HAT, 100)), sampler, QUARTER_S, n)
    both = render_part(drums(Note(0, 0.1, SNARE, 100), Note(0.25, 0.1, CLOSED_HAT, 100)), sampler, QUARTER_S, n)
    assert np.allclose(both, snare + hat, atol=1e-6)


def test_two_hats_at_once_do_not_silence_each_other(sampler: Sampler) -> None:
    pair = drums(Note(0, 0.1, CLOSED_HAT, 100), Note(0, 0.1, OPEN_HAT, 100))
    alone = render_part(drums(Note(0, 0.1, OPEN_HAT, 100)), sampler, QUARTER_S, SECOND)
    closed = render_part(drums(Note(0, 0.1, CLOSED_HAT, 100)), sampler, QUARTER_S, SECOND)
    assert np.allclose(render_part(pair, sampler, QUARTER_S, SECOND), alone + closed, atol=1e-6)


def busy_part() -> Part:
    random = np.random.default_rng(7)
    notes = [
        Note(float(onset), float(random.uniform(0.1, 3)), int(random.integers(50, 75)), int(random.integers(30, 120)))
        for onset in np.sort(random.uniform(0, 14, 60))
    ]
    return melody(*notes, program=48)


@pytest.mark.parametrize("window", [10_000, 2**15, 2**16])
def test_however_time_is_cut_the_bits_are_the_same(sampler: Sampler, window: int) -> None:
    n = 8 * SECOND
    whole = render_part(busy_part(), sampler, QUARTER_S, n)
    player = PartPlayer(schedule(busy_part(), sampler, QUARTER_S, n), sampler)
    pieces = [player.play(start, min(start + window, n)).copy() for start in range(0, n, window)]
    assert np.array_equal(np.concatenate(pieces, axis=1), whole)
    assert whole.shape == (2, n)
    assert whole.dtype == np.float32


def test_windows_that_are_left_out_change_nothing_in_the_others(sampler: Sampler) -> None:
    n, window = 8 * SECOND, 2**14
    whole = render_part(busy_part(), sampler, QUARTER_S, n)
    player = PartPlayer(schedule(busy_part(), sampler, QUARTER_S, n), sampler)
    for start in range(window, n - window, 5 * window):
        assert np.array_equal(player.play(start, start + window), whole[:, start : start + window])


def test_the_order_in_which_notes_are_given_does_not_matter(sampler: Sampler) -> None:
    part = busy_part()
    backwards = melody(*reversed(part.notes), program=48)
    n = 4 * SECOND
    assert np.array_equal(render_part(backwards, sampler, QUARTER_S, n), render_part(part, sampler, QUARTER_S, n))


def test_notes_beyond_the_end_cost_nothing_and_change_nothing(sampler: Sampler) -> None:
    inside = Note(0, 500, 60, 90)
    short = render_part(melody(inside, program=48), sampler, QUARTER_S, SECOND)
    assert np.abs(short[:, -100:]).max() > 0.001, "still held at the end"
    beyond = melody(inside, Note(2, 4, 60, 90), Note(100, 4, 67, 90), program=48)
    assert np.array_equal(render_part(beyond, sampler, QUARTER_S, SECOND), short)
    player = PartPlayer(schedule(beyond, sampler, QUARTER_S, SECOND), sampler)
    assert len(list(player.upcoming(0, 10**9))) == 1
    assert next(player.upcoming(0, 10**9)).n_held < 2 * SECOND


def test_an_empty_part_is_silent(sampler: Sampler) -> None:
    assert not np.any(render_part(melody(), sampler, QUARTER_S, 1000))


def test_a_missing_preset_is_named(sampler: Sampler) -> None:
    with pytest.raises(ValueError, match="no preset for bank 0, program 119"):
        render_part(melody(Note(0, 1, 60, 90), program=119), sampler, QUARTER_S, 1000)


def test_a_window_holds_the_room_for_its_scratch() -> None:
    assert part_rendering.WINDOW % 2 == 0, "the reverb takes it as two blocks"


RINGING = (Note(0, 1, 36, 90), Note(0.1, 3, 49, 120), Note(3, 0.1, OPEN_HAT, 90), Note(3.5, 0.1, CLOSED_HAT, 90))


@pytest.mark.parametrize(
    "part",
    [busy_part(), drums(*RINGING), replace(drums(*RINGING), voice="chip_drums"), replace(busy_part(), voice="fm_bell")],
    ids=["melody", "drums", "synthesised drums", "synthesised melody"],
)
def test_what_is_over_before_a_window_is_neither_asked_for_nor_missed(part: Part, sampler: Sampler) -> None:
    n = 6 * SECOND
    whole = render_part(part, sampler, QUARTER_S, n)
    events = schedule(part, sampler, QUARTER_S, n)
    for start in (SECOND, 2 * SECOND, 5 * SECOND):
        player = PartPlayer(events, sampler)
        asked = set(player.upcoming(start, start + SECOND))
        assert np.array_equal(player.play(start, start + SECOND), whole[:, start : start + SECOND])
        heard = {sounding.event.key for sounding in player._sounding if sounding.stop > start}
        assert heard <= asked


def test_a_sound_that_is_long_over_is_not_rendered() -> None:
    fresh = Sampler(SOUND_FONTS)
    events = schedule(melody(Note(0, 1, 60, 90), Note(40, 1, 72, 90)), fresh, QUARTER_S, 60 * SECOND)
    player = PartPlayer(events, fresh)
    assert [key.pitch for key in player.upcoming(20 * SECOND, 21 * SECOND)] == [72]
    player.play(20 * SECOND, 21 * SECOND)
    assert len(fresh.store) == 1


@pytest.mark.parametrize("voice", sorted(all_voices()))
def test_no_voice_sounds_for_longer_after_a_note_than_is_said(voice: str) -> None:
    for pitch in (36, 42, 49, 60):
        released = [len(part.release) for part in render(voice, pitch, 100, SECOND)]
        assert longest_release(voice, pitch, SECOND) == max(released, default=0)
