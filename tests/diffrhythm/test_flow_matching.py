"""The sampler against the reference implementation's figures, and what it promises of times, guidance and segments."""

import dataclasses
import math

import pytest
import torch
from torch import Tensor

from musicgen.diffrhythm.dit import DiT, DiTConfig
from musicgen.diffrhythm.flow_matching import SamplerOptions, SongInputs, draw_noise, sample, timesteps
from tests.diffrhythm.networks import TINY, TINY_LONG, golden_case, relative_error, tiny_inputs, tiny_network

EXACT = 5e-6  # of the largest value: float32 sums in another order
FEW_STEPS = SamplerOptions(n_points=5)


class Cancelled(Exception):
    """What a caller raises."""


def tiny_song(batch: int, n_frames: int, config: DiTConfig = TINY) -> tuple[Tensor, SongInputs]:
    """Draw noise and a song."""
    inputs = tiny_inputs(batch, n_frames, config)
    song = SongInputs(
        reference=inputs["cond"],
        text=inputs["text"],
        style=inputs["style"],
        negative_style=inputs["style"].flip(1),
        start_time=inputs["start_time"],
        duration=inputs["duration"],
    )
    return inputs["x"], song


def velocity(network: DiT, x: Tensor, time: Tensor, song: SongInputs) -> Tensor:
    """Ask for the velocity where nothing of the reference is kept."""
    return network(x, torch.zeros_like(x), song.text, time, song.style, song.start_time, song.duration)


@pytest.mark.parametrize("batched", [False, True], ids=["two passes", "one batch"])
@pytest.mark.parametrize("case", ["cfm-base", "cfm-long"])
def test_arrives_where_the_reference_does(case: str, batched: bool) -> None:
    """Their `steps` counts the points in time, so 8 of them are 7 steps."""
    network, inputs, scalars, wanted = golden_case(case)
    names = ("text", "style", "negative_style", "start_time", "duration")
    latents = sample(
        network,
        inputs["noise"],
        SongInputs(inputs["cond"], **{name: inputs[name] for name in names}),
        SamplerOptions(scalars["steps"], scalars["cfg_strength"], scalars["sway"], batched),
        segments=scalars["pred_segments"],
    )
    assert relative_error(latents, wanted) < 1e-4


def test_times_are_even_without_sway() -> None:
    times = timesteps(32)
    assert times.dtype == torch.float32
    assert torch.allclose(times, torch.arange(32) / 31)


@pytest.mark.parametrize("sway", [-1.0, 0.4])
def test_sway_moves_the_times_between_the_ends(sway: float) -> None:
    times = timesteps(9, sway)
    for even, time in zip(timesteps(9).tolist(), times.tolist(), strict=True):
        assert time == pytest.approx(even + sway * (math.cos(math.pi * even / 2) - 1 + even), abs=1e-6)
    assert times[0] == 0
    assert times[-1] == pytest.approx(1)
    assert (times.diff() > 0).all()


def test_sway_of_minus_one_goes_slowly_first() -> None:
    assert (timesteps(9, -1.0)[1:-1] < timesteps(9)[1:-1]).all()


def test_the_sampler_goes_by_the_swayed_times() -> None:
    network = tiny_network()
    noise, song = tiny_song(1, 20)
    options = dataclasses.replace(FEW_STEPS, sway=-0.7, guidance_strength=0.0)
    times = timesteps(options.n_points, options.sway)
    latents = noise
    for i in range(4):
        latents = latents + (times[i + 1] - times[i]) * velocity(network, latents, times[i], song)
    assert relative_error(sample(network, noise, song, options), latents) < EXACT


def test_guidance_goes_past_the_velocity_given_everything() -> None:
    network = tiny_network()
    noise, song = tiny_song(2, 20)
    given = velocity(network, noise, torch.tensor(0.0), song)
    unguided = velocity(
        network,
        noise,
        torch.tensor(0.0),
        dataclasses.replace(song, text=torch.zeros_like(song.text), style=song.negative_style),
    )
    one_step = sample(network, noise, song, SamplerOptions(n_points=2, guidance_strength=4.0))
    assert relative_error(one_step, noise + given + 4 * (given - unguided)) < EXACT


def test_guidance_leads_away_from_what_knows_no_reference() -> None:
    network = tiny_network()
    noise, song = tiny_song(1, 20)
    kept = song.reference.clone()
    kept[:, 5:15] = 0
    times = (torch.tensor(0.0), song.start_time)
    given = network(noise, kept, song.text, times[0], song.style, times[1])
    unguided = network(
        noise, kept, song.text, times[0], song.negative_style, times[1], drop_audio_cond=True, drop_text=True
    )
    one_step = sample(network, noise, song, SamplerOptions(n_points=2, guidance_strength=2.0), segments=[(5, 15)])
    wanted = noise + given + 2 * (given - unguided)
    assert relative_error(one_step[:, 5:15], wanted[:, 5:15]) < EXACT


@pytest.mark.parametrize("strength", [0.0, 9e-6])
def test_without_guidance_there_is_one_pass(strength: float, monkeypatch: pytest.MonkeyPatch) -> None:
    network, calls = tiny_network(), []
    monkeypatch.setattr(DiT, "velocity", counted(DiT.velocity, calls))
    noise, song = tiny_song(1, 20)
    latents = sample(network, noise, song, dataclasses.replace(FEW_STEPS, guidance_strength=strength))
    assert len(calls) == 4
    even = dataclasses.replace(song, negative_style=torch.full_like(song.style, math.nan))
    assert torch.equal(sample(network, noise, even, dataclasses.replace(FEW_STEPS, guidance_strength=0.0)), latents)


@pytest.mark.parametrize(("batched", "passes"), [(False, 8), (True, 4)])
def test_guidance_takes_two_passes_or_one_batch(batched: bool, passes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    network, calls = tiny_network(), []
    monkeypatch.setattr(DiT, "velocity", counted(DiT.velocity, calls))
    noise, song = tiny_song(1, 20)
    sample(network, noise, song, dataclasses.replace(FEW_STEPS, batched_guidance=batched))
    assert len(calls) == passes


def counted(function, calls):  # type: ignore[no-untyped-def]
    def call(*arguments):  # type: ignore[no-untyped-def]
        calls.append(arguments)
        return function(*arguments)

    return call


@pytest.mark.parametrize("config", [TINY, TINY_LONG], ids=["base", "long"])
def test_two_passes_and_one_batch_agree(config: DiTConfig) -> None:
    network = tiny_network(config)
    noise, song = tiny_song(2, 30, config)
    two_passes, one_batch = (
        sample(network, noise, song, dataclasses.replace(FEW_STEPS, batched_guidance=batched))
        for batched in (False, True)
    )
    assert relative_error(one_batch, two_passes) < EXACT


def test_a_batch_is_its_songs_side_by_side() -> None:
    network = tiny_network(TINY_LONG)
    noise, songs = tiny_song(2, 30, TINY_LONG)
    together = sample(network, noise, songs, FEW_STEPS)
    for i in range(2):
        tensors = {field.name: getattr(songs, field.name)[i : i + 1] for field in dataclasses.fields(songs)}
        alone = sample(network, noise[i : i + 1], SongInputs(**tensors), FEW_STEPS)
        assert relative_error(together[i : i + 1], alone) < EXACT


def test_outside_the_segments_the_reference_stays_as_it_is() -> None:
    noise, song = tiny_song(2, 30)
    segments = [(4, 9), (8, 12), (25, 30)]
    latents = sample(tiny_network(), noise, song, FEW_STEPS, segments=segments)
    made = torch.zeros(30, dtype=torch.bool)
    made[4:12] = made[25:30] = True
    assert torch.equal(latents[:, ~made], song.reference[:, ~made])
    assert ((latents != song.reference)[:, made]).all()


def test_inside_the_segments_the_reference_is_not_heard() -> None:
    noise, song = tiny_song(1, 30)
    changed = song.reference.clone()
    changed[:, 10:20] = 100
    kept = sample(tiny_network(), noise, song, FEW_STEPS, segments=[(10, 20)])
    other = sample(tiny_network(), noise, dataclasses.replace(song, reference=changed), FEW_STEPS, segments=[(10, 20)])
    assert torch.equal(kept, other)


def test_outside_the_segments_the_reference_is_heard() -> None:
    noise, song = tiny_song(1, 30)
    silent = dataclasses.replace(song, reference=torch.zeros_like(song.reference))
    given, without = (sample(tiny_network(), noise, one, FEW_STEPS, segments=[(10, 20)]) for one in (song, silent))
    assert relative_error(given[:, 10:20], without[:, 10:20]) > 1e-3


def test_one_segment_may_be_everything() -> None:
    noise, song = tiny_song(1, 30)
    whole = sample(tiny_network(), noise, song, FEW_STEPS, segments=[(0, 30)])
    assert torch.equal(whole, sample(tiny_network(), noise, song, FEW_STEPS))


@pytest.mark.parametrize("segments", [[(5, 5)], [(9, 4)], [(-1, 4)], [(3, 31)], []])
def test_refuses_segments_that_are_not_in_the_song(segments: list[tuple[int, int]]) -> None:
    noise, song = tiny_song(1, 30)
    with pytest.raises(ValueError, match="segment"):
        sample(tiny_network(), noise, song, FEW_STEPS, segments=segments)


def test_refuses_noise_of_another_length() -> None:
    noise, song = tiny_song(1, 30)
    with pytest.raises(ValueError, match="differ in shape"):
        sample(tiny_network(), noise[:, :29], song, FEW_STEPS)


@pytest.mark.parametrize(
    "options", [{"n_points": 1}, {"guidance_strength": -1.0}, {"guidance_strength": math.nan}], ids=str
)
def test_refuses_senseless_options(options: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(options))):
        SamplerOptions(**options)  # type: ignore[arg-type]


def test_tells_every_step() -> None:
    steps = []
    noise, song = tiny_song(1, 12)
    sample(tiny_network(), noise, song, SamplerOptions(), on_step=lambda *step: steps.append(step))
    assert steps == [(done, 31) for done in range(1, 32)]


def test_the_caller_may_end_it() -> None:
    steps = []

    def end_after_two(done: int, total: int) -> None:
        steps.append(done)
        if done == 2:
            raise Cancelled

    noise, song = tiny_song(1, 12)
    with pytest.raises(Cancelled):
        sample(tiny_network(), noise, song, FEW_STEPS, on_step=end_after_two)
    assert steps == [1, 2]


def test_equal_seeds_give_equal_latents() -> None:
    network = tiny_network()
    _, song = tiny_song(1, 20)
    first, again, other = (
        sample(network, draw_noise(seed, 20, TINY.mel_dim)[None], song, FEW_STEPS) for seed in (3, 3, 4)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_noise_is_normal_and_its_own() -> None:
    state = torch.get_rng_state()
    noise = draw_noise(2**31 - 1, 2048, 64)
    assert noise.shape == (2048, 64)
    assert noise.dtype == torch.float32
    assert float(noise.mean()) == pytest.approx(0, abs=0.02)
    assert float(noise.std()) == pytest.approx(1, abs=0.02)
    assert torch.equal(torch.get_rng_state(), state)


def test_latents_stay_exact_between_the_steps_of_a_bf16_network() -> None:
    noise, song = tiny_song(1, 30)
    options = SamplerOptions(n_points=16, guidance_strength=1.0)
    exact = sample(tiny_network(), noise, song, options)
    rough = sample(tiny_network().to(torch.bfloat16), noise, song, options)
    assert rough.dtype == torch.float32
    assert relative_error(rough, exact) < 0.05


def test_a_bf16_network_does_not_round_the_latents() -> None:
    network = tiny_network().to(torch.bfloat16)
    noise, song = tiny_song(1, 30)
    one_step = sample(network, noise, song, SamplerOptions(n_points=2, guidance_strength=0.0))
    assert torch.equal(one_step, noise + velocity(network, noise, torch.tensor(0.0), song).float())


def test_what_comes_in_is_left_alone() -> None:
    noise, song = tiny_song(1, 20)
    before = noise.clone(), song.reference.clone()
    sample(tiny_network(), noise, song, FEW_STEPS, segments=[(3, 8)])
    assert torch.equal(noise, before[0])
    assert torch.equal(song.reference, before[1])
