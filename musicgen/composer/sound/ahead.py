"""Work ahead: the next things are made in another thread while this one uses the last."""

from collections import deque
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar, cast

T = TypeVar("T")

# How many things are made before they are asked for.
DEPTH = 3
_END: Any = object()


def ahead(things: Generator[T, None, None]) -> Generator[T, None, None]:
    """Yield the same things, made by one thread of their own; what making one raises is raised when its turn comes.

    Close it (`contextlib.closing`): that waits for the thing that is being made, which a garbage collector must not
    do, and closes `things`.
    """
    maker = ThreadPoolExecutor(1)
    try:
        being_made = deque(maker.submit(next, things, _END) for _ in range(DEPTH))
        while (thing := being_made.popleft().result()) is not _END:
            being_made.append(maker.submit(next, things, _END))
            yield cast(T, thing)
    finally:
        maker.shutdown(cancel_futures=True)
        things.close()
