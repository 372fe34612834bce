"""Headers that every answer carries: the request's id, and what browsers must not do."""

import re
import uuid

from flask import Flask, Response, g, request

REQUEST_ID = "X-Request-ID"
# What may be written to a log and a header as it came.
SANE_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
# Everything from this server, nothing inline; pages show their own audio and talk to their own API.
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "media-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def init_app(app: Flask) -> None:
    """Add the headers to every answer of `app`."""
    app.after_request(_add_headers)


def request_id() -> str:
    """Name this request: as its client did, if that is sane, else by a fresh id."""
    if "request_id" not in g:
        given = request.headers.get(REQUEST_ID, "")
        g.request_id = given if SANE_REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
    return g.request_id


def _add_headers(response: Response) -> Response:
    response.headers[REQUEST_ID] = request_id()
    response.headers["X-Content-Type-Options"] = "nosniff"
    if response.mimetype == "text/html":
        response.headers["Content-Security-Policy"] = PAGE_POLICY
        response.headers["Referrer-Policy"] = "same-origin"
    return response
