"""Digests of files, hexadecimal: SHA-256, and the name that git gives a file's content."""

import hashlib
from pathlib import Path

CHUNK_BYTES = 1 << 18


def sha256(path: Path) -> str:
    """Return a file's SHA-256."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def git_blob_id(path: Path) -> str:
    """Return the SHA-1 of a file as git stores it, a blob."""
    digest = hashlib.sha1(b"blob %d\0" % path.stat().st_size, usedforsecurity=False)
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
