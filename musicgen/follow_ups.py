"""Requests that begin with a track: a variation of it, or a longer version. Track in, `GenerationOptions` out.

Knows neither the session nor HTTP: the track is handed in.
"""

from dataclasses import fields
from typing import Any

from musicgen.errors import InvalidOptions
from musicgen.options import FollowUp, GenerationOptions
from musicgen.tables import Track

# What an extension may ask for; everything else is as it was.
FREE_IN_AN_EXTENSION = frozenset({"duration", "title", "stems"})
# What a plan decides: where a variation asks for another, the plan of the track no longer holds.
DECIDED_BY_A_PLAN = frozenset({"prompt", "model", "duration", "tempo", "key", "time_signature", "plan"})


def options_after(follow_up: FollowUp, track: Track) -> GenerationOptions:
    """Complete a request from the track that it refers to.

    Raises:
        InvalidOptions: it asks for what cannot be after this track.
    """
    if follow_up.relation == "extend":
        return _extension(follow_up, track)
    return _variation(follow_up, track)


def _variation(follow_up: FollowUp, track: Track) -> GenerationOptions:
    before = asked_of(track)
    del before["seed"]
    if DECIDED_BY_A_PLAN & follow_up.asked.keys():
        before["plan"] = None
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


def asked_of(track: Track) -> dict[str, Any]:
    """Return what was asked for when the track was made; options younger than the track have their defaults."""
    asked = track.job.options
    known = {field.name for field in fields(GenerationOptions)} & asked.keys()
    return {name: asked[name] for name in known - {"stems", "extends"}} | {"model": track.model}
