"""What `development.toml` says: who may play in a section, how often it is varied and how, how pieces open and close.

Knows no plan: `layout` draws from it, `arrangement` and `variation` carry it out.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

# What can be said of a section, in three groups; each name has a weight in `development.toml`.
MELODY_VARIATIONS = ("ornament", "simplify", "octave_up", "octave_down", "pickup")
SECOND_VOICES = ("handed_over", "doubled", "answered")
REHARMONISATIONS = ("relative", "secondary", "suspended", "borrowed", "tritone")
VARIATIONS = (*MELODY_VARIATIONS, *SECOND_VOICES, *REHARMONISATIONS, "regroove", "pedal")
EXITS = ("plain", "fill", "stabs", "breath", "build")


@dataclass(frozen=True, slots=True)
class Texture:
    """Who plays.

    Attributes:
        roles: those that play; None is everyone.
        one: whether comping and pad are left to a single player.
        half_time: whether the drums play at half their speed.
    """

    roles: tuple[str, ...] | None = None
    one: bool = False
    half_time: bool = False


@dataclass(frozen=True, slots=True)
class Close:
    """How a piece ends.

    Attributes:
        changes: what becomes of the form's closing section, fields of `SectionKind`.
        short: whether the last chord is struck and left.
        long: whether the last chord may ring longer than usual.
        chords: by mode, the bars before the last chord; empty is the style's cadence.
        last: by mode, the last chord; empty is the style's.
    """

    changes: Mapping[str, Any] = field(default_factory=dict)
    short: bool = False
    long: bool = False
    chords: Mapping[str, str] = field(default_factory=dict)
    last: Mapping[str, str] = field(default_factory=dict)


@cache
def _tables() -> dict[str, dict[str, Any]]:
    return tomllib.loads(Path(__file__).with_name("development.toml").read_text(encoding="utf-8"))


@cache
def all_textures() -> dict[str, Texture]:
    """Read every texture, by name."""
    return {name: Texture(**_frozen(entry)) for name, entry in _tables()["textures"].items()}


@cache
def all_intros() -> dict[str, dict[str, Any]]:
    """Read what each intro changes of a form's opening section, by name."""
    return {name: _frozen(entry) for name, entry in _tables()["intros"].items()}


@cache
def all_closes() -> dict[str, Close]:
    """Read every way to end a piece, by name."""
    own = ("short", "long", "chords", "last")
    return {
        name: Close({k: v for k, v in entry.items() if k not in own}, **{k: entry[k] for k in own if k in entry})
        for name, entry in ((name, _frozen(entry)) for name, entry in _tables()["endings"].items())
    }


def usual_weights() -> dict[str, float]:
    """Return the weights where a style says nothing, by the names of variations, exits and textures, and "lift"."""
    weights: dict[str, float] = _tables()["weights"]
    return weights


def _frozen(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in entry.items()}
