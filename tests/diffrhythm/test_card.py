"""What is said of DiffRhythm before it is loaded: ready, or what is missing."""

from collections.abc import Callable
from pathlib import Path

import pytest

from musicgen.diffrhythm import card as card_module
from musicgen.diffrhythm.card import CARD
from musicgen.diffrhythm.weights import BASE_NETWORK, FILES, FULL_NETWORK, OTHER_FILES, VAE, WeightsFile, find_file
from musicgen.web.schemas.wording import without_folders

EVERYTHING = (BASE_NETWORK, *OTHER_FILES)
Place = Callable[..., Path]


@pytest.fixture(autouse=True)
def extra_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(card_module, "find_spec", lambda _name: object())


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Put files into a weights folder."""

    def put(*files: WeightsFile) -> Path:
        for file in files:
            path = file.path_in(tmp_path / "diffrhythm")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        return tmp_path

    return put


@pytest.mark.parametrize("network", [BASE_NETWORK, FULL_NETWORK])
def test_one_network_and_everything_else_is_ready(place: Place, network: WeightsFile) -> None:
    assert CARD.why_not_ready(place(network, *OTHER_FILES)) is None


@pytest.mark.parametrize("missing", OTHER_FILES, ids=lambda file: file.path_in(Path()).as_posix())
def test_a_missing_file_is_named_with_its_page_and_licence(place: Place, missing: WeightsFile) -> None:
    reason = CARD.why_not_ready(place(*(file for file in EVERYTHING if file is not missing)))
    assert reason == (
        f"MUSICGEN_WEIGHTS_DIR/diffrhythm misses {missing.path_in(Path()).as_posix()} "
        f"({missing.page}, {missing.licence}). `flask models fetch diffrhythm` gets what is missing."
    )


def test_without_a_network_both_are_offered(place: Place) -> None:
    reason = CARD.why_not_ready(place(*OTHER_FILES))
    assert reason and "DiffRhythm-1_2/cfm_model.pt (huggingface.co/ASLP-lab/DiffRhythm-1_2, Apache-2.0)" in reason
    assert " or DiffRhythm-1_2-full/cfm_model.pt (" in reason


def test_an_empty_folder_misses_every_file(place: Place) -> None:
    reason = CARD.why_not_ready(place()) or ""
    assert [file for file in FILES if f"{file.page}, {file.licence}" not in reason] == []
    assert without_folders(reason) == reason, "the web shortens paths, and must not take these for some"


def test_the_missing_extra_is_told(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(card_module, "find_spec", lambda _name: None)
    folder = place(*EVERYTHING)
    install = "The package tokenizers is not installed: pip install 'musicgen[diffrhythm]'."
    assert CARD.why_not_ready(folder) == install
    VAE.path_in(folder / "diffrhythm").unlink()
    reason = CARD.why_not_ready(folder)
    assert reason and reason.startswith(install) and "vae_model.pt" in reason


def test_files_in_the_cache_of_the_hub_count(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("huggingface_hub", reason="the extra musicgen[diffrhythm] is not installed")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    folder = place(*(file for file in EVERYTHING if file is not VAE))
    assert CARD.why_not_ready(folder)
    repository = tmp_path / "hub" / "models--ASLP-lab--DiffRhythm-vae"
    cached = repository / "snapshots" / "c0ffee" / "vae_model.pt"
    for path, text in ((repository / "refs" / "main", "c0ffee"), (cached, "")):
        path.parent.mkdir(parents=True)
        path.write_text(text)
    assert CARD.why_not_ready(folder) is None
    assert find_file(folder / "diffrhythm", VAE) == cached


def test_all_licences_are_told() -> None:
    for licence in ("Apache-2.0", "Stability AI Community License", "CC-BY-NC 4.0"):
        assert licence in CARD.weights_licence
    assert "\n" not in CARD.weights_licence
