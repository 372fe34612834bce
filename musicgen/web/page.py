"""The start page: the built front end for browsers, links for API clients.

`make page` builds frontend/ into PAGE_DIR, which is part of the package but not of the repository. Where it was not
built, browsers get the plain form of templates/index.html, which can do the same request.
"""

from pathlib import Path

from flask import Response, current_app, jsonify, render_template, request, send_from_directory, url_for

from musicgen import __version__
from musicgen.web.blueprint import ApiBlueprint
from musicgen.web.schemas.state import IndexSchema

PAGE_DIR = Path(__file__).parent / "page"
# The build writes a hash of the content into the name of every file but this one.
INDEX_FILE = "index.html"
# 31,536,000: the longest time that caches honour.
YEAR_S = 365 * 24 * 60 * 60
# Python's own table depends on the machine's files.
MEDIA_TYPES = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".woff2": "font/woff2",
    ".json": "application/json",
}
BINARY = {"type": "string", "format": "binary"}
INDEX = "Links, or the page where Accept prefers HTML"

blueprint = ApiBlueprint("page", __name__, description="The start page")


@blueprint.get("/")
@blueprint.response(200, IndexSchema, description=INDEX)
@blueprint.alt_response(200, schema={"type": "string"}, content_type="text/html", description=INDEX, success=True)
@blueprint.alt_response(304, description="The browser's copy of the page is still right")
def index() -> Response:
    """Find everything from here"""
    wanted = request.accept_mimetypes.best_match(("application/json", "text/html"), "application/json")
    response = _page() if wanted == "text/html" else _links()
    response.vary.add("Accept")
    return response


@blueprint.get("/assets/<path:file_name>")
@blueprint.response(200, BINARY, content_type="*/*", description="The file")
@blueprint.fails_with(404)
def asset(file_name: str) -> Response:
    """Get a file of the built page"""
    media_type = MEDIA_TYPES.get(Path(file_name).suffix, "application/octet-stream")
    response = send_from_directory(_page_dir() / "assets", file_name, mimetype=media_type, max_age=YEAR_S)
    # Other content has another name.
    response.cache_control.public = True
    response.cache_control.immutable = True
    return response


def _page_dir() -> Path:
    return Path(current_app.config.get("PAGE_DIR", PAGE_DIR))


def _page() -> Response:
    if (_page_dir() / INDEX_FILE).is_file():
        response = send_from_directory(_page_dir(), INDEX_FILE, mimetype="text/html")
    else:
        response = Response(render_template("index.html"), mimetype="text/html")
    # It names the files of one build: a kept copy would ask for those of the last.
    response.cache_control.no_cache = True
    return response


def _links() -> Response:
    links = {
        "generate": url_for("generation.generate"),
        "tracks": url_for("generation.list_tracks"),
        "models": url_for("generation.list_models"),
        "styles": url_for("generation.list_styles"),
        "openapi": url_for("documentation.openapi"),
        "docs": url_for("documentation.docs"),
        "health": url_for("health.health"),
    }
    return jsonify(IndexSchema().dump({"name": "musicgen", "version": __version__, "links": links}))
