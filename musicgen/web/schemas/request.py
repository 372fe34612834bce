"""What a client may ask for: JSON becomes `GenerationOptions`, or a mistake that names its field."""

from collections.abc import Mapping
from typing import Any, Literal

from marshmallow import RAISE, Schema, ValidationError, fields, post_load, validate, validates_schema

from musicgen.json_fields import Between, StrictBoolean, StrictInteger, StrictNumber
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
from musicgen.web.fields import Notation, Pattern, Segments, Text, TextLength
from musicgen.web.schemas.wording import about

MAX_LYRICS_CHARS = 10_000
MAX_TITLE_CHARS = 200
MAX_NAME_CHARS = 64
MAX_KEY_CHARS = 255
# A song of two minutes as MP3 of 128 kbps fits; MAX_BODY_BYTES comes first unless it is raised.
MAX_AUDIO_CHARS = 3_000_000
MAX_SEGMENTS = 20
RELATIONS: tuple[Literal["variation_of"], Literal["extend"], Literal["of"]] = ("variation_of", "extend", "of")


class GenerationHeadersSchema(Schema):
    """What a client may say about its request."""

    key = Text(
        data_key="Idempotency-Key",
        validate=(
            TextLength(MAX_KEY_CHARS),
            Pattern(r"^[!-~]+$", error="is not a key; draw one like 'f81d4fae-7dec-11d0-a765-00a0c91e6bf6'."),
        ),
        metadata=about(
            "A name for this request, drawn by the client: a retry with the same key gets the same track.",
            "f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
        ),
    )


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
        metadata=about(
            "The music in words; may be left out only with `variation_of`, `extend` or `of`.",
            "calm piano in D minor, 70 bpm",
        ),
    )
    duration = StrictNumber(
        allow_none=True,
        validate=Between(MIN_DURATION_S, MAX_DURATION_S, "seconds"),
        metadata=about("Length of the track, seconds.", 30) | {"default": DEFAULT_DURATION_S},
    )
    seed = StrictInteger(
        allow_none=True,
        validate=Between(0, MAX_SEED),
        metadata=about("Equal seeds and options give equal tracks; one is drawn when left out.", 42),
    )
    model = Text(
        allow_none=True,
        validate=TextLength(MAX_NAME_CHARS),
        metadata=about("Name of an engine from /api/models; the configured one when left out.", "composer"),
    )
    tempo = StrictNumber(
        allow_none=True,
        validate=Between(MIN_TEMPO, MAX_TEMPO, "quarter notes a minute"),
        metadata=about("Quarter notes a minute.", 120),
    )
    key = Notation(Key.parse, allow_none=True, metadata=about("Tonic and mode.", "D minor"))
    time_signature = Notation(
        TimeSignature.parse, allow_none=True, metadata=about("2 to 12 quarters or eighths.", "3/4")
    )
    instrumental = StrictBoolean(allow_none=True, metadata=about("true forbids a voice."))
    lyrics = Text(
        allow_none=True,
        single_line=False,
        validate=TextLength(MAX_LYRICS_CHARS),
        metadata=about("Words to sing, for engines that can."),
    )
    language = Text(
        allow_none=True,
        validate=Pattern(
            r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8}){0,3}$",
            error="is not a language code; write one like 'en' or 'pt-BR'.",
        ),
        metadata=about("BCP 47 code of prompt and lyrics.", "en"),
    )
    title = Text(
        allow_none=True,
        validate=TextLength(MAX_TITLE_CHARS),
        metadata=about("Name of the track; the engine finds one when left out.", "Rain on the Roof"),
    )

    plan = fields.Dict(
        keys=fields.String(),
        allow_none=True,
        error_messages={"invalid": "Must be a JSON object, like the `plan` that POST /api/plan answers."},
        metadata=about("The `plan` of POST /api/plan, changed or not; it decides duration, tempo, key, form and band."),
    )

    stems = StrictBoolean(allow_none=True, metadata=about("true asks for each part in a WAV of its own."))

    variation_of = Text(
        allow_none=True,
        validate=TextLength(MAX_NAME_CHARS),
        metadata=about("`track_id` of a track: the same request with a new seed, and whatever else is asked here."),
    )
    extend = Text(
        allow_none=True,
        validate=TextLength(MAX_NAME_CHARS),
        metadata=about("`track_id` of a track: a version of `duration` that begins the same and goes on."),
    )

    of = Text(
        allow_none=True,
        validate=TextLength(MAX_NAME_CHARS),
        metadata=about("`track_id` of a track, of which the parts in `regenerate` are made anew; the rest stays."),
    )
    regenerate = Segments(
        allow_none=True,
        validate=validate.Length(1, MAX_SEGMENTS, error=f"Name 1 to {MAX_SEGMENTS} parts, like [[30, 45]]."),
        error_messages={"invalid": "Must be a list of parts, like [[30, 45]] for the part from 30 to 45 seconds."},
        metadata=about("Parts of the track `of`, [start, end] in seconds each, like [[30, 45]]."),
    )
    style_audio = Text(
        allow_none=True,
        validate=TextLength(MAX_AUDIO_CHARS),
        metadata=about(
            "A recording whose sound the track shall have, for engines that can listen: a WAV, FLAC, OGG or MP3 file, "
            "base64; the 10 s in its middle are heard. It takes the place of the prompt as the style."
        ),
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
        if len(relations) > 1:
            raise ValidationError("Leave one away: a track is a variation, an extension or an edit.", relations[-1])
        if original.get("of") is not None and original.get("regenerate") is None:
            raise ValidationError("Missing. Say which parts of the track to make anew, like [[30, 45]].", "regenerate")
        if original.get("regenerate") is not None and original.get("of") is None:
            raise ValidationError("Missing. Say of which track: its `track_id`.", "of")
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
