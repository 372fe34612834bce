"""Lyrics as people write them: stamps, metadata and labels told from words, and what is refused."""

import pytest

from musicgen.diffrhythm.lyrics_text import Row, read_sheet
from musicgen.errors import InvalidOptions


def refusal(text: str) -> list[str]:
    with pytest.raises(InvalidOptions) as caught:
        read_sheet(text)
    return caught.value.errors["lyrics"]


@pytest.mark.parametrize(
    ("stamp", "start_s"),
    [
        ("[00:10.50]", 10.5),
        ("[0:10]", 10.0),
        ("[00:10.5]", 10.5),
        ("[01:02.345]", 62.345),
        ("[00:10:50]", 10.5),
        ("[00:10,25]", 10.25),
        ("[ 00:10.00 ]", 10.0),
        ("[00:00.00]", 0.0),
        ("[00:59.999]", 59.999),
    ],
)
def test_every_form_of_stamp(stamp, start_s):
    (row,) = read_sheet(f"{stamp}words").rows
    assert row == Row((pytest.approx(start_s),), "words", 0)
    assert read_sheet(f"  {stamp}  words  ").rows == [row]


@pytest.mark.parametrize("stamp", ["[99:99.99]", "[00:60]", "[-00:10.00]", "[1:2:3:4]", "[00:10.]", "[0000:10]"])
def test_a_bad_stamp_is_refused_with_its_line(stamp):
    (text,) = refusal(f"[00:01.00]fine\n{stamp}bad")
    assert text == f'Line 2: "{stamp}" is no time. Write minutes and seconds (below 60), as in [01:23.45].'


def test_many_bad_stamps_make_a_short_message():
    texts = refusal("[00:99]x\n" * 30)
    assert len(texts) == 6 and texts[-1] == "There are 25 more lines like these."


@pytest.mark.parametrize("offset", ["soon", "", "1.5s", "9" * 400])
def test_a_bad_offset_is_refused(offset):
    (text,) = refusal(f"[00:10]words\n[offset:{offset}]")
    assert text.startswith('Line 2: "[offset:') and text.endswith("needs milliseconds, as in [offset:+250].")


@pytest.mark.parametrize(
    "label",
    ["[verse]", "[Chorus 2]", "(Chorus)", "Chorus", "VERSE II", "Pre-Chorus:", "## Bridge", "**Outro**", "Solo:",
     "Chorus x2", "Verse two", "(Hook)"],
)  # fmt: skip
def test_labels_part_sections(label):
    before, after = read_sheet(f"hello there\n{label}\ngoodbye now").rows
    assert (before, after) == (Row((), "hello there", 0), Row((), "goodbye now", 1))


@pytest.mark.parametrize("line", ["Drop", "Break me", "Verse of my life", "Solo", "(ooh)", "Bridge over water"])
def test_words_that_only_look_like_labels_are_sung(line):
    assert read_sheet(f"[00:10]{line}").rows == [Row((10.0,), line, 0)]
