"""The schema of a plan's document: its fields, and the sentences about what cannot be read.

Knows what a field may hold by itself; whether the fields fit together is seen by `plan_document`.
"""

from collections.abc import Callable, Sequence
from difflib import get_close_matches
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, validate

from musicgen.composer.chords import Chord
from musicgen.composer.development import EXITS, VARIATIONS, all_closes, all_textures
from musicgen.composer.instruments import all_instruments
from musicgen.composer.style_file import ROLES, all_styles
from musicgen.notation import Key, TimeSignature
from musicgen.options import MAX_DURATION_S, MAX_TEMPO, MIN_DURATION_S, MIN_TEMPO

MAX_SECTIONS, MAX_SECTION_BARS, MAX_PLAYERS, MAX_CHORDS_A_BAR, MAX_NAME_CHARS = 64, 512, 16, 4, 64
MAX_LIFT = 11


class _Number(fields.Float):
    """A JSON number, no text and no truth value."""

    def _validated(self, value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValidationError(f"Must be a number, not {value!r}.")
        return super()._validated(value)


class _Count(fields.Integer):
    """A JSON number without a fraction."""

    def _validated(self, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValidationError(f"Must be a whole number, not {value!r}.")
        return value


def _between(low: float, high: float, unit: str = "") -> validate.Range:
    return validate.Range(low, high, error=f"Must be from {low:g} to {high:g}{unit}, not {{input}}.")


def _readable_by(parse: Callable[[str], object]) -> Callable[[str], None]:
    """Make a validator of a function that raises ValueError for texts that it cannot read."""

    def check(text: str) -> None:
        try:
            parse(text)
        except ValueError as error:
            raise ValidationError(f"{error}.") from error

    return check


def _one_of(what: str, names: Callable[[], Sequence[str]]) -> Callable[[str], None]:
    def check(name: str) -> None:
        if name not in names():
            near = get_close_matches(name, names(), 3, 0.5) or names()
            raise ValidationError(f"There is no {what} {name!r}; choose one, like {', '.join(near[:8])}.")

    return check


def read_bar(text: str, key: Key) -> tuple[Chord, ...]:
    """Read the chords of one bar, separated by spaces.

    Raises:
        ValueError: there are none or too many, or one is no chord symbol.
    """
    symbols = text.split()
    if not 1 <= len(symbols) <= MAX_CHORDS_A_BAR:
        raise ValueError(f"a bar holds 1 to {MAX_CHORDS_A_BAR} chord symbols separated by spaces, not {len(symbols)}")
    return tuple(Chord.from_symbol(symbol, key) for symbol in symbols)


def _check_name(name: str) -> None:
    if not name.strip() or not name.isprintable() or len(name) > MAX_NAME_CHARS:
        raise ValidationError(f"Must be 1 to {MAX_NAME_CHARS} printable characters, not {name[:MAX_NAME_CHARS]!r}.")


def _check_over(name: str) -> None:
    if name:
        _check_name(name)


_ANY_KEY = Key(0, "major")
_CHORDS_OF_A_BAR = _readable_by(lambda text: read_bar(text, _ANY_KEY))


class _Strict(Schema):
    class Meta:
        """An unknown field is an error: the person meant something by it."""

        unknown = RAISE

    error_messages = {  # noqa: RUF012 - marshmallow declares it as an instance's
        "type": "Must be a JSON object.",
        "unknown": "There is no such field in a plan.",
    }


class _SectionSchema(_Strict):
    name = fields.Str(required=True, validate=_check_name)
    material = fields.Str(validate=_check_name)
    bars = _Count(required=True, validate=_between(1, MAX_SECTION_BARS))
    energy = _Number(load_default=0.5, validate=_between(0, 1))
    to_energy = _Number(validate=_between(0, 1))
    melody = fields.Bool(load_default=True, truthy={True}, falsy={False})
    texture = fields.Str(load_default="full", validate=_one_of("texture", lambda: list(all_textures())))
    variations = fields.List(
        fields.Str(validate=_one_of("variation", lambda: VARIATIONS)),
        load_default=list,
        validate=validate.Length(max=len(VARIATIONS)),
    )
    exit = fields.Str(load_default="plain", validate=_one_of("exit", lambda: EXITS))
    lift = _Count(load_default=0, validate=_between(-MAX_LIFT, MAX_LIFT, " semitones"))
    from_bar = _Count(load_default=0, validate=_between(0, MAX_SECTION_BARS))
    over = fields.Str(load_default="", validate=_check_over)
    chords = fields.List(fields.Str(validate=_CHORDS_OF_A_BAR), validate=validate.Length(1, MAX_SECTION_BARS))


class _PlayerSchema(_Strict):
    role = fields.Str(required=True, validate=validate.OneOf(ROLES, error="Must be one of {choices}, not {input}."))
    instrument = fields.Str(required=True, validate=_one_of("instrument", lambda: list(all_instruments())))


class PlanSchema(_Strict):
    """A plan as a document; every field may be left out."""

    style = fields.Str(validate=_one_of("style", lambda: list(all_styles())))
    tempo = _Number(validate=_between(MIN_TEMPO, MAX_TEMPO, " quarter notes a minute"))
    key = fields.Str(validate=_readable_by(Key.parse))
    time_signature = fields.Str(validate=_readable_by(TimeSignature.parse))
    duration = _Number(allow_none=True, validate=_between(MIN_DURATION_S, MAX_DURATION_S, " seconds"))
    sections = fields.List(fields.Nested(_SectionSchema), validate=validate.Length(1, MAX_SECTIONS))
    close = fields.Str(validate=_one_of("ending", lambda: list(all_closes())))
    last_chord = fields.Str(validate=_CHORDS_OF_A_BAR)
    band = fields.List(fields.Nested(_PlayerSchema), validate=validate.Length(1, MAX_PLAYERS))
