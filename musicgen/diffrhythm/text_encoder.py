"""The text encoder: phoneme ids at their frames to states, by ConvNeXt V2 blocks.

Knows nothing of how words become ids. Source: DiffRhythm (arXiv 2503.01183; ASLP-lab/DiffRhythm, Apache-2.0), blocks
after ConvNeXt V2 (arXiv 2301.00808); the modules carry the names of its weights.

Axes: b batch, n frames, t channels of the text.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

FILLER = 0  # id of a frame at which no phoneme begins
N_FILLERS = 1
LONGEST_WAVE = 10_000.0
KERNEL = 7
EPSILON = 1e-6


class GlobalResponseNorm(nn.Module):
    """Scale each channel by its strength over the whole song against that of the other channels."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.zeros(1, 1, dim))
        self.beta = nn.Parameter(torch.zeros(1, 1, dim))

    def forward(self, states: Tensor) -> Tensor:
        """Norm (b, n, channels) over the frames."""
        strength = torch.linalg.vector_norm(states, dim=1, keepdim=True)
        share = strength / (strength.mean(dim=-1, keepdim=True) + EPSILON)
        return self.gamma * (states * share) + self.beta + states


class TextBlock(nn.Module):
    """A ConvNeXt V2 block: mix neighbouring frames channel by channel, then channels frame by frame."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.dwconv = nn.Conv1d(dim, dim, KERNEL, padding=KERNEL // 2, groups=dim)
        self.norm = nn.LayerNorm(dim, eps=EPSILON)
        self.pwconv1 = nn.Linear(dim, 2 * dim)
        self.grn = GlobalResponseNorm(2 * dim)
        self.pwconv2 = nn.Linear(2 * dim, dim)

    def forward(self, states: Tensor) -> Tensor:
        """Refine states (b, n, t)."""
        mixed = self.dwconv(states.transpose(1, 2)).transpose(1, 2)
        return states + self.pwconv2(self.grn(functional.gelu(self.pwconv1(self.norm(mixed)))))


class TextEncoder(nn.Module):
    """Embedded ids plus their positions, through the blocks."""

    def __init__(self, n_ids: int, dim: int, n_blocks: int, max_frames: int) -> None:
        """Make room for ids 0 (filler) to `n_ids`; positions from `max_frames` on share the last one's row."""
        super().__init__()
        self.max_frames = max_frames
        self.text_embed = nn.Embedding(n_ids + N_FILLERS, dim)
        self.text_blocks = nn.Sequential(*(TextBlock(dim) for _ in range(n_blocks)))

    def forward(self, text: Tensor) -> Tensor:
        """Encode ids (b, n) int64 as states (b, n, t)."""
        embedded = self.text_embed(text)
        positions = torch.arange(text.shape[1], device=text.device).clamp(max=self.max_frames - 1)
        return self.text_blocks(embedded + position_table(positions, embedded.shape[-1]).to(embedded.dtype))


def position_table(positions: Tensor, dim: int) -> Tensor:
    """Give the cosines, then the sines, (n, dim) float32, of positions (n,) at dim / 2 frequencies."""
    frequencies = LONGEST_WAVE ** (-torch.arange(0, dim, 2, device=positions.device, dtype=torch.float32) / dim)
    angles = positions[:, None] * frequencies
    return torch.cat([angles.cos(), angles.sin()], dim=-1)
