"""Feels at the drum kit: bars as drummers of a group play them, around what the style's pattern writes.

A pattern's own strokes stay. Drums that it leaves `free` are played from a feel of the group that suits the written
ones and the energy; to the others it only adds ghost notes, opened hats and stray kicks, by the style's `liberty`.
"""

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from musicgen.composer.grid import HOLD, REST
from musicgen.composer.groove import Feel, Groove
from musicgen.composer.style import Pattern

STEPS = 16  # of a bar of 4/4
STEP = 0.25  # quarter notes
LOUD, SOFT = "x", "g"
FAMILIES = {
    "kick": "kick", "snare": "snare", "rim": "snare", "clap": "snare", "hat": "time", "open_hat": "time",
    "ride": "time", "bell": "time", "crash": "time", "pedal_hat": "foot", "tom_low": "toms", "tom_mid": "toms",
    "tom_high": "toms",
}  # fmt: skip
FEET = frozenset({"kick", "pedal_hat"})
TIME_KEEPERS = frozenset(voice for voice, family in FAMILIES.items() if family == "time")
HANDS = 2
# What a drummer adds to drums that are written, beside which of them; full strokes only to some.
ADDED_BESIDE = {"kick": "kick", "snare": "snare", "hat": "hat", "open_hat": "hat"}
ADDED_LOUD = frozenset({"kick", "open_hat"})
# How much the written strokes and the energy decide about the feel.
FIT, ENERGY_WIDTH = 0.5, 0.4
SUREST = 0.95  # a feel is never surer of a stroke, or of none, than this
# Of chances below this, a drum that is written takes no full strokes.
USUAL = 0.15

# The usual bar of a material is nearer than chance to what its feel is surest of; its variations are drawn by chance.
SHARPNESS = 1.5

# The families whose written strokes tell a feel, and their drums.
TOLD_BY = {"kick": ("kick",), "snare": ("snare", "rim")}

Cell = tuple[str, int]
BarOfCells = dict[Cell, str]
# By family, for each step: the logarithms of the chances of no stroke and of one.
Likelihoods = dict[str, list[tuple[float, float]]]


@dataclass(frozen=True, slots=True)
class FeelPlayer:
    """A drummer of a group; equal names of materials and bars give equal bars.

    Attributes:
        groove: how the group plays.
        liberty: how much is added to drums that are written, 0 to 1.
        seed: names the streams of randomness.
        likelihoods: of each of the groove's feels.
    """

    groove: Groove
    liberty: float
    seed: str
    likelihoods: tuple[Likelihoods, ...]

    @classmethod
    def of(cls, groove: Groove, liberty: float, seed: str) -> Self:
        """Seat a drummer of a group."""
        return cls(groove, liberty, seed, tuple(_likelihoods(feel) for feel in groove.feels))

    def bar(self, pattern: Pattern, written: BarOfCells, name: str, number: int, energy: float) -> BarOfCells:
        """Play the written cells of a bar of 4/4 and what the drummer adds.

        `name` stands for the material and its pattern: the same name returns to the same groove, which `number`, the
        bar of the piece, varies by the group's habit. Even and odd bars may differ.
        """
        chances = self._chances(pattern, written, self._feel(pattern, written, name, energy))
        usual_chances = {cell: (_sharp(full), _sharp(ghost)) for cell, (full, ghost) in chances.items()}
        usual = _draw(usual_chances, random.Random(f"{self.seed}/{name}/0"))
        if number % 2:
            usual = self._follow(usual, usual_chances, random.Random(f"{self.seed}/{name}/1"))
        return playable(written, self._follow(usual, chances, random.Random(f"{self.seed}/bar/{number}")))

    def _feel(self, pattern: Pattern, written: BarOfCells, name: str, energy: float) -> Feel:
        fits = self._fits(pattern, written)
        weights = [
            feel.share * math.exp(FIT * (fit - max(fits)) - ((feel.energy - energy) / ENERGY_WIDTH) ** 2 / 2)
            for feel, fit in zip(self.groove.feels, fits, strict=True)
        ]
        return random.Random(f"{self.seed}/{name}/feel").choices(self.groove.feels, weights)[0]

    def _fits(self, pattern: Pattern, written: BarOfCells) -> list[float]:
        """Return the log-likelihood of the written full strokes of kick and snare under each feel."""
        fits = [0.0] * len(self.likelihoods)
        for family in TOLD_BY:
            struck = {
                step for (voice, step), symbol in written.items() if FAMILIES.get(voice) == family and symbol in "xX"
            }
            if struck and family not in pattern.free:
                is_struck = [step in struck for step in range(STEPS)]
                for i, likelihoods in enumerate(self.likelihoods):
                    fits[i] += sum(step[hit] for step, hit in zip(likelihoods[family], is_struck, strict=True))
        return fits

    def _chances(self, pattern: Pattern, written: BarOfCells, feel: Feel) -> dict[Cell, tuple[float, float]]:
        """Return the chances of a full and of a soft stroke, of the cells where the drummer may add one."""
        voices = {voice for voice, _ in written}
        chances: dict[Cell, tuple[float, float]] = {}
        for voice in (*feel.loud, *(voice for voice in feel.soft if voice not in feel.loud)):
            family = FAMILIES[voice]
            loud, soft = (grids.get(voice, (0.0,) * STEPS) for grids in (feel.loud, feel.soft))
            for step in range(STEPS):
                full, ghost = loud[step], soft[step]
                if family not in pattern.free:
                    if ADDED_BESIDE.get(voice) not in voices or (voice, step) in written:
                        continue
                    adds = full >= USUAL and voice in ADDED_LOUD
                    full, ghost = full * self.liberty * adds, ghost * self.liberty
                if full or ghost:
                    chances[voice, step] = full, ghost
        return chances

    def _follow(self, bar: BarOfCells, chances: Mapping[Cell, tuple[float, float]], rng: random.Random) -> BarOfCells:
        """Draw a bar whose cells are, as often as the habit says, those of `bar`."""
        keep = math.sqrt(self.groove.habit)
        fresh = _draw(chances, rng)
        source = {cell: bar if rng.random() < keep else fresh for cell in chances}
        return {cell: bars[cell] for cell, bars in source.items() if cell in bars}


def cells_of(grids: Mapping[str, str]) -> BarOfCells:
    """Read one-bar grids of at most 16 steps as cells."""
    return {
        (voice, i * STEPS // len(grid)): symbol
        for voice, grid in grids.items()
        for i, symbol in enumerate(grid)
        if symbol not in (REST, HOLD)
    }


def grids_of(bar: BarOfCells) -> dict[str, str]:
    """Write cells as one-bar grids of 16 steps."""
    voices = dict.fromkeys(voice for voice, _ in bar)
    return {voice: "".join(bar.get((voice, step), REST) for step in range(STEPS)) for voice in voices}


def _draw(chances: Mapping[Cell, tuple[float, float]], rng: random.Random) -> BarOfCells:
    drawn = {}
    for cell, (full, ghost) in chances.items():
        chance = rng.random()
        if chance < full + ghost:
            drawn[cell] = LOUD if chance < full else SOFT
    return drawn


def _sharp(chance: float) -> float:
    """Make likely strokes likelier and unlikely ones rarer."""
    return chance**SHARPNESS / (chance**SHARPNESS + (1 - chance) ** SHARPNESS)


def _likelihoods(feel: Feel) -> Likelihoods:
    """Tell for each family that feels are known by, and each step, how likely no stroke is and how likely one."""
    told: Likelihoods = {}
    for family, voices in TOLD_BY.items():
        loud = [feel.loud.get(voice, (0.0,) * STEPS) for voice in voices]
        surest = [min(max(*chances, 1 - SUREST), SUREST) for chances in zip(*loud, strict=True)]
        told[family] = [(math.log(1 - chance), math.log(chance)) for chance in surest]
    return told


def playable(written: BarOfCells, added: BarOfCells) -> BarOfCells:
    """Join bars so that one drummer can play them: on a step two hands, one of them on a hat or cymbal."""
    bar = dict(written)
    for (voice, step), symbol in sorted(added.items(), key=lambda cell: (cell[1] != LOUD, cell[0])):
        hands = {other for other, at in bar if at == step and other not in FEET}
        if voice in FEET or (len(hands) < HANDS and not (voice in TIME_KEEPERS and hands & TIME_KEEPERS)):
            bar.setdefault((voice, step), symbol)
        elif voice == "open_hat" and "hat" in hands:
            bar["open_hat", step] = bar.pop(("hat", step))
    return bar
