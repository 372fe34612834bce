"""One stream to several workers at once, each in a thread of its own and at most a few items behind.

Knows nothing of what the items are. For workers that spend their time without the GIL, as encoders do.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from typing import Any, Generic, TypeVar

ITEMS_WAITING = 4  # for each worker

T = TypeVar("T")


class Abandoned(Exception):
    """What a worker's items end with when the rest of them will not come."""


def fan_out(
    items: Iterable[T], workers: Sequence[Callable[[Iterator[T]], Any]], on_last: Callable[[], None]
) -> list[Any]:
    """Give every item to every worker; return what the workers return, in their order.

    Args:
        items: taken in the caller's thread, no faster than the slowest worker takes them.
        workers: each called once, in a thread of its own, with an iterator over all items.
        on_last: called when the last item was taken, while the workers may still be busy.

    Raises:
        Exception: what `items`, a worker or `on_last` raises first. Every worker has ended by then: the others find
            their items ending in `Abandoned`.
    """
    lines: list[_Line[T]] = [_Line() for _ in workers]
    with ThreadPoolExecutor(max(len(workers), 1), "fan-out") as threads:
        futures = [threads.submit(_work, worker, line) for worker, line in zip(workers, lines, strict=True)]
        try:
            for item in items:
                for line in lines:
                    line.put(item)
                _raise_errors(futures)
            on_last()
            for line in lines:
                line.end()
            wait(futures, return_when=FIRST_EXCEPTION)
            _raise_errors(futures)
        except BaseException:
            for line in lines:
                line.abandon()
            raise
    return [future.result() for future in futures]


def _work(worker: Callable[[Iterator[T]], Any], line: "_Line[T]") -> Any:
    try:
        return worker(iter(line))
    finally:
        line.abandon()


def _raise_errors(futures: list[Future[Any]]) -> None:
    for future in futures:
        if future.done():
            future.result()


class _Line(Generic[T]):
    """A short queue from one thread to another, which either side can leave."""

    def __init__(self) -> None:
        self._items: deque[T] = deque()
        self._changed = threading.Condition()
        self._is_complete = False
        self._is_abandoned = False

    def put(self, item: T) -> None:
        """Append an item as soon as there is room; in an abandoned line it is lost."""
        with self._changed:
            self._changed.wait_for(lambda: len(self._items) < ITEMS_WAITING or self._is_abandoned)
            if not self._is_abandoned:
                self._items.append(item)
                self._changed.notify_all()

    def end(self) -> None:
        """Say that no more items come."""
        with self._changed:
            self._is_complete = True
            self._changed.notify_all()

    def abandon(self) -> None:
        """Drop what is in the line, and whatever may still come."""
        with self._changed:
            self._is_abandoned = True
            self._items.clear()
            self._changed.notify_all()

    def __iter__(self) -> Iterator[T]:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._items or self._is_complete or self._is_abandoned)
                if self._is_abandoned:
                    raise Abandoned
                if not self._items:
                    return
                item = self._items.popleft()
                self._changed.notify_all()
            yield item
