"""What a client hears of the service itself: errors, health, where things are."""

from marshmallow import Schema, fields, validate

from musicgen.web.schemas.wording import about


class ErrorSchema(Schema):
    """Every answer that is not a success."""

    code = fields.Integer(required=True, metadata=about("HTTP status code.", 422))
    status = fields.String(required=True, metadata=about("Its reason phrase.", "Unprocessable Entity"))
    message = fields.String(required=True, metadata=about("What was wrong and what to do."))
    errors = fields.Dict(
        keys=fields.String(),
        values=fields.List(fields.String()),
        required=True,
        metadata=about("Field -> what is wrong with it; empty where no field is to blame."),
    )
    request_id = fields.String(required=True, metadata=about("The X-Request-ID of this answer; quote it."))


class HealthSchema(Schema):
    """What a monitor wants to know."""

    status = fields.String(required=True, metadata=about("ok, or the reason phrase of a failure.", "ok"))
    version = fields.String(required=True)
    database = fields.Boolean(required=True, metadata=about("Whether it can be reached and has its tables."))
    output_writable = fields.Boolean(required=True, metadata=about("Whether the output folder takes files."))
    model = fields.String(required=True, metadata=about("The engine of requests that name none.", "composer"))
    model_ready = fields.Boolean(required=True, metadata=about("Whether that engine can run here."))
    model_state = fields.String(required=True, validate=validate.OneOf(("empty", "loading", "ready", "generating")))
    device = fields.String(required=True, allow_none=True, metadata=about("null until the first generation."))


class UnhealthySchema(HealthSchema, ErrorSchema):
    """A health report that is an error, too."""


class IndexSchema(Schema):
    """Where an API client finds everything."""

    name = fields.String(required=True)
    version = fields.String(required=True)
    links = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
