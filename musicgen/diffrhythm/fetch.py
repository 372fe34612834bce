"""Where each of DiffRhythm's files is downloaded from: the Hugging Face hub, and its source repository at one commit.

Knows what the hub says of a file (place, size, digest; HF_ENDPOINT, HF_TOKEN and the other settings of huggingface_hub
hold) and turns its refusals into advice. The bytes themselves are the business of `downloads`: huggingface_hub 2 throws
what it has away when it is stopped, gigabytes of it.
"""

from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from musicgen.diffrhythm.negative_style import STYLE_DIM, load_negative_style
from musicgen.diffrhythm.phonemes import load_vocabulary
from musicgen.diffrhythm.weights import (
    APACHE,
    ENGINE_NAME,
    FILES,
    INSTALL_EXTRA,
    MIT,
    NEGATIVE_STYLE,
    NON_COMMERCIAL,
    SOURCE_COMMIT,
    STABILITY,
    VOCABULARY,
    WeightsFile,
    local_path,
)
from musicgen.downloads import Download, DownloadFailed, ServerUnreachable, Source
from musicgen.errors import EngineUnavailable

GITHUB = "https://raw.githubusercontent.com"
HUB_TIMEOUT_S = 30
TERMS = {
    APACHE: "free for every use: https://www.apache.org/licenses/LICENSE-2.0",
    MIT: "free for every use: https://opensource.org/license/mit",
    STABILITY: "commercial use only below 1 million US$ of revenue a year: https://stability.ai/community-license-agreement",
    NON_COMMERCIAL: "no commercial use: https://creativecommons.org/licenses/by-nc/4.0/",
}


def downloads(weights_dir: Path) -> tuple[Download, ...]:
    """Return every file that the engine can use, here already or not, into MUSICGEN_WEIGHTS_DIR.

    Raises:
        EngineUnavailable: something is missing that only huggingface_hub finds, and that is not installed.
    """
    found = tuple(_download(weights_dir / ENGINE_NAME, file) for file in FILES)
    if find_spec("huggingface_hub") is None and any(download.found is None for download in found):
        raise EngineUnavailable(ENGINE_NAME, f"to download its files it needs huggingface_hub: {INSTALL_EXTRA}.")
    return found


def _download(folder: Path, file: WeightsFile) -> Download:
    path = file.path_in(folder)
    return Download(
        name=path.relative_to(folder).as_posix(),
        path=path,
        origin=file.page,
        licence=file.licence,
        terms=TERMS[file.licence],
        found=local_path(folder, file),
        locate=partial(_on_the_hub if file.source_path is None else _on_github, file),
        fault=FAULTS.get(file, _no_web_page),
    )


def _on_github(file: WeightsFile) -> Source:
    # A commit's files never change.
    return Source(f"{GITHUB}/{file.repository}/{SOURCE_COMMIT}/{file.source_path}", SOURCE_COMMIT)


def _on_the_hub(file: WeightsFile) -> Source:
    from huggingface_hub import constants, get_hf_file_metadata, hf_hub_url
    from huggingface_hub.utils import build_hf_headers

    # As the variable of this name, which is read once, on an import that may be over: nothing is told of this machine.
    constants.HF_HUB_DISABLE_TELEMETRY = True
    url = hf_hub_url(file.repository, file.name)
    try:
        known = get_hf_file_metadata(url, timeout=HUB_TIMEOUT_S)
    except Exception as error:  # those of the hub, and those of whichever HTTP library it uses
        raise _refusal(file, error) from error
    if known.etag is None:
        raise DownloadFailed(f"{url} is not what a Hugging Face hub answers (no ETag); check HF_ENDPOINT and proxies.")
    # Large files lie on other hosts, behind signed links: the person's token is not for those.
    headers = build_hf_headers() if urlsplit(known.location).netloc == urlsplit(url).netloc else {}
    return Source(known.location, known.etag, known.size, known.etag if _is_digest(known.etag) else None, headers)


def _is_digest(etag: str) -> bool:
    return len(etag) in (40, 64) and all(digit in "0123456789abcdef" for digit in etag)


def _refusal(file: WeightsFile, error: Exception) -> DownloadFailed:
    from huggingface_hub.errors import EntryNotFoundError, GatedRepoError, HfHubHTTPError, OfflineModeIsEnabled

    place = f"{file.name} of {file.page}"
    if isinstance(error, OfflineModeIsEnabled):
        return DownloadFailed(f"HF_HUB_OFFLINE is set, so {place} cannot be asked for. Unset it for this command.")
    if isinstance(error, GatedRepoError):
        return DownloadFailed(
            f"{place} is given to those only who agreed to its conditions: log in and do so on https://{file.page}, "
            "then set HF_TOKEN to a token of yours, or use `hf auth login`."
        )
    if isinstance(error, EntryNotFoundError):
        return DownloadFailed(f"{place} is not there any more (404). Look for it on https://{file.page}.")
    status = error.response.status_code if isinstance(error, HfHubHTTPError) else None
    if status in (401, 403, 404):
        return DownloadFailed(
            f"{place} is not given out ({status}): the repository is gone or private, or HF_TOKEN is not valid."
        )
    problem = f"answers {status}" if status else f"cannot be reached ({(str(error) or repr(error)).splitlines()[0]})"
    return ServerUnreachable(f"The hub {problem}, so {place} could not be asked for. Try again later.")


def _negative_style_fault(path: Path) -> str | None:
    try:
        load_negative_style(path)
    except EngineUnavailable:
        return f"is not a vector of {STYLE_DIM} numbers"
    return None


def _vocabulary_fault(path: Path) -> str | None:
    try:
        load_vocabulary(path)
    except EngineUnavailable:
        return "is not a vocabulary of phone symbols"
    return None


def _no_web_page(path: Path) -> str | None:
    """Find the page of a proxy or of a hotel's network where a file should be; the hub's own digest finds the rest."""
    with path.open("rb") as file:
        begin = file.read(64).lstrip().lower()
    return "is a web page" if begin.startswith((b"<!doctype html", b"<html")) else None


FAULTS: dict[WeightsFile, Callable[[Path], str | None]] = {
    NEGATIVE_STYLE: _negative_style_fault,
    VOCABULARY: _vocabulary_fault,
}
