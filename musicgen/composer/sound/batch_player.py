"""One part's notes as batches on a torch device: for GPUs, where a window's notes cost about as much as one.

Does what `part_rendering.py` does and takes its schedule; the sounds are the sampler's, kept on the device as well.
Sums run over one axis of a tensor, never by atomic additions: the same device gives the same bits every time. Against
the processor's player the order of the sum and of the gains' products differs: 120 dB below the signal, or less.

Axes: k notes' sounds ("rows"), n samples of the window, m pages.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from threading import Lock
from typing import NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
import torch
from numpy.typing import NDArray

from musicgen.composer.sound.articulation import release_gain
from musicgen.composer.sound.device_memory import PAGE_BYTES, DeviceMemory, Pages, n_pages
from musicgen.composer.sound.kept_sound import Sound
from musicgen.composer.sound.part_rendering import CHOKE_RELEASE_S, Event, PartPlayer, Sounding
from musicgen.composer.sound.resampling import Samples
from musicgen.composer.sound.sampler import Sampler, SoundKey
from musicgen.composer.sound.sound_store import SoundStore

DEFAULT_BUDGET_BYTES = 512 * 2**20
# Rows x samples in one batch: about 60 bytes of a device's memory each while it is computed.
BATCH_CELLS = 2**22

Column = NDArray[np.int64]


class Row(NamedTuple):
    """A sound as one note plays it."""

    event: Event
    sound: Sound
    stop: int
    pages: tuple[Pages, ...]


class DeviceSounds:
    """A device's copy of one sampler's sounds, for all parts and pieces."""

    def __init__(self, device: str, budget_bytes: int = DEFAULT_BUDGET_BYTES) -> None:
        self.memory = DeviceMemory(device, budget_bytes)
        self.choke = torch.from_numpy(release_gain(CHOKE_RELEASE_S).copy()).to(device)
        # From the copying of sounds to the reading of them nobody else may copy.
        self.lock = Lock()
        self._unrolled = SoundStore(budget_bytes)

    def unrolled(self, key: SoundKey, sounds: tuple[Sound, ...]) -> tuple[Sound, ...]:
        """Return the sounds of a key without loops, which a device has not: as long as the longest note of the key."""
        if not any(sound.n_loop for sound in sounds):
            return sounds
        return self._unrolled.get(
            key,
            lambda: tuple(sound.unrolled(key.n_held + len(sound.release)) for sound in sounds),
            lambda made: sum(sound.n_bytes for sound in made),
        )

    def batches(self, played: Sequence[Sounding], n: int) -> Iterator[list[Row]]:
        """Yield the sounds that notes play, in order, as many at a time as the device has room for."""
        rows: list[Row] = []
        n_taken = 0
        for sounding in played:
            sound = sounding.sound
            arrays = (*sound.samples, sound.envelope, sound.release)
            n_more = sum(map(n_pages, arrays))
            if rows and (n_taken + n_more > self.memory.n_pages or (len(rows) + 1) * n > BATCH_CELLS):
                yield rows
                rows, n_taken = [], 0
            name = sounding.event.key, sounding.number
            rows.append(Row(sounding.event, sound, sounding.stop, self.memory.hold(name, arrays)))
            n_taken += n_more
        if rows:
            yield rows


class BatchPlayer(PartPlayer):
    """Plays a part's events forward in time on a torch device; see `PartPlayer`."""

    def __init__(self, events: Sequence[Event], sampler: Sampler, sounds: DeviceSounds) -> None:
        """Stand before the first of `events`, which `schedule` made; `sounds` must be those of `sampler`."""
        super().__init__(events, sampler)
        self._sounds = sounds

    def _sounds_of(self, key: SoundKey) -> tuple[Sound, ...]:
        return self._sounds.unrolled(key, super()._sounds_of(key))

    def play(self, start: int, stop: int) -> Samples:
        """Render the samples from `start` to `stop`; see `PartPlayer.play`."""
        self._begin(start, stop)
        played = [sounding for sounding in self._sounding if sounding.stop > start]
        bus = torch.zeros((2, stop - start), device=self._sounds.memory.device)
        with self._sounds.lock:
            for rows in self._sounds.batches(played, stop - start):
                bus += _summed(rows, self._sounds, start, stop)
        self._let_go(stop)
        return bus.cpu().numpy()


def device_sounds(sampler: Sampler, device: str) -> DeviceSounds:
    """Return the one copy of a sampler's sounds on a device."""
    with _making:
        copies = _copies.setdefault(sampler, {})
        if device not in copies:
            copies[device] = DeviceSounds(device)
        return copies[device]


_copies: "WeakKeyDictionary[Sampler, dict[str, DeviceSounds]]" = WeakKeyDictionary()
_making = Lock()


def _summed(rows: Sequence[Row], sounds: DeviceSounds, start: int, stop: int) -> torch.Tensor:
    """Sum the rows' sounds between two samples of the piece: (2, n) float32."""
    memory = sounds.memory
    time = torch.arange(start, stop, device=memory.device)
    onset = _column(rows, lambda row: row.event.onset)
    heard = time < _on(memory, _column(rows, lambda row: row.stop))
    heard &= time >= _on(memory, onset)
    gain = _gains(rows, sounds, time, start).mul_(heard)

    last = _column(rows, lambda row: row.sound.samples.shape[1] - 1)
    read = partial(_read, memory, torch.int16, origin=onset, last=last, time=time, start=start)
    left = read([row.pages[0] for row in rows])
    if all(len(row.sound.samples) == 1 for row in rows):
        return left.float().mul_(gain).sum(0).expand(2, -1)
    right = read([row.pages[len(row.sound.samples) - 1] for row in rows])
    return torch.stack([channel.float().mul_(gain).sum(0) for channel in (left, right)])


def _gains(rows: Sequence[Row], sounds: DeviceSounds, time: torch.Tensor, start: int) -> torch.Tensor:
    """Return the rows' gains, (k, n) float32: held, then released, then choked."""
    memory, falling = sounds.memory, sounds.choke
    read = partial(_read, memory, torch.float32, time=time, start=start)
    onset = _column(rows, lambda row: row.event.onset)
    choke = _column(rows, lambda row: row.event.choke)
    end = np.minimum(_column(rows, lambda row: row.event.end), choke)
    # The envelope stands still after its last value, and from the note's end on.
    still = np.minimum(_column(rows, lambda row: len(row.sound.envelope) - 1), end - onset)
    gain = read([row.pages[-2] for row in rows], origin=onset, last=still)
    gain *= torch.tensor([[row.sound.gains[row.event.velocity]] for row in rows], device=memory.device)
    release = read(
        [row.pages[-1] for row in rows], origin=end, last=_column(rows, lambda row: len(row.sound.release) - 1)
    )
    gain *= torch.where(_on(memory, choke == end), 1.0, release)
    # Before its choke a sound is at the fall's beginning, which is 1.
    return gain.mul_(falling[(time - _on(memory, choke)).clamp_(0, len(falling) - 1)])


def _column(rows: Sequence[Row], value: Callable[[Row], int]) -> Column:
    return np.array([[value(row)] for row in rows], dtype=np.int64)


def _on(memory: DeviceMemory, column: NDArray[np.generic]) -> torch.Tensor:
    return torch.from_numpy(column).to(memory.device)


def _read(
    memory: DeviceMemory,
    dtype: torch.dtype,
    pages: Sequence[Pages],
    origin: Column,
    last: Column,
    time: torch.Tensor,
    start: int,
) -> torch.Tensor:
    """Read arrays that lie on `pages` at `time - origin`, kept within 0 and `last`.

    Args:
        memory: where the arrays lie.
        dtype: of their values.
        pages: of k arrays.
        origin, last: (k, 1) int64.
        time: (n,) int64, rising by 1 from `start`.
        start: known here so that nothing waits for the device.

    Returns:
        (k, n) of `dtype`.
    """
    length = PAGE_BYTES // dtype.itemsize
    skipped = np.clip(start - origin, 0, last) // length
    table = np.zeros((len(pages), len(time) // length + 2), dtype=np.int64)
    for line, array, first in zip(table, pages, skipped[:, 0], strict=True):
        reached = array[first : first + len(line)]
        line[: len(reached)] = reached
    places = (time - _on(memory, origin)).clamp_min_(0).minimum(_on(memory, last))
    return memory.gather(dtype, _on(memory, table), places.sub_(_on(memory, skipped * length)))
