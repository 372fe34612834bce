"""From failures to answers: the only place where an exception becomes HTTP, in one shape.

Unexpected exceptions are logged with the request's id, and their text stays here.
"""

import logging
from collections.abc import Mapping

from flask import Flask, Response, current_app, jsonify, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound, RequestEntityTooLarge
from werkzeug.http import HTTP_STATUS_CODES

from musicgen import errors
from musicgen.json_fields import shown
from musicgen.web.headers import request_id
from musicgen.web.schemas.state import ErrorSchema
from musicgen.web.schemas.wording import without_folders

logger = logging.getLogger(__name__)

CLIENT_CLOSED_REQUEST = 499
STATUS_CODES: dict[type[errors.MusicgenError], int] = {
    errors.InvalidOptions: 422,
    errors.TrackNotFound: 404,
    errors.EngineUnavailable: 503,
    errors.DeviceUnavailable: 503,
    errors.DatabaseUnavailable: 503,
    errors.GenerationBusy: 503,
    errors.RequestStillRunning: 409,
    errors.RequestKeyReused: 422,
    errors.SoundNotKept: 410,
    errors.StorageFull: 507,
    errors.GenerationFailed: 500,
    # Nobody reads this answer; the access log shows it.
    errors.GenerationCancelled: CLIENT_CLOSED_REQUEST,
}


def init_app(app: Flask) -> None:
    """Answer every failure of `app` in the one shape."""
    app.register_error_handler(errors.MusicgenError, answer_musicgen_error)
    app.register_error_handler(HTTPException, answer_http_exception)
    app.register_error_handler(Exception, answer_unexpected)


def describe_error(code: int, message: str, fields: Mapping[str, list[str]] | None = None) -> dict[str, object]:
    """Fill the one shape of errors; `fields` maps the names of bad fields to messages."""
    return {
        "code": code,
        "status": HTTP_STATUS_CODES.get(code, "Client Closed Request"),
        "message": message,
        "errors": dict(fields or {}),
        "request_id": request_id(),
    }


def answer_musicgen_error(error: errors.MusicgenError) -> Response:
    """Translate a failure of the domain."""
    code = STATUS_CODES.get(type(error), 500)
    if code >= 500:
        logger.warning("Request %s: %s", request_id(), error)
    response = _answer(code, _message(error), error.errors if isinstance(error, errors.InvalidOptions) else None)
    if isinstance(error, errors.GenerationBusy | errors.RequestStillRunning):
        response.headers["Retry-After"] = str(error.retry_after_s)
    return response


def _message(error: errors.MusicgenError) -> str:
    if isinstance(error, errors.DatabaseUnavailable):
        # A driver's words name hosts and users.
        return "The database cannot be used right now. Try again later; the server's log says why."
    if isinstance(error, errors.GenerationFailed | errors.EngineUnavailable):
        # Their reasons were written by other libraries, or for the operator.
        return without_folders(str(error))
    return str(error)


def answer_http_exception(error: HTTPException) -> Response | HTTPException:
    """Translate what Flask, Werkzeug and flask-smorest raise; their headers (Allow, Content-Range) stay."""
    if error.code is None:
        return error
    response = _answer(error.code, _http_message(error))
    response.headers.extend((name, value) for name, value in error.get_headers() if name != "Content-Type")
    return response


def _http_message(error: HTTPException) -> str:
    if error.description != type(error).description:
        return error.description or ""
    if isinstance(error, NotFound):
        return f"There is nothing at {shown(request.path)}. GET /api/docs shows every call."
    if isinstance(error, MethodNotAllowed):
        return (
            f"{request.method} is not possible at {request.path}; use {', '.join(sorted(error.valid_methods or ()))}."
        )
    if isinstance(error, RequestEntityTooLarge):
        limit = current_app.config["MAX_BODY_BYTES"]
        return f"The request body is larger than the {limit:,} bytes that are allowed here. Send less."
    return error.description or ""


def answer_unexpected(error: Exception) -> Response:
    """Log what nobody foresaw, and say no more than that it happened."""
    logger.error("Request %s: %s %s failed", request_id(), request.method, request.path, exc_info=error)
    return _answer(500, "Something went wrong on the server. Try again; if it stays, report the request_id.")


def _answer(code: int, message: str, fields: Mapping[str, list[str]] | None = None) -> Response:
    response = jsonify(ErrorSchema().dump(describe_error(code, message, fields)))
    response.status_code = code
    return response
