"""Keys and time signatures as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musicgen.notation import MODES, Key, TimeSignature


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("D minor", "D minor"),
        ("c", "C major"),
        ("F#", "F# major"),
        ("Gb", "F# major"),
        ("Bbm", "Bb minor"),
        ("BM", "B major"),
        ("bm", "B minor"),
        ("bb", "Bb major"),
        ("eb maj", "Eb major"),
        ("E♭ Major", "Eb major"),
        ("C♯ MINOR", "C# minor"),
        ("G dorian", "G dorian"),
        ("A aeolian", "A minor"),
        ("C ionian", "C major"),
        ("Cb", "B major"),
        ("E# phrygian", "F phrygian"),
        ("D flat major", "Db major"),
        ("F-sharp minor", "F# minor"),
        ("  a  min  ", "A minor"),
    ],
)
def test_a_key_is_read_and_written_in_one_spelling(text: str, written: str) -> None:
    assert str(Key.parse(text)) == written


@pytest.mark.parametrize("text", ["", "H", "H minor", "D blue", "minor", "C##", "D minor minor", "4/4", "Ɗ", "D\x00"])
def test_what_is_no_key_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="is not a key; write a tonic and a mode, like 'D minor'"):
        Key.parse(text)


keys = st.builds(Key, st.integers(0, 11), st.sampled_from(sorted(MODES)))


@given(keys)
def test_a_written_key_reads_as_itself(key: Key) -> None:
    assert Key.parse(str(key)) == key


@given(keys)
def test_a_scale_has_seven_notes_from_the_tonic_with_names_of_their_own(key: Key) -> None:
    assert key.scale[0] == key.tonic
    assert len({key.spell(pitch_class) for pitch_class in key.scale}) == 7


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("F major", "F G A Bb C D E"),
        ("B major", "B C# D# E F# G# A#"),
        ("G minor", "G A Bb C D Eb F"),
        ("D dorian", "D E F G A B C"),
        ("E phrygian", "E F G A B C D"),
        ("F lydian", "F G A B C D E"),
        ("G mixolydian", "G A B C D E F"),
        ("C mixolydian", "C D E F G A Bb"),
    ],
)
def test_a_scale_is_spelled_like_its_key_signature(text: str, names: str) -> None:
    key = Key.parse(text)
    assert " ".join(key.spell(pitch_class) for pitch_class in key.scale) == names


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("C major", "C Db D Eb E F F# G Ab A Bb B"),
        ("D minor", "D Eb E F F# G G# A Bb B C C#"),
        ("C minor", "C Db D Eb E F F# G Ab A Bb B"),
        ("E major", "E F F# G G# A A# B C C# D D#"),
        # No double accidentals, and Fb, B# and their like only in a signature that has them.
        ("Db major", "Db D Eb E F Gb G Ab A Bb B C"),
        ("F# major", "F# G G# A A# B C C# D D# E E#"),
        ("G# minor", "G# A A# B C C# D D# E F F# G"),
    ],
)
def test_notes_outside_the_scale_are_spelled_by_their_degree(text: str, names: str) -> None:
    key = Key.parse(text)
    assert " ".join(key.spell(key.tonic + step) for step in range(12)) == names


@pytest.mark.parametrize(
    ("text", "written", "bar_quarters", "is_compound"),
    [
        ("4/4", "4/4", 4.0, False),
        (" 3 / 4 ", "3/4", 3.0, False),
        ("2/4", "2/4", 2.0, False),
        ("6/8", "6/8", 3.0, True),
        ("7/8", "7/8", 3.5, False),
        ("12/8", "12/8", 6.0, True),
        ("3/8", "3/8", 1.5, False),
        ("05/4", "5/4", 5.0, False),
    ],
)
def test_a_time_signature_knows_its_bar(text: str, written: str, bar_quarters: float, is_compound: bool) -> None:
    signature = TimeSignature.parse(text)
    assert (str(signature), signature.bar_quarters, signature.is_compound) == (written, bar_quarters, is_compound)


@pytest.mark.parametrize("text", ["", "4", "4/5", "1/4", "13/8", "4/16", "0/4", "-3/4", "4/4/4", "waltz", "100/4"])
def test_what_is_no_time_signature_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="is not a time signature; write 2 to 12 quarters or eighths, like '4/4'"):
        TimeSignature.parse(text)
