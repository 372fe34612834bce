"""The styles as people see them before they ask for one: `flask styles` and `GET /api/styles`. Makes no sound."""

import math

from musicgen.composer.forms import all_forms
from musicgen.composer.groove import swing_of_style
from musicgen.composer.style import Style
from musicgen.composer.style_file import all_styles
from musicgen.engine import StyleCard


def style_cards() -> tuple[StyleCard, ...]:
    """Describe every style, in the order of their names."""
    return tuple(_card(style) for style in all_styles().values())


def _card(style: Style) -> StyleCard:
    # Swing depends on the tempo: what is told is that in the middle of the style's.
    swing, swing_unit = swing_of_style(style, math.sqrt(style.tempo[0] * style.tempo[1]))
    return StyleCard(
        name=style.name,
        title=style.title,
        words=style.words,
        example=style.example,
        tempo=style.tempo,
        modes=tuple(sorted(style.modes, key=lambda mode: -style.modes[mode])),
        time_signature=str(style.time_signature),
        swing=round(swing, 3),
        swing_unit=swing_unit,
        energy=style.energy,
        sections=tuple(dict.fromkeys(kind.name for kind in all_forms()[style.form].orders[-1])),
        instruments=_instruments(style),
    )


def _instruments(style: Style) -> dict[str, tuple[str, ...]]:
    """Name who may play each role; two chairs of one role are told together."""
    by_role: dict[str, tuple[str, ...]] = {}
    for layer in style.layers:
        by_role[layer.role] = tuple(dict.fromkeys(by_role.get(layer.role, ()) + layer.instruments))
    return by_role
