"""`flask tracks`: what there is, and taking it away."""

import click

from musicgen import cli_text, service, track_files
from musicgen.cli.running import echo_json, musicgen_command, track_as_json, tracks_as_json


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


@musicgen_command
def _print_tracks(page: int, page_size: int, as_json: bool) -> None:
    found, n_tracks = service.list_tracks(page, page_size)
    if as_json:
        echo_json(tracks_as_json(found))
        return
    if found:
        click.echo(cli_text.tracks_table(found))
    click.echo(f"{len(found)} of {n_tracks} tracks, page {page}.", err=True)


@tracks.command()
@click.argument("track_id")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, as the API answers it.")
@musicgen_command
def show(track_id: str, as_json: bool) -> None:
    """Say everything known about one track."""
    track = service.find_track(track_id)
    if as_json:
        echo_json(track_as_json(track))
    else:
        click.echo(cli_text.track_summary(track, track_files.output_dir()))


@tracks.command()
@click.argument("track_ids", nargs=-1, required=True, metavar="TRACK_ID...")
@click.option("--yes", is_flag=True, help="Do not ask.")
@musicgen_command
def delete(track_ids: tuple[str, ...], yes: bool) -> None:
    """Delete tracks with all their files."""
    found = [service.find_track(track_id) for track_id in dict.fromkeys(track_ids)]
    if not yes:
        click.echo(cli_text.tracks_table(found), err=True)
        click.confirm("Delete these with all their files?", abort=True, err=True)
    for track in found:
        service.delete_track(track.id)
        click.echo(f"Deleted {track.id}.")
