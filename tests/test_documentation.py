"""The documentation says what the code does."""

import re
from pathlib import Path

from musicgen.app import create_app
from musicgen.composer.style_file import all_styles
from musicgen.config import SETTINGS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def table_rows(text: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")]


def test_the_readme_lists_every_setting_with_its_default_and_meaning() -> None:
    rows = {row[0].strip("`"): row for row in table_rows(README) if row[0].startswith("`") and row[0].isupper()}
    assert list(rows) == [setting.name for setting in SETTINGS]
    for setting in SETTINGS:
        assert rows[setting.name][1].strip("`") == setting.default, setting.name
        assert rows[setting.name][2] == setting.meaning, setting.name


def test_the_readme_starts_with_its_two_commands() -> None:
    block = README.split("```")[1].strip().splitlines()
    assert [line.split()[:2] for line in block] == [["make", "generate"], ["make", "test"]]


def test_the_readme_lists_every_call() -> None:
    rules = {f"{method} {rule.rule}" for rule in create_app().url_map.iter_rules() for method in rule.methods or ()}
    for call in re.findall(r"^\| `((?:GET|POST|DELETE) [^`?]+)", README, re.MULTILINE):
        assert call.replace("<file>", "<file_name>") in rules, call


def test_every_make_target_that_the_documentation_names_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    pages = [README, *(page.read_text(encoding="utf-8") for page in ROOT.glob("docs/**/*.md"))]
    for target in {target for page in pages for target in re.findall(r"`make ([a-z0-9-]+)", page)}:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_links_between_pages_lead_somewhere() -> None:
    for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("benchmarks/*.md")]:
        for link in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
            if "://" not in link:
                assert (page.parent / link).exists(), f"{page.name}: {link}"


def test_the_number_of_styles_is_told_truly() -> None:
    for page in (README, (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")):
        assert re.findall(r"(\d+) styles", page) == [str(len(all_styles()))]
