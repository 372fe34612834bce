"""Forms fill any number of bars exactly, with sections of musical lengths."""

import itertools

import pytest

from musicgen.composer.development import EXITS, VARIATIONS, all_closes, all_intros, all_textures, usual_weights
from musicgen.composer.forms import all_forms, fill_bars

FORMS = sorted(all_forms())
BAR_LENGTHS_S = (0.8, 1.4, 2.1, 3.0, 4.2)


@pytest.mark.parametrize("name", FORMS)
def test_every_number_of_bars_is_filled_exactly(name: str) -> None:
    for n_bars, bar_s in itertools.product([*range(1, 40), *range(41, 160, 7), 151, 152, 257, 597], BAR_LENGTHS_S):
        sections = fill_bars(name, n_bars, bar_s)
        assert sum(bars for _, bars in sections) == n_bars
        assert all(bars > 0 for _, bars in sections)


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("bar_s", BAR_LENGTHS_S)
def test_sections_of_a_kind_are_equally_long_but_for_the_first_and_the_last(name: str, bar_s: float) -> None:
    for n_bars in range(12, 120, 5):
        inner = fill_bars(name, n_bars, bar_s)[1:-1]
        lengths = {kind.name: {bars for other, bars in inner if other is kind} for kind, _ in inner}
        assert all(len(found) == 1 for found in lengths.values()), (n_bars, lengths)


@pytest.mark.parametrize("name", FORMS)
def test_no_bar_stands_alone_and_no_intro_takes_the_piece(name: str) -> None:
    for n_bars in range(8, 160, 3):
        sections = fill_bars(name, n_bars)
        assert min(bars for _, bars in sections) >= 2
        assert sections[0][0].melody or sections[0][1] <= max(0.45 * n_bars, 4)


def test_blues_choruses_stay_whole() -> None:
    for n_bars in range(24, 150):
        assert all(bars == 12 for kind, bars in fill_bars("chorus12", n_bars)[1:-1] if kind.bars == 12)


@pytest.mark.parametrize("name", FORMS)
def test_long_pieces_develop(name: str) -> None:
    kinds = [kind for kind, _ in fill_bars(name, 96)]
    assert len({kind.name for kind in kinds}) >= 4
    assert len({kind.energy for kind in kinds}) >= 3
    runs = [len(list(run)) for _, run in itertools.groupby(kinds)]
    assert max(runs) <= 4


@pytest.mark.parametrize("name", FORMS)
def test_half_a_minute_has_a_contrast(name: str) -> None:
    if name != "chorus12":
        assert len(fill_bars(name, 14)) >= 2


@pytest.mark.parametrize("name", FORMS)
def test_forms_name_what_there_is(name: str) -> None:
    form = all_forms()[name]
    for kind in {kind for order in form.orders for kind in order}:
        assert set(kind.exits) <= set(EXITS)
        assert set(kind.textures) <= set(all_textures())
        assert {*kind.always, *kind.vary, *kind.finale} <= set(VARIATIONS)
    materials = {kind.material for order in form.orders for kind in order}
    assert {kind.over for order in form.orders for kind in order if kind.over} <= materials
    assert {form.opening, form.closing} <= {kind.name for order in form.orders for kind in order}


def test_everything_that_can_be_drawn_has_a_weight() -> None:
    assert set(usual_weights()) == {*VARIATIONS, *EXITS, *all_textures(), "lift"}
    assert "vamp" in all_intros()
    assert "ring" in all_closes()
