"""`flask generate --stream`: the MP3 goes to standard output while it is made, for a player at the other end."""

import os
import select
import sys
from collections.abc import Collection

import click
from flask import current_app

from musicgen.database import Track
from musicgen.errors import GenerationCancelled
from musicgen.live_generation import LiveGeneration
from musicgen.options import FollowUp, GenerationOptions
from musicgen.service import OnProgress, Progress


def check_standard_output() -> None:
    """Make sure that an MP3 may be written to standard output.

    Raises:
        click.UsageError: it is a terminal.
    """
    if sys.stdout.isatty():
        raise click.UsageError(
            "--stream writes an MP3 to standard output, and that is a terminal here. "
            'Give it to a player, as in: flask generate "..." --stream | ffplay -'
        )


def stream_track(request: GenerationOptions | FollowUp, *, formats: Collection[str], on_progress: OnProgress) -> Track:
    """Make a track as `service.generate_track` does, and write its MP3 to standard output meanwhile.

    A track that is done when its reader goes, or on Ctrl-C, is kept.

    Raises:
        GenerationCancelled: the reader went before the track was done.
    """
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    with LiveGeneration(app, request, with_mp3=True, formats=formats, has_left=_reader_has_gone) as live:
        try:
            return _pass_on(live, on_progress)
        except (BrokenPipeError, GenerationCancelled, KeyboardInterrupt) as stop:
            live.close()
            track = _last_news(live) if not isinstance(stop, GenerationCancelled) else None
            if track:
                return track
            if isinstance(stop, KeyboardInterrupt):
                raise
            raise GenerationCancelled(
                "Whatever read standard output has gone, so the generation was cancelled; nothing is left behind."
            ) from stop


def _pass_on(live: LiveGeneration, on_progress: OnProgress) -> Track:
    while not isinstance(news := live.take(), Track):
        if isinstance(news, Progress):
            on_progress(news)
        elif news:
            _write(news)
    return news


def _write(data: bytes) -> None:
    # Without Python's buffer, which would try again at the end to get rid of what nobody reads.
    left = memoryview(data)
    while left:
        left = left[os.write(sys.stdout.fileno(), left) :]


def _reader_has_gone() -> bool:
    poll = select.poll()
    poll.register(sys.stdout.fileno(), 0)
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0))


def _last_news(live: LiveGeneration) -> Track | None:
    try:
        while not isinstance(news := live.take(), Track):
            pass
    except GenerationCancelled:
        return None
    return news
