"""`flask styles`: which styles there are, and what is known of one."""

import difflib
from collections.abc import Sequence

import click

from musicgen import cli_text, model_list
from musicgen.cli.running import echo_json, musicgen_command
from musicgen.engine import StyleCard

# How alike a mistyped name must be to be offered, 0 to 1, and how many are.
LIKENESS, N_OFFERED = 0.6, 3


@click.group(
    invoke_without_command=True,
    epilog="""\b
    A style is asked for in the prompt, by any of its words:
      flask generate "slow bossa nova with flute"
      flask styles show bossa_nova
      flask styles show "drum & bass" --json
      flask styles --json | jq -r '.[].example'
    A prompt that names no style gets the one that its other words suggest; `flask understand` says which.
    """,
)
@click.option("--model", help="Engine whose styles they are; see `flask models`.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, as GET /api/styles answers it.")
@click.pass_context
def styles(context: click.Context, model: str | None, as_json: bool) -> None:
    """List the styles that prompts may name; or show one."""
    context.obj = model
    if context.invoked_subcommand is None:
        _print_styles(model, as_json)


@musicgen_command
def _print_styles(model: str | None, as_json: bool) -> None:
    found = model_list.list_styles(model)
    if as_json:
        _echo_styles(found)
        return
    if found:
        click.echo(cli_text.styles_table(found))
    click.echo(f"{len(found)} styles; `flask styles show NAME` tells more of one.", err=True)


@styles.command()
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with the fields of GET /api/styles.")
@click.pass_obj
@musicgen_command
def show(model: str | None, name: str, as_json: bool) -> None:
    """Say everything known about one style; NAME may be its title or one of its words, too."""
    style = _find_style(name, model_list.list_styles(model))
    if as_json:
        _echo_styles(style)
    else:
        click.echo(cli_text.style_summary(style))


def _find_style(name: str, among: Sequence[StyleCard]) -> StyleCard:
    by_word = {_plain(word): style for style in among for word in (*style.words, style.title, style.name)}
    style = by_word.get(_plain(name))
    if style is None:
        alike = difflib.get_close_matches(_plain(name), by_word, n=len(by_word), cutoff=LIKENESS)
        names = list(dict.fromkeys(by_word[word].name for word in alike))[:N_OFFERED]
        way_out = f"Did you mean {' or '.join(names)}?" if names else "`flask styles` lists them."
        raise click.UsageError(f"There is no style {name!r}. {way_out}")
    return style


def _plain(word: str) -> str:
    return " ".join(word.casefold().replace("_", " ").replace("-", " ").split())


def _echo_styles(found: StyleCard | Sequence[StyleCard]) -> None:
    from musicgen.web.schemas.engines import StyleSchema

    echo_json(StyleSchema(many=not isinstance(found, StyleCard)).dump(found))
