"""Make `sounds/general-more.sf3`: take the presets that `general_more.toml` lists from a large font, and trim them.

    python -m musicgen.composer.training.trim_presets MuseScore_General_Full.sf2 [OUT.sf3]

Roots are thinned and their neighbours widened over the gaps; sounds that play once are cut with a fade, looped ones
behind their loop; what holds nothing high is kept at a lower sample rate, with the loop still a whole number of
samples. Zones of preset and instrument become one zone each. The same source gives the same file to the byte. How the
result differs from the source is measured by `benchmarks/sampler_vs_fluidsynth.py`.
"""

import hashlib
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import scipy.signal
from numpy.typing import NDArray

from musicgen.composer.sound.soundfont import Region, SampleHeader, SoundFont
from musicgen.composer.training.soundfont_writer import PackedPreset, PackedSample, encode, write_soundfont

WANTED = Path(__file__).with_name("general_more.toml")
OUT_FILE = Path(__file__).parent.parent / "sounds" / "general-more.sf3"
LOOP_MODE, SCALE_TUNING, COARSE_TUNE, START_OFFSET = 54, 56, 51, 0
# Offsets into samples that no preset on the list uses; one that does would need its sample cut elsewhere.
OTHER_OFFSETS = frozenset({1, 2, 3, 4, 12, 45, 50})
# A sound is kept at the lowest of these rates that loses less than `LOST_DB` of its energy.
SAMPLE_RATES = (22_050, 32_000)
LOST_DB = -50.0
# What may be kept of the band below half the sample rate.
USABLE_BAND = 0.94
# Samples that stay behind a loop for interpolating players, and those that fade to silence around a transform.
LOOP_MARGIN, EDGE = 64, 512


@dataclass(frozen=True, slots=True)
class Wanted:
    """What one table of the list asks for.

    Attributes:
        bank, program: of the preset, in the source and in the result.
        name: what the preset is called in the result.
        keys: lowest and highest key that must sound as recorded; keys beyond use the nearest.
        every: one in so many roots is kept.
        longest_s: sounds that play once are cut at this length.
        layout: for kits, key in the result to key in the source and semitones up; empty keeps the source's keys.
    """

    bank: int
    program: int
    name: str
    keys: tuple[int, int] = (0, 127)
    every: int = 1
    longest_s: float = 4.0
    layout: Mapping[int, tuple[int, int]] | None = None


def read_wanted(path: Path = WANTED) -> tuple[dict[str, Any], tuple[Wanted, ...]]:
    """Read the list: what it says of the source, and the presets."""
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    return table["source"], tuple(_wanted(entry) for entry in table["presets"])


def _wanted(entry: Mapping[str, Any]) -> Wanted:
    fields = dict(entry)
    if "keys" in fields:
        fields["keys"] = (fields["keys"][0], fields["keys"][1])
    if "layout" in fields:
        fields["layout"] = {int(key): (source, up) for key, (source, up) in fields["layout"].items()}
    return Wanted(**fields)


def trimmed_regions(font: SoundFont, wanted: Wanted) -> tuple[Region, ...]:
    """Choose the regions of a preset that stay, and the keys that each answers."""
    regions = font.regions(wanted.bank, wanted.program)
    if wanted.layout is not None:
        return tuple(_laid_out(regions, wanted.layout))
    reached = [r for r in regions if r.keys[0] <= wanted.keys[1] and r.keys[1] >= wanted.keys[0]]
    order = sorted({region.sample for region in reached}, key=lambda s: min(r.keys for r in reached if r.sample == s))
    n_kept = -(-len(order) // wanted.every)
    kept = {order[i] for i in np.linspace(0, len(order) - 1, n_kept).round().astype(int)}
    return tuple(_widened(reached, kept, wanted.keys))


def _laid_out(regions: Sequence[Region], layout: Mapping[int, tuple[int, int]]) -> Iterator[Region]:
    """Move drums to the keys of a layout without changing their pitch, but for the semitones that it asks for."""
    for key, (source, up) in layout.items():
        for region in regions:
            if region.keys[0] <= source <= region.keys[1]:
                moved = round((source - key) * region.generators[SCALE_TUNING] / 100) + up
                tune = region.generators.get(COARSE_TUNE, 0) + moved
                yield replace(region, keys=(key, key), generators={**region.generators, COARSE_TUNE: tune})


def _widened(regions: Sequence[Region], kept: set[int], span: tuple[int, int]) -> Iterator[Region]:
    """Let every key sound as the nearest one that has all its samples."""
    at = {key: [r for r in regions if r.keys[0] <= key <= r.keys[1]] for key in range(span[0], span[1] + 1)}
    whole = [key for key, there in at.items() if there and all(r.sample in kept for r in there)]
    homes = {key: min(whole, key=lambda w: (abs(w - key), -w)) for key in range(128)}
    for region in regions:
        keys = [key for key, home in homes.items() if region in at[home]]
        if any(after - before > 1 for before, after in pairwise(keys)):
            raise ValueError(f"sample {region.sample} would answer separate keys; choose another `every`")
        if keys:
            yield replace(region, keys=(keys[0], keys[-1]))


def trimmed_sample(
    samples: NDArray[np.float32], header: SampleHeader, looped: bool, longest_s: float
) -> tuple[NDArray[np.float32], tuple[int, int], Fraction]:
    """Cut and resample one sound.

    Args:
        samples: (n,) float32.
        header: the sample's.
        looped: whether it plays through its loop.
        longest_s: where it is cut if not.

    Returns:
        (m,) float32, the loop in its samples, and samples of the result for each of the source.
    """
    start, end = (header.loop_start, header.loop_end) if looped else (0, 0)
    if looped:
        samples = np.concatenate([samples[:end], np.resize(samples[start:end], 4 * EDGE)])
    else:
        samples = _cut(samples, round(longest_s * header.sample_rate))
    ratio = _ratio(samples, header.sample_rate, end - start)
    if ratio != 1:
        samples = _resampled(samples, ratio)
    loop = round(start * ratio), round(start * ratio) + int((end - start) * ratio)
    return samples[: loop[1] + LOOP_MARGIN] if looped else samples, loop, ratio


def _cut(samples: NDArray[np.float32], n: int) -> NDArray[np.float32]:
    """End a sound after n samples, fading over its last quarter."""
    if len(samples) <= n:
        return samples
    n_fade = n // 4
    fade = np.cos(np.linspace(0, np.pi / 2, n_fade, dtype=np.float32)) ** 2
    return np.concatenate([samples[: n - n_fade], samples[n - n_fade : n] * fade])


def _ratio(samples: NDArray[np.float32], sample_rate: int, loop_length: int) -> Fraction:
    """Find by how much a sound may be shortened, so that its loop remains a whole number of samples."""
    power = np.abs(np.fft.rfft(samples)) ** 2
    frequencies = np.fft.rfftfreq(len(samples), 1 / sample_rate)
    for lower in SAMPLE_RATES:
        ratio = Fraction(lower, sample_rate)
        if loop_length:
            ratio = Fraction(-(-loop_length * lower // sample_rate), loop_length)
        lost = np.sum(power[frequencies > USABLE_BAND * float(ratio) * sample_rate / 2])
        if ratio < 1 and lost < 10 ** (LOST_DB / 10) * np.sum(power):
            return ratio
    return Fraction(1)


def _resampled(samples: NDArray[np.float32], ratio: Fraction) -> NDArray[np.float32]:
    """Stretch by exactly `ratio`: the transform's length is a multiple of its denominator, and its ends are silent."""
    faded = np.concatenate([samples, np.zeros(EDGE, dtype=np.float32)])
    faded[len(samples) - EDGE : len(samples)] *= np.linspace(1, 0, EDGE, dtype=np.float32)
    n_turns = -(-len(faded) // ratio.denominator)
    padded = np.pad(faded, (0, n_turns * ratio.denominator - len(faded)))
    stretched = scipy.signal.resample(padded, n_turns * ratio.numerator)
    return stretched[: int(len(samples) * ratio)].astype(np.float32)


def trim(font: SoundFont, wanted: Iterable[Wanted], quality: float) -> tuple[list[PackedSample], list[PackedPreset]]:
    """Trim presets; a sample that several of them use is kept once, as long as the one that needs most of it."""
    chosen = [(preset, trimmed_regions(font, preset)) for preset in wanted]
    lengths: dict[int, float] = {}
    looped: dict[int, bool] = {}
    for preset, regions in chosen:
        for region in regions:
            if any(region.generators.get(number, 0) for number in OTHER_OFFSETS):
                raise ValueError(f"{preset.name} moves the ends or the loop of a sample; leave it out")
            lengths[region.sample] = max(lengths.get(region.sample, 0.0), preset.longest_s)
            looped[region.sample] = looped.get(region.sample, False) or region.generators.get(LOOP_MODE, 0) in (1, 3)
    packed: list[PackedSample] = []
    places: dict[int, tuple[int, Fraction]] = {}
    for sample in sorted(lengths):
        header = font.samples[sample]
        samples, loop, ratio = trimmed_sample(font.decode(sample), header, looped[sample], lengths[sample])
        places[sample] = len(packed), ratio
        rate = round(header.sample_rate * ratio)
        stream = encode(samples, rate, quality)
        packed.append(PackedSample(header.name, stream, loop, rate, header.root_pitch, header.correction_cents))
    presets = [
        PackedPreset(p.bank, p.program, p.name, tuple(_placed(region, *places[region.sample]) for region in regions))
        for p, regions in chosen
    ]
    return packed, presets


def _placed(region: Region, place: int, ratio: Fraction) -> Region:
    start = round(region.generators.get(START_OFFSET, 0) * ratio)
    return replace(region, sample=place, generators={**region.generators, START_OFFSET: start})


def main(source: Path, out_file: Path = OUT_FILE) -> None:
    """Write the font and print its size, per preset and in all."""
    about, wanted = read_wanted()
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    if digest != about["sha256"]:
        raise SystemExit(f"{source.name} has sha256 {digest}; the list is for {about['file']}, {about['sha256']}")
    samples, presets = trim(SoundFont(source), wanted, about["quality"])
    for preset in presets:
        used = {region.sample for region in preset.regions}
        n_bytes = sum(len(samples[sample].stream) for sample in used)
        print(f"{preset.bank:3} {preset.program:3} {preset.name:20} {len(used):3} samples {n_bytes:8,} bytes")
    write_soundfont(out_file, {key.encode(): text for key, text in about["info"].items()}, samples, presets)
    written = out_file.read_bytes()
    print(f"{out_file.name}: {len(written):,} bytes, sha256 {hashlib.sha256(written).hexdigest()}")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:3]))
