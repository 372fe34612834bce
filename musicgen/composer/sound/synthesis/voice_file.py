"""The voices of `voices.toml`, read and checked. Makes no sound.

A file that does not fit is refused with its name, the key and the reason.
"""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, validate

from musicgen.composer.instruments import PERCUSSION
from musicgen.composer.sound.synthesis.voice import (
    Amplitude,
    AnyVoice,
    FmPair,
    FmVoice,
    Hit,
    Kit,
    LowPass,
    NoiseVoice,
    Oscillator,
    PitchMotion,
    Stack,
    WaveVoice,
)
from musicgen.errors import MusicgenError

VOICES_FILE = Path(__file__).with_name("voices.toml")
SHAPES = ("sine", "saw", "pulse", "triangle", "stepped_triangle")
# A shorter attack is heard as a click.
SHORTEST_ATTACK_S = 0.001
NYQUIST_HZ = 22_050


class InvalidVoice(MusicgenError):
    """The file of voices does not fit the schema; the message names file, key and reason."""


def _number(low: float, high: float, default: float | None = None) -> fields.Float:
    given: dict[str, Any] = {"required": True} if default is None else {"load_default": default}
    return fields.Float(validate=validate.Range(low, high), **given)


class _Built(Schema):
    """A table that becomes one of the classes of `voice`."""

    builds: type

    @post_load
    def _build(self, data: dict[str, Any], **_: object) -> Any:
        lists = {key: tuple(value) for key, value in data.items() if isinstance(value, list)}
        return self.builds(**data | lists)


class _AmplitudeSchema(_Built):
    builds = Amplitude
    attack_s = _number(SHORTEST_ATTACK_S, 10, 0.002)
    decay_s = _number(0.01, 60, 1.0)
    sustain = _number(0, 1, 1.0)
    release_s = _number(0.02, 20, 0.2)
    swell_db = _number(0, 60, 0.0)


class _OscillatorSchema(_Built):
    builds = Oscillator
    shape = fields.Str(required=True, validate=validate.OneOf(SHAPES))
    octave = fields.Int(load_default=0, validate=validate.Range(-2, 2))
    level_db = _number(-60, 12, 0.0)
    duty = _number(0.05, 0.95, 0.5)


class _LowPassSchema(_Built):
    builds = LowPass
    cutoff_hz = _number(20, NYQUIST_HZ)
    poles = fields.Int(load_default=2, validate=validate.OneOf((2, 4)))
    resonance_db = _number(0, 24, 0.0)
    key_tracking = _number(0, 1, 0.5)
    velocity_octaves = _number(0, 6, 0.0)
    envelope_octaves = _number(-6, 6, 0.0)
    attack_s = _number(SHORTEST_ATTACK_S, 10, 0.002)
    decay_s = _number(0.01, 20, 1.0)
    lfo_hz = _number(0, 20, 0.0)
    lfo_octaves = _number(0, 4, 0.0)
    rise_octaves = _number(0, 10, 0.0)


class _PitchSchema(_Built):
    builds = PitchMotion
    drop_semitones = _number(-48, 48, 0.0)
    drop_s = _number(0.001, 10, 0.1)
    rise_semitones = _number(0, 60, 0.0)
    vibrato_hz = _number(0, 12, 0.0)
    vibrato_cents = _number(0, 100, 0.0)
    vibrato_delay_s = _number(0, 5, 0.3)


def _defaults(schema: type[Schema]) -> Any:
    return lambda: schema().load({})


class _WaveSchema(_Built):
    builds = WaveVoice
    oscillators = fields.List(fields.Nested(_OscillatorSchema), required=True, validate=validate.Length(1))
    unison = fields.Int(load_default=1, validate=validate.Range(1, 15))
    detune_cents = _number(0, 100, 0.0)
    spread = _number(0, 1, 0.0)
    drive = _number(0, 40, 0.0)
    low_pass = fields.Nested(_LowPassSchema, load_default=None)
    pitch = fields.Nested(_PitchSchema, load_default=_defaults(_PitchSchema))
    amplitude = fields.Nested(_AmplitudeSchema, load_default=_defaults(_AmplitudeSchema))


class _PairSchema(_Built):
    builds = FmPair
    ratio = _number(0.25, 16, 1.0)
    modulator_ratio = _number(0.25, 16, 1.0)
    index = _number(0, 20)
    index_decay_s = _number(0.01, 20, 1.0)
    index_sustain = _number(0, 1, 0.0)
    level_db = _number(-60, 12, 0.0)
    decay_s = _number(0, 60, 0.0)


class _FmSchema(_Built):
    builds = FmVoice
    pairs = fields.List(fields.Nested(_PairSchema), required=True, validate=validate.Length(1))
    velocity_to_index = _number(0, 1, 0.5)
    amplitude = fields.Nested(_AmplitudeSchema, load_default=_defaults(_AmplitudeSchema))


class _NoiseSchema(_Built):
    builds = NoiseVoice
    source = fields.Str(load_default="white", validate=validate.OneOf(("white", "shift_register")))
    clock_hz = _number(100, NYQUIST_HZ, NYQUIST_HZ)
    low_hz = _number(20, NYQUIST_HZ, 20)
    high_hz = _number(20, NYQUIST_HZ, NYQUIST_HZ)
    rise_octaves = _number(0, 10, 0.0)
    stereo = fields.Bool(load_default=False)
    amplitude = fields.Nested(_AmplitudeSchema, load_default=_defaults(_AmplitudeSchema))


class _HitSchema(_Built):
    builds = Hit
    voice = fields.Str(required=True)
    pitch = fields.Int(load_default=None, validate=validate.Range(0, 127))
    level_db = _number(-60, 12, 0.0)


class _StackSchema(_Built):
    builds = Stack
    hits = fields.List(fields.Nested(_HitSchema), required=True, validate=validate.Length(1))


class _KitSchema(Schema):
    drums = fields.Dict(
        fields.Str(validate=validate.OneOf(tuple(PERCUSSION))),
        fields.List(fields.Nested(_HitSchema), validate=validate.Length(1)),
        required=True,
        validate=bool,
    )

    @post_load
    def _build(self, data: dict[str, Any], **_: object) -> Kit:
        return Kit({PERCUSSION[drum]: tuple(hits) for drum, hits in data["drums"].items()})


_KINDS: Mapping[str, type[Schema]] = {
    "wave": _WaveSchema,
    "fm": _FmSchema,
    "noise": _NoiseSchema,
    "stack": _StackSchema,
    "kit": _KitSchema,
}


def read_voices(path: Path) -> dict[str, AnyVoice]:
    """Read and check a file of voices.

    Raises:
        InvalidVoice: the file is no TOML or does not fit the schema, or a stack or kit names a voice that is not there.
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
        voices = {name: _read_voice(name, dict(table)) for name, table in tables.items()}
        for name, voice in voices.items():
            _check_hits(name, voice, voices)
    except ValidationError as error:
        raise InvalidVoice(f"{path.name}: " + "; ".join(_reasons(error.normalized_messages()))) from error
    except ValueError as error:
        raise InvalidVoice(f"{path.name}: {error}") from error
    return voices


def hits_of(voice: AnyVoice, pitch: int) -> tuple[Hit, ...]:
    """List the parts of a stack, or what a kit strikes for a percussion key; other voices have none."""
    if isinstance(voice, Kit):
        return tuple(voice.drums.get(pitch, ()))
    return voice.hits if isinstance(voice, Stack) else ()


def _read_voice(name: str, table: dict[str, Any]) -> AnyVoice:
    kind = table.pop("kind", None)
    if kind not in _KINDS:
        raise ValidationError({name: {"kind": [f"{kind!r} is no kind of voice; choose one of {', '.join(_KINDS)}"]}})
    try:
        voice: AnyVoice = _KINDS[kind]().load(table)
    except ValidationError as error:
        raise ValidationError({name: error.normalized_messages()}) from error
    return voice


def _check_hits(name: str, voice: AnyVoice, voices: Mapping[str, AnyVoice]) -> None:
    pitches = voice.drums if isinstance(voice, Kit) else (0,)
    for hit in (hit for pitch in pitches for hit in hits_of(voice, pitch)):
        if isinstance(voices.get(hit.voice), Stack | Kit | None):
            reason = f"{hit.voice!r} is no wave, fm or noise voice of this file"
            raise ValidationError({name: {"voice": [reason]}})


def _reasons(messages: Any, key: str = "") -> list[str]:
    """Flatten marshmallow's nested messages into "key.inner: reason"."""
    if isinstance(messages, list):
        return [f"{key}: {' '.join(map(str, messages))}"]
    return [r for inner, m in messages.items() for r in _reasons(m, f"{key}.{inner}".strip("."))]


@cache
def all_voices() -> dict[str, AnyVoice]:
    """Read every voice, by name."""
    return read_voices(VOICES_FILE)


def follows_length(name: str) -> bool:
    """Tell whether a voice sounds different in a longer note, as what rises over its note does.

    Raises:
        ValueError: there is no such voice.
    """
    voice = voice_named(name)
    simple = [all_voices()[hit.voice] for hit in voice.hits] if isinstance(voice, Stack) else [voice]
    return any(not isinstance(part, Stack | Kit) and part.follows_length for part in simple)


def voice_named(name: str) -> AnyVoice:
    """Return a voice.

    Raises:
        ValueError: there is no such voice.
    """
    voices = all_voices()
    if name not in voices:
        raise ValueError(f"there is no synthesised voice {name!r}; there are {', '.join(voices)}")
    return voices[name]
