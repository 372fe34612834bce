"""Weighing the hits: mood, energy, tempo words, suggested styles. Pure arithmetic on what `scopes.py` left."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from musicgen.composer.lexicon import Entry
from musicgen.composer.prompt.hits import Hit
from musicgen.options import MAX_TEMPO, MIN_TEMPO

# "Not sad" is a little glad; "not fast" a little slow.
REFUSED_STRENGTH = -0.4
REFUSED_WEIGHT = 0.6
MAX_STRENGTH = 1.7
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


def _meanings(hits: Sequence[Hit]) -> Iterator[tuple[Hit, Entry, float]]:
    """Go through all meanings of content with their strengths."""
    for hit in hits:
        strength = REFUSED_STRENGTH if hit.negated else max(min(hit.strength, MAX_STRENGTH), -1.0)
        for entry in hit.entries:
            yield hit, entry, strength


def weigh(hits: Sequence[Hit], field: str, middle: float, low: float, high: float) -> Weighed | None:
    """Average what the hits say of `valence`, `arousal` or `brightness`, as distances from `middle`, within limits."""
    total = weights = 0.0
    words = []
    for hit, entry, strength in _meanings(hits):
        value = getattr(entry, field)
        if value is not None:
            weight = entry.weight * (REFUSED_WEIGHT if hit.negated else 1.0)
            total += weight * min(max(middle + (value - middle) * strength, low), high)
            weights += weight
            words.append(hit.words)
    return Weighed(round(total / weights, 3), tuple(dict.fromkeys(words))) if words else None


def opposed(hits: Sequence[Hit], field: str, low: float, high: float) -> tuple[str, str] | None:
    """Find two moods of which one says less than `low` and the other more than `high`."""
    said = [
        (getattr(entry, field), hit.words)
        for hit, entry, strength in _meanings(hits)
        if strength > 0 and entry.weight == 1 and getattr(entry, field) is not None
    ]
    lows = [words for value, words in said if value < low]
    highs = [words for value, words in said if value > high]
    return (lows[0], highs[0]) if lows and highs else None


def weigh_tempo(hits: Sequence[Hit]) -> TempoWords | None:
    """Narrow the tempo by every word for it; of two that exclude each other the first wins."""
    result: TempoWords | None = None
    for hit, entry, strength in _meanings(hits):
        if entry.tempo is None:
            continue
        low, high = sorted(_bend(tempo, strength) for tempo in entry.tempo)
        if result is None:
            result = TempoWords(low, high, (hit.words,), ())
        elif max(low, result.low) < min(high, result.high):
            result = TempoWords(max(low, result.low), min(high, result.high), (*result.words, hit.words), result.overruled)
        elif hit.negated:  # "not too fast, not too slow": anything between
            result = TempoWords(min(low, result.low), max(high, result.high), (*result.words, hit.words), result.overruled)
        else:
            result = TempoWords(result.low, result.high, result.words, (*result.overruled, hit.words))
    return result


def _bend(tempo: float, strength: float) -> float:
    """Move a tempo away from the middle ("very") or back and beyond it ("not")."""
    bent = MIDDLE_TEMPO * (tempo / MIDDLE_TEMPO) ** strength
    return round(min(max(bent, MIN_TEMPO), MAX_TEMPO), 1)


def weigh_tempo_factor(hits: Sequence[Hit]) -> float:
    """Multiply what scenes and comparatives ("faster") do to a style's tempo, 0.7 to 1.4."""
    factor = 1.0
    for hit, entry, strength in _meanings(hits):
        factor *= entry.tempo_factor ** (strength if not hit.negated else 0.0)
    return round(min(max(factor, 0.7), 1.4), 3)


def suggest_styles(hits: Sequence[Hit], known: Collection[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Rank the styles that scenes, moods and instruments suggest, with the words that did."""
    votes: Counter[str] = Counter()
    words = []
    refused = {hit.style for hit in hits if hit.negated}
    for hit, entry, strength in _meanings(hits):
        if strength > 0 and entry.styles:
            words.append(hit.words)
            for style, share in zip(entry.styles, SUGGESTION_SHARES, strict=False):
                if style in known and style not in refused:
                    votes[style] += entry.weight * share
    return tuple(style for style, _ in votes.most_common()), tuple(dict.fromkeys(words))
