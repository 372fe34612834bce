"""How a command runs: in the app, on a prepared database, its failures a sentence and an exit code; bar and JSON."""

import errno
import functools
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import click
from flask import current_app
from flask.cli import with_appcontext

from musicgen import service
from musicgen.database import Track, ensure_prepared
from musicgen.errors import GenerationFailed, InvalidOptions, MusicgenError

EXIT_INTERRUPTED = 128 + signal.SIGINT
EXIT_TERMINATED = 128 + signal.SIGTERM


def musicgen_command(function: Callable[..., None]) -> Callable[..., None]:
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
        raise click.UsageError(field_errors(error.errors)) from error
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


def words_bar(length: int, *, hidden: bool, width: int = 36) -> AbstractContextManager[Any]:
    """Draw a bar on standard error where a person sees it; what `update` gets beside the steps is shown after it."""
    return click.progressbar(
        length=length,
        file=sys.stderr,
        hidden=hidden or not sys.stderr.isatty(),
        # Click would guess the time left from the bar alone; words tell it better.
        show_eta=False,
        item_show_func=lambda words: words,
        update_min_steps=0,
        width=width,
    )


def field_errors(errors: Mapping[str, Any]) -> str:
    names = {field: field if field == "prompt" else f"--{field.replace('_', '-')}" for field in errors}
    return "\n".join(f"{names[field]}: {text}" for field, texts in errors.items() for text in texts)


def track_as_json(track: Track) -> Any:
    from musicgen.web.schemas.tracks import TrackSchema

    # The URLs in it are relative to the server; there is none here, but its routes are known.
    with current_app.test_request_context():
        return TrackSchema().dump(track)


def tracks_as_json(tracks: Iterable[Track]) -> Any:
    from musicgen.web.schemas.tracks import ListedTrackSchema

    with current_app.test_request_context():
        return ListedTrackSchema(many=True).dump(tracks)


def echo_json(value: Any, err: bool = False) -> None:
    click.echo(current_app.json.dumps(value, indent=2), err=err)
