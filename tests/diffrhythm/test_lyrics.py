"""When lines are sung: stamps read, plain lines spread, and the tokens laid out frame by frame."""

import re
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musicgen.diffrhythm.lyrics import LyricLine, Lyrics, parse_lyrics, placement_notes, token_ids
from musicgen.errors import InvalidOptions

VERSE = """\
Walking through the silent rain
Thinking of your name again
Every light is burning low
I have nowhere left to go"""
FRAMES_PER_S = 44_100 / 2048


def timed(text: str, duration_s: float = 95) -> list[tuple[float, str]]:
    return [(round(line.start_s, 3), line.text) for line in parse_lyrics(text, duration_s).lines]


def starts(text: str, duration_s: float = 95) -> list[float]:
    return [line.start_s for line in parse_lyrics(text, duration_s).lines]


def refusal(text: str, duration_s: float = 95) -> list[str]:
    with pytest.raises(InvalidOptions) as caught:
        parse_lyrics(text, duration_s)
    assert list(caught.value.errors) == ["lyrics"]
    return caught.value.errors["lyrics"]


def test_a_line_with_several_stamps_is_sung_each_time_in_order():
    text = "[00:30.00][00:10.00] chorus line\n[00:20.00]verse line"
    assert timed(text) == [(10, "chorus line"), (20, "verse line"), (30, "chorus line")]


def test_metadata_labels_and_brackets_are_not_sung():
    text = (
        "\ufeff[ar:Somebody]\r\n[ti: A song]\r\n[length:03:20]\r\n[#: made by hand]\r\n\r\n[Verse 1: Singer]\r\n"
        "[00:10.00]first [softly] line\r\n[00:12.00][Chorus 2]\r\n[00:14.00]\r\n[00:16.00]♪\r\n"
        "[00:20.00]<00:20.00> second <00:20.50> line\r\n[00:30]Chorus:\r\n[x2]\r"
    )
    assert timed(text) == [(10, "first line"), (20, "second line")]
    assert parse_lyrics(text, 95).notes == ()


@pytest.mark.parametrize(
    ("offset", "start_s"), [("500", 9.5), ("+500", 9.5), ("-250", 10.25), (" 0 ", 10.0), ("999999", 0.0)]
)
def test_an_offset_in_milliseconds_makes_lines_come_sooner(offset, start_s):
    assert timed(f"[offset:{offset}]\n[00:10.00]words") == [(start_s, "words")]


@pytest.mark.parametrize("text", ["[Instrumental]", "[ar:x]\n\n", "♪ ♪", "...\n!?", "[00:10.00]"])
def test_lyrics_without_words_are_an_instrumental(text):
    note = "The lyrics have no words to sing, so the track is instrumental."
    assert parse_lyrics(text, 95) == Lyrics((), (note,))


@pytest.mark.parametrize("text", ["", " \n\t\n", "\ufeff"])
def test_no_lyrics_at_all_need_no_note(text):
    assert parse_lyrics(text, 95).lines == ()


def test_lines_after_the_end_are_left_out_with_a_note():
    lyrics = parse_lyrics("[00:10]a word\n[01:35]at the end\n[02:00]later", 95)
    assert [line.text for line in lyrics.lines] == ["a word"]
    assert lyrics.notes == ("2 lines begin after the end at 95 s and are not sung.",)
    assert parse_lyrics("[00:10]a word\n[02:00]later", 95).notes == (
        "1 line begins after the end at 95 s and is not sung.",
    )


def test_all_lines_after_the_end_are_refused():
    (text,) = refusal("[03:00.00]too late")
    assert text == (
        'All lines begin after the end at 95 s, the first ("too late") at 180 s. '
        "Ask for a longer track or for earlier times."
    )


def test_too_much_to_read_is_refused():
    assert "at most 20,000" in refusal("a" * 20_001)[0]
    assert "at most 1,000" in refusal("[00:01]" * 1001 + "la")[0]


@pytest.mark.parametrize("duration_s", [60, 95, 150, 285])
def test_plain_lines_are_spread_over_the_song(duration_s):
    text = f"{VERSE}\n\n[Chorus]\n{VERSE}\n\n{VERSE}"
    found = starts(text, duration_s)
    steps = [after - before for before, after in pairwise(found)]
    assert len(found) == 12
    assert 0.04 * duration_s <= found[0] <= 20
    assert found[-1] < 0.95 * duration_s
    assert min(steps) > 1.5
    within = [step for at, step in enumerate(steps) if at not in (3, 7)]
    assert min(steps[3], steps[7]) > max(within), "the breath between sections is heard"


def test_longer_lines_take_longer():
    first, second, third = starts("one\nand a much longer line of words to sing\nthree\n" + VERSE)[:3]
    assert third - second > 2 * (second - first)


def test_a_section_without_words_leaves_twice_the_room():
    plain = starts(f"{VERSE}\n\n[Chorus]\n{VERSE}", 60)
    solo = starts(f"{VERSE}\n\n[Solo]\n\n[Chorus]\n{VERSE}", 60)
    assert solo[4] - solo[3] > plain[4] - plain[3] + 2


def test_few_words_begin_soon_and_are_told():
    lyrics = parse_lyrics("only one line", 285)
    assert lyrics.lines[0].start_s <= 20
    assert lyrics.notes == ("The lyrics are short for 285 s: much of the track is instrumental.",)


def test_many_words_are_sung_fast_and_told():
    lyrics = parse_lyrics(f"{VERSE}\n\n" * 12, 95)
    assert lyrics.notes == ("The lyrics are long for 95 s and are sung fast.",)
    assert lyrics.lines[0].start_s < 4 and lyrics.lines[-1].start_s < 94


def test_far_too_many_words_are_refused_with_what_would_fit():
    text = refusal(f"{VERSE}\n\n" * 20, 95)[0]
    assert text.startswith("80 lines are too much for 95 s, even sung very fast. Keep about ")
    kept, longer_s = map(int, re.findall(r"about (\d+), or ask for (\d+) s\.", text)[0])
    lines = VERSE.splitlines() * 20
    assert parse_lyrics("\n".join(lines[:kept]), 95).notes
    assert parse_lyrics(f"{VERSE}\n\n" * 20, longer_s).notes


def test_what_no_song_has_room_for_is_not_sent_to_a_longer_one():
    assert "even sung very fast. Shorten them." in refusal("la " * 6000)[0]
    assert "or ask for" not in refusal(f"{VERSE}\n\n" * 90, 95)[0]


def test_many_short_sections_do_not_eat_the_song():
    found = starts("ooh\n\n" * 60, 95)
    assert len(found) == 60 and found[-1] < 95


def test_lines_without_time_go_between_their_neighbours():
    lyrics = parse_lyrics("before\n[00:20]one line\nlong line between the stamps\nshort\n[00:32]two\nafter", 95)
    assert [line.text for line in lyrics.lines] == [
        "before", "one line", "long line between the stamps", "short", "two", "after",
    ]  # fmt: skip
    found = [line.start_s for line in lyrics.lines]
    assert 17 < found[0] < found[1] == 20 < found[2] < found[3] < found[4] == 32 < found[5] < 35
    assert found[3] - found[2] > found[4] - found[3]
    assert lyrics.notes == ("4 lines have no time and are put beside the lines around.",)


def test_lines_after_the_last_stamp_are_pressed_before_the_end():
    found = starts(f"[01:25]here it ends\n{VERSE}", 95)
    assert len(found) == 5 and found[-1] < 95


def test_lines_before_the_first_stamp_never_begin_before_the_song():
    found = starts(f"{VERSE}\n[00:02]first stamp", 95)
    assert found == sorted(found) and found[0] == pytest.approx(0, abs=1e-9) and found[-1] == 2


LYRIC_PIECES = st.sampled_from(
    ["[", "]", ":", "[00:10.00]", "[01:20]", "[99:99]", "00", "7", ".", "\n", "\n\n", "\r\n", "verse", "[Chorus]",
     "[ar:x]", "[offset:", "[offset:+9]", "-", "(", ")", "Chorus:", "hello world", "$5", "月", "♪", " ", "<00:01.00>"]
)  # fmt: skip


@settings(deadline=None)
@given(
    st.text() | st.lists(LYRIC_PIECES, max_size=40).map("".join),
    st.floats(min_value=5, max_value=300),
)
def test_any_text_is_timed_or_refused_with_a_reason(text, duration_s):
    try:
        lyrics = parse_lyrics(text, duration_s)
    except InvalidOptions as refused:
        assert all(len(message) < 250 for message in refused.errors["lyrics"])
        return
    found = [line.start_s for line in lyrics.lines]
    assert found == sorted(found) and all(0 <= start < duration_s for start in found)
    assert all(line.text.strip() == line.text != "" and "\n" not in line.text for line in lyrics.lines)


def test_a_hostile_text_is_read_quickly():
    for text in ("[" * 20_000, "[00:" * 5000, "1," * 10_000, "<0" * 9000, "a." * 10_000, "(" * 20_000, "#" * 20_000,
                 "[ar:" * 5000, " [" * 10_000, "1:" * 10_000, "chorus " * 2500, "$1," * 6000):  # fmt: skip
        try:
            parse_lyrics(text, 95)
        except InvalidOptions:
            continue


def test_tokens_stand_where_their_line_begins():
    lines = [LyricLine(1.0, "a"), LyricLine(2.0, "b")]
    tokens = token_ids(lines, [[42, 58], [51, 24, 4]], 100)
    expected = np.zeros(100, np.int64)
    expected[21:24] = 42, 58, 2
    expected[43:47] = 51, 24, 4, 2
    assert tokens.dtype == np.int64 and tokens.shape == (100,)
    np.testing.assert_array_equal(tokens, expected)
    assert placement_notes(lines, [[42, 58], [51, 24, 4]], 100) == ()


def test_the_golden_line_in_its_frames():
    ids = [int(token) for token in "42 58 51 24 1 49 8 51 31 4".split()]  # noqa: SIM905
    tokens = token_ids([LyricLine(10.0, "Hello, world!")], [ids], 2048)
    start = int(10 * FRAMES_PER_S)
    assert start == 215
    assert tokens[start : start + 11].tolist() == [*ids, 2]
    assert np.count_nonzero(tokens) == 11


def test_a_full_stop_inside_a_line_becomes_a_comma():
    assert token_ids([LyricLine(0, "a. b.")], [[9, 2, 10, 2]], 8).tolist() == [9, 1, 10, 1, 2, 0, 0, 0]


def test_a_line_waits_for_the_one_before():
    lines = [LyricLine(0, "a"), LyricLine(0.05, "b")]
    ids = [[7] * 30, [8, 9]]
    assert token_ids(lines, ids, 40).tolist() == [7] * 30 + [2, 8, 9, 2] + [0] * 6
    assert placement_notes(lines, ids, 40) == ("1 line begins later than asked: the line before takes longer to sing.",)


def test_a_line_without_phones_leaves_nothing():
    lines = [LyricLine(0, "..."), LyricLine(1, "a"), LyricLine(2, "♪")]
    tokens = token_ids(lines, [[], [7], []], 50)
    assert np.flatnonzero(tokens).tolist() == [21, 22]
    assert placement_notes(lines, [[], [7], []], 50) == ()


def test_what_does_not_fit_is_cut_dropped_and_told():
    lines = [LyricLine(0, "a"), LyricLine(0.4, "b"), LyricLine(0.4, "c"), LyricLine(9, "d")]
    ids = [[7, 7], [8] * 5, [9], [10]]
    assert token_ids(lines, ids, 10).tolist() == [7, 7, 2, 0, 0, 0, 0, 0, 8, 8]
    assert placement_notes(lines, ids, 10) == (
        "1 line is cut off by the end of the song.",
        "2 lines find no room before the end and are not sung.",
    )


def test_no_lyrics_are_all_zeros():
    assert not token_ids([], [], 6144).any()
    assert token_ids([], [], 0).shape == (0,)
    assert placement_notes([], [], 10) == ()


def test_each_line_needs_its_ids():
    with pytest.raises(ValueError, match="zip"):
        token_ids([LyricLine(0, "a")], [], 10)


@given(
    st.lists(st.tuples(st.floats(min_value=0, max_value=400), st.lists(st.integers(1, 363), max_size=40)), max_size=30),
    st.integers(0, 3000),
)
def test_tokens_keep_their_order_and_never_overlap(places, n_frames):
    places.sort(key=lambda place: place[0])
    lines = [LyricLine(start_s, "x") for start_s, _ in places]
    tokens = token_ids(lines, [ids for _, ids in places], n_frames)
    sung = [token for _, ids in places if ids for token in [*(1 if token == 2 else token for token in ids), 2]]
    found = tokens[tokens != 0].tolist()
    assert tokens.shape == (n_frames,)
    assert found == sung[: len(found)]
    if places and len(found) < len(sung):
        assert placement_notes(lines, [ids for _, ids in places], n_frames)
