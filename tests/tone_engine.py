"""Small real engines for the tests: seeded tones, and ways to fail, to block and to be absent."""

import base64
import io
import itertools
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import mido
import numpy as np
import soundfile
from numpy.typing import NDArray

from musicgen.engine import EngineCard, EngineSettings, OnProgress, Rendering
from musicgen.options import GenerationOptions
from musicgen.waveform import BLOCK_SAMPLES, AudioStream, Waveform

SAMPLE_RATE = 44_100
PITCHES = range(48, 73)
LONGEST_LOAD_S = 3


class ToneEngine:
    """Plays one seeded pitch for exactly as long as asked; counts how many generations run at the same time."""

    name = "tone"
    sample_rate = SAMPLE_RATE
    n_running = 0
    most_running = 0
    _counting = threading.Lock()

    def __init__(self) -> None:
        self.device: str | None = None

    def load(self, settings: EngineSettings) -> None:
        self.device = settings.device

    def generate(self, options: GenerationOptions, on_progress: OnProgress) -> Rendering:
        self._count(1)
        try:
            on_progress("plan", 0.0)
            pitch = int(np.random.default_rng(options.seed).choice(PITCHES))
            on_progress("render", 0.5)
            return self._render(options, pitch)
        finally:
            self._count(-1)

    def _render(self, options: GenerationOptions, pitch: int) -> Rendering:
        time_s = np.arange(round(options.duration * SAMPLE_RATE)) / SAMPLE_RATE
        tone = 0.25 * np.sin(2 * np.pi * 440 * 2 ** ((pitch - 69) / 12) * time_s)
        return Rendering(
            audio=AudioStream.of(Waveform(np.stack([tone, tone]).astype(np.float32), SAMPLE_RATE)),
            title=f"Tone {pitch}",
            tempo=options.tempo or 120.0,
            key=options.key or "C major",
            time_signature=options.time_signature or "4/4",
            scores={"mid": partial(one_note, pitch)},
            understanding={"pitch": pitch, "words": options.prompt.split()},
            notes=("A tone cannot sing.",) if options.lyrics else (),
        )

    @staticmethod
    def _count(step: int) -> None:
        with ToneEngine._counting:
            ToneEngine.n_running += step
            ToneEngine.most_running = max(ToneEngine.most_running, ToneEngine.n_running)


class SilentEngine(ToneEngine):
    """Makes digital silence, and no MIDI."""

    name = "silent"

    def _render(self, options: GenerationOptions, pitch: int) -> Rendering:
        samples = np.zeros((2, round(options.duration * SAMPLE_RATE)), np.float32)
        return Rendering(AudioStream.of(Waveform(samples, SAMPLE_RATE)), title="Silence")


class PartedEngine(ToneEngine):
    """Hands out stems, each made when it is taken: the tone, and another that breaks where the prompt says so."""

    name = "parted"

    def generate(self, options: GenerationOptions, on_progress: OnProgress) -> Rendering:
        rendering = super().generate(options, on_progress)
        if not options.stems:
            return rendering
        tone = rendering.audio.collect()
        return replace(rendering, audio=AudioStream.of(tone), stems=self._stems(tone, options, on_progress))

    def _stems(
        self, tone: Waveform, options: GenerationOptions, on_progress: OnProgress
    ) -> Iterator[tuple[str, Waveform]]:
        on_progress("stems", 1.0)
        yield "melody", tone
        if "break" in options.prompt:
            raise RuntimeError("the second string broke")
        on_progress("second stem", 1.0)
        yield "bass", tone


class StudioEngine(ToneEngine):
    """Turns parts of a track into its seeded tone, and says how large a recording is that it was sent."""

    name = "studio"

    def _render(self, options: GenerationOptions, pitch: int) -> Rendering:
        rendering = super()._render(options, pitch)
        if options.style_audio is not None:
            return replace(rendering, understanding={"n_bytes": len(base64.b64decode(options.style_audio))})
        if options.regenerate is None or options.original is None:
            return rendering
        samples = soundfile.read(options.original, dtype="float32")[0].T
        tone = rendering.audio.collect().samples
        for segment in options.regenerate:
            start, end = (round(seconds * SAMPLE_RATE) for seconds in segment)
            samples[:, start:end] = tone[:, start:end]
        return replace(rendering, audio=AudioStream.of(Waveform(samples, SAMPLE_RATE)))


class FailingEngine(ToneEngine):
    """Breaks in the middle of its work."""

    name = "failing"

    def generate(self, options: GenerationOptions, on_progress: OnProgress) -> Rendering:
        on_progress("plan", 0.0)
        on_progress("render", 0.5)
        raise RuntimeError("the string broke")


class BrokenEngine(ToneEngine):
    """Cannot be loaded."""

    name = "broken"

    def load(self, settings: EngineSettings) -> None:
        raise RuntimeError("the weights are damaged")


class BlockingEngine(ToneEngine):
    """Reports progress until `may_end` is set; says on standard error that it has begun, for another process."""

    name = "blocking"
    has_begun = threading.Event()
    may_end = threading.Event()

    def generate(self, options: GenerationOptions, on_progress: OnProgress) -> Rendering:
        on_progress("plan", 0.0)
        self.has_begun.set()
        print("blocking has begun", file=sys.stderr, flush=True)
        while not self.may_end.wait(0.005):
            on_progress("block", 0.5)
        return super().generate(options, on_progress)


class HaltingEngine(ToneEngine):
    """Makes half of its sound, then halts: until `may_end`, or with an error where asked to."""

    name = "halting"
    may_end = threading.Event()

    def generate(self, options: GenerationOptions, on_progress: OnProgress) -> Rendering:
        rendering = super().generate(options, on_progress)
        blocks = self._halted(rendering.audio, options, on_progress)
        return replace(rendering, audio=replace(rendering.audio, blocks=blocks))

    def _halted(
        self, audio: AudioStream, options: GenerationOptions, on_progress: OnProgress
    ) -> Iterator[NDArray[np.float32]]:
        yield from itertools.islice(audio.blocks, audio.n_samples // BLOCK_SAMPLES // 2)
        if "break" in options.prompt:
            raise RuntimeError("the string broke")
        print("halting in the middle", file=sys.stderr, flush=True)
        while not self.may_end.wait(0.005):
            on_progress("render", 0.6)
        yield from audio.blocks


class SlowToLoadEngine(ToneEngine):
    """Is not loaded before `may_load` is set, or for some seconds where nobody can set it, in another process."""

    name = "slow-to-load"
    may_load = threading.Event()

    def load(self, settings: EngineSettings) -> None:
        print("loading has begun", file=sys.stderr, flush=True)
        self.may_load.wait(LONGEST_LOAD_S)


def one_note(pitch: int) -> bytes:
    """Write a Standard MIDI File with one quarter note."""
    note = [mido.Message("note_on", note=pitch), mido.Message("note_off", note=pitch, time=480)]
    file = io.BytesIO()
    mido.MidiFile(tracks=[mido.MidiTrack(note)]).save(file=file)
    return file.getvalue()


def card(engine: type[ToneEngine], max_duration_s: float = 300.0, missing: str | None = None) -> EngineCard:
    """Make the card of one of the engines here; `missing` makes it not ready."""

    def why_not_ready(_weights_dir: Path) -> str | None:
        return missing

    return EngineCard(
        name=engine.name,
        description=(engine.__doc__ or "").strip(),
        factory=f"{engine.__module__}:{engine.__name__}",
        max_duration_s=max_duration_s,
        supports_seed=True,
        supports_lyrics=False,
        weights_licence="none",
        why_not_ready=why_not_ready,
    )


class AbsentEngine(ToneEngine):
    """Has no weights here."""

    name = "absent"


CARDS = (
    card(ToneEngine),
    card(SilentEngine, max_duration_s=60.0),
    card(PartedEngine),
    card(FailingEngine),
    card(BrokenEngine),
    card(BlockingEngine),
    card(HaltingEngine),
    card(SlowToLoadEngine),
    card(AbsentEngine, missing="its weights are missing; run `make weights`"),
    replace(card(StudioEngine), supports_editing=True, supports_style_audio=True),
)
