"""Weighing the hits: mood, energy, tempo words, suggested styles. Pure arithmetic on what `scopes.py` left."""

import math
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise

from musicgen.composer.lexicon import Entry
from musicgen.composer.prompt.hits import Hit
from musicgen.options import MAX_TEMPO, MIN_TEMPO

# "Not sad" is a little glad; "not fast" a little slow.
REFUSED_STRENGTH = -0.4
REFUSED_WEIGHT = 0.6
MAX_STRENGTH = 1.7
# Only moods this near to each other, in tokens, contradict; in a long prompt they may be a story.
OPPOSED_REACH = 4
# The tempo that is neither slow nor fast.
MIDDLE_TEMPO = 100.0
# The first suggestion of an entry counts in full, the next ones less.
SUGGESTION_SHARES = (1.0, 0.6, 0.4, 0.3, 0.2)


@dataclass(frozen=True, slots=True)
class Weighed:
    """A value and the words that speak for it."""

    value: float
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TempoWords:
    """A range of tempos, the words for it, and the words that contradict them and lost."""

    low: float
    high: float
    words: tuple[str, ...]
    overruled: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Meaning:
    """A meaning that the prompt carries, where, and how strongly: 1 as the lexicon says, below 0 turned round."""

    hit: Hit
    entry: Entry
    strength: float


def meanings_of(hits: Sequence[Hit]) -> list[Meaning]:
    """List all meanings of content with their strengths, in order."""
    return [
        Meaning(hit, entry, REFUSED_STRENGTH if hit.negated else max(min(hit.strength, MAX_STRENGTH), -1.0))
        for hit in hits
        for entry in hit.entries
        if entry.role is None
    ]


def weigh(meanings: Sequence[Meaning], field: str, middle: float, low: float, high: float) -> Weighed | None:
    """Average what the words say of `valence`, `arousal` or `brightness`, as distances from `middle`, within limits."""
    total = weights = 0.0
    words = []
    for meaning in meanings:
        hit, entry, strength = meaning.hit, meaning.entry, meaning.strength
        value = getattr(entry, field)
        if value is not None:
            weight = entry.weight * (REFUSED_WEIGHT if hit.negated else 1.0)
            total += weight * min(max(middle + (value - middle) * strength, low), high)
            weights += weight
            words.append(hit.words)
    return Weighed(round(total / weights, 3), tuple(dict.fromkeys(words))) if words else None


def opposed(meanings: Sequence[Meaning], field: str, low: float, high: float) -> tuple[str, str] | None:
    """Find two neighbouring moods of which one says less than `low` and the other more than `high`."""
    said = [
        (getattr(m.entry, field), m.hit)
        for m in meanings
        if m.strength > 0 and m.entry.weight == 1 and getattr(m.entry, field) is not None
    ]
    for (value, hit), (next_value, next_hit) in pairwise(said):
        apart = next_hit.first - hit.last
        if min(value, next_value) < low and max(value, next_value) > high and apart <= OPPOSED_REACH:
            return hit.words, next_hit.words
    return None


def weigh_tempo(meanings: Sequence[Meaning]) -> TempoWords | None:
    """Narrow the tempo by every word for it; of two that exclude each other the first wins."""
    result: TempoWords | None = None
    for meaning in meanings:
        hit, entry, strength = meaning.hit, meaning.entry, meaning.strength
        if entry.tempo is None:
            continue
        low, high = sorted(_bend(tempo, strength) for tempo in entry.tempo)
        if result is None:
            result = TempoWords(low, high, (hit.words,), ())
        elif max(low, result.low) < min(high, result.high):
            result = TempoWords(
                max(low, result.low), min(high, result.high), (*result.words, hit.words), result.overruled
            )
        elif hit.negated:  # "not too fast, not too slow": anything between
            result = TempoWords(
                min(low, result.low), max(high, result.high), (*result.words, hit.words), result.overruled
            )
        else:
            result = TempoWords(result.low, result.high, result.words, (*result.overruled, hit.words))
    return result


def _bend(tempo: float, strength: float) -> float:
    """Move a tempo away from the middle ("very") or back and beyond it ("not")."""
    bent = MIDDLE_TEMPO * (tempo / MIDDLE_TEMPO) ** strength
    return round(min(max(bent, MIN_TEMPO), MAX_TEMPO), 1)


def weigh_tempo_factor(meanings: Sequence[Meaning]) -> float:
    """Multiply what scenes and comparatives ("faster") do to a style's tempo, 0.7 to 1.4."""
    once = {meaning.entry.name: meaning for meaning in meanings if not meaning.hit.negated}
    factor = math.prod(meaning.entry.tempo_factor**meaning.strength for meaning in once.values())
    return round(min(max(factor, 0.7), 1.4), 3)


def style_votes(meanings: Sequence[Meaning], allowed: Collection[str]) -> dict[str, float]:
    """Count how much scenes, moods and instruments speak for each style."""
    votes: defaultdict[str, float] = defaultdict(float)
    for entry in {m.entry.name: m.entry for m in meanings if m.strength > 0}.values():
        for style, share in zip(entry.styles, SUGGESTION_SHARES, strict=False):
            if style in allowed:
                votes[style] += (entry.style_weight or entry.weight) * share
    return dict(votes)


def suggest_styles(meanings: Sequence[Meaning], allowed: Collection[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Rank the styles that scenes, moods and instruments suggest, with the words that did."""
    votes = style_votes(meanings, allowed)
    asking = {m.entry.name: m.hit.words for m in meanings if m.strength > 0 and m.entry.styles}
    return tuple(sorted(votes, key=votes.__getitem__, reverse=True)), tuple(dict.fromkeys(asking.values()))
