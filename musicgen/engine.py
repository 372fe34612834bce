"""What an engine is: the one interface between `music_model` and the code that makes music.

Engines live in packages of their own, never import each other, and know neither HTTP nor SQL. `EngineCard` is what can
be said about an engine without importing it, so that listing engines stays cheap.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from musicgen.options import GenerationOptions
from musicgen.waveform import Waveform

# Called with the stage's name and the share of the engine's whole work that is done (0 to 1, never falling).
# It may raise `GenerationCancelled`; engines let it pass.
OnProgress = Callable[[str, float], None]


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
        weights_licence: licence of what it needs beyond our code.
        why_not_ready: given MUSICGEN_WEIGHTS_DIR, says what is missing and where to get it; None means ready.
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


@dataclass(frozen=True, slots=True)
class Rendering:
    """Everything an engine hands out for one request.

    Attributes:
        waveform: the finished music, exactly as long as asked to the sample.
        title: name of the piece.
        tempo: quarter notes a minute; None where the engine does not know it.
        key: as `notation.Key` writes it; None where unknown.
        time_signature: as `notation.TimeSignature` writes it; None where unknown.
        midi: a Standard MIDI File; None from engines that make only audio.
        music_xml: the lead sheet as a MusicXML file; None from engines that write none.
        understanding: what the engine took from the prompt, JSON values only; empty where it cannot say.
        notes: sentences for the person about what was asked and could not be done.
        plan: the plan that was followed, as `PlannedTrack.plan`; None from engines without plans.
        stems: where asked for, each part on its own, by name, as long as `waveform`; empty where the engine has none.
    """

    waveform: Waveform
    title: str
    tempo: float | None = None
    key: str | None = None
    time_signature: str | None = None
    midi: bytes | None = None
    music_xml: bytes | None = None
    understanding: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    plan: Mapping[str, Any] | None = None
    stems: Mapping[str, Waveform] = field(default_factory=dict)


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


class Engine(Protocol):
    """A way to turn options into music."""

    name: str
    sample_rate: int

    def load(self, device: str) -> None:
        """Read weights and assets onto the torch device `device` ("cpu", "cuda", "mps"); called once."""

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
