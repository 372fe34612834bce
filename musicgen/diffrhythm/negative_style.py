"""The style from which guidance leads away: a vector that was made with the networks, and comes as a file."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from musicgen.diffrhythm.weights import unusable

STYLE_DIM = 512


def load_negative_style(path: Path) -> NDArray[np.float32]:
    """Read a negative style, (1, 512) float32.

    Raises:
        EngineUnavailable: the file holds something else.
    """
    try:
        style = np.load(path, allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise unusable(path, "it is not an array of NumPy.") from error
    if not isinstance(style, np.ndarray) or style.shape != (1, STYLE_DIM) or style.dtype.kind != "f":
        raise unusable(path, f"it must hold (1, {STYLE_DIM}) floats.")
    if not np.isfinite(style).all():
        raise unusable(path, "it has infinite or undefined values.")
    return style.astype(np.float32)
