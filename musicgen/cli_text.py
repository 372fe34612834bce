"""What the commands print: tracks, styles and models as plain text for people. Knows neither click nor the database."""

import math
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from musicgen.database import Track
from musicgen.downloads import Download, Source, readable_size, total_size
from musicgen.engine import StyleCard
from musicgen.model_list import ModelDescription
from musicgen.service import Progress, TrackPlan

TITLE_WIDTH = 40
# Sentences are broken at this width; columns are not.
TEXT_WIDTH = 100
# So many of a style's words stand in the list of styles; the plainest come first.
N_LISTED_WORDS = 3
# From this place of the off-beat in its pair on, it is heard as swing.
HEARD_SWING = 0.53
SWUNG_NOTES = {0.5: "eighths", 0.25: "sixteenths"}


def one_line(text: str | None, width: int | None = None) -> str:
    """Put a text on one line without control characters; cut it to `width` characters."""
    line = " ".join("".join(char if char.isprintable() else " " for char in text or "").split())
    return line if width is None or len(line) <= width else line[: width - 1] + "…"


def track_summary(track: Track, folder: Path) -> str:
    """Describe one track, a line for each thing there is to say; its files lie in `folder`."""
    lines = [
        ("track", track.id),
        ("title", one_line(track.title)),
        ("status", track.status + (f": {one_line(track.job.error)}" if track.job.error else "")),
        ("prompt", one_line(track.prompt)),
        ("music", ", ".join(_musical_facts(track))),
        *((f"  {name}", one_line(_plain(value))) for name, value in track.understanding.items()),
        ("made by", f"{track.model} on {track.device or 'no device yet'}, seed {track.seed}"),
        *((name, str(folder / file)) for name, file in track.formats.items()),
        *((f"  stem {name}", str(folder / file)) for name, file in track.stems.items()),
        *(("note", one_line(note)) for note in track.notes),
    ]
    return _aligned((name, text) for name, text in lines if text)


def plan_summary(planned: TrackPlan) -> str:
    """Describe what would be made of a request: what was understood, from which words, and what was decided."""
    understood = dict(planned.understanding.get("brief", {}))
    sources = understood.pop("sources", {})
    plan = dict(planned.plan)
    sections, band = plan.pop("sections", ()), plan.pop("band", ())
    lines = [
        ("prompt", one_line(planned.prompt)),
        ("title", one_line(planned.title)),
        ("seed", str(planned.seed)),
        *(
            (f"  {name}", one_line(f"{_plain(value)}{_source(sources.get(name))}"))
            for name, value in understood.items()
        ),
        ("  mix", _plain(planned.understanding.get("mix"))),
        *((name.replace("_", " "), one_line(_plain(value))) for name, value in plan.items()),
        *(
            (one_line(s["name"]), f"{s['bars']} bars, energy {s['energy']:g}: {' | '.join(s['chords'])}")
            for s in sections
        ),
        ("band", ", ".join(f"{player['instrument']} ({player['role']})" for player in band)),
        *(("note", one_line(note)) for note in planned.notes),
    ]
    return _aligned((name, text) for name, text in lines if text)


def _source(words: str | None) -> str:
    return f" (from the words: {words})" if words and words != "request" else " (asked)" if words else ""


def speed(track: Track) -> str:
    """Say how long the generation of a finished track took and how that compares with listening to it."""
    duration_s, elapsed_s = track.duration or 0.0, sum(track.job.timings.values())
    return f"Made {duration_s:.1f} s of music in {elapsed_s:.1f} s, {duration_s / elapsed_s:.1f} times real time."


def progress(now: Progress) -> str:
    """Say what is being done and, where it is known, how long it takes."""
    return now.stage if now.seconds_left is None else f"{now.stage}, {math.ceil(now.seconds_left)} s left"


def tracks_table(tracks: Iterable[Track]) -> str:
    """List tracks, one a line, under a heading."""
    heading = ("id", "created (UTC)", "status", "seconds", "tempo", "key", "model", "title")
    rows = [
        (
            track.id,
            f"{track.created_at:%Y-%m-%d %H:%M}",
            track.status,
            f"{track.duration or track.requested_duration:.1f}",
            f"{track.tempo:g}" if track.tempo else "-",
            track.key or "-",
            track.model,
            one_line(track.title or track.prompt, TITLE_WIDTH),
        )
        for track in tracks
    ]
    return table([heading, *rows])


def styles_table(styles: Iterable[StyleCard]) -> str:
    """List styles, one a line, under a heading."""
    heading = ("style", "tempo", "metre", "modes", "words in a prompt")
    rows = [
        (
            style.name,
            _tempos(style),
            style.time_signature,
            ", ".join(style.modes),
            ", ".join(style.words[:N_LISTED_WORDS]),
        )
        for style in styles
    ]
    return table([heading, *rows])


def style_summary(style: StyleCard) -> str:
    """Describe one style, a line for each thing there is to say."""
    is_swung = style.swing >= HEARD_SWING
    swing = f"swung {SWUNG_NOTES[style.swing_unit]}, {style.swing:g}" if is_swung else "straight"
    return _aligned(
        [
            ("style", style.name),
            ("title", style.title),
            ("words", ", ".join(style.words)),
            ("tempo", f"{_tempos(style)} quarter notes a minute"),
            ("metre", f"{style.time_signature}, {swing}"),
            ("modes", ", ".join(style.modes)),
            ("energy", f"{style.energy:g}"),
            ("sections", ", ".join(style.sections)),
            *((role, " or ".join(names)) for role, names in style.instruments.items()),
            ("try", f'flask generate "{style.example}"'),
        ]
    )


def _tempos(style: StyleCard) -> str:
    low, high = style.tempo
    return f"{low:g}-{high:g}"


def models_table(models: Iterable[ModelDescription]) -> str:
    """List engines, one a line, under a heading; below them the licences, and why some are not ready."""
    models = list(models)
    heading = ("model", "ready", "longest", "seeds", "lyrics", "")
    rows = [
        (
            model.name + (" (default)" if model.default else ""),
            _yes(model.ready),
            f"{model.max_duration:g} s",
            _yes(model.supports_seed),
            _yes(model.supports_lyrics),
            model.description,
        )
        for model in models
    ]
    licences = [_paragraph(f"{model.name}, licence of the weights: {model.weights_licence}") for model in models]
    reasons = [not_ready(model) for model in models if model.reason]
    return "\n".join([table([heading, *rows]), "", *licences, *(["", *reasons] if reasons else [])])


def not_ready(model: ModelDescription) -> str:
    """Say why an engine is not ready; of a long list each thing on a line of its own."""
    text = f"{model.name} is not ready: {model.reason}"
    if len(text) <= TEXT_WIDTH:
        return text
    return "\n".join(map(_paragraph, text.replace("; ", ";\n    ").splitlines()))


def _paragraph(text: str) -> str:
    return textwrap.fill(text, TEXT_WIDTH, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False)


def downloads_table(sources: Mapping[Download, Source]) -> str:
    """List what would be downloaded, one file a line, the total, and then the terms of each licence."""
    rows = [
        (download.name, readable_size(source.size) if source.size else "-", download.licence, download.origin)
        for download, source in sources.items()
    ]
    known = readable_size(total_size(sources.values()))
    total = f"{known} in all" + ("." if all(source.size for source in sources.values()) else ", where known.")
    terms = {download.licence: download.terms for download in sources}
    return "\n".join(
        [
            table([("file", "size", "licence", "from"), *rows]),
            total,
            "",
            "By using them you agree to their licences:",
            *(_paragraph(f"- {licence}: {meaning}") for licence, meaning in terms.items()),
        ]
    )


def transfer(n_bytes: int, size: int | None, per_s: float) -> str:
    """Say how much of a download is here, how fast it comes, and how long it takes, where that is known."""
    here = f"{readable_size(n_bytes)}{f' of {readable_size(size)}' if size else ''}, {readable_size(round(per_s))}/s"
    if not size or not per_s or n_bytes >= size:
        return here
    minutes, seconds = divmod(math.ceil(max(0, size - n_bytes) / per_s), 60)
    return f"{here}, {f'{minutes} min' if minutes else f'{seconds} s'} left"


def table(rows: Sequence[Sequence[str]]) -> str:
    """Align columns with two spaces between them."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _musical_facts(track: Track) -> list[str]:
    return [
        f"{track.duration or track.requested_duration:.1f} s",
        *([f"{track.tempo:g} quarter notes a minute"] if track.tempo else []),
        *(fact for fact in (track.key, track.time_signature) if fact),
        *([f"{track.loudness_lufs:.1f} LUFS"] if track.loudness_lufs is not None else []),
    ]


def _aligned(lines: Iterable[tuple[str, str]]) -> str:
    return table([(name, text) for name, text in lines])


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {'off' if inner is None else _plain(inner)}" for name, inner in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(_in_a_list, value))
    if isinstance(value, float):
        return f"{value:g}"
    return "" if value is None else str(value)


def _in_a_list(value: Any) -> str:
    # Of a list's records only the words: the figures are for programs, and many lists are long.
    if isinstance(value, Mapping):
        return " ".join(inner for inner in value.values() if isinstance(inner, str))
    return _plain(value)


def _yes(is_true: bool) -> str:
    return "yes" if is_true else "no"
