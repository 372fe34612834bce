"""Time signatures, eras and lengths in the text: "6/8", "in five", "the 80s", "2 minutes".

Eras that have names ("baroque") and dances that have a metre ("waltz") are words of the lexicon.
"""

import re
from dataclasses import dataclass

from musicgen.notation import TimeSignature

_FRACTION = re.compile(r"(?<![\d/.])(\d{1,2})\s?/\s?(2|4|8|16)(?![\d/])(?!\s?(?:of|cup|price|off|star|mile)\b)")
_COUNTS = {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "nine": 9, "twelve": 12}
_COUNT = "|".join(_COUNTS)
_IN_COUNT = re.compile(rf"\bin (\d{{1,2}}|{_COUNT})(?=\s?(?:$|[,.;!?\n)]|(?:time|meter|metre|feel|at|with)\b))")
_SPOKEN = re.compile(
    rf"\b({_COUNT})[\s-](quarter|four|eight)s?(?=\s(?:time|meter|metre|feel|beat|groove|rhythm|signature)\b|$|[,.;])"
)
# 四分の三拍子, 四分之三拍, 4분의 3박자, 3拍子, 3박자, 三拍子
_HAN_COUNTS = {"二": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9}
_EASTERN = re.compile(
    r"(?:([48四八])\s?(?:分の|分之|분의)\s?)?(\d{1,2}|[二三四五六七九])\s?(?:拍子|박자|(?<=[二三四五六七九])拍)"
)
_UNITS = {"4": 4, "8": 8, "四": 4, "八": 8, None: 4}

_DECADE = re.compile(
    r"(?<![\d.])(?:(?P<century>19|20)(?P<full>\d)0|(?P<short>[5-9]0)|"
    r"(?P<marked>(?:(?<=the )|(?<=')|(?<=early )|(?<=late )|(?<=mid ))[0-4]0))\s?"
    r"(?:'?s\b|er\b|ern\b|-?х\b|-?е\b|年代|년대)"
)
_DECADE_AFTER = re.compile(r"\b(?:anos|anni|annees|les annees|decada de(?: los)?)\s?(?:los )?'?(?:19|20)?(\d)0\b")
_YEAR = re.compile(r"(?<![\d$#-])(?<!\d[.,:])(19\d|20[012])\d(?![\d.,:%]\d|\d|s?\s?(?:bpm|hz|people|times))")
_LENGTH = re.compile(
    r"(?<!\d)(?<!\d[.,:])(\d{1,4}(?:[.,]\d)?)[\s-]?(seconds?|secs?|minutes?|mins?|hours?|segundos?|minutos?|secondes?|sekunden?|minuten?|"
    r"secondi|minuti|секунд\w*|минут\w*|秒|分钟|分鐘|분(?=짜리|\s?길이|$)|초)(?![^\W\d_])"
)


@dataclass(frozen=True, slots=True)
class Figure:
    """Something said in figures: `value` in words for people ("1980s", "7/8"), and where it stands."""

    value: str
    start: int
    end: int


def find_time_signatures(folded: str) -> list[Figure]:
    """Find the time signatures that are named by numbers, in order, as they were asked ("7/16"), possible or not."""
    found = [Figure(f"{int(m[1])}/{m[2]}", m.start(), m.end()) for m in _FRACTION.finditer(folded) if int(m[1]) > 1]
    for m in _IN_COUNT.finditer(folded):
        beats = _COUNTS.get(m[1]) or int(m[1])
        if 2 <= beats <= 12:
            found.append(Figure(f"{beats}/{8 if beats in (6, 7, 9, 12) else 4}", m.start(), m.end()))
    for m in _SPOKEN.finditer(folded):
        found.append(Figure(f"{_COUNTS[m[1]]}/{8 if m[2] == 'eight' else 4}", m.start(), m.end()))
    for m in _EASTERN.finditer(folded):
        beats = _HAN_COUNTS.get(m[2]) or int(m[2])
        if 2 <= beats <= 12:
            unit = 8 if beats in (6, 9, 12) else _UNITS[m[1]]
            found.append(Figure(f"{beats}/{unit}", m.start(), m.end()))
    return sorted(found, key=lambda figure: figure.start)


def nearest_time_signature(asked: str) -> TimeSignature:
    """Return the time signature asked for or the nearest playable: other units keep the beats, long bars shrink."""
    beats, unit = (int(number) for number in asked.split("/"))
    if (beats, unit) == (2, 2):
        return TimeSignature(4, 4)
    return TimeSignature(min(max(beats, 2), 12), 8 if unit >= 8 else 4)


def find_eras(folded: str) -> list[Figure]:
    """Find decades and years, in order, as decades ("1980s")."""
    found = []
    for m in _DECADE.finditer(folded):
        short = m["short"] or m["marked"]
        value = f"{m['century']}{m['full']}0s" if m["century"] else f"{'20' if short in ('00', '10') else '19'}{short}s"
        found.append(Figure(value, m.start(), m.end()))
    for m in _DECADE_AFTER.finditer(folded):
        found.append(Figure(f"{'20' if m[1] in '01' else '19'}{m[1]}0s", m.start(), m.end()))
    spans = [(figure.start, figure.end) for figure in found]
    for m in _YEAR.finditer(folded):
        if not any(start < m.end() and m.start() < end for start, end in spans):
            found.append(Figure(f"{m[1]}0s", m.start(), m.end()))
    return sorted(found, key=lambda figure: figure.start)


def find_length_s(folded: str) -> Figure | None:
    """Find the first length of time that is named; its value is the seconds."""
    match = _LENGTH.search(folded)
    if not match:
        return None
    unit = {"m": 60, "м": 60, "分": 60, "분": 60, "h": 3600}.get(match[2][0], 1)
    seconds = float(match[1].replace(",", ".")) * unit
    return Figure(f"{seconds:g}", match.start(), match.end())
