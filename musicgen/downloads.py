"""Large files from the web: found out about first, then brought piece by piece, so that nothing is fetched twice.

Owns one download: what is on the disk so far, going on after an interruption (in this process or a later one), and the
checks at the end. Knows neither engines nor the command line. What has come of a file lies beside its place until it is
whole and checked, under a name that holds the version, so that two versions are never mixed.
"""

import http.client
import shutil
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import sleep
from typing import BinaryIO

from musicgen.digests import git_blob_id, sha256
from musicgen.errors import MusicgenError

CHUNK_BYTES = 1 << 18
SHA256_DIGITS = 64
TIMEOUT_S = 30
# Pauses between attempts that bring nothing; after the last one it is for the person to go on.
RETRY_PAUSES_S = (1, 2, 4, 8, 16)
# Answers that may be another one in a moment.
PASSING_STATUSES = frozenset((408, 425, 429, 500, 502, 503, 504))
FREE_DISK_MARGIN_BYTES = 100_000_000

# Called with the bytes that are on the disk so far.
OnBytes = Callable[[int], None]


class DownloadFailed(MusicgenError):
    """A file cannot be had; the message says which, why and what to do."""


class ServerUnreachable(DownloadFailed):
    """A server does not answer, or stopped in the middle; later it may."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a file is to be had right now.

    Attributes:
        url: of the bytes; may hold for minutes only.
        version: changes whenever the bytes do.
        size: bytes; None where the server does not tell.
        digest: hexadecimal SHA-256, or git's SHA-1 of the file as a blob; None where the publisher tells none.
        headers: to send to that host, and to no other.
    """

    url: str
    version: str
    size: int | None = None
    digest: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


def _anything(_path: Path) -> str | None:
    return None


@dataclass(frozen=True, slots=True)
class Download:
    """A file that a person may want to have.

    Attributes:
        name: what people read.
        path: where it belongs.
        origin: the page that it comes from.
        licence: short name of its licence.
        terms: what the licence means, in a few words, and where it is to be read.
        found: where it is already; None where it is not.
        locate: asks the server where it is; raises DownloadFailed.
        fault: says what is wrong with a file that has come, None where it is good.
    """

    name: str
    path: Path
    origin: str
    licence: str
    terms: str
    found: Path | None
    locate: Callable[[], Source]
    fault: Callable[[Path], str | None] = _anything


@contextmanager
def only_one(lock_path: Path) -> Iterator[None]:
    """Keep other processes from downloading into the same folder meanwhile.

    Raises:
        DownloadFailed: one of them does so already.
    """
    from filelock import FileLock, Timeout

    lock_path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(lock_path, timeout=0):
            yield
    except Timeout:
        raise DownloadFailed(f"Another process is downloading into {lock_path.parent}; wait for it.") from None


def n_present(download: Download, source: Source) -> int:
    """Count the bytes of the file that an earlier, interrupted download left."""
    part = _part(download, source)
    return part.stat().st_size if part.is_file() else 0


def check_disk(folder: Path, n_bytes: int) -> None:
    """Make sure that `n_bytes` more fit on the disk of `folder`.

    Raises:
        DownloadFailed: they do not.
    """
    existing = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    free = shutil.disk_usage(existing).free
    if free < n_bytes + FREE_DISK_MARGIN_BYTES:
        raise DownloadFailed(
            f"{readable_size(n_bytes)} are to come and {readable_size(free)} are free on the disk of {folder}. "
            "Make room, or set MUSICGEN_WEIGHTS_DIR to another disk."
        )


def bring(download: Download, source: Source, on_bytes: OnBytes) -> None:
    """Download a file, going on where an earlier attempt stopped, check it, and put it into its place.

    Args:
        source: what `download.locate` said; it is asked again after an interruption.

    Raises:
        DownloadFailed: the server refuses it or does not answer any more, or the file is not what it should be.
        OSError: it cannot be written.
    """
    download.path.parent.mkdir(parents=True, exist_ok=True)
    n_fruitless = 0
    while True:
        n_before = n_present(download, source)
        try:
            _receive(download, source, on_bytes)
            break
        except ServerUnreachable as error:
            n_fruitless = 0 if n_present(download, source) > n_before else n_fruitless + 1
            if n_fruitless > len(RETRY_PAUSES_S):
                raise ServerUnreachable(f"{error} Run the same command again to go on where it stopped.") from error
            sleep(RETRY_PAUSES_S[max(0, n_fruitless - 1)])
            source = _relocated(download, source)
    _put_into_place(download, source)


def _relocated(download: Download, source: Source) -> Source:
    """Ask for the file again, as links expire; where nobody answers, the next attempt is made with the old one."""
    try:
        return download.locate()
    except ServerUnreachable:
        return source


def _receive(download: Download, source: Source, on_bytes: OnBytes) -> None:
    part = _part(download, source)
    _remove_parts(download, but=part)
    n_done = n_present(download, source)
    if source.size is not None and n_done >= source.size:
        on_bytes(source.size)
        return
    with _opened(download, source, n_done) as response:
        # A server that does not know ranges begins anew, and so does the file.
        n_done = n_done if response.status == http.HTTPStatus.PARTIAL_CONTENT else 0
        expected = _whole_size(response, n_done) if source.size is None else source.size
        with part.open("ab" if n_done else "wb") as file:
            n_done += _copy(download, response, file, lambda n_new: on_bytes(n_done + n_new))
    if expected is not None and n_done < expected:
        raise ServerUnreachable(f"{download.name} stopped after {readable_size(n_done)}: the connection was closed.")


def _copy(download: Download, response: http.client.HTTPResponse, file: BinaryIO, on_bytes: OnBytes) -> int:
    n_copied = 0
    while chunk := _read(download, response):
        file.write(chunk)
        n_copied += len(chunk)
        on_bytes(n_copied)
    return n_copied


def _read(download: Download, response: http.client.HTTPResponse) -> bytes:
    try:
        return response.read1(CHUNK_BYTES)
    except (OSError, http.client.HTTPException) as error:
        raise ServerUnreachable(f"{download.name} stopped: {error}.") from error


@contextmanager
def _opened(download: Download, source: Source, n_done: int) -> Iterator[http.client.HTTPResponse]:
    from musicgen import __version__

    request = urllib.request.Request(source.url, headers={"User-Agent": f"musicgen/{__version__}"})
    for name, value in source.headers.items():
        request.add_unredirected_header(name, value)
    if n_done:
        request.add_header("Range", f"bytes={n_done}-")
    try:
        response = urllib.request.urlopen(request, timeout=TIMEOUT_S)
    except urllib.error.HTTPError as error:
        raise _refused(download, source, error) from error
    except (OSError, http.client.HTTPException) as error:
        raise ServerUnreachable(f"{download.name}: {download.origin} cannot be reached: {_words(error)}.") from error
    with response:
        yield response


def _refused(download: Download, source: Source, error: urllib.error.HTTPError) -> DownloadFailed:
    if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
        # What is here is longer than the file: it was never a part of it.
        _part(download, source).unlink(missing_ok=True)
        return ServerUnreachable(f"{download.name} has to be begun anew.")
    message = f"{download.name}: {download.origin} answers {error.code} {error.reason}."
    # A link that has expired is asked for again, like an answer that may pass.
    is_expired = error.code in (401, 403) and n_present(download, source) > 0
    return ServerUnreachable(message) if is_expired or error.code in PASSING_STATUSES else DownloadFailed(message)


def _whole_size(response: http.client.HTTPResponse, n_done: int) -> int | None:
    length = response.headers.get("Content-Length")
    return n_done + int(length) if length and length.isdecimal() else None


def _put_into_place(download: Download, source: Source) -> None:
    part = _part(download, source)
    fault = _difference(part, source) or download.fault(part)
    if fault:
        part.unlink()
        raise DownloadFailed(
            f"{download.name} came from {download.origin} and {fault}; it was thrown away. Run the same command again."
        )
    part.replace(download.path)


def _difference(part: Path, source: Source) -> str | None:
    n_bytes = part.stat().st_size
    if source.size is not None and n_bytes != source.size:
        return f"has {n_bytes:,} bytes instead of {source.size:,}"
    if source.digest is None:
        return None
    digest = sha256(part) if len(source.digest) == SHA256_DIGITS else git_blob_id(part)
    return None if digest == source.digest else f"is damaged: its digest is {digest}, not {source.digest}"


def _part(download: Download, source: Source) -> Path:
    return download.path.with_name(f"{download.path.name}.{source.version[:12]}.part")


def _remove_parts(download: Download, but: Path) -> None:
    """Remove what is left of other versions of the file."""
    for part in download.path.parent.glob(f"{download.path.name}.*.part"):
        if part != but:
            part.unlink()


def readable_size(n_bytes: int) -> str:
    """Write a number of bytes for people: "9.1 MB"."""
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if n_bytes >= size:
            return f"{n_bytes / size:.1f} {unit}"
    return f"{n_bytes} bytes"


def total_size(sources: Iterable[Source]) -> int:
    """Add up the sizes that are known, bytes."""
    return sum(source.size or 0 for source in sources)


def _words(error: Exception) -> str:
    reason = getattr(error, "reason", error)
    return str(getattr(reason, "strerror", None) or reason or type(error).__name__).rstrip(".")
