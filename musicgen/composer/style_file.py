"""Style files: everything musical that a person may want to change, read from `styles/*.toml` and checked.

docs/styles.md explains every key. A file that does not fit the schema is refused with its name, the key and the reason.
"""

import tomllib
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, validate

from musicgen.composer.chords import Chord
from musicgen.composer.development import all_closes, all_intros, usual_weights
from musicgen.composer.forms import all_forms
from musicgen.composer.grid import bars_of
from musicgen.composer.groove import GROOVE_METRE, all_grooves
from musicgen.composer.instruments import PERCUSSION, all_instruments
from musicgen.composer.score import MixSettings
from musicgen.composer.style import HarmonyStyle, Layer, MelodyStyle, Pattern, Style
from musicgen.errors import MusicgenError
from musicgen.notation import MODES, TimeSignature

STYLES_DIR = Path(__file__).with_name("styles")
ROLES = ("melody", "counter", "comping", "pad", "bass", "riser", "drums")
DRUM_FAMILIES = ("kick", "snare", "time", "foot", "toms")
VOICINGS = ("close", "open", "rootless", "shell", "power", "guitar")
STEPS_A_QUARTER = (1, 2, 3, 4, 6, 8)


class InvalidStyle(MusicgenError):
    """A style file does not fit the schema; the message names file, key and reason."""


def _share(**kwargs: Any) -> fields.Float:
    return fields.Float(validate=validate.Range(0, 1), **kwargs)


def _check_numerals(text: str) -> None:
    for numeral in text.replace("|", " ").split():
        try:
            Chord.parse(numeral)
        except ValueError as error:
            raise ValidationError(str(error)) from error


def _check_groove(name: str) -> None:
    if name not in all_grooves():
        raise ValidationError(f"{name!r} is no groove; there are {', '.join(all_grooves())}")


def _named(what: str, table: Callable[[], Mapping[str, Any]]) -> Callable[[str], None]:
    """Make a validator of names in a table."""

    def check(name: str) -> None:
        if name not in table():
            raise ValidationError(f"{name!r} is no {what}; there are {', '.join(table())}")

    return check


class _PatternSchema(Schema):
    energy = _share(load_default=0.0)
    grids = fields.Dict(fields.Str(validate=validate.OneOf(("grid", *PERCUSSION))), fields.Str(), load_default=dict)
    free = fields.List(fields.Str(validate=validate.OneOf(DRUM_FAMILIES)), load_default=list)

    @post_load
    def _build(self, data: dict[str, Any], **_: object) -> Pattern:
        if not data["grids"] and not data["free"]:
            raise ValidationError({"grids": ["a pattern needs at least one, or drums that are free"]})
        return Pattern(**data | {"free": tuple(data["free"])})


class _LayerSchema(Schema):
    role = fields.Str(required=True, validate=validate.OneOf(ROLES))
    instruments = fields.List(fields.Str(), required=True, validate=validate.Length(1))
    enters = _share(load_default=0.0)
    leaves = _share(load_default=1.0)
    patterns = fields.List(fields.Nested(_PatternSchema), load_default=list)
    voicing = fields.Str(load_default="close", validate=validate.OneOf(VOICINGS))
    centre = fields.Int(load_default=60, validate=validate.Range(24, 96))
    gain_db = fields.Float(load_default=0.0, validate=validate.Range(-40, 12))
    pan = fields.Float(load_default=0.0, validate=validate.Range(-1, 1))
    reverb_db = fields.Float(load_default=-14.0, validate=validate.Range(-60, 6))

    @post_load
    def _build(self, data: dict[str, Any], **_: object) -> Layer:
        unknown = [name for name in data["instruments"] if name not in all_instruments()]
        if unknown:
            raise ValidationError(
                {"instruments": [f"no instrument is called {', '.join(unknown)}; see instruments.toml"]}
            )
        if data["role"] in ("bass", "comping", "drums") and not data["patterns"]:
            raise ValidationError({"patterns": [f"a {data['role']} layer needs at least one"]})
        return Layer(**data | {"instruments": tuple(data["instruments"]), "patterns": tuple(data["patterns"])})


class _HarmonySchema(Schema):
    corpus = fields.Str(load_default="pop", validate=validate.OneOf(("pop", "jazz")))
    loops = fields.Dict(
        fields.Str(validate=validate.OneOf(MODES)), fields.List(fields.Str(validate=_check_numerals)), load_default=dict
    )
    loop_share = _share(load_default=0.5)
    sevenths = _share(load_default=0.0)
    ninths = _share(load_default=0.0)
    bars_per_chord = fields.Int(load_default=1, validate=validate.OneOf((1, 2, 4)))
    split = _share(load_default=0.15)
    cadence = fields.Dict(
        fields.Str(validate=validate.OneOf(MODES)), fields.Str(validate=_check_numerals), load_default=dict
    )

    @post_load
    def _build(self, data: dict[str, Any], **_: object) -> HarmonyStyle:
        return HarmonyStyle(**data | {"loops": {mode: tuple(loops) for mode, loops in data["loops"].items()}})


class _MelodySchema(Schema):
    rhythms = fields.Str(load_default="pop909", validate=validate.OneOf(("pop909", "openewld", "folk_pd")))
    density = fields.Float(load_default=1.1, validate=validate.Range(0.1, 4))
    syncopation = _share(load_default=0.15)
    leaps = _share(load_default=0.3)
    writer = fields.Str(load_default="rules", validate=validate.OneOf(("rules", "network")))

    @post_load
    def _build(self, data: dict[str, Any], **_: object) -> MelodyStyle:
        return MelodyStyle(**data)


class _MixSchema(Schema):
    reverb_s = fields.Float(validate=validate.Range(0.1, 8))
    brightness_db = fields.Float(validate=validate.Range(-12, 12))
    sidechain_db = fields.Float(validate=validate.Range(0, 24))
    tape = _share()
    crackle_db = fields.Float(validate=validate.Range(-80, -20))
    reverb_db = fields.Float(validate=validate.Range(-20, 12))
    low_cut_hz = fields.Float(validate=validate.Range(20, 1000))
    high_cut_hz = fields.Float(validate=validate.Range(1000, 20_000))
    width = _share()

    @post_load
    def _build(self, data: dict[str, Any], **_: object) -> MixSettings:
        return MixSettings(**data)


class _StyleSchema(Schema):
    title = fields.Str(required=True)
    words = fields.List(fields.Str(), required=True, validate=validate.Length(1))
    example = fields.Str(required=True)
    tempo = fields.List(
        fields.Float(validate=validate.Range(40, 240)), required=True, validate=validate.Length(equal=2)
    )
    time_signature = fields.Str(load_default="4/4")
    swing = fields.Float(load_default=None, validate=validate.Range(0.5, 0.75))
    swing_unit = fields.Float(load_default=0.5, validate=validate.OneOf((0.25, 0.5)))
    looseness_s = fields.Float(load_default=0.006, validate=validate.Range(0, 0.05))
    groove = fields.Str(load_default=None, validate=_check_groove)
    liberty = _share(load_default=0.5)
    modes = fields.Dict(fields.Str(validate=validate.OneOf(MODES)), fields.Float(), required=True, validate=bool)
    energy = _share(load_default=0.5)
    form = fields.Str(load_default="song", validate=_named("form", all_forms))
    intros = fields.List(
        fields.Str(validate=_named("intro", all_intros)), load_default=("vamp",), validate=validate.Length(1)
    )
    endings = fields.List(
        fields.Str(validate=_named("ending", all_closes)), load_default=("ring",), validate=validate.Length(1)
    )
    develop = fields.Dict(
        fields.Str(validate=_named("variation, exit or texture", usual_weights)),
        fields.Float(validate=validate.Range(0, 10)),
        load_default=dict,
    )
    harmony = fields.Nested(_HarmonySchema, load_default=lambda: _HarmonySchema().load({}))
    melody = fields.Nested(_MelodySchema, load_default=lambda: _MelodySchema().load({}))
    layers = fields.List(fields.Nested(_LayerSchema), required=True, validate=validate.Length(1))
    fills = fields.List(fields.Nested(_PatternSchema), load_default=list)
    mix = fields.Nested(_MixSchema, load_default=MixSettings)


@cache
def _schema() -> Schema:
    """Make the schema once: for every file anew it would take longer than the reading."""
    return _StyleSchema()


def _check_free(style: Style) -> None:
    """Refuse drums that are free where nobody plays them: without a groove, or in a metre that grooves do not have."""
    for i, layer in enumerate(style.layers):
        may_be_free = layer.role == "drums" and style.groove is not None and style.time_signature == GROOVE_METRE
        if not may_be_free and any(pattern.free for pattern in layer.patterns):
            reason = f"only drums of a style with a groove and in {GROOVE_METRE} can be free"
            raise ValidationError({f"layers.{i}.patterns": {"free": [reason]}})


def _check_grids(style: Style) -> None:
    """Refuse grids whose steps do not divide the bar."""
    quarters = style.time_signature.bar_quarters
    lengths = {round(quarters * steps) for steps in STEPS_A_QUARTER}
    patterns = [(f"layers.{i}.patterns", pattern) for i, layer in enumerate(style.layers) for pattern in layer.patterns]
    for key, pattern in [*patterns, *(("fills", fill) for fill in style.fills)]:
        for voice, grid in pattern.grids.items():
            for bar in bars_of(grid):
                if len(bar) not in lengths:
                    allowed = ", ".join(map(str, sorted(lengths)))
                    reason = f"the bar {bar!r} has {len(bar)} steps; {style.time_signature} takes {allowed}"
                    raise ValidationError({key: {voice: [reason]}})


def read_style(path: Path) -> Style:
    """Read and check one style file.

    Raises:
        InvalidStyle: the file is no TOML or does not fit the schema.
    """
    try:
        data = _schema().load(tomllib.loads(path.read_text(encoding="utf-8")))
        data["tempo"] = tuple(data["tempo"])
        data["time_signature"] = TimeSignature.parse(data["time_signature"])
        lists = ("words", "intros", "endings", "layers", "fills")
        style = Style(name=path.stem, **data | {k: tuple(data[k]) for k in lists})
        _check_grids(style)
        _check_free(style)
    except ValidationError as error:
        raise InvalidStyle(f"{path.name}: " + "; ".join(_reasons(error.normalized_messages()))) from error
    except ValueError as error:
        raise InvalidStyle(f"{path.name}: {error}") from error
    return style


def _reasons(messages: Any, key: str = "") -> list[str]:
    """Flatten marshmallow's nested messages into "key.inner: reason"."""
    if isinstance(messages, list):
        return [f"{key}: {' '.join(messages)}"]
    return [r for inner, m in messages.items() for r in _reasons(m, f"{key}.{inner}".strip("."))]


@cache
def all_styles() -> dict[str, Style]:
    """Read every style file, by name."""
    return {path.stem: read_style(path) for path in sorted(STYLES_DIR.glob("*.toml"))}
