"""Rendered files, and nothing that is not one of ours."""

import re
from pathlib import Path

import sqlalchemy as sa
from flask import Response, send_from_directory
from werkzeug.exceptions import NotFound

from musicgen import later_files, service, track_files
from musicgen.errors import TrackNotFound
from musicgen.web.blueprint import ApiBlueprint

# Python's own table depends on the machine's files.
MEDIA_TYPES = {
    ".mp3": "audio/mpeg",
    ".wav": "audio/wav",
    ".flac": "audio/flac",
    ".ogg": "audio/ogg",
    ".mid": "audio/midi",
    ".musicxml": "application/vnd.recordare.musicxml+xml",
    ".json": "application/json",
    ".png": "image/png",
}
BINARY = {"type": "string", "format": "binary"}
# No folders, no hidden files: those are not complete yet.
SERVED_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")
# What some file systems do not take in a name.
UNSAFE_IN_NAMES = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*]+')

blueprint = ApiBlueprint("delivery", __name__, description="Rendered files")


@blueprint.get("/output/<file_name>")
@blueprint.response(200, BINARY, content_type="audio/*", description="The whole file")
@blueprint.alt_response(206, schema=BINARY, content_type="audio/*", description="The part that Range asks for")
@blueprint.alt_response(304, description="The client's copy is still right")
@blueprint.fails_with(404, 410, 416, 503, 507)
def output(file_name: str) -> Response:
    """Get a rendered file, whole or in part

    Formats that were not stored, peaks and pictures are made when they are asked for the first time.
    """
    folder = track_files.output_dir()
    path = folder / file_name
    if not SERVED_NAME.fullmatch(file_name) or not path.resolve().is_relative_to(folder.resolve()):
        raise NotFound(f"There is no file {file_name!r}.")
    later_files.make(file_name)
    return send_from_directory(
        folder,
        file_name,
        mimetype=MEDIA_TYPES.get(path.suffix, "application/octet-stream"),
        download_name=_download_name(path),
    )


def _download_name(path: Path) -> str:
    """Name a file after its track's title; a file must also be had when the database cannot be."""
    # "0123.mp3", or "0123.bass.wav" for a stem.
    track_id, _, end = path.name.partition(".")
    try:
        title = service.find_track(track_id).title
    except (TrackNotFound, sa.exc.SQLAlchemyError):
        return path.name
    words = " ".join(UNSAFE_IN_NAMES.sub(" ", title or "").split()).strip(".")
    return f"{words}.{end}" if words else path.name
