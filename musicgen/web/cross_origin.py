"""Which other sites' pages may call the API from a browser (CORS)."""

import re

from flask import Flask
from flask_cors import CORS

from musicgen.web.listening import TRACK_HEADERS

EXPOSED_HEADERS = ("Location", "X-Pagination", "X-Request-ID", "Retry-After", *TRACK_HEADERS)
PREFLIGHT_CACHE_S = 600


def init_app(app: Flask) -> None:
    """Let the pages of CORS_ALLOW_ORIGINS call `app` with credentials; `*` lets all of them, without credentials."""
    origins = app.config["CORS_ALLOW_ORIGINS"]
    is_open = "*" in origins
    CORS(
        app,
        origins="*" if is_open else [_exactly(origin) for origin in origins],
        send_wildcard=is_open,
        supports_credentials=not is_open,
        expose_headers=EXPOSED_HEADERS,
        max_age=PREFLIGHT_CACHE_S,
        always_send=False,
        # Every error becomes an answer in error_handlers, so it passes through here like any other.
        intercept_exceptions=False,
    )


def _exactly(origin: str) -> re.Pattern[str]:
    # flask-cors takes texts with characters like "[" (IPv6) for patterns, and patterns match beginnings.
    return re.compile(re.escape(origin.rstrip("/")) + r"\Z", re.IGNORECASE)
