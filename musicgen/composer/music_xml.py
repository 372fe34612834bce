"""Lead sheet -> MusicXML 4.0: melody, chord symbols, sections, key, time signature and tempo, to be read by people.

Bars are all of one length and exactly full; `note_values` says how their notes are written. Every section begins a line
behind a double bar, and lines have four bars; the last chord stands at the end of its line. Onsets are rounded to
sixteenths; swing is a word over the first bar, for players and programs to obey. Source: the W3C's MusicXML 4.0.
"""

import xml.etree.ElementTree as ET
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from musicgen.composer.arrangement.performance import Swing
from musicgen.composer.chords import Chord
from musicgen.composer.lead_sheet import ChordSpan, LeadSheet
from musicgen.composer.note_values import NOTE_VALUES, UNITS, note_values
from musicgen.composer.plan import Plan
from musicgen.composer.score import Note
from musicgen.notation import RELATIVE_MAJOR, Key

HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<!DOCTYPE score-partwise PUBLIC "-//Recordare//DTD MusicXML 4.0 Partwise//EN"'
    ' "http://www.musicxml.org/dtds/partwise.dtd">\n'
)
BARS_A_LINE = 4
# From this place of the off-beat in its pair on, players are told to swing.
TOLD_SWING = 0.57
SWUNG_NOTES = {0.5: "eighth", 0.25: "16th"}
# Chord quality -> MusicXML's kind, and degrees to add (degree, alteration against a dominant chord).
KINDS: dict[str, tuple[str, tuple[tuple[int, int], ...]]] = {
    "maj": ("major", ()),
    "min": ("minor", ()),
    "dim": ("diminished", ()),
    "aug": ("augmented", ()),
    "sus2": ("suspended-second", ()),
    "sus4": ("suspended-fourth", ()),
    "5": ("power", ()),
    "6": ("major-sixth", ()),
    "min6": ("minor-sixth", ()),
    "7": ("dominant", ()),
    "maj7": ("major-seventh", ()),
    "min7": ("minor-seventh", ()),
    "dim7": ("diminished-seventh", ()),
    "hdim7": ("half-diminished", ()),
    "7sus4": ("suspended-fourth", ((7, 0),)),
    "add9": ("major", ((9, 0),)),
    "9": ("dominant-ninth", ()),
    "maj9": ("major-ninth", ()),
    "min9": ("minor-ninth", ()),
    "13": ("dominant-13th", ()),
    "7#9": ("dominant", ((9, 1),)),
}


@dataclass(frozen=True, slots=True)
class _Stretch:
    """A note, or a rest where `pitch` is None, from `start` to `end` in units."""

    start: int
    end: int
    pitch: int | None


def write_music_xml(plan: Plan, sheet: LeadSheet, title: str) -> bytes:
    """Write the lead sheet as MusicXML, UTF-8; equal sheets give equal bytes."""
    bar = round(plan.time_signature.bar_quarters * UNITS)
    n_bars = _units(plan.ending) // bar + 1
    stretches = _stretches(sheet.melody, n_bars * bar)
    chords = [(_units(span.onset), span) for span in sheet.chords]
    starts, ends = [stretch.start for stretch in stretches], [stretch.end for stretch in stretches]
    root = ET.Element("score-partwise", version="4.0")
    _add(_add(root, "work"), "work-title", _printable(title))
    _add(_add(_add(root, "identification"), "encoding"), "software", "musicgen")
    _add_part(root, plan)
    part = _add(root, "part", id="P1")
    for number in range(n_bars):
        measure = _add(part, "measure", number=str(number + 1))
        if _begins_line(plan, number) and 0 < number < n_bars - 1:
            _add(measure, "print", **{"new-system": "yes"})
        _add_head(measure, plan, number)
        start, end = number * bar, (number + 1) * bar
        first, last = bisect_right(ends, start), bisect_left(starts, end)
        own = [(units, span) for units, span in chords if start <= units < end]
        for stretch in stretches[first:last]:
            _add_stretch(measure, stretch, (start, end), own, plan)
        if number + 1 in {n_bars, *(section.first_bar for section in plan.sections)}:
            style = "light-heavy" if number + 1 == n_bars else "light-light"
            _add(_add(measure, "barline", location="right"), "bar-style", style)
    ET.indent(root)
    return HEAD.encode() + ET.tostring(root, encoding="utf-8")


def _add_part(root: ET.Element, plan: Plan) -> None:
    """Name the one part, and the instrument that a program may play it on."""
    player = next((chair.instrument for chair in plan.band if chair.layer.role == "melody"), None)
    score_part = _add(_add(root, "part-list"), "score-part", id="P1")
    _add(score_part, "part-name", player.title if player else "Melody")
    if player and not player.is_drum_kit:
        _add(_add(score_part, "score-instrument", id="P1-I1"), "instrument-name", player.title)
        _add(_add(score_part, "midi-instrument", id="P1-I1"), "midi-program", player.program + 1)


def _add(parent: ET.Element, tag: str, content: object = None, /, **attributes: str) -> ET.Element:
    element = ET.SubElement(parent, tag, attributes)
    element.text = None if content is None else str(content)
    return element


def _printable(text: str) -> str:
    return "".join(char for char in text if char.isprintable())


def _units(quarters: float) -> int:
    return round(quarters * UNITS)


def _stretches(melody: Sequence[Note], end: int) -> list[_Stretch]:
    """Lay notes and rests end to end from 0 to `end`; of notes that fall on one sixteenth the first is kept."""
    onsets: dict[int, Note] = {}
    for note in melody:
        onsets.setdefault(_units(note.onset), note)
    starts = [onset for onset in sorted(onsets) if onset < end]
    stretches: list[_Stretch] = []
    now = 0
    for start, following in zip(starts, [*starts[1:], end], strict=True):
        note = onsets[start]
        stop = min(max(start + 1, _units(note.onset + note.duration)), following)
        if start > now:
            stretches.append(_Stretch(now, start, None))
        stretches.append(_Stretch(start, stop, note.pitch))
        now = stop
    if now < end:
        stretches.append(_Stretch(now, end, None))
    return stretches


def _begins_line(plan: Plan, bar: int) -> bool:
    section = plan.section_at(bar * plan.time_signature.bar_quarters)
    return (bar - section.first_bar) % BARS_A_LINE == 0


def _add_head(measure: ET.Element, plan: Plan, bar: int) -> None:
    """Write what stands before the notes of a bar: key, metre, tempo, the name of a section."""
    onset = bar * plan.time_signature.bar_quarters
    section = plan.section_at(onset)
    if bar == 0:
        _add_attributes(measure, plan)
        _add_tempo(measure, plan)
    elif any(change.onset == onset for change in plan.keys):
        _add_key(_add(measure, "attributes"), plan.key_of(section))
    if section.first_bar == bar:
        direction = _add(measure, "direction", placement="above")
        _add(_add(direction, "direction-type"), "rehearsal", _printable(section.name).capitalize())


def _add_attributes(measure: ET.Element, plan: Plan) -> None:
    attributes = _add(measure, "attributes")
    _add(attributes, "divisions", UNITS)
    _add_key(attributes, plan.keys[0].key)
    time = _add(attributes, "time")
    _add(time, "beats", plan.time_signature.beats)
    _add(time, "beat-type", plan.time_signature.unit)
    clef = _add(attributes, "clef")
    _add(clef, "sign", "G")
    _add(clef, "line", 2)


def _add_key(attributes: ET.Element, key: Key) -> None:
    element = _add(attributes, "key")
    fifths = (key.tonic + RELATIVE_MAJOR[key.mode]) * 7 % 12
    _add(element, "fifths", fifths - 12 if key.uses_flats else fifths)
    _add(element, "mode", key.mode)


def _add_tempo(measure: ET.Element, plan: Plan) -> None:
    """Write the metronome mark, in dotted quarters for compound metres, and whether to swing."""
    direction = _add(measure, "direction", placement="above")
    metronome = _add(_add(direction, "direction-type"), "metronome")
    _add(metronome, "beat-unit", "quarter")
    if plan.time_signature.is_compound:
        _add(metronome, "beat-unit-dot")
    beats_a_minute = plan.tempo / 1.5 if plan.time_signature.is_compound else plan.tempo
    _add(metronome, "per-minute", f"{round(beats_a_minute, 1):g}")
    _add(direction, "sound", tempo=f"{plan.tempo:g}")
    played = Swing.of(plan)
    if played.ratio >= TOLD_SWING and not plan.time_signature.is_compound:
        direction = _add(measure, "direction", placement="above")
        _add(_add(direction, "direction-type"), "words", "Swing")
        swing = _add(_add(direction, "sound"), "swing")
        for name, content in (("first", 2), ("second", 1), ("swing-type", SWUNG_NOTES[played.unit])):
            _add(swing, name, content)


def _add_stretch(
    measure: ET.Element,
    stretch: _Stretch,
    bar: tuple[int, int],
    chords: Sequence[tuple[int, ChordSpan]],
    plan: Plan,
) -> None:
    """Write what lies in one bar of a note or rest, as tied note values, under the bar's chords that begin in it."""
    key = plan.key_of(plan.section_at(bar[0] / UNITS))
    now, end = max(stretch.start, bar[0]), min(stretch.end, bar[1])
    for onset, span in chords:
        if now <= onset < end:
            _add_chord(measure, span.chord, span.key, onset - now)
    if stretch.pitch is None and (now, end) == bar:
        note = _add(measure, "note")
        _add(note, "rest", measure="yes")
        _add(note, "duration", end - now)
        return
    for units in note_values(now - bar[0], end - bar[0], plan.time_signature, stretch.pitch is None):
        _add_note(measure, stretch.pitch, units, key, now > stretch.start, now + units < stretch.end)
        now += units


def _add_chord(measure: ET.Element, chord: Chord, key: Key, offset: int) -> None:
    harmony = _add(measure, "harmony")
    root = _add(harmony, "root")
    name = key.spell(chord.root(key))
    _add(root, "root-step", name[0])
    if len(name) > 1:
        _add(root, "root-alter", 1 if name[1] == "#" else -1)
    kind, degrees = KINDS[chord.quality]
    _add(harmony, "kind", kind, text=chord.symbol(key).removeprefix(name))
    for value, alter in degrees:
        degree = _add(harmony, "degree")
        _add(degree, "degree-value", value)
        _add(degree, "degree-alter", alter)
        _add(degree, "degree-type", "add")
    if offset:
        _add(harmony, "offset", offset)


def _add_note(measure: ET.Element, pitch: int | None, units: int, key: Key, goes_on: bool, is_held: bool) -> None:
    """Write one note value; `goes_on` ties it to the one before and `is_held` to the one after."""
    note = _add(measure, "note")
    ties = [] if pitch is None else ["stop"] * goes_on + ["start"] * is_held
    if pitch is None:
        _add(note, "rest")
    else:
        _add_pitch(note, pitch, key)
    _add(note, "duration", units)
    for tie in ties:
        _add(note, "tie", type=tie)
    value, dots = NOTE_VALUES[units]
    _add(note, "type", value)
    for _ in range(dots):
        _add(note, "dot")
    if ties:
        notations = _add(note, "notations")
        for tie in ties:
            _add(notations, "tied", type=tie)


def _add_pitch(note: ET.Element, pitch: int, key: Key) -> None:
    name = key.spell(pitch % 12)
    element = _add(note, "pitch")
    _add(element, "step", name[0])
    if len(name) > 1:
        _add(element, "alter", 1 if name[1] == "#" else -1)
    _add(element, "octave", pitch // 12 - 1)
