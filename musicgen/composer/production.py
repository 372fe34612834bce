"""Production: how the words for a sound ("warm", "crackle") and for a time ("the sixties") colour a style's mix.

The amounts are data, `production.toml`. Explicit words win: brightness and crackle over the era's, the era's over the
style's.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import asdict, replace
from functools import cache
from pathlib import Path
from typing import Any

from musicgen.composer.brief import Brief
from musicgen.composer.score import MixSettings

# As for style files.
MAX_BRIGHTNESS_DB, MAX_REVERB_S = 12.0, 8.0


def produce(mix: MixSettings, brief: Brief) -> MixSettings:
    """Colour the mix of a style as the brief asks; without such words it is the style's own."""
    era = dict(_table()["eras"].get(brief.era, {}))
    brightness_db = era.pop("brightness_db", 0.0)
    if brief.brightness is not None:
        brightness_db = brief.brightness * _table()["brightness"]["shelf_db"]
    mix = replace(
        mix,
        brightness_db=_within(mix.brightness_db + brightness_db, -MAX_BRIGHTNESS_DB, MAX_BRIGHTNESS_DB),
        reverb_s=_within(mix.reverb_s * era.pop("reverb_times", 1.0), 0.1, MAX_REVERB_S),
        **era,
    )
    if brief.crackle is None:
        return mix
    return _crackling(mix) if brief.crackle else replace(mix, crackle_db=None)


def _crackling(mix: MixSettings) -> MixSettings:
    """Add the noise and the colour of an old record; a mix that has more of them keeps its own."""
    least = _table()["crackle"]
    crackle_db = least["crackle_db"] if mix.crackle_db is None else max(mix.crackle_db, least["crackle_db"])
    return replace(mix, crackle_db=crackle_db, tape=max(mix.tape, least["tape"]))


def changes(mix: MixSettings, brief: Brief) -> dict[str, float | None]:
    """Tell which settings of a style's mix the brief changes, and to what."""
    before, after = asdict(mix), asdict(produce(mix, brief))
    return {name: value for name, value in after.items() if value != before[name]}


def _within(value: float, low: float, high: float) -> float:
    return round(min(max(value, low), high), 2)


@cache
def _table() -> Mapping[str, Any]:
    return tomllib.loads(Path(__file__).with_name("production.toml").read_text(encoding="utf-8"))
