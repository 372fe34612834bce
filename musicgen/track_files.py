"""The files of a track in OUTPUT_DIR: their names, the room for them, and how they go away.

A file is written under a hidden name first, which ends in `.part`, and renamed when it is complete; so whatever has
its final name is whole. Knows nothing of audio or of the database.
"""

import shutil
from pathlib import Path

from flask import current_app

from musicgen.errors import StorageFull

BYTES_PER_MB = 1_000_000


def output_dir() -> Path:
    """Return the folder of the rendered tracks as an absolute path; make it where it is missing.

    Raises:
        OSError: the folder cannot be made.
    """
    folder = Path(current_app.config["OUTPUT_DIR"]).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def file_name(track_id: str, format_name: str) -> str:
    """Name a track's file in one format ("mp3"); formats are called like their extensions."""
    return f"{track_id}.{format_name}"


def partial_path(track_id: str, format_name: str) -> Path:
    """Say where a file lies until it is complete; the final name is in the same folder."""
    return output_dir() / f".{file_name(track_id, format_name)}.part"


def complete(partial: Path) -> None:
    """Give a file that is whole now its final name."""
    partial.replace(partial.with_name(partial.name.removeprefix(".").removesuffix(".part")))


def lock_path(track_id: str) -> Path:
    """Say which file is locked while a file of a track that is done is made."""
    return output_dir() / f".{track_id}.lock"


def remove_files(track_id: str) -> None:
    """Remove every file of a track, complete or not; a missing one is no error."""
    folder = output_dir()
    for pattern in (f"{track_id}.*", f".{track_id}.*"):
        for path in folder.glob(pattern):
            path.unlink(missing_ok=True)


def remove_partial_files(track_id: str) -> None:
    """Remove the files of a track that are not complete."""
    for path in output_dir().glob(f".{track_id}.*.part"):
        path.unlink(missing_ok=True)


def check_free_space() -> None:
    """Make sure that the disk of OUTPUT_DIR has the room that MIN_FREE_DISK_MB asks for.

    Raises:
        StorageFull: it has less.
    """
    free_mb = shutil.disk_usage(output_dir()).free // BYTES_PER_MB
    wanted_mb = current_app.config["MIN_FREE_DISK_MB"]
    if free_mb < wanted_mb:
        raise StorageFull(
            f"The disk of the output folder has {free_mb} MB left and {wanted_mb} MB must stay free. "
            "Delete tracks, or lower MIN_FREE_DISK_MB."
        )
