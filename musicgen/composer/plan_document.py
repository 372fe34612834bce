"""The plan as a document: what `POST /api/plan` hands out and a request may bring back, changed or not.

Owns how a plan and its chords are written as JSON values and read again, and the sentences about what cannot be read.
Does not decide anything itself: what a document leaves out is planned by `plan` and `progression`, from the same seed.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, validate

from musicgen.composer.brief import Brief
from musicgen.composer.casting import Chair, new_layer
from musicgen.composer.chords import Chord
from musicgen.composer.harmony import Bars
from musicgen.composer.instruments import all_instruments
from musicgen.composer.plan import (
    RING_BEST_S,
    RING_MIN_S,
    Plan,
    Section,
    bars_and_ring,
    hold_for,
    make_plan,
)
from musicgen.composer.progression import Progression, repeat_bars, write_progression
from musicgen.composer.style import Style
from musicgen.composer.style_file import ROLES, all_styles
from musicgen.errors import InvalidOptions
from musicgen.notation import Key, TimeSignature
from musicgen.options import MAX_DURATION_S, MAX_TEMPO, MIN_DURATION_S, MIN_TEMPO

FIELD = "plan"
MAX_SECTIONS, MAX_SECTION_BARS, MAX_PLAYERS, MAX_CHORDS_A_BAR, MAX_NAME_CHARS = 64, 512, 16, 4, 64
# A bar more than these would leave room for is a mistake of the document; one bar less is prolonged.
N_BARS_PROLONGED = 1


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


def _read_bar(text: str, key: Key) -> tuple[Chord, ...]:
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


_ANY_KEY = Key(0, "major")
_CHORDS_OF_A_BAR = _readable_by(lambda text: _read_bar(text, _ANY_KEY))


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
    melody = fields.Bool(load_default=True, truthy={True}, falsy={False})
    chords = fields.List(fields.Str(validate=_CHORDS_OF_A_BAR), validate=validate.Length(1, MAX_SECTION_BARS))


class _PlayerSchema(_Strict):
    role = fields.Str(required=True, validate=validate.OneOf(ROLES, error="Must be one of {choices}, not {input}."))
    instrument = fields.Str(required=True, validate=_one_of("instrument", lambda: list(all_instruments())))


class _PlanSchema(_Strict):
    style = fields.Str(validate=_one_of("style", lambda: list(all_styles())))
    tempo = _Number(validate=_between(MIN_TEMPO, MAX_TEMPO, " quarter notes a minute"))
    key = fields.Str(validate=_readable_by(Key.parse))
    time_signature = fields.Str(validate=_readable_by(TimeSignature.parse))
    duration = _Number(allow_none=True, validate=_between(MIN_DURATION_S, MAX_DURATION_S, " seconds"))
    sections = fields.List(fields.Nested(_SectionSchema), validate=validate.Length(1, MAX_SECTIONS))
    last_chord = fields.Str(validate=_CHORDS_OF_A_BAR)
    band = fields.List(fields.Nested(_PlayerSchema), validate=validate.Length(1, MAX_PLAYERS))


def write_document(plan: Plan, progression: Progression) -> dict[str, Any]:
    """Write a plan and its chords as JSON values; `read_document` reads them back without a difference."""
    return {
        "style": plan.style.name,
        "tempo": plan.tempo,
        "key": str(plan.key),
        "time_signature": str(plan.time_signature),
        "duration": plan.duration_s,
        "sections": [
            {
                "name": section.name,
                "material": section.material,
                "bars": section.bars,
                "energy": section.energy,
                "melody": section.melody,
                "chords": [" ".join(chord.symbol(plan.key) for chord in bar) for bar in bars],
            }
            for section, bars in zip(plan.sections, progression.sections, strict=True)
        ],
        "last_chord": progression.last.symbol(plan.key),
        "band": [{"role": chair.layer.role, "instrument": chair.instrument.name} for chair in plan.band],
    }


def read_document(document: Mapping[str, Any], brief: Brief, duration_s: float, seed: str) -> tuple[Plan, Progression]:
    """Read a plan; what it leaves out is planned for `brief` and `duration_s` seconds from `seed`.

    Raises:
        InvalidOptions: the document cannot be played; the errors are named by their place, "plan.sections.1.bars".
    """
    try:
        told: dict[str, Any] = _PlanSchema().load(document)
    except ValidationError as error:
        raise InvalidOptions(dict(_flat(error.normalized_messages(), FIELD))) from error
    wanted_s: float | None = told.get("duration", None if "sections" in told else duration_s)
    draft = make_plan(pinned(brief, told), wanted_s or duration_s, seed)
    sections = tuple(_place(told["sections"])) if "sections" in told else draft.sections
    n_bars = sum(section.bars for section in sections)
    wanted_s = wanted_s or _natural_duration(draft, n_bars)
    _check_length(draft, n_bars, wanted_s)
    plan = replace(
        draft,
        sections=sections,
        duration_s=wanted_s,
        hold=hold_for(draft.tempo, n_bars, draft.time_signature, wanted_s),
        band=_seat(told["band"], draft) if "band" in told else draft.band,
    )
    return plan, _read_progression(told, plan, write_progression(plan, seed))


def _flat(messages: Mapping[Any, Any], path: str) -> Iterator[tuple[str, list[str]]]:
    """Walk through marshmallow's nested messages: ("plan.sections.1.bars", ["Must be ..."])."""
    for name, inner in messages.items():
        place = path if name == "_schema" else f"{path}.{name}"
        if isinstance(inner, Mapping):
            yield from _flat(inner, place)
        else:
            yield place, [f"{text}" for text in inner]


def pinned(brief: Brief, told: Mapping[str, Any]) -> Brief:
    """Let a document's own style, tempo, key and metre stand for those of the request."""
    changes: dict[str, Any] = {name: told[name] for name in ("style", "tempo") if name in told}
    if "key" in told:
        key = Key.parse(told["key"])
        changes |= {"tonic": key.tonic, "mode": key.mode}
    if "time_signature" in told:
        changes["time_signature"] = TimeSignature.parse(told["time_signature"])
    return replace(brief, **changes)


def _place(sections: Sequence[Mapping[str, Any]]) -> Iterator[Section]:
    first_bar = 0
    for told in sections:
        material = told.get("material", told["name"])
        yield Section(told["name"], material, first_bar, told["bars"], told["energy"], told["melody"])
        first_bar += told["bars"]


def _natural_duration(plan: Plan, n_bars: int) -> float:
    """Seconds that the bars and a ringing last chord take."""
    return n_bars * plan.time_signature.bar_quarters * 60 / plan.tempo + RING_BEST_S


def _check_length(plan: Plan, n_bars: int, duration_s: float) -> None:
    """Make sure that the bars fill the duration and leave the last chord its time.

    Raises:
        InvalidOptions: they do not.
    """
    n_fitting, _ = bars_and_ring(plan.tempo, plan.time_signature, duration_s)
    if not MIN_DURATION_S <= duration_s <= MAX_DURATION_S:
        text = f"{n_bars} bars at tempo {plan.tempo:g} last {duration_s:.1f} s; a track has {MIN_DURATION_S:g} to "
        raise InvalidOptions({f"{FIELD}.sections": [f"{text}{MAX_DURATION_S:g} s."]})
    if n_fitting - N_BARS_PROLONGED <= n_bars <= n_fitting:
        return
    ring = f", and {RING_MIN_S:g} s for the last chord" if n_bars > n_fitting else ""
    raise InvalidOptions(
        {
            f"{FIELD}.sections": [
                f"Together {n_bars} bars, but {n_fitting} bars{ring} fit into {duration_s:g} s at tempo "
                f"{plan.tempo:g}. Change the bars, the tempo or `duration`; without `{FIELD}.duration` the bars decide "
                f"({_natural_duration(plan, n_bars):.1f} s)."
            ]
        }
    )


def _seat(players: Sequence[Mapping[str, str]], draft: Plan) -> tuple[Chair, ...]:
    """Seat the document's players: on the chair that is planned for them, on another of their role, or on a new one.

    Raises:
        InvalidOptions: a drum kit shall play a tune, or a flute the drums.
    """
    free = list(draft.band)
    seated: list[Chair | None] = [_take(free, player["role"], player["instrument"]) for player in players]
    for i, player in enumerate(players):
        instrument = all_instruments()[player["instrument"]]
        if instrument.is_drum_kit != (player["role"] == "drums"):
            text = f"{instrument.name!r} cannot have the role {player['role']!r}; it has {', '.join(instrument.roles)}."
            raise InvalidOptions({f"{FIELD}.band.{i}.instrument": [text]})
        if seated[i] is None:
            layer = _layer(_take(free, player["role"], None), draft.style, player)
            seated[i] = Chair(layer, instrument)
    return tuple(chair for chair in seated if chair)


def _layer(chair: Chair | None, style: Style, player: Mapping[str, str]) -> Any:
    instrument = all_instruments()[player["instrument"]]
    return chair.layer if chair else new_layer(instrument, player["role"], style)


def _take(free: list[Chair], role: str, instrument: str | None) -> Chair | None:
    """Take the first free chair of a role out of `free`, with this instrument if one is given."""
    for i, chair in enumerate(free):
        if chair.layer.role == role and instrument in (None, chair.instrument.name):
            return free.pop(i)
    return None


def _read_progression(told: Mapping[str, Any], plan: Plan, planned: Progression) -> Progression:
    """Take the document's chords, and the planned ones where it gives none; fewer chords than bars are repeated.

    Raises:
        InvalidOptions: a section has more chords than bars.
    """
    sections: list[Bars] = list(planned.sections)
    for i, section in enumerate(told.get("sections", ())):
        texts = section.get("chords")
        if texts is None:
            continue
        if len(texts) > section["bars"]:
            text = f"{len(texts)} texts for {section['bars']} bars; write one text a bar, or fewer, which are repeated."
            raise InvalidOptions({f"{FIELD}.sections.{i}.chords": [text]})
        sections[i] = repeat_bars(tuple(_read_bar(text, plan.key) for text in texts), section["bars"])
    last = _read_bar(told["last_chord"], plan.key)[0] if "last_chord" in told else planned.last
    return Progression(tuple(sections), last)
