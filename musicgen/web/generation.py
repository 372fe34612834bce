"""The API: generate tracks, look at them, rename and delete them, list the engines."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from flask import Response, request
from flask_smorest.pagination import PaginationParameters

from musicgen import database, model_list, service
from musicgen.database import Track
from musicgen.engine import StyleCard
from musicgen.options import FollowUp, GenerationOptions
from musicgen.retries import RequestKey
from musicgen.web import listening
from musicgen.web.blueprint import ApiBlueprint, revalidated
from musicgen.web.schemas.engines import EngineQuerySchema, ModelSchema, StyleSchema
from musicgen.web.schemas.request import GenerationHeadersSchema, GenerationRequestSchema
from musicgen.web.schemas.state import ErrorSchema
from musicgen.web.schemas.tracks import (
    ListedTrackSchema,
    PlanSchema,
    TrackChangesSchema,
    TrackQuerySchema,
    TrackSchema,
)

# Databases count rows in 64 bits; nobody has tracks beyond.
LAST_PAGE = 10**9
WAYS_TO_LISTEN = {
    listening.JSON: listening.answer_when_done,
    listening.EVENTS: listening.stream_events,
    listening.MP3: listening.stream_mp3,
}
LOCATION = {"Location": {"description": "URL of the track.", "schema": {"type": "string"}}}
TRACK_HEADERS = LOCATION | {
    name: {"description": description, "schema": {"type": "string"}}
    for name, description in listening.TRACK_HEADERS.items()
}
BINARY = {"type": "string", "format": "binary"}
EVENTS = {
    "type": "string",
    "description": "Events: `progress` (its data: Progress), and last `track` (Track) or `error` (Error).",
}
STREAMS = "Accept: text/event-stream or audio/mpeg. Events, or the MP3 and these headers, while the track is made"
STILL_RUNNING = "The first request with this Idempotency-Key is still being worked on"
CANNOT_NOW = "Every place in line is taken, and Retry-After says for how long; or something is missing here"
RETRY_AFTER = {"Retry-After": {"description": "Seconds until a place is free.", "schema": {"type": "integer"}}}

blueprint = ApiBlueprint("generation", __name__, url_prefix="/api", description="Make tracks and look after them")
blueprint.before_request(database.ensure_prepared)


@blueprint.post("/generate")
@blueprint.arguments(GenerationRequestSchema)
@blueprint.arguments(GenerationHeadersSchema, location="headers")
@blueprint.response(201, TrackSchema, headers=LOCATION, description="Accept: application/json. The finished track")
@blueprint.alt_response(200, schema=EVENTS, content_type=listening.EVENTS, description=STREAMS, success=True)
@blueprint.alt_response(
    200, schema=BINARY, content_type=listening.MP3, headers=TRACK_HEADERS, description=STREAMS, success=True
)
@blueprint.alt_response(409, schema=ErrorSchema, headers=RETRY_AFTER, description=STILL_RUNNING)
@blueprint.alt_response(503, schema=ErrorSchema, headers=RETRY_AFTER, description=CANNOT_NOW)
@blueprint.fails_with(400, 404, 406, 413, 415, 422, 500, 507)
def generate(asked: GenerationOptions | FollowUp, headers: Mapping[str, str]) -> Any:
    """Generate a track

    Accept chooses how to hear of it: `application/json` (the default) answers when the track is done,
    `text/event-stream` sends `progress` events and last a `track` or an `error`, `audio/mpeg` streams the MP3 while
    it is being made. Hanging up before the end cancels the generation. A retry with the same `Idempotency-Key` and the
    same body gets the same track.
    """
    return WAYS_TO_LISTEN[listening.wanted_media_type()](asked, _request_key(headers.get("key")))


def _request_key(name: str | None) -> RequestKey | None:
    if name is None:
        return None
    body = json.dumps(request.get_json(), sort_keys=True)
    return RequestKey(name, hashlib.sha256(body.encode()).hexdigest())


@blueprint.post("/plan")
@blueprint.arguments(GenerationRequestSchema)
@blueprint.response(200, PlanSchema, description="The plan, to be changed and sent back with its seed")
@blueprint.fails_with(400, 404, 413, 415, 422, 500, 503)
def plan(asked: GenerationOptions | FollowUp) -> service.TrackPlan:
    """Plan a track without making it

    A request to `/api/generate` with the same prompt, this seed and this plan makes the same music as without the plan.
    """
    return service.plan_track(asked)


@blueprint.get("/track/<track_id>")
@blueprint.response(200, TrackSchema)
@blueprint.fails_with(404, 500, 503)
def show_track(track_id: str) -> Track:
    """Look at one track"""
    return service.find_track(track_id)


@blueprint.patch("/track/<track_id>")
@blueprint.arguments(TrackChangesSchema)
@blueprint.response(200, TrackSchema)
@blueprint.fails_with(400, 404, 413, 415, 422, 500, 503)
def rename_track(changes: Mapping[str, str], track_id: str) -> Track:
    """Rename a track

    Downloads are named by the new title from now on; files that exist keep the old one in their tags.
    """
    return service.rename_track(track_id, changes["title"])


@blueprint.delete("/track/<track_id>")
@blueprint.response(204)
@blueprint.fails_with(404, 500, 503)
def delete_track(track_id: str) -> Response:
    """Delete a track and all its files"""
    service.delete_track(track_id)
    response = Response(status=204)
    del response.headers["Content-Type"]
    return response


@blueprint.get("/tracks")
@blueprint.arguments(TrackQuerySchema, location="query")
@blueprint.response(200, ListedTrackSchema(many=True))
@blueprint.paginate()
@blueprint.fails_with(422, 500, 503)
def list_tracks(query: Mapping[str, str], pagination_parameters: PaginationParameters) -> list[Track]:
    """List the tracks, newest first

    With `search` those whose title or prompt has all its words. Without their plans: `/api/track/<track_id>` has one.
    """
    page = min(pagination_parameters.page, LAST_PAGE)
    tracks, pagination_parameters.item_count = service.list_tracks(
        page, pagination_parameters.page_size, query.get("search", "")
    )
    return tracks


@blueprint.get("/models")
@blueprint.response(200, ModelSchema(many=True))
@blueprint.fails_with(500, 503)
def list_models() -> list[model_list.ModelDescription]:
    """List the engines, with what each can do and what it misses"""
    return model_list.describe_models()


@blueprint.get("/styles")
@revalidated
@blueprint.arguments(EngineQuerySchema, location="query")
@blueprint.response(200, StyleSchema(many=True))
@blueprint.alt_response(304, description="The client's copy is still right")
@blueprint.fails_with(422, 500, 503)
def list_styles(query: Mapping[str, str]) -> list[StyleCard]:
    """List the styles that prompts and plans may name

    Prompts are not bound to them: what they describe in other words is understood, too.
    """
    return model_list.list_styles(query.get("model"))
