"""Stems: every part of a score on its own, as it stands in the mix.

A stem is the part at its level and place, with its share of the room and the side-chain, tone and fade of the whole.
All of that is linear, so the stems add up to the mix before tape, crackle and mastering. They are made one after the
other: all of a long piece at once would fill the memory.
"""

from collections import Counter
from collections.abc import Callable, Generator
from contextlib import closing

import numpy as np

from musicgen.composer.score import MixSettings, Score
from musicgen.composer.sound.articulation import SAMPLE_RATE
from musicgen.composer.sound.mixing import Band, finished, in_room
from musicgen.composer.sound.resampling import Samples
from musicgen.composer.sound.sampler import Sampler
from musicgen.waveform import AudioStream, Waveform

# The loudest sample of the stems' sum: it does not clip in a sequencer with every fader at 0 dB, and a part that is
# louder than the sum, since others happen to move against it, has 6 dB of room.
SUM_PEAK = 0.5


def render_stems(
    score: Score, sampler: Sampler, mix_peak: float, on_progress: Callable[[], None], device: str = "cpu"
) -> Generator[tuple[str, Waveform], None, None]:
    """Play every part on its own, when it is asked for; names are the parts' roles, see `stem_names`.

    Args:
        score: the piece.
        sampler: plays its parts.
        mix_peak: `TrackAudio.sum_peak` of the score; one gain for all stems brings their sum to `SUM_PEAK`.
        on_progress: called many times a stem; may raise to cancel.
        device: torch's name of what adds the notes up.

    Returns:
        exactly `score.duration_s` at 44,100 Hz each.
    """
    gain = SUM_PEAK / mix_peak if mix_peak else 1.0
    for name, part in zip(stem_names(score), score.parts, strict=True):
        stem = _stem(score, Band(score, [part], sampler, device), on_progress).collect()
        np.multiply(stem.samples, np.float32(gain), out=stem.samples)
        yield name, stem


def _stem(score: Score, band: Band, on_progress: Callable[[], None]) -> AudioStream:
    return AudioStream(band.n_samples, SAMPLE_RATE, _blocks(band, score.mix, on_progress))


def _blocks(band: Band, settings: MixSettings, on_progress: Callable[[], None]) -> Generator[Samples, None, None]:
    with closing(band.play(band.windows)) as played:
        for window in finished(in_room(played, settings.reverb_s), settings, band.n_samples):
            on_progress()
            yield window


def stem_names(score: Score) -> list[str]:
    """Name the parts for their stems, in the score's order: by role, numbered from the second of a role ("pad-2")."""
    seen: Counter[str] = Counter()
    names = []
    for part in score.parts:
        seen[part.role] += 1
        names.append(part.role if seen[part.role] == 1 else f"{part.role}-{seen[part.role]}")
    return names
