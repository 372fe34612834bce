"""Arrays of sounds in a device's memory: cut into pages of one size, within a byte budget, the oldest used go first.

Pages leave no gaps however sounds come and go, and any number of sounds can be read by one gather through a table of
their pages. Knows nothing of notes; what it is given lies in it as the bytes it had.
"""

from collections import OrderedDict
from collections.abc import Hashable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

PAGE_BYTES = 4096

Pages = NDArray[np.int64]


class DeviceMemory:
    """Holds groups of arrays under keys; not for several threads at once."""

    def __init__(self, device: str, budget_bytes: int) -> None:
        """Take `budget_bytes` of a torch device."""
        self.device = torch.device(device)
        self.n_pages = budget_bytes // PAGE_BYTES
        self._bytes = torch.zeros((self.n_pages, PAGE_BYTES), dtype=torch.uint8, device=self.device)
        self._free = list(range(self.n_pages))
        self._held: OrderedDict[Hashable, tuple[Pages, ...]] = OrderedDict()

    def __contains__(self, key: Hashable) -> bool:
        return key in self._held

    def hold(self, key: Hashable, arrays: Sequence[NDArray[np.generic]]) -> tuple[Pages, ...]:
        """Return the numbers of the pages on which a group's arrays lie, one row for each; copy them there if need be.

        They stay until as many pages as the whole memory has were asked for since.

        Raises:
            ValueError: the group alone is larger than the memory.
        """
        if key not in self._held:
            self._held[key] = self._copy(arrays)
        self._held.move_to_end(key)
        return self._held[key]

    def gather(self, dtype: torch.dtype, table: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
        """Read (k, n) values at `places` of k arrays whose pages are the rows of `table`, (k, m) int64."""
        values = self._bytes.view(-1).view(dtype)
        length = PAGE_BYTES // dtype.itemsize
        return values[table.gather(1, places // length) * length + places % length]

    def _copy(self, arrays: Sequence[NDArray[np.generic]]) -> tuple[Pages, ...]:
        counts = [n_pages(array) for array in arrays]
        if sum(counts) > self.n_pages:
            raise ValueError(
                f"a sound of {sum(counts) * PAGE_BYTES / 2**20:.0f} MB does not go into a device memory of "
                f"{self.n_pages * PAGE_BYTES / 2**20:.0f} MB"
            )
        while len(self._free) < sum(counts):
            _, dropped = self._held.popitem(last=False)
            self._free.extend(np.concatenate(dropped).tolist())
        taken = np.array([self._free.pop() for _ in range(sum(counts))], dtype=np.int64)
        content = np.zeros((len(taken), PAGE_BYTES), dtype=np.uint8)
        rows = np.split(taken, np.cumsum(counts)[:-1])
        first = 0
        for array, count in zip(arrays, counts, strict=True):
            raw = np.frombuffer(np.ascontiguousarray(array).data, dtype=np.uint8)
            content[first : first + count].reshape(-1)[: len(raw)] = raw
            first += count
        self._bytes[torch.from_numpy(taken).to(self.device)] = torch.from_numpy(content).to(self.device)
        return tuple(rows)


def n_pages(array: NDArray[np.generic]) -> int:
    """Return how many pages an array takes."""
    return -(-array.nbytes // PAGE_BYTES)
