"""flask-smorest's blueprint with our reading of requests: strict JSON in, our errors out."""

import functools
import json
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, NoReturn, TypeVar, cast

from flask import Request, Response, current_app, request
from flask_smorest import Blueprint
from marshmallow import Schema, ValidationError
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge, UnsupportedMediaType

from musicgen.errors import InvalidOptions

View = TypeVar("View", bound=Callable[..., Any])


def revalidated(view: View) -> View:
    """Give an answer an ETag, so that a client may keep it and only asks whether it is still right."""

    @functools.wraps(view)
    def answer(*args: Any, **kwargs: Any) -> Response:
        response: Response = view(*args, **kwargs)
        response.cache_control.no_cache = True
        response.add_etag()
        response.make_conditional(request)
        return response

    return cast(View, answer)


class StrictParser(FlaskParser):
    """Reads arguments for flask-smorest."""

    def load_json(self, req: Request, schema: Schema) -> Any:
        """Read the body.

        Raises:
            UnsupportedMediaType: it is not declared as JSON.
            RequestEntityTooLarge: it is over the limit.
            BadRequest: it is no JSON.
        """
        if not req.is_json:
            given = f"not {req.mimetype}" if req.mimetype else "which is missing"
            raise UnsupportedMediaType(f"Send JSON, with the header Content-Type: application/json, {given}.")
        body = req.get_data()
        # Werkzeug refuses by Content-Length, but cuts a chunked body at the limit without a word.
        if req.content_length is None and len(body) >= current_app.config["MAX_BODY_BYTES"]:
            raise RequestEntityTooLarge
        try:
            return json.loads(body.decode("utf-8-sig"))
        except UnicodeDecodeError as error:
            raise BadRequest(f"The body is not UTF-8: byte {error.start} cannot be read.") from error
        except RecursionError as error:
            raise BadRequest("The body is nested too deeply.") from error
        except json.JSONDecodeError as error:
            raise BadRequest(f"The body is not valid JSON: {error}.") from error
        except ValueError as error:
            raise BadRequest("The body holds a number of thousands of digits.") from error

    def handle_error(self, error: ValidationError, req: Request, schema: Schema, **_: Any) -> NoReturn:
        """Turn what a schema found into the domain's error.

        Raises:
            InvalidOptions: always.
        """
        # webargs puts the location ("json", "query") around the fields' messages.
        (messages,) = error.messages_dict.values()
        raise InvalidOptions({"body" if name == "_schema" else name: texts for name, texts in messages.items()})


class ApiBlueprint(Blueprint):
    """A blueprint whose calls are documented."""

    ARGUMENTS_PARSER = StrictParser()
    PAGINATION_ARGUMENTS_PARSER = ARGUMENTS_PARSER

    def fails_with(self, *status_codes: int) -> Callable[[View], View]:
        """Document the errors that a call may answer with; `DocumentedApi` describes each once for all calls."""

        def decorate(view: View) -> View:
            for status_code in status_codes:
                view = self.alt_response(status_code, HTTPStatus(status_code).name)(view)
            return view

        return decorate
