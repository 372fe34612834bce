"""Style files: those that ship are sound, and a bad one is refused with file, key and reason."""

from pathlib import Path

import pytest

from musicgen.composer.forms import all_forms
from musicgen.composer.style_file import STYLES_DIR, InvalidStyle, all_styles, read_style

GOOD = (STYLES_DIR / "pop.toml").read_text(encoding="utf-8")


def test_at_least_eight_styles_ship_and_name_a_form_that_exists() -> None:
    assert len(all_styles()) >= 8
    assert {style.form for style in all_styles().values()} <= set(all_forms())


def test_every_style_has_a_tune_that_sings_at_any_energy() -> None:
    for style in all_styles().values():
        melodies = [layer for layer in style.layers if layer.role == "melody"]
        for energy in (0.05, 0.3, 0.5, 0.6, 0.605, 0.61, 0.8, 1.0):
            assert any(m.enters <= energy <= m.leaves for m in melodies), (style.name, energy)


def test_no_word_names_two_styles() -> None:
    words = [word for style in all_styles().values() for word in style.words]
    assert len(words) == len(set(words))


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("tempo = [92, 124]", "tempo = [92]", "tempo"),
        ("tempo = [92, 124]", "tempo = [9, 124]", "tempo.0"),
        ('role = "bass"', 'role = "bas"', "layers.4.role"),
        ('"electric_bass"', '"electric_bas"', "layers.4.instruments: no instrument is called electric_bas"),
        ('"1-------1-------"', '"1------1-------"', "has 15 steps"),
        ('"I | V | vi | IV"', '"I | Vx | vi | IV"', "'Vx' has the unknown quality"),
        ("modes = {", "mode = {", "mode: Unknown field"),
        ("[harmony]", "[harmony", "pop.toml"),
    ],
)
def test_a_bad_file_is_refused_with_file_key_and_reason(tmp_path: Path, old: str, new: str, expected: str) -> None:
    path = tmp_path / "pop.toml"
    assert old in GOOD
    path.write_text(GOOD.replace(old, new), encoding="utf-8")
    with pytest.raises(InvalidStyle) as error:
        read_style(path)
    assert expected in str(error.value)
    assert str(error.value).startswith("pop.toml: ")
