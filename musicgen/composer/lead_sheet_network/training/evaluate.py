"""Evaluate a weights file: `python -m <package>.training.evaluate --data ... --run ... --weights ... --out ...`.

Held-out nats against a 6-gram; figures of drawn sections beside those of the held-out songs whose controls they were
drawn with; longest runs shared with the training songs, for both; and the speed of sampling.
"""

import argparse
import json
import random
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import mean, median
from typing import Any

import torch

from musicgen.composer.lead_sheet_network.figures import cadence_of, measure
from musicgen.composer.lead_sheet_network.section import Section, SectionRequest
from musicgen.composer.lead_sheet_network.training.copying import TrainingRuns
from musicgen.composer.lead_sheet_network.training.dataset import CUTS_OF_STYLE
from musicgen.composer.lead_sheet_network.training.network import TrainableNetwork
from musicgen.composer.lead_sheet_network.training.ngram import NGram, tokens
from musicgen.composer.lead_sheet_network.training.songs import cut, is_held_out, read_songs
from musicgen.composer.lead_sheet_network.training.train import held_out_nats
from musicgen.composer.lead_sheet_network.weights_file import WeightsFile
from musicgen.composer.lead_sheet_network.writer import LeadSheetWriter

REQUESTS_AT_ONCE = 4
CONTEXT = 256  # slots of every held-out song that are scored
MELODIC_STYLES = ("pop", "standards", "folk")


def nats_table(file: WeightsFile, run: Path) -> dict[str, dict[str, float]]:
    """Give nats a token of the network and of a 6-gram trained on the same style, on held-out songs."""
    songs = torch.load(run / "songs.pt", weights_only=False)
    table: dict[str, dict[str, float]] = defaultdict(dict)
    network = TrainableNetwork.from_arrays(file.shape, file.weights)
    for style, nats in held_out_nats(network, songs["held_out"], CONTEXT).items():
        one_cut_each = [song for song in songs["training"] if song.style == style][:: CUTS_OF_STYLE[style]]
        ngram = NGram(section for song in one_cut_each for section in tokens(song))
        scored = [part for song in songs["held_out"] if song.style == style for part in tokens(song, CONTEXT)]
        table[style] = {"network": round(nats, 4), "six_gram": round(ngram.nats(scored), 4)}
    return table


def draw(writer: LeadSheetWriter, requests: Sequence[SectionRequest]) -> list[list[Section]]:
    """Write candidates for many requests, some at a time."""
    groups = [requests[first : first + REQUESTS_AT_ONCE] for first in range(0, len(requests), REQUESTS_AT_ONCE)]
    return [candidates for group in groups for candidates in writer.write(group)]


def mean_figures(sections: Iterable[Section]) -> dict[str, float]:
    """Average every figure over sections."""
    values: dict[str, list[float]] = defaultdict(list)
    for section in sections:
        for name, value in measure(section).items():
            values[name].append(value)
        wanted = section.controls.cadence
        values["wanted_cadence"].append(float(cadence_of(section.chords, section.melody) == wanted))
    return {name: round(mean(group), 3) for name, group in values.items()}


def run_lengths(runs: TrainingRuns, sections: Sequence[Section]) -> dict[str, float]:
    """Give the distribution of longest runs shared with the training songs, notes."""
    lengths = sorted(runs.longest_shared(section.melody) for section in sections if section.melody)
    return {
        "n": len(lengths),
        "median": median(lengths),
        "p90": lengths[int(0.9 * (len(lengths) - 1))],
        "max": lengths[-1],
        "share_of_16_or_more": round(mean(length >= 16 for length in lengths), 3),
    }


def seconds_of(writer: LeadSheetWriter, sections: Sequence[Section], repeats: int = 5) -> float:
    """Give the median of processor seconds for the melodies of some sections at once."""
    requests = [SectionRequest(s.controls, seed, s.chords) for seed, s in enumerate(sections)]
    seconds = []
    for _ in range(repeats):
        start = time.process_time()
        writer.write(requests)
        seconds.append(time.process_time() - start)
    return round(median(seconds), 3)


def evaluate(options: argparse.Namespace) -> dict[str, Any]:
    """Make the whole report."""
    file, writer = WeightsFile.load(options.weights), LeadSheetWriter.load(options.weights)
    songs = read_songs(options.data)
    runs = TrainingRuns(song.melody for song in songs if not is_held_out(song.id))
    dice = random.Random(0)
    report: dict[str, Any] = {"nats": nats_table(file, options.run) if options.run else None, "styles": {}}
    for style in MELODIC_STYLES:
        held_out = [song for song in songs if song.style == style and is_held_out(song.id)]
        human = [s for song in held_out for s in cut(song, dice) if s.controls.bars == 8 and s.melody and s.chords]
        human = dice.sample(human, min(options.sections, len(human)))
        drawn = draw(writer, [SectionRequest(s.controls, seed) for seed, s in enumerate(human)])
        over_given = draw(writer, [SectionRequest(s.controls, seed, s.chords) for seed, s in enumerate(human)])
        kinds = {
            "people": human,
            "drawn, any": [dice.choice(candidates) for candidates in drawn],
            "drawn, best of 8": [candidates[0] for candidates in drawn],
            "melody over people's chords, best of 8": [candidates[0] for candidates in over_given],
        }
        report["styles"][style] = {
            kind: {"figures": mean_figures(sections), "shared_runs": run_lengths(runs, sections)}
            for kind, sections in kinds.items()
        }
        (options.out.parent / f"drawn-{style}.json").write_text(
            json.dumps({kind: [asdict(section) for section in sections[:12]] for kind, sections in kinds.items()})
        )
        if style == "pop":
            report["seconds"] = {n: seconds_of(writer, human[:n]) for n in (1, 3)}
    return report


def main() -> None:
    """Read the command line, evaluate and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("--data", "--weights", "--out"):
        parser.add_argument(name, type=Path, required=True)
    parser.add_argument("--run", type=Path, help="folder with songs.pt; without it the nats are left out")
    parser.add_argument("--sections", type=int, default=60, help="sections drawn a style")
    options = parser.parse_args()
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(evaluate(options), indent=1))


if __name__ == "__main__":
    main()
