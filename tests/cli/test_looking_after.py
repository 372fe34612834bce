"""`flask tracks`: listing, showing, deleting."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from click.testing import Result
from flask import Flask

from musicgen.database import Track

QUICK = ("--duration", "5", "--seed", "1")

Run = Callable[..., Result]


def test_a_database_that_cannot_be_opened_is_a_sentence(make_app: Callable[..., Flask], tmp_path: Path) -> None:
    result = make_app(DATABASE_URL=f"sqlite:///{tmp_path}").test_cli_runner().invoke(args=["tracks"])
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: The database cannot be used: ")


def test_tracks_lists_newest_first_by_the_page(run: Run) -> None:
    for title in ("first", "second", "third"):
        run("generate", "slow rain", *QUICK, "--title", title)
    lines = run("tracks", "--page-size", "2").stdout.splitlines()
    assert [line.split()[-1] for line in lines] == ["title", "third", "second"]
    assert run("tracks", "--page-size", "2", "--page", "2").stdout.splitlines()[1].endswith("first")


def test_tracks_without_any_prints_an_empty_list(run: Run) -> None:
    result = run("tracks")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "0 of 0 tracks" in result.stderr
    assert json.loads(run("tracks", "--json").stdout) == []


def test_show_tells_why_a_track_failed(run: Run, all_tracks: Callable[[], list[Track]]) -> None:
    run("generate", "slow rain", *QUICK, "--model", "failing")
    assert "failed: RuntimeError: the string broke" in run("tracks", "show", all_tracks()[0].id).stdout


def test_delete_asks_first(run: Run, all_tracks: Callable[[], list[Track]], config: dict[str, Any]) -> None:
    run("generate", "slow rain", *QUICK)
    track_id = all_tracks()[0].id
    assert run("tracks", "delete", track_id, input="n\n").exit_code == 1
    assert len(all_tracks()) == 1
    assert run("tracks", "delete", track_id, input="y\n").exit_code == 0
    assert all_tracks() == [] and list(config["OUTPUT_DIR"].iterdir()) == []


def test_delete_removes_all_or_none(run: Run, all_tracks: Callable[[], list[Track]]) -> None:
    for _ in range(2):
        run("generate", "slow rain", *QUICK)
    ids = [track.id for track in all_tracks()]
    result = run("tracks", "delete", *ids, "nothing", "--yes")
    assert (result.exit_code, len(all_tracks())) == (1, 2)
    assert "no track 'nothing'" in result.stderr
    assert run("tracks", "delete", *ids, ids[0], "--yes").exit_code == 0
    assert all_tracks() == []
