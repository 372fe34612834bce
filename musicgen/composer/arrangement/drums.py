"""Drums: the style's grids, fleshed out by a drummer where the style names a groove; fills, and crashes after them."""

import random
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import zip_longest

from musicgen.composer.arrangement.feel_player import STEP, STEPS, TIME_KEEPERS, FeelPlayer, cells_of, grids_of
from musicgen.composer.arrangement.fills import BIG, WRITTEN_SHARE, fill_beats, walk_fill
from musicgen.composer.arrangement.timeline import Bar, pattern_choices, pattern_of
from musicgen.composer.casting import Chair
from musicgen.composer.development import all_textures
from musicgen.composer.grid import bars_of, read_bar
from musicgen.composer.groove import GROOVE_METRE, all_grooves
from musicgen.composer.instruments import PERCUSSION
from musicgen.composer.plan import Plan
from musicgen.composer.score import Note
from musicgen.composer.style import Pattern, Style

VELOCITY = {"X": 114, "x": 96, "o": 72, "g": 42}
STRIKE = 0.25  # quarter notes; percussion rings as long as it likes
CRASH_ENERGY = 0.6
FINAL_STRIKES = (("kick", 104), ("crash", 92))


@dataclass(frozen=True, slots=True)
class Stroke:
    """A written stroke: onset in quarters from the start of its bar, drum, and character of the grid."""

    onset: float
    voice: str
    symbol: str


def play_drums(plan: Plan, chair: Chair, bars: Iterable[Bar], ends: bool, rng: random.Random) -> list[Note]:
    """Play the drum part through the player's bars, and the last stroke if the part `ends` the piece.

    `rng` names what is played in each material, its variations and the fills.
    """
    choices, seed = pattern_choices(plan, rng), f"{rng.randrange(2**32)}"
    kit = _Kit(plan, chair, choices, seed, _drummer(plan.style, seed))
    notes: list[Note] = []
    written, filled = list(bars), 0
    for bar, later in zip_longest(written, written[1:]):
        follows = later is not None and later.start < bar.start + bar.length + 1e-6
        beats = kit.fill_beats(bar, later if follows else None)
        strokes = kit.filled(bar, kit.groove(bar), beats)
        if bar.start > 0 and (filled >= BIG or (bar.index == 0 and bar.energy >= CRASH_ENERGY)):
            strokes = kit.with_crash(strokes)
        notes += [Note(bar.start + s.onset, STRIKE, PERCUSSION[s.voice], VELOCITY[s.symbol]) for s in strokes]
        filled = beats
    if ends:
        strikes = FINAL_STRIKES if plan.style.fills else FINAL_STRIKES[:1]
        notes += [Note(plan.ending, STRIKE, PERCUSSION[voice], velocity) for voice, velocity in strikes]
    return notes


@dataclass(frozen=True, slots=True)
class _Kit:
    """What is played in each bar.

    `choices` picks among equal patterns for each material, `seed` names the streams, `drummer` plays around what the
    patterns write.
    """

    plan: Plan
    chair: Chair
    choices: dict[str, int]
    seed: str
    drummer: FeelPlayer | None

    def groove(self, bar: Bar) -> list[Stroke]:
        """Play a bar without its fill."""
        half_time = all_textures()[bar.section.texture].half_time
        index = bar.index // 2 if half_time else bar.index
        strokes = self._groove(bar, index)
        return list(_half(strokes, bar, bar.index % 2)) if half_time else strokes

    def _groove(self, bar: Bar, index: int) -> list[Stroke]:
        pattern = pattern_of(self.chair.layer, bar, self.choices)
        grids = {voice: bars_of(grid)[index % len(bars_of(grid))] for voice, grid in pattern.grids.items()}
        if self.drummer is None:
            return list(self._strokes(bar, grids))
        name = f"{bar.section.material}/{self.chair.layer.patterns.index(pattern)}"
        between = {voice: grid for voice, grid in grids.items() if STEPS % len(grid)}
        cells = cells_of({voice: grid for voice, grid in grids.items() if voice not in between})
        played = self.drummer.bar(pattern, cells, name, bar.section.first_bar + index, bar.energy)
        return list(self._strokes(bar, grids_of(played) | between))

    def _strokes(self, bar: Bar, grids: Mapping[str, str]) -> Iterator[Stroke]:
        """Read one-bar grids, written in the style's metre, as they are played in the piece's."""
        for voice, grid in grids.items():
            for event in read_bar(grid, self.plan.style.time_signature, self.plan.time_signature):
                if event.symbol in VELOCITY and event.onset < bar.length - 1e-6:
                    yield Stroke(event.onset, voice, event.symbol)

    def fill_beats(self, bar: Bar, following: Bar | None) -> int:
        """Draw how many beats at the end of a bar are a fill; 0 is none."""
        if not self._walks() and not self._written_fills(bar):
            return 0
        return fill_beats(bar, following, self._stream("fill", bar))

    def filled(self, bar: Bar, strokes: list[Stroke], beats: int) -> list[Stroke]:
        """Play a fill in the last beats of a bar instead of the groove."""
        if not beats:
            return strokes
        rng, written = self._stream("fill's strokes", bar), self._written_fills(bar)
        beat = 4 / self.plan.time_signature.unit
        start = max(0.0, self.plan.time_signature.bar_quarters - beats * beat)
        if not self._walks() or (written and rng.random() < WRITTEN_SHARE):
            fill = list(self._strokes(bar, rng.choice(written).grids))
        else:
            walk = all_grooves()[self.plan.style.groove or ""].fills
            fill = [Stroke(step * STEP, voice, symbol) for voice, step, symbol in walk_fill(walk, beats, rng)]
        end = min(bar.length, self.plan.time_signature.bar_quarters)
        return [s for s in strokes if s.onset < start - 1e-6] + [
            s for s in fill if start - 1e-6 <= s.onset < end - 1e-6
        ]

    def with_crash(self, strokes: list[Stroke]) -> list[Stroke]:
        """Strike a crash on the first beat, with the hand that kept time; only styles with fills have one."""
        if not self.plan.style.fills:
            return strokes
        kept = [s for s in strokes if s.onset > 1e-6 or s.voice not in TIME_KEEPERS]
        return [Stroke(0.0, "crash", "x"), *kept]

    def _walks(self) -> bool:
        """Whether there are learned fills to play: they are in one metre only."""
        return self.drummer is not None and self.plan.time_signature == GROOVE_METRE

    def _written_fills(self, bar: Bar) -> list[Pattern]:
        return [fill for fill in self.plan.style.fills if fill.energy <= bar.energy]

    def _stream(self, name: str, bar: Bar) -> random.Random:
        return random.Random(f"{self.seed}/{name}/{bar.section.first_bar + bar.index}")


def _drummer(style: Style, seed: str) -> FeelPlayer | None:
    """Seat the drummer of the style's groove; feels are in one metre only."""
    if style.groove is None or style.time_signature != GROOVE_METRE:
        return None
    return FeelPlayer.of(all_grooves()[style.groove], style.liberty, f"{seed}/feels")


def _half(strokes: list[Stroke], bar: Bar, half: int) -> Iterator[Stroke]:
    """Stretch the first or second half of a bar over the whole of it."""
    start = half * bar.length / 2
    for stroke in strokes:
        if start - 1e-6 <= stroke.onset < start + bar.length / 2 - 1e-6:
            yield replace(stroke, onset=(stroke.onset - start) * 2)
