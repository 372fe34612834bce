"""Texts for a terminal."""

from musicgen import cli_text


def test_text_for_a_terminal_holds_no_control_characters() -> None:
    assert cli_text.one_line("a\x1b[2Jb\n\tc") == "a [2Jb c"
    assert cli_text.one_line("abcdef", 4) == "abc…"


def test_a_download_tells_how_long_it_takes_where_that_is_known() -> None:
    assert cli_text.transfer(1_500_000_000, 4_400_000_000, 12e6) == "1.5 GB of 4.4 GB, 12.0 MB/s, 4 min left"
    assert cli_text.transfer(500, 1500, 400) == "500 bytes of 1.5 kB, 400 bytes/s, 3 s left"
    assert cli_text.transfer(1500, 1500, 0) == "1.5 kB of 1.5 kB, 0 bytes/s"
    assert cli_text.transfer(1500, None, 2000) == "1.5 kB, 2.0 kB/s"
