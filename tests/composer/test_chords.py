"""Roman numerals and what they sound."""

import pytest

from musicgen.composer.chords import CHROMATIC_NUMERALS, QUALITIES, Chord
from musicgen.notation import Key


@pytest.mark.parametrize(
    ("numeral", "offset", "quality"),
    [
        ("I", 0, "maj"),
        ("ii7", 2, "min7"),
        ("V7", 7, "7"),
        ("bVImaj7", 8, "maj7"),
        ("viihdim7", 11, "hdim7"),
        ("iv", 5, "min"),
        ("Isus2", 0, "sus2"),
        ("#ivdim", 6, "dim"),
        ("IV9", 5, "9"),
    ],
)
def test_numerals_name_offset_and_quality(numeral: str, offset: int, quality: str) -> None:
    assert Chord.parse(numeral) == Chord(offset, quality)


def test_every_chord_reads_its_own_numeral() -> None:
    for offset in range(len(CHROMATIC_NUMERALS)):
        for quality in QUALITIES:
            assert Chord.parse(Chord(offset, quality).numeral) == Chord(offset, quality)


@pytest.mark.parametrize("text", ["", "H7", "Vfoo", "8", "iiii"])
def test_nonsense_is_refused_with_the_text(text: str) -> None:
    with pytest.raises(ValueError, match=repr(text)):
        Chord.parse(text)


def test_symbols_are_spelled_in_the_key() -> None:
    assert Chord.parse("V7").symbol(Key.parse("F minor")) == "C7"
    assert Chord.parse("bVI").symbol(Key.parse("D minor")) == "Bb"
    assert Chord.parse("ii7").symbol(Key.parse("E major")) == "F#m7"
    assert Chord.parse("V").pitch_classes(Key.parse("C major")) == (7, 11, 2)


@pytest.mark.parametrize("key", ["C major", "F minor", "F# major", "B dorian"])
def test_every_chord_reads_its_own_symbol(key: str) -> None:
    for offset in range(12):
        for quality in QUALITIES:
            chord = Chord(offset, quality)
            assert Chord.from_symbol(chord.symbol(Key.parse(key)), Key.parse(key)) == chord


@pytest.mark.parametrize(
    ("symbol", "numeral"),
    [("Abmaj7", "bVImaj7"), ("G#M7", "bVImaj7"), ("D-7", "ii7"), ("Bø", "viihdim7"), ("B♭", "bVII"), ("Gsus", "Vsus4")],
)
def test_symbols_are_read_as_people_write_them(symbol: str, numeral: str) -> None:
    assert Chord.from_symbol(symbol, Key.parse("C major")) == Chord.parse(numeral)


@pytest.mark.parametrize("text", ["", "H7", "Hm7", "Cfoo", "c", "C/E", "4"])
def test_what_is_no_symbol_is_refused_with_the_text(text: str) -> None:
    with pytest.raises(ValueError, match=f"^{text!r} is not a chord symbol"):
        Chord.from_symbol(text, Key.parse("C major"))
