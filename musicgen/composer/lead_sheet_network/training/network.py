"""The network as it is trained: the same as `network.py` runs, in torch, with dropout and gradients.

Axes: b batch, t slots, c columns, d channels, h heads, e channels of a head, s symbols, n durations.
"""

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from musicgen.composer.lead_sheet_network.cursor import SITUATION
from musicgen.composer.lead_sheet_network.network import (
    COLUMN_SIZES,
    FIRST_ROWS,
    HARMONY_COLUMNS,
    METRE,
    POSITION,
    STREAM,
    NetworkShape,
    turn_rates,
)
from musicgen.composer.lead_sheet_network.tokens import DURATIONS, N_SYMBOLS, chord_tones, duration_masks, symbol_masks


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

    def forward(self, stream: Tensor, query_turn: tuple[Tensor, Tensor], key_turn: tuple[Tensor, Tensor]) -> Tensor:
        """Pass (b, t, d) through the block."""
        batch, n_slots, channels = stream.shape
        joint = self.query_key_value(self.norm_attention(stream))
        queries, keys, values = joint.view(batch, n_slots, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        queries, keys = turn(queries, *query_turn), turn(keys, *key_turn)
        mixed = functional.scaled_dot_product_attention(
            queries.to(values.dtype), keys.to(values.dtype), values, is_causal=True
        )
        stream = stream + self.dropout(self.attention_out(mixed.transpose(1, 2).reshape(batch, n_slots, channels)))
        return stream + self.dropout(self.mlp_out(functional.gelu(self.mlp_in(self.norm_mlp(stream)))))


class TrainableNetwork(nn.Module):
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
        constants = {
            "time_rates": time_rates,
            "index_rates": index_rates,
            "tones": chord_tones(),
            "duration_masks": duration_masks(),
            "symbol_masks": symbol_masks(),
            "first_rows": FIRST_ROWS,
        }
        for name, values in constants.items():
            self.register_buffer(name, torch.from_numpy(values), persistent=False)
        for table in (self.columns, self.chosen_duration):
            nn.init.normal_(table.weight, std=0.05)

    @classmethod
    def from_arrays(cls, shape: NetworkShape, weights: Mapping[str, NDArray[np.float32]]) -> "TrainableNetwork":
        """Build a network with the weights that `as_arrays` gave."""
        network = cls(shape)
        network.load_state_dict({name: torch.from_numpy(values) for name, values in weights.items()})
        return network

    def as_arrays(self) -> dict[str, NDArray[np.float32]]:
        """Give the weights by name, float32."""
        return {name: tensor.detach().float().numpy() for name, tensor in self.state_dict().items()}

    def embed(self, slots: Tensor) -> Tensor:
        """Sum the embeddings of slots (b, t, c) int64 into (b, t, d) float32."""
        rows = slots[..., : len(COLUMN_SIZES)] + self.first_rows
        stream = self.columns(rows.flatten(0, 1)).view(*slots.shape[:2], -1)
        sounding = [self.tones[slots[..., index]] for index in HARMONY_COLUMNS]
        return stream + self.harmony(torch.cat(sounding, dim=-1))

    def angles(self, times: Tensor, indices: Tensor) -> Tensor:
        """Give the angles (b, 1, t, e / 2) of all rotary turns at times (b, t), bars, and slot numbers (t,)."""
        by_time = times[..., None] * self.time_rates
        by_index = indices[:, None] * self.index_rates
        return torch.cat([by_time, by_index.expand(by_time.shape)], dim=-1)[:, None]

    def forward(self, slots: Tensor, times: Tensor) -> Tensor:
        """Read slots (b, t, c) int64 at times (b, t, 2) float32; give what the logits are made of, (b, t, d)."""
        indices = torch.arange(slots.shape[1], dtype=torch.float32)
        key_angles, query_angles = (self.angles(times[..., side], indices) for side in (0, 1))
        query_turn, key_turn = ((query_angles.cos(), query_angles.sin()), (key_angles.cos(), key_angles.sin()))
        stream = self.embed(slots)
        for block in self.blocks:
            stream = block(stream, query_turn, key_turn)
        normed: Tensor = self.norm(stream)
        return normed

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
