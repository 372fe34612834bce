"""A line as it is spoken in English: numbers, money, times, signs and abbreviations in words.

Owns which characters of a line are kept, too. Does not know how words sound: that is the business of `phonemes`.
"""

import re
import unicodedata
from collections.abc import Callable

# What remains beside letters and spaces.
MARKS = ",.?!;:'…"

_Spoken = str | Callable[[re.Match[str]], str]

_ONES = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
]  # fmt: skip
_TENS = ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_SCALES = ("", " thousand", " million", " billion", " trillion")
_MOST_DIGITS = 15
_IRREGULAR_ORDINALS = {
    "one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth", "nine": "ninth",
    "twelve": "twelfth",
}  # fmt: skip
_MONEY = {
    "$": ("dollar", "dollars", "cent", "cents"),
    "£": ("pound", "pounds", "penny", "pence"),
    "€": ("euro", "euros", "cent", "cents"),
}
_SIGNS = {"%": " percent ", "&": " and ", "@": " at ", "+": " plus ", "°": " degrees "}
_ABBREVIATIONS = {
    r"mrs\b\.?": "missis", r"mr\b\.?": "mister", r"ms\.": "miz", r"drs?\b\.?(?=\s\w)": "doctor",
    r"(?<=\d[snrt][tdh]\s)st\.": "street",
    r"st\.(?=\s\w)": "saint", r"st\.": "street", r"jr\b\.?": "junior", r"sr\.": "senior", r"rev\.": "reverend",
    r"lt\.": "lieutenant", r"sgt\b\.?": "sergeant", r"capt\b\.?": "captain", r"col\.": "colonel",
    r"gen\.": "general", r"co\.": "company", r"ltd\b\.?": "limited", r"ft\.": "fort", r"mt\.": "mount",
    r"feat\.": "featuring", r"vs\b\.?": "versus", r"etc\b\.?": "et cetera", r"btw\b": "by the way",
}  # fmt: skip

_NUMBER = r"(?<!\d)(\d{1,3}(?:,\d{3})+(?![\d,])|\d+)"
_SAME = str.maketrans(
    {**dict.fromkeys("’‘ʼ′´`", "'"), "。": ".", "、": ",", "⋯": "…", **{half: " " + half for half in "½⅓⅔¼¾⅛"}}
)
_DOTS = re.compile(r"\.(?:\s?\.){2,}")
_NOT_SUNG = re.compile(rf"[^\w\s{MARKS}]|_")
_UNWRITTEN = frozenset(("Mn", "Me", "Cf"))


def spoken_text(line: str) -> str:
    """Write a line as it is spoken: numbers and abbreviations in words; only letters, spaces and `MARKS` remain."""
    text = unicodedata.normalize("NFKC", line.translate(_SAME))
    text = "".join(char for char in text if unicodedata.category(char) not in _UNWRITTEN)
    text = _DOTS.sub("…", text)
    if text.isupper() and " " in text.strip():
        text = text.lower()  # shouted, not spelled: espeak-ng reads "IT" as letters
    for pattern, spoken in _EXPANSIONS:
        text = pattern.sub(spoken, text)
    return " ".join(_NOT_SUNG.sub(" ", text).split())


def _cardinal(digits: str) -> str:
    """Say a whole number of up to 15 digits as American English does, longer ones digit by digit."""
    digits = digits.replace(",", "")
    if len(digits) > _MOST_DIGITS:
        return _digit_by_digit(digits)
    number = int(digits)
    groups = [number // 1000**power % 1000 for power in range(len(_SCALES))]
    said = [_below_thousand(group) + _SCALES[power] for power, group in enumerate(groups) if group]
    return " ".join(reversed(said)) or _ONES[0]


def _below_thousand(number: int) -> str:
    if number >= 100:
        rest = f" {_below_thousand(number % 100)}" if number % 100 else ""
        return f"{_ONES[number // 100]} hundred{rest}"
    if number < 20:
        return _ONES[number]
    return _TENS[number // 10] + (f" {_ONES[number % 10]}" if number % 10 else "")


def _digit_by_digit(digits: str) -> str:
    return " ".join(_ONES[int(digit)] for digit in digits)


def _number(digits: str) -> str:
    """Say a number; four digits from 1001 to 2999 as a year, but for 2000 to 2009."""
    if len(digits) != 4 or not 1000 < int(digits) < 3000 or 2000 <= int(digits) < 2010:
        return _cardinal(digits)
    return f"{_cardinal(digits[:2])} {_after_hour(digits[2:], 'hundred')}"


def _after_hour(digits: str, on_zero: str) -> str:
    """Say the last two digits of a year or of a clock time: "oh five", "thirty"."""
    if int(digits) == 0:
        return on_zero
    return f"oh {_ONES[int(digits)]}" if int(digits) < 10 else _cardinal(digits)


def _ordinal(cardinal: str) -> str:
    head, _, last = cardinal.rpartition(" ")
    regular = f"{last[:-1]}ieth" if last.endswith("y") else f"{last}th"
    return f"{head} {_IRREGULAR_ORDINALS.get(last, regular)}"


def _plural(words: str) -> str:
    if words.endswith("y"):
        return f"{words[:-1]}ies"
    return f"{words}es" if words.endswith("x") else f"{words}s"


def _money(match: re.Match[str]) -> str:
    one, many, small_one, small_many = _MONEY[match[1]]
    whole, small, scale = _cardinal(match[2]), match[3], match[4]
    if scale:
        return f" {whole}{f' point {_digit_by_digit(small)}' if small else ''} {scale} {many} "
    has_small = bool(small and int(small))
    parts = [f"{whole} {one if whole == 'one' else many}"] if whole != "zero" or not has_small else []
    if has_small:
        parts.append(f"{_cardinal(small)} {small_one if int(small) == 1 else small_many}")
    return f" {' '.join(parts)} "


def _fraction(match: re.Match[str]) -> str:
    top, bottom = int(match[1]), int(match[2])
    if not 0 < top < bottom <= 10:
        return f"{match[1]} {match[2]}"  # 24/7, 50/50
    part = {2: "half", 4: "quarter"}.get(bottom) or _ordinal(_ONES[bottom]).strip()
    if top > 1:
        part = "halves" if bottom == 2 else f"{part}s"
    return f" {_ONES[top]} {part} "


def _spell(letters: str) -> str:
    """Say letters by their names; espeak-ng reads a lone A as the article."""
    return " ".join("eigh" if letter in "aA" else letter.upper() for letter in letters)


def _expansion(pattern: str, spoken: _Spoken) -> tuple[re.Pattern[str], _Spoken]:
    return re.compile(pattern, re.IGNORECASE), spoken


# In this order: what is read as a whole comes before its parts.
_EXPANSIONS = (
    *(_expansion(rf"\b{short}", words) for short, words in _ABBREVIATIONS.items()),
    _expansion(r"(?<=\d)\s?([ap])\.?\s?m\b\.?", lambda match: f" {_spell(match[1])} M"),
    _expansion(r"\b[a-z](?:\.[a-z])+\b\.?", lambda match: _spell(match[0].replace(".", ""))),
    _expansion(rf"([$£€])\s?{_NUMBER}(?:\.(\d{{1,2}})(?!\d))?(?:\s?(thousand|million|billion|trillion)\b)?", _money),
    _expansion(
        r"(?<![\d:])(\d{1,2}):([0-5]\d)(?![\d:])", lambda match: f"{_cardinal(match[1])} {_after_hour(match[2], '')}"
    ),
    _expansion(rf"{_NUMBER}(?:st|nd|rd|th)\b", lambda match: f" {_ordinal(_cardinal(match[1]))} "),
    _expansion(rf"'?{_NUMBER}'?s\b", lambda match: f" {_plural(_number(match[1]))} "),
    _expansion(r"(?<![\d/])(\d{1,3})[/⁄](\d{1,3})(?![\d/])", _fraction),
    _expansion(rf"{_NUMBER}\.(\d+)", lambda match: f" {_cardinal(match[1])} point {_digit_by_digit(match[2])} "),
    _expansion(r"#(?=\d)", " number "),
    _expansion(r"(?<!\S)[-−](?=\d)", "minus "),
    _expansion("[%&@+°]", lambda match: _SIGNS[match[0]]),
    _expansion(_NUMBER, lambda match: f" {_number(match[1])} "),
)
