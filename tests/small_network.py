"""A tiny, untrained lead-sheet network, and music for it to read."""

import torch

from musicgen.composer.lead_sheet_network.network import NetworkShape
from musicgen.composer.lead_sheet_network.section import Chord, Note
from musicgen.composer.lead_sheet_network.training.network import TrainableNetwork

TINY = NetworkShape(channels=32, layers=2, heads=2)
PROGRESSION = (Chord(0, 4, 0, "maj", 0), Chord(4, 4, 9, "min7", 9), Chord(8, 4, 5, "maj", 9), Chord(12, 4, 7, "7", 7))
TUNE = (
    Note(0, 1, 4),
    Note(1, 0.5, 5),
    Note(1.5, 3.5, 7),
    Note(5.25, 0.75, 4),
    Note(6, 1 / 3, 2),
    Note(6 + 1 / 3, 2 / 3, 0),
)
TARGETS = {style: {"in_chord": [0.7, 0.1], "span": [12.0, 3.0]} for style in ("pop", "standards", "folk", "rock")}


def small_network() -> TrainableNetwork:
    """Make the network, always the same."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return TrainableNetwork(TINY).eval()
