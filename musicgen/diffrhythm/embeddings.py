"""How clock values and the frames' inputs enter the velocity network.

Owns the embedding of times and the joint projection of all inputs. Knows neither text nor attention.
Source: DiffRhythm (arXiv 2503.01183; ASLP-lab/DiffRhythm, Apache-2.0); the modules carry the names of its weights.

Axes: b batch, n frames, m latent channels, d channels of the network.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

CONDITION_DIM = 512  # of a style, and of the sum of the embedded times
N_TIME_FEATURES = 256
TIME_SCALE = 1000.0  # time 0 to 1 in the thousandths that the features' wavelengths are made for
LONGEST_WAVE = 10_000.0
POSITION_KERNEL, POSITION_GROUPS = 31, 16


class TimeEmbedding(nn.Module):
    """A clock value, embedded: the time of the flow, the start or the duration of a song."""

    def __init__(self) -> None:
        super().__init__()
        self.time_mlp = nn.Sequential(
            nn.Linear(N_TIME_FEATURES, CONDITION_DIM), nn.SiLU(), nn.Linear(CONDITION_DIM, CONDITION_DIM)
        )

    def forward(self, time: Tensor) -> Tensor:
        """Embed times (b,) float32, mostly 0 to 1, as (b, 512) of the weights' dtype."""
        return self.time_mlp(time_features(time).to(next(self.parameters()).dtype))


def time_features(time: Tensor) -> Tensor:
    """Give the sines and cosines, (b, 256) float32, of times (b,) float32 at 128 frequencies."""
    half = N_TIME_FEATURES // 2
    frequencies = torch.exp(torch.arange(half, device=time.device) * (-math.log(LONGEST_WAVE) / (half - 1)))
    angles = TIME_SCALE * time[:, None] * frequencies
    return torch.cat([angles.sin(), angles.cos()], dim=-1)


class ConvPositionEmbedding(nn.Module):
    """Where a frame stands, as its neighbours of 15 frames to each side tell."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        first, second = (
            nn.Conv1d(dim, dim, POSITION_KERNEL, padding=POSITION_KERNEL // 2, groups=POSITION_GROUPS) for _ in range(2)
        )
        self.conv1d = nn.Sequential(first, nn.Mish(), second, nn.Mish())

    def forward(self, hidden: Tensor) -> Tensor:
        """Convolve (b, n, d) along the frames."""
        return self.conv1d(hidden.transpose(1, 2)).transpose(1, 2)


class InputEmbedding(nn.Module):
    """One linear map of everything a frame is told: latents, reference, text, style and times side by side.

    The map is taken apart by its inputs, because only the latents and the time change from step to step.
    """

    def __init__(self, dim: int, mel_dim: int, text_dim: int) -> None:
        super().__init__()
        # Columns of the latents, of reference and text, of the style, of the times.
        self._widths = [mel_dim, mel_dim + text_dim, CONDITION_DIM, CONDITION_DIM]
        self.proj = nn.Linear(sum(self._widths), dim)
        self.conv_pos_embed = ConvPositionEmbedding(dim)

    def fixed_part(self, cond: Tensor, text_states: Tensor, style: Tensor) -> Tensor:
        """Project what stays the same in all steps.

        Args:
            cond: (b, n, m) reference latents.
            text_states: (b, n, text_dim).
            style: (b, 512).

        Returns:
            (b, n, d), what `forward` adds to.
        """
        _, by_frame, by_style, _ = self.proj.weight.split(self._widths, dim=1)
        frames = functional.linear(torch.cat([cond, text_states], dim=-1), by_frame, self.proj.bias)
        return frames + functional.linear(style, by_style)[:, None]

    def forward(self, x: Tensor, embedded_times: Tensor, fixed_part: Tensor) -> Tensor:
        """Embed latents x (b, n, m) at times embedded as (b, 512); returns (b, n, d)."""
        by_latent, _, _, by_time = self.proj.weight.split(self._widths, dim=1)
        hidden = fixed_part + functional.linear(x, by_latent) + functional.linear(embedded_times, by_time)[:, None]
        return hidden + self.conv_pos_embed(hidden)
