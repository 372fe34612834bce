"""`flask generate "prompt"` and its sisters: the service on the command line.

Owns options, exit codes (0 done, 1 failed, 2 bad input, 130 Ctrl-C, 143 SIGTERM) and what goes to which stream: results
to stdout, everything else to stderr. The rules for a request are those of HTTP, from the same schema.
"""

import errno
import functools
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from flask import Flask, current_app
from flask.cli import with_appcontext

from musicgen import cli_text, service, track_files
from musicgen.audio_export import AUDIO_FORMATS
from musicgen.database import MIGRATIONS_DIR, Track, db, ensure_prepared
from musicgen.engine import OnProgress
from musicgen.errors import GenerationFailed, InvalidOptions, MusicgenError
from musicgen.options import DEFAULT_DURATION_S, MAX_DURATION_S, MAX_TEMPO, MIN_DURATION_S, MIN_TEMPO, GenerationOptions

EXIT_INTERRUPTED = 128 + signal.SIGINT
EXIT_TERMINATED = 128 + signal.SIGTERM
PROGRESS_STEPS = 1000
LENGTHS = f"Length, {MIN_DURATION_S:g} to {MAX_DURATION_S:g} seconds.  [default: {DEFAULT_DURATION_S:g}]"
TEMPOS = f"Quarter notes a minute, {MIN_TEMPO:g} to {MAX_TEMPO:g}."
FORMATS = (*AUDIO_FORMATS, service.MIDI_FORMAT)


def init_app(app: Flask) -> None:
    """Add the commands to `flask`."""
    for command in (generate, tracks, models, MigrationCommands(app)):
        app.cli.add_command(command)


class MigrationCommands(click.Command):
    """`flask db`: Flask-Migrate's commands, imported when one is used, as Alembic would slow every other one down."""

    def __init__(self, app: Flask) -> None:
        super().__init__("db", help="Look at or change the schema of the database; the server does so by itself.")
        self._app = app

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Hand over to Flask-Migrate."""
        import flask_migrate.cli

        flask_migrate.Migrate(self._app, db, directory=MIGRATIONS_DIR)
        context: click.Context = flask_migrate.cli.db.make_context(info_name, args, parent, **extra)
        return context


def _musicgen_command(function: Callable[..., None]) -> Callable[..., None]:
    """Run a command's body in the app, on a prepared database, and turn failures into a sentence and an exit code."""

    @with_appcontext
    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> None:
        with _stopped_by_sigterm(), _without_tracebacks():
            ensure_prepared()
            function(*args, **kwargs)

    return run


@contextmanager
def _stopped_by_sigterm() -> Iterator[None]:
    def stop(*_args: object) -> None:
        raise SystemExit(EXIT_TERMINATED)

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _without_tracebacks() -> Iterator[None]:
    service.logger.disabled = not current_app.debug
    try:
        yield
    except InvalidOptions as error:
        raise click.UsageError(_field_errors(error.errors)) from error
    except GenerationFailed as error:
        raise click.ClickException(f"{error}\nRun `flask --debug generate ...` to see where.") from error
    except MusicgenError as error:
        raise click.ClickException(str(error)) from error
    except KeyboardInterrupt:
        click.echo("\nCancelled; nothing is left behind.", err=True)
        raise click.exceptions.Exit(EXIT_INTERRUPTED) from None
    except OSError as error:
        # A reader that has gone (`flask tracks | head`) is click's to handle.
        if error.errno == errno.EPIPE:
            raise
        raise click.ClickException(str(error)) from error
    finally:
        service.logger.disabled = False


def _field_errors(errors: Mapping[str, Any]) -> str:
    names = {field: field if field == "prompt" else f"--{field.replace('_', '-')}" for field in errors}
    return "\n".join(f"{names[field]}: {text}" for field, texts in errors.items() for text in texts)


@click.command(
    epilog="""\b
    Examples:
      flask generate "slow lofi with a dusty piano"
      flask generate "uplifting trance in A minor" --duration 180 --out trance.flac
      flask generate "waltz for string quartet" --seed 7 --format mid --out waltz.mid
      echo "rainy night jazz" | flask generate - --json | jq .audio_url
    """
)
@click.argument("prompt")
@click.option("--duration", type=float, help=LENGTHS)
@click.option("--seed", type=int, help="Equal seeds give equal music; drawn when left out.")
@click.option("--model", help="Engine; see `flask models`.")
@click.option("--tempo", type=float, help=TEMPOS)
@click.option("--key", help='Like "D minor", "F# major" or "G dorian".')
@click.option("--time-signature", help='Like "4/4", "3/4" or "6/8".')
@click.option("--instrumental", is_flag=True, default=None, help="No voice.")
@click.option("--lyrics", help="Words to sing, for models that can.")
@click.option("--language", help='Language of prompt and lyrics, like "en" or "pt-BR".')
@click.option("--title", help="Name of the track; the model finds one when left out.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also put the track here; the extension says the format.",
)
@click.option("--format", "format_name", type=click.Choice(FORMATS), help="Make this format, beside WAV and MP3.")
@click.option("--json", "as_json", is_flag=True, help="Print the track as JSON, as the API answers it.")
@click.option("--quiet", is_flag=True, help="Show no progress, print nothing but the path of the file.")
@_musicgen_command
def generate(out: Path | None, format_name: str | None, as_json: bool, quiet: bool, **fields: Any) -> None:
    """Turn PROMPT into a finished track; PROMPT - reads it from standard input."""
    options = _read_options(fields)
    wanted = _wanted_format(out, format_name)
    if out:
        _check_writable(out)
    started = time.perf_counter()
    with _progress_bar(hidden=quiet) as on_progress:
        formats = dict.fromkeys((*service.DEFAULT_FORMATS, *([wanted] if wanted else [])))
        track = service.generate_track(options, formats=formats, on_progress=on_progress)
    elapsed_s = time.perf_counter() - started
    path = _deliver(track, wanted, out)
    if as_json:
        _echo_json(_track_as_json(track))
    elif quiet:
        click.echo(path)
    else:
        click.echo(cli_text.track_summary(track, track_files.output_dir()))
        click.echo(f"Copied to {out}." if out else f"Listen to {path}.")
        click.echo(cli_text.speed(track.duration or options.duration, elapsed_s))


def _read_options(fields: Mapping[str, Any]) -> GenerationOptions:
    from marshmallow import ValidationError

    from musicgen.web.schemas import GenerationRequestSchema

    payload = {name: value for name, value in fields.items() if value is not None}
    if payload["prompt"] == "-":
        payload["prompt"] = sys.stdin.read().strip()
    try:
        options: GenerationOptions = GenerationRequestSchema().load(payload)
    except ValidationError as error:
        raise click.UsageError(_field_errors(error.messages_dict)) from error
    return options


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
def _progress_bar(hidden: bool) -> Iterator[OnProgress]:
    with click.progressbar(
        length=PROGRESS_STEPS,
        file=sys.stderr,
        hidden=hidden or not sys.stderr.isatty(),
        item_show_func=lambda stage: stage,
        update_min_steps=0,
    ) as bar:

        def show(stage: str, fraction: float) -> None:
            bar.update(round(fraction * PROGRESS_STEPS) - bar.pos, stage)

        yield show


def _track_as_json(track: Track) -> Any:
    from musicgen.web.schemas import TrackSchema

    # The URLs in it are relative to the server; there is none here, but its routes are known.
    with current_app.test_request_context():
        return TrackSchema().dump(track)


def _echo_json(value: Any) -> None:
    click.echo(current_app.json.dumps(value, indent=2))


@click.group(
    invoke_without_command=True,
    epilog="""\b
    Examples:
      flask tracks --page 2
      flask tracks show 5b0c9f6e8e0b4f0f8f3d7a0f9b1c2d3e
      flask tracks delete 5b0c9f6e8e0b4f0f8f3d7a0f9b1c2d3e --yes
    """,
)
@click.option("--page", type=click.IntRange(min=1), default=1, show_default=True, help="Page of the list.")
@click.option("--page-size", type=click.IntRange(1, 1000), default=20, show_default=True, help="Tracks a page.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def tracks(context: click.Context, page: int, page_size: int, as_json: bool) -> None:
    """List the tracks, newest first; or show or delete some."""
    if context.invoked_subcommand is None:
        _print_tracks(page, page_size, as_json)


@_musicgen_command
def _print_tracks(page: int, page_size: int, as_json: bool) -> None:
    found, n_tracks = service.list_tracks(page, page_size)
    if as_json:
        _echo_json([_track_as_json(track) for track in found])
        return
    if found:
        click.echo(cli_text.tracks_table(found))
    click.echo(f"{len(found)} of {n_tracks} tracks, page {page}.", err=True)


@tracks.command()
@click.argument("track_id")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, as the API answers it.")
@_musicgen_command
def show(track_id: str, as_json: bool) -> None:
    """Say everything known about one track."""
    track = service.find_track(track_id)
    if as_json:
        _echo_json(_track_as_json(track))
    else:
        click.echo(cli_text.track_summary(track, track_files.output_dir()))


@tracks.command()
@click.argument("track_ids", nargs=-1, required=True, metavar="TRACK_ID...")
@click.option("--yes", is_flag=True, help="Do not ask.")
@_musicgen_command
def delete(track_ids: tuple[str, ...], yes: bool) -> None:
    """Delete tracks with all their files."""
    found = [service.find_track(track_id) for track_id in dict.fromkeys(track_ids)]
    if not yes:
        click.echo(cli_text.tracks_table(found), err=True)
        click.confirm("Delete these with all their files?", abort=True, err=True)
    for track in found:
        service.delete_track(track.id)
        click.echo(f"Deleted {track.id}.")


@click.command(epilog="MUSICGEN_MODEL sets the default; weights are looked for in MUSICGEN_WEIGHTS_DIR.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_appcontext
def models(as_json: bool) -> None:
    """List the models, and why some are not ready."""
    descriptions = service.describe_models()
    if as_json:
        from musicgen.web.schemas import ModelSchema

        _echo_json(ModelSchema(many=True).dump(descriptions))
    else:
        click.echo(cli_text.models_table(descriptions))
