"""A section of a piece: what the plan says of it, and what a band can do of what a form asks."""

from collections.abc import Sequence
from dataclasses import dataclass

from musicgen.composer.casting import Chair
from musicgen.composer.development import all_textures

# Room that a melody needs above (below) its centre, in semitones, to be played an octave higher (lower), and the centre
# above which it becomes shrill.
ROOM_ABOVE, ROOM_BELOW = 19, 17
SHRILL_CENTRE = 81


@dataclass(frozen=True, slots=True)
class Section:
    """A stretch of the form.

    Attributes:
        name: intro, verse, chorus, bridge, ...
        material: sections of the same material share chords and melody.
        first_bar: index of its first bar.
        bars: number of bars.
        energy: 0 to 1, at its beginning.
        melody: whether the melody sings.
        to_energy: 0 to 1, at its end.
        texture: who plays, a name in `development.toml`.
        variations: how it differs from the plain material, names in `development.VARIATIONS`.
        exit: how it goes over into the next section, a name in `development.EXITS`.
        lift: semitones by which it stands above the key of the piece.
        from_bar: the bar of the material's phrase with which it begins.
        over: the material whose chords it plays, its own if empty.
    """

    name: str
    material: str
    first_bar: int
    bars: int
    energy: float
    melody: bool
    to_energy: float
    texture: str = "full"
    variations: tuple[str, ...] = ()
    exit: str = "plain"
    lift: int = 0
    from_bar: int = 0
    over: str = ""

    @property
    def harmony(self) -> str:
        """The material whose chords it plays."""
        return self.over or self.material


def can_vary(band: Sequence[Chair], mode: str, section: Section, name: str) -> bool:
    """Whether the band, the mode and the section allow a variation."""
    roles = {chair.layer.role for chair in band}
    match name:
        case "pedal":
            return "bass" in roles
        case "regroove":
            return any(_has_equals(chair, section.energy) for chair in band)
        case "borrowed":
            return mode == "major"
        case "handed_over" | "doubled" | "answered":
            return section.melody and second_voice(band) is not None and section.texture in ("full", "half_time")
        case "octave_up" | "octave_down":
            return section.melody and _has_room(band, name)
        case "pickup":
            return section.melody and section.first_bar > 0
        case "ornament" | "simplify":
            return section.melody
        case _:
            return True


def _has_equals(chair: Chair, energy: float) -> bool:
    """Whether a player has several patterns for an energy."""
    reached = [pattern.energy for pattern in chair.layer.patterns if pattern.energy <= energy]
    return chair.layer.enters <= energy <= chair.layer.leaves and reached.count(max(reached, default=0.0)) > 1


def _has_room(band: Sequence[Chair], name: str) -> bool:
    singers = [chair for chair in band if chair.layer.role == "melody"]
    if name == "octave_up":
        return any(
            chair.centre + 12 <= min(SHRILL_CENTRE, chair.instrument.highest - ROOM_ABOVE + 12) for chair in singers
        )
    return any(chair.instrument.lowest <= chair.centre - ROOM_BELOW for chair in singers)


def second_voice(band: Sequence[Chair]) -> Chair | None:
    """Return the player who can take the melody over: one that accompanies, on another instrument than the singer's."""
    singers = {chair.instrument for chair in band if chair.layer.role == "melody"}
    if not singers:
        return None
    for role in ("counter", "comping", "pad"):
        for chair in band:
            sings = {"melody", "counter"} & set(chair.instrument.roles)
            if chair.layer.role == role and sings and chair.instrument not in singers:
                return chair
    return None


def is_supplied(band: Sequence[Chair], texture: str) -> bool:
    """Whether the band has players for a texture: someone besides the singer, and someone who then rests."""
    asked = all_textures()[texture].roles
    roles = {chair.layer.role for chair in band}
    if all_textures()[texture].half_time:
        return "drums" in roles
    return asked is None or (bool((roles & set(asked)) - {"melody"}) and bool(roles - set(asked)))
