"""The velocity network against the reference implementation's figures, and against itself asked in other ways."""

import dataclasses
import math
from typing import Any

import pytest
import torch

from musicgen.diffrhythm.dit import LONG_CONFIG, DiT, DiTConfig
from musicgen.diffrhythm.embeddings import time_features
from musicgen.diffrhythm.text_encoder import TextEncoder, position_table
from musicgen.diffrhythm.transformer import RMSNorm, rotary_turns, turn
from tests.diffrhythm.networks import (
    TINY,
    TINY_LONG,
    golden_case,
    relative_error,
    tiny_inputs,
    tiny_network,
)

EXACT = 2e-6  # of the largest value: float32 sums in another order


@pytest.mark.parametrize("case", ["dit-base", "dit-base-drop", "dit-long"])
def test_gives_the_velocity_of_the_reference(case: str) -> None:
    network, inputs, scalars, wanted = golden_case(case)
    assert relative_error(network(**inputs, **scalars), wanted) < 1e-5


@pytest.mark.parametrize(
    ("config", "tensors", "parameters"),
    [(DiTConfig(), 219, 1_109_315_648), (LONG_CONFIG, 223, 1_109_709_888)],
    ids=["base", "long"],
)
def test_has_as_many_weights_as_published(config: DiTConfig, tensors: int, parameters: int) -> None:
    with torch.device("meta"):
        state = DiT(config).state_dict()
    assert len(state) == tensors
    assert sum(values.numel() for values in state.values()) == parameters


@pytest.mark.parametrize("config", [TINY, TINY_LONG], ids=["base", "long"])
def test_a_batch_is_its_songs_side_by_side(config: DiTConfig) -> None:
    network, inputs = tiny_network(config), tiny_inputs(2, 40, config)
    together = network(**inputs)
    for i in range(2):
        alone = network(**{name: values[i : i + 1] for name, values in inputs.items()})
        assert relative_error(together[i : i + 1], alone) < EXACT


def test_times_may_be_shared() -> None:
    network, inputs = tiny_network(TINY_LONG), tiny_inputs(2, 20, TINY_LONG)
    shared = {name: torch.tensor(0.25) for name in ("time", "start_time", "duration")}
    for_each = {name: value.expand(2) for name, value in shared.items()}
    assert torch.equal(network(**inputs | shared), network(**inputs | for_each))


@pytest.mark.parametrize(("flag", "name"), [("drop_audio_cond", "cond"), ("drop_text", "text")])
def test_to_drop_an_input_is_to_zero_it(flag: str, name: str) -> None:
    network, inputs = tiny_network(), tiny_inputs(2, 20)
    dropped = network(**inputs, **{flag: True})
    assert torch.equal(dropped, network(**inputs | {name: torch.zeros_like(inputs[name])}))
    assert relative_error(dropped, network(**inputs)) > 1e-3


@pytest.mark.parametrize("name", ["x", "cond", "text", "time", "style", "start_time", "duration"])
def test_every_input_is_heard(name: str) -> None:
    network, inputs = tiny_network(TINY_LONG), tiny_inputs(2, 20, TINY_LONG)
    other = inputs | {name: inputs[name].flip(0)}
    assert relative_error(network(**other), network(**inputs)) > 1e-3


def test_only_a_long_network_is_told_the_duration() -> None:
    base, inputs = tiny_network(), tiny_inputs(1, 20)
    without = {name: values for name, values in inputs.items() if name != "duration"}
    assert torch.equal(base(**inputs), base(**without))
    with pytest.raises(ValueError, match="must be told the duration"):
        tiny_network(TINY_LONG)(**without)


def test_conditions_serve_every_step() -> None:
    network, inputs = tiny_network(), tiny_inputs(2, 20)
    told = {name: values for name, values in inputs.items() if name not in ("x", "time")}
    conditions = network.prepare(**told)
    for time in (torch.tensor(0.1), torch.tensor(0.9)):
        x = inputs["x"] * (1 + time)
        assert torch.equal(network.velocity(x, time, conditions), network(**inputs | {"x": x, "time": time}))


def test_joined_conditions_are_a_batch() -> None:
    network, inputs = tiny_network(), tiny_inputs(3, 20)
    told = {name: values for name, values in inputs.items() if name not in ("x", "time")}
    first, rest = ({name: values[part] for name, values in told.items()} for part in (slice(0, 1), slice(1, 3)))
    joined = network.prepare(**first).joined(network.prepare(**rest))
    assert relative_error(network.velocity(inputs["x"], inputs["time"], joined), network(**inputs)) < EXACT


def test_songs_may_be_longer_than_the_text_positions() -> None:
    inputs = tiny_inputs(1, 100)
    velocity = tiny_network()(**inputs)
    assert velocity.shape == (1, 100, TINY.mel_dim)
    assert torch.isfinite(velocity).all()
    more_positions = tiny_network(dataclasses.replace(TINY, max_frames=128))
    assert relative_error(more_positions(**inputs), velocity) > 1e-4


def test_text_positions_stop_at_the_last_one() -> None:
    encoder = TextEncoder(n_ids=5, dim=16, n_blocks=1, max_frames=32).requires_grad_(False)
    states = encoder(torch.zeros(1, 60, dtype=torch.int64))[0]
    late = states[31 + 3 : 60 - 3]  # a block sees three frames to each side
    assert torch.allclose(late, late[:1].expand_as(late), atol=1e-6)
    assert not torch.allclose(states[20], states[21], atol=1e-3)


@pytest.mark.parametrize("depth", [1, 2, 5])
def test_text_goes_into_the_first_half_of_the_blocks(depth: int) -> None:
    network = tiny_network(dataclasses.replace(TINY, depth=depth))
    assert len(network.text_fusion_linears) == depth // 2
    assert network(**tiny_inputs(1, 12)).shape == (1, 12, TINY.mel_dim)


def test_bf16_is_near_fp32() -> None:
    network, inputs = tiny_network(TINY_LONG), tiny_inputs(2, 50, TINY_LONG)
    exact = network(**inputs)
    rough = network.to(torch.bfloat16)(**inputs)
    assert rough.dtype == torch.bfloat16
    assert 0 < relative_error(rough, exact) < 0.05


def test_times_are_embedded_exactly_by_rough_weights() -> None:
    """In bfloat16 the times 0.900 and 0.901 would be one."""
    network, inputs = tiny_network().to(torch.bfloat16), tiny_inputs(1, 12)
    near, far = (network.time_embed(torch.tensor([time])) for time in (0.9, 0.901))
    assert not torch.equal(near, far)
    assert network(**inputs).dtype == torch.bfloat16


def test_time_features_are_sines_then_cosines() -> None:
    features = time_features(torch.tensor([0.0, 0.5]))
    assert features.shape == (2, 256)
    assert torch.equal(features[0], torch.cat([torch.zeros(128), torch.ones(128)]))
    slowest = 500 * math.exp(-math.log(10_000))
    assert features[1, 127] == pytest.approx(math.sin(slowest), rel=1e-4)
    assert features[1, 128] == pytest.approx(math.cos(500), rel=1e-4)


def test_text_positions_are_cosines_then_sines() -> None:
    table = position_table(torch.tensor([0, 2047]), 512)
    assert torch.equal(table[0], torch.cat([torch.ones(256), torch.zeros(256)]))
    assert table[1, 1] == pytest.approx(math.cos(2047 * 10_000 ** (-2 / 512)), abs=2e-3)


def test_rotary_turns_are_exact_at_the_end_of_a_song() -> None:
    cosines, sines = rotary_turns(6144, 64, torch.device("cpu"))
    assert cosines.shape == (6144, 32)
    assert cosines[6143, 0] == pytest.approx(math.cos(6143), abs=1e-3)
    assert sines[6143, 16] == pytest.approx(math.sin(6143 * 10_000**-0.5), abs=1e-4)


def test_turned_vectors_meet_by_their_distance_alone() -> None:
    generator = torch.Generator().manual_seed(1)
    query, key = (torch.randn(8, generator=generator).expand(1, 1, 50, 8) for _ in range(2))
    turns = rotary_turns(50, 8, torch.device("cpu"))
    scores = (turn(query, turns) @ turn(key, turns).transpose(2, 3))[0, 0]
    for distance in (0, 3, 20):
        diagonal = scores.diagonal(distance)
        assert torch.allclose(diagonal, diagonal[:1].expand_as(diagonal), atol=1e-4)


def test_the_rms_norm_does_not_overflow_in_fp16() -> None:
    normed = RMSNorm(16).half()(torch.full((1, 2, 16), 3000.0, dtype=torch.float16))
    assert torch.allclose(normed.float(), torch.ones(1, 2, 16))


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("cond", torch.zeros(2, 20, 9), r"cond must be \(songs, frames, 8\)"),
        ("cond", torch.zeros(20, 8), r"cond must be"),
        ("text", torch.zeros(2, 19, dtype=torch.int64), r"text must have one id a frame, \(2, 20\), not \(2, 19\)"),
        ("text", torch.full((2, 20), 21), r"text ids must be 0 to 20, not 21 to 21"),
        ("text", torch.full((2, 20), -1), r"text ids must be"),
        ("style", torch.zeros(1, 512), r"style must be \(2, 512\)"),
        ("x", torch.zeros(2, 21, 8), r"latents must be \(2, 20, 8\)"),
        ("time", torch.zeros(3), r"one number or one a song \(2\)"),
        ("start_time", torch.zeros(2, 1), r"one number or one a song \(2\)"),
    ],
)
def test_says_which_input_does_not_fit(name: str, value: torch.Tensor, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        tiny_network()(**tiny_inputs(2, 20) | {name: value})


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ({"dim": 96}, "multiple of 64, not 96"),
        ({"dim": 0}, "multiple of 64, not 0"),
        ({"text_dim": 15}, "even, not 15"),
        ({"depth": 0}, "depth must be at least 1"),
        ({"max_frames": 0}, "max_frames must be at least 1"),
    ],
)
def test_refuses_sizes_that_no_network_has(sizes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        DiTConfig(**sizes)
