"""Reading `cfm_model.pt`, the published weights of the velocity network.

Owns the file's format, what makes a file wrong, and the dtype that weights are kept in. The network's sizes are read
off its weights, so that a file of any size in the published format loads by the same code. Knows nothing of downloads.
"""

import pickle
import re
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import torch
from torch import Tensor

from musicgen.diffrhythm.dit import DiT, DiTConfig
from musicgen.diffrhythm.frames import BASE_MAX_FRAMES, LONG_MAX_FRAMES
from musicgen.diffrhythm.weights import FULL_NETWORK

PREFIX = "transformer."
STATE = "model_state_dict"
# Tables that some files carry and every network computes.
COMPUTED = ("inv_freq", "freqs_cis")
MAX_NAMED = 5  # weights named of each kind in a message

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}

Weights = dict[str, Tensor]


class BadCheckpoint(ValueError):
    """The file at `path` cannot be used, for `reason`."""

    def __init__(self, path: Path, reason: str) -> None:
        self.path = path
        self.reason = reason
        super().__init__(f"{path.name} is not a checkpoint of DiffRhythm that can be used: {reason}")


def load_network(path: Path, device: torch.device, dtype: torch.dtype, *, expect_long: bool | None = None) -> DiT:
    """Build the network of a checkpoint, ready for inference.

    The file is mapped rather than read, so that there is about one copy of the weights in memory; on the CPU, weights
    already of `dtype` stay in the map, which processes share.

    Args:
        path: a `cfm_model.pt`.
        device: where the weights go.
        dtype: of the weights, see `weights_dtype`.
        expect_long: whether it must be the long model, or the base one; None takes either.

    Raises:
        FileNotFoundError: there is no such file.
        BadCheckpoint: it is not what it should be; the message says how.
    """
    weights = read_weights(path)
    config = _config(path, weights)
    _check_length(path, config, expect_long)
    with torch.device("meta"):
        network = DiT(config)
    _check_weights(path, {PREFIX + name: values for name, values in network.state_dict().items()}, weights)
    placed = {name.removeprefix(PREFIX): values.to(device, dtype) for name, values in weights.items()}
    network.load_state_dict(placed, assign=True)
    return network.requires_grad_(False).eval()


def read_weights(path: Path) -> Weights:
    """Read the weights on the CPU under the names they have in the file, without tables that a network computes.

    Raises:
        FileNotFoundError: there is no such file.
        BadCheckpoint: it is not a torch file, or has no weights where they should be.
    """
    try:
        # Only files in torch's zip format can be mapped.
        content = torch.load(path, weights_only=True, map_location="cpu", mmap=zipfile.is_zipfile(path))
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, KeyError) as error:
        size = path.stat().st_size
        raise BadCheckpoint(path, f"torch cannot read it; is the download of {size:,} bytes whole?") from error
    state = content.get(STATE) if isinstance(content, Mapping) else None
    if not isinstance(state, Mapping):
        raise BadCheckpoint(path, f"it holds no {STATE!r}")
    return {
        name: values for name, values in state.items() if isinstance(values, Tensor) and not name.endswith(COMPUTED)
    }


def infer_config(weights: Mapping[str, Tensor]) -> DiTConfig:
    """Read the network's sizes off the shapes of its weights.

    Raises:
        ValueError: a weight that tells them is missing, or no network has such sizes.
    """
    telling = [
        PREFIX + name
        for name in ("proj_out.weight", "transformer_blocks.0.mlp.gate_proj.weight", "text_embed.text_embed.weight")
    ]
    absent = [name for name in telling if name not in weights or weights[name].ndim != 2]
    if absent:
        raise ValueError(f"it has no matrix {_listed(absent)}")
    (mel_dim, dim), (inner_dim, _), (n_ids, text_dim) = (weights[name].shape for name in telling)
    has_duration = any(name.startswith(f"{PREFIX}duration_time_embed.") for name in weights)
    return DiTConfig(
        dim=dim,
        depth=_count("transformer_blocks", weights),
        ff_mult=inner_dim // max(dim, 1),
        text_dim=text_dim,
        conv_layers=_count("text_embed.text_blocks", weights),
        mel_dim=mel_dim,
        text_num_embeds=n_ids - 1,
        max_frames=LONG_MAX_FRAMES if has_duration else BASE_MAX_FRAMES,
        has_duration=has_duration,
    )


def weights_dtype(device: torch.device, wanted: str = "auto") -> torch.dtype:
    """Choose the dtype of the weights.

    On the CPU bf16 takes half the time and memory of fp32 (`benchmarks.diffrhythm`); fp16 takes twelve times as long.

    Args:
        device: where they go.
        wanted: "fp32", "bf16", "fp16", or "auto": bf16 on the CPU and on CUDA (fp16 on cards without it), and fp32
            elsewhere.

    Raises:
        ValueError: there is no such choice, or not on this device.
    """
    has_bf16 = device.type == "cpu" or (device.type == "cuda" and torch.cuda.is_bf16_supported())
    if wanted == "auto":
        if device.type not in ("cpu", "cuda"):
            return torch.float32
        return torch.bfloat16 if has_bf16 else torch.float16
    if wanted not in DTYPES:
        raise ValueError(f"the weights' dtype must be auto, {', '.join(DTYPES)}, not {wanted!r}")
    if wanted == "fp16" and device.type == "cpu":
        raise ValueError("fp16 is twelve times slower than fp32 on the CPU; choose bf16 or fp32")
    if wanted == "bf16" and device.type == "cuda" and not has_bf16:
        raise ValueError("this graphics card has no bf16; choose fp16 or fp32")
    return DTYPES[wanted]


def _config(path: Path, weights: Weights) -> DiTConfig:
    try:
        return infer_config(weights)
    except ValueError as error:
        raise BadCheckpoint(path, str(error)) from error


def _check_length(path: Path, config: DiTConfig, expect_long: bool | None) -> None:
    """Raise BadCheckpoint where one of the two models is expected and the file holds the other."""
    if expect_long and not config.has_duration:
        raise BadCheckpoint(
            path,
            "it has no duration_time_embed, so it is an older full checkpoint or the base model; "
            f"the long model needs the one of {FULL_NETWORK.repository}",
        )
    if expect_long is False and config.has_duration:
        raise BadCheckpoint(path, "it is the long model (it has duration_time_embed), and the base model is expected")


def _check_weights(path: Path, wanted: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> None:
    """Raise BadCheckpoint, which lists them, where weights are missing, unexpected or of another shape."""
    reshaped = [
        f"{name} {tuple(found[name].shape)} instead of {tuple(values.shape)}"
        for name, values in wanted.items()
        if name in found and found[name].shape != values.shape
    ]
    kinds = {
        "missing": [name for name in wanted if name not in found],
        "unexpected": [name for name in found if name not in wanted],
        "of another shape": reshaped,
    }
    faults = [f"{len(names)} {kind}: {_listed(names)}" for kind, names in kinds.items() if names]
    if faults:
        raise BadCheckpoint(path, "weights are " + "; ".join(faults))


def _count(blocks: str, weights: Iterable[str]) -> int:
    """Count the blocks whose weights are there."""
    numbered = re.compile(rf"{re.escape(PREFIX + blocks)}\.(\d+)\.")
    return len({match[1] for name in weights if (match := numbered.match(name))})


def _listed(names: list[str]) -> str:
    """Join names, the first few of them when there are many."""
    more = len(names) - MAX_NAMED
    return ", ".join(names[:MAX_NAMED]) + (f" and {more} more" if more > 0 else "")
