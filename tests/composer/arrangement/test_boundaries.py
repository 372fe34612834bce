"""Where sections meet: breaths are silent, stabs are together, rolls grow, runs lead on."""

from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from musicgen.composer.composition import Composition, compose
from musicgen.composer.instruments import PERCUSSION
from musicgen.composer.plan_document import write_document
from musicgen.composer.score import Note
from musicgen.options import GenerationOptions

OPTIONS = GenerationOptions("rock song", duration=40.0, seed=3, tempo=120.0, key="C major")
END = 32.0  # quarter notes, the end of the first section


@cache
def with_exit(name: str, **changes: Any) -> Composition:
    document = write_document(*decided())
    sections = [
        {"name": "verse", "bars": 8, "energy": 0.6, "to_energy": 0.7, "exit": name} | changes,
        {"name": "chorus", "bars": 8, "energy": 0.9},
    ]
    return compose(replace(OPTIONS, plan=document | {"sections": sections, "duration": None}))


@cache
def decided() -> tuple[Any, Any]:
    composition = compose(OPTIONS)
    return composition.plan, composition.progression


def played(composition: Composition, start: float, end: float) -> dict[str, list[Note]]:
    parts: dict[str, list[Note]] = {}
    for part in composition.score.parts:
        parts.setdefault(part.role, []).extend(n for n in part.notes if start - 0.12 <= n.onset < end - 0.12)
    return parts


@pytest.mark.parametrize("role", ["drums", "bass", "comping"])
def test_a_breath_is_silent_for_half_a_bar(role: str) -> None:
    assert played(with_exit("breath"), END - 2, END)[role] == []
    assert played(with_exit("plain"), END - 2, END)[role]
    assert all(n.onset + n.duration <= END - 2 + 0.15 for n in played(with_exit("breath"), 0, END - 2)["comping"])


def test_stabs_are_struck_together() -> None:
    struck = played(with_exit("stabs"), END - 4, END)
    for role in ("drums", "bass", "comping"):
        onsets = {round(2 * (note.onset - (END - 4))) / 2 for note in struck[role]}
        assert onsets == {0.0, 1.5, 3.0}, role
        assert all(note.duration < 0.6 for note in struck[role])


def test_a_roll_grows_denser_and_louder() -> None:
    snares = [n for n in played(with_exit("build"), END - 16, END)["drums"] if n.pitch == PERCUSSION["snare"]]
    starts = (END - 16, END - 12, END - 8, END - 4)
    quarters = [[n for n in snares if start <= n.onset + 0.1 < start + 4] for start in starts]
    assert len(quarters[0]) < len(quarters[2])
    assert len(quarters[3]) == 16
    loud = [sum(n.velocity for n in bar) / len(bar) for bar in quarters]
    assert loud[3] > loud[1]
    assert {n.pitch for n in played(with_exit("build"), END - 4, END)["drums"]} == {PERCUSSION["snare"]}


def test_drums_that_rest_roll_too() -> None:
    built = with_exit("build", texture="no_drums")
    assert played(built, 0, END - 16)["drums"] == []
    assert len(played(built, END - 4, END)["drums"]) == 16


def test_the_bass_runs_into_the_next_section() -> None:
    composition = with_exit("fill")
    run = played(composition, END - 1, END)["bass"]
    first = played(composition, END, END + 1)["bass"][0]
    assert len(run) == 2
    assert 1 <= abs(first.pitch - run[-1].pitch) <= 2
    assert abs(first.pitch - run[0].pitch) <= 4
