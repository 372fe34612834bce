"""One part's notes, added up into its dry stereo bus, a window of time after the other.

Owns when notes sound, how they end and who silences whom. Does not know levels, places or effects: that is the mix.
Notes are added in the score's order by one thread, so a bus has the same bits however time is cut and whoever works.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from musicgen.composer.score import Note, Part
from musicgen.composer.sound.articulation import SAMPLE_RATE, release_gain, release_length
from musicgen.composer.sound.kept_sound import Sound
from musicgen.composer.sound.resampling import Samples
from musicgen.composer.sound.sampler import Sampler, SoundKey, held_length
from musicgen.composer.sound.synthesis.voice_file import follows_length

# Samples that are rendered at a time at most (1.5 s): the buses of a window fit the processor's cache.
WINDOW = 2**16
# How a sound ends that another of its exclusive class silences: 96 dB in 0.9 s, as FluidSynth does.
CHOKE_RELEASE_S = 2.0 ** (-200 / 1200)
CHOKE_LENGTH = release_length(CHOKE_RELEASE_S)
NEVER = 2**62


@dataclass(slots=True)
class Event:
    """A note on the sample clock: its first sample, the first after it, and when another sound silences it."""

    onset: int
    end: int
    choke: int
    velocity: int
    key: SoundKey


class Sounding(NamedTuple):
    """What a note plays of one of its key's sounds, the `number`th, up to sample `stop`."""

    event: Event
    sound: Sound
    number: int
    stop: int


class PartPlayer:
    """Plays a part's events forward in time."""

    def __init__(self, events: Sequence[Event], sampler: Sampler) -> None:
        """Stand before the first of `events`, which `schedule` made."""
        self._sampler = sampler
        self._events = events
        self._next = 0
        self._sounding: list[Sounding] = []
        # One bus for what is equal in both channels, one for stereo.
        self._buses = tuple(np.empty((n_channels, WINDOW), dtype=np.float32) for n_channels in (1, 2))
        self._scratch = np.empty((3, WINDOW), dtype=np.float32)

    def upcoming(self, start: int, stop: int) -> Iterator[SoundKey]:
        """Yield the sounds of the notes that have not yet begun and may be heard from sample `start` to `stop`."""
        for event in self._events[self._next :]:
            if event.onset >= stop:
                return
            if self._may_reach(event, start):
                yield event.key

    def play(self, start: int, stop: int) -> Samples:
        """Render the samples from `start` to `stop`, at most `WINDOW`; no call may begin before the last one ended.

        Returns:
            (2, stop - start) float32, the caller's until the next call.
        """
        mono, stereo = (bus[:, : stop - start] for bus in self._buses)
        mono[:], stereo[:] = 0, 0
        self._begin(start, stop)
        for sounding in self._sounding:
            if sounding.stop > start:
                _add(sounding, start, mono if len(sounding.sound.samples) == 1 else stereo, self._scratch)
        self._let_go(stop)
        stereo += mono
        return stereo

    def _begin(self, start: int, stop: int) -> None:
        """Let the notes before `stop` sound, but for those that are over at `start`."""
        while self._next < len(self._events) and self._events[self._next].onset < stop:
            event = self._events[self._next]
            if self._may_reach(event, start):
                for number, sound in enumerate(self._sounds_of(event.key)):
                    self._sounding.append(Sounding(event, sound, number, _stop(sound, event)))
            self._next += 1

    def _sounds_of(self, key: SoundKey) -> tuple[Sound, ...]:
        return self._sampler.sounds(key)

    def _may_reach(self, event: Event, start: int) -> bool:
        """Tell whether a note may still sound at `start`; its sound need not be there."""
        if event.onset >= start:
            return True
        choked = event.choke + CHOKE_LENGTH
        if event.choke <= event.end or choked <= start:
            return choked > start
        return event.end + self._sampler.longest_release(event.key) > start

    def _let_go(self, stop: int) -> None:
        """Forget the notes that are over at `stop`: the store alone decides how long sounds are kept."""
        self._sounding = [sounding for sounding in self._sounding if sounding.stop > stop]


def render_part(part: Part, sampler: Sampler, quarter_s: float, n: int) -> Samples:
    """Render a part alone, without the level, place and effects that the mix gives it.

    Args:
        part: what to play.
        sampler: plays it.
        quarter_s: length of a quarter note in seconds.
        n: length in samples at 44,100 Hz.

    Returns:
        (2, n) float32.

    Raises:
        ValueError: the sound font has no preset for the part.
    """
    player = PartPlayer(schedule(part, sampler, quarter_s, n), sampler)
    bus = np.empty((2, n), dtype=np.float32)
    for start in range(0, n, WINDOW):
        stop = min(start + WINDOW, n)
        bus[:, start:stop] = player.play(start, stop)
    return bus


def schedule(part: Part, sampler: Sampler, quarter_s: float, n: int) -> list[Event]:
    """Put a part's notes on the sample clock of a piece of n samples, by onset.

    Raises:
        ValueError: the sound font has no preset for the part, or a note's velocity is not 1 to 127.
    """
    notes = sorted((note for note in part.notes if note.onset * quarter_s * SAMPLE_RATE < n), key=_onset)
    struck = {(note.pitch, note.velocity) for note in notes}
    layers = {s: sampler.layer_velocity(part.bank, part.program, *s, part.voice) for s in struck}
    spans = _spans(notes, quarter_s, n)
    longest: dict[tuple[int, int], int] = {}
    for note, (onset, end) in zip(notes, spans, strict=True):
        place = note.pitch, layers[note.pitch, note.velocity]
        longest[place] = max(longest.get(place, 0), end - onset)

    def key_of(pitch: int, velocity: int, n_held: int) -> SoundKey:
        return SoundKey(part.bank, part.program, pitch, velocity, n_held, part.voice)

    shared = {place: key_of(*place, held_length(length)) for place, length in longest.items()}
    # A sound that changes with the note's length cannot be shared with longer notes.
    share = not (part.voice and follows_length(part.voice))
    events = []
    for note, (onset, end) in zip(notes, spans, strict=True):
        place = note.pitch, layers[note.pitch, note.velocity]
        key = shared[place] if share else key_of(*place, end - onset)
        events.append(Event(onset, end, NEVER, note.velocity, key))
    _set_chokes(events, sampler)
    return events


def _onset(note: Note) -> float:
    return note.onset


def _spans(notes: Sequence[Note], quarter_s: float, n: int) -> list[tuple[int, int]]:
    """Return the notes' first samples and the first after them, none later than the piece's end."""
    times = np.array([(note.onset, note.onset + note.duration) for note in notes]).reshape(-1, 2)
    onsets, ends = np.rint(times * quarter_s * SAMPLE_RATE).astype(np.int64).T
    onsets = np.maximum(onsets, 0)
    ends = np.maximum(np.minimum(ends, n), onsets + 1)
    return list(zip(onsets.tolist(), ends.tolist(), strict=True))


def _set_chokes(events: Sequence[Event], sampler: Sampler) -> None:
    """Let each note end where the next one of its exclusive class begins."""
    classes = {key: sampler.exclusive_classes(*key[:3], key.voice) for key in {event.key for event in events}}
    following: dict[int, list[int]] = {}
    for event in reversed(events):
        for exclusive_class in classes[event.key]:
            onsets = following.setdefault(exclusive_class, [])
            later = next((onset for onset in reversed(onsets) if onset > event.onset), NEVER)
            event.choke = min(event.choke, later)
            onsets.append(event.onset)


def _stop(sound: Sound, event: Event) -> int:
    """Return the first sample after what a note plays of a sound."""
    choked = event.choke + CHOKE_LENGTH
    released = choked if event.choke <= event.end else min(event.end + len(sound.release), choked)
    return released if sound.n_loop else min(event.onset + sound.samples.shape[1], released)


def _add(sounding: Sounding, start: int, bus: Samples, scratch: Samples) -> None:
    """Add to the bus, which begins at sample `start`, what falls into it of a note's sound."""
    event, sound = sounding.event, sounding.sound
    first, stop = max(event.onset, start), min(sounding.stop, start + bus.shape[1])
    product = scratch[: len(sound.samples), : stop - first]
    pieces = sound.pieces(first - event.onset, stop - event.onset)
    if stop <= min(event.end, event.choke) and first - event.onset >= len(sound.envelope):
        _fill(product, pieces, _level(sound, event) * sound.envelope[-1])
    else:
        gain = _gain_curve(sound, event, first, scratch[2, : stop - first])
        # Made float32 first: multiplying int16 by an array of float32 is slower than both steps.
        _fill(product, pieces, None)
        product *= gain
    target = bus[:, first - start : stop - start]
    np.add(target, product, out=target)


def _fill(product: Samples, pieces: Iterable[NDArray[np.int16]], gain: np.float32 | None) -> None:
    """Put pieces one after the other, amplified where there is a gain."""
    start = 0
    for piece in pieces:
        target = product[:, start : start + piece.shape[1]]
        if gain is None:
            target[:] = piece
        else:
            np.multiply(piece, gain, out=target)
        start += piece.shape[1]


def _level(sound: Sound, event: Event) -> np.float32:
    return np.float32(sound.gains[event.velocity])


def _gain_curve(sound: Sound, event: Event, first: int, gain: Samples) -> Samples:
    """Fill `gain` with a note's gain from sample `first` on: held, then released, then choked."""
    level = _level(sound, event)
    end, release = event.end, sound.release
    if event.choke <= end:
        end, release = event.choke, release_gain(CHOKE_RELEASE_S)
    stop = first + len(gain)
    n_held = min(max(end - first, 0), len(gain))
    moving = sound.envelope[first - event.onset : first - event.onset + n_held]
    np.multiply(moving, level, out=gain[: len(moving)])
    gain[len(moving) : n_held] = level * sound.envelope[-1]
    if n_held < len(gain):
        level *= sound.envelope[min(end - event.onset, len(sound.envelope) - 1)]
        np.multiply(release[first + n_held - end : stop - end], level, out=gain[n_held:])
    if end < event.choke < stop:
        choked = max(event.choke, first)
        gain[choked - first :] *= release_gain(CHOKE_RELEASE_S)[choked - event.choke : stop - event.choke]
    return gain
