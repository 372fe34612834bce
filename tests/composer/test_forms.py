"""Forms fill any number of bars exactly."""

import pytest

from musicgen.composer.forms import all_forms, fill_bars


@pytest.mark.parametrize("name", sorted(all_forms()))
def test_every_number_of_bars_is_filled_exactly(name: str) -> None:
    for n_bars in range(1, 260):
        sections = fill_bars(all_forms()[name], n_bars)
        assert sum(bars for _, bars in sections) == n_bars
        assert all(bars > 0 for _, bars in sections)


@pytest.mark.parametrize("name", sorted(all_forms()))
def test_long_pieces_develop(name: str) -> None:
    sections = fill_bars(all_forms()[name], 96)
    assert len({kind.name for kind, _ in sections}) >= 4
    assert len({kind.energy for kind, _ in sections}) >= 3


def test_sections_last_whole_phrases_but_for_the_first() -> None:
    for n_bars in (24, 41, 80, 123):
        assert all(bars % 4 == 0 for _, bars in fill_bars(all_forms()["song"], n_bars)[1:])
