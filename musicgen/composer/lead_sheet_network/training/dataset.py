"""Turn songs into tensors and draw training batches.

Axes: b batch, t slots, c columns. A song is a row of slots with the borders of its sections; a training row starts at
the border of a random section that is followed by enough slots, or at the song's start.
"""

import multiprocessing
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from musicgen.composer.lead_sheet_network.cursor import FIRST_CONTROL, SITUATION, write_section
from musicgen.composer.lead_sheet_network.section import Section, chord_events, melody_events
from musicgen.composer.lead_sheet_network.tokens import DURATION_INDEX
from musicgen.composer.lead_sheet_network.training.songs import Song, cut, is_held_out, read_songs

IGNORED = -100
STYLE_WEIGHTS = {"pop": 0.52, "standards": 0.16, "folk": 0.19, "rock": 0.13}  # share of training rows
CUTS_OF_STYLE = {"pop": 4, "standards": 4, "folk": 1, "rock": 3}
CONTROL_DROPOUT = 0.15
MODE_COLUMN, METRE_COLUMN = FIRST_CONTROL + 1, FIRST_CONTROL + 2


@dataclass(slots=True)
class EncodedSong:
    """A song as tensors: slots (t, c) int16, times (t, 2) float32, targets (t, 2) int16, first slot of each section."""

    style: str
    slots: Tensor
    times: Tensor
    targets: Tensor
    borders: list[int]


def encode(style: str, sections: list[Section]) -> EncodedSong:
    """Write all sections of a song one after the other."""
    slots: list[list[int]] = []
    times: list[tuple[float, float]] = []
    targets: list[tuple[int, int]] = []
    borders: list[int] = []
    bar_offset = 0
    for section in sections:
        chords = chord_events(section.chords, section.controls)
        melody = melody_events(section.melody, section.controls) if section.melody else None
        borders.append(len(slots))
        _, new_slots, new_times, new_targets = write_section(section.controls, chords, melody, bar_offset)
        slots += new_slots
        times += new_times
        targets += [(IGNORED, IGNORED) if t is None else (DURATION_INDEX[t[0]], t[1]) for t in new_targets]
        bar_offset += section.controls.bars
    return EncodedSong(
        style,
        torch.tensor(slots, dtype=torch.int16),
        torch.tensor(times, dtype=torch.float32),
        torch.tensor(targets, dtype=torch.int16),
        borders,
    )


def prepare(data: Path, target: Path, processes: int) -> None:
    """Encode all songs, the training songs cut in several ways, and save them."""
    with multiprocessing.Pool(processes) as pool:
        encoded = pool.map(_encoded, read_songs(data), chunksize=16)
    parts: dict[str, list[EncodedSong]] = {"training": [], "held_out": []}
    for held_out, cuts in encoded:
        parts["held_out" if held_out else "training"] += [
            EncodedSong(style, torch.from_numpy(slots), torch.from_numpy(times), torch.from_numpy(targets), borders)
            for style, slots, times, targets, borders in cuts
        ]
    torch.save(parts, target)


def _encoded(song: Song) -> tuple[bool, list[tuple[Any, ...]]]:
    """Encode every cut of a song; numpy arrays pass between processes more cheaply than tensors."""
    held_out = is_held_out(song.id)
    cuts = []
    for variant in range(1 if held_out else CUTS_OF_STYLE[song.style]):
        sections = cut(song, random.Random(f"{song.id} {variant}"))
        if sections:
            part = encode(song.style, sections)
            cuts.append((part.style, part.slots.numpy(), part.times.numpy(), part.targets.numpy(), part.borders))
    return held_out, cuts


def draw_batch(
    songs: dict[str, list[EncodedSong]], weights: dict[str, list[int]], batch: int, length: int, dice: random.Random
) -> tuple[Tensor, Tensor, Tensor]:
    """Draw training rows: slots (b, t, c) int64, times (b, t, 2) float32, targets (b, t, 2) int64."""
    styles = dice.choices(list(STYLE_WEIGHTS), list(STYLE_WEIGHTS.values()), k=batch)
    rows = [_row(dice.choices(songs[style], weights[style])[0], length, dice) for style in styles]
    slots, times, targets = (torch.stack(parts) for parts in zip(*rows, strict=True))
    return slots.long(), times, targets.long()


def _row(song: EncodedSong, length: int, dice: random.Random) -> tuple[Tensor, Tensor, Tensor]:
    roomy = [border for border in song.borders if border + length <= len(song.slots)]
    first = dice.choice(roomy or song.borders[:1])
    slots, times, targets = (part[first : first + length] for part in (song.slots, song.times, song.targets))
    slots, times = drop_controls(slots.clone(), dice), times - times[:1, :1].floor()
    missing = length - len(slots)
    if missing:
        slots = torch.cat([slots, slots[-1:].expand(missing, -1)])
        times = torch.cat([times, times[-1:].expand(missing, -1)])
        targets = torch.cat([targets, targets.new_full((missing, 2), IGNORED)])
    return slots, times, targets


def drop_controls(slots: Tensor, dice: random.Random) -> Tensor:
    """Hide some controls of a whole row from the network, so that it learns to do without; metre always shows."""
    hidden = [
        column for column in range(FIRST_CONTROL, SITUATION)
        if column not in (METRE_COLUMN, MODE_COLUMN) and dice.random() < CONTROL_DROPOUT
    ]  # fmt: skip
    slots[:, hidden] = 0
    return slots
