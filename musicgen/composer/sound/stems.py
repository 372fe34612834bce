"""Stems: every part of a score on its own, as it stands in the mix.

A stem is the part at its level and place, with its share of the room and the side-chain, tone and fade of the whole.
All of that is linear, so the stems add up to the mix before tape, crackle and mastering.
"""

import os
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from musicgen.composer.score import Score
from musicgen.composer.sound.articulation import SAMPLE_RATE
from musicgen.composer.sound.mixing import finish, sum_parts
from musicgen.composer.sound.resampling import Samples
from musicgen.composer.sound.sampler import Sampler
from musicgen.waveform import Waveform

# The loudest sample of all stems; one gain for all of them keeps their balance.
STEM_PEAK = 0.7


def render_stems(score: Score, sampler: Sampler, on_progress: Callable[[float], None]) -> dict[str, Waveform]:
    """Play every part on its own; names are the parts' roles, numbered from the second of a role ("comping-2").

    Args:
        score: the piece.
        sampler: plays its parts.
        on_progress: called with the share that is done, 0 to 1; may raise to cancel.

    Returns:
        exactly `score.duration_s` at 44,100 Hz each, about 100 MB for 300 s; one gain brings the loudest to 0.7.
    """
    n = round(score.duration_s * SAMPLE_RATE)
    stems: dict[str, Samples] = {}
    with ThreadPoolExecutor(os.cpu_count()) as workers:
        for i, (name, part) in enumerate(zip(stem_names(score), score.parts, strict=True)):
            stems[name] = sum_parts(score, [part], sampler, n, workers, lambda _done: None)
            finish(stems[name], score.mix, workers)
            on_progress((i + 1) / len(score.parts))
    peak = max((float(np.abs(samples).max()) for samples in stems.values()), default=0.0)
    for samples in stems.values():
        samples *= np.float32(STEM_PEAK / peak if peak else 1.0)
    return {name: Waveform(samples, SAMPLE_RATE) for name, samples in stems.items()}


def stem_names(score: Score) -> list[str]:
    """Name the parts for their stems, in the score's order."""
    seen: Counter[str] = Counter()
    names = []
    for part in score.parts:
        seen[part.role] += 1
        names.append(part.role if seen[part.role] == 1 else f"{part.role}-{seen[part.role]}")
    return names
