"""Checkpoint files in the published format, whole and spoilt; and the dtype weights are kept in."""

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from musicgen.diffrhythm.checkpoint import BadCheckpoint, load_network, weights_dtype
from musicgen.diffrhythm.dit import DiTConfig
from tests.diffrhythm.networks import TINY, TINY_LONG, golden_case, golden_tensors, tiny_inputs, tiny_network

CPU, CUDA, MPS = (torch.device(name) for name in ("cpu", "cuda", "mps"))
Spoil = Callable[[dict[str, Tensor]], Any]


def published(config: DiTConfig) -> dict[str, Tensor]:
    """Give a tiny network's weights under their published names."""
    return {f"transformer.{name}": values for name, values in tiny_network(config).state_dict().items()}


def write(path: Path, weights: dict[str, Tensor], **options: Any) -> Path:
    torch.save({"model_state_dict": weights, "step": 3}, path, **options)
    return path


@pytest.fixture
def spoilt(tmp_path: Path) -> Callable[[Spoil], Path]:
    """Write a tiny base checkpoint after doing something to its weights."""

    def write_spoilt(spoil: Spoil) -> Path:
        weights = published(TINY)
        spoil(weights)
        return write(tmp_path / "cfm_model.pt", weights)

    return write_spoilt


@pytest.mark.parametrize(("config", "max_frames"), [(TINY, 2048), (TINY_LONG, 6144)], ids=["base", "long"])
def test_a_network_comes_back_as_it_was(config: DiTConfig, max_frames: int, tmp_path: Path) -> None:
    path = write(tmp_path / "cfm_model.pt", published(config))
    network = load_network(path, CPU, torch.float32, expect_long=config.has_duration)
    assert network.config.max_frames == max_frames
    for size in ("dim", "depth", "ff_mult", "text_dim", "conv_layers", "mel_dim", "text_num_embeds", "has_duration"):
        assert getattr(network.config, size) == getattr(config, size)
    inputs = tiny_inputs(1, 30, config)
    assert torch.equal(network(**inputs), tiny_network(config)(**inputs))


def test_the_golden_weights_load(tmp_path: Path) -> None:
    prefix = "weights/"
    weights = {k.removeprefix(prefix): values for k, values in golden_tensors().items() if k.startswith(prefix)}
    network = load_network(write(tmp_path / "cfm_model.pt", weights), CPU, torch.float32, expect_long=True)
    _, inputs, scalars, wanted = golden_case("dit-long")
    assert torch.allclose(network(**inputs, **scalars), wanted, atol=1e-5 * float(wanted.abs().max()))


@pytest.mark.parametrize("stored", [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("kept", [torch.float32, torch.bfloat16])
def test_weights_are_kept_in_the_wanted_dtype(stored: torch.dtype, kept: torch.dtype, tmp_path: Path) -> None:
    weights = {name: values.to(stored) for name, values in published(TINY).items()}
    network = load_network(write(tmp_path / "cfm_model.pt", weights), CPU, kept)
    assert {parameter.dtype for parameter in network.parameters()} == {kept}
    assert not any(parameter.requires_grad or parameter.is_meta for parameter in network.parameters())
    assert not network.training
    assert network(**tiny_inputs(1, 20)).isfinite().all()


def test_a_file_in_the_old_torch_format_loads(tmp_path: Path) -> None:
    path = write(tmp_path / "cfm_model.pt", published(TINY), _use_new_zipfile_serialization=False)
    assert load_network(path, CPU, torch.float32).config.dim == TINY.dim


def test_tables_that_the_network_computes_are_ignored(spoilt: Callable[[Spoil], Path]) -> None:
    tables = {
        "transformer.rotary_emb.inv_freq": torch.ones(1),
        "transformer.text_embed.freqs_cis": torch.ones(64, 16),
    }
    assert load_network(spoilt(lambda weights: weights.update(tables)), CPU, torch.float32).config.depth == TINY.depth


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (
            lambda weights: weights.pop("transformer.norm_out.linear.bias"),
            "1 missing: transformer.norm_out.linear.bias",
        ),
        (
            lambda weights: weights.update({"transformer.extra.weight": torch.ones(1)}),
            "1 unexpected: transformer.extra.weight",
        ),
        (
            lambda weights: weights.update({"transformer.proj_out.bias": torch.ones(9)}),
            r"1 of another shape: transformer.proj_out.bias \(9,\) instead of \(8,\)",
        ),
        (
            lambda weights: weights.update({"proj_out.bias": weights.pop("transformer.proj_out.bias")}),
            "1 missing: transformer.proj_out.bias; 1 unexpected: proj_out.bias",
        ),
        (
            lambda weights: [weights.pop(name) for name in list(weights) if "transformer_blocks.1.mlp" in name],
            r"3 missing: transformer.transformer_blocks.1.mlp.gate_proj.weight, .*up_proj.weight, .*down_proj",
        ),
        (
            lambda weights: [weights.pop(name) for name in list(weights) if "transformer_blocks.1." in name],
            r"9 missing: .* and 4 more; 9 unexpected: .* and 4 more",
        ),
        (lambda weights: weights.pop("transformer.proj_out.weight"), "it has no matrix transformer.proj_out.weight"),
        (
            lambda weights: weights.update({"transformer.proj_out.weight": torch.ones(8, 10)}),
            "dim must be a multiple of 64, not 10",
        ),
        (lambda weights: weights.clear(), "it has no matrix"),
    ],
)
def test_says_which_weights_are_wrong(spoilt: Callable[[Spoil], Path], spoil: Spoil, message: str) -> None:
    with pytest.raises(BadCheckpoint, match=message):
        load_network(spoilt(spoil), CPU, torch.float32)


def test_refuses_an_older_full_checkpoint(spoilt: Callable[[Spoil], Path]) -> None:
    with pytest.raises(BadCheckpoint, match=r"no duration_time_embed.*older full checkpoint.*DiffRhythm-1_2-full"):
        load_network(spoilt(len), CPU, torch.float32, expect_long=True)


def test_refuses_the_long_model_in_place_of_the_base(tmp_path: Path) -> None:
    path = write(tmp_path / "cfm_model.pt", published(TINY_LONG))
    with pytest.raises(BadCheckpoint, match="it is the long model"):
        load_network(path, CPU, torch.float32, expect_long=False)


def test_says_that_half_a_download_is_not_whole(spoilt: Callable[[Spoil], Path]) -> None:
    path = spoilt(len)
    content = path.read_bytes()
    for part in (content[: len(content) // 2], b"version https://git-lfs.github.com/spec/v1\n", b""):
        path.write_bytes(part)
        with pytest.raises(BadCheckpoint, match=rf"cfm_model.pt is not .* download of {len(part):,} bytes whole"):
            load_network(path, CPU, torch.float32)


class Dangerous:
    """Runs code when it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return pytest.fail, ("a checkpoint ran code",)


@pytest.mark.parametrize(
    "save", [torch.save, lambda content, path: path.write_bytes(pickle.dumps(content, protocol=2))]
)
def test_a_file_cannot_run_code(save: Callable[[Any, Path], Any], tmp_path: Path) -> None:
    path = tmp_path / "cfm_model.pt"
    save({"model_state_dict": Dangerous()}, path)
    with pytest.raises(BadCheckpoint):
        load_network(path, CPU, torch.float32)


@pytest.mark.parametrize("content", [{"state": {}}, [1, 2], {"model_state_dict": 3}], ids=str)
def test_refuses_a_torch_file_of_something_else(content: Any, tmp_path: Path) -> None:
    path = tmp_path / "cfm_model.pt"
    torch.save(content, path)
    with pytest.raises(BadCheckpoint, match="holds no 'model_state_dict'"):
        load_network(path, CPU, torch.float32)


def test_a_file_that_is_not_there_is_not_a_bad_one(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load_network(tmp_path / "cfm_model.pt", CPU, torch.float32)


@pytest.mark.parametrize(
    ("device", "wanted", "has_bf16", "dtype"),
    [
        (CPU, "auto", False, torch.bfloat16),
        (CPU, "fp32", False, torch.float32),
        (CPU, "bf16", False, torch.bfloat16),
        (CUDA, "auto", True, torch.bfloat16),
        (CUDA, "auto", False, torch.float16),
        (CUDA, "fp16", True, torch.float16),
        (CUDA, "bf16", True, torch.bfloat16),
        (CUDA, "fp32", False, torch.float32),
        (MPS, "auto", False, torch.float32),
        (MPS, "fp16", False, torch.float16),
    ],
)
def test_dtype_of_the_weights(
    device: torch.device, wanted: str, has_bf16: bool, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: has_bf16)
    assert weights_dtype(device, wanted) == dtype


@pytest.mark.parametrize(
    ("device", "wanted", "message"),
    [
        (CPU, "fp16", "slower than fp32 on the CPU; choose bf16 or fp32"),
        (CPU, "int8", "must be auto, fp32, bf16, fp16, not 'int8'"),
        (CUDA, "bf16", "this graphics card has no bf16"),
    ],
)
def test_refuses_dtypes_that_do_not_go(
    device: torch.device, wanted: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: False)
    with pytest.raises(ValueError, match=message):
        weights_dtype(device, wanted)
