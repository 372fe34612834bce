"""The plan as a document: what `POST /api/plan` hands out and a request may bring back, changed or not.

Owns how a plan and its chords are written as JSON values and read again, and the sentences about what cannot be read.
Does not decide anything itself: what a document leaves out is planned by `plan` and `progression`, from the same seed.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from marshmallow import ValidationError

from musicgen.composer.brief import Brief
from musicgen.composer.casting import Chair, new_layer
from musicgen.composer.chords import Chord
from musicgen.composer.harmony import Bars
from musicgen.composer.instruments import all_instruments
from musicgen.composer.plan import (
    RING_BEST_S,
    RING_MIN_S,
    Plan,
    bars_and_ring,
    hold_for,
    make_plan,
)
from musicgen.composer.plan_schema import PlanSchema, read_bar
from musicgen.composer.progression import Progression, repeat_bars, write_progression
from musicgen.composer.section import Section
from musicgen.errors import InvalidOptions
from musicgen.notation import Key, TimeSignature
from musicgen.options import MAX_DURATION_S, MIN_DURATION_S

FIELD = "plan"
# What a document says of a section, beside its chords; its first bar follows from those before it.
SECTION_FIELDS = (
    "name", "material", "bars", "energy", "to_energy", "melody", "texture", "variations", "exit", "lift", "from_bar",
    "over",
)  # fmt: skip
# A bar more than these would leave room for is a mistake of the document; one bar less is prolonged.
N_BARS_PROLONGED = 1


def write_document(plan: Plan, progression: Progression) -> dict[str, Any]:
    """Write a plan and its chords as JSON values; `read_document` reads them back without a difference."""
    return {
        "style": plan.style.name,
        "tempo": plan.tempo,
        "key": str(plan.key),
        "time_signature": str(plan.time_signature),
        "duration": plan.duration_s,
        "sections": [
            write_section(section, bars, plan.key_of(section))
            for section, bars in zip(plan.sections, progression.sections, strict=True)
        ],
        "close": plan.close,
        "last_chord": progression.last.symbol(plan.key_of(plan.sections[-1])),
        "band": [{"role": chair.layer.role, "instrument": chair.instrument.name} for chair in plan.band],
    }


def write_section(section: Section, bars: Bars | None, key: Key) -> dict[str, Any]:
    """Write a section and its chords, which sound in `key`, as JSON values; None leaves the chords to be planned."""
    told = {name: getattr(section, name) for name in SECTION_FIELDS}
    told["variations"] = list(section.variations)
    if bars is not None:
        told["chords"] = [" ".join(chord.symbol(key) for chord in bar) for bar in bars]
    return told


def read_document(document: Mapping[str, Any], brief: Brief, duration_s: float, seed: str) -> tuple[Plan, Progression]:
    """Read a plan; what it leaves out is planned for `brief` and `duration_s` seconds from `seed`.

    Raises:
        InvalidOptions: the document cannot be played; the errors are named by their place, "plan.sections.1.bars".
    """
    try:
        told: dict[str, Any] = PlanSchema().load(document)
    except ValidationError as error:
        raise InvalidOptions(dict(_flat(error.normalized_messages(), FIELD))) from error
    wanted_s: float | None = told.get("duration", None if "sections" in told else duration_s)
    draft = make_plan(pinned(brief, told), wanted_s or duration_s, seed)
    sections = tuple(_place(told["sections"])) if "sections" in told else draft.sections
    _check_over(sections)
    n_bars = sum(section.bars for section in sections)
    wanted_s = wanted_s or _natural_duration(draft, n_bars)
    _check_length(draft, n_bars, wanted_s)
    plan = replace(
        draft,
        sections=sections,
        close=told.get("close", draft.close),
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
        own = {name: told[name] for name in SECTION_FIELDS if name in told}
        own |= {"material": told.get("material", told["name"]), "variations": tuple(told["variations"])}
        yield Section(**{"to_energy": told["energy"]} | own, first_bar=first_bar)
        first_bar += told["bars"]


def _check_over(sections: Sequence[Section]) -> None:
    """Make sure that the materials whose chords other sections play are there.

    Raises:
        InvalidOptions: one is not.
    """
    materials = list(dict.fromkeys(section.material for section in sections))
    for i, section in enumerate(sections):
        if section.over and section.over not in materials:
            text = f"No section has the material {section.over!r}, whose chords this one shall play; there are "
            text += f"{', '.join(materials)}. Leave `over` out for chords of its own."
            raise InvalidOptions({f"{FIELD}.sections.{i}.over": [text]})


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
            before = _take(free, player["role"], None)
            layer = before.layer if before else new_layer(instrument, player["role"], draft.style)
            seated[i] = Chair(layer, instrument)
    return tuple(chair for chair in seated if chair)


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
        key = plan.key_of(plan.sections[i])
        sections[i] = repeat_bars(tuple(read_bar(text, key) for text in texts), section["bars"])
    last_key = plan.key_of(plan.sections[-1])
    last = Chord.from_symbol(told["last_chord"], last_key) if "last_chord" in told else planned.last
    return Progression(tuple(sections), last)
