"""What a client may know of the engines and of their styles."""

from marshmallow import Schema, fields

from musicgen.web.schemas.wording import Reason, about


class ModelSchema(Schema):
    """One engine, ready or not."""

    name = fields.String(required=True, metadata=about("What `model` in a request calls it.", "composer"))
    description = fields.String(required=True)
    ready = fields.Boolean(required=True)
    reason = Reason(required=True, allow_none=True, metadata=about("What is missing, where it is not ready."))
    default = fields.Boolean(required=True, metadata=about("Whether requests that name no model get it."))
    max_duration = fields.Float(required=True, metadata=about("Longest track, seconds."))
    supports_seed = fields.Boolean(required=True)
    supports_lyrics = fields.Boolean(required=True)
    supports_plan = fields.Boolean(required=True, metadata=about("Whether POST /api/plan and `plan` work with it."))
    supports_style_audio = fields.Boolean(required=True, metadata=about("Whether it takes `style_audio`."))
    supports_editing = fields.Boolean(required=True, metadata=about("Whether it takes `of` and `regenerate`."))
    weights_licence = fields.String(required=True)


class EngineQuerySchema(Schema):
    """Which engine is meant."""

    model = fields.String(metadata=about("Name of an engine from /api/models; the configured one when left out."))


class StyleSchema(Schema):
    """A style that prompts and plans may name."""

    name = fields.String(required=True, metadata=about("What `style` in a plan calls it.", "bossa_nova"))
    title = fields.String(required=True, metadata=about("What people read.", "Bossa nova"))
    words = fields.List(
        fields.String(), required=True, metadata=about("Words in a prompt that mean it, the plainest first.")
    )
    example = fields.String(
        required=True, metadata=about("A prompt that asks for it.", "bossa nova with flute, sunday morning")
    )
    tempo = fields.List(
        fields.Float(), required=True, metadata=about("Lowest and highest usual tempo, quarter notes a minute.")
    )
    modes = fields.List(fields.String(), required=True, metadata=about("The usual modes, most frequent first."))
    time_signature = fields.String(required=True, metadata=about("The usual one; others can be asked for.", "4/4"))
    swing = fields.Float(required=True, metadata=about("Where off-beats fall: 0.5 straight, 0.67 triplet."))
    swing_unit = fields.Float(required=True, metadata=about("What is swung: 0.5 eighths, 0.25 sixteenths."))
    energy = fields.Float(required=True, metadata=about("How lively it is where the prompt does not say, 0 to 1."))
    sections = fields.List(fields.String(), required=True, metadata=about("What a long piece is made of."))
    instruments = fields.Dict(
        keys=fields.String(),
        values=fields.List(fields.String()),
        required=True,
        metadata=about("Role -> the instruments that usually play it.", {"melody": ["flute", "tenor_sax"]}),
    )
