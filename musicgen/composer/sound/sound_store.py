"""A bounded memory of things that are dear to make: the least recently used go first.

Knows nothing of what it keeps but its size in bytes. Safe to use from several threads.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any, TypeVar

T = TypeVar("T")


class SoundStore:
    """Keep made things up to a number of bytes."""

    def __init__(self, budget_bytes: int) -> None:
        self.budget_bytes = budget_bytes
        self.n_bytes = 0
        self._entries: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, key: Hashable) -> bool:
        return key in self._entries

    def get(self, key: Hashable, make: Callable[[], T], size_of: Callable[[T], int]) -> T:
        """Return what is kept under `key`, or make it and keep it.

        Two threads that miss the same key at once both make it: `make` must give equal things for equal keys.
        """
        with self._lock:
            if key in self._entries:
                self._entries.move_to_end(key)
                return self._entries[key][0]
        made = make()
        self._keep(key, made, size_of(made))
        return made

    def _keep(self, key: Hashable, made: Any, size: int) -> None:
        with self._lock:
            if key in self._entries:
                return
            self._entries[key] = made, size
            self.n_bytes += size
            while self.n_bytes > self.budget_bytes:
                _, (_, freed) = self._entries.popitem(last=False)
                self.n_bytes -= freed
