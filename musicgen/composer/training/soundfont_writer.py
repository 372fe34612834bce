"""Write an SF3 sound font: Ogg Vorbis samples, and presets of one zone and one instrument each.

Owns the layout of the file. Does not know where regions and samples come from.
Source: as `sound/soundfont.py`.
"""

import io
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from musicgen.composer.sound.soundfont import (
    DEFAULT_GENERATORS,
    INSTRUMENT,
    KEY_RANGE,
    SAMPLE_ID,
    TABLES,
    VELOCITY_RANGE,
    VELOCITY_TO_ATTENUATION,
    VORBIS_SAMPLE,
    Modulator,
    Region,
)
from musicgen.vorbis_comment import OggTagger

MONO = 1
VERSION = struct.pack("<HH", 3, 1)
# Frames that are handed to the encoder at once; it keeps its whole input on the stack.
ENCODER_BLOCK = 65_536


@dataclass(frozen=True, slots=True)
class PackedSample:
    """One sample as the file holds it; the loop counts in its own samples and is (0, 0) where it plays once."""

    name: str
    stream: bytes
    loop: tuple[int, int]
    sample_rate: int
    root_pitch: int
    correction_cents: int


@dataclass(frozen=True, slots=True)
class PackedPreset:
    """One preset; its regions name samples by their place in the file."""

    bank: int
    program: int
    name: str
    regions: tuple[Region, ...]


def encode(samples: NDArray[np.float32], sample_rate: int, quality: float) -> bytes:
    """Encode a mono sound as Ogg Vorbis; equal sounds give equal bytes.

    Args:
        samples: (n,) float32, full scale 1.0.
        sample_rate: in Hz.
        quality: 0 to 1.
    """
    stream = io.BytesIO()
    with soundfile.SoundFile(
        stream, "w", sample_rate, 1, format="OGG", subtype="VORBIS", compression_level=1 - quality
    ) as file:
        for start in range(0, len(samples), ENCODER_BLOCK):
            file.write(samples[start : start + ENCODER_BLOCK])
    return OggTagger({}).tag(stream.getvalue())  # the encoder numbers its streams at random


def write_soundfont(
    path: Path, info: Mapping[bytes, str], samples: Sequence[PackedSample], presets: Iterable[PackedPreset]
) -> None:
    """Write a font; `info` holds the texts of its INFO chunks, such as INAM and ICOP."""
    texts = {b"ifil": VERSION, **{name: _text(text) for name, text in info.items()}}
    streams = b"".join(sample.stream for sample in samples)
    tables = _tables(samples, sorted(presets, key=lambda preset: (preset.bank, preset.program)))
    lists = [
        _list(b"INFO", texts),
        _list(b"sdta", {b"smpl": streams}),
        _list(b"pdta", {name: tables[name] for name in _TABLE_ORDER}),
    ]
    path.write_bytes(_chunk(b"RIFF", b"sfbk" + b"".join(lists)))


_TABLE_ORDER = (b"phdr", b"pbag", b"pmod", b"pgen", b"inst", b"ibag", b"imod", b"igen", b"shdr")


def _tables(samples: Sequence[PackedSample], presets: Sequence[PackedPreset]) -> dict[bytes, bytes]:
    rows: dict[bytes, list[tuple[object, ...]]] = {name: [] for name in _TABLE_ORDER}
    for number, preset in enumerate(presets):
        rows[b"phdr"].append((_name(preset.name), preset.program, preset.bank, number, 0, 0, 0))
        rows[b"pbag"].append((number, 0))
        rows[b"pgen"].append((INSTRUMENT, number))
        rows[b"inst"].append((_name(preset.name), len(rows[b"ibag"])))
        for region in preset.regions:
            rows[b"ibag"].append((len(rows[b"igen"]), len(rows[b"imod"])))
            rows[b"igen"] += _generators(region)
            rows[b"imod"] += _modulators(region)
    offset = 0
    for sample in samples:
        end = offset + len(sample.stream)
        pitch = sample.sample_rate, sample.root_pitch, sample.correction_cents
        rows[b"shdr"].append((_name(sample.name), offset, end, *sample.loop, *pitch, 0, MONO | VORBIS_SAMPLE))
        offset = end
    _close(rows)
    return {name: b"".join(TABLES[name].pack(*row) for row in rows[name]) for name in _TABLE_ORDER}


def _close(rows: dict[bytes, list[tuple[object, ...]]]) -> None:
    """Add the last row of every table, which says where the one before it ends."""
    rows[b"phdr"].append((b"EOP", 0, 0, len(rows[b"pbag"]), 0, 0, 0))
    rows[b"pbag"].append((len(rows[b"pgen"]), 0))
    rows[b"pgen"].append((0, 0))
    rows[b"inst"].append((b"EOI", len(rows[b"ibag"])))
    rows[b"ibag"].append((len(rows[b"igen"]), len(rows[b"imod"])))
    rows[b"igen"].append((0, 0))
    rows[b"pmod"].append((0, 0, 0, 0, 0))
    rows[b"imod"].append((0, 0, 0, 0, 0))
    rows[b"shdr"].append((b"EOS", 0, 0, 0, 0, 0, 0, 0, 0, 0))


def _generators(region: Region) -> Iterator[tuple[int, int]]:
    """Yield a zone's generators: the ranges first and the sample last, as the format wants it."""
    for number, (low, high) in ((KEY_RANGE, region.keys), (VELOCITY_RANGE, region.velocities)):
        yield number, high << 8 | low
    for number, value in sorted(region.generators.items()):
        own = number not in (INSTRUMENT, KEY_RANGE, VELOCITY_RANGE, SAMPLE_ID)
        if own and value != DEFAULT_GENERATORS.get(number, 0):
            yield number, value & 0xFFFF
    yield SAMPLE_ID, region.sample


def _modulators(region: Region) -> Iterator[tuple[int, int, int, int, int]]:
    modulators = list(region.modulators)
    if VELOCITY_TO_ATTENUATION.identity not in {modulator.identity for modulator in modulators}:
        modulators.append(Modulator(*VELOCITY_TO_ATTENUATION.identity[:2], 0, 0, 0))
    for m in modulators:
        yield m.source, m.destination, m.amount, m.amount_source, m.transform


def _list(kind: bytes, chunks: Mapping[bytes, bytes]) -> bytes:
    return _chunk(b"LIST", kind + b"".join(_chunk(name, content) for name, content in chunks.items()))


def _chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)


def _name(text: str) -> bytes:
    return text.encode("latin-1")[:19]


def _text(text: str) -> bytes:
    """End a text with one zero byte or two, so that its length is even."""
    raw = text.encode("latin-1")
    return raw + bytes(2 - len(raw) % 2)
