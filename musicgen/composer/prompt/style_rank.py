"""Which of several named styles is meant: the noun before its colours, the exact before the vague, the first."""

from collections.abc import Sequence

from musicgen.composer.prompt.hits import Hit

# How many hits before a style a "with" may stand.
LEAD_IN = 3
# Languages that put the noun before what describes it.
HEAD_FIRST_LANGUAGES = frozenset({"es", "fr", "it", "pt"})


def rank_styles(hits: Sequence[Hit], language: str | None) -> list[Hit]:
    """Return the hits that name a style and are not refused, the most meant first."""
    named = [index for index, hit in enumerate(hits) if hit.style and not hit.negated]

    def rank(index: int) -> tuple[bool, bool, bool, int, int]:
        hit = hits[index]
        is_seasoning = index > named[0] and _is_led_in(hits, index)
        is_modifier = language not in HEAD_FIRST_LANGUAGES and _is_modifier(hits, index)
        return is_seasoning, _is_scene(hit), is_modifier, -_n_words(hit), index

    return [hits[index] for index in sorted(named, key=rank)]


def _is_led_in(hits: Sequence[Hit], index: int) -> bool:
    """Tell whether "with" or "and" brings the style in: "jazz with a hip hop beat" is jazz."""
    return any(hit.has_role("feature", "and") for hit in hits[max(index - LEAD_IN, 0) : index])


def _is_scene(style: Hit) -> bool:
    """Tell whether the word is also a mood or a scene ("epic"): less of a style than one that is nothing else."""
    return any(entry.styles and not entry.instruments for entry in style.entries)


def _is_modifier(hits: Sequence[Hit], index: int) -> bool:
    """Tell whether a style only colours the one right after it: "jazz house" is house."""
    following = hits[index + 1 : index + 2]
    return (
        bool(following)
        and following[0].style not in (None, hits[index].style)
        and following[0].first == hits[index].last
    )


def _n_words(hit: Hit) -> int:
    return len(hit.words.replace("-", " ").split())
