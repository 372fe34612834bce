"""Texts for a terminal."""

from musicgen import cli_text


def test_text_for_a_terminal_holds_no_control_characters() -> None:
    assert cli_text.one_line("a\x1b[2Jb\n\tc") == "a [2Jb c"
    assert cli_text.one_line("abcdef", 4) == "abc…"
