"""What the regions of a key add up to: their voices, at their pitch and filtered, at their levels and places.

Knows no keys, caches or fonts.
"""

from collections.abc import Collection, Iterator
from typing import NamedTuple

import numpy as np

from musicgen.composer.sound.articulation import audible_length, fade_out, moving_length, volume_gain
from musicgen.composer.sound.resampling import Looped, Samples
from musicgen.composer.sound.soundfont import Region
from musicgen.composer.sound.voicing import Envelope, Voice

LEAST_GAIN = 1e-5
# Sounds so many times as long as what they repeat are kept as loops even where that makes two of one.
MUCH_LONGER = 2


class Strand(NamedTuple):
    """What one region adds to the sound of a key: its voice, and how that sounds at its pitch, filtered."""

    region: Region
    voice: Voice
    sound: Looped


def summable(strands: list[Strand], n: int) -> Iterator[list[Strand]]:
    """Yield what becomes one sound: strands that loop alike, or all together, n samples of them without a loop.

    A few different loops, as those of two channels, are unrolled, since two sounds take twice the time to play.
    """
    loops: dict[tuple[int, int], list[Strand]] = {}
    for strand in strands:
        loops.setdefault((len(strand.sound.samples), strand.sound.n_loop), []).append(strand)
    go_on = all(strand.sound.n_loop and audible(strand.voice) == np.inf for strand in strands)
    share_envelope = len({strand.voice.volume for strand in strands}) == 1
    longest = max(len(strand.sound.samples) for strand in strands)
    if go_on and share_envelope and (len(loops) == 1 or n > MUCH_LONGER * longest):
        yield from loops.values()
    else:
        yield [strand._replace(sound=Looped(strand.sound.extended(n))) for strand in strands]


def sum_strands(strands: list[Strand], lead: Voice, n: int) -> tuple[Samples, int, Samples]:
    """Sum strands that are released alike, and loop alike if they do, at their levels against the lead's.

    Returns:
        (1 or 2, k) float32 samples, how many of the last of them are a loop, and (m,) float32, the envelope that
        they share: that of the voice which is nearest to its peak at the time. What the others lack becomes part
        of the samples, which so stay under their peak, and int16 can hold them.
    """
    voices = [strand.voice for strand in strands]
    envelopes = {voice.volume for voice in voices}
    shared, n_loop = _shared_gain(envelopes, n), strands[0].sound.n_loop
    played = [strand.sound.samples for strand in strands]
    if len(envelopes) > 1:
        played = [samples * _swell(voice, shared, len(samples)) for voice, samples in zip(voices, played, strict=True)]
    placed = _placed(played, voices, lead)
    if n_loop:
        return placed, n_loop, shared
    fade_out(placed)
    return placed, 0, shared[: placed.shape[1]]


def _swell(voice: Voice, shared: Samples, n: int) -> Samples:
    """Return what a voice's envelope is against the one that it shares."""
    swell = volume_gain(voice.volume, n)
    swell[: len(shared)] /= shared[:n]
    swell[len(shared) :] /= shared[-1]
    return swell


def _shared_gain(envelopes: Collection[Envelope], n: int) -> Samples:
    """Return the highest of held notes' volume envelopes, as long as one of them moves, n samples at most.

    That of several is never zero: they are divided by it.
    """
    n_moving = min(max(map(moving_length, envelopes)), n)
    gains = [volume_gain(envelope, n_moving) for envelope in envelopes]
    return np.maximum(np.maximum.reduce(gains), np.float32(LEAST_GAIN)) if len(gains) > 1 else gains[0]


def audible(voice: Voice) -> float:
    """Return after how many samples a held voice has died away, infinity where it sustains."""
    n = audible_length(voice.volume)
    return np.inf if n is None else n


def _placed(played: list[Samples], voices: list[Voice], lead: Voice) -> Samples:
    """Sum voices at their levels, against the lead's, and places, by equal power."""
    gains = [10 ** ((lead.attenuation_cb - voice.attenuation_cb) / 200) for voice in voices]
    if all(voice.pan == 0 for voice in voices):
        placements = [np.array([[gain * np.sqrt(0.5)]], dtype=np.float32) for gain in gains]
    else:
        angles = [(voice.pan + 1) * np.pi / 4 for voice in voices]
        placements = [
            np.array([[gain * np.cos(angle)], [gain * np.sin(angle)]], dtype=np.float32)
            for gain, angle in zip(gains, angles, strict=True)
        ]
    total = np.zeros((len(placements[0]), max(map(len, played))), dtype=np.float32)
    for samples, placement in zip(played, placements, strict=True):
        total[:, : len(samples)] += placement * samples
    return total
