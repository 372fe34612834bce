"""A generation in a thread of its own, for those who listen while it is made: its progress, its MP3, its track.

The generation never waits for the listener: what happens is kept until it is taken. Knows neither HTTP nor terminals.
"""

import queue
import threading
from collections.abc import Callable, Collection
from types import TracebackType
from typing import Any

from flask import Flask

from musicgen import service
from musicgen.database import Track
from musicgen.errors import GenerationCancelled
from musicgen.options import FollowUp, GenerationOptions
from musicgen.retries import RequestKey
from musicgen.service import Progress

News = Progress | bytes | Track


def _nobody_left() -> bool:
    return False


class LiveGeneration:
    """One `service.generate_track`, whose news are taken one by one; the track is the last.

    A context manager: leaving it cancels the generation, unless it is done, and waits for its end.
    """

    def __init__(
        self,
        app: Flask,
        request: GenerationOptions | FollowUp,
        *,
        with_mp3: bool,
        formats: Collection[str] | None = None,
        key: RequestKey | None = None,
        has_left: Callable[[], bool] = _nobody_left,
    ) -> None:
        """Begin; `has_left` says, from any thread, whether the listener is gone, which cancels the generation."""
        self._app = app
        self._has_left = has_left
        self._is_cancelled = threading.Event()
        self._news: queue.SimpleQueue[News | BaseException] = queue.SimpleQueue()
        self._last_progress: Progress | None = None
        self._thread = threading.Thread(
            target=self._run,
            name="generation",
            args=(request,),
            kwargs={"formats": formats, "key": key, "on_mp3": self._put_mp3 if with_mp3 else None},
        )
        self._thread.start()

    def _run(self, request: GenerationOptions | FollowUp, **how: Any) -> None:
        try:
            with self._app.app_context():
                self._news.put(service.generate_track(request, on_progress=self._put_progress, **how))
        except BaseException as error:
            # The listener raises it.
            self._news.put(error)

    def _put_progress(self, progress: Progress) -> None:
        if self._is_cancelled.is_set() or self._has_left():
            raise GenerationCancelled("Nobody listens any more.")
        # Whoever waits is told so several times a second.
        if progress != self._last_progress:
            self._last_progress = progress
            self._news.put(progress)

    def _put_mp3(self, data: Any) -> None:
        self._news.put(bytes(data))

    def take(self, patience_s: float | None = None) -> News | None:
        """Wait for the next news and return it; None when there is none for `patience_s` seconds.

        Raises:
            MusicgenError: the generation has ended without a track; see `service.generate_track`.
        """
        try:
            news = self._news.get(timeout=patience_s)
        except queue.Empty:
            return None
        if isinstance(news, BaseException):
            raise news
        return news

    def close(self) -> None:
        """Cancel the generation, unless it is done, and wait for its end."""
        self._is_cancelled.set()
        self._thread.join()

    def __enter__(self) -> "LiveGeneration":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
