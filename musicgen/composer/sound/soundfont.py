"""SoundFont files, SF2 and SF3 (with Ogg Vorbis samples): presets, their regions and the decoded samples.

Owns the file format. Does not know what a generator's value sounds like (`voicing.py`) nor how a sample is played.
Source: SoundFont Technical Specification 2.04, and MuseScore's SF3 variant of it (sample headers give byte offsets
of Ogg Vorbis streams; loop points count from the sample's own start; samples need not be so packed).
"""

import io
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

# Generator numbers that this module itself interprets; the rest belong to `voicing.py`.
INSTRUMENT, KEY_RANGE, VELOCITY_RANGE, SAMPLE_ID = 41, 43, 44, 53
ATTENUATION, EXCLUSIVE_CLASS = 48, 57
# Values that only an instrument zone may set: a preset's are ignored, not added.
INSTRUMENT_ONLY = frozenset({0, 1, 2, 3, 4, 12, 45, 46, 47, 50, 53, 54, 57, 58})
# What a generator holds where no zone sets it; all others are 0.
DEFAULT_GENERATORS: Mapping[int, int] = {
    8: 13500,
    21: -12000,
    23: -12000,
    **dict.fromkeys((25, 26, 27, 28, 30, 33, 34, 35, 36, 38), -12000),
    46: -1,
    47: -1,
    56: 100,
    58: -1,
}
VORBIS_SAMPLE = 0x10
# Which source a modulator listens to, and the number of the note's velocity.
CONTROLLER_BITS, VELOCITY = 0xFF, 2
FULL_RANGE = (0, 127)
PCM_BYTES = 2

# The rows of the tables that describe presets, by chunk.
TABLES: Mapping[bytes, struct.Struct] = {
    b"phdr": struct.Struct("<20sHHHIII"),
    b"inst": struct.Struct("<20sH"),
    b"shdr": struct.Struct("<20sIIIIIBbHH"),
    b"pbag": struct.Struct("<HH"),
    b"ibag": struct.Struct("<HH"),
    b"pgen": struct.Struct("<HH"),
    b"igen": struct.Struct("<HH"),
    b"pmod": struct.Struct("<HHhHH"),
    b"imod": struct.Struct("<HHhHH"),
}


@dataclass(frozen=True, slots=True)
class Modulator:
    """How far a note's velocity or key moves a generator; the numbers are the file's."""

    source: int
    destination: int
    amount: int
    amount_source: int
    transform: int

    @property
    def follows_velocity(self) -> bool:
        """Whether it moves with a note's velocity."""
        return VELOCITY in (self.source & CONTROLLER_BITS, self.amount_source & CONTROLLER_BITS)

    @property
    def identity(self) -> tuple[int, int, int, int]:
        """What makes two modulators the same one, whatever their amounts."""
        return self.source, self.destination, self.amount_source, self.transform


# The one default modulator that a note at rest (no pedals, wheels or pressure) feels: velocity to attenuation, cB.
# The other that the specification lists, velocity to filter cutoff, is off in FluidSynth and here.
VELOCITY_TO_ATTENUATION = Modulator(0x0502, ATTENUATION, 960, 0, 0)


@dataclass(frozen=True, slots=True)
class SampleHeader:
    """Where a sample lies in the file (bytes) and how it is meant to be played (loop in samples, pitch in MIDI)."""

    name: str
    start: int
    end: int
    loop_start: int
    loop_end: int
    sample_rate: int
    root_pitch: int
    correction_cents: int
    kind: int


@dataclass(frozen=True, slots=True)
class Zone:
    """Generators and modulators as one bag of the file holds them."""

    generators: Mapping[int, int]
    modulators: tuple[Modulator, ...]


@dataclass(frozen=True, slots=True)
class Region:
    """A preset zone and an instrument zone made one: which notes it answers and with what.

    Attributes:
        keys: lowest and highest MIDI pitch.
        velocities: lowest and highest velocity.
        sample: index of the sample.
        generators: number to value, in the file's units, with defaults filled in.
        modulators: those with an amount.
    """

    keys: tuple[int, int]
    velocities: tuple[int, int]
    sample: int
    generators: Mapping[int, int]
    modulators: tuple[Modulator, ...]


class SoundFont:
    """One SF2 or SF3 file, held in memory as it is on disk; samples are decoded when asked for."""

    def __init__(self, path: Path) -> None:
        """Read the file's tables.

        Raises:
            ValueError: the file is not a whole SoundFont.
        """
        self.path = path
        self._data = path.read_bytes()
        if self._data[:4] != b"RIFF" or self._data[8:12] != b"sfbk":
            raise ValueError(f"{path.name} is not a SoundFont: it does not begin with a RIFF sfbk header")
        self._chunks = dict(self._walk(12, len(self._data)))
        missing = [name.decode() for name in (*TABLES, b"smpl") if name not in self._chunks]
        if missing:
            raise ValueError(f"{path.name} is not a whole SoundFont: it lacks {', '.join(missing)}")
        self._tables = {name: self._table(name) for name in TABLES}
        self._regions: dict[tuple[int, int], tuple[Region, ...]] = {}

    @cached_property
    def preset_names(self) -> dict[tuple[int, int], str]:
        """Names by (bank, program)."""
        return {(row[2], row[1]): _text(row[0]) for row in self._tables[b"phdr"][:-1]}

    @cached_property
    def samples(self) -> tuple[SampleHeader, ...]:
        """Every sample's header, in the file's order."""
        return tuple(_sample_header(*row) for row in self._tables[b"shdr"][:-1])

    def regions(self, bank: int, program: int) -> tuple[Region, ...]:
        """List what a preset plays.

        Raises:
            ValueError: the font has no such preset.
        """
        if (bank, program) not in self.preset_names:
            raise ValueError(f"{self.path.name} has no preset for bank {bank}, program {program}")
        if (bank, program) not in self._regions:
            self._regions[bank, program] = tuple(self._build_regions(bank, program))
        return self._regions[bank, program]

    def decode(self, sample: int, n: int = -1) -> NDArray[np.float32]:
        """Decode a sample, or its first n samples.

        Returns:
            (n,) float32, or shorter where the sample is; full scale is 1.0.
        """
        header = self.samples[sample]
        base = self._chunks[b"smpl"][0]
        packed = self._data[base + header.start : base + header.end]
        if not header.kind & VORBIS_SAMPLE:
            whole = np.frombuffer(packed, dtype="<i2")
            return (whole if n < 0 else whole[:n]).astype(np.float32) / np.float32(2**15)
        samples, _ = soundfile.read(io.BytesIO(packed), frames=n, dtype="float32")
        return samples

    def _walk(self, start: int, end: int) -> Iterator[tuple[bytes, tuple[int, int]]]:
        """Yield every leaf chunk's name, offset and size."""
        while start + 8 <= end:
            name, size = struct.unpack_from("<4sI", self._data, start)
            start += 8
            if name == b"LIST":
                yield from self._walk(start + 4, start + size)
            else:
                yield name, (start, size)
            start += size + size % 2

    def _table(self, name: bytes) -> list[tuple[Any, ...]]:
        offset, size = self._chunks[name]
        row = TABLES[name]
        return list(row.iter_unpack(self._data[offset : offset + size - size % row.size]))

    def _build_regions(self, bank: int, program: int) -> Iterator[Region]:
        headers = self._tables[b"phdr"]
        index = next(i for i, row in enumerate(headers) if (row[2], row[1]) == (bank, program))
        instruments = self._tables[b"inst"]
        for preset_zone in self._zones(b"p", headers[index][3], headers[index + 1][3], INSTRUMENT):
            instrument = preset_zone.generators[INSTRUMENT]
            for zone in self._zones(b"i", instruments[instrument][1], instruments[instrument + 1][1], SAMPLE_ID):
                region = _combine(preset_zone, zone)
                if region:
                    yield region

    def _zones(self, level: bytes, first: int, last: int, target: int) -> Iterator[Zone]:
        """Yield the zones that name a target (an instrument or a sample), each laid over the global zone."""
        common = Zone({}, ())
        for index in range(first, last):
            zone = self._zone(level, index)
            if target in zone.generators:
                yield Zone({**common.generators, **zone.generators}, _overridden(common.modulators, zone.modulators))
            elif index == first:
                common = zone

    def _zone(self, level: bytes, index: int) -> Zone:
        bags = self._tables[level + b"bag"]
        (first_gen, first_mod), (last_gen, last_mod) = bags[index], bags[index + 1]
        return Zone(
            {number: _signed(number, value) for number, value in self._tables[level + b"gen"][first_gen:last_gen]},
            tuple(Modulator(*row) for row in self._tables[level + b"mod"][first_mod:last_mod]),
        )


def _sample_header(
    name: bytes,
    start: int,
    end: int,
    loop_start: int,
    loop_end: int,
    sample_rate: int,
    root_pitch: int,
    correction_cents: int,
    _link: int,  # a stereo sample's partner; the zones say it, too
    kind: int,
) -> SampleHeader:
    text = _text(name)
    if not kind & VORBIS_SAMPLE:  # SF2 counts everything in samples from the beginning of the chunk
        loop_start, loop_end = loop_start - start, loop_end - start
        start, end = start * PCM_BYTES, end * PCM_BYTES
    return SampleHeader(text, start, end, loop_start, loop_end, sample_rate, root_pitch, correction_cents, kind)


def _combine(preset: Zone, instrument: Zone) -> Region | None:
    """Add a preset zone to an instrument zone; None where no note reaches both."""
    keys = _common_range(preset, instrument, KEY_RANGE)
    velocities = _common_range(preset, instrument, VELOCITY_RANGE)
    if keys[0] > keys[1] or velocities[0] > velocities[1]:
        return None
    generators = {**DEFAULT_GENERATORS, **instrument.generators}
    for number, value in preset.generators.items():
        if number not in INSTRUMENT_ONLY:
            generators[number] = generators.get(number, 0) + value
    modulators = _added(_overridden((VELOCITY_TO_ATTENUATION,), instrument.modulators), preset.modulators)
    sample = instrument.generators[SAMPLE_ID]
    return Region(keys, velocities, sample, generators, tuple(m for m in modulators if m.amount))


def _common_range(preset: Zone, instrument: Zone, number: int) -> tuple[int, int]:
    ranges = [zone.generators.get(number) for zone in (preset, instrument)]
    bounds = [FULL_RANGE if value is None else (value & 0xFF, value >> 8) for value in ranges]
    return max(low for low, _ in bounds), min(high for _, high in bounds)


def _overridden(base: tuple[Modulator, ...], over: tuple[Modulator, ...]) -> tuple[Modulator, ...]:
    return tuple({modulator.identity: modulator for modulator in (*base, *over)}.values())


def _added(base: tuple[Modulator, ...], extra: tuple[Modulator, ...]) -> tuple[Modulator, ...]:
    merged = {modulator.identity: modulator for modulator in base}
    for modulator in extra:
        same = merged.get(modulator.identity)
        amount = modulator.amount + (same.amount if same else 0)
        merged[modulator.identity] = replace(modulator, amount=amount)
    return tuple(merged.values())


def _signed(number: int, value: int) -> int:
    if number in (INSTRUMENT, KEY_RANGE, VELOCITY_RANGE, SAMPLE_ID) or value < 0x8000:
        return value
    return value - 0x10000


def _text(raw: bytes) -> str:
    return raw.split(b"\0")[0].decode("latin-1")
