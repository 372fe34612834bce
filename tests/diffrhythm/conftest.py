"""What all tests of DiffRhythm share."""

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch

from tests.diffrhythm.tiny_checkpoints import write_tiny_checkpoints


@pytest.fixture(autouse=True, scope="package")
def one_thread() -> Iterator[None]:
    """Tiny networks gain nothing from threads, and lose ten times where another process has one of the cores."""
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(n_threads)


@pytest.fixture(autouse=True)
def hub_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of the hub, never this machine's own."""
    if find_spec("huggingface_hub"):
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"


@pytest.fixture(scope="session")
def weights_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A MUSICGEN_WEIGHTS_DIR with the tiny set; a test that changes a file does so in a copy."""
    folder = tmp_path_factory.mktemp("tiny")
    write_tiny_checkpoints(folder)
    return folder


@pytest.fixture(scope="session")
def quick_weights_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with networks of one block, for whole songs: they take half as long."""
    folder = tmp_path_factory.mktemp("quick")
    write_tiny_checkpoints(folder, depth=1)
    return folder
