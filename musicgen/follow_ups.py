"""Requests that begin with a track: a variation, a longer version, an edit. Track in, `GenerationOptions` out.

Knows neither the session nor HTTP: the track is handed in.
"""

from dataclasses import fields
from typing import Any

from musicgen.errors import InvalidOptions
from musicgen.options import FollowUp, GenerationOptions
from musicgen.tables import Track

# What an extension may ask for; everything else is as it was.
FREE_IN_AN_EXTENSION = frozenset({"duration", "title", "stems"})
# What an edit may ask for: everything else holds for the track as a whole.
FREE_IN_AN_EDIT = frozenset(
    {"prompt", "regenerate", "seed", "model", "lyrics", "language", "instrumental", "style_audio", "title"}
)
# What a plan decides: where a variation asks for another, the plan of the track no longer holds.
DECIDED_BY_A_PLAN = frozenset({"prompt", "model", "duration", "tempo", "key", "time_signature", "plan"})


def options_after(follow_up: FollowUp, track: Track) -> GenerationOptions:
    """Complete a request from the track that it refers to.

    Raises:
        InvalidOptions: it asks for what cannot be after this track.
    """
    if follow_up.relation == "extend":
        return _extension(follow_up, track)
    if follow_up.relation == "of":
        return _edit(follow_up, track)
    return _variation(follow_up, track)


def _variation(follow_up: FollowUp, track: Track) -> GenerationOptions:
    before = asked_of(track)
    del before["seed"]
    if DECIDED_BY_A_PLAN & follow_up.asked.keys():
        before["plan"] = None
    if before.get("of") and "duration" in follow_up.asked:
        raise InvalidOptions({"duration": ["Leave it out: the track is an edit of another, whose length it has."]})
    return GenerationOptions(**before | {"title": None} | dict(follow_up.asked))


def _extension(follow_up: FollowUp, track: Track) -> GenerationOptions:
    fixed = sorted(follow_up.asked.keys() - FREE_IN_AN_EXTENSION)
    errors = {name: ["Leave it out: an extension goes on as the track began."] for name in fixed}
    duration = follow_up.asked.get("duration")
    if track.plan is None:
        errors["extend"] = [f"The track {track.id!r} has no plan that could go on ({track.model}, {track.status})."]
    elif duration is None:
        errors["duration"] = [f"Missing. Say how long the track shall be, more than its {track.plan['duration']:g} s."]
    elif duration <= track.plan["duration"]:
        errors["duration"] = [f"Must be longer than the track itself, {track.plan['duration']:g} s, not {duration:g}."]
    if errors:
        raise InvalidOptions(errors)
    return GenerationOptions(**asked_of(track) | {"plan": None, "extends": track.plan} | dict(follow_up.asked))


def _edit(follow_up: FollowUp, track: Track) -> GenerationOptions:
    fixed = sorted(follow_up.asked.keys() - FREE_IN_AN_EDIT)
    errors = {name: ["Leave it out: an edit keeps the track as it is, but for its parts."] for name in fixed}
    if track.duration is None or track.status != "done":
        errors["of"] = [f"The track {track.id!r} has no sound to edit: it is {track.status}."]
    else:
        beyond = [f"{start:g} to {end:g}" for start, end in follow_up.asked["regenerate"] if end > track.duration]
        if beyond:
            errors["regenerate"] = [f"The track ends at {track.duration:g} s: {', '.join(beyond)} is not in it."]
    if errors:
        raise InvalidOptions(errors)
    before = {name: value for name, value in asked_of(track).items() if name in FREE_IN_AN_EDIT - {"seed", "title"}}
    asked = dict(follow_up.asked) | {"of": track.id, "duration": track.duration}
    return GenerationOptions(**before | asked)


def asked_of(track: Track) -> dict[str, Any]:
    """Return what was asked for when the track was made; options younger than the track have their defaults."""
    asked = track.job.options
    known = {field.name for field in fields(GenerationOptions)} & asked.keys()
    return {name: asked[name] for name in known - {"stems", "extends", "original"}} | {"model": track.model}
