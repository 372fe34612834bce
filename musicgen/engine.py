"""What an engine is: the one interface between `music_model` and the code that makes music.

Engines live in packages of their own, never import each other, and know neither HTTP nor SQL. `EngineCard` is what can
be said about an engine without importing it, so that listing engines stays cheap.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from musicgen.options import GenerationOptions
from musicgen.waveform import AudioStream, Waveform

# Called with the stage's name and the share of the engine's whole work that is done (0 to 1, never falling).
# It may raise `GenerationCancelled`; engines let it pass.
OnProgress = Callable[[str, float], None]

# The formats in which engines write notes.
MIDI_FORMAT, MUSIC_XML_FORMAT = SCORE_FORMATS = ("mid", "musicxml")


@dataclass(frozen=True, slots=True)
class StyleCard:
    """What people may know of a style before they ask for it.

    Attributes:
        name: what plans and `flask styles show` call it.
        title: what people read.
        words: the words in a prompt that mean it, the plainest first.
        example: a prompt that asks for it.
        tempo: lowest and highest usual tempo, quarter notes a minute.
        modes: the usual ones, most frequent first.
        time_signature: the usual one, as `notation.TimeSignature` writes it.
        swing: where the off-beat falls in its pair, 0.5 straight to 0.67 triplet.
        swing_unit: length of the swung note in quarters.
        energy: how lively it is where the prompt does not say, 0 to 1.
        sections: what a long piece is made of, in the order of first appearance.
        instruments: role -> the names of those that usually play it.
    """

    name: str
    title: str
    words: tuple[str, ...]
    example: str
    tempo: tuple[float, float]
    modes: tuple[str, ...]
    time_signature: str
    swing: float
    swing_unit: float
    energy: float
    sections: tuple[str, ...]
    instruments: Mapping[str, tuple[str, ...]]


def _no_styles() -> tuple[StyleCard, ...]:
    return ()


def _accept_all(_options: GenerationOptions, _weights_dir: Path) -> None:
    """Refuse nothing."""


@dataclass(frozen=True, slots=True)
class EngineCard:
    """What is known of an engine before it is imported.

    Attributes:
        name: what requests and MUSICGEN_MODEL call it.
        description: one sentence for people.
        factory: "package.module:Class", imported on first use.
        max_duration_s: the longest track it can make, seconds.
        supports_seed: whether equal seeds give equal audio.
        supports_lyrics: whether it can sing given words.
        supports_plan: whether it is a `PlanningEngine`, and takes `options.plan`.
        supports_style_audio: whether it can sound like a recording, and takes `options.style_audio`.
        supports_editing: whether it can make parts of a track anew, and takes `options.regenerate`.
        fetcher: "package.module:function", imported on use, that downloads what is missing; empty where there is none.
        weights_licence: licence of what it needs beyond our code.
        why_not_ready: given MUSICGEN_WEIGHTS_DIR, says what is missing and where to get it; None means ready.
        styles: lists the styles that it knows by name, without loading what makes sound.
        check: given a request that its figures here allow and MUSICGEN_WEIGHTS_DIR, raises `InvalidOptions` or
            `EngineUnavailable` for what can be known to fail before any work.
    """

    name: str
    description: str
    factory: str
    max_duration_s: float
    supports_seed: bool
    supports_lyrics: bool
    weights_licence: str
    why_not_ready: Callable[[Path], str | None]
    supports_plan: bool = False
    supports_style_audio: bool = False
    supports_editing: bool = False
    fetcher: str = ""
    styles: Callable[[], tuple[StyleCard, ...]] = _no_styles
    check: Callable[[GenerationOptions, Path], None] = _accept_all


@dataclass(frozen=True, slots=True)
class Rendering:
    """Everything an engine hands out for one request.

    Attributes:
        audio: the finished music, exactly as long as asked to the sample. Its blocks may be made only when they are
            taken, so take them once, while it is still this generation's turn; all else is known before.
        title: name of the piece.
        tempo: quarter notes a minute; None where the engine does not know it.
        key: as `notation.Key` writes it; None where unknown.
        time_signature: as `notation.TimeSignature` writes it; None where unknown.
        scores: format ("mid", "musicxml") -> what writes the piece as notes in it; empty from engines that make only
            audio. Nobody waits for notes: they are written when the sound is on its way.
        understanding: what the engine took from the prompt, JSON values only; empty where it cannot say.
        notes: sentences for the person about what was asked and could not be done.
        plan: the plan that was followed, as `PlannedTrack.plan`; None from engines without plans.
        stems: where asked for, name and sound of each part on its own, as long as `audio`. Made, like the
            blocks and after them, when they are taken; empty where there are none.
        loudness: tells the integrated loudness in LUFS when all blocks were taken, from engines that measure it anyway.
    """

    audio: AudioStream
    title: str
    tempo: float | None = None
    key: str | None = None
    time_signature: str | None = None
    scores: Mapping[str, Callable[[], bytes]] = field(default_factory=dict)
    understanding: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    plan: Mapping[str, Any] | None = None
    stems: Iterable[tuple[str, Waveform]] = ()
    loudness: Callable[[], float] | None = None


@dataclass(frozen=True, slots=True)
class PlannedTrack:
    """What an engine would make of a request, before a sound is made.

    Attributes:
        plan: every decision that a person may change, JSON values only; `options.plan` takes it back. It has the
            length of the track in seconds as "duration".
        title: name of the piece.
        understanding: what the engine took from the prompt, JSON values only.
        notes: sentences for the person about what was asked and cannot be done.
    """

    plan: Mapping[str, Any]
    title: str
    understanding: Mapping[str, Any]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """What an operator decides about every engine.

    Attributes:
        device: torch device, "cpu", "cuda" or "mps".
        weights_dir: MUSICGEN_WEIGHTS_DIR.
        precision: number format of large networks: "bf16", "fp16", "fp32", or "auto" for what suits the device.
    """

    device: str = "cpu"
    weights_dir: Path = Path("weights")
    precision: str = "auto"


class Engine(Protocol):
    """A way to turn options into music."""

    name: str
    sample_rate: int

    def load(self, settings: EngineSettings) -> None:
        """Read weights and assets; called once."""

    def generate(self, options: GenerationOptions, on_progress: OnProgress) -> Rendering:
        """Make the music that `options` asks for; all randomness comes from `options.seed`."""


class PlanningEngine(Engine, Protocol):
    """An engine that decides before it plays, and lets a person change what it decided."""

    def plan(self, options: GenerationOptions) -> PlannedTrack:
        """Plan the music that `options` asks for; needs no `load`, any number of threads may ask at once.

        `generate` with the returned plan makes the same music as without it. Where `options.plan` is given, it is
        checked and completed.

        Raises:
            InvalidOptions: `options.plan` cannot be followed; the errors name the place, like "plan.tempo".
        """
