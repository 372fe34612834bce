"""What the rest of musicgen may know of the composer without importing it. Standard library only, until it is asked."""

from pathlib import Path

from musicgen.engine import EngineCard, StyleCard
from musicgen.options import MAX_DURATION_S

SOUND_FONTS = tuple(Path(__file__).with_name("sounds") / name for name in ("general-mid.sf3", "general-more.sf3"))


def _why_not_ready(_weights_dir: Path) -> str | None:
    missing = " and ".join(font.name for font in SOUND_FONTS if not font.is_file())
    return f"the package is incomplete: {missing} missing, install it again" if missing else None


def _styles() -> tuple[StyleCard, ...]:
    # The style files are read when somebody wants to see them.
    from musicgen.composer.style_cards import style_cards

    return style_cards()


CARD = EngineCard(
    name="composer",
    description="Writes a score and plays it on sampled and synthesised instruments; nothing to download.",
    factory="musicgen.composer.engine:ComposerEngine",
    max_duration_s=MAX_DURATION_S,
    supports_seed=True,
    supports_lyrics=False,
    weights_licence="MIT (sound font)",
    why_not_ready=_why_not_ready,
    supports_plan=True,
    styles=_styles,
)
