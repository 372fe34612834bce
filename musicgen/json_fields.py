"""Marshmallow fields for JSON that people send: strict about its types, and their messages show the bad value.

Knows no request, no plan and no Flask. `min` and `max` of `Between` are what apispec reads to document a limit.
"""

import json
import math
from dataclasses import dataclass
from typing import Any

from marshmallow import ValidationError, fields

MAX_SHOWN_CHARS = 60


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
