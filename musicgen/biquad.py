"""Recursive filters of second order, a block of samples at a time; `scipy.signal` would take most of a second to load.

A cascade of biquads is a linear system whose state is a few numbers. Over a block of samples its answer is therefore a
product of matrices, one for the block's samples and one for the state before it; and the states before the blocks are
once more such a system, with a block for a sample. Knows nothing of what is filtered.

States are float64, as what is fed back must be exact; what is handed on is rounded to float32 once. Products are cut so
short that no BLAS library shares them out among threads: the bits depend on the samples alone, and on where a stream is
cut.

Source: R. Bristow-Johnson, "Cookbook formulae for audio EQ biquad filter coefficients"; C. S. Burrus, "Block
realization of digital filters", 1972.

Legend: c channels, n samples, k blocks, m numbers of state.
"""

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Generic, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Samples = NDArray[np.float32]
Rows = TypeVar("Rows", Array, Samples)
BLOCK = 16
# Blocks, or groups of them, whose states are worked out at a time.
GROUP = 8
# Samples a channel that are worked on at a time: they fit the processor's cache.
PIECE = 2**14
# OpenBLAS leaves a product of fewer multiplications than 2**18 to one thread.
PRODUCT_SIZE = 2**17
# States below it are silence: numbers near the least that a processor knows are slow.
SILENT_STATE = 1e-30
# Samples for which a moving filter stands still at the least.
HELD = 32


def butterworth(order: int, cutoff_hz: float, kind: Literal["low", "high"], sample_rate: float) -> Array:
    """Design a Butterworth filter of even order; returns (order // 2, 5) sections: b0, b1, b2, a1, a2 where a0 is 1."""
    omega = 2 * math.pi * cutoff_hz / sample_rate
    cosine, sine = math.cos(omega), math.sin(omega)
    sign = 1 if kind == "low" else -1
    sections = []
    for pair in range(order // 2):
        alpha = sine * math.sin(math.pi * (2 * pair + 1) / (2 * order))
        b1 = sign - cosine
        b0 = sign * b1 / 2
        sections.append(np.array([b0, b1, b0, -2 * cosine, 1 - alpha]) / (1 + alpha))
    return np.stack(sections)


@dataclass(frozen=True, slots=True)
class _System(Generic[Rows]):
    """What a linear system does to rows of inputs, each with the state before it.

    Attributes:
        answer: (inputs + m, outputs) from a row's inputs and the state before it to its outputs; of blocks float32.
        into: (inputs, m) from a row's inputs to the state after it.
        over: (m, m) from the state before a row to the state after it.
    """

    answer: Rows
    into: Array
    over: Array


class BiquadFilter:
    """A cascade of biquads and its state, for sound that comes in pieces."""

    def __init__(self, sections: Array, n_channels: int) -> None:
        """Prepare a filter at rest, from (s, 5) sections: b0, b1, b2, a1, a2 where a0 is 1."""
        step, into, out, through = _state_space(sections)
        self._powers = _powers(step, BLOCK)
        self._block = _block_system(self._powers, into, out, through)
        # For groups of blocks, groups of groups, and so on: as many as a piece has.
        self._groups = [_group_system(self._block.over)]
        while BLOCK * GROUP ** (len(self._groups) + 1) < PIECE:
            self._groups.append(_group_system(self._groups[-1].over))
        self._state = np.zeros((n_channels, len(step)))

    def process(self, samples: Samples) -> Samples:
        """Filter the next (c, n) samples."""
        filtered = np.empty(samples.shape, dtype=np.float32)
        n_whole = samples.shape[1] - samples.shape[1] % BLOCK
        for start in range(0, n_whole, PIECE):
            span = slice(start, min(start + PIECE, n_whole))
            filtered[:, span] = self._filter_blocks(samples[:, span])
        if n_whole < samples.shape[1]:
            filtered[:, n_whole:] = self._filter_rest(samples[:, n_whole:])
        self._state[np.abs(self._state) < SILENT_STATE] = 0
        return filtered

    def _filter_blocks(self, samples: Samples) -> Samples:
        n_channels, m = self._state.shape
        rows = np.empty((samples.size // BLOCK, BLOCK + m), dtype=np.float32)
        rows[:, :BLOCK] = samples.reshape(-1, BLOCK)
        pushes = _product(rows[:, :BLOCK].astype(np.float64), self._block.into).reshape(n_channels, -1, m)
        before, self._state = self._states(pushes, self._state, 0)
        rows[:, BLOCK:] = before.reshape(-1, m)
        filtered: Samples = _product(rows, self._block.answer).reshape(samples.shape)
        return filtered

    def _states(self, pushes: Array, state: Array, depth: int) -> tuple[Array, Array]:
        """Return the states before each of (c, k, m) pushes, and the one after the last."""
        n_channels, k, m = pushes.shape
        over = self._groups[depth - 1].over if depth else self._block.over
        before = np.empty_like(pushes)
        n_whole = k - k % GROUP if depth < len(self._groups) else 0
        if n_whole:
            group = self._groups[depth]
            rows = np.empty((n_channels * n_whole // GROUP, (GROUP + 1) * m))
            rows[:, : GROUP * m] = pushes[:, :n_whole].reshape(-1, GROUP * m)
            group_pushes = _product(rows[:, : GROUP * m], group.into).reshape(n_channels, -1, m)
            starts, state = self._states(group_pushes, state, depth + 1)
            rows[:, GROUP * m :] = starts.reshape(-1, m)
            before[:, :n_whole] = _product(rows, group.answer).reshape(n_channels, n_whole, m)
        for i in range(n_whole, k):
            before[:, i] = state
            state = state @ over + pushes[:, i]
        return before, state

    def _filter_rest(self, samples: Samples) -> Samples:
        """Filter less than a block."""
        n_channels, n = samples.shape
        rows = np.hstack([samples, np.zeros((n_channels, BLOCK - n), np.float32), self._state.astype(np.float32)])
        filtered: Samples = rows @ self._block.answer
        self._state = samples.astype(np.float64) @ self._block.into[BLOCK - n :] + self._state @ self._powers[n]
        return filtered[:, :n]


def filter_moving(samples: Samples, sections: Array, firsts: NDArray[np.int64]) -> Samples:
    """Filter (n,) samples by a biquad that changes.

    Args:
        samples: the sound.
        sections: (k, 5), as those of `BiquadFilter`.
        firsts: (k,) sample from which on each section holds, rising from 0, multiples of `HELD`.
    """
    n_blocks = -(-len(samples) // HELD)
    rows = np.zeros((n_blocks, HELD + 2), dtype=np.float32)
    rows[: len(samples) // HELD, :HELD] = samples[: len(samples) // HELD * HELD].reshape(-1, HELD)
    rows[n_blocks - 1, : len(samples) - (n_blocks - 1) * HELD] = samples[(n_blocks - 1) * HELD :]
    answers, into, over = _moving_systems(sections)
    spans = [slice(*bounds) for bounds in pairwise([*(firsts // HELD).tolist(), n_blocks])]
    state = (0.0, 0.0)
    filtered = np.empty((n_blocks, HELD), dtype=np.float32)
    for i, span in enumerate(spans):
        pushes = rows[span, :HELD].astype(np.float64) @ into[i]
        rows[span, HELD:], state = _walk(pushes.tolist(), over[i].ravel().tolist(), state)
        filtered[span] = _product(rows[span], answers[i])
    return filtered.ravel()[: len(samples)]


def _walk(
    pushes: list[list[float]], over: list[float], state: tuple[float, float]
) -> tuple[list[tuple[float, float]], tuple[float, float]]:
    """Return the states before each push, and the one after the last; for two numbers Python is fastest."""
    from_first, first_to_second, second_to_first, from_second = over
    first, second = state
    before = []
    for push_first, push_second in pushes:
        before.append((first, second))
        first, second = (
            first * from_first + second * second_to_first + push_first,
            first * first_to_second + second * from_second + push_second,
        )
    return before, (first, second)


def _moving_systems(sections: Array) -> tuple[Samples, Array, Array]:
    """Return what `_System` holds, for k single sections: (k, HELD + 2, HELD), (k, HELD, 2), (k, 2, 2)."""
    b0, b1, b2, a1, a2 = sections.T
    step = np.stack([np.stack([-a1, -a2], 1), np.tile([1.0, 0.0], (len(sections), 1))], 1)
    from_state = np.empty((len(sections), HELD + 1, 2, 2))
    from_state[:, 0] = np.eye(2)
    for i in range(HELD):
        from_state[:, i + 1] = from_state[:, i] @ step
    pushed = np.stack([b1 - a1 * b0, b2 - a2 * b0], 1)[:, None, None, :] @ from_state[:, :HELD]
    impulse = np.concatenate([np.zeros((len(sections), HELD - 1)), b0[:, None], pushed[:, : HELD - 1, 0, 0]], 1)
    later = np.arange(HELD) - np.arange(HELD)[:, None] + HELD - 1
    answers = np.concatenate([impulse[:, later], from_state[:, :HELD, :, 0].swapaxes(1, 2)], 1)
    return answers.astype(np.float32), pushed[:, ::-1, 0], from_state[:, HELD]


def _state_space(sections: Array) -> tuple[Array, Array, Array, float]:
    """Return the state's step (m, m), input to state (m,), state to output (m,) and input to output, of a cascade."""
    step, into, out, through = np.zeros((0, 0)), np.zeros(0), np.zeros(0), 1.0
    for b0, b1, b2, a1, a2 in sections.tolist():
        own_into = np.array([b1 - a1 * b0, b2 - a2 * b0])
        m = len(into)
        joined = np.zeros((m + 2, m + 2))
        joined[:m, :m] = step
        joined[m:, :m] = np.outer(own_into, out)
        joined[m:, m:] = [[-a1, 1], [-a2, 0]]
        step, into = joined, np.concatenate([into, own_into * through])
        out, through = np.concatenate([b0 * out, [1.0, 0.0]]), b0 * through
    return step.T.copy(), into, out, through


def _powers(step: Array, n: int) -> Array:
    powers = [np.eye(len(step))]
    for _ in range(n):
        powers.append(powers[-1] @ step)
    return np.stack(powers)


def _block_system(powers: Array, into: Array, out: Array, through: float) -> _System[Samples]:
    size = len(powers) - 1
    impulse = np.concatenate([[through], into @ powers[: size - 1] @ out])
    through_block = np.zeros((size, size))
    for i in range(size):
        through_block[i, i:] = impulse[: size - i]
    answer: Samples = np.vstack([through_block, (powers[:size] @ out).T]).astype(np.float32)
    return _System(answer, (into @ powers[:size])[::-1].copy(), powers[size])


def _group_system(over: Array) -> _System[Array]:
    """Make the system whose inputs are the pushes of a group, and whose outputs are the states before them."""
    m = len(over)
    powers = _powers(over, GROUP)
    answer = np.zeros((GROUP, m, GROUP, m))
    for i in range(GROUP):
        for j in range(i + 1, GROUP):
            answer[i, :, j] = powers[j - i - 1]
    from_state = np.hstack(list(powers[:GROUP]))
    into = np.vstack(list(powers[GROUP - 1 :: -1]))
    joined: Array = np.vstack([answer.reshape(GROUP * m, GROUP * m), from_state])
    return _System(joined, into, powers[GROUP])


def _product(rows: Rows, matrix: Rows) -> Rows:
    product = np.empty((len(rows), matrix.shape[1]), dtype=matrix.dtype)
    n_rows = PRODUCT_SIZE // matrix.size
    for first in range(0, len(rows), n_rows):
        np.matmul(rows[first : first + n_rows], matrix, out=product[first : first + n_rows])
    return product
