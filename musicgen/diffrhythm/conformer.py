"""MuQ's network that listens: mel bands, two convolutions, a conformer with rotary positions.

Owns the shape of the network and its forward pass for inference. Knows nothing of files or of styles.
Source: MuQ (arXiv 2501.01108; PyPI `muq` 0.1.0, MIT) over the Wav2Vec2-Conformer of transformers (Apache-2.0). Modules
carry the names of the published weights. Axes: B batch, n samples, T frames of 40 ms, D channels.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from musicgen.diffrhythm.mel_transforms import mel_decibels

SAMPLE_RATE = 24_000
N_FFT = 2048
MEL_FRAMES_A_SECOND = 100
LABEL_RATE = 25  # frames a second behind the convolutions


@dataclass(frozen=True, slots=True)
class ConformerShape:
    """What `config.json` of MuQ says about the network.

    Attributes:
        n_mels: bands.
        hop_length: samples between the spectra.
        mean, std: of the training data, dB.
        conv_channels: of the two convolutions.
        dim: D of the conformer.
        depth: its layers.
        n_heads: of its attention.
        inner_dim: of its feed-forward nets.
        kernel: frames that its convolution sees, odd.
        rotary_base: of the rotary positions.
        epsilon: of the last norm.
    """

    n_mels: int
    hop_length: int
    mean: float
    std: float
    conv_channels: int
    dim: int
    depth: int
    n_heads: int
    inner_dim: int
    kernel: int
    rotary_base: float
    epsilon: float

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "ConformerShape":
        """Read MuQ's configuration.

        Raises:
            KeyError: something is not in it.
            ValueError: it is of a network of another kind.
        """
        inner = config["w2v2_config"]
        wanted = (
            (inner, "position_embeddings_type", ("rotary",)),
            (inner, "hidden_act", ("swish", "silu")),
            (config, "label_rate", (LABEL_RATE,)),
        )
        for section, key, allowed in wanted:
            if section[key] not in allowed:
                raise ValueError(f"{key} is {section[key]!r}; only {allowed[0]!r} is supported")
        return cls(
            n_mels=config["n_mels"],
            hop_length=config["hop_length"],
            mean=config["stat"]["melspec_2048_mean"],
            std=config["stat"]["melspec_2048_std"],
            conv_channels=config["conv_dim"],
            dim=config["encoder_dim"],
            depth=config["encoder_depth"],
            n_heads=inner["num_attention_heads"],
            inner_dim=inner["intermediate_size"],
            kernel=inner["conv_depthwise_kernel_size"],
            rotary_base=inner["rotary_embedding_base"],
            epsilon=inner["layer_norm_eps"],
        )


class ResidualConvolution(nn.Module):
    """Halves bands and frames."""

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(n_in, n_out, 3, stride=2, padding=1)
        self.bn1 = nn.BatchNorm2d(n_out)
        self.conv2 = nn.Conv2d(n_out, n_out, 3, padding=1)
        self.bn2 = nn.BatchNorm2d(n_out)
        self.conv3 = nn.Conv2d(n_in, n_out, 3, stride=2, padding=1)
        self.bn3 = nn.BatchNorm2d(n_out)

    def forward(self, bands: Tensor) -> Tensor:
        inner = self.bn2(self.conv2(functional.relu(self.bn1(self.conv1(bands)))))
        return functional.relu(self.bn3(self.conv3(bands)) + inner)


class Subsampling(nn.Module):
    """Spectra (B, n_mels, 4 T) to hidden states (B, T, D)."""

    def __init__(self, shape: ConformerShape) -> None:
        super().__init__()
        channels = shape.conv_channels
        self.conv = nn.Sequential(ResidualConvolution(1, channels), ResidualConvolution(channels, channels))
        self.linear = nn.Linear(channels * shape.n_mels // 4, shape.dim)

    def forward(self, spectra: Tensor) -> Tensor:
        bands = self.conv(spectra[:, None])  # (B, channels, n_mels / 4, T)
        return self.linear(bands.flatten(1, 2).transpose(1, 2))


class FeedForward(nn.Module):
    def __init__(self, shape: ConformerShape) -> None:
        super().__init__()
        self.intermediate_dense = nn.Linear(shape.dim, shape.inner_dim)
        self.output_dense = nn.Linear(shape.inner_dim, shape.dim)

    def forward(self, hidden: Tensor) -> Tensor:
        return self.output_dense(functional.silu(self.intermediate_dense(hidden)))


class SelfAttention(nn.Module):
    """Attention whose queries and keys are turned before they are projected, as Wav2Vec2-Conformer has it."""

    def __init__(self, shape: ConformerShape) -> None:
        super().__init__()
        self.n_heads = shape.n_heads
        self.linear_q, self.linear_k, self.linear_v, self.linear_out = (
            nn.Linear(shape.dim, shape.dim) for _ in range(4)
        )

    def forward(self, hidden: Tensor, turns: tuple[Tensor, Tensor]) -> Tensor:
        cosine, sine = turns
        heads = hidden.unflatten(-1, (self.n_heads, -1))  # (B, T, heads, D / heads)
        first, second = heads.chunk(2, dim=-1)
        turned = (heads * cosine + torch.cat([-second, first], dim=-1) * sine).flatten(-2)
        query, key, value = (
            linear(states).unflatten(-1, (self.n_heads, -1)).transpose(1, 2)
            for linear, states in ((self.linear_q, turned), (self.linear_k, turned), (self.linear_v, hidden))
        )
        attended = functional.scaled_dot_product_attention(query, key, value)
        return self.linear_out(attended.transpose(1, 2).flatten(-2))


class ConvolutionModule(nn.Module):
    def __init__(self, shape: ConformerShape) -> None:
        super().__init__()
        dim = shape.dim
        self.layer_norm = nn.LayerNorm(dim)
        self.pointwise_conv1 = nn.Conv1d(dim, 2 * dim, 1, bias=False)
        self.depthwise_conv = nn.Conv1d(dim, dim, shape.kernel, padding=shape.kernel // 2, groups=dim, bias=False)
        self.batch_norm = nn.BatchNorm1d(dim)
        self.pointwise_conv2 = nn.Conv1d(dim, dim, 1, bias=False)

    def forward(self, hidden: Tensor) -> Tensor:
        gated = functional.glu(self.pointwise_conv1(self.layer_norm(hidden).transpose(1, 2)), dim=1)  # (B, D, T)
        return self.pointwise_conv2(functional.silu(self.batch_norm(self.depthwise_conv(gated)))).transpose(1, 2)


class ConformerLayer(nn.Module):
    def __init__(self, shape: ConformerShape) -> None:
        super().__init__()
        self.ffn1_layer_norm = nn.LayerNorm(shape.dim)
        self.ffn1 = FeedForward(shape)
        self.self_attn_layer_norm = nn.LayerNorm(shape.dim)
        self.self_attn = SelfAttention(shape)
        self.conv_module = ConvolutionModule(shape)
        self.ffn2_layer_norm = nn.LayerNorm(shape.dim)
        self.ffn2 = FeedForward(shape)
        self.final_layer_norm = nn.LayerNorm(shape.dim)

    def forward(self, hidden: Tensor, turns: tuple[Tensor, Tensor]) -> Tensor:
        hidden = hidden + 0.5 * self.ffn1(self.ffn1_layer_norm(hidden))
        hidden = hidden + self.self_attn(self.self_attn_layer_norm(hidden), turns)
        hidden = hidden + self.conv_module(hidden)
        hidden = hidden + 0.5 * self.ffn2(self.ffn2_layer_norm(hidden))
        return self.final_layer_norm(hidden)


class ConformerStack(nn.Module):
    def __init__(self, shape: ConformerShape) -> None:
        super().__init__()
        self.layers = nn.ModuleList(ConformerLayer(shape) for _ in range(shape.depth))
        self.layer_norm = nn.LayerNorm(shape.dim, eps=shape.epsilon)


class Listener(nn.Module):
    """Sound to hidden states."""

    def __init__(self, shape: ConformerShape) -> None:
        super().__init__()
        self.shape = shape
        self.conv = Subsampling(shape)
        self.conformer = ConformerStack(shape)

    def forward(self, waveform: Tensor, layer: int = -1) -> Tensor:
        """Listen.

        Args:
            waveform: (B, n) float32 at 24 kHz.
            layer: whose hidden states are wanted, in the order of transformers: 0 is what goes into the first layer,
                -1 what comes out of the last norm.

        Returns:
            (B, T, D) float32, T = ceil(n / 960) for whole hops.
        """
        shape = self.shape
        decibels = mel_decibels(waveform, SAMPLE_RATE, N_FFT, shape.hop_length, shape.n_mels)
        hidden = self.conv((decibels[..., :-1] - shape.mean) / shape.std)
        turns = _rotary_turns(hidden.shape[1], shape, hidden.device)
        states = [hidden]
        for conformer_layer in self.conformer.layers:
            states.append(conformer_layer(states[-1], turns))
        states[-1] = self.conformer.layer_norm(states[-1])
        return states[layer]


def _rotary_turns(n_frames: int, shape: ConformerShape, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return cosine and sine for each frame, (T, 1, D / heads) float32 each."""
    head_dim = shape.dim // shape.n_heads
    speeds = shape.rotary_base ** -(torch.arange(0, head_dim, 2, device=device).float() / head_dim)
    angles = torch.arange(n_frames, device=device).float()[:, None, None] * torch.cat([speeds, speeds])
    return angles.cos(), angles.sin()
