"""Writes SoundFont 2 files of a few zones, so that a test can set one generator or modulator and hear it."""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Modulation = tuple[int, int, int, int, int]
RANGES = (43, 44)
MONO, SAMPLE_HEADER_BYTES = 1, 46
PAD = 46  # samples of silence that the format wants behind each sample


@dataclass(frozen=True)
class SmallSample:
    """What a zone plays: (n,) float samples, full scale 1, and the pitch and loop of its header."""

    samples: NDArray[np.float64]
    sample_rate: int = 44_100
    root_pitch: int = 60
    loop: tuple[int, int] = (0, 0)
    correction_cents: int = 0


@dataclass(frozen=True)
class SmallZone:
    """One zone of an instrument: generators by number, modulators as the file holds them."""

    sample: int = 0
    generators: Mapping[int, int | tuple[int, int]] = field(default_factory=dict)
    modulators: Sequence[Modulation] = ()


def write_font(path: Path, samples: Sequence[SmallSample], instruments: Sequence[Sequence[SmallZone]]) -> Path:
    """Write a font in which program i of bank 0 plays instrument i; returns the path."""
    headers, names = b"", b""
    preset_zones: list[tuple[SmallZone, int, int]] = []
    zones: list[tuple[SmallZone, int, int]] = []
    for program, instrument in enumerate(instruments):
        headers += _preset_header(b"small", program, len(preset_zones))
        names += struct.pack("<20sH", b"small", len(zones))
        preset_zones.append((SmallZone(), 41, program))
        zones += [(zone, 53, zone.sample) for zone in instrument]
    tables = {
        b"phdr": headers + _preset_header(b"EOP", 0, len(preset_zones)),
        **_zones(b"p", preset_zones),
        b"inst": names + struct.pack("<20sH", b"EOI", len(zones)),
        **_zones(b"i", zones),
        b"shdr": b"",
    }
    sound = b""
    for sample in samples:
        start = len(sound) // 2
        sound += np.rint(sample.samples * 32_767).astype("<i2").tobytes() + bytes(2 * PAD)
        end = start + len(sample.samples)
        loop = start + sample.loop[0], start + sample.loop[1]
        tables[b"shdr"] += _sample_header(b"small", start, end, *loop, sample)
    tables[b"shdr"] += bytes(SAMPLE_HEADER_BYTES)
    info = _chunk(b"ifil", struct.pack("<HH", 2, 4)) + _chunk(b"isng", b"EMU8000\0") + _chunk(b"INAM", b"small\0")
    order = (b"phdr", b"pbag", b"pmod", b"pgen", b"inst", b"ibag", b"imod", b"igen", b"shdr")
    lists = [
        _list(b"INFO", info),
        _list(b"sdta", _chunk(b"smpl", sound)),
        _list(b"pdta", b"".join(_chunk(name, tables[name]) for name in order)),
    ]
    path.write_bytes(_chunk(b"RIFF", b"sfbk" + b"".join(lists)))
    return path


def _zones(level: bytes, zones: Sequence[tuple[SmallZone, int, int]]) -> dict[bytes, bytes]:
    bags, generators, modulators = b"", b"", b""
    for zone, target, index in zones:
        bags += struct.pack("<HH", len(generators) // 4, len(modulators) // 10)
        # The format wants the ranges first and the sample or instrument last.
        for number in sorted(zone.generators, key=lambda n: (n not in RANGES, n)):
            generators += struct.pack("<H", number) + _value(zone.generators[number])
        generators += struct.pack("<HH", target, index)
        modulators += b"".join(struct.pack("<HHhHH", *modulator) for modulator in zone.modulators)
    bags += struct.pack("<HH", len(generators) // 4, len(modulators) // 10)
    return {
        level + b"bag": bags,
        level + b"gen": generators + bytes(4),
        level + b"mod": modulators + bytes(10),
    }


def _value(value: int | tuple[int, int]) -> bytes:
    return struct.pack("<BB", *value) if isinstance(value, tuple) else struct.pack("<h", value)


def _preset_header(name: bytes, program: int, bag: int) -> bytes:
    return struct.pack("<20sHHHIII", name, program, 0, bag, 0, 0, 0)


def _sample_header(name: bytes, start: int, end: int, loop_start: int, loop_end: int, sample: SmallSample) -> bytes:
    tuning = sample.sample_rate, sample.root_pitch, sample.correction_cents
    return struct.pack("<20sIIIIIBbHH", name, start, end, loop_start, loop_end, *tuning, 0, MONO)


def _chunk(name: bytes, data: bytes) -> bytes:
    return name + struct.pack("<I", len(data)) + data + bytes(len(data) % 2)


def _list(name: bytes, data: bytes) -> bytes:
    return _chunk(b"LIST", name + data)
