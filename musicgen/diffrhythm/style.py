"""Style vectors: what a text or a recording sounds like, in MuQ-MuLan's space.

Owns how text and sound are made ready for the two towers of `mulan`. Reading text needs the extra
`musicgen[diffrhythm]` (a tokenizer), listening needs nothing more. Axes: n samples.
"""

from functools import cached_property
from math import gcd
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.signal import resample_poly
from torch import Tensor

from musicgen.diffrhythm.conformer import SAMPLE_RATE
from musicgen.diffrhythm.mulan import AudioTower, TextTower, load_audio_tower, load_text_tower
from musicgen.diffrhythm.negative_style import STYLE_DIM, load_negative_style
from musicgen.diffrhythm.weights import ENGINE_NAME, INSTALL_EXTRA, NEGATIVE_STYLE, TOKENIZER, find_file, unusable
from musicgen.errors import EngineUnavailable
from musicgen.recordings import HEARD_S

if TYPE_CHECKING:
    from tokenizers import Tokenizer

CLIP_SAMPLES = HEARD_S * SAMPLE_RATE

Samples = NDArray[np.float32]


class StyleEncoder:
    """Encodes styles, always in float32. Each tower is loaded when it is first used, and kept."""

    def __init__(self, folder: Path, device: str = "cpu") -> None:
        """Remember where things are.

        Args:
            folder: the engine's weights folder, see `weights`.
            device: torch device on which the towers run.
        """
        self._folder = folder
        self._device = device

    @cached_property
    def _text_tower(self) -> TextTower:
        return load_text_tower(self._folder).to(self._device)

    @cached_property
    def _audio_tower(self) -> AudioTower:
        return load_audio_tower(self._folder).to(self._device)

    @cached_property
    def _tokenizer(self) -> "Tokenizer":
        return load_tokenizer(self._folder)

    @torch.inference_mode()
    def from_text(self, text: str) -> Tensor:
        """Encode what a text describes, in any language; what is beyond 512 tokens is not read.

        Returns:
            (1, 512) float32 of unit norm, on the CPU.

        Raises:
            EngineUnavailable: the extra or a file is missing, or a file is not what it should be.
        """
        tokenizer, tower = self._tokenizer, self._text_tower
        tokenizer.enable_truncation(tower.reader.shape.max_tokens)
        token_ids = torch.tensor([tokenizer.encode(text).ids], device=self._device)
        return _checked(tower(token_ids).cpu())

    @torch.inference_mode()
    def from_audio(self, samples: Samples, sample_rate: int) -> Tensor:
        """Encode what music sounds like: the 10 s in its middle, both channels together.

        Args:
            samples: (2, n) float32, or any other number of channels, n at least 1; music that is shorter than 10 s is
                repeated.
            sample_rate: Hz.

        Returns:
            (1, 512) float32 of unit norm, on the CPU.

        Raises:
            ValueError: there is no sound, or one with infinite or undefined values.
            EngineUnavailable: a file is missing or not what it should be.
        """
        clip = torch.from_numpy(style_clip(samples, sample_rate)[None])
        return _checked(self._audio_tower(clip.to(self._device)).cpu())


def style_clip(samples: Samples, sample_rate: int) -> Samples:
    """Return 10 s of mono at 24 kHz, (240000,) float32; see `StyleEncoder.from_audio`."""
    if samples.ndim != 2 or samples.size == 0 or sample_rate < 1:
        raise ValueError(f"samples must be (channels, n) with n at least 1, not {samples.shape} at {sample_rate} Hz")
    n_wanted = HEARD_S * sample_rate
    start = max(0, (samples.shape[1] - n_wanted) // 2)
    mono = samples[:, start : start + n_wanted].mean(axis=0, dtype=np.float64)
    if not np.isfinite(mono).all():
        raise ValueError("the sound has infinite or undefined values")
    common = gcd(SAMPLE_RATE, sample_rate)
    resampled = resample_poly(mono, SAMPLE_RATE // common, sample_rate // common)
    return np.resize(resampled, CLIP_SAMPLES).astype(np.float32)  # repeats what is too short


def load_tokenizer(folder: Path) -> "Tokenizer":
    """Load what turns text into XLM-R's token ids.

    Raises:
        EngineUnavailable: the extra or the file is missing, or the file is not a tokenizer's.
    """
    try:
        from tokenizers import Tokenizer
    except ImportError as error:
        raise EngineUnavailable(ENGINE_NAME, f"to read a style from text it needs {INSTALL_EXTRA}.") from error
    path = find_file(folder, TOKENIZER)
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # tokenizers raises plain Exception
        raise unusable(path, "it is not a tokenizer.json.") from error
    tokenizer.no_padding()
    return tokenizer


def read_negative_style(folder: Path) -> Tensor:
    """Read the style from which guidance leads away, (1, 512) float32.

    Raises:
        EngineUnavailable: the file is missing, or holds something else.
    """
    return torch.from_numpy(load_negative_style(find_file(folder, NEGATIVE_STYLE)))


def _checked(style: Tensor) -> Tensor:
    if style.shape != (1, STYLE_DIM) or not style.isfinite().all():
        raise EngineUnavailable(ENGINE_NAME, f"its style encoder does not make {STYLE_DIM} finite numbers.")
    return style
