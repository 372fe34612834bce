"""Grooves: drums of styles that name one are played as people play, those of others stay on the grid."""

import random
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from statistics import mean, pstdev

import pytest

from musicgen.composer.arrangement.drumming import play_as_drummer
from musicgen.composer.arrangement.performance import perform
from musicgen.composer.brief import understand
from musicgen.composer.groove import Groove, all_grooves
from musicgen.composer.instruments import PERCUSSION
from musicgen.composer.plan import Plan, make_plan
from musicgen.composer.score import Note
from musicgen.composer.style_file import STYLES_DIR, InvalidStyle, all_styles, read_style
from musicgen.options import GenerationOptions

KICK = PERCUSSION["kick"]


def plan_of(style: str, tempo: float = 110.0, groove: str | None = None) -> Plan:
    options = GenerationOptions(style.replace("_", " "), duration=60, seed=1, tempo=tempo)
    plan = make_plan(understand(options, {name: s.words for name, s in all_styles().items()}), 60, "seed")
    assert plan.style.name == style
    return replace(plan, style=replace(plan.style, groove=groove)) if groove else plan


def written(n: int, velocity: int = 96, spacing: float = 1.0) -> list[Note]:
    return [Note(i * spacing, 0.25, KICK, velocity) for i in range(n)]


def touched(plan: Plan, notes: list[Note], seed: int = 1) -> list[tuple[Note, float, float]]:
    return list(play_as_drummer(notes, plan, random.Random(seed)))


def groove_of(name: str) -> Groove:
    return all_grooves()[name]


def test_every_groove_that_a_style_names_is_complete() -> None:
    named = {style.groove for style in all_styles().values()} - {None}
    assert named <= set(all_grooves())
    for groove in all_grooves().values():
        assert {"kick", "snare", "other"} <= set(groove.drums)
        for touch in groove.drums.values():
            for figures in (touch.lag_ms, touch.lag_spread_ms, touch.level, touch.level_spread):
                assert len(figures) == 16
            assert all(abs(lag) < 40 for lag in touch.lag_ms)
            assert all(0.6 < level < 1.4 for level in touch.level)


@pytest.mark.parametrize("name", ["techno", "house", "trance", "chiptune", "drum_and_bass", "trap"])
def test_programmed_styles_have_no_drummer(name: str) -> None:
    assert all_styles()[name].groove is None


@pytest.mark.parametrize("name", ["rock", "funk", "jazz"])
def test_strokes_spread_as_those_of_the_drummers(name: str) -> None:
    """On one step of the bar, over many bars, mean and spread of timing and velocity are the figures of the data."""
    plan, groove = plan_of("rock", tempo=110.0, groove=name), groove_of(name)
    touch = groove.touch(KICK)
    played = touched(plan, written(4 * 2000))[::4]  # every downbeat
    lags_ms = [lag * 60_000 / 110 for _, lag, _ in played]
    factors = [factor for _, _, factor in played]
    assert mean(lags_ms) == pytest.approx(touch.lag_ms[0], abs=1.5)
    assert pstdev(lags_ms) == pytest.approx(touch.lag_spread_ms[0], rel=0.2)
    assert mean(factors) == pytest.approx(touch.level[0], abs=0.03)
    assert pstdev(factors) == pytest.approx(touch.level[0] * touch.level_spread[0], rel=0.25)


def test_neighbouring_strokes_drift_together() -> None:
    lags = [lag for _, lag, _ in touched(plan_of("rock", groove="funk"), written(4000, spacing=4.0))]
    usual = mean(lags)
    near = mean((a - usual) * (b - usual) for a, b in pairwise(lags)) / pstdev(lags) ** 2
    share, correlation = groove_of("funk").timing_drift
    assert near == pytest.approx(share * correlation, abs=0.12)
    assert near > 0.2


def test_times_shrink_with_the_beat_but_less_than_it() -> None:
    slow, fast = (
        pstdev(lag * 60 / tempo for _, lag, _ in touched(plan_of("rock", tempo, "rock"), written(2000)))
        for tempo in (70.0, 140.0)
    )
    assert 1.2 < slow / fast < 2.0


def test_ghost_notes_vary_more_than_full_strokes() -> None:
    plan = plan_of("rock", groove="funk")
    ghosts, full = ([f for _, _, f in touched(plan, written(2000, velocity))] for velocity in (42, 96))
    assert pstdev(ghosts) / mean(ghosts) > pstdev(full) / mean(full)


def test_equal_streams_play_equally() -> None:
    plan = plan_of("funk")
    one, again, other = (perform(written(64), "drums", plan, random.Random(seed)) for seed in (1, 1, 2))
    assert one == again
    assert one != other
    assert all(1 <= note.velocity <= 127 and note.onset >= 0 for note in one)


def test_a_style_with_an_unknown_groove_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "funk.toml"
    text = (STYLES_DIR / "funk.toml").read_text(encoding="utf-8")
    path.write_text(text.replace('groove = "funk"', 'groove = "fonk"'), encoding="utf-8")
    with pytest.raises(InvalidStyle, match=r"funk.toml: groove: 'fonk' is no groove; there are country"):
        read_style(path)
