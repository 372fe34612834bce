"""JSON in and JSON out: a request becomes `GenerationOptions`, a `Track` becomes an answer.

The OpenAPI document is made from these schemas, so a field that is not here does not exist for clients.
"""

import re
from collections.abc import Mapping
from typing import Any, Literal

from flask import url_for
from marshmallow import RAISE, Schema, ValidationError, fields, post_load, pre_dump, validate, validates_schema

from musicgen import service, track_files
from musicgen.database import Track
from musicgen.notation import Key, TimeSignature
from musicgen.options import (
    DEFAULT_DURATION_S,
    MAX_DURATION_S,
    MAX_SEED,
    MAX_TEMPO,
    MIN_DURATION_S,
    MIN_TEMPO,
    FollowUp,
    GenerationOptions,
)
from musicgen.web.fields import Between, Notation, Pattern, StrictBoolean, StrictInteger, StrictNumber, Text, TextLength

MAX_LYRICS_CHARS = 10_000
MAX_TITLE_CHARS = 200
MAX_NAME_CHARS = 64
RELATIONS: tuple[Literal["variation_of"], Literal["extend"]] = ("variation_of", "extend")
# Folders of an absolute path, also behind "~" or a drive letter; a URL's are left alone.
PATH_FOLDERS = re.compile(r"""(?<![\w:/.\\])(?:~|[A-Za-z]:)?[\\/](?:[^\\/\s'":]+[\\/])+""")


def without_folders(text: str) -> str:
    """Shorten absolute paths in a message to the file's name: where things lie is nobody's business outside."""
    return PATH_FOLDERS.sub("", text)


class Reason(fields.String):
    """A sentence that was written for the operator, made fit for everybody."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        text = super()._serialize(value, attr, obj, **kwargs)
        return without_folders(text) if text else text


def _about(description: str, example: Any = None) -> dict[str, Any]:
    return {"description": description} | ({} if example is None else {"example": example})


class GenerationRequestSchema(Schema):
    """What a client may ask for; null stands for a field left out."""

    class Meta:
        """An unknown field is an error: the person meant something by it."""

        unknown = RAISE

    error_messages = {  # noqa: RUF012 - marshmallow declares it as an instance's
        "type": 'Must be a JSON object, like {"prompt": "calm piano in D minor"}.',
        "unknown": "There is no such field. Remove it, or look for its name in /api/docs.",
    }

    prompt = Text(
        allow_none=True,
        single_line=False,
        validate=TextLength("MAX_PROMPT_CHARS"),
        metadata=_about(
            "The music in words; may be left out only with `variation_of` or `extend`.", "calm piano in D minor, 70 bpm"
        ),
    )
    duration = StrictNumber(
        allow_none=True,
        validate=Between(MIN_DURATION_S, MAX_DURATION_S, "seconds"),
        metadata=_about("Length of the track, seconds.", 30) | {"default": DEFAULT_DURATION_S},
    )
    seed = StrictInteger(
        allow_none=True,
        validate=Between(0, MAX_SEED),
        metadata=_about("Equal seeds and options give equal tracks; one is drawn when left out.", 42),
    )
    model = Text(
        allow_none=True,
        validate=TextLength(MAX_NAME_CHARS),
        metadata=_about("Name of an engine from /api/models; the configured one when left out.", "composer"),
    )
    tempo = StrictNumber(
        allow_none=True,
        validate=Between(MIN_TEMPO, MAX_TEMPO, "quarter notes a minute"),
        metadata=_about("Quarter notes a minute.", 120),
    )
    key = Notation(Key.parse, allow_none=True, metadata=_about("Tonic and mode.", "D minor"))
    time_signature = Notation(
        TimeSignature.parse, allow_none=True, metadata=_about("2 to 12 quarters or eighths.", "3/4")
    )
    instrumental = StrictBoolean(allow_none=True, metadata=_about("true forbids a voice."))
    lyrics = Text(
        allow_none=True,
        single_line=False,
        validate=TextLength(MAX_LYRICS_CHARS),
        metadata=_about("Words to sing, for engines that can."),
    )
    language = Text(
        allow_none=True,
        validate=Pattern(
            r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8}){0,3}$",
            error="is not a language code; write one like 'en' or 'pt-BR'.",
        ),
        metadata=_about("BCP 47 code of prompt and lyrics.", "en"),
    )
    title = Text(
        allow_none=True,
        validate=TextLength(MAX_TITLE_CHARS),
        metadata=_about("Name of the track; the engine finds one when left out.", "Rain on the Roof"),
    )

    plan = fields.Dict(
        keys=fields.String(),
        allow_none=True,
        error_messages={"invalid": "Must be a JSON object, like the `plan` that POST /api/plan answers."},
        metadata=_about(
            "The `plan` of POST /api/plan, changed or not; it decides duration, tempo, key, form and band."
        ),
    )

    stems = StrictBoolean(allow_none=True, metadata=_about("true asks for each part in a WAV of its own."))

    variation_of = Text(
        allow_none=True,
        validate=TextLength(MAX_NAME_CHARS),
        metadata=_about("`track_id` of a track: the same request with a new seed, and whatever else is asked here."),
    )
    extend = Text(
        allow_none=True,
        validate=TextLength(MAX_NAME_CHARS),
        metadata=_about("`track_id` of a track: a version of `duration` that begins the same and goes on."),
    )

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def check_beginning(self, _data: dict[str, Any], original: Any, **_: Any) -> None:
        """Ask for a prompt or a track to begin with.

        Raises:
            ValidationError: there is neither, or there are two tracks.
        """
        if not isinstance(original, Mapping):
            return
        relations = [name for name in RELATIONS if original.get(name) is not None]
        if len(relations) == 2:
            raise ValidationError("Leave one away: a track is a variation or an extension.", "extend")
        if not relations and original.get("prompt") is None:
            raise ValidationError("Missing. Describe the music you want in words.", "prompt")

    @post_load
    def make_options(self, data: dict[str, Any], **_: Any) -> GenerationOptions | FollowUp:
        """Turn the checked fields into options; the options' own defaults stand for what was left out."""
        asked = {name: value for name, value in data.items() if value is not None}
        for relation in RELATIONS:
            if relation in asked:
                return FollowUp(relation, asked.pop(relation), asked)
        return GenerationOptions(**asked)


class PlanSchema(Schema):
    """What would be made of a request; `seed` and `plan` of a new request make exactly this."""

    prompt = fields.String(required=True)
    seed = fields.Integer(required=True)
    model = fields.String(required=True, metadata=_about("The engine that planned.", "composer"))
    title = fields.String(required=True)
    plan = fields.Dict(
        required=True,
        metadata=_about(
            "style, tempo, key, time_signature, duration, sections (name, material, bars, energy, melody, and chords: "
            "a text for each bar), last_chord, band (role, instrument). What is left out is planned anew."
        ),
    )
    understanding = fields.Dict(required=True, metadata=_about("What the engine took from the prompt."))
    notes = fields.List(
        fields.String(), required=True, metadata=_about("Sentences on what was asked and cannot be done.")
    )


class TrackSchema(Schema):
    """One track as clients see it; null where something is unknown, not yet made, or gone."""

    track_id = fields.String(required=True, metadata=_about("Name of the track in every call."))
    status = fields.String(
        required=True, validate=validate.OneOf(("running", "done", "failed", "cancelled")), metadata=_about("State.")
    )
    title = fields.String(required=True, allow_none=True)
    audio_url = fields.String(
        required=True, allow_none=True, metadata=_about("The main audio file; null when it is gone.")
    )
    formats = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        required=True,
        metadata=_about("Format -> URL, of every file that exists.", {"mp3": "/output/0123.mp3"}),
    )
    stems = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        required=True,
        metadata=_about("Part -> URL, where stems were asked for.", {"bass": "/output/0123.bass.wav"}),
    )
    duration = fields.Float(required=True, allow_none=True, metadata=_about("Rendered length, seconds."))
    created_at = fields.DateTime(required=True, format="iso", metadata=_about("UTC."))
    prompt = fields.String(required=True)
    language = fields.String(required=True, allow_none=True)
    model = fields.String(required=True)
    device = fields.String(required=True, allow_none=True, metadata=_about("Torch device that made it.", "cpu"))
    seed = fields.Integer(required=True)
    tempo = fields.Float(required=True, allow_none=True, metadata=_about("Quarter notes a minute."))
    key = fields.String(required=True, allow_none=True)
    time_signature = fields.String(required=True, allow_none=True)
    file_size = fields.Integer(
        required=True, allow_none=True, metadata=_about("Bytes of the main audio file; null when it is gone.")
    )
    sha256 = fields.String(required=True, allow_none=True, metadata=_about("Of the main audio file, hexadecimal."))
    loudness_lufs = fields.Float(required=True, allow_none=True, metadata=_about("Integrated; null for silence."))
    understanding = fields.Dict(required=True, metadata=_about("What the engine took from the prompt."))
    notes = fields.List(
        fields.String(), required=True, metadata=_about("Sentences on what was asked and could not be done.")
    )
    plan = fields.Dict(
        required=True, allow_none=True, metadata=_about("What was decided; a new request takes it back as `plan`.")
    )
    job_id = fields.String(required=True)
    timings = fields.Dict(
        keys=fields.String(), values=fields.Float(), required=True, metadata=_about("Stage -> seconds.")
    )
    error = Reason(required=True, allow_none=True, metadata=_about("Why the generation failed."))

    @pre_dump
    def from_track(self, track: Track, **_: Any) -> dict[str, Any]:
        """Gather the values of every field from the track, its job and the files that exist."""
        names = {name for name in self.fields if hasattr(track, name)}
        main_path = service.audio_path(track)
        return {name: getattr(track, name) for name in names} | {
            "track_id": track.id,
            "audio_url": _file_url(track.main_file) if main_path and track.main_file else None,
            "formats": {
                name: _file_url(file_name)
                for name, file_name in track.formats.items()
                if service.audio_path(track, name)
            },
            "stems": {
                name: _file_url(file_name)
                for name, file_name in track.stems.items()
                if (track_files.output_dir() / file_name).is_file()
            },
            "file_size": track.file_size if main_path else None,
            "job_id": track.job.id,
            "timings": track.job.timings,
            "error": track.job.error,
        }


def _file_url(file_name: str) -> str:
    return url_for("delivery.output", file_name=file_name)


class ModelSchema(Schema):
    """One engine, ready or not."""

    name = fields.String(required=True, metadata=_about("What `model` in a request calls it.", "composer"))
    description = fields.String(required=True)
    ready = fields.Boolean(required=True)
    reason = Reason(required=True, allow_none=True, metadata=_about("What is missing, where it is not ready."))
    default = fields.Boolean(required=True, metadata=_about("Whether requests that name no model get it."))
    max_duration = fields.Float(required=True, metadata=_about("Longest track, seconds."))
    supports_seed = fields.Boolean(required=True)
    supports_lyrics = fields.Boolean(required=True)
    supports_plan = fields.Boolean(required=True, metadata=_about("Whether POST /api/plan and `plan` work with it."))
    weights_licence = fields.String(required=True)


class ErrorSchema(Schema):
    """Every answer that is not a success."""

    code = fields.Integer(required=True, metadata=_about("HTTP status code.", 422))
    status = fields.String(required=True, metadata=_about("Its reason phrase.", "Unprocessable Entity"))
    message = fields.String(required=True, metadata=_about("What was wrong and what to do."))
    errors = fields.Dict(
        keys=fields.String(),
        values=fields.List(fields.String()),
        required=True,
        metadata=_about("Field -> what is wrong with it; empty where no field is to blame."),
    )
    request_id = fields.String(required=True, metadata=_about("The X-Request-ID of this answer; quote it."))


class HealthSchema(Schema):
    """What a monitor wants to know."""

    status = fields.String(required=True, metadata=_about("ok, or the reason phrase of a failure.", "ok"))
    version = fields.String(required=True)
    database = fields.Boolean(required=True, metadata=_about("Whether it can be reached and has its tables."))
    output_writable = fields.Boolean(required=True, metadata=_about("Whether the output folder takes files."))
    model = fields.String(required=True, metadata=_about("The engine of requests that name none.", "composer"))
    model_ready = fields.Boolean(required=True, metadata=_about("Whether that engine can run here."))
    model_state = fields.String(required=True, validate=validate.OneOf(("empty", "loading", "ready", "generating")))
    device = fields.String(required=True, allow_none=True, metadata=_about("null until the first generation."))


class UnhealthySchema(HealthSchema, ErrorSchema):
    """A health report that is an error, too."""


class IndexSchema(Schema):
    """Where an API client finds everything."""

    name = fields.String(required=True)
    version = fields.String(required=True)
    links = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
