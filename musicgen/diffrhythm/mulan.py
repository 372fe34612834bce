"""MuQ-MuLan: one tower that reads and one that listens, to vectors of one space.

Owns the towers' heads and how the published weights, `pytorch_model.bin`, are put into them. What reads and what
listens is in `xlm_roberta` and `conformer`; where files lie is in `weights`. Each tower is loaded without the other.
Only what inference needs is built, so that of the back bones' own repositories the configurations are enough.

Source: MuQ-MuLan (arXiv 2501.01108; PyPI `muq` 0.1.0, MIT). That package is not used: it needs transformers below 5
and installs torchaudio and torchvision. It is the judge in `tests/diffrhythm/muq_reference.py`.
Axes: B batch, N tokens or frames, D channels.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from musicgen.diffrhythm.conformer import ConformerShape, Listener
from musicgen.diffrhythm.weights import (
    LISTENER_CONFIG,
    READER_CONFIG,
    STYLE_CONFIG,
    STYLE_WEIGHTS,
    WeightsFile,
    find_file,
    unusable,
)
from musicgen.diffrhythm.xlm_roberta import Reader, ReaderShape

Shape = TypeVar("Shape")
Tower = TypeVar("Tower", bound=nn.Module)

ATTENTION_SCALE = 8.0  # fixed, for queries and keys are of unit norm

# Names in the file -> names here.
TEXT_NAMES = {
    "mulan.text.model.": "reader.",
    "mulan.text.proj.": "proj.",
    "mulan.text.transformer.": "transformer.",
    "mulan.text_to_latents.": "to_latents.",
}
AUDIO_NAMES = {
    "mulan.audio.model.model.": "listener.",
    "mulan.audio.proj.": "proj.",
    "mulan.audio.transformer.": "transformer.",
    "mulan.audio_to_latents.": "to_latents.",
}


@dataclass(frozen=True, slots=True)
class HeadShape:
    """What `config.json` of MuQ-MuLan says about what comes after a back bone.

    Attributes:
        dim_in: channels of the back bone.
        dim: channels of the transformer.
        depth: its layers.
        n_heads, head_dim: of its attention.
        ff_mult: two thirds of this times `dim` are the inner channels of its feed-forward nets.
        dim_out: of the style vector.
        layer: of the back bone, whose hidden states are taken.
    """

    dim_in: int
    dim: int
    depth: int
    n_heads: int
    head_dim: int
    ff_mult: int
    dim_out: int
    layer: int = -1

    @classmethod
    def from_config(cls, config: Mapping[str, Any], tower: str) -> "HeadShape":
        """Read MuQ-MuLan's configuration for the tower "text" or "audio".

        Raises:
            KeyError: something is not in it.
        """
        transformer, model = config[f"{tower}_transformer"], config[f"{tower}_model"]
        return cls(
            dim_in=model["model_dim"] or transformer["dim"],
            dim=transformer["dim"],
            depth=transformer["tf_depth"],
            n_heads=transformer["heads"],
            head_dim=transformer["dim_head"],
            ff_mult=transformer["ff_mult"],
            dim_out=config["mulan"]["dim_latent"],
            layer=model["use_layer_idx"] if tower == "audio" else -1,
        )


class ScaleNorm(nn.Module):
    """A layer norm without shift."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.learned_gamma = nn.Parameter(torch.ones(dim))

    def forward(self, hidden: Tensor) -> Tensor:
        return functional.layer_norm(hidden, hidden.shape[-1:], self.learned_gamma)


class Attention(nn.Module):
    """Attention by the angle between queries and keys."""

    def __init__(self, shape: HeadShape) -> None:
        super().__init__()
        self.n_heads = shape.n_heads
        inner_dim = shape.n_heads * shape.head_dim
        self.norm = ScaleNorm(shape.dim)
        self.to_q = nn.Linear(shape.dim, inner_dim, bias=False)
        self.to_kv = nn.Linear(shape.dim, 2 * inner_dim, bias=False)
        self.q_scale = nn.Parameter(torch.ones(shape.head_dim))
        self.k_scale = nn.Parameter(torch.ones(shape.head_dim))
        self.to_out = nn.Sequential(nn.Linear(inner_dim, shape.dim, bias=False))

    def forward(self, hidden: Tensor) -> Tensor:
        normed = self.norm(hidden)
        projected = (self.to_q(normed), *self.to_kv(normed).chunk(2, dim=-1))
        query, key, value = (states.unflatten(-1, (self.n_heads, -1)).transpose(1, 2) for states in projected)
        query = functional.normalize(query, dim=-1) * self.q_scale
        key = functional.normalize(key, dim=-1) * self.k_scale
        attended = functional.scaled_dot_product_attention(query, key, value, scale=ATTENTION_SCALE)
        return self.to_out(attended.transpose(1, 2).flatten(-2))


class GatedGelu(nn.Module):
    def forward(self, hidden: Tensor) -> Tensor:
        values, gates = hidden.chunk(2, dim=-1)
        return functional.gelu(gates) * values


class HeadTransformer(nn.Module):
    def __init__(self, shape: HeadShape) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.ModuleList([Attention(shape), _feed_forward(shape)]) for _ in range(shape.depth))

    def forward(self, hidden: Tensor) -> Tensor:
        """Transform (B, N, D)."""
        for layer in self.layers:
            for part in layer:  # type: ignore[attr-defined]
                hidden = hidden + part(hidden)
        return hidden


def _feed_forward(shape: HeadShape) -> nn.Sequential:
    inner_dim = int(shape.dim * shape.ff_mult * 2 / 3)
    return nn.Sequential(
        ScaleNorm(shape.dim),
        nn.Linear(shape.dim, 2 * inner_dim, bias=False),
        GatedGelu(),
        nn.Identity(),  # where training drops out; the file counts it
        nn.Linear(inner_dim, shape.dim, bias=False),
    )


class TextTower(nn.Module):
    """Token ids to style vectors."""

    def __init__(self, reader: ReaderShape, head: HeadShape) -> None:
        super().__init__()
        self.reader = Reader(reader)
        self.proj = nn.Identity() if head.dim_in == head.dim else nn.Linear(head.dim_in, head.dim)
        self.transformer = HeadTransformer(head)
        self.to_latents = nn.Linear(head.dim, head.dim_out)

    def forward(self, token_ids: Tensor) -> Tensor:
        """Encode (B, N) int64 as (B, 512) float32 of unit norm; see `Reader.forward`."""
        hidden = self.transformer(self.proj(self.reader(token_ids)))
        return functional.normalize(self.to_latents(hidden.mean(dim=1)), dim=-1)


class AudioTower(nn.Module):
    """Sound to style vectors."""

    def __init__(self, listener: ConformerShape, head: HeadShape) -> None:
        super().__init__()
        self.layer = head.layer
        self.listener = Listener(listener)
        self.proj = nn.Linear(head.dim_in, head.dim)
        self.transformer = HeadTransformer(head)
        self.to_latents = nn.Linear(head.dim, head.dim_out)

    def forward(self, waveform: Tensor) -> Tensor:
        """Encode (B, n) float32 at 24 kHz as (B, 512) float32 of unit norm; trained with n = 240,000."""
        hidden = self.transformer(self.proj(self.listener(waveform, self.layer)))
        return functional.normalize(self.to_latents(hidden.mean(dim=1)), dim=-1)


def load_text_tower(folder: Path) -> TextTower:
    """Load what reads, on the CPU in float32.

    Args:
        folder: the engine's weights folder, see `weights`.

    Raises:
        EngineUnavailable: a file is missing or is not what it should be.
    """
    shapes = _read_shape(folder, READER_CONFIG, ReaderShape.from_config), _head_shape(folder, "text")
    return _with_weights(lambda: TextTower(*shapes), folder, TEXT_NAMES)


def load_audio_tower(folder: Path) -> AudioTower:
    """Load what listens, on the CPU in float32 (in half precision MuQ overflows); else as `load_text_tower`."""
    shapes = _read_shape(folder, LISTENER_CONFIG, ConformerShape.from_config), _head_shape(folder, "audio")
    return _with_weights(lambda: AudioTower(*shapes), folder, AUDIO_NAMES)


def _head_shape(folder: Path, tower: str) -> HeadShape:
    return _read_shape(folder, STYLE_CONFIG, lambda config: HeadShape.from_config(config, tower))


def _read_shape(folder: Path, file: WeightsFile, from_config: Callable[[Mapping[str, Any]], Shape]) -> Shape:
    path = find_file(folder, file)
    try:
        return from_config(json.loads(path.read_text(encoding="utf-8")))
    except KeyError as error:
        raise unusable(path, f"it has no {error}.") from error
    except (ValueError, TypeError) as error:
        raise unusable(path, f"{error}.") from error


def _with_weights(build: Callable[[], Tower], folder: Path, names: Mapping[str, str]) -> Tower:
    """Build a tower around the weights that the file has for it; they stay mapped from the disk."""
    path = find_file(folder, STYLE_WEIGHTS)
    weights = _read_weights(path, names)
    with torch.device("meta"):
        tower = build()
    try:
        missing = tower.load_state_dict(weights, strict=False, assign=True).missing_keys
    except RuntimeError as error:  # other shapes
        raise unusable(path, f"its weights do not fit its config.json: {error}") from error
    if missing:
        raise unusable(path, f"it has no {missing[0]} and misses {len(missing)} of {len(tower.state_dict())} weights.")
    return tower.requires_grad_(False).eval()


def _read_weights(path: Path, names: Mapping[str, str]) -> dict[str, Tensor]:
    try:
        state = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except (RuntimeError, UnpicklingError, EOFError, ValueError) as error:
        raise unusable(path, "it is not a file of torch weights, or not all of one.") from error
    return {
        ours + key.removeprefix(theirs): value.float() if value.is_floating_point() else value
        for theirs, ours in names.items()
        for key, value in state.items()
        if key.startswith(theirs)
    }
