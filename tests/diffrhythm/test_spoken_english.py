"""Lines written out as they are spoken: numbers, abbreviations, and what is left of everything else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musicgen.diffrhythm.spoken_english import MARKS, spoken_text


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("0 7 12 40 42 100 315", "zero seven twelve forty forty two one hundred three hundred fifteen"),
        ("100,000 miles", "one hundred thousand miles"),
        ("1,234,567", "one million two hundred thirty four thousand five hundred sixty seven"),
        ("1, 2,3,4", "one , two , three , four"),
        ("12345678901234567", "one two three four five six seven eight nine zero one two three four five six seven"),
        ("in 1984, 1905 and 1900", "in nineteen eighty four , nineteen oh five and nineteen hundred"),
        ("2000 2005 2010 3000", "two thousand two thousand five twenty ten three thousand"),
        ("the '80s, the 1990's", "the eighties , the nineteen nineties"),
        ("1st 2nd 3rd 12th 20th 101st", "first second third twelfth twentieth one hundred first"),
        ("3.14", "three point one four"),
        ("$5 £1 €2", "five dollars one pound two euros"),
        ("$5.50 $1.01 $0.99 $0.00", "five dollars fifty cents one dollar one cent ninety nine cents zero dollars"),
        ("$1,000,000 or $2.5 million", "one million dollars or two point five million dollars"),
        ("10:30, 9:05 and 7:00", "ten thirty, nine oh five and seven"),
        ("8pm 7:15 a.m.", "eight P M seven fifteen eigh M"),
        ("1/2 3/4 2/3 24/7", "one half three quarters two thirds twenty four seven"),
        ("50% of #1 & +2", "fifty percent of number one and plus two"),
        ("-5 or 5-7", "minus five or five seven"),
        ("2nite", "two nite"),
        ("٣", "three"),
    ],
)
def test_numbers_are_written_out(written, spoken):
    assert spoken_text(written) == spoken


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("Mr. Jones, Mrs Jones and Dr. Who", "mister Jones, missis Jones and doctor Who"),
        ("42nd St. in St. Louis", "forty second street in saint Louis"),
        ("come on, hon, rev it up, col", "come on, hon, rev it up, col"),
        ("The U.S.A. etc.", "The U S eigh et cetera"),
        ("rock-n-roll — night/day", "rock n roll night day"),
        ("“Don’t” (ooh) *shh* <b>", "Don't ooh shh b"),
        ("wait...  now. . . go.. on⋯", "wait… now… go.. on…"),
        ("I LOVE IT", "i love it"),
        ("NASA", "NASA"),
        ("cafe\u0301 ﬁre so\u00adft ｈｅｙ！", "café fire soft hey!"),
        ("snake_case\tand\x00more", "snake case and more"),
        ("☀️ 🎵 ---", ""),
        ("", ""),
    ],
)
def test_what_remains_is_letters_spaces_and_marks(written, spoken):
    assert spoken_text(written) == spoken


@given(st.text() | st.text(alphabet="0123456789 ,.:/$£€%#&-'snrdthamp"))
def test_every_text_is_spoken_without_figures(text):
    spoken = spoken_text(text)
    assert not any(char.isdigit() and char.isdecimal() for char in spoken)
    assert all(char.isalnum() or char in f" {MARKS}" for char in spoken)
    assert spoken == " ".join(spoken.split())
