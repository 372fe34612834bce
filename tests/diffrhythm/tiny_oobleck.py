"""Oobleck, the VAE of Stable Audio, with few channels: what `vae_model.pt` is, small enough for tests.

Same strides, kernels and dilations as the published one, so that its frames see as far. Written to be scripted, with
the two methods that the published file has. Source: diffusers' `AutoencoderOobleck` (Apache-2.0), its documented shape.
Axes: B batch, T frames of 2048 samples.
"""

import math

import torch
from torch import Tensor, nn

STRIDES = (2, 4, 4, 8, 8)
MULTIPLES = (1, 2, 4, 8, 16)
DILATIONS = (1, 3, 9)
N_LATENTS = 64


class SnakeBeta(nn.Module):
    """x + sin(alpha x)^2 / beta, a channel each; both are stored as logarithms."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.alpha, self.beta = (nn.Parameter(torch.zeros(1, channels, 1)) for _ in range(2))

    def forward(self, hidden: Tensor) -> Tensor:
        return hidden + torch.sin(self.alpha.exp() * hidden).square() / (self.beta.exp() + 1e-9)


class ResidualUnit(nn.Module):
    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            SnakeBeta(channels),
            nn.Conv1d(channels, channels, 7, dilation=dilation, padding=3 * dilation),
            SnakeBeta(channels),
            nn.Conv1d(channels, channels, 1),
        )

    def forward(self, hidden: Tensor) -> Tensor:
        return hidden + self.layers(hidden)


def _units(channels: int) -> list[nn.Module]:
    return [ResidualUnit(channels, dilation) for dilation in DILATIONS]


def _encoder(channels: int) -> nn.Sequential:
    widths = [channels, *(channels * multiple for multiple in MULTIPLES)]
    layers: list[nn.Module] = [nn.Conv1d(2, channels, 7, padding=3)]
    for stride, n_in, n_out in zip(STRIDES, widths, widths[1:], strict=False):
        down = nn.Conv1d(n_in, n_out, 2 * stride, stride, padding=math.ceil(stride / 2))
        layers += [*_units(n_in), SnakeBeta(n_in), down]
    return nn.Sequential(*layers, SnakeBeta(widths[-1]), nn.Conv1d(widths[-1], 2 * N_LATENTS, 3, padding=1))


def _decoder(channels: int) -> nn.Sequential:
    widths = [channels * multiple for multiple in reversed(MULTIPLES)] + [channels]
    layers: list[nn.Module] = [nn.Conv1d(N_LATENTS, widths[0], 7, padding=3)]
    for stride, n_in, n_out in zip(reversed(STRIDES), widths, widths[1:], strict=False):
        up = nn.ConvTranspose1d(n_in, n_out, 2 * stride, stride, padding=math.ceil(stride / 2))
        layers += [SnakeBeta(n_in), up, *_units(n_out)]
    return nn.Sequential(*layers, SnakeBeta(channels), nn.Conv1d(channels, 2, 7, padding=3, bias=False))


class TinyOobleck(nn.Module):
    """The network; with random weights it crackles, the louder the larger the latents."""

    def __init__(self, channels: int = 2) -> None:
        super().__init__()
        self.encoder = _encoder(channels)
        self.decoder = _decoder(channels)

    @torch.jit.export
    def decode_export(self, latents: Tensor) -> Tensor:
        """Decode (B, 64, T) to (B, 2, 2048 T)."""
        return self.decoder(latents)

    @torch.jit.export
    def encode_export(self, sound: Tensor) -> Tensor:
        """Encode (B, 2, 2048 T) to (B, 128, T), means and scales."""
        return self.encoder(sound)


def random_oobleck(channels: int = 2, peak: float = 0.25) -> TinyOobleck:
    """Make the network, always the same, at a level where normally distributed latents reach `peak`."""
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(0)
        network = TinyOobleck(channels).eval()
        for name, weight in network.named_parameters():
            if name.endswith("bias"):
                weight.zero_()  # so that no latents are silence
        last = network.decoder[-1].weight
        last -= last.mean(dim=2, keepdim=True)  # so that there is no DC
        sound = network.decode_export(torch.randn(1, N_LATENTS, 32))
        last *= peak / sound.abs().max()
    return network.requires_grad_(False)
