"""Cached notes: every sound, of the sound fonts or synthesised, that a piece needs is rendered once and then added up.

Owns which sound a preset, key and velocity make, how sounds are layered by velocity, and how long they are kept.
Does not know scores, parts or mixes. A sound depends on its key alone, never on what was rendered before, so that a
piece is the same to the bit with a full store and an empty one.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np

from musicgen.composer.sound.articulation import (
    SAMPLE_RATE,
    articulate,
    bent,
    decoded_length,
    release_gain,
    release_length,
)
from musicgen.composer.sound.kept_sound import Sound, keep
from musicgen.composer.sound.resampling import Looped, Samples
from musicgen.composer.sound.sound_bank import SoundBank
from musicgen.composer.sound.sound_store import SoundStore
from musicgen.composer.sound.soundfont import ATTENUATION, EXCLUSIVE_CLASS, Region
from musicgen.composer.sound.strands import Strand, audible, sum_strands, summable
from musicgen.composer.sound.synthesis.rendering import longest_release, render
from musicgen.composer.sound.voicing import Playback, Voice, attenuation_cb, voice_of

# A velocity layer is so wide that nothing but its loudness, which follows every velocity exactly, changes within it by
# more than this (cents of the filter's cutoff; timecents, centibels), but no narrower than `LEAST_WIDTH`.
CUTOFF_TOLERANCE, OTHER_TOLERANCE, LEAST_WIDTH = 400, 800, 10
CUTOFF_DESTINATIONS = frozenset({8, 10, 11})
SHORTEST_HELD = SAMPLE_RATE // 4
DEFAULT_BUDGET_BYTES = 384 * 2**20
# Share of the budget for what sounds are made of: decoded samples, and samples at their pitch.
SOURCES_SHARE = 0.2
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
        self._releases: dict[tuple[int, int, int, int], int] = {}
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
        if key.voice:
            return longest_release(key.voice, key.pitch, key.n_held)
        place = key[:4]
        if place not in self._releases:
            lengths = (release_length(voice.volume.release_s) for _, voice in self._voices(key))
            self._releases[place] = max(lengths, default=0)
        return self._releases[place]

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
            n = int(min(key.n_held + release_length(release_s), max(audible(voice) for _, voice in group)))
            strands = [Strand(region, v, articulate(v, self._bent(v, n), n)) for region, v in group]
            for together in summable(strands, n):
                lead = min(together, key=lambda strand: strand.voice.attenuation_cb)
                placed, n_loop, envelope = sum_strands(together, lead.voice, n)
                gains = {v: _gain(attenuation_cb(lead.region, key.pitch, v)) for v in velocities}
                yield keep(placed, envelope, release_gain(release_s), gains, n_loop)

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


def _synthesised(voice: str, key: SoundKey, velocities: Iterable[int]) -> Iterator[Sound]:
    gains = {velocity: (velocity / 127) ** VELOCITY_EXPONENT for velocity in velocities}
    for part in render(voice, key.pitch, key.velocity, key.n_held):
        yield keep(part.samples, np.ones(1, dtype=np.float32), part.release, gains)


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


def _gain(attenuation: float) -> float:
    return float(10 ** (-max(attenuation, 0.0) / 200))


def _keep_freed_memory() -> None:
    """Let the C library keep what arrays free for the next ones; fresh memory costs more than most of the arithmetic.

    glibc hands freed memory back to the system above limits that follow the largest block freed so far (mallopt(3)).
    """
    np.empty(FREED_BLOCK_BYTES, dtype=np.uint8)


def _n_bytes(samples: Samples) -> int:
    return samples.nbytes
