"""Drum fills: how large one is, from the section's exit and what follows, and what is played in it.

The larger the step into what follows, the longer the fill. In styles with a groove the hands walk from drum to drum as
those of its drummers do; a part of the fills, and all in other styles, are the style's written ones, cut to length.
"""

import random

from musicgen.composer.arrangement.timeline import Bar
from musicgen.composer.groove import FILL_STEPS, HANDS, RESTING, FillWalk

FILL_ENERGY = 0.4  # weaker sections go over without a fill
# Beats that a fill may last into something stronger, as strong and weaker, where the section's exit is a fill and where
# it is plain; and within a section, at the end of a phrase.
FILLS = {"fill": ((2, 3, 4, 4), (2, 2, 4), (1, 2)), "plain": ((1, 2, 2), (0, 1, 2), (0, 0, 1))}
NO_FILLS = ((0,), (0,), (0,))
WITHIN = (0, 0, 1)
STRONGER = 0.08
PHRASE = 4  # bars
BIG = 2  # beats from which a fill is answered by a crash
WRITTEN_SHARE = 0.3  # of the written fills where there are learned ones too
# Of so many walks the one with the most strokes is played.
WALKS = 3
STEP = 0.25  # quarter notes
SOFT_START, LOUD_END = "x", "X"


def fill_beats(bar: Bar, following: Bar | None, rng: random.Random) -> int:
    """Draw how many beats at the end of a bar are a fill, 0 is none; `following` is the drummer's next bar."""
    section = bar.section
    if bar.energy < FILL_ENERGY or section.bars < 2 or following is None or following.start > bar.start + bar.length:
        return 0
    if not bar.ends_section:
        return rng.choice(WITHIN) if bar.index % PHRASE == PHRASE - 1 else 0
    rise = following.energy - bar.energy
    stronger, equal, weaker = FILLS.get(section.exit, NO_FILLS)
    return rng.choice(stronger if rise >= STRONGER else equal if rise > -STRONGER else weaker)


def walk_fill(walk: FillWalk, beats: int, rng: random.Random) -> list[tuple[str, int, str]]:
    """Play the last `beats` of a bar of 4/4 as (drum, step of the bar, symbol); it grows to its end."""
    return max((_walk(walk, beats, rng) for _ in range(WALKS)), key=len)


def _walk(walk: FillWalk, beats: int, rng: random.Random) -> list[tuple[str, int, str]]:
    first = 16 - FILL_STEPS * beats
    strokes: list[tuple[str, int, str]] = []
    hand = "snare"
    for step in range(first, 16):
        place = step % FILL_STEPS
        weights = walk.hands[hand][place]
        hand = rng.choices(HANDS, weights)[0] if any(weights) else RESTING
        if hand != RESTING:
            strokes.append((hand, step, LOUD_END if step >= 16 - FILL_STEPS // 2 else SOFT_START))
        if rng.random() < walk.foot[place][HANDS.index(hand)]:
            strokes.append(("kick", step, "x"))
    return strokes
