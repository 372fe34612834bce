"""From a score to an unmastered stereo mix: parts at their levels and places, the room, side-chain, tone and colour.

Owns how buses become a mix. Does not know how notes are played (`part_rendering.py`) nor final loudness
(`mastering.py`). Each part's bus is made by one thread and all buses are summed in the score's order: the same bits on
one thread or several. What reaches the mix of a part, `placed`, and its share of the room are linear, so the parts'
stems add up to the mix wherever the style has no tape colour.
"""

import os
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
import scipy.signal
from numpy.typing import NDArray

from musicgen.composer.score import DRUM_BANK, MixSettings, Part, Score
from musicgen.composer.sound.articulation import SAMPLE_RATE
from musicgen.composer.sound.colour import add_crackle, play_from_tape, tape_top
from musicgen.composer.sound.part_rendering import WINDOW, PartPlayer
from musicgen.composer.sound.resampling import Samples
from musicgen.composer.sound.reverb import Reverb
from musicgen.composer.sound.sampler import Sampler
from musicgen.waveform import Waveform

KICK_PITCHES = frozenset({35, 36})
BRIGHTNESS_HZ = 6000.0
# The side-chain lets go in this share of a quarter note, and closes in this time before the kick.
PUMP_QUARTERS, PUMP_ATTACK_S = 0.8, 0.006
PUMP_HOP = 64
# Notes that outlast the piece fade with it over this time, or this share of a short piece.
END_FADE_S, END_FADE_SHARE = 1.5, 0.12
FILTER_BLOCK = 2**15
# Peak to which a mix is brought before tape and crackle, whose levels are meant against full scale.
COLOUR_PEAK = 0.9
# Share of the work that is done when the parts and the room are summed.
SUMMED = 0.85

OnShare = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Mix:
    """A whole piece before mastering.

    Attributes:
        waveform: the music; its level may be anything, its end is faded.
        sum_peak: the loudest sample of the parts' sum, before the tone and colour of the whole.
    """

    waveform: Waveform
    sum_peak: float


def render_score(score: Score, sampler: Sampler, seed: int, on_progress: OnShare) -> Mix:
    """Play and mix a score.

    Args:
        score: the piece.
        sampler: plays its parts.
        seed: of tape and crackle; the notes need none.
        on_progress: called with the share that is done, 0 to 1; may raise to cancel.

    Returns:
        exactly `score.duration_s` at 44,100 Hz.

    Raises:
        ValueError: the sound font lacks a part's preset, or a part is out of range.
    """
    n = round(score.duration_s * SAMPLE_RATE)
    with ThreadPoolExecutor(os.cpu_count()) as workers:
        mix = sum_parts(score, score.parts, sampler, n, workers, lambda done: on_progress(SUMMED * done))
        peak = max(float(mix.max(initial=0.0)), -float(mix.min(initial=0.0)))
        if score.mix.tape or score.mix.crackle_db is not None:
            mix = _coloured(mix, peak, score.mix, seed, workers)
        finish(mix, score.mix, workers)
    on_progress(1.0)
    return Mix(Waveform(mix, SAMPLE_RATE), peak)


def finish(mix: Samples, settings: MixSettings, workers: Executor) -> None:
    """Give a mix, (2, n) float32, the width and tone of the whole and the fade at its end, in place; all are linear."""
    if settings.width != 1:
        _narrow(mix, settings.width)
    tone = _tone(settings)
    list(workers.map(lambda channel: _filter(tone, channel), mix))
    _fade_end(mix)


def sum_parts(
    score: Score, parts: Sequence[Part], sampler: Sampler, n: int, workers: Executor, on_progress: OnShare
) -> Samples:
    """Sum some of a score's parts with their share of the room; returns (2, n) float32.

    The side-chain is that of the whole score.
    """
    players = [PartPlayer(part, sampler, score.quarter_s, n) for part in parts]
    pump = _pump_gains(score, n)
    reverb = Reverb(score.mix.reverb_s, SAMPLE_RATE, WINDOW // 2)
    mix = np.zeros((2, n), dtype=np.float32)
    in_room: deque[tuple[slice, Future[Samples]]] = deque()
    for start in range(0, n, WINDOW):
        span = slice(start, min(start + WINDOW, n))
        wanted = dict.fromkeys(key for player in players for key in player.upcoming(span.stop))
        list(workers.map(sampler.sounds, [key for key in wanted if not sampler.is_ready(key)]))
        placed = partial(_place_next, span=span, ducked=_ducked(pump, span))
        dry, sent = mix[:, span], np.zeros((2, span.stop - start), dtype=np.float32)
        for part, bus in zip(parts, workers.map(placed, players, parts), strict=True):
            dry += bus
            bus *= np.float32(_amplitude(part.reverb_db + score.mix.reverb_db))
            sent += bus
        if in_room:
            _add_answer(mix, *in_room.popleft())
        in_room.append((span, workers.submit(reverb.answer, sent)))
        on_progress(span.stop / n)
    for answered in in_room:
        _add_answer(mix, *answered)
    return mix


def _add_answer(mix: Samples, span: slice, answer: Future[Samples]) -> None:
    mix[:, span] += answer.result()


def _place_next(player: PartPlayer, part: Part, span: slice, ducked: Samples | None) -> Samples:
    return place(player.play(span.start, span.stop), part, ducked)


def place(bus: Samples, part: Part, ducked: Samples | None) -> Samples:
    """Bring a part's dry bus, (2, n) float32, to its level and place, in place.

    Panning turns the channels' levels by equal power, so a stereo sound keeps its own image.
    """
    angle = (part.pan + 1) * np.pi / 4
    level = _amplitude(part.gain_db) * np.sqrt(2)
    bus[0] *= np.float32(level * np.cos(angle))
    bus[1] *= np.float32(level * np.sin(angle))
    if ducked is not None and part.bank != DRUM_BANK:
        bus *= ducked
    return bus


def kick_onsets(score: Score) -> NDArray[np.int64]:
    """Return when the kick drum is struck, in samples, ascending."""
    onsets = {
        round(note.onset * score.quarter_s * SAMPLE_RATE)
        for part in score.parts
        if part.bank == DRUM_BANK
        for note in part.notes
        if note.pitch in KICK_PITCHES
    }
    return np.array(sorted(onsets), dtype=np.int64)


def _pump_gains(score: Score, n: int) -> NDArray[np.float64] | None:
    """Return the gain, one each `PUMP_HOP`, by which the kick ducks the other parts; None where it does not."""
    onsets = kick_onsets(score)
    depth_db = abs(score.mix.sidechain_db)
    if not depth_db or not len(onsets):
        return None
    clock = np.arange(0, n + PUMP_HOP, PUMP_HOP)
    n_struck = np.searchsorted(onsets, clock, "right")
    last = onsets[np.maximum(n_struck - 1, 0)]
    following = onsets[np.minimum(n_struck, len(onsets) - 1)]
    since = np.where(n_struck > 0, clock - last, n) / SAMPLE_RATE
    until = np.where(n_struck < len(onsets), following - clock, n) / SAMPLE_RATE
    recovering = np.clip(1 - since / (PUMP_QUARTERS * score.quarter_s), 0, 1) ** 2
    closing = np.clip(1 - until / PUMP_ATTACK_S, 0, 1)
    return np.asarray(10 ** (-depth_db * np.maximum(recovering, closing) / 20))


def _ducked(pump: NDArray[np.float64] | None, span: slice) -> Samples | None:
    """Return the side-chain's gain for every sample of a span that begins at a multiple of `PUMP_HOP`."""
    if pump is None:
        return None
    gains = pump[span.start // PUMP_HOP : span.stop // PUMP_HOP + 2]
    positions = np.arange(span.stop - span.start) / PUMP_HOP
    return np.interp(positions, np.arange(len(gains)), gains).astype(np.float32)


def _tone(settings: MixSettings) -> NDArray[np.float64]:
    """Design the band, brightness and the top of tape as second-order sections."""
    sections = [scipy.signal.butter(2, settings.low_cut_hz, "high", fs=SAMPLE_RATE, output="sos")]
    if settings.high_cut_hz is not None:
        sections.append(scipy.signal.butter(4, settings.high_cut_hz, fs=SAMPLE_RATE, output="sos"))
    if settings.brightness_db:
        sections.append(high_shelf(BRIGHTNESS_HZ, settings.brightness_db))
    if settings.tape:
        sections.append(tape_top(settings.tape, SAMPLE_RATE))
    return np.vstack(sections)


def high_shelf(corner_hz: float, gain_db: float) -> NDArray[np.float64]:
    """Design R. Bristow-Johnson's high shelf of slope 1; returns (1, 6) second-order sections."""
    a = 10 ** (gain_db / 40)
    omega = 2 * np.pi * corner_hz / SAMPLE_RATE
    cos, alpha = np.cos(omega), np.sin(omega) / np.sqrt(2) * 2 * np.sqrt(a)
    b = [a * (a + 1 + (a - 1) * cos + alpha), -2 * a * (a - 1 + (a + 1) * cos), a * (a + 1 + (a - 1) * cos - alpha)]
    d = [a + 1 - (a - 1) * cos + alpha, 2 * (a - 1 - (a + 1) * cos), a + 1 - (a - 1) * cos - alpha]
    return np.array([[*b, *d]]) / d[0]


def _narrow(mix: Samples, width: float) -> None:
    """Keep `width` of what the channels do not share, in place."""
    for start in range(0, mix.shape[1], FILTER_BLOCK):
        block = mix[:, start : start + FILTER_BLOCK]
        shared = block.mean(axis=0)
        block *= np.float32(width)
        block += np.float32(1 - width) * shared


def _filter(sections: NDArray[np.float64], channel: Samples) -> None:
    """Filter one channel, (n,), in place, in float64 and block by block."""
    state = np.zeros((len(sections), 2))
    for start in range(0, len(channel), FILTER_BLOCK):
        block = channel[start : start + FILTER_BLOCK]
        block[:], state = scipy.signal.sosfilt(sections, block.astype(np.float64), zi=state)
        state[np.abs(state) < 1e-30] = 0  # silence: subnormal numbers are slow


def _coloured(mix: Samples, peak: float, settings: MixSettings, seed: int, workers: Executor) -> Samples:
    """Bring a mix near full scale and give it tape and crackle, whose levels are meant against that."""
    if peak:
        mix *= np.float32(COLOUR_PEAK / peak)
    if settings.tape:
        mix = play_from_tape(mix, settings.tape, seed, SAMPLE_RATE, workers)
    if settings.crackle_db is not None:
        add_crackle(mix, settings.crackle_db, seed, SAMPLE_RATE)
    return mix


def _fade_end(mix: Samples) -> None:
    n = mix.shape[1]
    n_fade = min(round(END_FADE_S * SAMPLE_RATE), int(n * END_FADE_SHARE))
    if n_fade:
        mix[:, n - n_fade :] *= np.cos(np.linspace(0, np.pi / 2, n_fade)).astype(np.float32) ** 2


def _amplitude(db: float) -> float:
    return float(10 ** (db / 20))
