"""One request, as a frozen value that travels from the edge (web, CLI) to the engine unchanged."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

MIN_DURATION_S = 5.0
MAX_DURATION_S = 300.0
DEFAULT_DURATION_S = 30.0
MAX_SEED = 2**31 - 1
MIN_TEMPO = 40.0
MAX_TEMPO = 240.0


def draw_seed() -> int:
    """Draw a seed, 0 to 2^31 - 1, from the operating system's randomness."""
    return secrets.randbelow(MAX_SEED + 1)


@dataclass(frozen=True, slots=True)
class GenerationOptions:
    """What one request asks for. `None` means: not asked for, the engine decides.

    Attributes:
        prompt: the words, 1 to 2,000 characters, not only white space.
        duration: length of the track in seconds, 5 to 300.
        seed: the only source of randomness, 0 to 2^31 - 1.
        model: name of the engine; None takes the configured one.
        tempo: quarter notes a minute, 40 to 240.
        key: tonic and mode as `notation.Key` writes them ("D minor").
        time_signature: as `notation.TimeSignature` writes it ("3/4").
        instrumental: True forbids a voice.
        lyrics: words to sing, for engines that can.
        language: BCP 47 code of prompt and lyrics ("en", "pt-BR").
        title: name of the track; None lets the engine find one.
        plan: what the engine's own `plan` handed out, changed or not; JSON values only.
        stems: True asks for each part in a file of its own.
        extends: the plan of a shorter track with this prompt and seed, as which the music shall begin.
        style_audio: a recording that it shall sound like: an audio file, base64.
        of: id of the track that is edited; `original` and `regenerate` come with it.
        regenerate: parts of it to make anew, (start, end) in seconds each; the rest stays as it is.
        original: path of a lossless file of it, put in before the engine is asked.
    """

    prompt: str
    duration: float = DEFAULT_DURATION_S
    seed: int = field(default_factory=draw_seed)
    model: str | None = None
    tempo: float | None = None
    key: str | None = None
    time_signature: str | None = None
    instrumental: bool | None = None
    lyrics: str | None = None
    language: str | None = None
    title: str | None = None
    plan: Mapping[str, Any] | None = None
    stems: bool | None = None
    extends: Mapping[str, Any] | None = None
    style_audio: str | None = None
    of: str | None = None
    regenerate: Sequence[Sequence[float]] | None = None
    original: str | None = None


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A request that begins with a track.

    Attributes:
        relation: "variation_of", a new piece of the same words, "extend", a longer one that begins the same, or "of",
            the same one with parts of it made anew.
        track_id: the track.
        asked: the other fields of the request, by their names in `GenerationOptions`.
    """

    relation: Literal["variation_of", "extend", "of"]
    track_id: str
    asked: Mapping[str, Any]
