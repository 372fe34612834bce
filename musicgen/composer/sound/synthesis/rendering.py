"""A note of a synthesised voice as samples: which parts it has, how long each of them sounds and how it is released."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from zlib import crc32

import numpy as np

from musicgen.composer.sound.articulation import INAUDIBLE_DB, SAMPLE_RATE, fade_out, release_gain, release_length
from musicgen.composer.sound.resampling import Samples
from musicgen.composer.sound.synthesis.curves import FALL_DB
from musicgen.composer.sound.synthesis.fm_voice import play_fm
from musicgen.composer.sound.synthesis.noise_voice import play_noise
from musicgen.composer.sound.synthesis.voice import FmVoice, Hit, Kit, NoiseVoice, Simple, Stack, WaveVoice
from musicgen.composer.sound.synthesis.voice_file import all_voices, hits_of, voice_named
from musicgen.composer.sound.synthesis.wave_voice import play_wave


@dataclass(frozen=True, slots=True)
class Rendered:
    """What a part of a note sounds like.

    Attributes:
        samples: (1 or 2, n) float32, with its envelope, as if the note were held to the end.
        release: (r,) float32 gain after the note's end, from 1 to 0.
    """

    samples: Samples
    release: Samples


def render(name: str, pitch: int, velocity: int, n_held: int) -> tuple[Rendered, ...]:
    """Render a note.

    Args:
        name: of the voice in `voices.toml`.
        pitch: MIDI pitch, of a kit the percussion key; a kit is mute at keys that it does not have.
        velocity: 1 to 127; changes the timbre, the level is the caller's.
        n_held: samples until the note's end.

    Raises:
        ValueError: there is no such voice.
    """
    return tuple(_part(hit, voice, pitch, velocity, n_held, _rings(name)) for hit, voice in _parts(name, pitch))


@lru_cache(maxsize=4096)
def longest_release(name: str, pitch: int, n_held: int) -> int:
    """Return for how many samples after a note's end something of `render` may sound.

    Raises:
        ValueError: there is no such voice.
    """
    rings = _rings(name)
    lengths = (_lengths(voice, n_held, rings) for _, voice in _parts(name, pitch))
    return max((n if rings else n_ending for n, n_ending in lengths), default=0)


def _rings(name: str) -> bool:
    """Tell whether a voice's parts sound as long as they do, whatever the note's length."""
    return isinstance(voice_named(name), Kit)


def _parts(name: str, pitch: int) -> Iterator[tuple[Hit, Simple]]:
    voice = voice_named(name)
    for hit in hits_of(voice, pitch) if isinstance(voice, Kit | Stack) else (Hit(name, None, 0.0),):
        simple = all_voices()[hit.voice]
        assert isinstance(simple, Simple)
        yield hit, simple


def _lengths(voice: Simple, n_held: int, rings: bool) -> tuple[int, int]:
    """Return for how many samples a part sounds in all, and after the note's end where it does not ring."""
    n_ending, audible = release_length(voice.amplitude.release_s), audible_length(voice)
    n = n_held + n_ending
    if audible is not None:
        n = audible if rings else min(n, audible)
    return n, n_ending


def _part(hit: Hit, voice: Simple, pitch: int, velocity: int, n_held: int, rings: bool) -> Rendered:
    n, _ = _lengths(voice, n_held, rings)
    played = _play(hit, voice, pitch if hit.pitch is None else hit.pitch, velocity, n, n_held / SAMPLE_RATE)
    samples: Samples = played * np.float32(10 ** (hit.level_db / 20))
    fade_out(samples)
    return Rendered(samples, np.ones(n, dtype=np.float32) if rings else release_gain(voice.amplitude.release_s))


def _play(hit: Hit, voice: Simple, pitch: int, velocity: int, n: int, held_s: float) -> Samples:
    match voice:
        case WaveVoice():
            return play_wave(voice, pitch, velocity, n, held_s)
        case FmVoice():
            return play_fm(voice, pitch, velocity, n, held_s)
        case NoiseVoice():
            return play_noise(voice, crc32(hit.voice.encode()), n, held_s)


def audible_length(voice: Simple) -> int | None:
    """Return after how many samples a held note has died away; None where it sustains."""
    amplitude = voice.amplitude
    falls_s = [amplitude.decay_s] if amplitude.sustain == 0 else []
    if isinstance(voice, FmVoice) and all(pair.decay_s for pair in voice.pairs):
        falls_s.append(max(pair.decay_s for pair in voice.pairs))
    if not falls_s:
        return None
    return int((amplitude.attack_s + min(falls_s) * INAUDIBLE_DB / FALL_DB) * SAMPLE_RATE) + 1
