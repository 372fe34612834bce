"""Train the lead-sheet network: `python -m <package>.training.train --data ... --run ... --until HH:MM`.

Writes checkpoints and a log of losses to the run folder and goes on from the last checkpoint. The learning rate
follows the clock: a cosine that ends when training has to.
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

PEAK_RATE, LAST_RATE, WARM_UP_STEPS = 1.5e-3, 2e-5, 100
REPORT_EVERY, EVALUATE_EVERY = 50, 600


def losses(network: TrainableNetwork, slots: Tensor, times: Tensor, targets: Tensor) -> Tensor:
    """Give nats of each event's duration and symbol: (n, 2) float32, for the n slots that have a target."""
    states = network(slots, times)
    known = targets[..., 0] != IGNORED
    states, slots, targets = states[known], slots[known], targets[known]
    durations = network.duration_logits(states, slots)
    symbols = network.symbol_logits(states, slots, targets[:, 0])
    return torch.stack(
        [
            functional.cross_entropy(logits, targets[:, i], reduction="none")
            for i, logits in ((0, durations), (1, symbols))
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
        nats = losses(network, *parts)
        sums[song.style][0] += float(nats.sum())
        sums[song.style][1] += nats.numel()
    network.train()
    return {style: total / count for style, (total, count) in sums.items()}


def learning_rate(step: int, progress: float) -> float:
    """Give the rate after `step` steps, at `progress` (0 to 1) of the allotted time."""
    cosine = 0.5 * (1 + math.cos(math.pi * min(progress, 1.0)))
    return min(1.0, (step + 1) / WARM_UP_STEPS) * (LAST_RATE + (PEAK_RATE - LAST_RATE) * cosine)


def make_optimizer(network: TrainableNetwork) -> torch.optim.AdamW:
    """Decay matrices, but neither embeddings nor norms nor biases."""
    matrices = [p for name, p in network.named_parameters() if p.ndim == 2 and "columns" not in name]
    chosen = {id(p) for p in matrices}
    others = [p for p in network.parameters() if id(p) not in chosen]
    groups = [{"params": matrices, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=PEAK_RATE, betas=(0.9, 0.98))


@dataclass(slots=True)
class TrainingState:
    """What a checkpoint holds: weights, optimizer, steps done, and when training began (seconds since the epoch)."""

    network: TrainableNetwork
    optimizer: torch.optim.AdamW
    step: int
    started: float

    @classmethod
    def begin_or_resume(cls, shape: NetworkShape, checkpoint: Path) -> "TrainingState":
        """Start anew, or go on where a checkpoint stands."""
        network = TrainableNetwork(shape)
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

    def learn(self, batch: tuple[Tensor, Tensor, Tensor], rate: float) -> float:
        """Take one step and give the batch's mean nats a token."""
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        loss = losses(self.network, *batch).mean()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.step += 1
        return float(loss.detach())


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
    state = TrainingState.begin_or_resume(shape, options.run / "checkpoint.pt")
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
        rate = learning_rate(state.step, (time.time() - state.started) / (options.until - state.started))
        recent.append(state.learn(draw_batch(by_style, weights, options.batch, options.length, dice), rate))
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
    return parser.parse_args()


if __name__ == "__main__":
    train(parse_options())
