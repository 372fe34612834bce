"""Write the weights file: `python -m <package>.training.export --data ... --weights weights-last.pt --out ...`.

Measures the ranking targets on the training songs and puts them into the header beside the network's shape.
"""

import argparse
import random
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from statistics import mean, pstdev

import torch

from musicgen.composer.lead_sheet_network.figures import measure
from musicgen.composer.lead_sheet_network.network import NetworkShape
from musicgen.composer.lead_sheet_network.section import Section
from musicgen.composer.lead_sheet_network.training.songs import cut, is_held_out, read_songs
from musicgen.composer.lead_sheet_network.weights_file import WeightsFile

RANKED = ("in_chord", "in_scale", "bar_repeats", "rhythm_repeats", "span", "leaps", "steps", "longest_rest", "breaths",
          "longest_same", "off_beat", "final_length", "chord_kinds", "chord_repeats")  # fmt: skip


def targets_of(sections: Iterable[Section]) -> dict[str, list[float]]:
    """Give mean and standard deviation of every ranked figure."""
    values: dict[str, list[float]] = defaultdict(list)
    for section in sections:
        for name, value in measure(section).items():
            values[name].append(value)
    return {name: [round(mean(values[name]), 4), round(pstdev(values[name]), 4)] for name in RANKED if values[name]}


def training_targets(data: Path) -> dict[str, dict[str, list[float]]]:
    """Measure the training songs' sections of six to ten bars by style."""
    by_style: dict[str, list[Section]] = defaultdict(list)
    for song in read_songs(data):
        if not is_held_out(song.id):
            sections = cut(song, random.Random(f"{song.id} 0"))
            by_style[song.style] += [s for s in sections if 6 <= s.controls.bars <= 10 and s.chords and s.melody]
    return {style: targets_of(sections) for style, sections in by_style.items() if sections}


def shape_of(weights: dict[str, torch.Tensor]) -> NetworkShape:
    """Read the network's shape off its weights; heads have 64 channels."""
    channels = weights["norm.weight"].shape[0]
    layers = 1 + max(int(name.split(".")[1]) for name in weights if name.startswith("blocks."))
    return NetworkShape(channels, layers, channels // 64)


def main() -> None:
    """Read the command line and export."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("--data", "--weights", "--out"):
        parser.add_argument(name, type=Path, required=True)
    options = parser.parse_args()
    weights = torch.load(options.weights)
    arrays = {name: tensor.float().numpy() for name, tensor in weights.items()}
    options.out.parent.mkdir(parents=True, exist_ok=True)
    WeightsFile(shape_of(weights), arrays, training_targets(options.data)).save(options.out)


if __name__ == "__main__":
    main()
