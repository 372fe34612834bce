"""The OpenAPI document, and Swagger UI to read it without the internet."""

from typing import Any

from flask import Flask, Response, jsonify, render_template, send_from_directory
from flask_smorest import Api, current_api
from werkzeug.exceptions import HTTPException

from musicgen import __version__
from musicgen.web import delivery, error_handlers, generation, health, page
from musicgen.web.blueprint import ApiBlueprint
from musicgen.web.schemas.state import ErrorSchema
from musicgen.web.schemas.tracks import ProgressSchema

blueprint = ApiBlueprint("documentation", __name__, url_prefix="/api", description="This document")


class DocumentedApi(Api):
    """flask-smorest's extension with our error shape, in the document and in the answers alike."""

    ERROR_SCHEMA = ErrorSchema

    def handle_http_exception(self, error: HTTPException) -> Response | HTTPException:
        """Answer as everywhere: flask-smorest registers this method."""
        return error_handlers.answer_http_exception(error)


def init_app(app: Flask) -> None:
    """Register every blueprint of the API on `app`, and document it."""
    # Swagger UI 4 reads OpenAPI 3.0, not 3.1.
    api = DocumentedApi(
        spec_kwargs={
            "title": "musicgen",
            "version": __version__,
            "openapi_version": "3.0.3",
            "info": {"description": "A text prompt becomes a finished music track."},
        }
    )
    api.init_app(app)
    # Nothing refers to it but the words on the event stream.
    api.spec.components.schema("Progress", schema=ProgressSchema)
    # Limits that are settings stand in the document.
    with app.app_context():
        for documented in (generation.blueprint, delivery.blueprint, page.blueprint, health.blueprint, blueprint):
            api.register_blueprint(documented)


@blueprint.get("/openapi.json")
@blueprint.response(200, {"type": "object"}, description="An OpenAPI 3.0 document")
def openapi() -> Response:
    """Get this document"""
    return jsonify(current_api.spec.to_dict())


@blueprint.get("/docs")
@blueprint.response(200, {"type": "string"}, content_type="text/html", description="A page for people")
def docs() -> str | Response:
    """Read and try the API in a browser"""
    return Response(render_template("docs.html"), mimetype="text/html")


@blueprint.get("/docs/<file_name>")
@blueprint.response(200, {"type": "string", "format": "binary"}, content_type="*/*", description="The file")
@blueprint.fails_with(404)
def docs_file(file_name: str) -> Any:
    """Get a file of the documentation page"""
    # Imported on use: only readers of the documentation need it.
    from swagger_ui_bundle import swagger_ui_path

    return send_from_directory(swagger_ui_path, file_name)
