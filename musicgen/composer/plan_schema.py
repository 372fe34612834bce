"""The schema of a plan's document: its fields, and the sentences about what cannot be read.

Knows what a field may hold by itself; whether the fields fit together is seen by `plan_document`.
"""

from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields

from musicgen.composer.chords import Chord
from musicgen.composer.development import EXITS, VARIATIONS, all_closes, all_textures
from musicgen.composer.instruments import all_instruments
from musicgen.composer.style_file import ROLES, all_styles
from musicgen.json_fields import MAX_SHOWN_CHARS, Between, StrictBoolean, StrictInteger, StrictNumber, shown
from musicgen.notation import Key, TimeSignature
from musicgen.options import MAX_DURATION_S, MAX_TEMPO, MIN_DURATION_S, MIN_TEMPO

MAX_SECTIONS, MAX_SECTION_BARS, MAX_PLAYERS, MAX_CHORDS_A_BAR, MAX_NAME_CHARS = 64, 512, 16, 4, 64
MAX_LIFT = 11


class _Text(fields.String):
    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if not isinstance(value, str):
            raise ValidationError(f"Must be a text, not {shown(value)}.")
        return value


class _List(fields.List):
    """A JSON list of `least` to `most` entries."""

    def __init__(self, inner: fields.Field, least: int, most: int, **kwargs: Any) -> None:
        super().__init__(inner, **kwargs)
        self.least, self.most = least, most

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[Any]:
        if not isinstance(value, list):
            raise ValidationError(f"Must be a list, not {shown(value)}.")
        if not self.least <= len(value) <= self.most:
            raise ValidationError(f"Must have {self.least} to {self.most} entries, not {len(value)}.")
        return super()._deserialize(value, attr, data, **kwargs)


class _Nested(fields.Nested):
    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, partial: Any = None, **kwargs: Any
    ) -> Any:
        if not isinstance(value, Mapping):
            raise ValidationError(f"Must be a JSON object, not {shown(value)}.")
        return super()._deserialize(value, attr, data, partial=partial, **kwargs)


def _readable_by(parse: Callable[[str], object]) -> Callable[[str], None]:
    """Make a validator of a function that raises ValueError for texts that it cannot read."""

    def check(text: str) -> None:
        if len(text) > MAX_SHOWN_CHARS:
            raise ValidationError(f"{shown(text)} is too long to be understood.")
        try:
            parse(text)
        except ValueError as error:
            raise ValidationError(f"{error}.") from error

    return check


def _one_of(what: str, names: Callable[[], Sequence[str]], way_out: str = "") -> Callable[[str], None]:
    """Make a validator of names; `way_out` says where all of them are listed, if not here."""

    def check(name: str) -> None:
        if name not in names():
            near = get_close_matches(name, names(), 3, 0.5) or names()
            text = f"There is no {what} {name[:MAX_NAME_CHARS]!r}; choose one, like {', '.join(near[:8])}"
            raise ValidationError(f"{text}{way_out}.")

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
_CHORD = _readable_by(lambda text: Chord.from_symbol(text, _ANY_KEY))
_STYLE = _one_of("style", lambda: list(all_styles()), "; `flask styles` and GET /api/styles list them all")


class _Strict(Schema):
    class Meta:
        """An unknown field is an error: the person meant something by it."""

        unknown = RAISE

    error_messages = {  # noqa: RUF012 - marshmallow declares it as an instance's
        "type": "Must be a JSON object.",
        "unknown": "There is no such field in a plan; POST /api/plan answers one with all that there are.",
    }

    def on_bind_field(self, field_name: str, field_obj: fields.Field) -> None:
        """Say of every field what to do where it is null or missing."""
        way_out = "it is required" if field_obj.required else "leave it out, and it is planned"
        field_obj.error_messages = field_obj.error_messages | {
            "null": f"Must not be null; {way_out}.",
            "required": "Is required; POST /api/plan answers a plan that has it.",
        }
        if isinstance(field_obj, fields.List):
            entry = field_obj.inner
            entry.error_messages = entry.error_messages | {"null": "Must not be null; take it out of the list."}


class _SectionSchema(_Strict):
    name = _Text(required=True, validate=_check_name)
    material = _Text(validate=_check_name)
    bars = StrictInteger(required=True, validate=Between(1, MAX_SECTION_BARS))
    energy = StrictNumber(load_default=0.5, validate=Between(0, 1))
    to_energy = StrictNumber(validate=Between(0, 1))
    melody = StrictBoolean(load_default=True)
    texture = _Text(load_default="full", validate=_one_of("texture", lambda: list(all_textures())))
    variations = _List(_Text(validate=_one_of("variation", lambda: VARIATIONS)), 0, len(VARIATIONS), load_default=list)
    exit = _Text(load_default="plain", validate=_one_of("exit", lambda: EXITS))
    lift = StrictInteger(load_default=0, validate=Between(-MAX_LIFT, MAX_LIFT, "semitones"))
    from_bar = StrictInteger(load_default=0, validate=Between(0, MAX_SECTION_BARS))
    over = _Text(load_default="", validate=_check_over)
    chords = _List(_Text(validate=_CHORDS_OF_A_BAR), 1, MAX_SECTION_BARS)


class _PlayerSchema(_Strict):
    role = _Text(required=True, validate=_one_of("role", lambda: ROLES))
    instrument = _Text(required=True, validate=_one_of("instrument", lambda: list(all_instruments())))


class PlanSchema(_Strict):
    """A plan as a document; every field may be left out."""

    style = _Text(validate=_STYLE)
    tempo = StrictNumber(validate=Between(MIN_TEMPO, MAX_TEMPO, "quarter notes a minute"))
    key = _Text(validate=_readable_by(Key.parse))
    time_signature = _Text(validate=_readable_by(TimeSignature.parse))
    duration = StrictNumber(allow_none=True, validate=Between(MIN_DURATION_S, MAX_DURATION_S, "seconds"))
    sections = _List(_Nested(_SectionSchema), 1, MAX_SECTIONS)
    close = _Text(validate=_one_of("ending", lambda: list(all_closes())))
    last_chord = _Text(validate=_CHORD)
    band = _List(_Nested(_PlayerSchema), 1, MAX_PLAYERS)
