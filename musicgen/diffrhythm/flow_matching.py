"""Sampling by conditional flow matching: from noise to latents along the network's velocity, in Euler steps.

Owns the times, the guidance and what is kept of a reference. Knows nothing of text, style or audio.
Source: DiffRhythm (arXiv 2503.01183), after "Flow Matching for Generative Modeling" (arXiv 2210.02747); guidance is
classifier-free (arXiv 2207.12598), sway is F5-TTS's (arXiv 2410.06885).

Axes: b batch, n frames, m latent channels.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from musicgen.diffrhythm.dit import DiT

LEAST_GUIDANCE = 1e-5  # weaker guidance is none

Velocity = Callable[[Tensor, Tensor], Tensor]  # latents (b, n, m) float32 and time () to (b, n, m) float32
OnStep = Callable[[int, int], None]  # steps that are done, and all of them
Segments = Sequence[tuple[int, int]]  # first frame and the one after the last


@dataclass(frozen=True, slots=True)
class SongInputs:
    """What the songs of a batch are to be; tensors on any device.

    Attributes:
        reference: (b, n, m) latents to keep outside the segments that are made; zeros where there are none.
        text: (b, n) int64 phoneme ids, 0 where none begins.
        style: (b, 512), what they shall sound like.
        negative_style: (b, 512), what they shall not sound like.
        start_time: (b,) or scalar, where in the song the first frame lies, in units of the network's `max_frames`.
        duration: like `start_time`; the long network wants it, the base one does without.
    """

    reference: Tensor
    text: Tensor
    style: Tensor
    negative_style: Tensor
    start_time: Tensor
    duration: Tensor | None = None


@dataclass(frozen=True, slots=True)
class SamplerOptions:
    """How to walk from noise to music.

    Attributes:
        n_points: times at which the path has a point, both ends counted: 32 points make 31 steps.
        guidance_strength: how far to go on from the unconditional velocity past the conditional one; the field's
            guidance_scale is 1 more. 0 does without the unconditional pass.
        sway: moves the inner times, at -1 towards the noise; None leaves them even.
        batched_guidance: evaluate both velocities as one batch, which is quicker where the device is not filled by
            one and takes more memory; otherwise one after the other.
    """

    n_points: int = 32
    guidance_strength: float = 4.0
    sway: float | None = None
    batched_guidance: bool = False

    def __post_init__(self) -> None:
        if self.n_points < 2:
            raise ValueError(f"n_points must be at least 2, not {self.n_points}")
        if not 0 <= self.guidance_strength < math.inf:
            raise ValueError(f"guidance_strength must be 0 or more, not {self.guidance_strength}")


def draw_noise(seed: int, n_frames: int, mel_dim: int) -> Tensor:
    """Draw a song's noise, (n, m) float32 on the CPU, from a generator of its own: the same for a seed anywhere."""
    return torch.randn(n_frames, mel_dim, generator=torch.Generator("cpu").manual_seed(seed))


def timesteps(n_points: int, sway: float | None = None) -> Tensor:
    """Give the times of the path's points, (n_points,) float32 from 0 to 1."""
    times = torch.linspace(0, 1, n_points)
    if sway is None:
        return times
    return times + sway * (torch.cos(math.pi / 2 * times) - 1 + times)


@torch.inference_mode()
def sample(
    network: DiT,
    noise: Tensor,
    song: SongInputs,
    options: SamplerOptions,
    *,
    segments: Segments | None = None,
    on_step: OnStep | None = None,
) -> Tensor:
    """Make latents from noise.

    Args:
        network: gives the velocity.
        noise: (b, n, m), the only randomness.
        song: what to make.
        options: how.
        segments: frames to make, the same in all of the batch; the others stay as in the reference. None makes all.
        on_step: called after every step; what it raises ends the sampling.

    Returns:
        (b, n, m) float32 on the network's device.

    Raises:
        ValueError: shapes do not fit together, or a segment is empty or beyond the song.
    """
    if noise.shape != song.reference.shape:
        raise ValueError(f"noise {tuple(noise.shape)} and reference {tuple(song.reference.shape)} differ in shape")
    made = frames_made(noise.shape[1], segments).to(network.device)
    reference = song.reference.to(network.device, torch.float32)
    velocity = guided_velocity(network, reference.masked_fill(made, 0), song, options)
    times = timesteps(options.n_points, options.sway).to(network.device)
    latents = noise.to(network.device, torch.float32)
    n_steps = options.n_points - 1
    for done, (time, next_time) in enumerate(pairwise(times), start=1):
        latents = latents + (next_time - time) * velocity(latents, time)
        if on_step is not None:
            on_step(done, n_steps)
    return torch.where(made, latents, reference)


def frames_made(n_frames: int, segments: Segments | None) -> Tensor:
    """Tell, (n, 1) bool, which frames lie in a segment; all do where `segments` is None.

    Raises:
        ValueError: there is no segment, or one is empty or beyond the song.
    """
    if segments is None:
        segments = [(0, n_frames)]
    if not segments:
        raise ValueError("there must be a segment to make")
    made = torch.zeros(n_frames, 1, dtype=torch.bool)
    for first, stop in segments:
        if not 0 <= first < stop <= n_frames:
            raise ValueError(f"a segment must lie within frames 0 to {n_frames}, not {first} to {stop}")
        made[first:stop] = True
    return made


def guided_velocity(network: DiT, cond: Tensor, song: SongInputs, options: SamplerOptions) -> Velocity:
    """Prepare the songs, and give their velocity p + strength (p - u).

    p is the velocity given everything; u that without reference and text and with the negative style.

    Args:
        cond: (b, n, m) the reference, 0 in the frames to be made.
    """
    times, strength = (song.start_time, song.duration), options.guidance_strength
    given = network.prepare(cond, song.text, song.style, *times)
    if strength < LEAST_GUIDANCE:
        return lambda latents, time: network.velocity(latents, time, given).float()
    unguided = network.prepare(cond, song.text, song.negative_style, *times, drop_audio_cond=True, drop_text=True)

    def in_two_passes(latents: Tensor, time: Tensor) -> Tensor:
        p, u = (network.velocity(latents, time, conditions).float() for conditions in (given, unguided))
        return p + strength * (p - u)

    if not options.batched_guidance:
        return in_two_passes
    both = given.joined(unguided)

    def in_one_batch(latents: Tensor, time: Tensor) -> Tensor:
        p, u = network.velocity(torch.cat([latents, latents]), time, both).float().chunk(2)
        return p + strength * (p - u)

    return in_one_batch
