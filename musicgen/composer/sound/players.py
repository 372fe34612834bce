"""Which player adds up a part's notes, by device: one at a time on the processor, as batches on a CUDA device.

Only the latter loads torch. Apple's GPUs are not tried: there the processor plays, and is fast enough.
"""

from collections.abc import Sequence

from musicgen.composer.sound.part_rendering import Event, PartPlayer
from musicgen.composer.sound.sampler import Sampler


def make_player(events: Sequence[Event], sampler: Sampler, device: str) -> PartPlayer:
    """Make the player of a part's events, which `schedule` made, for a torch device's name ("cpu", "cuda:1", "mps")."""
    if device.partition(":")[0] != "cuda":
        return PartPlayer(events, sampler)
    from musicgen.composer.sound.batch_player import BatchPlayer, device_sounds

    return BatchPlayer(events, sampler, device_sounds(sampler, device))
