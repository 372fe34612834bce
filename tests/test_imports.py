"""Who may import whom, read from the source; and what is not loaded at the start, seen in processes of their own."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "musicgen"
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if "migrations" not in path.parts)
ENGINE_PACKAGES = {card.parent.name for card in PACKAGE.glob("*/card.py")}

# Everybody may import these; they import nothing but each other.
FOUNDATION = {"errors", "options", "waveform", "notation", "config", "engine", "json_fields"}
# From the edge inwards: a module imports from its own row or from those below it.
# What is in no row (engines, sound, files) belongs to the lowest, whose members keep to themselves and the foundation.
ROWS = [
    {"app"},
    {"cli", "cli_text"},
    {"web"},
    {"live_generation"},
    {"service", "model_list"},
    {"later_files"},
    {"music_model"},
    {"job_record", "retries", "past_jobs"},
    {"database"},
    {"track_export", "follow_ups"},
    {"tables"},
]
WEB_AND_SQL = {"flask", "flask_sqlalchemy", "flask_smorest", "sqlalchemy", "alembic", "click"}


def part_of(module: str) -> str:
    """Name the part of the package that a module belongs to: "musicgen.web.schemas" -> "web"."""
    return module.split(".")[1] if "." in module else ""


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imports_of(path: Path) -> Iterator[str]:
    """Yield the full name of everything that a file imports, wherever in the file."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name} imports relatively"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def row_of(part: str) -> int:
    rows = (number for number, parts in enumerate(ROWS) if part in parts)
    return next(rows, len(ROWS) + (part in FOUNDATION))


def is_inner(path: Path) -> bool:
    # `track_files` reads where the output folder is from the app's settings.
    return row_of(part_of(name_of(path))) >= len(ROWS) and path != PACKAGE / "track_files.py"


def is_allowed(importer: str, imported: str) -> bool:
    here, there = part_of(importer), part_of(imported)
    if there in ENGINE_PACKAGES and here != there:
        return here == "music_model" and imported.split(".")[2] == "card"
    return row_of(here) <= row_of(there)


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_go_inwards(path: Path) -> None:
    own = [name for name in imports_of(path) if name.startswith("musicgen.") and name != "musicgen.__version__"]
    assert [name for name in own if not is_allowed(name_of(path), name)] == []


@pytest.mark.parametrize("path", [path for path in MODULES if is_inner(path)], ids=name_of)
def test_only_the_outer_parts_know_flask_and_sql(path: Path) -> None:
    assert {name.split(".")[0] for name in imports_of(path)} & WEB_AND_SQL == set()


def test_the_rules_find_what_they_forbid() -> None:
    assert {"composer"} <= ENGINE_PACKAGES
    forbidden = [
        ("musicgen.service", "musicgen.web.schemas"),
        ("musicgen.music_model", "musicgen.service"),
        ("musicgen.database", "musicgen.music_model"),
        ("musicgen.composer.engine", "musicgen.database"),
        ("musicgen.audio_export", "musicgen.service"),
        ("musicgen.music_model", "musicgen.composer.engine"),
        ("musicgen.service", "musicgen.composer.card"),
        ("musicgen.options", "musicgen.audio_export"),
        ("musicgen.web.schemas", "musicgen.cli"),
    ]
    assert [pair for pair in forbidden if is_allowed(*pair)] == []
    assert is_allowed("musicgen.music_model", "musicgen.composer.card")
    assert is_allowed("musicgen.composer.plan", "musicgen.composer.score")


def loaded_after(code: str, tmp_path: Path) -> set[str]:
    """Run `code` in a fresh process and name the top-level modules that are loaded then."""
    report = "import sys; print(*{name.split('.')[0] for name in sys.modules})"
    environ = {
        "PYTHONPATH": str(ROOT),
        "PATH": "/usr/bin:/bin",
        "OUTPUT_DIR": str(tmp_path / "output"),
        "DATABASE_URL": f"sqlite:///{tmp_path}/musicgen.sqlite",
    }
    process = subprocess.run(
        [sys.executable, "-c", f"{code}\n{report}"],
        cwd=tmp_path,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    return set(process.stdout.splitlines()[-1].split())


HEAVY = {
    *("torch", "scipy", "soundfile", "PIL", "lameenc", "mido", "alembic", "flask_migrate", "filelock", "psutil"),
    *("huggingface_hub", "httpx2", "tokenizers"),
}


def test_importing_the_app_loads_nothing_heavy(tmp_path: Path) -> None:
    loaded = loaded_after("import musicgen.app", tmp_path)
    assert "flask" in loaded
    assert loaded & HEAVY == set()


def test_the_server_starts_and_lists_tracks_and_styles_without_anything_heavy(tmp_path: Path) -> None:
    list_tracks = """
from wsgi import app
assert app.test_client().get("/api/tracks").get_json() == []
assert app.test_client().get("/health").status_code == 200
assert app.test_client().get("/api/styles").get_json()
"""
    assert "alembic" in loaded_after(list_tracks, tmp_path), "a fresh database was not migrated"
    assert loaded_after(list_tracks, tmp_path) & HEAVY == set()


def test_importing_an_engine_loads_neither_web_nor_sql(tmp_path: Path) -> None:
    engines = [name_of(path) for path in MODULES if part_of(name_of(path)) in ENGINE_PACKAGES]
    # Training needs what a user does not have.
    modules = [name for name in engines if ".training" not in name]
    loaded = loaded_after("\n".join(f"import {name}" for name in modules), tmp_path)
    assert loaded & WEB_AND_SQL == set()


def test_a_card_costs_next_to_nothing(tmp_path: Path) -> None:
    cards = [f"import musicgen.{package}.card" for package in ENGINE_PACKAGES]
    assert loaded_after("\n".join(cards), tmp_path) & (HEAVY | WEB_AND_SQL) == set()
