"""Train the lead-sheet network: `python -m <package>.training.train --data ... --run ... --until HH:MM`.

Writes checkpoints and a log of losses to the run folder and goes on from the last checkpoint. The learning rate
follows the clock: a cosine that ends when training has to.

With `--teacher` a network learns from a deeper one as well as from the songs (distillation; Hinton et al., 2015,
arXiv:1503.02531): it begins with the teacher's first layers and learns to give what the teacher gives.
"""

import argparse
import json
import math
import random
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

import torch
from torch import Tensor
from torch.nn import functional

from musicgen.composer.lead_sheet_network.network import NetworkShape
from musicgen.composer.lead_sheet_network.training.dataset import IGNORED, EncodedSong, draw_batch, prepare
from musicgen.composer.lead_sheet_network.training.network import TrainableNetwork
from musicgen.composer.lead_sheet_network.weights_file import WeightsFile

PEAK_RATE, LAST_RATE, WARM_UP_STEPS = 1.5e-3, 2e-5, 100
TEACHERS_SHARE = 0.7  # of the loss, where there is a teacher; the songs have the rest
REPORT_EVERY, EVALUATE_EVERY = 50, 600

Batch = tuple[Tensor, Tensor, Tensor]  # slots, times and targets, as `draw_batch` gives them


def log_shares(network: TrainableNetwork, slots: Tensor, times: Tensor, targets: Tensor) -> list[Tensor]:
    """Give log-probabilities of each event's duration (n, durations) and symbol (n, symbols), for n known targets."""
    states = network(slots, times)
    known = targets[..., 0] != IGNORED
    states, slots, targets = states[known], slots[known], targets[known]
    logits = (network.duration_logits(states, slots), network.symbol_logits(states, slots, targets[:, 0]))
    return [functional.log_softmax(parts, dim=1) for parts in logits]


def losses(shares: list[Tensor], targets: Tensor) -> Tensor:
    """Give nats of each event's duration and symbol: (n, 2) float32, for the n slots that have a target."""
    known = targets[targets[..., 0] != IGNORED]
    return torch.stack([-part.gather(1, known[:, i, None])[:, 0] for i, part in enumerate(shares)], dim=1)


def divergences(shares: list[Tensor], teachers: list[Tensor]) -> Tensor:
    """Give the nats by which a student misses its teacher's distributions (Kullback and Leibler): (n, 2) float32."""
    return torch.stack(
        [
            (wanted.exp() * (wanted - part).nan_to_num(0.0)).sum(dim=1)
            for part, wanted in zip(shares, teachers, strict=True)
        ],
        dim=1,
    )


@torch.no_grad()
def held_out_nats(network: TrainableNetwork, songs: list[EncodedSong], length: int) -> dict[str, float]:
    """Give mean nats per token (an event is two) by style on the first `length` slots of songs never trained on."""
    network.eval()
    sums: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for song in songs:
        parts = (song.slots[None, :length].long(), song.times[None, :length], song.targets[None, :length].long())
        nats = losses(log_shares(network, *parts), parts[2])
        sums[song.style][0] += float(nats.sum())
        sums[song.style][1] += nats.numel()
    network.train()
    return {style: total / count for style, (total, count) in sums.items()}


def learning_rate(step: int, progress: float, peak: float) -> float:
    """Give the rate after `step` steps, at `progress` (0 to 1) of the allotted time."""
    cosine = 0.5 * (1 + math.cos(math.pi * min(progress, 1.0)))
    return min(1.0, (step + 1) / WARM_UP_STEPS) * (LAST_RATE + (peak - LAST_RATE) * cosine)


def first_layers(teacher: TrainableNetwork, shape: NetworkShape) -> TrainableNetwork:
    """Build a network of a teacher's embeddings, first layers and heads.

    Raises:
        ValueError: the teacher has fewer layers, or others.
    """
    given = teacher.shape
    if given.layers < shape.layers or (given.channels, given.heads) != (shape.channels, shape.heads):
        raise ValueError(f"the teacher is {given}; it cannot teach {shape}")
    network = TrainableNetwork(shape)
    names = network.state_dict()
    network.load_state_dict({name: weights for name, weights in teacher.state_dict().items() if name in names})
    return network


def load_teacher(file: Path) -> TrainableNetwork:
    """Read a weights file to learn from."""
    read = WeightsFile.load(file)
    return TrainableNetwork.from_arrays(read.shape, read.weights).eval()


def make_optimizer(network: TrainableNetwork) -> torch.optim.AdamW:
    """Decay matrices, but neither embeddings nor norms nor biases."""
    matrices = [p for name, p in network.named_parameters() if p.ndim == 2 and "columns" not in name]
    chosen = {id(p) for p in matrices}
    others = [p for p in network.parameters() if id(p) not in chosen]
    groups = [{"params": matrices, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=PEAK_RATE, betas=(0.9, 0.98))


@dataclass(frozen=True, slots=True)
class Objective:
    """What a network learns: to give what the songs have, and what its teacher gives, where there is one.

    Attributes:
        teacher: stays as it is.
        in_bf16: whether products are taken in bfloat16, which is quicker where the processor can.
    """

    teacher: TrainableNetwork | None = None
    in_bf16: bool = False

    def measure(self, network: TrainableNetwork, batch: Batch) -> tuple[Tensor, Tensor]:
        """Give the loss, and the batch's mean nats a token."""
        with torch.autocast("cpu", torch.bfloat16, enabled=self.in_bf16):
            shares = log_shares(network, *batch)
            nats = losses(shares, batch[2]).mean()
            if self.teacher is None:
                return nats, nats
            with torch.no_grad():
                wanted = log_shares(self.teacher, *batch)
            return TEACHERS_SHARE * divergences(shares, wanted).mean() + (1 - TEACHERS_SHARE) * nats, nats


@dataclass(slots=True)
class TrainingState:
    """What a checkpoint holds: weights, optimizer, steps done, and when training began (seconds since the epoch)."""

    network: TrainableNetwork
    optimizer: torch.optim.AdamW
    step: int
    started: float

    @classmethod
    def begin_or_resume(cls, network: TrainableNetwork, checkpoint: Path) -> "TrainingState":
        """Start with a network, or go on where a checkpoint stands."""
        state = cls(network, make_optimizer(network), 0, time.time())
        if checkpoint.exists():
            saved = torch.load(checkpoint)
            network.load_state_dict(saved["network"])
            state.optimizer.load_state_dict(saved["optimizer"])
            state.step, state.started = saved["step"], saved["started"]
        return state

    def save(self, run: Path) -> None:
        """Write the checkpoint, and the weights under a name of their own."""
        weights = self.network.state_dict()
        saved = {"network": weights, "optimizer": self.optimizer.state_dict()}
        torch.save(saved | {"step": self.step, "started": self.started}, run / "checkpoint.pt")
        torch.save(weights, run / f"weights-{self.step:06d}.pt")

    def learn(self, batch: Batch, objective: Objective, rate: float) -> float:
        """Take one step and give the batch's mean nats a token."""
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        loss, nats = objective.measure(self.network, batch)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.step += 1
        return float(nats.detach())


def load_songs(data: Path, run: Path, processes: int) -> dict[str, list[EncodedSong]]:
    """Read the encoded songs, encoding them first where that has not been done."""
    run.mkdir(parents=True, exist_ok=True)
    encoded = run / "songs.pt"
    if not encoded.exists():
        prepare(data, encoded, processes)
    songs: dict[str, list[EncodedSong]] = torch.load(encoded, weights_only=False)
    return songs


def train(options: argparse.Namespace) -> None:
    """Train until the clock says stop."""
    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads)
    songs = load_songs(options.data, options.run, options.threads)
    by_style: dict[str, list[EncodedSong]] = defaultdict(list)
    for song in songs["training"]:
        by_style[song.style].append(song)
    weights = {style: [len(song.slots) for song in group] for style, group in by_style.items()}
    shape = NetworkShape(options.channels, options.layers, options.heads, options.dropout)
    objective = Objective(load_teacher(options.teacher) if options.teacher else None, options.bf16)
    network = first_layers(objective.teacher, shape) if objective.teacher else TrainableNetwork(shape)
    state = TrainingState.begin_or_resume(network, options.run / "checkpoint.pt")
    dice = random.Random(f"{options.seed} {state.step}")
    recent: list[float] = []

    def report(**more: object) -> None:
        line = {
            "step": state.step,
            "s": round(time.time() - state.started),
            "nats": mean(recent) if recent else None,
        } | more
        with (options.run / "losses.jsonl").open("a") as log:
            print(json.dumps(line), file=log)
        recent.clear()

    while time.time() < options.until:
        rate = learning_rate(state.step, (time.time() - state.started) / (options.until - state.started), options.peak)
        batch = draw_batch(by_style, weights, options.batch, options.length, dice)
        recent.append(state.learn(batch, objective, rate))
        if state.step % EVALUATE_EVERY == 0:
            state.save(options.run)
            report(rate=rate, held_out=held_out_nats(state.network, songs["held_out"], options.length))
        elif state.step % REPORT_EVERY == 0:
            report(rate=rate)
    state.save(options.run)
    report(held_out=held_out_nats(state.network, songs["held_out"], options.length))


def _clock(text: str) -> float:
    hours, minutes = map(int, text.split(":"))
    now = time.localtime()
    return time.mktime((*now[:3], hours, minutes, 0, *now[6:]))


def parse_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the .jsonl.gz lead sheets")
    parser.add_argument("--run", type=Path, required=True, help="folder for checkpoints and the log")
    parser.add_argument("--until", type=_clock, required=True, help="stop at HH:MM today")
    for name, value in {
        "channels": 256,
        "layers": 4,
        "heads": 4,
        "batch": 16,
        "length": 256,
        "threads": 2,
        "seed": 1,
    }.items():
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--dropout", type=float, default=0.1)
    parser.add_argument("--peak", type=float, default=PEAK_RATE, help="highest learning rate")
    parser.add_argument("--teacher", type=Path, help="weights file of a deeper network to learn from as well")
    parser.add_argument("--bf16", action="store_true", help="multiply in bfloat16, quicker where the processor can")
    return parser.parse_args()


if __name__ == "__main__":
    train(parse_options())
