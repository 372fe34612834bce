"""The three ways to hear of a generation: the track when it is done, events on its way, or the MP3 while it is made.

Owns media types, headers and the form of the two streams. A client that hangs up cancels its generation: the
generation looks after the connection itself, so that it notices also while this thread waits or cannot write.
"""

import errno
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from typing import Any
from urllib.parse import quote

from flask import (
    Response,
    after_this_request,
    current_app,
    json,
    request,
    send_from_directory,
    stream_with_context,
    url_for,
)
from werkzeug.exceptions import NotAcceptable, NotFound

from musicgen import later_files, service, track_files
from musicgen.audio_writers import mp3_length
from musicgen.database import Track, db
from musicgen.errors import GenerationCancelled
from musicgen.live_generation import LiveGeneration
from musicgen.options import FollowUp, GenerationOptions
from musicgen.retries import RequestKey
from musicgen.service import Progress
from musicgen.web.connection import client_is_gone
from musicgen.web.schemas.tracks import ProgressSchema, TrackSchema

JSON, EVENTS, MP3 = "application/json", "text/event-stream", "audio/mpeg"
# Silence that no proxy takes for a dead connection.
HEARTBEAT_S = 3.0
HEARTBEAT = b": still at it\n\n"
# Streams are for one listener, now: nobody on the way may keep or collect them.
STREAM_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
# What is said of the track beside its sound.
TRACK_HEADERS = {
    "X-Track-Id": "`track_id` of the track.",
    "X-Track-Title": "Its title, UTF-8, percent-encoded.",
    "X-Track-Seed": "Its seed.",
    "X-Track-Duration": "Its length, seconds.",
}
Request = GenerationOptions | FollowUp


def wanted_media_type() -> str:
    """Choose one of the three by the request's Accept; JSON unless another is preferred.

    Raises:
        NotAcceptable: it takes none of them.
    """

    @after_this_request
    def tell_caches(response: Response) -> Response:
        response.vary.add("Accept")
        return response

    wanted = request.accept_mimetypes.best_match((JSON, EVENTS, MP3)) if request.accept_mimetypes else JSON
    if wanted is None:
        raise NotAcceptable(f"The answer can be {JSON}, {EVENTS} or {MP3}; put one of them into Accept.")
    return wanted


def answer_when_done(asked: Request, key: RequestKey | None) -> tuple[Track, dict[str, str]]:
    """Generate, then answer with the track."""
    has_left = partial(client_is_gone, request.environ)

    def stop_when_gone(_progress: Progress) -> None:
        if has_left():
            raise GenerationCancelled("The client hung up.")

    track = service.generate_track(asked, on_progress=stop_when_gone, key=key)
    return track, {"Location": _url(track.id)}


def stream_events(asked: Request, key: RequestKey | None) -> Response:
    """Generate, and meanwhile send progress as server-sent events; the last event is the track, or an error."""
    with ExitStack() as stack:
        live = stack.enter_context(_begin(asked, key, with_mp3=False))
        # Failures before any work have a status of their own.
        first = live.take()
        response = _streamed(stream_with_context(_events(live, first)), f"{EVENTS}; charset=utf-8")
        response.call_on_close(stack.pop_all().close)
    return response


def _events(live: LiveGeneration, news: Any) -> Iterator[bytes]:
    told = None
    while True:
        if isinstance(news, Track):
            yield _event("track", TrackSchema().dump(news))
            return
        if news is None:
            yield HEARTBEAT
        elif (progress := ProgressSchema().dump(news)) != told:  # to the tenth of a second it may be the same
            told = progress
            yield _event("progress", progress)
        try:
            news = live.take(HEARTBEAT_S)
        except GenerationCancelled:
            return
        except Exception as error:
            answer = current_app.make_response(current_app.handle_user_exception(error))
            yield _event("error", answer.get_json())
            return


def _event(name: str, data: Any) -> bytes:
    return f"event: {name}\ndata: {json.dumps(data)}\n\n".encode()


def stream_mp3(asked: Request, key: RequestKey | None) -> Response:
    """Generate, and meanwhile send the MP3; its headers go with the first sound, so failures before have a status."""
    with ExitStack() as stack:
        live = stack.enter_context(_begin(asked, key, with_mp3=True))
        news = live.take()
        while isinstance(news, Progress):
            track_id = news.track_id
            news = live.take()
        track = news if isinstance(news, Track) else service.find_track(track_id)
        response = _stored_mp3(track) if isinstance(news, Track) else _mp3(live, news)
        response.headers.update(_track_headers(track))
        # Sending may take as long as listening: no connection is held for it.
        db.session.commit()
        response.call_on_close(stack.pop_all().close)
    return response


def _mp3(live: LiveGeneration, first: Any) -> Response:
    response = _streamed(_sound(live, first), MP3)
    # The first piece is the head of the file, which tells its size.
    response.content_length = mp3_length(first)
    return response


def _sound(live: LiveGeneration, held: Any) -> Iterator[bytes]:
    while True:
        # The last byte waits until the track is stored: who knows the length hangs up as soon as it has all.
        data, held = held[:-1], held[-1:]
        if data:
            yield data
        try:
            news = live.take()
        except Exception as error:
            # An end that nobody can mistake for a good one: servers cut connections that are reset.
            raise ConnectionResetError(errno.ECONNRESET, "the generation failed while it was sent") from error
        if isinstance(news, Track):
            yield held
            return
        if isinstance(news, bytes):
            held += news


def _stored_mp3(track: Track) -> Response:
    file_name = track_files.file_name(track.id, "mp3")
    later_files.make(file_name)
    if not (track_files.output_dir() / file_name).is_file():
        raise NotFound(f"The sound of the track {track.id!r} is gone.")
    return send_from_directory(track_files.output_dir(), file_name, mimetype=MP3)


def _track_headers(track: Track) -> dict[str, str]:
    return {
        "Location": _url(track.id),
        "X-Track-Id": track.id,
        # Headers are ASCII: UTF-8, percent-encoded.
        "X-Track-Title": quote(track.title or ""),
        "X-Track-Seed": str(track.seed),
        "X-Track-Duration": f"{track.duration or track.requested_duration:g}",
    }


def _begin(asked: Request, key: RequestKey | None, *, with_mp3: bool) -> LiveGeneration:
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    has_left = partial(client_is_gone, request.environ)
    return LiveGeneration(app, asked, with_mp3=with_mp3, key=key, has_left=has_left)


def _streamed(body: Iterator[bytes], content_type: str) -> Response:
    return Response(body, content_type=content_type, headers=STREAM_HEADERS)


def _url(track_id: str) -> str:
    return url_for("generation.show_track", track_id=track_id)
