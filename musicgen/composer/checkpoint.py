"""Places in the composing where a caller may give up.

Deep in a loop there is nobody to ask whether the piece is still wanted; so the caller leaves its question here.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar


def _go_on() -> None:
    """Let nothing end the composing."""


_question: ContextVar[Callable[[], None]] = ContextVar("question", default=_go_on)


@contextmanager
def asking(question: Callable[[], None]) -> Iterator[None]:
    """Have every checkpoint within call `question`, which may raise to cancel."""
    token = _question.set(question)
    try:
        yield
    finally:
        _question.reset(token)


def checkpoint() -> None:
    """Ask whether to go on."""
    _question.get()()
