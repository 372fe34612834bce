"""Measure a guided step of DiffRhythm's sampler, random weights: time and peak memory by how it is run.

    python -m benchmarks.diffrhythm --size tiny               (seconds)
    python -m benchmarks.diffrhythm --size full --dtypes bf16 (half an hour on two cores)

Every row is a process of its own, so that peak memory (of the whole process, or of what torch holds on a graphics
card) is its own. A step is one Euler step, that is two evaluations of the network. Prints Markdown; medians.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor

from musicgen.diffrhythm.checkpoint import DTYPES
from musicgen.diffrhythm.dit import LONG_CONFIG, DiT, DiTConfig
from musicgen.diffrhythm.embeddings import CONDITION_DIM
from musicgen.diffrhythm.flow_matching import SamplerOptions, SongInputs, draw_noise, guided_velocity
from musicgen.diffrhythm.frames import BASE_MAX_FRAMES, SAMPLE_RATE, SAMPLES_PER_FRAME

T = TypeVar("T")
BASE_S = 95.0  # length of the base model's songs, which is BASE_MAX_FRAMES
TINY = DiTConfig(dim=128, depth=4, conv_layers=1)
N_STEPS = SamplerOptions().n_points - 1


@dataclass(frozen=True, slots=True)
class Variant:
    """A way to run a step.

    Attributes:
        batched: both evaluations as one batch.
        prepared: what stays the same in all steps is worked out before; otherwise anew in each step.
        compiled: the transformer blocks go through `torch.compile`.
    """

    batched: bool = False
    prepared: bool = True
    compiled: bool = False


VARIANTS = {
    "two passes": Variant(),
    "one batch": Variant(batched=True),
    "two passes, nothing prepared": Variant(prepared=False),
    "one batch, nothing prepared": Variant(batched=True, prepared=False),
    "two passes, compiled": Variant(compiled=True),
}


@dataclass(frozen=True, slots=True)
class Figures:
    """What is measured of a variant, seconds: preparing a song, the first step (which compiles), later ones; MB."""

    prepare_s: float
    first_step_s: float
    step_s: float
    peak_mb: float


def measure(variant: Variant, arguments: argparse.Namespace) -> Figures:
    """Run a warm-up step and `arguments.runs` more in this process."""
    config, n_frames = song_size(arguments.size, arguments.seconds)
    device = torch.device(arguments.device)
    network = random_network(config, device, DTYPES[arguments.dtype])
    if variant.compiled:
        for block in network.transformer_blocks:
            block.compile()
    song, options = random_song(config, n_frames), SamplerOptions(batched_guidance=variant.batched)
    latents = draw_noise(1, n_frames, config.mel_dim)[None].to(device)
    moment = torch.tensor(0.5, device=device)
    with torch.inference_mode():
        prepare_s, velocity = timed(lambda: guided_velocity(network, song.reference, song, options))

        def step() -> Tensor:
            ready = velocity if variant.prepared else guided_velocity(network, song.reference, song, options)
            return ready(latents, moment).cpu()  # which waits for the device

        first_step_s = timed(step)[0]
        step_s = statistics.median(timed(step)[0] for _ in range(arguments.runs))
    return Figures(prepare_s, first_step_s, step_s, peak_mb(device))


def song_size(size: str, seconds: float) -> tuple[DiTConfig, int]:
    """Choose the network and the number of frames for a song."""
    n_frames = BASE_MAX_FRAMES if seconds == BASE_S else int(seconds * SAMPLE_RATE / SAMPLES_PER_FRAME)
    if size == "tiny":
        return TINY, n_frames
    return (DiTConfig() if seconds <= BASE_S else LONG_CONFIG), n_frames


def random_network(config: DiTConfig, device: torch.device, dtype: torch.dtype) -> DiT:
    """Build a network without ever holding it in another dtype."""
    with torch.device("meta"):
        network = DiT(config).to(dtype).requires_grad_(False).eval()
    network.to_empty(device=device)
    for parameter in network.parameters():
        parameter.uniform_(-0.03, 0.03)
    return network


def random_song(config: DiTConfig, n_frames: int) -> SongInputs:
    """Draw a song: a phoneme every fourth frame, some style, no reference."""
    text = torch.zeros(1, n_frames, dtype=torch.int64)
    text[:, ::4] = torch.randint(1, config.text_num_embeds + 1, text[:, ::4].shape)
    style, negative_style = (torch.nn.functional.normalize(torch.randn(1, CONDITION_DIM)) for _ in range(2))
    reference = torch.zeros(1, n_frames, config.mel_dim)
    duration = torch.tensor(n_frames / config.max_frames)
    return SongInputs(reference, text, style, negative_style, torch.tensor(0.0), duration)


def timed(work: Callable[[], T]) -> tuple[float, T]:
    """Do the work; give the seconds it took and its result."""
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def peak_mb(device: torch.device) -> float:
    """Give the most memory there was in use, MB."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure_in_fresh_process(name: str, dtype: str, arguments: argparse.Namespace) -> Figures:
    """Run `measure` in a process of its own."""
    options = {"size": arguments.size, "seconds": arguments.seconds, "device": arguments.device, "runs": arguments.runs}
    command = [sys.executable, "-m", "benchmarks.diffrhythm", "--measure", name, "--dtype", dtype]
    command += [word for option, value in options.items() for word in (f"--{option}", str(value))]
    result = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return Figures(*json.loads(result.stdout.splitlines()[-1]))


def rows(arguments: argparse.Namespace) -> Iterator[str]:
    """Measure everything that was asked for, a Markdown row each."""
    yield "| weights | step | prepare, s | first step, s | step, s | all steps, min | peak, MB |"
    yield "|---|---|---|---|---|---|---|"
    for dtype in arguments.dtypes:
        for name in arguments.variants:
            figures = measure_in_fresh_process(name, dtype, arguments)
            cells = (
                f"{figures.prepare_s:.2f}",
                f"{figures.first_step_s:.2f}",
                f"{figures.step_s:.2f}",
                f"{N_STEPS * figures.step_s / 60:.1f}",
                f"{figures.peak_mb:.0f}",
            )
            yield f"| {dtype} | {name} | {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=("tiny", "full"), default="tiny", help="of the network")
    parser.add_argument("--seconds", type=float, default=BASE_S, help="of audio")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtypes", nargs="+", choices=DTYPES, default=["fp32", "bf16"])
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, default=list(VARIANTS))
    parser.add_argument("--runs", type=int, default=3, help="steps after the first")
    parser.add_argument("--measure", choices=VARIANTS, help=argparse.SUPPRESS)
    parser.add_argument("--dtype", choices=DTYPES, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        figures = measure(VARIANTS[arguments.measure], arguments)
        print(json.dumps([figures.prepare_s, figures.first_step_s, figures.step_s, figures.peak_mb]))
        return
    _, n_frames = song_size(arguments.size, arguments.seconds)
    song = f"{arguments.size}, {arguments.seconds:g} s ({n_frames} frames)"
    print(f"{song}, {arguments.device}, {torch.get_num_threads()} threads, torch {torch.__version__}\n")
    for row in rows(arguments):
        print(row, flush=True)


if __name__ == "__main__":
    main()
