"""What a synthesised voice is made of. Data only; `voice_file` reads it from `voices.toml`."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Amplitude:
    """How the level of a note moves.

    Attributes:
        attack_s: time of the straight rise.
        decay_s: time of a fall by 60 dB towards `sustain`.
        sustain: level while the note is held, 0 to 1 of the peak.
        release_s: time of a fall by 96 dB after the note's end.
        swell_db: how far below its level the note begins, to reach it at the end of its held length.
    """

    attack_s: float
    decay_s: float
    sustain: float
    release_s: float
    swell_db: float


@dataclass(frozen=True, slots=True)
class Oscillator:
    """One wave of a voice.

    Attributes:
        shape: a name in `spectra.SHAPES`.
        octave: against the note that is played.
        level_db: against the others.
        duty: share of the cycle in which a pulse is high.
    """

    shape: str
    octave: int
    level_db: float
    duty: float


@dataclass(frozen=True, slots=True)
class LowPass:
    """A low-pass filter and what moves it.

    Attributes:
        cutoff_hz: of middle C at rest.
        poles: 2 or 4, 12 or 24 dB an octave.
        resonance_db: height of the peak at the cutoff.
        key_tracking: how far the cutoff follows the pitch, 0 to 1.
        velocity_octaves: how far the hardest stroke opens it more than the softest.
        envelope_octaves: how far the envelope opens it at first.
        attack_s, decay_s: of that envelope: a straight rise, then a fall to a thousandth.
        lfo_hz, lfo_octaves: a slow sine around the rest.
        rise_octaves: how far it opens over the note's held length, ending where it would be without.
    """

    cutoff_hz: float
    poles: int
    resonance_db: float
    key_tracking: float
    velocity_octaves: float
    envelope_octaves: float
    attack_s: float
    decay_s: float
    lfo_hz: float
    lfo_octaves: float
    rise_octaves: float


@dataclass(frozen=True, slots=True)
class PitchMotion:
    """How the pitch of a note moves.

    Attributes:
        drop_semitones, drop_s: the note begins so much higher and falls, to a thousandth of it in the time.
        rise_semitones: how far it rises over its held length, ending at the note that is played.
        vibrato_hz, vibrato_cents, vibrato_delay_s: a sine that fades in over the delay.
    """

    drop_semitones: float
    drop_s: float
    rise_semitones: float
    vibrato_hz: float
    vibrato_cents: float
    vibrato_delay_s: float


@dataclass(frozen=True, slots=True)
class WaveVoice:
    """Waves through a filter and a drive, as often as `unison` says, each copy a little out of tune.

    Attributes:
        oscillators: what is heard.
        unison: number of copies.
        detune_cents: of the outermost copies.
        spread: how far apart the copies stand, 0 (mono) to 1.
        drive: gain into the soft clipping that each copy gets after the filter; 0 is clean.
        low_pass: None is open.
    """

    oscillators: tuple[Oscillator, ...]
    unison: int
    detune_cents: float
    spread: float
    drive: float
    low_pass: LowPass | None
    pitch: PitchMotion
    amplitude: Amplitude

    @property
    def follows_length(self) -> bool:
        """Whether the sound depends on how long the note is held."""
        rising = self.low_pass is not None and bool(self.low_pass.rise_octaves)
        return rising or bool(self.pitch.rise_semitones or self.amplitude.swell_db)


@dataclass(frozen=True, slots=True)
class FmPair:
    """A sine whose phase another sine moves.

    Attributes:
        ratio, modulator_ratio: frequencies against the note's.
        index: depth in radians.
        index_decay_s, index_sustain: its fall to a thousandth of the way, and the share that is left of it.
        level_db: against the other pairs.
        decay_s: of its own level, by 60 dB; 0 holds it.
    """

    ratio: float
    modulator_ratio: float
    index: float
    index_decay_s: float
    index_sustain: float
    level_db: float
    decay_s: float


@dataclass(frozen=True, slots=True)
class FmVoice:
    """Pairs of sines; harder strokes are brighter by `velocity_to_index` (0 to 1)."""

    pairs: tuple[FmPair, ...]
    velocity_to_index: float
    amplitude: Amplitude

    @property
    def follows_length(self) -> bool:
        """Whether the sound depends on how long the note is held."""
        return bool(self.amplitude.swell_db)


@dataclass(frozen=True, slots=True)
class NoiseVoice:
    """Noise between two filters, 12 dB an octave each.

    Attributes:
        source: "white", or "shift_register" for the noise of old game machines.
        clock_hz: pace of the shift register.
        low_hz, high_hz: the band.
        rise_octaves: how far the band rises, over the note's held length, to where it is meant to be.
        stereo: whether the channels differ.
    """

    source: str
    clock_hz: float
    low_hz: float
    high_hz: float
    rise_octaves: float
    stereo: bool
    amplitude: Amplitude

    @property
    def follows_length(self) -> bool:
        """Whether the sound depends on how long the note is held."""
        return bool(self.rise_octaves or self.amplitude.swell_db)


@dataclass(frozen=True, slots=True)
class Hit:
    """A voice as a part of another one; `pitch` None plays the note's own."""

    voice: str
    pitch: int | None
    level_db: float


@dataclass(frozen=True, slots=True)
class Stack:
    """Several voices at once."""

    hits: tuple[Hit, ...]


@dataclass(frozen=True, slots=True)
class Kit:
    """A drum kit: what each percussion key strikes. Notes ring as long as their voices do."""

    drums: Mapping[int, tuple[Hit, ...]]


Simple = WaveVoice | FmVoice | NoiseVoice
AnyVoice = Simple | Stack | Kit
