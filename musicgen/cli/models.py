"""`flask models`: which engines there are, what they miss, and getting it.

`fetch` tells sizes and licences before a byte is downloaded. Standard output gets the SHA-256 of every file, as
`sha256sum --check` reads it, and standard error the rest. It needs no database: an image is built with it.
"""

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import click
from flask import current_app
from flask.cli import with_appcontext

from musicgen import cli_text, model_list
from musicgen.cli.running import EXIT_INTERRUPTED, echo_json, words_bar
from musicgen.digests import sha256
from musicgen.downloads import (
    Download,
    OnBytes,
    Source,
    bring,
    check_disk,
    n_present,
    only_one,
    readable_size,
    total_size,
)
from musicgen.errors import InvalidOptions, MusicgenError

# Leaves room for the figures on 80 columns.
BAR_WIDTH = 24
GOES_ON = "What has come is kept; run the same command again to go on."


@click.group(
    invoke_without_command=True,
    epilog="""\b
    MUSICGEN_MODEL sets the default; weights are looked for in MUSICGEN_WEIGHTS_DIR.
      flask models --json
      flask models fetch diffrhythm
      flask models fetch diffrhythm --yes --skip DiffRhythm-1_2-full
    """,
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, as GET /api/models answers it.")
@click.pass_context
def models(context: click.Context, as_json: bool) -> None:
    """List the models, and why some are not ready; or get what one needs."""
    if context.invoked_subcommand is None:
        _print_models(as_json)


@with_appcontext
def _print_models(as_json: bool) -> None:
    descriptions = model_list.describe_models()
    if as_json:
        from musicgen.web.schemas.engines import ModelSchema

        echo_json(ModelSchema(many=True).dump(descriptions))
    else:
        click.echo(cli_text.models_table(descriptions))


@models.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Agree to the licences; do not ask.")
@click.option("--skip", "skipped", multiple=True, metavar="FILE", help="Leave out a file, or a folder of the list.")
@click.option("--quiet", is_flag=True, help="Show no progress.")
@with_appcontext
def fetch(name: str, yes: bool, skipped: tuple[str, ...], quiet: bool) -> None:
    """Download what the model NAME needs; goes on where an earlier call was stopped."""
    with _without_tracebacks():
        downloads = model_list.list_downloads(name)
        if downloads:
            _fetch(name, _without(downloads, skipped), yes, quiet)
        else:
            _say_that_nothing_is_needed(name)


@contextmanager
def _without_tracebacks() -> Iterator[None]:
    try:
        yield
    except InvalidOptions as error:
        raise click.UsageError(" ".join(text for texts in error.errors.values() for text in texts)) from error
    except MusicgenError as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:
        raise click.ClickException(f"{error}\n{GOES_ON}") from error
    except KeyboardInterrupt:
        click.echo(f"\nStopped. {GOES_ON}", err=True)
        raise click.exceptions.Exit(EXIT_INTERRUPTED) from None


def _say_that_nothing_is_needed(name: str) -> None:
    model = model_list.describe_model(name)
    if not model.ready:
        raise click.ClickException(cli_text.not_ready(model))
    click.echo(f"{name} needs no download; it is ready.", err=True)


def _say_whether_ready(name: str) -> None:
    model = model_list.describe_model(name)
    click.echo(f"{name} is ready." if model.ready else cli_text.not_ready(model), err=True)


def _without(downloads: Sequence[Download], skipped: Sequence[str]) -> list[Download]:
    for name in skipped:
        if not any(_is_named(download, name) for download in downloads):
            names = ", ".join(download.name for download in downloads)
            raise click.UsageError(f"--skip {name}: there is no such file; there are {names}.")
    return [download for download in downloads if not any(_is_named(download, name) for name in skipped)]


def _is_named(download: Download, name: str) -> bool:
    return name in (download.name, download.name.split("/")[0])


def _fetch(name: str, downloads: Sequence[Download], yes: bool, quiet: bool) -> None:
    for download in downloads:
        if download.found:
            click.echo(f"{download.name} is here already.", err=True)
    sources = {download: download.locate() for download in downloads if download.found is None}
    if sources:
        weights_dir = Path(current_app.config["MUSICGEN_WEIGHTS_DIR"]).absolute()
        _agree(sources, weights_dir, yes)
        check_disk(weights_dir, total_size(sources.values()) - sum(map(n_present, sources.keys(), sources.values())))
        with only_one(weights_dir / f".{name}.lock"):
            for download, source in sources.items():
                _bring(download, source, quiet)
    for download in downloads:
        path = download.found or download.path
        click.echo(f"{sha256(path)}  {path}")
    _say_whether_ready(name)


def _agree(sources: Mapping[Download, Source], weights_dir: Path, yes: bool) -> None:
    click.echo(f"To {weights_dir}:\n\n{cli_text.downloads_table(sources)}\n", err=True)
    if yes:
        return
    if not sys.stdin.isatty():
        raise click.UsageError("Nobody is here to agree to the licences; add --yes if you do.")
    click.confirm("Do you agree, and download them?", abort=True, err=True)


def _bring(download: Download, source: Source, quiet: bool) -> None:
    n_before = n_present(download, source)
    if not quiet:
        size = readable_size(source.size) if source.size else "size unknown"
        going_on = f", going on after {readable_size(n_before)}" if n_before else ""
        click.echo(f"Downloading {download.name} ({size}{going_on})", err=True)
    with _progress_bar(source, n_before, hidden=quiet) as on_bytes:
        bring(download, source, on_bytes)


@contextmanager
def _progress_bar(source: Source, n_before: int, hidden: bool) -> Iterator[OnBytes]:
    began = time.monotonic()
    with words_bar(source.size or 1, hidden=hidden, width=BAR_WIDTH) as bar:

        def show(n_bytes: int) -> None:
            per_s = max(0, n_bytes - n_before) / max(time.monotonic() - began, 1e-3)
            bar.pos = n_bytes
            bar.update(0, cli_text.transfer(n_bytes, source.size, per_s))

        yield show
