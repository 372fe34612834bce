"""The instruments, sampled and synthesised, as `instruments.toml` lists them."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from musicgen.composer.score import DRUM_BANK

# General MIDI percussion keys by the names that drum grids use.
PERCUSSION = {
    "kick": 36, "rim": 37, "snare": 38, "clap": 39, "tom_low": 43, "hat": 42, "pedal_hat": 44, "tom_mid": 47,
    "open_hat": 46, "crash": 49, "tom_high": 50, "ride": 51, "bell": 53, "tambourine": 54, "cowbell": 56,
    "conga_mute": 62, "conga_high": 63, "conga_low": 64, "timbale": 65, "cabasa": 69, "shaker": 82, "claves": 75,
    "guiro": 73, "triangle": 81,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Instrument:
    """One sound and how it is played.

    Attributes:
        name: what styles and prompts call it ("jazz_guitar").
        title: what people read.
        bank: SoundFont bank; 128 holds drum kits.
        program: General MIDI program, 0 to 127.
        lowest: lowest MIDI pitch that it plays.
        highest: highest MIDI pitch that it plays.
        level_db: what brings it to the same loudness as the other instruments.
        family: the group that a prompt may name instead ("guitar").
        roles: what it can do in a band, best first.
        voice: the synthesised voice that plays it; None is the sound font's preset.
        stand_in: the nearest instrument, which takes its chair in bass or drums where a prompt refuses it.
    """

    name: str
    title: str
    bank: int
    program: int
    lowest: int
    highest: int
    level_db: float
    family: str
    roles: tuple[str, ...]
    voice: str | None = None
    stand_in: str | None = None

    @property
    def is_drum_kit(self) -> bool:
        """Whether its pitches are percussion keys."""
        return self.bank == DRUM_BANK

    def in_range(self, pitch: int) -> int:
        """Move a MIDI pitch by octaves until the instrument has it."""
        while pitch < self.lowest:
            pitch += 12
        while pitch > self.highest:
            pitch -= 12
        return pitch

    def answers_to(self, name: str) -> bool:
        """Whether a prompt that says `name` means this instrument or its family."""
        return name in (self.name, self.family) or (name == "drums" and self.is_drum_kit)


@cache
def all_instruments() -> dict[str, Instrument]:
    """Read the instruments, by name."""
    table = tomllib.loads(Path(__file__).with_name("instruments.toml").read_text(encoding="utf-8"))
    return {
        name: Instrument(
            name=name,
            title=entry["title"],
            bank=entry.get("bank", 0),
            program=entry["program"],
            lowest=entry["range"][0],
            highest=entry["range"][1],
            level_db=entry["level_db"],
            family=entry["family"],
            roles=tuple(entry["roles"]),
            voice=entry.get("voice"),
            stand_in=entry.get("stand_in"),
        )
        for name, entry in table.items()
    }
