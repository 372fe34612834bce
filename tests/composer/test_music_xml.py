"""The lead sheet as MusicXML: bars exactly full, and the melody and chords of the sheet in it."""

import xml.etree.ElementTree as ET

import pytest

from musicgen.composer.chords import QUALITIES
from musicgen.composer.composition import Composition, compose
from musicgen.composer.music_xml import KINDS, write_music_xml
from musicgen.composer.note_values import UNITS
from musicgen.notation import LETTER_PITCH_CLASS
from musicgen.options import GenerationOptions


def composed(prompt: str = "pop song", duration: float = 16.0, **asked: object) -> Composition:
    return compose(GenerationOptions(prompt, duration=duration, seed=4, **asked))  # type: ignore[arg-type]


def sheet_of(composition: Composition) -> ET.Element:
    return ET.fromstring(write_music_xml(composition.plan, composition.sheet, 'Rain & "Roof" <1>'))


def number(element: ET.Element, path: str) -> int:
    return int(element.findtext(path, "0"))


def sounding(root: ET.Element) -> list[tuple[int, int, int]]:
    """Read the notes back, ties joined: (start, length, pitch), in units."""
    notes: list[tuple[int, int, int]] = []
    now = 0
    for note in root.iter("note"):
        length = number(note, "duration")
        step = note.findtext("pitch/step")
        if step:
            pitch = 12 * (number(note, "pitch/octave") + 1) + LETTER_PITCH_CLASS[step] + number(note, "pitch/alter")
            if any(tie.get("type") == "stop" for tie in note.findall("tie")):
                start, before, same = notes.pop()
                assert (start + before, same) == (now, pitch)
                notes.append((start, before + length, pitch))
            else:
                notes.append((now, length, pitch))
        now += length
    return notes


@pytest.mark.parametrize("time_signature", ["4/4", "3/4", "6/8", "5/4", "7/8", "12/8"])
@pytest.mark.parametrize("prompt", ["pop song", "jazz swing"])
def test_every_bar_is_exactly_full_and_the_melody_is_in_it(prompt: str, time_signature: str) -> None:
    composition = composed(prompt, time_signature=time_signature)
    root = sheet_of(composition)
    bar = composition.plan.time_signature.bar_quarters * UNITS
    for measure in root.iter("measure"):
        assert sum(number(note, "duration") for note in measure.iter("note")) == bar
    written = sounding(root)
    starts = sorted({round(note.onset * UNITS) for note in composition.sheet.melody})
    assert [start for start, _, _ in written] == starts
    pitches = {round(note.onset * UNITS): note.pitch for note in reversed(composition.sheet.melody)}
    assert [pitch for _, _, pitch in written] == [pitches[start] for start in starts]


def test_key_metre_tempo_title_and_sections_are_told() -> None:
    composition = composed(duration=60.0, key="Eb minor", tempo=92.5, time_signature="3/4")
    root = sheet_of(composition)
    assert root.findtext("work/work-title") == 'Rain & "Roof" <1>'
    attributes = root.find("part/measure/attributes")
    assert attributes is not None
    told = [attributes.findtext(path) for path in ("key/fifths", "key/mode", "time/beats", "time/beat-type")]
    assert told == ["6", "minor", "3", "4"]
    assert root.findtext(".//per-minute") == "92.5"
    names = [section.name.capitalize() for section in composition.plan.sections]
    assert [mark.text for mark in root.iter("rehearsal")] == names


@pytest.mark.parametrize(("key", "fifths"), [("F major", "-1"), ("D dorian", "0"), ("E major", "4"), ("C minor", "-3")])
def test_signatures_are_written_in_fifths(key: str, fifths: str) -> None:
    assert sheet_of(composed(key=key)).findtext(".//fifths") == fifths


def test_every_section_begins_a_line_behind_a_double_bar() -> None:
    composition = composed(duration=60.0)
    measures = list(sheet_of(composition).iter("measure"))
    for section in composition.plan.sections[1:]:
        assert measures[section.first_bar].find("print[@new-system='yes']") is not None
        assert measures[section.first_bar - 1].findtext("barline/bar-style") == "light-light"
    assert measures[-1].findtext("barline/bar-style") == "light-heavy"
    assert measures[-1].find("print") is None


@pytest.mark.parametrize(
    ("prompt", "metre", "marks"),
    [
        ("jazz swing", "4/4", [("quarter", False, "90"), "Swing"]),
        ("house", "4/4", [("quarter", False, "90")]),
        ("jazz swing", "6/8", [("quarter", True, "60")]),
    ],
)
def test_tempo_is_told_in_beats_and_swing_in_a_word(prompt: str, metre: str, marks: list[object]) -> None:
    root = sheet_of(composed(prompt, tempo=90.0, time_signature=metre))
    (metronome,) = root.iter("metronome")
    told = (
        metronome.findtext("beat-unit"),
        metronome.find("beat-unit-dot") is not None,
        metronome.findtext("per-minute"),
    )
    assert [told, *(words.text for words in root.iter("words"))] == marks
    assert root.find(".//sound[@tempo='90']") is not None


def test_accidentals_are_those_of_the_key() -> None:
    root = sheet_of(composed("waltz", 60.0, key="D minor"))
    steps = {(pitch.findtext("step"), pitch.findtext("alter")) for pitch in root.iter("pitch")}
    roots = {(root.findtext("root-step"), root.findtext("root-alter")) for root in root.iter("root")}
    assert not (steps | roots) & {("D", "-1"), ("G", "-1"), ("A", "1")}


def test_the_part_is_named_after_the_player_of_the_melody() -> None:
    composition = composed("flute and piano ballad")
    root = sheet_of(composition)
    player = next(chair.instrument for chair in composition.plan.band if chair.layer.role == "melody")
    assert root.findtext("part-list/score-part/part-name") == player.title
    assert number(root, "part-list/score-part/midi-instrument/midi-program") == player.program + 1


def test_every_chord_stands_where_it_sounds() -> None:
    composition = composed("jazz swing", key="F major")
    written = []
    now = 0
    for element in sheet_of(composition).iter():
        if element.tag == "note":
            now += number(element, "duration")
        elif element.tag == "harmony":
            root = LETTER_PITCH_CLASS[element.findtext("root/root-step", "")] + number(element, "root/root-alter")
            written.append((now + number(element, "offset"), root % 12, element.findtext("kind")))
    key = composition.plan.key
    assert written == [
        (round(span.onset * UNITS), span.chord.root(key), KINDS[span.chord.quality][0])
        for span in composition.sheet.chords
    ]


def test_a_key_change_is_written_where_it_happens() -> None:
    told = {"name": "verse", "bars": 8}
    plan = {"key": "C major", "tempo": 120, "sections": [told, told | {"lift": 1}]}
    composition = composed(plan=plan)
    root = sheet_of(composition)
    changes = {m.get("number"): m.findtext("attributes/key/fifths") for m in root.iter("measure")}
    assert {number: fifths for number, fifths in changes.items() if fifths} == {"1": "0", "9": "-5"}
    bar = next(measure for measure in root.iter("measure") if measure.get("number") == "9")
    assert bar.findtext("harmony/root/root-alter") in (None, "-1"), "spelled with flats"
    assert [pitch for _, _, pitch in sounding(root)] == [note.pitch for note in composition.sheet.melody]


def test_every_quality_has_its_kind() -> None:
    assert set(KINDS) == set(QUALITIES)
