"""Marshmallow fields for the words that people send; their messages show the bad value.

Knows no request and no track. `min`, `max` and `equal` of the validators are what apispec reads to document a limit.
"""

import unicodedata
from collections.abc import Callable
from typing import Any

from flask import current_app
from marshmallow import ValidationError, fields, validate

from musicgen.json_fields import MAX_SHOWN_CHARS, StrictNumber, shown

# Unicode categories: letters, numbers, punctuation, symbols. Spaces, zero-width and control characters are none.
VISIBLE_CATEGORIES = frozenset("LNPS")
SHORTEST_SEGMENT_S = 1.0


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


class Segment(fields.List):
    """A part of a track: JSON's [start, end], seconds."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(StrictNumber(), validate=validate.Length(equal=2), **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[Any]:
        if not isinstance(value, list) or len(value) != 2:
            raise ValidationError(f"Must be [start, end] in seconds, not {shown(value)}.")
        start, end = (StrictNumber().deserialize(second) or 0.0 for second in value)
        if start < 0 or end - start < SHORTEST_SEGMENT_S:
            raise ValidationError(
                f"{shown(value)} must begin at 0 or later and end {SHORTEST_SEGMENT_S:g} s after that or later."
            )
        return [start, end]


class Segments(fields.List):
    """Parts of a track; the one message is about the first that is wrong."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(Segment(), **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[Any]:
        if not isinstance(value, list):
            raise self.make_error("invalid")
        return [self.inner.deserialize(part) for part in value]


class SearchWords(Text):
    """Words to search for; none at all where there is only white space."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if isinstance(value, str) and not value.strip():
            return ""
        return super()._deserialize(value, attr, data, **kwargs)


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
