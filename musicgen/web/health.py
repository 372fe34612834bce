"""The health report: what a monitor or an orchestrator needs, without loading torch or an engine."""

import logging
import tempfile
from collections.abc import Callable

import sqlalchemy as sa
from flask import Response, jsonify

from musicgen import __version__, database, track_files
from musicgen.errors import EngineUnavailable, MusicgenError
from musicgen.music_model import music_model
from musicgen.web.blueprint import ApiBlueprint
from musicgen.web.error_handlers import describe_error
from musicgen.web.headers import request_id
from musicgen.web.schemas.state import HealthSchema, UnhealthySchema

logger = logging.getLogger(__name__)

blueprint = ApiBlueprint("health", __name__, description="The state of the service")


def _check_database() -> None:
    database.ensure_prepared()
    database.db.session.execute(sa.select(sa.literal(1)))


def _check_output() -> None:
    # Permissions are not the whole truth (read-only mounts, full disks): a file is.
    with tempfile.TemporaryFile(dir=track_files.output_dir()) as file:
        file.write(b"musicgen")


def _check_model() -> None:
    card = music_model.card(None)
    reason = music_model.why_not_ready(card)
    if reason:
        raise EngineUnavailable(card.name, reason)


# Name -> what is tried, and what is said where it fails; the log has the details.
CHECKS: dict[str, tuple[Callable[[], None], str]] = {
    "database": (_check_database, "It cannot be used; check DATABASE_URL."),
    "output": (_check_output, "No file can be written; check OUTPUT_DIR, its permissions and its disk."),
    "model": (_check_model, "The default engine cannot run here; GET /api/models says what it misses."),
}


@blueprint.get("/health")
@blueprint.response(200, HealthSchema)
@blueprint.alt_response(503, schema=UnhealthySchema)
def health() -> Response:
    """Report the state of the service"""
    failures = {name: [advice] for name, (check, advice) in CHECKS.items() if not _passes(name, check)}
    report = {
        "status": "ok",
        "version": __version__,
        "database": "database" not in failures,
        "output_writable": "output" not in failures,
        "model": music_model.default_name,
        "model_ready": "model" not in failures,
        "model_state": music_model.state,
        "device": music_model.device,
    }
    if not failures:
        return jsonify(HealthSchema().dump(report))
    report |= describe_error(503, f"Not working: {', '.join(failures)}.", failures)
    response = jsonify(UnhealthySchema().dump(report))
    response.status_code = 503
    return response


def _passes(name: str, check: Callable[[], None]) -> bool:
    try:
        check()
    except (MusicgenError, sa.exc.SQLAlchemyError, OSError) as error:
        logger.error("Request %s: health check %s failed: %s", request_id(), name, error)
        return False
    return True
