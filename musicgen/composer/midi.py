"""Score -> Standard MIDI File (type 1), written with mido: a conductor track, then one named track for each part."""

import io
from collections.abc import Iterator

import mido

from musicgen.composer.score import DRUM_BANK, Part, Score
from musicgen.notation import RELATIVE_MAJOR, Key

TICKS_A_QUARTER = 480
DRUM_CHANNEL = 9
MELODIC_CHANNELS = tuple(channel for channel in range(16) if channel != DRUM_CHANNEL)
BANK, PAN, VOLUME = 0, 10, 7
# MIDI has signatures for major and minor only; a mode is written by the major key with the same notes.
MAJOR_SIGNATURES = ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
MINOR_SIGNATURES = ("Cm", "C#m", "Dm", "Ebm", "Em", "Fm", "F#m", "Gm", "G#m", "Am", "Bbm", "Bm")


def write_midi(score: Score, title: str) -> bytes:
    """Write the score as a Standard MIDI File; tracks carry the parts' names, programs, levels and pans."""
    file = mido.MidiFile(type=1, ticks_per_beat=TICKS_A_QUARTER, charset="utf-8")
    file.tracks.append(_conductor(score, title))
    melodic = iter(MELODIC_CHANNELS * 2)
    for part in score.parts:
        file.tracks.append(_track(part, DRUM_CHANNEL if part.bank == DRUM_BANK else next(melodic), score))
    buffer = io.BytesIO()
    file.save(file=buffer)
    return buffer.getvalue()


def key_signature(key: Key) -> str:
    """Name the signature of a key as MIDI does: "F#m", "Bb"."""
    if key.mode == "minor":
        return MINOR_SIGNATURES[key.tonic]
    return MAJOR_SIGNATURES[(key.tonic + RELATIVE_MAJOR[key.mode]) % 12]


def _conductor(score: Score, title: str) -> mido.MidiTrack:
    signature = score.time_signature
    track = mido.MidiTrack(
        [
            mido.MetaMessage("track_name", name=title),
            mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(score.tempo)),
            mido.MetaMessage("time_signature", numerator=signature.beats, denominator=signature.unit),
            mido.MetaMessage("key_signature", key=key_signature(score.key)),
        ]
    )
    now = 0
    for change in score.key_changes:
        tick = _ticks(change.onset)
        track.append(mido.MetaMessage("key_signature", key=key_signature(change.key), time=tick - now))
        now = tick
    track.append(mido.MetaMessage("end_of_track", time=_ticks(score.duration_s / score.quarter_s) - now))
    return track


def _track(part: Part, channel: int, score: Score) -> mido.MidiTrack:
    level = round(min(max(127 * 10 ** ((part.gain_db - 6) / 40), 1), 127))
    track = mido.MidiTrack(
        [
            mido.MetaMessage("track_name", name=f"{part.name} ({part.role})"),
            mido.Message("program_change", channel=channel, program=part.program),
            mido.Message("control_change", channel=channel, control=VOLUME, value=level),
            mido.Message("control_change", channel=channel, control=PAN, value=round(63.5 + 63.5 * part.pan)),
        ]
    )
    if part.bank not in (0, DRUM_BANK):  # a variation; a synthesizer that has none plays the plain program
        track.insert(1, mido.Message("control_change", channel=channel, control=BANK, value=part.bank))
    now = 0
    end_of_piece = _ticks(score.duration_s / score.quarter_s)
    for tick, is_start, pitch, velocity in sorted(_events(part), key=lambda event: event[:2]):
        tick = min(tick, end_of_piece)
        event = "note_on" if is_start else "note_off"
        # mido's checks would take longer than all the rest; a note's pitch and velocity are MIDI's by its own contract.
        track.append(
            mido.Message(event, skip_checks=True, channel=channel, note=pitch, velocity=velocity, time=tick - now)
        )
        now = tick
    track.append(mido.MetaMessage("end_of_track", time=end_of_piece - now))
    return track


def _events(part: Part) -> Iterator[tuple[int, bool, int, int]]:
    """Yield (tick, whether a note starts, pitch, velocity), to be sorted: ends come before starts on the same tick."""
    sounding_until: dict[int, int] = {}
    for note in reversed(part.notes):
        start = _ticks(note.onset)
        end = max(start + 1, min(_ticks(note.onset + note.duration), sounding_until.get(note.pitch, 2**31)))
        sounding_until[note.pitch] = start
        yield start, True, note.pitch, note.velocity
        yield end, False, note.pitch, 0


def _ticks(quarters: float) -> int:
    return round(quarters * TICKS_A_QUARTER)
