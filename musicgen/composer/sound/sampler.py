"""Cached notes: every sound, of the sound fonts or synthesised, that a piece needs is rendered once and then added up.

Owns which sound a preset, key and velocity make, how sounds are layered by velocity, and how long they are kept.
Does not know scores, parts or mixes. A sound depends on its key alone, never on what was rendered before, so that a
piece is the same to the bit with a full store and an empty one.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from musicgen.composer.sound.articulation import (
    SAMPLE_RATE,
    articulate,
    audible_length,
    bent,
    decoded_length,
    fade_out,
    moving_length,
    release_gain,
    release_length,
    volume_gain,
)
from musicgen.composer.sound.resampling import Looped, Samples
from musicgen.composer.sound.sound_bank import SoundBank
from musicgen.composer.sound.sound_store import SoundStore
from musicgen.composer.sound.soundfont import ATTENUATION, EXCLUSIVE_CLASS, Region
from musicgen.composer.sound.synthesis.rendering import longest_release, render
from musicgen.composer.sound.voicing import Envelope, Playback, Voice, attenuation_cb, voice_of

# A velocity layer is so wide that nothing but its loudness, which follows every velocity exactly, changes within it by
# more than this (cents of the filter's cutoff; timecents, centibels), but no narrower than `LEAST_WIDTH`.
CUTOFF_TOLERANCE, OTHER_TOLERANCE, LEAST_WIDTH = 400, 800, 10
CUTOFF_DESTINATIONS = frozenset({8, 10, 11})
SHORTEST_HELD = SAMPLE_RATE // 4
DEFAULT_BUDGET_BYTES = 384 * 2**20
# Share of the budget for what sounds are made of: decoded samples, and samples at their pitch.
SOURCES_SHARE = 0.2
LEAST_GAIN = 1e-5
# Sounds so many times as long as what they repeat are kept as loops even where that makes two of one.
MUCH_LONGER = 2
INT16_PEAK = 32_767
# Loudness of a synthesised voice by velocity: as the sound font's presets, 5/6 of the format's 40 dB a decade.
VELOCITY_EXPONENT = 40 / 20 * 800 / 960
FREED_BLOCK_BYTES = 8 * 2**20


class SoundKey(NamedTuple):
    """What is rendered once: a key of a preset or voice at a layer's velocity, held for so many samples."""

    bank: int
    program: int
    pitch: int
    velocity: int
    n_held: int
    voice: str | None = None


@dataclass(frozen=True, slots=True)
class Sound:
    """What the voices of one key make that are released alike.

    Attributes:
        samples: (1, n) int16 where both channels are equal, else (2, n), without the volume envelope, as loud as
            int16 can hold: half the memory of float32, and a noise 98 dB under the sound's own peak.
        envelope: (k,) float32 gain while the note is held and the gain moves; after that it keeps its last value.
        release: (r,) float32 gain after its end, from 1 to 0.
        gains: for every velocity of the layer, what a step of int16 is worth against full scale.
        n_loop: how many of the last samples come again and again as long as the note sounds; 0 where they do not.
    """

    samples: NDArray[np.int16]
    envelope: Samples
    release: Samples
    gains: Mapping[int, float]
    n_loop: int = 0

    @property
    def n_bytes(self) -> int:
        """Memory that the sound takes."""
        return self.samples.nbytes + self.envelope.nbytes

    def pieces(self, start: int, stop: int) -> Iterator[NDArray[np.int16]]:
        """Yield the samples from `start` to `stop`, at most as far as they go, (1 or 2, k) each."""
        n = self.samples.shape[1]
        while start < stop and (start < n or self.n_loop):
            first = start if start < n else n - self.n_loop + (start - n) % self.n_loop
            piece = self.samples[:, first : first + stop - start]
            yield piece
            start += piece.shape[1]

    def unrolled(self, n: int) -> "Sound":
        """Return the same sound without a loop, of at least n samples where there is one."""
        if not self.n_loop:
            return self
        return replace(self, samples=np.concatenate(list(self.pieces(0, n)), axis=1), n_loop=0)


class Strand(NamedTuple):
    """What one region adds to the sound of a key: its voice, and how that sounds at its pitch, filtered."""

    region: Region
    voice: Voice
    sound: Looped


class Sampler:
    """Plays the presets of one or several sound fonts at 44,100 Hz."""

    def __init__(self, sound_fonts: Sequence[Path], *, budget_bytes: int = DEFAULT_BUDGET_BYTES) -> None:
        """Open the fonts.

        Args:
            sound_fonts: SF2 or SF3 files, no two with the same preset.
            budget_bytes: memory for rendered sounds and decoded samples.

        Raises:
            ValueError: a file is missing or is no SoundFont, or two of them have the same preset.
        """
        self._bank = SoundBank(sound_fonts)
        n_source_bytes = int(budget_bytes * SOURCES_SHARE)
        self.store = SoundStore(budget_bytes - n_source_bytes)
        self._sources = SoundStore(n_source_bytes)
        self._keymaps: dict[tuple[int, int, int, str | None], Keymap] = {}
        self._releases: dict[SoundKey, int] = {}
        _keep_freed_memory()

    def preset_names(self) -> dict[tuple[int, int], str]:
        """Return the fonts' presets: (bank, program) to name."""
        return self._bank.preset_names

    def layer_velocity(self, bank: int, program: int, pitch: int, velocity: int, voice: str | None = None) -> int:
        """Return the velocity whose timbre stands for `velocity`.

        Raises:
            ValueError: no font has such a preset, or the velocity is not 1 to 127.
        """
        layers = self._keymap(bank, program, pitch, voice).layers
        if velocity not in layers:
            raise ValueError(f"velocity must be 1 to 127, not {velocity}")
        return layers[velocity]

    def exclusive_classes(self, bank: int, program: int, pitch: int, voice: str | None = None) -> frozenset[int]:
        """Return the classes of sounds that a key silences when it is struck."""
        return self._keymap(bank, program, pitch, voice).exclusive_classes

    def sounds(self, key: SoundKey) -> tuple[Sound, ...]:
        """Return what a key sounds like; empty where the preset leaves the key or velocity mute.

        Raises:
            ValueError: no font has such a preset.
        """
        return self.store.get(key, lambda: tuple(self._render(key)), lambda made: sum(sound.n_bytes for sound in made))

    def longest_release(self, key: SoundKey) -> int:
        """Return for how many samples after a note's end its key may sound, without rendering it.

        Raises:
            ValueError: no font has such a preset.
        """
        if key not in self._releases:
            if key.voice:
                self._releases[key] = longest_release(key.voice, key.pitch, key.n_held)
            else:
                lengths = (release_length(voice.volume.release_s) for _, voice in self._voices(key))
                self._releases[key] = max(lengths, default=0)
        return self._releases[key]

    def is_ready(self, key: SoundKey) -> bool:
        """Tell whether a sound is kept, so that `sounds` will not have to render it."""
        return key in self.store

    def _keymap(self, bank: int, program: int, pitch: int, voice: str | None) -> "Keymap":
        place = bank, program, pitch, voice
        if place not in self._keymaps:
            regions = () if voice else self._bank.regions(bank, program)
            self._keymaps[place] = Keymap(tuple(r for r in regions if r.keys[0] <= pitch <= r.keys[1]))
        return self._keymaps[place]

    def _render(self, key: SoundKey) -> Iterable[Sound]:
        keymap = self._keymap(key.bank, key.program, key.pitch, key.voice)
        velocities = [v for v, layer in keymap.layers.items() if layer == key.velocity]
        if key.voice:
            yield from _synthesised(key.voice, key, velocities)
        groups: dict[float, list[tuple[Region, Voice]]] = {}
        for region, voice in self._voices(key):
            groups.setdefault(voice.volume.release_s, []).append((region, voice))
        for release_s, group in groups.items():
            n = int(min(key.n_held + release_length(release_s), max(_audible(voice) for _, voice in group)))
            strands = [Strand(region, v, articulate(v, self._bent(v, n), n)) for region, v in group]
            for together in _summable(strands, n):
                lead = min(together, key=lambda strand: strand.voice.attenuation_cb)
                placed, n_loop, envelope = _sum(together, lead.voice, n)
                gains = {v: _gain(attenuation_cb(lead.region, key.pitch, v)) for v in velocities}
                yield _sound(placed, envelope, release_gain(release_s), gains, n_loop)

    def _voices(self, key: SoundKey) -> Iterator[tuple[Region, Voice]]:
        """Yield the regions that answer a key, and what each plays."""
        for region in self._keymap(key.bank, key.program, key.pitch, key.voice).regions:
            if region.velocities[0] <= key.velocity <= region.velocities[1]:
                yield region, voice_of(region, self._bank.header(region.sample), key.pitch, key.velocity)

    def _bent(self, voice: Voice, n: int) -> Looped:
        """Return the voice's sample at its pitch: the dear step, which velocity layers share."""
        return self._sources.get(
            (voice.playback, n),
            lambda: bent(voice.playback, self._decoded(voice.playback, n), n),
            lambda made: made.samples.nbytes,
        )

    def _decoded(self, playback: Playback, n: int) -> Samples:
        """Return as much of a sample as n samples of sound may reach."""
        n_source = decoded_length(playback, n)
        return self._sources.get(
            (playback.sample, n_source), lambda: self._bank.decode(playback.sample, n_source), _n_bytes
        )


class Keymap:
    """What one key of a preset plays.

    Attributes:
        regions: those that answer the key.
        layers: every velocity (1 to 127) to the velocity in the middle of its layer.
        exclusive_classes: classes of the regions.
    """

    def __init__(self, regions: tuple[Region, ...]) -> None:
        self.regions = regions
        self.layers = _layers(regions)
        self.exclusive_classes = frozenset(r.generators.get(EXCLUSIVE_CLASS, 0) for r in regions) - {0}


@cache
def held_length(n: int) -> int:
    """Round a note's length in samples up to one of the few that are rendered, each half as long again as the last."""
    length = SHORTEST_HELD
    while length < n:
        length += length // 2
    return length


def _summable(strands: list[Strand], n: int) -> Iterator[list[Strand]]:
    """Yield what becomes one sound: strands that loop alike, or all together, n samples of them without a loop.

    A few different loops, as those of two channels, are unrolled, since two sounds take twice the time to play.
    """
    loops: dict[tuple[int, int], list[Strand]] = {}
    for strand in strands:
        loops.setdefault((len(strand.sound.samples), strand.sound.n_loop), []).append(strand)
    go_on = all(strand.sound.n_loop and _audible(strand.voice) == np.inf for strand in strands)
    share_envelope = len({strand.voice.volume for strand in strands}) == 1
    longest = max(len(strand.sound.samples) for strand in strands)
    if go_on and share_envelope and (len(loops) == 1 or n > MUCH_LONGER * longest):
        yield from loops.values()
    else:
        yield [strand._replace(sound=Looped(strand.sound.extended(n))) for strand in strands]


def _sum(strands: list[Strand], lead: Voice, n: int) -> tuple[Samples, int, Samples]:
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


def _synthesised(voice: str, key: SoundKey, velocities: Iterable[int]) -> Iterator[Sound]:
    gains = {velocity: (velocity / 127) ** VELOCITY_EXPONENT for velocity in velocities}
    for part in render(voice, key.pitch, key.velocity, key.n_held):
        yield _sound(part.samples, np.ones(1, dtype=np.float32), part.release, gains)


def _sound(placed: Samples, envelope: Samples, release: Samples, gains: Mapping[int, float], n_loop: int = 0) -> Sound:
    """Keep (1 or 2, n) float32 samples as int16."""
    step = max(float(np.abs(placed).max(initial=0.0)), LEAST_GAIN) / INT16_PEAK
    samples = np.rint(placed / np.float32(step)).astype(np.int16)
    return Sound(samples, envelope, release, {velocity: step * gain for velocity, gain in gains.items()}, n_loop)


def _layers(regions: tuple[Region, ...]) -> dict[int, int]:
    """Cut the velocities where the regions do, and again where the timbre would change too much within a layer."""
    width = _layer_width(regions)
    cuts = {1, 128}
    for region in regions:
        cuts |= {max(region.velocities[0], 1), region.velocities[1] + 1}
    bounds = sorted(cuts)
    layers = {}
    for low, high in pairwise(bounds):
        n_layers = -(-(high - low) // width)
        for velocity in range(low, high):
            layer = (velocity - low) * n_layers // (high - low)
            first, last = (low + -(-(high - low) * i // n_layers) for i in (layer, layer + 1))
            layers[velocity] = (first + last - 1) // 2
    return layers


def _layer_width(regions: tuple[Region, ...]) -> int:
    """Return how many velocities of a key may share a timbre: all of them where no modulator makes a difference."""
    width = 127
    for modulator in (modulator for region in regions for modulator in region.modulators):
        if modulator.follows_velocity and modulator.destination != ATTENUATION:
            tolerance = CUTOFF_TOLERANCE if modulator.destination in CUTOFF_DESTINATIONS else OTHER_TOLERANCE
            width = min(width, max(127 * tolerance // max(abs(modulator.amount), 1), LEAST_WIDTH))
    return width


def _shared_gain(envelopes: Collection[Envelope], n: int) -> Samples:
    """Return the highest of held notes' volume envelopes, as long as one of them moves, n samples at most.

    That of several is never zero: they are divided by it.
    """
    n_moving = min(max(map(moving_length, envelopes)), n)
    gains = [volume_gain(envelope, n_moving) for envelope in envelopes]
    return np.maximum(np.maximum.reduce(gains), np.float32(LEAST_GAIN)) if len(gains) > 1 else gains[0]


def _audible(voice: Voice) -> float:
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


def _gain(attenuation: float) -> float:
    return float(10 ** (-max(attenuation, 0.0) / 200))


def _keep_freed_memory() -> None:
    """Let the C library keep what arrays free for the next ones; fresh memory costs more than most of the arithmetic.

    glibc hands freed memory back to the system above limits that follow the largest block freed so far (mallopt(3)).
    """
    np.empty(FREED_BLOCK_BYTES, dtype=np.uint8)


def _n_bytes(samples: Samples) -> int:
    return samples.nbytes
