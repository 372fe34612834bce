"""What a client sees of a track, and of the plan of one."""

from typing import Any

from flask import url_for
from marshmallow import RAISE, Schema, fields, pre_dump, validate

from musicgen import later_files, service, track_files
from musicgen.database import Track
from musicgen.web.fields import SearchWords, Text, TextLength
from musicgen.web.schemas.request import MAX_TITLE_CHARS
from musicgen.web.schemas.wording import Reason, Rounded, about

MAX_SEARCH_CHARS = 200


class PlanSchema(Schema):
    """What would be made of a request; `seed` and `plan` of a new request make exactly this."""

    prompt = fields.String(required=True)
    seed = fields.Integer(required=True)
    model = fields.String(required=True, metadata=about("The engine that planned.", "composer"))
    title = fields.String(required=True)
    plan = fields.Dict(
        required=True,
        metadata=about(
            "style, tempo, key, time_signature, duration, sections (name, material, bars, energy, to_energy, melody, "
            "texture, variations, exit, lift, from_bar, over, and chords: a text for each bar), close, last_chord, "
            "band (role, instrument). What is left out is planned anew."
        ),
    )
    understanding = fields.Dict(required=True, metadata=about("What the engine took from the prompt."))
    notes = fields.List(
        fields.String(), required=True, metadata=about("Sentences on what was asked and cannot be done.")
    )


class ProgressSchema(Schema):
    """The data of a `progress` event: how far a generation is."""

    track_id = fields.String(required=True, metadata=about("The track that is being made."))
    stage = fields.String(required=True, metadata=about("What is being done.", "render"))
    fraction = Rounded(3, required=True, metadata=about("Share of the time that has passed, 0 to 1.", 0.4))
    seconds_left = Rounded(
        1, required=True, allow_none=True, metadata=about("Learned from past tracks; null while unknown.", 2.5)
    )


class ListedTrackSchema(Schema):
    """One track as a list of tracks shows it; null where something is unknown, not yet made, or gone."""

    track_id = fields.String(required=True, metadata=about("Name of the track in every call."))
    status = fields.String(
        required=True, validate=validate.OneOf(("running", "done", "failed", "cancelled")), metadata=about("State.")
    )
    title = fields.String(required=True, allow_none=True)
    audio_url = fields.String(
        required=True, allow_none=True, metadata=about("The main audio file; null when it is gone.")
    )
    formats = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        required=True,
        metadata=about(
            "Format -> URL, of every file that can be had; audio that is not stored is made when it is asked for.",
            {"mp3": "/output/0123.mp3"},
        ),
    )
    peaks_url = fields.String(
        required=True,
        allow_none=True,
        metadata=about("Peaks to draw a waveform from: JSON as audiowaveform writes it."),
    )
    waveform_url = fields.String(required=True, allow_none=True, metadata=about("A picture of the waveform, PNG."))
    spectrogram_url = fields.String(required=True, allow_none=True, metadata=about("A picture of the spectrum, PNG."))
    stems = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        required=True,
        metadata=about("Part -> URL, where stems were asked for.", {"bass": "/output/0123.bass.wav"}),
    )
    duration = fields.Float(required=True, allow_none=True, metadata=about("Rendered length, seconds."))
    created_at = fields.DateTime(required=True, format="iso", metadata=about("UTC."))
    prompt = fields.String(required=True)
    language = fields.String(required=True, allow_none=True)
    model = fields.String(required=True)
    device = fields.String(required=True, allow_none=True, metadata=about("Torch device that made it.", "cpu"))
    seed = fields.Integer(required=True)
    tempo = fields.Float(required=True, allow_none=True, metadata=about("Quarter notes a minute."))
    key = fields.String(required=True, allow_none=True)
    time_signature = fields.String(required=True, allow_none=True)
    file_size = fields.Integer(
        required=True, allow_none=True, metadata=about("Bytes of the main audio file; null when it is gone.")
    )
    sha256 = fields.String(required=True, allow_none=True, metadata=about("Of the main audio file, hexadecimal."))
    loudness_lufs = fields.Float(required=True, allow_none=True, metadata=about("Integrated; null for silence."))
    understanding = fields.Dict(required=True, metadata=about("What the engine took from the prompt."))
    notes = fields.List(
        fields.String(), required=True, metadata=about("Sentences on what was asked and could not be done.")
    )
    job_id = fields.String(required=True)
    timings = fields.Dict(
        keys=fields.String(), values=fields.Float(), required=True, metadata=about("Stage -> seconds.")
    )
    error = Reason(required=True, allow_none=True, metadata=about("Why the generation failed."))

    @pre_dump
    def from_track(self, track: Track, **_: Any) -> dict[str, Any]:
        """Gather the values of every field from the track, its job and the files that exist."""
        names = {name for name in self.fields if hasattr(track, name)}
        main_path = service.audio_path(track)
        views = {view: _file_url(file_name) for view, file_name in later_files.views_of(track).items()}
        return {name: getattr(track, name) for name in names} | {
            "track_id": track.id,
            "audio_url": _file_url(track.main_file) if main_path and track.main_file else None,
            "formats": {name: _file_url(file_name) for name, file_name in later_files.formats_of(track).items()},
            "peaks_url": views.get(later_files.PEAKS),
            "waveform_url": views.get(later_files.WAVEFORM),
            "spectrogram_url": views.get(later_files.SPECTROGRAM),
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


class TrackSchema(ListedTrackSchema):
    """One track, with its plan, which takes kilobytes."""

    plan = fields.Dict(
        required=True, allow_none=True, metadata=about("What was decided; a new request takes it back as `plan`.")
    )


class TrackQuerySchema(Schema):
    """Which tracks are meant."""

    search = SearchWords(
        validate=TextLength(MAX_SEARCH_CHARS),
        metadata=about("Words that title or prompt of a track have, all of them, in whatever case.", "rainy night"),
    )


class TrackChangesSchema(Schema):
    """What of a track can be changed."""

    class Meta:
        """An unknown field is an error: the person meant something by it."""

        unknown = RAISE

    error_messages = {  # noqa: RUF012 - marshmallow declares it as an instance's
        "type": 'Must be a JSON object, like {"title": "Rain on the Roof"}.',
        "unknown": "This cannot be changed. Remove it, or make another track.",
    }

    title = Text(
        required=True,
        validate=TextLength(MAX_TITLE_CHARS),
        error_messages={
            "required": "Missing. Say what the track shall be called.",
            "null": "Must be a text, not null.",
        },
        metadata=about("Name of the track.", "Rain on the Roof"),
    )


def _file_url(file_name: str) -> str:
    return url_for("delivery.output", file_name=file_name)
