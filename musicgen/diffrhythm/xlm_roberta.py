"""XLM-RoBERTa's encoder, the network with which MuQ-MuLan reads.

Owns the shape of the network and its forward pass for one text without padding. Knows nothing of files or tokenizers.
Source: XLM-R (arXiv 1911.02116; Hugging Face transformers, Apache-2.0). Modules carry the names of the published
weights. Axes: B batch, N tokens, D channels.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True, slots=True)
class ReaderShape:
    """What `config.json` of XLM-R says about the network.

    Attributes:
        n_ids: size of the vocabulary.
        n_positions: of the position table, whose first `padding_id` + 1 rows stand for no position.
        padding_id: id of the padding token.
        n_kinds: of the token types, of which only the first is used.
        dim: D.
        depth: layers.
        n_heads: of the attention.
        inner_dim: of the feed-forward nets.
        epsilon: of the norms.
    """

    n_ids: int
    n_positions: int
    padding_id: int
    n_kinds: int
    dim: int
    depth: int
    n_heads: int
    inner_dim: int
    epsilon: float

    @property
    def max_tokens(self) -> int:
        """The longest text, with the tokens that begin and end it."""
        return self.n_positions - self.padding_id - 1

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "ReaderShape":
        """Read XLM-R's configuration.

        Raises:
            KeyError: something is not in it.
            ValueError: it is of a network of another kind.
        """
        if config["hidden_act"] != "gelu":
            raise ValueError(f"hidden_act is {config['hidden_act']!r}; only 'gelu' is supported")
        return cls(
            n_ids=config["vocab_size"],
            n_positions=config["max_position_embeddings"],
            padding_id=config["pad_token_id"],
            n_kinds=config["type_vocab_size"],
            dim=config["hidden_size"],
            depth=config["num_hidden_layers"],
            n_heads=config["num_attention_heads"],
            inner_dim=config["intermediate_size"],
            epsilon=config["layer_norm_eps"],
        )


class Embeddings(nn.Module):
    def __init__(self, shape: ReaderShape) -> None:
        super().__init__()
        self.first_position = shape.padding_id + 1
        self.word_embeddings = nn.Embedding(shape.n_ids, shape.dim)
        self.position_embeddings = nn.Embedding(shape.n_positions, shape.dim)
        self.token_type_embeddings = nn.Embedding(shape.n_kinds, shape.dim)
        self.LayerNorm = nn.LayerNorm(shape.dim, eps=shape.epsilon)

    def forward(self, token_ids: Tensor) -> Tensor:
        positions = self.first_position + torch.arange(token_ids.shape[1], device=token_ids.device)
        embedded = self.word_embeddings(token_ids) + self.position_embeddings(positions)
        return self.LayerNorm(embedded + self.token_type_embeddings.weight[0])


class Residual(nn.Module):
    """What ends both halves of a layer: a projection, the residual, the norm."""

    def __init__(self, n_in: int, shape: ReaderShape) -> None:
        super().__init__()
        self.dense = nn.Linear(n_in, shape.dim)
        self.LayerNorm = nn.LayerNorm(shape.dim, eps=shape.epsilon)

    def forward(self, inner: Tensor, hidden: Tensor) -> Tensor:
        return self.LayerNorm(self.dense(inner) + hidden)


class Layer(nn.Module):
    def __init__(self, shape: ReaderShape) -> None:
        super().__init__()
        self.n_heads = shape.n_heads
        projections = {name: nn.Linear(shape.dim, shape.dim) for name in ("query", "key", "value")}
        self.attention = nn.ModuleDict({"self": nn.ModuleDict(projections), "output": Residual(shape.dim, shape)})
        self.intermediate = nn.ModuleDict({"dense": nn.Linear(shape.dim, shape.inner_dim)})
        self.output = Residual(shape.inner_dim, shape)

    def forward(self, hidden: Tensor) -> Tensor:
        query, key, value = (
            linear(hidden).unflatten(-1, (self.n_heads, -1)).transpose(1, 2)
            for linear in self.attention["self"].values()  # type: ignore[operator]
        )
        attended = functional.scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(-2)
        hidden = self.attention["output"](attended, hidden)
        return self.output(functional.gelu(self.intermediate["dense"](hidden)), hidden)


class Reader(nn.Module):
    """Token ids to hidden states."""

    def __init__(self, shape: ReaderShape) -> None:
        super().__init__()
        self.shape = shape
        self.embeddings = Embeddings(shape)
        self.encoder = nn.ModuleDict({"layer": nn.ModuleList(Layer(shape) for _ in range(shape.depth))})

    def forward(self, token_ids: Tensor) -> Tensor:
        """Read texts that are equally long.

        Args:
            token_ids: (B, N) int64, N at most `shape.max_tokens`, with the tokens that begin and end a text.

        Returns:
            (B, N, D) float32.
        """
        hidden = self.embeddings(token_ids)
        for layer in self.encoder["layer"]:  # type: ignore[attr-defined]
            hidden = layer(hidden)
        return hidden
