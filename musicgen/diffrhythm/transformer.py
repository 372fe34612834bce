"""A transformer block as in Llama, but looking both ways: RMS norms, rotary positions, a gated MLP.

Knows nothing of audio. The modules carry the names of DiffRhythm's weights (ASLP-lab/DiffRhythm, Apache-2.0).

Axes: b batch, n frames, d channels, h heads, e channels of a head.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

HEADS = 32
NORM_EPSILON = 1e-6
ROTARY_THETA = 10_000.0


class RMSNorm(nn.Module):
    """Divide by the root mean square of the channels, in float32 whatever the weights' dtype."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(dim))

    def forward(self, hidden: Tensor) -> Tensor:
        """Norm (b, n, d)."""
        exact = hidden.float()
        exact = exact * torch.rsqrt(exact.square().mean(dim=-1, keepdim=True) + NORM_EPSILON)
        return self.weight * exact.to(hidden.dtype)


def rotary_turns(n_frames: int, head_dim: int, device: torch.device) -> Tensor:
    """Give the cosines and sines by which a head's halves turn at each frame: (2, n, e / 2) float32."""
    frequencies = ROTARY_THETA ** (-torch.arange(0, head_dim, 2, device=device, dtype=torch.float32) / head_dim)
    angles = torch.arange(n_frames, device=device)[:, None] * frequencies
    return torch.stack([angles.cos(), angles.sin()])


def turn(vectors: Tensor, turns: Tensor) -> Tensor:
    """Rotate vectors (b, h, n, e), channel i with channel i + e / 2, by `turns` (2, n, e / 2)."""
    cosines, sines = turns
    first, second = vectors.chunk(2, dim=-1)
    return torch.cat([first * cosines - second * sines, second * cosines + first * sines], dim=-1)


class SelfAttention(nn.Module):
    """Every frame looks at every frame."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.q_proj, self.k_proj, self.v_proj, self.o_proj = (nn.Linear(dim, dim, bias=False) for _ in range(4))

    def forward(self, hidden: Tensor, turns: Tensor) -> Tensor:
        """Mix frames (b, n, d)."""
        query, key, value = (
            project(hidden).unflatten(-1, (HEADS, -1)).transpose(1, 2)  # (b, h, n, e)
            for project in (self.q_proj, self.k_proj, self.v_proj)
        )
        mixed = functional.scaled_dot_product_attention(turn(query, turns), turn(key, turns), value)
        return self.o_proj(mixed.transpose(1, 2).flatten(2))


class GatedMlp(nn.Module):
    """A frame's own thoughts: down(SiLU(gate) * up)."""

    def __init__(self, dim: int, inner_dim: int) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(dim, inner_dim, bias=False)
        self.up_proj = nn.Linear(dim, inner_dim, bias=False)
        self.down_proj = nn.Linear(inner_dim, dim, bias=False)

    def forward(self, hidden: Tensor) -> Tensor:
        """Map (b, n, d) frame by frame."""
        return self.down_proj(functional.silu(self.gate_proj(hidden)) * self.up_proj(hidden))


class TransformerBlock(nn.Module):
    """Attention and MLP, each behind a norm and added to the stream."""

    def __init__(self, dim: int, ff_mult: int) -> None:
        super().__init__()
        self.self_attn = SelfAttention(dim)
        self.mlp = GatedMlp(dim, dim * ff_mult)
        self.input_layernorm = RMSNorm(dim)
        self.post_attention_layernorm = RMSNorm(dim)

    def forward(self, hidden: Tensor, turns: Tensor) -> Tensor:
        """Refine the stream (b, n, d)."""
        hidden = hidden + self.self_attn(self.input_layernorm(hidden), turns)
        return hidden + self.mlp(self.post_attention_layernorm(hidden))
