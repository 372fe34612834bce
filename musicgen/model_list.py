"""The engines as people may know them, what they need, and the styles that they know by name. Loads none."""

from dataclasses import dataclass

from musicgen.downloads import Download
from musicgen.engine import EngineCard, StyleCard
from musicgen.music_model import music_model


@dataclass(frozen=True, slots=True)
class ModelDescription:
    """What people may know of an engine; the fields are those of `EngineCard`, and:

    Attributes:
        ready: whether it can run here.
        reason: why not, and what to do.
        default: whether requests that name no model get it.
        max_duration: seconds.
    """

    name: str
    description: str
    ready: bool
    reason: str | None
    default: bool
    max_duration: float
    supports_seed: bool
    supports_lyrics: bool
    supports_plan: bool
    supports_style_audio: bool
    supports_editing: bool
    weights_licence: str


def describe_models() -> list[ModelDescription]:
    """Describe every engine, ready or not."""
    return [_describe(card) for card in music_model.cards()]


def describe_model(name: str) -> ModelDescription:
    """Describe one engine.

    Raises:
        InvalidOptions: there is no such engine.
    """
    return _describe(music_model.card(name))


def _describe(card: EngineCard) -> ModelDescription:
    reason = music_model.why_not_ready(card)
    return ModelDescription(
        name=card.name,
        description=card.description,
        ready=reason is None,
        reason=reason,
        default=card.name == music_model.default_name,
        max_duration=card.max_duration_s,
        supports_seed=card.supports_seed,
        supports_lyrics=card.supports_lyrics,
        supports_plan=card.supports_plan,
        supports_style_audio=card.supports_style_audio,
        supports_editing=card.supports_editing,
        weights_licence=card.weights_licence,
    )


def list_downloads(name: str) -> tuple[Download, ...]:
    """Return the files that an engine wants to have on this machine, here already or not; none for most.

    Raises:
        InvalidOptions: there is no such engine.
        EngineUnavailable: what finds the files is not installed.
    """
    return music_model.downloads(music_model.card(name))


def list_styles(model: str | None = None) -> list[StyleCard]:
    """Return the styles that an engine knows by name; None takes the configured engine.

    Raises:
        InvalidOptions: there is no such engine.
    """
    return list(music_model.card(model).styles())
