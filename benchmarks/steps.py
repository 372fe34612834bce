"""CPU seconds of every step from a prompt to an MP3, one after the other on one thread; see `benchmarks.generation`."""

import time
from collections.abc import Callable
from typing import TypeVar

import numpy as np

from musicgen.audio_export import quantize
from musicgen.composer.card import SOUND_FONTS
from musicgen.composer.composition import compose
from musicgen.composer.sound.mastering import find_level, limited
from musicgen.composer.sound.mixing import Band, finished, in_room
from musicgen.composer.sound.sampler import Sampler
from musicgen.composer.sound.sound_check import stand_ins
from musicgen.loudness import LoudnessMeter
from musicgen.mp3 import Mp3Encoder
from musicgen.options import GenerationOptions
from musicgen.waveform import BLOCK_SAMPLES

T = TypeVar("T")
SAMPLE_RATE = 44_100


def print_steps(prompt: str, duration_s: float) -> None:
    """Print a Markdown table of the steps of a second piece, its sounds not yet there."""
    compose(GenerationOptions(prompt, duration=duration_s, seed=1))
    sampler = Sampler(SOUND_FONTS)
    print(f"| step, {duration_s:g} s | CPU s |\n|---|---|")
    composition = _timed("compose", lambda: compose(GenerationOptions(prompt, duration=duration_s, seed=2)))
    score = composition.score
    band = _timed("put the notes on the clock", lambda: Band(score, score.parts, sampler))
    keys = {event.key for events in band.schedules for event in events}
    _timed(f"render {len(keys)} sounds (cold)", lambda: [sampler.sounds(key) for key in keys])
    played = _timed("add the notes up", lambda: list(band.play(band.windows)))
    sums = _timed("room", lambda: list(in_room(played, score.mix.reverb_s)))
    mix = _timed("tone", lambda: list(finished(sums, score.mix, band.n_samples)))
    chosen = _timed("choose excerpts", lambda: sorted(set(stand_ins(band.schedules, len(mix)).tolist())))
    excerpts = [mix[i] for i in chosen]
    level = _timed("find the level", lambda: find_level(excerpts, SAMPLE_RATE))
    track = _timed("limiter", lambda: list(limited(mix, lambda: level.gain_db, SAMPLE_RATE)))
    meter = LoudnessMeter(SAMPLE_RATE)
    _timed("meter", lambda: [meter.add(block) for block in track])
    pcm = np.concatenate(_timed("round to 16 bits", lambda: [quantize(block) for block in track]))
    encoder = Mp3Encoder(len(pcm), SAMPLE_RATE)
    blocks = [pcm[start : start + BLOCK_SAMPLES] for start in range(0, len(pcm), BLOCK_SAMPLES)]
    _timed("MP3", lambda: [encoder.encode(block) for block in blocks])


def _timed(name: str, step: Callable[[], T]) -> T:
    start = time.thread_time()
    result = step()
    print(f"| {name} | {time.thread_time() - start:.2f} |")
    return result
