"""Tempo in figures: "80 bpm", "tempo: 92.5", "between 90 and 100 bpm", "♩=72", and their like in ten languages.

A number counts only beside a word for beats a minute or for tempo, so years, durations and 808s stay what they are.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from musicgen.options import MAX_TEMPO, MIN_TEMPO

_DIGIT = re.compile(r"\d")
_NUMBER = r"(?<!\d)(?<!\d[.,/:])(\d{1,4}(?:[.,]\d{1,2})?)(?![\d/]|[.,]\d)"
_TO = r"\s?(?:-|~|\bto\b|\band\b|\bor\b|\by\b|\ba\b|\bet\b|\be\b|\bund\b|\bbis\b|\bдо\b|\bи\b|から|到|至|에서)\s?"
_UNIT = (
    r"\s?-?\s?(?:(?:b\.?p\.?m|ppm|beats?\s?(?:per|a|/|p\.?)\s?min(?:ute)?|pulsaciones(?: por minuto)?|"
    r"pulsos por minuto|"
    r"battements? (?:par|a la) minute|battiti al minuto|schlage?n? (?:pro|die) minute|batidas? por minuto|"
    r"quarter notes (?:per|a) minute|удар\w* в минуту|уд\.?\s?/?\s?(?:в )?мин\w*)"
    r"(?![^\W\d_])|비피엠|拍/分|拍每分|拍(?!子))"
)
_BEFORE = (
    r"(?:(?<![^\W\d_])(?:bpm|tempo|темп|quarter(?: note)?|crotchet|viertel|noire|negra|seminima)(?![^\W\d_])|"
    r"テンポ|ビート|速度|节奏|節奏|拍速|템포|빠르기|"
    r"분당|毎分|每分钟|每分鐘|♩|𝅘𝅥)"
    r"\s?(?:(?:of|is|at|about|around|circa|ca|de|von|da|set to)\b\.?|は|를|을|为|是|約|约|:|=)?"
    r"\s?(?:=|~|around\b|about\b)?\s?"
)
# "80拍" may count the beats of a bar; a tempo that low would be a typing error.
_LEAST_WITHOUT_UNIT = 20
_FIGURES = re.compile(rf"{_NUMBER}(?:{_TO}{_NUMBER})?(\+)?{_UNIT}")
_TEMPO_FIRST = re.compile(rf"{_BEFORE}{_NUMBER}(?:{_TO}{_NUMBER})?(\+)?(?!\s?(?:%|percent|seconds?\b|secs?\b))")
_BARE = re.compile(rf"\bat {_NUMBER}()()(?=\s?(?:$|[,.;!?\n)]|in\b|with\b|and\b))")
_AFTER_STYLE = re.compile(r" (\d{2,3})()()(?=\s?(?:$|[,.;!?\n]))")
_AFTER_STYLE_RANGE = (60, 200)
_AT_MOST = re.compile(
    r"\b(?:under|below|less than|slower than|up to|max(?:imum)?|at most|(?:no|not) (?:more|faster|higher) than|"
    r"menos de|"
    r"moins de|unter|maximal|hochstens|meno di|abaixo de|не быстрее|меньше|до)\s?(?:of )?$"
)
_AT_LEAST = re.compile(
    r"\b(?:over|above|more than|faster than|at least|min(?:imum)?|(?:no|not) (?:less|slower) than|mas de|plus de|uber|"
    r"mindestens|piu di|acima de|не медленнее|больше|свыше)\s?(?:of )?$"
)
_LONGEST_BOUND = 20
# "Over 140 bpm" does not mean 240: the open side of a range ends this much further.
_BOUND_SPAN = 1.3


@dataclass(frozen=True, slots=True)
class TempoFigure:
    """A tempo in the text: `low` equals `high` where it is exact; quarter notes a minute, not yet limited."""

    low: float
    high: float
    start: int
    end: int


def find_tempos(folded: str, style_ends: Iterable[int] = ()) -> list[TempoFigure]:
    """Find the tempos that are given in figures, in order, none twice.

    A bare number counts right after a style ("techno 140"), whose ends are `style_ends`.
    """
    if not _DIGIT.search(folded):
        return []
    figures: list[TempoFigure] = []
    taken = bytearray(len(folded))
    bare = (match for match in (_AFTER_STYLE.match(folded, end) for end in style_ends) if match)
    least, most = _AFTER_STYLE_RANGE
    for match in (
        *_FIGURES.finditer(folded),
        *_TEMPO_FIRST.finditer(folded),
        *_BARE.finditer(folded),
        *(match for match in bare if least <= int(match[1]) <= most),
    ):
        figure = _figure(match, folded, has_unit=match.re is _FIGURES and "拍" not in match[0])
        if figure and not any(taken[figure.start : figure.end]):
            taken[figure.start : figure.end] = b"\1" * (figure.end - figure.start)
            figures.append(figure)
    return sorted(figures, key=lambda figure: figure.start)


def _figure(match: re.Match[str], folded: str, has_unit: bool) -> TempoFigure | None:
    low = float(match[1].replace(",", "."))
    high = float(match[2].replace(",", ".")) if match[2] else low
    if high < low or high > 3 * low:  # "take 2 and 120 bpm" is no range
        low = high
    if high <= 0 or (not has_unit and high < _LEAST_WITHOUT_UNIT):
        return None
    before = folded[max(0, match.start() - _LONGEST_BOUND) : match.start()]
    if low == high and MIN_TEMPO < low < MAX_TEMPO:
        if match[3] or _AT_LEAST.search(before):
            high = min(low * _BOUND_SPAN, MAX_TEMPO)
        elif _AT_MOST.search(before):
            low = max(low / _BOUND_SPAN, MIN_TEMPO)
    return TempoFigure(low, high, match.start(), match.end())


def fit_tempo(tempo: float) -> float:
    """Bring a tempo into 40 to 240: by an octave (twice or half as fast) if that is enough, else to the limit."""
    for octave in (tempo, tempo * 2, tempo / 2):
        if MIN_TEMPO <= octave <= MAX_TEMPO:
            return octave
    return MIN_TEMPO if tempo < MIN_TEMPO else MAX_TEMPO
