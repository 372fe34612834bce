"""The API: generate tracks, look at them, delete them, list the engines."""

from collections.abc import Mapping
from typing import Any

from flask import Response, request, url_for
from flask_smorest.pagination import PaginationParameters

from musicgen import database, service
from musicgen.database import Track
from musicgen.engine import OnProgress, StyleCard
from musicgen.errors import GenerationCancelled
from musicgen.options import FollowUp, GenerationOptions
from musicgen.web.blueprint import ApiBlueprint, revalidated
from musicgen.web.connection import client_is_gone
from musicgen.web.schemas.engines import EngineQuerySchema, ModelSchema, StyleSchema
from musicgen.web.schemas.request import GenerationRequestSchema
from musicgen.web.schemas.state import ErrorSchema
from musicgen.web.schemas.tracks import ListedTrackSchema, PlanSchema, TrackSchema

# Databases count rows in 64 bits; nobody has tracks beyond.
LAST_PAGE = 10**9
LOCATION = {"Location": {"description": "URL of the track.", "schema": {"type": "string"}}}
CANNOT_NOW = "Every place in line is taken, and Retry-After says for how long; or something is missing here"
RETRY_AFTER = {"Retry-After": {"description": "Seconds until a place is free.", "schema": {"type": "integer"}}}

blueprint = ApiBlueprint("generation", __name__, url_prefix="/api", description="Make tracks and look after them")
blueprint.before_request(database.ensure_prepared)


@blueprint.post("/generate")
@blueprint.arguments(GenerationRequestSchema)
@blueprint.response(201, TrackSchema, headers=LOCATION, description="The finished track")
@blueprint.alt_response(503, schema=ErrorSchema, headers=RETRY_AFTER, description=CANNOT_NOW)
@blueprint.fails_with(400, 404, 413, 415, 422, 500, 507)
def generate(asked: GenerationOptions | FollowUp) -> tuple[Track, dict[str, str]]:
    """Generate a track

    Answers when the track is done. Hanging up before cancels the generation.
    """
    track = service.generate_track(asked, on_progress=_stop_when_gone(request.environ))
    return track, {"Location": url_for("generation.show_track", track_id=track.id)}


@blueprint.post("/plan")
@blueprint.arguments(GenerationRequestSchema)
@blueprint.response(200, PlanSchema, description="The plan, to be changed and sent back with its seed")
@blueprint.fails_with(400, 404, 413, 415, 422, 500, 503)
def plan(asked: GenerationOptions | FollowUp) -> service.TrackPlan:
    """Plan a track without making it

    A request to `/api/generate` with the same prompt, this seed and this plan makes the same music as without the plan.
    """
    return service.plan_track(asked)


def _stop_when_gone(environ: Mapping[str, Any]) -> OnProgress:
    # Takes the environment once: an engine may report from a thread that has no request.
    def stop(_stage: str, _fraction: float) -> None:
        if client_is_gone(environ):
            raise GenerationCancelled("The client hung up.")

    return stop


@blueprint.get("/track/<track_id>")
@blueprint.response(200, TrackSchema)
@blueprint.fails_with(404, 500, 503)
def show_track(track_id: str) -> Track:
    """Look at one track"""
    return service.find_track(track_id)


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
@blueprint.response(200, ListedTrackSchema(many=True))
@blueprint.paginate()
@blueprint.fails_with(422, 500, 503)
def list_tracks(pagination_parameters: PaginationParameters) -> list[Track]:
    """List the tracks, newest first

    Without their plans: `/api/track/<track_id>` has one.
    """
    page = min(pagination_parameters.page, LAST_PAGE)
    tracks, pagination_parameters.item_count = service.list_tracks(page, pagination_parameters.page_size)
    return tracks


@blueprint.get("/models")
@blueprint.response(200, ModelSchema(many=True))
@blueprint.fails_with(500, 503)
def list_models() -> list[service.ModelDescription]:
    """List the engines, with what each can do and what it misses"""
    return service.describe_models()


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
    return service.list_styles(query.get("model"))
