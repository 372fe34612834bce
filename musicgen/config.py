"""Every setting: its name (also the environment variable), default, unit and meaning.

The only module that reads the environment.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

AUDIO_FORMAT_NAMES = ("wav", "mp3", "flac", "ogg")


@dataclass(frozen=True, slots=True)
class Setting:
    """One thing an operator may set.

    Attributes:
        name: environment variable and key in `app.config`.
        default: the text that stands for the variable where it is not set.
        meaning: a sentence for the README's table, with the unit.
        parse: turns the text into the value; raises ValueError on nonsense.
    """

    name: str
    default: str
    meaning: str
    parse: Callable[[str], Any] = str


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _count(text: str) -> int:
    number = int(text)
    if number < 0:
        raise ValueError(f"{number} is negative")
    return number


def _device(text: str) -> str:
    if text not in ("auto", "cuda", "mps", "cpu"):
        raise ValueError(f"{text!r} is none of auto, cuda, mps, cpu")
    return text


def _precision(text: str) -> str:
    if text not in ("auto", "bf16", "fp16", "fp32"):
        raise ValueError(f"{text!r} is none of auto, bf16, fp16, fp32")
    return text


def _audio_formats(text: str) -> tuple[str, ...]:
    names = _words(text)
    unknown = [name for name in names if name not in AUDIO_FORMAT_NAMES]
    if unknown or not names:
        raise ValueError(f"name some of {', '.join(AUDIO_FORMAT_NAMES)}, separated by commas, not {text!r}")
    return tuple(name for name in AUDIO_FORMAT_NAMES if name in names)


SETTINGS = (
    Setting(
        "OUTPUT_DIR",
        "output",
        "Folder of the rendered tracks, absolute or below the working directory.",
        Path,
    ),
    Setting(
        "DATABASE_URL",
        "",
        "Any SQLAlchemy URL; empty: SQLite (WAL), `musicgen.sqlite` in the instance folder.",
    ),
    Setting(
        "CORS_ALLOW_ORIGINS",
        "http://localhost:3000,http://localhost:5173",
        "Origins, separated by commas, whose pages may call the API with credentials.",
        _words,
    ),
    Setting("PORT", "8000", "TCP port of `make serve` and `make dev`.", _count),
    Setting("MUSICGEN_MODEL", "composer", "Engine of requests that name none; `flask models` lists them."),
    Setting(
        "MUSICGEN_DEVICE",
        "auto",
        "Torch device: `auto` (first of cuda, mps, cpu), `cuda`, `mps` or `cpu`.",
        _device,
    ),
    Setting(
        "MUSICGEN_PRECISION",
        "auto",
        "Number format of large networks: `auto` (bf16, on MPS fp32), `bf16`, `fp16` (on GPUs only) or `fp32`.",
        _precision,
    ),
    Setting(
        "MUSICGEN_WEIGHTS_DIR",
        "weights",
        "Folder of downloaded weights, a subfolder for each engine.",
        Path,
    ),
    Setting(
        "KEEP_FORMATS",
        "wav,mp3",
        "Audio formats, separated by commas, that every generation stores; the others are made when asked for.",
        _audio_formats,
    ),
    Setting("MAX_BODY_BYTES", "1000000", "Largest accepted request body, bytes.", _count),
    Setting("MAX_PROMPT_CHARS", "2000", "Longest accepted prompt, characters.", _count),
    Setting(
        "MAX_WAITING",
        "4",
        "Requests that may wait in each worker while it generates; the next gets 503.",
        _count,
    ),
    Setting(
        "MIN_FREE_DISK_MB",
        "200",
        "Megabytes that must stay free on OUTPUT_DIR's disk.",
        _count,
    ),
)


def load_config(environ: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """Read every setting from the environment; an empty variable counts as not set.

    Raises:
        ValueError: a variable has a value that makes no sense; the message names both.
    """
    config = {}
    for setting in SETTINGS:
        text = environ.get(setting.name) or setting.default
        try:
            config[setting.name] = setting.parse(text)
        except ValueError as error:
            raise ValueError(f"{setting.name}={text!r}: {error}") from error
    return config
