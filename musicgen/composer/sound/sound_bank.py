"""Several sound fonts as one: every preset of every file under its bank and program.

Owns which file a preset or a sample comes from. Knows no keys, voices or sounds.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from musicgen.composer.sound.soundfont import Region, SampleHeader, SoundFont


class SoundBank:
    """The presets of several fonts; samples are numbered through all of them."""

    def __init__(self, paths: Sequence[Path]) -> None:
        """Open the fonts.

        Raises:
            ValueError: a file is missing or is no SoundFont, or two of them have the same preset.
        """
        for path in paths:
            if not path.is_file():
                raise ValueError(f"the sound font {path.name} is missing from {path.parent}; install musicgen again")
        self._fonts = [SoundFont(path) for path in paths]
        self._firsts = [0, *accumulate(len(font.samples) for font in self._fonts)]
        self._homes: dict[tuple[int, int], int] = {}
        for index, font in enumerate(self._fonts):
            for place, name in font.preset_names.items():
                if place in self._homes:
                    other = self._fonts[self._homes[place]]
                    raise ValueError(
                        f"{font.path.name} and {other.path.name} both have a preset for bank {place[0]}, program "
                        f"{place[1]} ({name}, {other.preset_names[place]}); take it out of one of them"
                    )
                self._homes[place] = index
        self._regions: dict[tuple[int, int], tuple[Region, ...]] = {}

    @property
    def preset_names(self) -> dict[tuple[int, int], str]:
        """Names by (bank, program)."""
        return {place: name for font in self._fonts for place, name in font.preset_names.items()}

    def regions(self, bank: int, program: int) -> tuple[Region, ...]:
        """List what a preset plays.

        Raises:
            ValueError: no font has such a preset.
        """
        place = bank, program
        if place not in self._homes:
            names = " and ".join(font.path.name for font in self._fonts)
            raise ValueError(f"there is no preset for bank {bank}, program {program} in {names}")
        if place not in self._regions:
            home = self._homes[place]
            first = self._firsts[home]
            regions = self._fonts[home].regions(bank, program)
            self._regions[place] = tuple(replace(region, sample=first + region.sample) for region in regions)
        return self._regions[place]

    def header(self, sample: int) -> SampleHeader:
        """Return how a sample is meant to be played."""
        font, index = self._home(sample)
        return font.samples[index]

    def decode(self, sample: int, n: int = -1) -> NDArray[np.float32]:
        """Decode a sample, or its first n samples, as (n,) float32, shorter where the sample is."""
        font, index = self._home(sample)
        return font.decode(index, n)

    def _home(self, sample: int) -> tuple[SoundFont, int]:
        home = bisect_right(self._firsts, sample) - 1
        return self._fonts[home], sample - self._firsts[home]
