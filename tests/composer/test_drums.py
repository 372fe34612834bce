"""Drum parts: alive within the style's identity, one groove where a section returns, fills that fit what follows."""

import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cache
from statistics import mean, pstdev

import pytest

from musicgen.composer.arrangement.drums import play_drums
from musicgen.composer.arrangement.fills import fill_beats
from musicgen.composer.arrangement.performance import perform
from musicgen.composer.arrangement.timeline import Bar, bars_of_chair
from musicgen.composer.brief import understand
from musicgen.composer.instruments import PERCUSSION
from musicgen.composer.plan import Plan, make_plan
from musicgen.composer.score import Note
from musicgen.composer.style_file import all_styles
from musicgen.options import GenerationOptions

NAMES = {pitch: name for name, pitch in PERCUSSION.items()}
WITH_GROOVE = [name for name, style in all_styles().items() if style.groove and style.name not in ("waltz", "folk")]
WITH_DRUMS = [name for name, style in all_styles().items() if any(layer.role == "drums" for layer in style.layers)]


@cache
def plan_of(style: str, seed: int = 1, metre: str = "") -> Plan:
    options = GenerationOptions(style.replace("_", " "), duration=90, seed=seed, time_signature=metre or None)
    brief = understand(options, {name: s.words for name, s in all_styles().items()})
    return make_plan(replace(brief, style=style), 90, f"{seed}/{style}")


def bars_of(plan: Plan) -> list[Bar]:
    quarters = plan.time_signature.bar_quarters
    return [Bar((s.first_bar + i) * quarters, quarters, s, i, ()) for s in plan.sections for i in range(s.bars)]


@cache
def written_drums(style: str, seed: int = 1, metre: str = "") -> tuple[Note, ...]:
    plan = plan_of(style, seed, metre)
    chair = next(chair for chair in plan.band if chair.layer.role == "drums")
    bars = bars_of_chair(plan, chair, bars_of(plan))
    return tuple(play_drums(plan, chair, bars, True, random.Random(f"{seed}/drums")))


def played_drums(style: str, seed: int = 1, metre: str = "") -> tuple[Note, ...]:
    plan = plan_of(style, seed, metre)
    return perform(written_drums(style, seed, metre), "drums", plan, random.Random(f"{seed}/performance"))


def by_bar(notes: Iterable[Note], plan: Plan) -> dict[int, set[tuple[str, float]]]:
    bars: dict[int, set[tuple[str, float]]] = defaultdict(set)
    for note in notes:
        bar, onset = divmod(note.onset, plan.time_signature.bar_quarters)
        bars[int(bar)].add((NAMES[note.pitch], onset))
    return bars


def likeness(bars: Sequence[set[tuple[str, float]]], others: Sequence[set[tuple[str, float]]]) -> float:
    return mean(len(a & b) / max(1, len(a | b)) for a, b in zip(bars, others, strict=False))


@pytest.mark.parametrize("metre", ["", "3/4", "6/8", "7/8"])
@pytest.mark.parametrize("style", WITH_DRUMS)
def test_strokes_stay_in_the_piece(style: str, metre: str) -> None:
    plan = plan_of(style, 1, metre)
    for note in written_drums(style, 1, metre):
        assert 0 <= note.onset <= plan.ending
        assert note.pitch in NAMES
    assert all(note.onset >= 0 and 1 <= note.velocity <= 127 for note in played_drums(style, 1, metre))


@pytest.mark.parametrize("style", WITH_GROOVE)
def test_one_drummer_can_play_it(style: str) -> None:
    """Hand percussion is for others; of the kit's drums two hands reach two on a step, and one cymbal or hat."""
    hands = {"snare", "rim", "hat", "open_hat", "ride", "bell", "crash", "tom_low", "tom_mid", "tom_high"}
    cymbals = {"hat", "open_hat", "ride", "bell"}
    steps: dict[float, set[str]] = defaultdict(set)
    for note in written_drums(style):
        steps[note.onset].add(NAMES[note.pitch])
    assert mean(len(struck & hands) <= 2 for struck in steps.values()) > 0.98
    if style != "disco":  # its written pattern has both
        assert mean(len(struck & cymbals) <= 1 for struck in steps.values()) > 0.98


@pytest.mark.parametrize("style", ["rock", "funk", "soul", "pop", "country", "indie"])
def test_loudness_varies_as_people_vary_it(style: str) -> None:
    """The standard deviation of velocity within a piece is 27 to 36 with people (benchmarks/quality.md)."""
    spreads = [pstdev(note.velocity for note in played_drums(style, seed)) for seed in range(1, 5)]
    assert 21 < mean(spreads) < 38


@pytest.mark.parametrize("style", ["rock", "funk", "jazz", "reggae", "blues"])
def test_bars_vary_but_keep_their_groove(style: str) -> None:
    """People strike 43% to 70% of the strokes of two neighbouring bars in both."""
    shares = []
    for seed in range(1, 5):
        plan = plan_of(style, seed)
        bars = by_bar(written_drums(style, seed), plan)
        for section in plan.sections:
            inside = [bars[section.first_bar + i] for i in range(section.bars) if bars[section.first_bar + i]]
            shares += [likeness(inside, inside[1:])] if len(inside) > 2 else []
    assert 0.35 < mean(shares) < 0.92


@pytest.mark.parametrize("style", ["rock", "funk", "pop"])
def test_a_section_that_returns_keeps_its_groove(style: str) -> None:
    """The material's own bars are nearer to its return than to other material."""
    same: list[float] = []
    other: list[float] = []
    for seed in range(1, 7):
        plan = plan_of(style, seed)
        bars = by_bar(written_drums(style, seed), plan)
        pairs = [(a, b) for i, a in enumerate(plan.sections) for b in plan.sections[i + 1 :]]
        for a, b in pairs:
            if a.texture == b.texture == "full" and min(a.bars, b.bars) >= 4:
                like = likeness([bars[a.first_bar + i] for i in range(3)], [bars[b.first_bar + i] for i in range(3)])
                if "regroove" not in (*a.variations, *b.variations):
                    (same if a.name == b.name else other).append(like)
    assert mean(same) > mean(other)


def test_the_backbeat_of_rock_and_the_one_drop_of_reggae_stay() -> None:
    for style, drum, onsets in (("rock", "snare", {1.0, 3.0}), ("reggae", "kick", {2.0})):
        plan = plan_of(style)
        bars = by_bar(written_drums(style), plan)
        full = [section for section in plan.sections if section.texture == "full"]
        # The last bars of sections and phrases may be fills.
        inside = [section.first_bar + i for section in full for i in range(section.bars - 1) if i % 4 != 3]
        played = [bars[n] for n in inside if bars.get(n)]
        assert len(played) > 8
        assert all(onsets <= {onset for name, onset in bar if name == drum} for bar in played), style


def test_equal_seeds_play_equally_and_others_otherwise() -> None:
    written_drums.cache_clear()
    first = written_drums("funk", 3)
    written_drums.cache_clear()
    assert written_drums("funk", 3) == first
    assert written_drums("funk", 4) != first


def boundary(energy: float, following: float, way: str) -> tuple[Bar, Bar]:
    section = replace(plan_of("rock").sections[0], bars=4, energy=energy, to_energy=energy, exit=way)
    after = replace(section, first_bar=4, energy=following, to_energy=following)
    return Bar(12.0, 4.0, section, 3, ()), Bar(16.0, 4.0, after, 0, ())


def mean_fill(energy: float, following: float, way: str) -> float:
    return mean(fill_beats(*boundary(energy, following, way), random.Random(seed)) for seed in range(200))


def test_fills_grow_with_what_they_lead_into() -> None:
    into_chorus, on_and_on, into_break = (mean_fill(0.6, after, "fill") for after in (0.8, 0.6, 0.3))
    assert into_chorus > on_and_on > into_break > 0
    assert mean_fill(0.6, 0.8, "plain") < into_chorus
    assert mean_fill(0.2, 0.8, "fill") == 0
    assert mean_fill(0.6, 0.8, "breath") == 0


def test_fills_differ_within_a_piece() -> None:
    plan = plan_of("rock", 2)
    bars = by_bar(written_drums("rock", 2), plan)
    ends = [frozenset(bars[s.first_bar + s.bars - 1]) for s in plan.sections if bars[s.first_bar + s.bars - 1]]
    assert len(set(ends)) > len(ends) / 2


def test_a_crash_answers_a_big_fill() -> None:
    crashes = 0
    for seed in range(1, 7):
        plan = plan_of("rock", seed)
        bars = by_bar(written_drums("rock", seed), plan)
        crashes += sum(("crash", 0.0) in bars[section.first_bar] for section in plan.sections[1:])
        for struck in bars.values():
            if ("crash", 0.0) in struck:
                assert not {("hat", 0.0), ("ride", 0.0), ("open_hat", 0.0)} & struck
    assert crashes >= 6
