"""Marshmallow fields for what people send: strict about JSON types, and their messages show the bad value.

Knows no request and no track. `min`, `max` and `equal` of the validators are what apispec reads to document a limit.
"""

import json
import math
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import current_app
from marshmallow import ValidationError, fields, validate

MAX_SHOWN_CHARS = 60
# Unicode categories: letters, numbers, punctuation, symbols. Spaces, zero-width and control characters are none.
VISIBLE_CATEGORIES = frozenset("LNPS")


def shown(value: Any) -> str:
    """Write a value the way JSON does, cut to a readable length."""
    text = f"{value:g}" if isinstance(value, float) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= MAX_SHOWN_CHARS else text[:MAX_SHOWN_CHARS] + "…"


@dataclass(frozen=True, slots=True)
class Between:
    """Accepts numbers from `min` to `max`; `unit` is what they count."""

    min: float
    max: float
    unit: str = ""

    def __call__(self, value: float) -> None:
        """Check one number.

        Raises:
            ValidationError: it lies outside.
        """
        if not self.min <= value <= self.max:
            unit = f" {self.unit}" if self.unit else ""
            raise ValidationError(f"Must be from {shown(self.min)} to {shown(self.max)}{unit}, not {shown(value)}.")


class TextLength:
    """Accepts texts of up to `limit` characters, or of as many as the setting called `limit` allows."""

    min = 1
    equal = None

    def __init__(self, limit: int | str) -> None:
        self._limit = limit

    @property
    def max(self) -> int:
        """The most characters that are accepted."""
        return current_app.config[self._limit] if isinstance(self._limit, str) else self._limit

    def __call__(self, text: str) -> None:
        """Check one text.

        Raises:
            ValidationError: it is too long.
        """
        if len(text) > self.max:
            raise ValidationError(f"Must be at most {self.max:,} characters long, not {len(text):,}.")


class Pattern(validate.Regexp):
    """Accepts texts that `regex` matches; `error` says what to write instead, after the bad value."""

    def __call__(self, value: Any) -> Any:
        """Check one text.

        Raises:
            ValidationError: it has another form.
        """
        if not self.regex.match(value):
            raise ValidationError(f"{shown(value)} {self.error}")
        return value


class Text(fields.String):
    """Words with at least one visible character, which every encoding, database and tag can hold."""

    def __init__(self, *, single_line: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.single_line = single_line

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if not isinstance(value, str):
            raise ValidationError(f"Must be a text, not {shown(value)}.")
        categories = [unicodedata.category(char) for char in value]
        if "\0" in value or "Cs" in categories:
            raise ValidationError("Must not contain NUL characters or lone surrogates; remove them.")
        if self.single_line and "Cc" in categories:
            raise ValidationError("Must be one line without control characters; remove line breaks and tabs.")
        if not any(category[0] in VISIBLE_CATEGORIES for category in categories):
            raise ValidationError("Must contain at least one visible character, not only white space.")
        return value


class Notation(Text):
    """A text with a grammar; `parse` reads it and `str` of what it returns is the one way to write it."""

    def __init__(self, parse: Callable[[str], object], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.parse = parse

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        if len(text) > MAX_SHOWN_CHARS:
            raise ValidationError(f"{shown(text)} is too long to be understood.")
        try:
            return str(self.parse(text))
        except ValueError as error:
            raise ValidationError(f"{error}.") from error


class StrictNumber(fields.Float):
    """A finite JSON number."""

    def _validated(self, value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValidationError(f"Must be a number, not {shown(value)}.")
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            raise ValidationError(f"Must be a finite number, not {shown(value)}.")
        return number


class StrictInteger(fields.Integer):
    """A JSON number written without a fraction."""

    def _validated(self, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValidationError(f"Must be a whole number, not {shown(value)}.")
        return value


class StrictBoolean(fields.Boolean):
    """JSON's true or false."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise ValidationError(f"Must be true or false, not {shown(value)}.")
        return value
