"""What the rest of musicgen may know of the composer without importing it. Standard library only."""

from pathlib import Path

from musicgen.engine import EngineCard
from musicgen.options import MAX_DURATION_S

SOUND_FONT = Path(__file__).with_name("sounds") / "general-mid.sf3"


def _why_not_ready(_weights_dir: Path) -> str | None:
    return (
        None if SOUND_FONT.is_file() else f"the package is incomplete: {SOUND_FONT.name} is missing, install it again"
    )


CARD = EngineCard(
    name="composer",
    description="Writes a score and plays it on sampled instruments; runs everywhere, nothing to download.",
    factory="musicgen.composer.engine:ComposerEngine",
    max_duration_s=MAX_DURATION_S,
    supports_seed=True,
    supports_lyrics=False,
    weights_licence="MIT (sound font)",
    why_not_ready=_why_not_ready,
    supports_plan=True,
)
