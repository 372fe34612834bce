"""The way in: load the weights once, then ask for sections.

Owns the weights file (safetensors, float16, with the network's shape and the ranking targets in its header). Knows
nothing of prompts, styles or arrangement.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from musicgen.composer.lead_sheet_network.cursor import MELODY_STYLE
from musicgen.composer.lead_sheet_network.figures import rank
from musicgen.composer.lead_sheet_network.network import LeadSheetNetwork, NetworkShape
from musicgen.composer.lead_sheet_network.sampling import Sampler, SamplingOptions
from musicgen.composer.lead_sheet_network.section import (
    Chord,
    Note,
    Section,
    SectionControls,
    chord_events,
    melody_events,
)
from musicgen.composer.lead_sheet_network.tokens import TICKS_PER_QUARTER

WEIGHTS = Path(__file__).parent / "weights" / "lead_sheets.safetensors"
Targets = Mapping[str, Mapping[str, Sequence[float]]]  # style -> figure -> (mean, standard deviation)


class LeadSheetWriter:
    """Writes sections of lead sheets, several candidates at a time."""

    def __init__(self, network: LeadSheetNetwork, targets: Targets) -> None:
        self.network = network
        self._sampler = Sampler(network)
        self._targets = targets

    @classmethod
    def load(cls, path: Path = WEIGHTS) -> "LeadSheetWriter":
        """Read a weights file.

        Raises:
            FileNotFoundError: there is no such file.
        """
        with safe_open(str(path), framework="pt") as file:
            header = file.metadata()
            weights = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118  not a dict
        shape = NetworkShape(*(int(header[name]) for name in ("channels", "layers", "heads")))
        network = LeadSheetNetwork(shape)
        network.load_state_dict(weights)
        return cls(network, json.loads(header["targets"]))

    def write(
        self, controls: SectionControls, seed: int, *, n_candidates: int = 8,
        chords: Sequence[Chord] | None = None, melody: Sequence[Note] = (), previous: Sequence[Section] = (),
        with_melody: bool = True, options: SamplingOptions = SamplingOptions(),  # noqa: B008  frozen
    ) -> list[Section]:  # fmt: skip
        """Write candidates for a section, the best first.

        Args:
            controls: what the section shall be like.
            seed: 0 or more; equal seeds and arguments give equal sections. Candidate i alone depends on (seed, i).
            n_candidates: how many are drawn.
            chords: a progression for the whole section; None has the network write one.
            melody: the melody's beginning, up to the end of its last note; needs `chords`.
            previous: sections that go before, which the new one will refer to.
            with_melody: False writes chords alone.
            options: how to draw.

        Raises:
            ValueError: a melody was given without chords, or a chord of an unknown quality.
        """
        if melody and not chords:
            raise ValueError("a given melody needs given chords: melodies are written over them")
        return rank(
            self._sampler.draw(
                controls,
                [candidate_seed(seed, index) for index in range(n_candidates)],
                options,
                chords=chord_events(chords or (), controls),
                melody=melody_start(melody, controls),
                previous=previous,
                with_melody=with_melody,
            ),
            self._targets[style_of_targets(controls, with_melody)],
        )


def style_of_targets(controls: SectionControls, with_melody: bool) -> str:
    """Name the style whose figures candidates are ranked by."""
    style = controls.style or "pop"
    return MELODY_STYLE.get(style, style) if with_melody else style


def candidate_seed(seed: int, index: int) -> int:
    """Mix a seed and a candidate's number into a seed of 63 bits (the finaliser of SplitMix64)."""
    mixed = (seed * 0x9E3779B97F4A7C15 + (index + 1) * 0xBF58476D1CE4E5B9) & 0xFFFFFFFFFFFFFFFF
    mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & 0xFFFFFFFFFFFFFFFF
    mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & 0xFFFFFFFFFFFFFFFF
    return (mixed ^ (mixed >> 31)) >> 1


def melody_start(melody: Sequence[Note], controls: SectionControls) -> list[tuple[int, int]]:
    """Write the beginning of a melody as events, without the silence after its last note."""
    if not melody:
        return []
    end = round((melody[-1].onset + melody[-1].duration) * TICKS_PER_QUARTER)
    kept, now = [], 0
    for ticks, symbol in melody_events(melody, controls):
        if now >= end:
            break
        kept.append((ticks, symbol))
        now += ticks
    return kept


def save_weights(network: LeadSheetNetwork, targets: Targets, path: Path) -> None:
    """Write a weights file in float16."""
    weights = {name: tensor.to(torch.float16).contiguous() for name, tensor in network.state_dict().items()}
    save_file(weights, str(path), network.shape.as_metadata() | {"targets": json.dumps(targets)})
