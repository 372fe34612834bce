"""The network that writes lead sheets: a small decoder-only transformer over slots.

Owns the weights' shapes and one forward pass. Knows nothing of sampling, files or training. Every slot is the sum of
embeddings of its columns (`cursor.COLUMNS`) and of the pitch classes of the chords around it. Rotary positions turn
half of each head by musical time in bars, the other half by slot number; a query stands at the onset of the event to
be written, a key at the onset of the event it holds, so "two bars ago at this place" is one fixed turn.

Axes: b batch, t slots, c columns, d channels, h heads, e channels of a head, s symbols, n durations.
"""

import math
from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from musicgen.composer.lead_sheet_network.cursor import COLUMNS, MAX_BARS_LEFT, MAX_UNTIL_NEXT, SITUATION
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

# How many values each embedded column takes, in the order of `COLUMNS`.
COLUMN_SIZES = (
    N_SYMBOLS, len(DURATIONS) + 1, MAX_BAR_TICKS, MAX_BARS_LEFT + 1, 2, N_SYMBOLS, N_SYMBOLS, MAX_UNTIL_NEXT + 1,
    FIRST_CHORD, len(STYLES) + 1, len(MODE_NAMES) + 1, len(METRES) + 1, len(LABELS) + 1, len(DENSITY_EDGES) + 2,
    len(RICHNESS_EDGES) + 2, len(RHYTHM_EDGES) + 2, len(CADENCES) + 1,
)  # fmt: skip
POSITION, STREAM, CHORD, NEXT_CHORD = (COLUMNS.index(name) for name in ("position", "stream", "chord", "next_chord"))
METRE = COLUMNS.index("metre")
# Wavelengths of the rotary turns by musical time, from a quarter of a bar to 64 bars.
TIME_OCTAVES = (-2.0, 6.0)


@dataclass(frozen=True, slots=True)
class NetworkShape:
    """Sizes of the network."""

    channels: int = 256
    layers: int = 4
    heads: int = 4
    dropout: float = 0.0

    def as_metadata(self) -> dict[str, str]:
        """Give the sizes as text for the header of a safetensors file."""
        return {name: str(value) for name, value in asdict(self).items() if name != "dropout"}


@dataclass(slots=True)
class KeyValueCache:
    """Keys and values of the slots read so far: (layers, b, h, capacity, e) each."""

    keys: Tensor
    values: Tensor
    length: int = 0

    @classmethod
    def empty(cls, shape: NetworkShape, batch: int, capacity: int) -> "KeyValueCache":
        """Make room for `capacity` slots."""
        size = (shape.layers, batch, shape.heads, capacity, shape.channels // shape.heads)
        return cls(torch.empty(size), torch.empty(size))

    def repeat(self, batch: int) -> "KeyValueCache":
        """Copy what a cache of batch 1 holds for `batch` candidates."""
        layers, _, heads, capacity, channels = self.keys.shape
        keys, values = (torch.empty(layers, batch, heads, capacity, channels) for _ in range(2))
        keys[:, :, :, : self.length] = self.keys[:, :, :, : self.length]
        values[:, :, :, : self.length] = self.values[:, :, :, : self.length]
        return KeyValueCache(keys, values, self.length)

    def extend(self, layer: int, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Store (b, h, t, e) after what is there and give all keys and values; `length` is moved by the caller."""
        end = self.length + keys.shape[2]
        self.keys[layer, :, :, self.length : end] = keys
        self.values[layer, :, :, self.length : end] = values
        return self.keys[layer, :, :, :end], self.values[layer, :, :, :end]


def turn_rates(head_channels: int) -> tuple[Tensor, Tensor]:
    """Give the rotary turns by musical time, radians a bar, and by slot, radians: (e / 4,) float32 each."""
    n_turns = head_channels // 4
    by_time = 2 * math.pi / 2.0 ** torch.linspace(*TIME_OCTAVES, n_turns)
    return by_time, 10000.0 ** (-torch.arange(n_turns) / n_turns)


def turn(vectors: Tensor, cosines: Tensor, sines: Tensor) -> Tensor:
    """Rotate (b, h, t, e) pairwise by angles given as cosines and sines (b, 1, t, e / 2)."""
    first, second = vectors.chunk(2, dim=-1)
    return torch.cat([first * cosines - second * sines, first * sines + second * cosines], dim=-1)


class Block(nn.Module):
    """Attention and a two-layer perceptron, each on a normed copy of the stream."""

    def __init__(self, shape: NetworkShape) -> None:
        super().__init__()
        channels = shape.channels
        self.heads = shape.heads
        self.norm_attention = nn.RMSNorm(channels)
        self.query_key_value = nn.Linear(channels, 3 * channels, bias=False)
        self.attention_out = nn.Linear(channels, channels, bias=False)
        self.norm_mlp = nn.RMSNorm(channels)
        self.mlp_in = nn.Linear(channels, 4 * channels, bias=False)
        self.mlp_out = nn.Linear(4 * channels, channels, bias=False)
        self.dropout = nn.Dropout(shape.dropout)

    def forward(
        self, stream: Tensor, query_turn: tuple[Tensor, Tensor], key_turn: tuple[Tensor, Tensor],
        cache: KeyValueCache | None, layer: int,
    ) -> Tensor:  # fmt: skip
        """Pass (b, t, d) through the block, reading and filling the cache if there is one."""
        batch, n_slots, channels = stream.shape
        joint = self.query_key_value(self.norm_attention(stream))
        queries, keys, values = joint.view(batch, n_slots, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        queries, keys = turn(queries, *query_turn), turn(keys, *key_turn)
        if cache is not None:
            keys, values = cache.extend(layer, keys, values)
        mixed = functional.scaled_dot_product_attention(
            queries.to(values.dtype), keys.to(values.dtype), values, is_causal=n_slots > 1
        )
        stream = stream + self.dropout(self.attention_out(mixed.transpose(1, 2).reshape(batch, n_slots, channels)))
        return stream + self.dropout(self.mlp_out(functional.gelu(self.mlp_in(self.norm_mlp(stream)))))


class LeadSheetNetwork(nn.Module):
    """Slots in, a distribution over the next event out: first its duration, then, given that, its symbol."""

    first_rows: Tensor
    time_rates: Tensor
    index_rates: Tensor
    tones: Tensor
    duration_masks: Tensor
    symbol_masks: Tensor

    def __init__(self, shape: NetworkShape) -> None:
        super().__init__()
        self.shape = shape
        channels = shape.channels
        self.columns = nn.EmbeddingBag(sum(COLUMN_SIZES), channels, mode="sum")
        self.harmony = nn.Linear(36, channels, bias=False)
        self.blocks = nn.ModuleList(Block(shape) for _ in range(shape.layers))
        self.norm = nn.RMSNorm(channels)
        self.duration_head = nn.Linear(channels, len(DURATIONS))
        self.chosen_duration = nn.Embedding(len(DURATIONS), channels)
        self.norm_symbol = nn.RMSNorm(channels)
        self.symbol_in = nn.Linear(channels, 2 * channels)
        self.symbol_out = nn.Linear(2 * channels, channels)
        self.symbol_head = nn.Linear(channels, N_SYMBOLS)
        time_rates, index_rates = turn_rates(channels // shape.heads)
        self.register_buffer("time_rates", time_rates, persistent=False)
        self.register_buffer("index_rates", index_rates, persistent=False)
        self.register_buffer("tones", chord_tones(), persistent=False)
        self.register_buffer("duration_masks", duration_masks(), persistent=False)
        self.register_buffer("symbol_masks", symbol_masks(), persistent=False)
        first_rows = torch.tensor([0, *COLUMN_SIZES[:-1]]).cumsum(0)
        self.register_buffer("first_rows", first_rows, persistent=False)  # of each column in the joint table
        for table in (self.columns, self.chosen_duration):
            nn.init.normal_(table.weight, std=0.05)

    def embed(self, slots: Tensor) -> Tensor:
        """Sum the embeddings of slots (b, t, c) int64 into (b, t, d) float32."""
        rows = slots[..., : len(COLUMN_SIZES)] + self.first_rows
        stream = self.columns(rows.flatten(0, 1)).view(*slots.shape[:2], -1)
        sounding = [self.tones[slots[..., index]] for index in (0, CHORD, NEXT_CHORD)]
        return stream + self.harmony(torch.cat(sounding, dim=-1))

    def angles(self, times: Tensor, indices: Tensor) -> Tensor:
        """Give the angles (b, 1, t, e / 2) of all rotary turns at times (b, t), bars, and slot numbers (t,)."""
        by_time = times[..., None] * self.time_rates
        by_index = indices[:, None] * self.index_rates
        return torch.cat([by_time, by_index.expand(by_time.shape)], dim=-1)[:, None]

    def forward(self, slots: Tensor, times: Tensor, cache: KeyValueCache | None = None) -> Tensor:
        """Read slots.

        Args:
            slots: (b, t, c) int64, `COLUMNS`.
            times: (b, t, 2) float32, bars: onset of the slot's event and of the event after it.
            cache: filled with the slots read; with a cache that is not empty, t must be 1.

        Returns:
            (b, t, d), what `duration_logits` and `symbol_logits` take.
        """
        first = cache.length if cache is not None else 0
        indices = torch.arange(first, first + slots.shape[1], dtype=torch.float32)
        key_angles, query_angles = (self.angles(times[..., side], indices) for side in (0, 1))
        query_turn, key_turn = (query_angles.cos(), query_angles.sin()), (key_angles.cos(), key_angles.sin())
        stream = self.embed(slots)
        for layer, block in enumerate(self.blocks):
            stream = block(stream, query_turn, key_turn, cache, layer)
        if cache is not None:
            cache.length += slots.shape[1]
        return self.norm(stream)

    def duration_logits(self, states: Tensor, slots: Tensor) -> Tensor:
        """Give (..., n) float32 logits of the next event's duration, minus infinity where the bar would overflow."""
        allowed = self.duration_masks[slots[..., STREAM], slots[..., METRE] - 1, slots[..., POSITION]]
        return self.duration_head(states).float().masked_fill(~allowed, -torch.inf)

    def symbol_logits(self, states: Tensor, slots: Tensor, durations: Tensor) -> Tensor:
        """Give (..., s) float32 logits of the next event's symbol, given its duration's index (...,) int64."""
        inner = self.norm_symbol(states + self.chosen_duration(durations))
        inner = inner + self.symbol_out(functional.gelu(self.symbol_in(inner)))
        allowed = self.symbol_masks[slots[..., SITUATION]]
        return self.symbol_head(inner).float().masked_fill(~allowed, -torch.inf)
