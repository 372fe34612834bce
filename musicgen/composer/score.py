"""The score: every note of a piece, who plays it and how loud it stands in the mix.

Knows no style and no sound font.
"""

from dataclasses import dataclass

from musicgen.notation import Key, TimeSignature

DRUM_BANK = 128


@dataclass(frozen=True, slots=True)
class Note:
    """One note.

    Attributes:
        onset: start in quarter notes from the beginning of the piece; micro-timing makes it fall off the grid.
        duration: length in quarter notes.
        pitch: MIDI number, 60 is middle C; in drum parts the General MIDI percussion key.
        velocity: 1 to 127.
    """

    onset: float
    duration: float
    pitch: int
    velocity: int


@dataclass(frozen=True, slots=True)
class Part:
    """One instrument's notes and its place in the mix.

    Attributes:
        name: what people read in a sequencer ("Fingered Bass").
        role: what it does: melody, counter, comping, pad, bass, riser or drums.
        bank: SoundFont bank, `DRUM_BANK` for drum kits, else 0.
        program: General MIDI program, 0 to 127; for drum kits the kit's number.
        notes: sorted by onset.
        gain_db: level against the other parts.
        pan: -1 left to 1 right.
        reverb_db: level of the send into the shared reverb, against the dry part.
        voice: the synthesised voice that plays it; bank and program then only stand in MIDI files. None is the sound
            font's preset.
    """

    name: str
    role: str
    bank: int
    program: int
    notes: tuple[Note, ...]
    gain_db: float = 0.0
    pan: float = 0.0
    reverb_db: float = -14.0
    voice: str | None = None


@dataclass(frozen=True, slots=True)
class MixSettings:
    """What a style says about the sound of the whole.

    Attributes:
        reverb_s: time in which the room's sound falls by 60 dB, seconds.
        brightness_db: shelf above 6 kHz, dB.
        sidechain_db: how far the kick pushes the other parts down, dB; 0 is off.
        tape: share of tape colour (wow, saturation, dull top), 0 to 1.
        crackle_db: level of vinyl crackle against full scale, dB; None is off.
        reverb_db: what is added to every part's reverb send, dB.
        low_cut_hz: below it the mix falls off.
        high_cut_hz: above it, too; None is open.
        width: of the stereo image, 1 as it is panned, 0 mono.
    """

    reverb_s: float = 1.2
    brightness_db: float = 0.0
    sidechain_db: float = 0.0
    tape: float = 0.0
    crackle_db: float | None = None
    reverb_db: float = 0.0
    # Nothing musical lies below; samples and kicks leave some rumble there.
    low_cut_hz: float = 30.0
    high_cut_hz: float | None = None
    width: float = 1.0


@dataclass(frozen=True, slots=True)
class KeyChange:
    """The key from `onset` on, in quarter notes."""

    onset: float
    key: Key


@dataclass(frozen=True, slots=True)
class Score:
    """A whole piece.

    Attributes:
        tempo: quarter notes a minute, the same throughout.
        key: tonic and mode at the beginning.
        time_signature: of every bar.
        duration_s: length of the track in seconds; the last notes ring out before it.
        parts: the band.
        mix: the sound of the whole.
        key_changes: where the key changes, in order.
    """

    tempo: float
    key: Key
    time_signature: TimeSignature
    duration_s: float
    parts: tuple[Part, ...]
    mix: MixSettings = MixSettings()
    key_changes: tuple[KeyChange, ...] = ()

    @property
    def quarter_s(self) -> float:
        """Length of a quarter note in seconds."""
        return 60.0 / self.tempo
