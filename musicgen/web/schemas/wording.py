"""How fields are described, and how a reason that was written for the operator is told to everybody."""

import re
from typing import Any

from marshmallow import fields

# Folders of an absolute path, also behind "~" or a drive letter; a URL's are left alone.
PATH_FOLDERS = re.compile(r"""(?<![\w:/.\\])(?:~|[A-Za-z]:)?[\\/](?:[^\\/\s'":]+[\\/])+""")


def about(description: str, example: Any = None) -> dict[str, Any]:
    """Say in the OpenAPI document what a field means, with an example."""
    return {"description": description} | ({} if example is None else {"example": example})


def without_folders(text: str) -> str:
    """Shorten absolute paths in a message to the file's name: where things lie is nobody's business outside."""
    return PATH_FOLDERS.sub("", text)


class Reason(fields.String):
    """A sentence that was written for the operator, made fit for everybody."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        text = super()._serialize(value, attr, obj, **kwargs)
        return without_folders(text) if text else text


class Rounded(fields.Float):
    """A number that is told to so many decimals."""

    def __init__(self, n_decimals: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._n_decimals = n_decimals

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        number = super()._serialize(value, attr, obj, **kwargs)
        return number if number is None else round(float(number), self._n_decimals)
