"""`flask generate` and `flask understand`: from words to a track, or to what would be made of them."""

import base64
import json
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, TextIO

import click

from musicgen import cli_text, service, track_files
from musicgen.audio_export import AUDIO_FORMATS
from musicgen.cli.running import echo_json, field_errors, musicgen_command, track_as_json, words_bar
from musicgen.cli.streaming import check_standard_output, stream_track
from musicgen.database import Track
from musicgen.engine import SCORE_FORMATS
from musicgen.options import (
    DEFAULT_DURATION_S,
    MAX_DURATION_S,
    MAX_TEMPO,
    MIN_DURATION_S,
    MIN_TEMPO,
    FollowUp,
    GenerationOptions,
)

PROGRESS_STEPS = 1000
LENGTHS = f"Length, {MIN_DURATION_S:g} to {MAX_DURATION_S:g} seconds.  [default: {DEFAULT_DURATION_S:g}]"
TEMPOS = f"Quarter notes a minute, {MIN_TEMPO:g} to {MAX_TEMPO:g}."
FORMATS = (*AUDIO_FORMATS, *SCORE_FORMATS)
# What a request may hold; the names are those of the JSON fields.
REQUEST_OPTIONS = (
    click.argument("prompt", required=False),
    click.option("--duration", type=float, help=LENGTHS),
    click.option("--seed", type=int, help="Equal seeds give equal music; drawn when left out."),
    click.option("--model", help="Engine; see `flask models`."),
    click.option("--tempo", type=float, help=TEMPOS),
    click.option("--key", help='Like "D minor", "F# major" or "G dorian".'),
    click.option("--time-signature", help='Like "4/4", "3/4" or "6/8".'),
    click.option("--instrumental", is_flag=True, default=None, help="No voice."),
    click.option("--lyrics", metavar="TEXT|@FILE", help="Words to sing, plain or with LRC times, for models that can."),
    click.option("--language", help='Language of prompt and lyrics, like "en" or "pt-BR".'),
    click.option("--title", help="Name of the track; the model finds one when left out."),
    click.option("--variation-of", metavar="TRACK_ID", help="The same request as that track's, with a new seed."),
    click.option("--extend", metavar="TRACK_ID", help="A version of --duration that begins as that track does."),
    click.option("--of", metavar="TRACK_ID", help="Make the parts in --regenerate of that track anew, the rest stays."),
    click.option("--regenerate", multiple=True, metavar="START-END", help="A part in seconds, like 30-45; repeatable."),
    click.option(
        "--style-audio",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="A recording that the track shall sound like (the 10 s in its middle), for models that can listen.",
    ),
    click.option("--stems", is_flag=True, default=None, help="Also put each part into a WAV of its own."),
    click.option(
        "--plan", type=click.File(encoding="utf-8"), help="What `flask understand --json` printed, changed or not."
    ),
)


def _request_options(function: Callable[..., None]) -> Callable[..., None]:
    for option in reversed(REQUEST_OPTIONS):
        function = option(function)
    return function


@click.command(
    epilog="""\b
    Examples:
      flask generate "slow lofi with a dusty piano"
      flask generate "uplifting trance in A minor" --duration 180 --out trance.flac
      flask generate "waltz for string quartet" --seed 7 --format mid --out waltz.mid
      flask generate "bossa nova by the sea" --duration 300 --stream | ffplay -
      flask generate "dream pop, female voice" --model diffrhythm --duration 95 --lyrics @song.lrc
      echo "rainy night jazz" | flask generate - --json | jq .audio_url
    """
)
@_request_options
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also put the track here; the extension says the format.",
)
@click.option("--format", "format_name", type=click.Choice(FORMATS), help="Make this format, beside WAV and MP3.")
@click.option("--json", "as_json", is_flag=True, help="Print the track as JSON, as the API answers it.")
@click.option("--quiet", is_flag=True, help="Show no progress, print nothing but the path of the file.")
@click.option(
    "--stream", is_flag=True, help="Write the MP3 to standard output while it is made; all else goes to standard error."
)
@musicgen_command
def generate(
    out: Path | None, format_name: str | None, as_json: bool, quiet: bool, stream: bool, **fields: Any
) -> None:
    """Turn PROMPT into a finished track; PROMPT - reads it from standard input."""
    if stream:
        check_standard_output()
    options = _read_options(fields)
    wanted = _wanted_format(out, format_name)
    if out:
        _check_writable(out)
    with _progress_bar(hidden=quiet) as on_progress:
        formats = dict.fromkeys((*service.kept_formats(), *([wanted] if wanted else [])))
        make_track = stream_track if stream else service.generate_track
        track = make_track(options, formats=formats, on_progress=on_progress)
    path = _deliver(track, wanted, out)
    if as_json:
        echo_json(track_as_json(track), err=stream)
    elif quiet:
        click.echo(path, err=stream)
    else:
        click.echo(cli_text.track_summary(track, track_files.output_dir()), err=stream)
        click.echo(f"Copied to {out}." if out else f"Listen to {path}.", err=stream)
        click.echo(cli_text.speed(track), err=stream)


def _read_options(fields: Mapping[str, Any]) -> GenerationOptions | FollowUp:
    from marshmallow import ValidationError

    from musicgen.web.schemas.request import GenerationRequestSchema

    payload = {name: value for name, value in fields.items() if value not in (None, ())}
    if "plan" in payload:
        payload = _read_plan(payload["plan"]) | {name: value for name, value in payload.items() if name != "plan"}
    if payload.get("prompt") == "-":
        payload["prompt"] = sys.stdin.read().strip()
    if payload.get("lyrics", "").startswith("@"):
        payload["lyrics"] = _read_text(Path(payload["lyrics"][1:]))
    if "style_audio" in payload:
        payload["style_audio"] = _read_recording(payload["style_audio"])
    if "regenerate" in payload:
        payload["regenerate"] = [_read_part(text) for text in payload["regenerate"]]
    try:
        options: GenerationOptions | FollowUp = GenerationRequestSchema().load(payload)
    except ValidationError as error:
        raise click.UsageError(field_errors(error.messages_dict)) from error
    return options


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise click.UsageError(f"--lyrics @{path}: cannot be read: {reason}.") from error


def _read_recording(path: Path) -> str:
    from musicgen.recordings import middle_as_flac

    try:
        return base64.b64encode(middle_as_flac(path)).decode()
    except ValueError as error:
        raise click.UsageError(f"--style-audio {path}: {error}; take a WAV, FLAC, OGG or MP3 file.") from error


def _read_part(text: str) -> list[float]:
    start, _, end = text.partition("-")
    try:
        return [float(start), float(end)]
    except ValueError as error:
        raise click.UsageError(f"--regenerate {text}: write a part as START-END in seconds, like 30-45.") from error


def _read_plan(file: TextIO) -> dict[str, Any]:
    """Read a plan, or the whole of what `flask understand --json` printed: then its seed comes along."""
    try:
        read = json.load(file)
    except ValueError as error:
        raise click.UsageError(f"--plan {file.name}: this is not JSON: {error}.") from error
    if isinstance(read, dict) and "plan" in read:
        return {name: read[name] for name in ("plan", "seed") if name in read}
    return {"plan": read}


def _wanted_format(out: Path | None, format_name: str | None) -> str | None:
    if out is None:
        return format_name
    extension = out.suffix.lower().removeprefix(".")
    by_extension = extension if extension in FORMATS else None
    if format_name and by_extension and format_name != by_extension:
        raise click.UsageError(f"--out {out} says {by_extension} and --format says {format_name}; leave one away.")
    if not format_name and not by_extension:
        known = ", ".join(f".{name}" for name in FORMATS)
        raise click.UsageError(f"--out {out}: take one of the extensions {known}, or add --format.")
    return format_name or by_extension


def _check_writable(out: Path) -> None:
    # Tried and not asked: permission bits say little to root, on network disks and in containers.
    partial = _partial(out)
    try:
        partial.touch()
        partial.unlink()
    except OSError as error:
        raise click.UsageError(f"--out {out}: cannot write there: {error.strerror}.") from error


def _partial(out: Path) -> Path:
    return out.with_name(f".{out.name}.part")


def _deliver(track: Track, wanted: str | None, out: Path | None) -> Path | None:
    source = service.audio_path(track, wanted)
    if wanted and source is None:
        raise click.ClickException(f"{track.model} writes no {wanted}; the track has {', '.join(track.formats)}.")
    if out is None or source is None:
        return source
    try:
        shutil.copyfile(source, _partial(out))
        _partial(out).replace(out)
    finally:
        _partial(out).unlink(missing_ok=True)
    return out


@contextmanager
def _progress_bar(hidden: bool) -> Iterator[service.OnProgress]:
    with words_bar(PROGRESS_STEPS, hidden=hidden) as bar:

        def show(progress: service.Progress) -> None:
            bar.update(round(progress.fraction * PROGRESS_STEPS) - bar.pos, cli_text.progress(progress))

        yield show


@click.command(
    epilog="""\b
    Examples:
      flask understand "slow waltz in D minor, no drums"
      flask understand "indie rock" --json > plan.json      # change plan.json, then:
      flask generate "indie rock" --plan plan.json
    """
)
@_request_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON, as POST /api/plan answers it.")
@musicgen_command
def understand(as_json: bool, **fields: Any) -> None:
    """Say what would be made of PROMPT, and which of its words say so; makes nothing."""
    planned = service.plan_track(_read_options(fields))
    if as_json:
        echo_json(asdict(planned))
    else:
        click.echo(cli_text.plan_summary(planned))
