"""Harmony: chord progressions drawn from a style's own loops and from the statistics of real songs.

The statistics (`statistics/harmony.json`, made by `training/statistics.py`) say how often each chord follows each pair
of chords in a corpus and mode. Several progressions are drawn and the one that closes best into its own repeat is kept.
"""

import json
import math
import random
from collections.abc import Mapping
from functools import cache
from itertools import accumulate
from pathlib import Path

from musicgen.composer.chords import Chord
from musicgen.composer.style import HarmonyStyle

START, END = "^", "$"
N_CANDIDATES = 24
# How strongly a longer context outweighs a shorter one: a pair of chords seen this often counts as much as one chord.
BACKOFF_COUNT = 12.0
# What a progression loses by each repeated chord, and gains by touching the tonic and once more by beginning on it.
PLAIN_COST, HOME_GAIN = 0.8, 2.0
# A table with fewer contexts than these tells too little.
LEAST_CONTEXTS = 40
# A statistic is only kept for major and minor; other modes live from loops that show their colour.
MODAL_LOOPS: Mapping[str, tuple[str, ...]] = {
    "dorian": ("i | IV | i | IV", "i | bVII | IV | i", "i | ii | bIII | IV", "i7 | IV7 | i7 | IV7"),
    "phrygian": ("i | bII | i | bII", "i | bII | bvii | i", "i | bVI | bII | i"),
    "lydian": ("I | II | I | II", "I | II | vii | I", "I | vi | II | I"),
    "mixolydian": ("I | bVII | IV | I", "I | v | IV | I", "I | bVII | I | IV"),
}
CADENCES: Mapping[str, str] = {
    "major": "IV V",
    "minor": "iv V",
    "dorian": "bVII IV",
    "phrygian": "bvii bII",
    "lydian": "vii II",
    "mixolydian": "IV bVII",
}
MINOR_TONICS = frozenset({"minor", "dorian", "phrygian"})
DOMINANT_ROOTS = frozenset({2, 4, 7, 9, 11})

Bars = tuple[tuple[Chord, ...], ...]
# How often each chord follows a context of one chord ("V") or two ("IV V").
Table = Mapping[str, Mapping[str, int]]
Source = tuple[str, str]  # the corpus and the mode of a table


@cache
def _statistics() -> dict[str, dict[str, dict[str, dict[str, int]]]]:
    path = Path(__file__).with_name("statistics") / "harmony.json"
    statistics: dict[str, dict[str, dict[str, dict[str, int]]]] = json.loads(path.read_text(encoding="utf-8"))
    return statistics


def _table(source: Source) -> Table:
    corpus, mode = source
    return _statistics()[corpus][mode]


def write_chords(style: HarmonyStyle, mode: str, n_bars: int, rng: random.Random) -> Bars:
    """Write the chords of `n_bars` bars; each bar holds one or more chords of equal length."""
    loops = style.loops.get(mode) or MODAL_LOOPS.get(mode)
    if loops and (mode in MODAL_LOOPS or rng.random() < style.loop_share):
        bars = parse_bars(rng.choice(loops))
    else:
        bars = _draw_phrase(style, mode, n_bars, rng)
    bars = tuple(bars[i % len(bars)] for i in range(n_bars))
    return _colour(bars, style, mode, rng)


def write_cadence(style: HarmonyStyle, mode: str) -> tuple[Chord, ...]:
    """Return the chords of the bar that leads into the last chord."""
    return parse_bars(style.cadence.get(mode, CADENCES[mode]))[0]


def final_chord(style: HarmonyStyle, mode: str) -> Chord:
    """Return the tonic chord on which the piece ends, as rich as the style's harmony usually is."""
    if mode in MINOR_TONICS:
        return Chord(0, "min9" if style.ninths > 0.5 else "min7" if style.sevenths > 0.6 else "min")
    return Chord(0, "maj9" if style.ninths > 0.5 else "maj7" if style.sevenths > 0.6 else "maj")


def parse_bars(text: str) -> Bars:
    """Read numerals, bars separated by "|"; see `Chord.parse`."""
    return tuple(tuple(Chord.parse(numeral) for numeral in bar.split()) for bar in text.split("|"))


def _draw_phrase(style: HarmonyStyle, mode: str, n_bars: int, rng: random.Random) -> Bars:
    """Draw a phrase half as long as wanted and play it twice, the second time with an ending of its own."""
    half = max(1, min(4, n_bars // 2) // style.bars_per_chord)
    source = style.corpus if len(_table((style.corpus, mode))) >= LEAST_CONTEXTS else "pop", mode
    loop = _best_loop(source, half, rng)
    answer = [*loop[: half // 2], *_best_loop(source, half - half // 2, rng, before=loop[: half // 2])]
    numerals = [*loop, *(answer if rng.random() < 0.5 else loop)]
    bars: list[tuple[Chord, ...]] = [
        (Chord.parse(numeral),) for numeral in numerals for _ in range(style.bars_per_chord)
    ]
    return tuple(_split(bars, style, _table(source), rng))


def _split(
    bars: list[tuple[Chord, ...]], style: HarmonyStyle, table: Table, rng: random.Random
) -> list[tuple[Chord, ...]]:
    """Put a second, connecting chord into some of the even bars."""
    for i in range(1, len(bars), 2):
        if rng.random() < 2 * style.split:
            here, there = bars[i][0].numeral, bars[(i + 1) % len(bars)][0].numeral
            follows = {c: n for c, n in table.get(here, {}).items() if c not in (END, here, there)}
            weights = {c: math.sqrt(n * table.get(c, {}).get(there, 0)) for c, n in follows.items()}
            links = {c: weight for c, weight in weights.items() if weight}
            if links:
                bars[i] = (bars[i][0], Chord.parse(rng.choices(list(links), list(links.values()))[0]))
    return bars


def _best_loop(source: Source, n_chords: int, rng: random.Random, before: list[str] | None = None) -> list[str]:
    """Draw several progressions; keep the one that closes best into its repeat, feels at home and is not too plain."""
    drawn = [_walk(source, n_chords, rng, before or []) for _ in range(N_CANDIDATES)]

    def closing(loop: list[str]) -> float:
        first, last = (before or loop)[0], loop[-1]
        plain = len(loop) - len(set(loop))
        roots = [Chord.parse(numeral).offset for numeral in [*(before or []), *loop]]
        home = (0 in roots) + (roots[0] == 0)
        return math.log(_chances(source, "", last).get(first, 0.001) + 0.001) - PLAIN_COST * plain + HOME_GAIN * home

    return max(drawn, key=closing)


def _walk(source: Source, n_chords: int, rng: random.Random, before: list[str]) -> list[str]:
    """Draw `n_chords` numerals, each by the two before it."""
    chords = [START, START, *before]
    for _ in range(n_chords):
        followers, reached = _followers(source, *chords[-2:])
        chords.append(rng.choices(followers, cum_weights=reached)[0] if followers else "I")
    return chords[2 + len(before) :]


@cache
def _followers(source: Source, second_last: str, last: str) -> tuple[tuple[str, ...], tuple[float, ...]]:
    """Give the other chords that may follow two, and the sums of their chances up to each."""
    chances = {c: p for c, p in _chances(source, second_last, last).items() if c not in (END, last)}
    return tuple(chances), tuple(accumulate(chances.values()))


def _chances(source: Source, second_last: str, last: str) -> dict[str, float]:
    """Mix what follows the last two chords with what follows the last one, by how often each context was seen."""
    table = _table(source)
    pair, single = table.get(f"{second_last} {last}", {}), table.get(last, table[START])
    trust = sum(pair.values()) / (sum(pair.values()) + BACKOFF_COUNT)
    chances: dict[str, float] = {}
    for share, counts in ((trust, pair), (1 - trust, single)):
        total = sum(counts.values())
        for numeral, count in counts.items():
            chances[numeral] = chances.get(numeral, 0.0) + share * count / total
    return chances


def _colour(bars: Bars, style: HarmonyStyle, mode: str, rng: random.Random) -> Bars:
    """Turn triads into sevenths and sevenths into ninths as often as the style does, each chord always the same way."""
    chords = dict.fromkeys(chord for bar in bars for chord in bar)
    coloured = {
        chord: _enrich(chord, mode, rng.random() < style.sevenths, rng.random() < style.ninths) for chord in chords
    }
    return tuple(tuple(coloured[chord] for chord in bar) for bar in bars)


def _enrich(chord: Chord, mode: str, seventh: bool, ninth: bool) -> Chord:
    quality = chord.quality
    if seventh and quality == "maj":
        dominant = chord.offset in DOMINANT_ROOTS or (chord.offset == 10 and mode in MINOR_TONICS)
        quality = "7" if dominant else "maj7"
    elif seventh and quality == "min":
        quality = "min7"
    if ninth:
        quality = {"maj7": "maj9", "min7": "min9", "7": "9", "maj": "add9"}.get(quality, quality)
    return Chord(chord.offset, quality)
