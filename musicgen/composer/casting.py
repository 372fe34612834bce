"""Casting: who plays. Takes the style's layers, and gives the chairs that the prompt asked for or refused."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from musicgen.composer.brief import Brief
from musicgen.composer.instruments import Instrument, all_instruments
from musicgen.composer.style import Layer, Pattern, Style

# What an instrument does in a style that has no chair for it, by role: it plays whole notes or takes the tune.
PLAIN_PATTERNS = {
    "comping": (Pattern(0.0, {"grid": "x---x---x---x---"}),),
    "bass": (Pattern(0.0, {"grid": "1-------5-------"}),),
    "drums": (Pattern(0.0, {"kick": "x...", "snare": "..x.", "hat": "xxxxxxxx"}),),
}
# Instruments that punctuate: they sit beside the player of their role, never in its place, with strokes of their own.
STROKES = {
    "timpani": (
        Pattern(0.0, {"grid": "1----------- / ............ / 5----------- / ............"}),
        Pattern(0.6, {"grid": "1----------- / 5-----1-----"}),
    ),
}
# Section energy from which an instrument that the prompt names plays (calm pieces reach no more), and its lift in dB,
# which goes no higher than the level after it: a pad that the prompt names shall be heard, not drown the song.
WANTED_ENTERS, WANTED_LIFT_DB, WANTED_GAIN_DB = 0.25, 4.0, -5.0
# The bass and the beat carry the others: a player who is refused there is replaced by the nearest.
REPLACED_ROLES = frozenset({"bass", "drums"})
# Ballads are played with brushes where the style has them: below this tempo (quarters a minute) or this arousal.
BRUSHES, BALLAD_TEMPO, BALLAD_AROUSAL = "brush_drums", 90.0, 0.35
# Semitones on both sides of a layer's centre that these roles need.
ROOM, ROOM_FOR = 8, frozenset({"melody", "counter", "comping", "pad"})
ROLE_CENTRE = {"melody": 72, "counter": 67, "comping": 60, "pad": 60, "bass": 40, "riser": 60, "drums": 60}


@dataclass(frozen=True, slots=True)
class Chair:
    """One player: what the style asks of the layer, and the instrument that plays it."""

    layer: Layer
    instrument: Instrument

    @property
    def centre(self) -> int:
        """The layer's centre (MIDI pitch), moved to where the instrument has room for a tune around it."""
        if self.layer.role not in ROOM_FOR:
            return self.layer.centre
        low, high = self.instrument.lowest + ROOM, self.instrument.highest - ROOM
        if low > high:
            low = high = (self.instrument.lowest + self.instrument.highest) // 2
        return min(max(self.layer.centre, low), high)


def cast_band(style: Style, brief: Brief, tempo: float, rng: random.Random) -> tuple[Chair, ...]:
    """Choose an instrument for every layer, seat those that the prompt names, and leave out those that it refuses.

    `tempo` is in quarter notes a minute.
    """
    chairs: list[Chair] = []
    for layer in style.layers:
        allowed = _allowed(layer, brief)
        if allowed:
            instrument = _pick(allowed, [chair.instrument for chair in chairs], brief, tempo, rng)
            wanted = any(instrument.answers_to(name) for name in brief.wanted)
            chairs.append(Chair(_to_the_fore(layer) if wanted else layer, instrument))
    for name in brief.wanted:
        if not any(chair.instrument.answers_to(name) for chair in chairs):
            chairs = _seat(chairs, name, style, brief)
    if brief.solo and brief.wanted:
        chairs = _only(chairs, brief, style)
    return tuple(chairs)


def _allowed(layer: Layer, brief: Brief) -> list[Instrument]:
    """List who may play a layer: its instruments that are not refused; in bass and drums else their stand-ins."""
    asked = [all_instruments()[name] for name in layer.instruments]
    allowed = [instrument for instrument in asked if not _refused(instrument, brief)]
    if allowed or layer.role not in REPLACED_ROLES:
        return allowed
    others = [all_instruments()[instrument.stand_in] for instrument in asked if instrument.stand_in]
    return [instrument for instrument in others if not _refused(instrument, brief)]


def _refused(instrument: Instrument, brief: Brief) -> bool:
    """Whether the prompt will not have it: "no organ" means rock organs too, unless it asks for one by name."""
    if instrument.name in brief.wanted and instrument.name not in brief.unwanted:
        return False
    return any(instrument.answers_to(name) or instrument.name.endswith(f"_{name}") for name in brief.unwanted)


def _pick(
    allowed: list[Instrument], seated: list[Instrument], brief: Brief, tempo: float, rng: random.Random
) -> Instrument:
    """Draw an instrument: of those that the prompt wants if any, else of those that nobody plays yet if any."""
    wanted = [i for i in allowed if any(i.answers_to(name) for name in brief.wanted)]
    fresh = [i for i in allowed if i not in seated]
    drawn = rng.randrange(2**16)
    choices = wanted or fresh or allowed
    if tempo < BALLAD_TEMPO or (brief.arousal is not None and brief.arousal < BALLAD_AROUSAL):
        choices = [instrument for instrument in choices if instrument.name == BRUSHES] or choices
    return choices[drawn % len(choices)]


def _answering(name: str) -> Instrument | None:
    """Find the instrument called `name`, or the first of that family."""
    instruments = all_instruments()
    return instruments.get(name) or next((i for i in instruments.values() if i.answers_to(name)), None)


def _seat(chairs: list[Chair], name: str, style: Style, brief: Brief) -> list[Chair]:
    """Give an instrument that the style does not have the chair that suits it best, or a new one."""
    instrument = _answering(name)
    if instrument is None or _refused(instrument, brief):
        return chairs
    for role in () if name in STROKES else instrument.roles:
        for i, chair in enumerate(chairs):
            if chair.layer.role == role and not any(chair.instrument.answers_to(n) for n in brief.wanted):
                return [*chairs[:i], Chair(_to_the_fore(chair.layer), instrument), *chairs[i + 1 :]]
    taken = {chair.layer.role for chair in chairs}
    role = next((role for role in instrument.roles if role not in taken), instrument.roles[0])
    return [*chairs, Chair(_to_the_fore(new_layer(instrument, role, style)), instrument)]


def _to_the_fore(layer: Layer) -> Layer:
    """Let a layer be heard, because the prompt names its player."""
    lifted_db = max(layer.gain_db, min(layer.gain_db + WANTED_LIFT_DB, WANTED_GAIN_DB))
    return replace(layer, enters=min(layer.enters, WANTED_ENTERS), gain_db=lifted_db)


def new_layer(instrument: Instrument, role: str, style: Style) -> Layer:
    """Make a layer for an instrument that the style does not have, with the style's patterns for the role if any."""
    model = next((layer for layer in style.layers if layer.role == role), None)
    if model:
        patterns = STROKES.get(instrument.name, model.patterns)
        return replace(model, instruments=(instrument.name,), enters=0.0, leaves=1.0, patterns=patterns)
    return Layer(
        role=role,
        instruments=(instrument.name,),
        enters=0.0,
        leaves=1.0,
        patterns=STROKES.get(instrument.name, PLAIN_PATTERNS.get(role, ())),
        voicing="close",
        centre=ROLE_CENTRE[role],
        gain_db=-4.0,
        pan=0.0,
        reverb_db=-14.0,
    )


def _only(chairs: Sequence[Chair], brief: Brief, style: Style) -> list[Chair]:
    """Keep the wanted instruments alone; they play whatever of melody, comping and bass they can."""
    kept = [c for c in chairs if any(c.instrument.answers_to(name) for name in brief.wanted)]
    roles = {chair.layer.role for chair in kept}
    for instrument in {chair.instrument.name: chair.instrument for chair in kept}.values():
        for role in ("melody", "comping", "bass"):
            if role in instrument.roles and role not in roles and not instrument.is_drum_kit:
                kept.append(Chair(new_layer(instrument, role, style), instrument))
                roles.add(role)
    return [replace(chair, layer=replace(chair.layer, enters=0.0, leaves=1.0)) for chair in kept]
