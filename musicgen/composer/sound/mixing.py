"""From a score to an unmastered stereo mix: parts at their levels and places, the room, side-chain, tone and colour.

Owns how buses become a mix. Does not know how notes are played (`part_rendering.py`) nor final loudness
(`mastering.py`). A mix is made in windows, one after the other, by steps that hand their windows on: a long piece
needs no more memory than a short one, and the steps may run in threads of their own without changing a bit. What
reaches the mix of a part and its share of the room are linear, so the parts' stems add up to the mix wherever the style
has no tape colour.
"""

import os
from collections.abc import Generator, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import NamedTuple

import numpy as np
import scipy.signal
from numpy.typing import NDArray

from musicgen.composer.score import DRUM_BANK, MixSettings, Part, Score
from musicgen.composer.sound.articulation import SAMPLE_RATE
from musicgen.composer.sound.colour import crackled, play_from_tape, tape_top
from musicgen.composer.sound.part_rendering import WINDOW, PartPlayer, schedule
from musicgen.composer.sound.players import make_player
from musicgen.composer.sound.resampling import Samples
from musicgen.composer.sound.reverb import Reverb
from musicgen.composer.sound.sampler import Sampler

KICK_PITCHES = frozenset({35, 36})
BRIGHTNESS_HZ = 6000.0
# The side-chain lets go in this share of a quarter note, and closes in this time before the kick.
PUMP_QUARTERS, PUMP_ATTACK_S = 0.8, 0.006
PUMP_HOP = 64
# Notes that outlast the piece fade with it over this time, or this share of a short piece.
END_FADE_S, END_FADE_SHARE = 1.5, 0.12
# Peak to which a mix is brought before tape and crackle, whose levels are meant against full scale.
COLOUR_PEAK = 0.9
# Sound is looked for in every so manieth sample first.
SILENCE_STEP = 64


class Played(NamedTuple):
    """What a band plays in one window: (2, k) float32 each.

    Attributes:
        dry: the sum of the parts, placed.
        sent: what of it goes to the room.
    """

    dry: Samples
    sent: Samples


class Band:
    """A score's parts, or some of them, at their levels and places; the side-chain is that of the whole score.

    Attributes:
        n_samples: length of the piece.
        schedules: every part's notes on the sample clock.
    """

    def __init__(self, score: Score, parts: Sequence[Part], sampler: Sampler, device: str = "cpu") -> None:
        """Put every note on the sample clock.

        Args:
            score: the piece.
            parts: those of it that play.
            sampler: makes their sounds.
            device: torch's name of what adds the notes up.

        Raises:
            ValueError: the sound font lacks a part's preset, or a note is out of range.
        """
        self.n_samples = round(score.duration_s * SAMPLE_RATE)
        self._sampler = sampler
        self._device = device
        self._parts = parts
        self._sends = [_amplitude(part.reverb_db + score.mix.reverb_db) for part in parts]
        self.schedules = [schedule(part, sampler, score.quarter_s, self.n_samples) for part in parts]
        self._pump = _pump_gains(score, self.n_samples)

    @cached_property
    def windows(self) -> tuple[slice, ...]:
        """The piece, cut into windows of `WINDOW` samples and a rest."""
        return tuple(slice(i, min(i + WINDOW, self.n_samples)) for i in range(0, self.n_samples, WINDOW))

    def play(self, windows: Iterable[slice]) -> Generator[Played, None, None]:
        """Play some of the piece's windows, in their order."""
        players = [make_player(events, self._sampler, self._device) for events in self.schedules]
        with ThreadPoolExecutor(os.cpu_count()) as workers:
            for window in windows:
                wanted = dict.fromkeys(key for player in players for key in player.upcoming(window.start, window.stop))
                list(workers.map(self._sampler.sounds, [key for key in wanted if not self._sampler.is_ready(key)]))
                yield self._play_window(players, window)

    def _play_window(self, players: Sequence[PartPlayer], window: slice) -> Played:
        n = window.stop - window.start
        played = Played(np.zeros((2, n), dtype=np.float32), np.zeros((2, n), dtype=np.float32))
        ducked = _ducked(self._pump, window)
        for player, part, send in zip(players, self._parts, self._sends, strict=True):
            bus = player.play(window.start, window.stop)
            if not np.any(bus[:, ::SILENCE_STEP]) and not np.any(bus):
                continue
            place(bus, part, ducked)
            np.add(played.dry, bus, out=played.dry)
            bus *= np.float32(send)
            np.add(played.sent, bus, out=played.sent)
        return played


def in_room(played: Iterable[Played], reverb_s: float) -> Generator[Samples, None, None]:
    """Add to what is played what a room answers; windows are whole but for the last."""
    reverb = Reverb(reverb_s, SAMPLE_RATE, WINDOW // 2)
    for dry, sent in played:
        yield dry + reverb.answer(sent)


def finished(
    sums: Iterable[Samples], settings: MixSettings, n_samples: int, colour_gain: float | None = None, seed: int = 0
) -> Generator[Samples, None, None]:
    """Give the sum of a piece of `n_samples` its colour, width and tone, and the fade at its end.

    Args:
        sums: (2, k) float32 each.
        settings: the sound of the whole.
        n_samples: of all of them.
        colour_gain: brings the sum near full scale for tape and crackle; None leaves both away, and all is linear.
        seed: of tape and crackle.
    """
    if colour_gain is not None:
        sums = _coloured(sums, settings, n_samples, colour_gain, seed)
    sections = _tone(settings)
    state = np.zeros((len(sections), 2, 2))
    n_done = 0
    for samples in sums:
        _narrow(samples, settings.width)
        # float64 within: at low cutoffs a float32 filter's own noise is heard.
        toned, state = scipy.signal.sosfilt(sections, samples.astype(np.float64), zi=state)
        state[np.abs(state) < 1e-30] = 0  # silence: subnormal numbers are slow
        window = toned.astype(np.float32)
        _fade_end(window, n_done, n_samples)
        n_done += window.shape[1]
        yield window


def colour_gain(settings: MixSettings, peak: float) -> float | None:
    """Return the gain that brings a sum of this peak near full scale, where the style has a colour that asks for it."""
    if not settings.tape and settings.crackle_db is None:
        return None
    return COLOUR_PEAK / peak if peak else 1.0


def peak_of(windows: Iterable[Samples]) -> float:
    """Return the largest level of any sample; 0 for none."""
    return max((max(float(samples.max()), -float(samples.min())) for samples in windows if samples.size), default=0.0)


def _coloured(
    sums: Iterable[Samples], settings: MixSettings, n_samples: int, gain: float, seed: int
) -> Generator[Samples, None, None]:
    coloured: Iterable[Samples] = (samples * np.float32(gain) for samples in sums)
    if settings.tape:
        coloured = play_from_tape(coloured, settings.tape, seed, SAMPLE_RATE)
    if settings.crackle_db is not None:
        coloured = crackled(coloured, n_samples, settings.crackle_db, seed, SAMPLE_RATE)
    yield from coloured


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


def _narrow(samples: Samples, width: float) -> None:
    """Keep `width` of what the channels do not share, in place."""
    if width != 1:
        shared = samples.mean(axis=0)
        samples *= np.float32(width)
        samples += np.float32(1 - width) * shared


def _fade_end(samples: Samples, start: int, n_samples: int) -> None:
    """Fade what of a piece's end falls into these samples, which begin at sample `start`, in place."""
    n_fade = min(round(END_FADE_S * SAMPLE_RATE), int(n_samples * END_FADE_SHARE))
    first, stop = max(start, n_samples - n_fade), start + samples.shape[1]
    if first < stop:
        fade = np.cos(np.linspace(0, np.pi / 2, n_fade)).astype(np.float32) ** 2
        samples[:, first - start :] *= fade[first - (n_samples - n_fade) : stop - (n_samples - n_fade)]


def _amplitude(db: float) -> float:
    return float(10 ** (db / 20))
