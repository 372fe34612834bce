"""What the rest of musicgen may know of DiffRhythm without importing it. Standard library only, until it is asked."""

from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

from musicgen.diffrhythm.frames import LONGEST_S
from musicgen.diffrhythm.weights import (
    APACHE,
    ENGINE_NAME,
    FETCH_COMMAND,
    INSTALL_EXTRA,
    NETWORKS,
    NON_COMMERCIAL,
    OTHER_FILES,
    STABILITY,
    WeightsFile,
    is_here,
)
from musicgen.engine import EngineCard
from musicgen.options import GenerationOptions

# Packages of the extra without which no style can be read from a prompt.
NEEDED_PACKAGES = ("tokenizers",)


def _why_not_ready(weights_dir: Path) -> str | None:
    lacks = [package for package in NEEDED_PACKAGES if find_spec(package) is None]
    sentences = [
        *([f"The package {' and '.join(lacks)} is not installed: {INSTALL_EXTRA}."] if lacks else []),
        *_about_files(weights_dir / ENGINE_NAME),
    ]
    return " ".join(sentences) or None


def _about_files(folder: Path) -> Iterable[str]:
    missing = [_described(file) for file in OTHER_FILES if not is_here(folder, file)]
    if not any(is_here(folder, network) for network in NETWORKS):
        base, full = map(_described, NETWORKS)
        missing.insert(0, f"{base} for songs of 95 s or {full} for longer ones")
    if missing:
        yield f"MUSICGEN_WEIGHTS_DIR/{ENGINE_NAME} misses {'; '.join(missing)}."
        yield f"`{FETCH_COMMAND}` gets what is missing."


def _described(file: WeightsFile) -> str:
    return f"{file.path_in(Path()).as_posix()} ({file.page}, {file.licence})"


def _check(options: GenerationOptions, weights_dir: Path) -> None:
    # What reads lyrics is imported when somebody asks for a song.
    from musicgen.diffrhythm.request import read_request

    read_request(options, weights_dir / ENGINE_NAME)


CARD = EngineCard(
    name=ENGINE_NAME,
    description=(
        f"Sings given lyrics, or plays, up to {LONGEST_S} s in one go; open weights to download, made for a GPU."
    ),
    factory="musicgen.diffrhythm.engine:DiffRhythmEngine",
    max_duration_s=float(LONGEST_S),
    supports_seed=True,
    supports_lyrics=True,
    weights_licence=(
        f"networks (and the code they come from) {APACHE}; VAE {STABILITY}; "
        f"MuQ style encoder {NON_COMMERCIAL}, no commercial use"
    ),
    why_not_ready=_why_not_ready,
    supports_style_audio=True,
    supports_editing=True,
    check=_check,
    fetcher="musicgen.diffrhythm.fetch:downloads",
)
