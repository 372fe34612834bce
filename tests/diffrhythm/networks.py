"""Velocity networks for the tests: the golden ones with the reference outputs, and tiny ones.

`golden.safetensors` holds random weights (float16, used as float32) under the published names, inputs, and what the
reference implementation made of them; `golden.json` the sizes and the numbers beside them. No command here makes them
again: that takes the reference implementation.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

from musicgen.diffrhythm.dit import DiT, DiTConfig

FOLDER = Path(__file__).parent
GOLDEN = json.loads((FOLDER / "golden.json").read_text())
WEIGHTS = "weights/transformer."

TINY = DiTConfig(dim=64, depth=3, ff_mult=2, text_dim=16, conv_layers=2, mel_dim=8, text_num_embeds=20, max_frames=64)
TINY_LONG = DiTConfig(
    dim=64, depth=2, ff_mult=2, text_dim=16, conv_layers=1, mel_dim=8, text_num_embeds=20, has_duration=True
)


@cache
def golden_tensors() -> dict[str, Tensor]:
    return load_file(FOLDER / "golden.safetensors")


def golden_network(model: str) -> DiT:
    """Build "base" or "long" in float32."""
    sizes = {name: size for name, size in GOLDEN["config"].items() if name != "heads"}
    has_duration = model == "long"
    network = DiT(DiTConfig(**sizes, max_frames=GOLDEN["max_frames"][model], has_duration=has_duration))
    weights = {
        name.removeprefix(WEIGHTS): values.float()
        for name, values in golden_tensors().items()
        if name.startswith(WEIGHTS) and (has_duration or "duration_time_embed" not in name)
    }
    network.load_state_dict(weights)
    return network.requires_grad_(False).eval()


def golden_case(name: str) -> tuple[DiT, dict[str, Tensor], dict[str, Any], Tensor]:
    """Give a case's network, its inputs, its numbers, and what the reference implementation answered."""
    case = GOLDEN["cases"][name]
    inputs = {
        key.removeprefix(f"{name}/in/"): values
        for key, values in golden_tensors().items()
        if key.startswith(f"{name}/in/")
    }
    return golden_network(case["model"]), inputs, case["scalars"], golden_tensors()[f"{name}/out"]


def tiny_network(config: DiTConfig = TINY) -> DiT:
    """Build a network whose weights are random, none of them zero, and always the same."""
    generator = torch.Generator().manual_seed(7)
    network = DiT(config).requires_grad_(False).eval()
    for parameter in network.parameters():
        fan_in = parameter[0].numel() if parameter.ndim > 1 else 4
        parameter.copy_(torch.randn(parameter.shape, generator=generator) / max(fan_in, 4) ** 0.5)
    return network


def tiny_inputs(batch: int, n_frames: int, config: DiTConfig = TINY) -> dict[str, Tensor]:
    """Draw what a `DiT` takes, by argument name."""
    generator = torch.Generator().manual_seed(8)

    def normal(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator)

    return {
        "x": normal(batch, n_frames, config.mel_dim),
        "cond": normal(batch, n_frames, config.mel_dim),
        "text": torch.randint(0, config.text_num_embeds + 1, (batch, n_frames), generator=generator),
        "time": torch.rand(batch, generator=generator),
        "style": normal(batch, 512),
        "start_time": torch.rand(batch, generator=generator),
        "duration": torch.rand(batch, generator=generator),
    }


def relative_error(found: Tensor, wanted: Tensor) -> float:
    """Give the largest difference as a share of the largest wanted value."""
    return float((found.float() - wanted).abs().max() / wanted.abs().max())
