"""The network that writes lead sheets: a small decoder-only transformer over slots, as it is run.

Owns the network's shape and one forward pass, in numpy: steps this small are quicker without torch, and who only makes
music need not load it. `training/network.py` is the same network as it is trained. Knows nothing of sampling or files.

Every slot is the sum of embeddings of its columns (`cursor.COLUMNS`) and of the pitch classes of the chords around it.
Rotary positions turn half of each head by musical time in bars, the other half by slot number; a query stands at the
onset of the event to be written, a key at the onset of the event it holds, so "two bars ago at this place" is one
fixed turn.

Axes: b rows (sections), t slots of a row, n slots of all rows, c columns, d channels, h heads, e channels of a head.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from musicgen.composer.lead_sheet_network.cursor import COLUMNS, MAX_BARS_LEFT, MAX_UNTIL_NEXT, SITUATION
from musicgen.composer.lead_sheet_network.matrices import Block, Floats, block_of, in_strips, matrix_of, product
from musicgen.composer.lead_sheet_network.section import (
    CADENCES,
    DENSITY_EDGES,
    LABELS,
    MODE_NAMES,
    RHYTHM_EDGES,
    RICHNESS_EDGES,
    STYLES,
)
from musicgen.composer.lead_sheet_network.tokens import (
    DURATIONS,
    FIRST_CHORD,
    MAX_BAR_TICKS,
    METRES,
    N_SYMBOLS,
    chord_tones,
    duration_masks,
    symbol_masks,
)

Integers = NDArray[np.int64]

# How many values each embedded column takes, in the order of `COLUMNS`.
COLUMN_SIZES = (
    N_SYMBOLS, len(DURATIONS) + 1, MAX_BAR_TICKS, MAX_BARS_LEFT + 1, 2, N_SYMBOLS, N_SYMBOLS, MAX_UNTIL_NEXT + 1,
    FIRST_CHORD, len(STYLES) + 1, len(MODE_NAMES) + 1, len(METRES) + 1, len(LABELS) + 1, len(DENSITY_EDGES) + 2,
    len(RICHNESS_EDGES) + 2, len(RHYTHM_EDGES) + 2, len(CADENCES) + 1,
)  # fmt: skip
FIRST_ROWS = np.cumsum([0, *COLUMN_SIZES[:-1]])  # of each column in the joint table
POSITION, STREAM, METRE = (COLUMNS.index(name) for name in ("position", "stream", "metre"))
HARMONY_COLUMNS = tuple(COLUMNS.index(name) for name in ("symbol", "chord", "next_chord"))
# Wavelengths of the rotary turns by musical time, from a quarter of a bar to 64 bars.
TIME_OCTAVES = (-2.0, 6.0)
NORM_EPSILON = float(np.finfo(np.float32).eps)
READ_STEP = 8  # attention reads the cache in multiples of this, so that its sums hardly depend on the other rows


@dataclass(frozen=True, slots=True)
class NetworkShape:
    """Sizes of the network."""

    channels: int
    layers: int
    heads: int
    dropout: float = 0.0

    def as_metadata(self) -> dict[str, str]:
        """Give the sizes as text for the header of a safetensors file."""
        return {name: str(value) for name, value in asdict(self).items() if name != "dropout"}


@dataclass(slots=True)
class KeyValueCache:
    """Keys and values of the slots read so far.

    Attributes:
        keys, values: (layers, b, h, capacity, e) float32; a row's slots begin at 0, zeros follow them.
        lengths: (b,) slots of each row.
    """

    keys: Floats
    values: Floats
    lengths: Integers

    @classmethod
    def empty(cls, shape: NetworkShape, batch: int, capacity: int) -> "KeyValueCache":
        """Make room for `capacity` slots a row."""
        rooms = -(-capacity // READ_STEP) * READ_STEP
        size = (shape.layers, batch, shape.heads, rooms, shape.channels // shape.heads)
        return cls(np.zeros(size, np.float32), np.zeros(size, np.float32), np.zeros(batch, np.int64))

    def repeat(self, times: int) -> "KeyValueCache":
        """Give every row `times` times, side by side."""
        used = int(self.lengths.max())
        repeated = []
        for kept in (self.keys, self.values):
            layers, batch, heads, capacity, channels = kept.shape
            room = np.zeros((layers, batch * times, heads, capacity, channels), np.float32)
            room[:, :, :, :used] = kept[:, :, :, :used].repeat(times, axis=1)
            repeated.append(room)
        return KeyValueCache(repeated[0], repeated[1], self.lengths.repeat(times))

    def rows(self, first: int, end: int) -> "KeyValueCache":
        """Give some of the rows, in the same memory."""
        return KeyValueCache(self.keys[:, first:end], self.values[:, first:end], self.lengths[first:end])

    def swap(self, one: int, other: int) -> None:
        """Let two rows change places."""
        used = int(self.lengths[[one, other]].max())
        for kept in (self.keys[:, :, :, :used], self.values[:, :, :, :used]):
            kept[:, [one, other]] = kept[:, [other, one]]
        self.lengths[[one, other]] = self.lengths[[other, one]]

    def move(self, old: int, new: int) -> None:
        """Put a row into the place of another one, which is lost."""
        used = int(self.lengths[old])
        for kept in (self.keys, self.values):
            kept[:, new, :, :used] = kept[:, old, :, :used]
        self.lengths[new] = used


@dataclass(frozen=True, slots=True)
class View:
    """What slots see of one another, the same in all layers.

    Attributes:
        rows: (n,) the row of each slot.
        order: (n,) the number of each slot among the new ones of its row.
        places: (n,) its number among all of its row.
        hidden: (b, 1, t, places) float32, 0 up to the place of each row's next t slots, minus infinity after it.
        turns: the rotary turns of queries and keys, (n, 2, 1, e / 2) complex64 of size 1.
    """

    rows: Integers
    order: Integers
    places: Integers
    hidden: Floats
    turns: NDArray[np.complex64]


def turn_rates(head_channels: int) -> tuple[Floats, Floats]:
    """Give the rotary turns by musical time, radians a bar, and by slot, radians: (e / 4,) float32 each."""
    n_turns = head_channels // 4
    by_time = 2 * math.pi / 2.0 ** np.linspace(*TIME_OCTAVES, n_turns)
    return by_time.astype(np.float32), (10000.0 ** (-np.arange(n_turns) / n_turns)).astype(np.float32)


def normed(stream: Floats) -> Floats:
    """Divide vectors (..., d) by their root mean square."""
    squares = (stream * stream).sum(axis=-1, keepdims=True) / np.float32(stream.shape[-1])
    scaled: Floats = stream / np.sqrt(squares + np.float32(NORM_EPSILON))
    return scaled


def gelu(inputs: Floats) -> Floats:
    """Give x times the normal distribution at x, to 3e-5: a logistic curve over an odd polynomial, fitted to it."""
    squares = inputs * inputs
    # Beyond, the curve is flat, and the polynomial would turn.
    np.minimum(squares, np.float32(20), out=squares)
    exponent = squares * np.float32(7.0303364e-4)
    exponent -= np.float32(7.4011291e-2)
    exponent *= squares
    exponent -= np.float32(1.5950158)
    exponent *= inputs
    np.exp(exponent, out=exponent)
    exponent += np.float32(1)
    result: Floats = np.divide(inputs, exponent, out=exponent)
    return result


class LeadSheetNetwork:
    """Slots in, a distribution over the next event out: first its duration, then, given that, its symbol."""

    def __init__(self, shape: NetworkShape, weights: Mapping[str, Floats]) -> None:
        """Take the weights under the names that `training/network.py` gives them, float32."""
        self.shape = shape
        self.duration_masks, self.symbol_masks = duration_masks(), symbol_masks()
        self._rates = turn_rates(shape.channels // shape.heads)
        self._table = _table(weights)
        self._blocks = [block_of(weights, f"blocks.{layer}.", shape.heads) for layer in range(shape.layers)]
        self._norm = weights["norm.weight"]
        self._heads = {
            name: (matrix_of(weights, f"{name}.weight"), weights[f"{name}.bias"])
            for name in ("duration_head", "symbol_head")
        }
        self._symbol_block = [
            (in_strips(matrix_of(weights, f"{name}.weight")), weights[f"{name}.bias"])
            for name in ("symbol_in", "symbol_out")
        ]
        self._norm_symbol = weights["norm_symbol.weight"]
        self._chosen_duration = weights["chosen_duration.weight"]

    def read(self, slots: Integers, times: Floats, counts: Integers, cache: KeyValueCache) -> Floats:
        """Read slots, after those that the cache holds.

        Args:
            slots: (n, c) int64, `COLUMNS`: those of the first row, then those of the second, and so on.
            times: (n, 2) float32, bars: onset of the slot's event and of the event after it.
            counts: (b,) int64, how many of them belong to each row.
            cache: filled with the slots.

        Returns:
            (n, d), what `duration_logits` and `symbol_logits` take.
        """
        view = self._view(times, counts, cache.lengths)
        stream = self._table[slots[:, : len(COLUMN_SIZES)] + FIRST_ROWS].sum(axis=1)
        for layer, block in enumerate(self._blocks):
            stream += self._attend(block, normed(stream), view, cache.keys[layer], cache.values[layer])
            stream += product(gelu(product(normed(stream), block.mlp_in)), block.mlp_out)
        cache.lengths += counts
        states: Floats = normed(stream) * self._norm
        return states

    def _view(self, times: Floats, counts: Integers, lengths: Integers) -> View:
        """Find what new slots see at times (n, 2), bars, in rows (b,) that have so many of them, and had so many."""
        rows = np.arange(len(counts)).repeat(counts)
        order = np.arange(len(rows)) - (counts.cumsum() - counts).repeat(counts)
        places = lengths[rows] + order
        by_time, by_index = self._rates
        by_place = np.repeat((places[:, None].astype(np.float32) * by_index)[:, None], 2, axis=1)
        # A query stands at the later time, the onset of the event to be written.
        angles = np.concatenate([times[:, ::-1, None] * by_time, by_place], axis=-1)[:, :, None]
        n_seen = -(-int(places.max() + 1) // READ_STEP) * READ_STEP
        grid = lengths[:, None] + np.arange(counts.max())
        seen = np.arange(n_seen) <= grid[:, None, :, None]
        return View(rows, order, places, np.where(seen, np.float32(0), np.float32(-np.inf)), np.exp(1j * angles))

    def _attend(self, block: Block, inputs: Floats, view: View, keys: Floats, values: Floats) -> Floats:
        """Let slots (n, d) look at those up to their own, after adding to keys and values (b, h, capacity, e)."""
        joint = product(inputs, block.query_key_value).reshape(len(inputs), 3, self.shape.heads, -1)
        turned = joint[:, :2].view(np.complex64)
        turned *= view.turns
        keys[view.rows, :, view.places] = joint[:, 1]
        values[view.rows, :, view.places] = joint[:, 2]
        batch, _, most, n_seen = view.hidden.shape
        queries = np.zeros((batch, most, *joint.shape[2:]), np.float32)
        queries[view.rows, view.order] = joint[:, 0]
        scores = queries.transpose(0, 2, 1, 3) @ keys[:, :, :n_seen].swapaxes(-1, -2)
        scores += view.hidden
        scores -= scores.max(axis=-1, keepdims=True)
        shares = np.exp(scores, out=scores)
        shares /= shares.sum(axis=-1, keepdims=True)
        mixed = (shares @ values[:, :, :n_seen])[view.rows, :, view.order]
        return product(mixed.reshape(inputs.shape), block.attention_out)

    def duration_logits(self, states: Floats, slots: Integers) -> Floats:
        """Give (b, durations) float32 logits of the next event's duration, minus infinity where the bar would overflow.

        Args:
            states: (b, d) float32, of the last slots.
            slots: (b, c) int64, the last slots.
        """
        allowed = self.duration_masks[slots[:, STREAM], slots[:, METRE] - 1, slots[:, POSITION]]
        return np.where(allowed, self._head("duration_head", states), np.float32(-np.inf))

    def symbol_logits(self, states: Floats, slots: Integers, durations: Integers) -> Floats:
        """Give float32 logits of the next event's symbol, given its duration's index (b,) int64.

        Returns:
            (b, N_SYMBOLS), or (b, FIRST_CHORD) where no row writes chords.
        """
        situations = slots[:, SITUATION]
        n_symbols = N_SYMBOLS if (situations == 0).any() else FIRST_CHORD
        inner = normed(states + self._chosen_duration[durations]) * self._norm_symbol
        (strips_in, bias_in), (strips_out, bias_out) = self._symbol_block
        inner += product(gelu(product(inner, strips_in) + bias_in), strips_out) + bias_out
        logits = self._head("symbol_head", inner, n_symbols)
        return np.where(self.symbol_masks[situations, :n_symbols], logits, np.float32(-np.inf))

    def _head(self, name: str, inputs: Floats, n_outputs: int | None = None) -> Floats:
        matrix, bias = self._heads[name]
        outputs: Floats = inputs @ matrix[:, :n_outputs] + bias[:n_outputs]
        return outputs


def _table(weights: Mapping[str, Floats]) -> Floats:
    """Join the embeddings of all columns, (rows, d); the rows of chords hold what their pitch classes add."""
    table = weights["columns.weight"].copy()
    tones = chord_tones()
    by_class = np.split(weights["harmony.weight"].T, len(HARMONY_COLUMNS))
    for column, matrix in zip(HARMONY_COLUMNS, by_class, strict=True):
        first = FIRST_ROWS[column]
        table[first : first + N_SYMBOLS] += tones @ matrix
    return table
