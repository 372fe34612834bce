"""Grooves: drums of styles that name one are played as people play, those of others stay on the grid."""

import random
from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path
from statistics import mean, pstdev

import numpy as np
import pytest

from musicgen.composer.arrangement.drumming import play_as_drummer
from musicgen.composer.arrangement.performance import Swing, perform
from musicgen.composer.brief import understand
from musicgen.composer.groove import HANDS, RESTING, Groove, all_grooves
from musicgen.composer.instruments import PERCUSSION
from musicgen.composer.plan import Plan, make_plan
from musicgen.composer.score import Note
from musicgen.composer.style_file import STYLES_DIR, InvalidStyle, all_styles, read_style
from musicgen.options import GenerationOptions

KICK = PERCUSSION["kick"]
STATISTICS = STYLES_DIR.parent / "statistics" / "groove.json"


@cache
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
            assert len(touch.lag_ms) == len(touch.loud) == 16
            assert all(abs(lag) < 40 for lag in touch.lag_ms)
            assert all(0.5 < level < 1.2 for level in touch.loud)
            assert 0.1 < touch.soft < 0.6
        assert 0.5 <= groove.swing <= 0.7


def test_feels_hold_a_whole_bar_of_chances() -> None:
    for groove in all_grooves().values():
        assert len(groove.feels) >= 3
        assert sum(feel.share for feel in groove.feels) == pytest.approx(1, abs=0.06)
        assert groove.feels[0].energy == 0
        assert groove.feels[-1].energy == 1
        for feel in groove.feels:
            grids = [*feel.loud.values(), *feel.soft.values()]
            assert all(len(grid) == 16 and all(0 <= chance <= 1 for chance in grid) for grid in grids)
            assert sum(map(sum, grids)) > 4


def test_fills_lead_on_from_every_drum() -> None:
    for groove in all_grooves().values():
        assert set(groove.fills.hands) == set(HANDS)
        for rows in groove.fills.hands.values():
            assert all(len(row) == len(HANDS) and sum(row) > 0 for row in rows)
        # A fill strikes more than it rests once it is under way.
        assert sum(row[HANDS.index(RESTING)] for row in groove.fills.hands["snare"]) < 18


def test_the_statistics_stay_small() -> None:
    assert STATISTICS.stat().st_size < 110_000


@pytest.mark.parametrize("name", ["techno", "house", "trance", "chiptune", "drum_and_bass", "trap"])
def test_programmed_styles_have_no_drummer(name: str) -> None:
    assert all_styles()[name].groove is None


@pytest.mark.parametrize("name", ["rock", "funk", "jazz"])
def test_strokes_spread_as_those_of_the_drummers(name: str) -> None:
    """On one step of the bar, in one piece and from piece to piece, timing and velocity have the data's figures."""
    plan, groove = plan_of("rock", tempo=110.0, groove=name), groove_of(name)
    touch = groove.touch(KICK)
    pieces = [touched(plan, written(4 * 200), seed)[::4] for seed in range(40)]  # every downbeat
    lags_ms = [[lag * 60_000 / 110 for _, lag, _ in piece] for piece in pieces]
    factors = [[factor for _, _, factor in piece] for piece in pieces]
    assert mean(map(mean, lags_ms)) == pytest.approx(touch.lag_ms[0], abs=4)
    assert pstdev(map(mean, lags_ms)) == pytest.approx(touch.lag_own_ms, rel=0.4)
    assert mean(map(pstdev, lags_ms)) == pytest.approx(touch.lag_spread_ms, rel=0.2)
    # The level may not exceed a limit, which narrows its spread.
    assert 0.5 < mean(pstdev(f) / mean(f) for f in factors) / (touch.loud_spread / touch.loud[0]) < 1.25


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


def test_ghost_notes_are_soft_and_vary_more_than_full_strokes() -> None:
    plan = plan_of("rock", groove="funk")
    ghosts, full = (
        [note.velocity * f for note, _, f in touched(plan, written(2000, velocity))] for velocity in (42, 96)
    )
    assert mean(ghosts) < 0.6 * mean(full)
    assert pstdev(ghosts) / mean(ghosts) > pstdev(full) / mean(full)


def test_equal_streams_play_equally() -> None:
    plan = plan_of("funk")
    one, again, other = (perform(written(64), "drums", plan, random.Random(seed)) for seed in (1, 1, 2))
    assert one == again
    assert one != other
    assert all(1 <= note.velocity <= 127 and note.onset >= 0 for note in one)


def test_jazz_swings_as_its_drummers_do_and_less_the_faster_it_is() -> None:
    slow, fast = (Swing.of(plan_of("jazz", tempo)) for tempo in (110.0, 220.0))
    assert slow.unit == fast.unit == 0.5
    assert 0.6 < fast.ratio < slow.ratio < 0.7


def test_a_style_may_say_how_it_swings_itself() -> None:
    plan = plan_of("jazz", 120.0)
    straight = replace(plan, style=replace(plan.style, swing=0.5))
    beats = np.array([0.5, 1.0])
    assert list(Swing.of(straight).moved(beats)) == [0.5, 1.0]
    assert list(Swing.of(plan).moved(beats)) == pytest.approx([Swing.of(plan).ratio, 1.0])


def test_written_triplets_are_not_swung_again() -> None:
    plan = plan_of("jazz", 120.0)
    triplets = 4 + np.array([1 / 3, 2 / 3, 1 / 6, 5 / 6])
    assert list(Swing.of(plan).moved(triplets)) == list(triplets)


def test_pitched_instruments_swing_with_the_drums() -> None:
    plan = replace(plan_of("jazz", 120.0), style=replace(plan_of("jazz", 120.0).style, looseness_s=0.0))
    off_beats = [Note(bar + 0.5, 0.5, 60, 90) for bar in range(40)]
    played = perform(off_beats, "comping", plan, random.Random(1))
    assert mean(note.onset % 1 for note in played) == pytest.approx(Swing.of(plan).ratio, abs=1e-6)


def test_a_style_with_an_unknown_groove_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "funk.toml"
    text = (STYLES_DIR / "funk.toml").read_text(encoding="utf-8")
    path.write_text(text.replace('groove = "funk"', 'groove = "fonk"'), encoding="utf-8")
    with pytest.raises(InvalidStyle, match=r"funk.toml: groove: 'fonk' is no groove; there are blues"):
        read_style(path)


def test_free_drums_without_a_groove_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "house.toml"
    text = (STYLES_DIR / "house.toml").read_text(encoding="utf-8")
    path.write_text(text.replace('grids.clap = "....x.......x..."', 'free = ["time"]', 1), encoding="utf-8")
    with pytest.raises(InvalidStyle, match="only drums of a style with a groove"):
        read_style(path)
