"""`flask models`: the list, and getting what an engine needs from a hub on this machine."""

import hashlib
import json
import os
import pty
import signal
import subprocess
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask
from flask.testing import FlaskClient

from musicgen.composer.card import CARD as COMPOSER
from musicgen.diffrhythm.card import CARD as DIFFRHYTHM
from musicgen.diffrhythm.weights import FILES, FULL_NETWORK, VAE
from tests.diffrhythm.hub_server import LARGE_BYTES, Hub, content_of, path_of, point_at, serving
from tests.tone_engine import CARDS

Run = Callable[..., Result]
Start = Callable[..., "subprocess.Popen[str]"]
LICENCES = ("Apache-2.0", "Stability AI Community License", "CC-BY-NC 4.0")
APP = """
import os
from musicgen.app import create_app
from musicgen.diffrhythm import fetch
fetch.GITHUB = os.environ["HF_ENDPOINT"]
app = create_app()
"""


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    return make_app(ENGINE_CARDS=(COMPOSER, DIFFRHYTHM, *CARDS), MUSICGEN_MODEL="tone")


@pytest.fixture(autouse=True)
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Never look into this machine's own cache of the hub."""
    if find_spec("huggingface_hub"):
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    for package in ("huggingface_hub", "tokenizers"):
        pytest.importorskip(package, reason="the extra musicgen[diffrhythm] is not installed")
    with serving() as hub:
        point_at(hub, tmp_path / "hub", monkeypatch)
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
        yield hub


@pytest.fixture
def fetching(hub: Hub, flask_process: Start, tmp_path: Path) -> Start:
    """Start `flask models fetch diffrhythm` in a process of its own."""
    (tmp_path / "app_under_test.py").write_text(APP)
    return lambda *args, **kwargs: flask_process("models", "fetch", "diffrhythm", *args, **kwargs)


def weights_of(config: dict[str, Any]) -> Path:
    folder: Path = config["MUSICGEN_WEIGHTS_DIR"]
    return folder / "diffrhythm"


def test_models_tells_which_are_ready(run: Run, client: FlaskClient) -> None:
    result = run("models")
    assert "tone (default)" in result.stdout
    assert "absent is not ready: its weights are missing; run `make weights`" in result.stdout
    assert json.loads(run("models", "--json").stdout) == client.get("/api/models").get_json()


def test_models_names_what_diffrhythm_misses_and_its_licences(run: Run, client: FlaskClient) -> None:
    told = " ".join(run("models").stdout.split())
    (model,) = (model for model in client.get("/api/models").get_json() if model["name"] == "diffrhythm")
    assert model["ready"] is False
    for file in FILES:
        missing = f"{file.path_in(Path()).as_posix()} ({file.page}, {file.licence})"
        assert missing in told and missing in model["reason"]
    for licence in LICENCES:
        assert licence in model["weights_licence"]
    assert f"diffrhythm, licence of the weights: {model['weights_licence']}" in told
    assert "`flask models fetch diffrhythm` gets what is missing." in told


def test_fetch_asks_for_agreement_first(run: Run, hub: Hub, config: dict[str, Any]) -> None:
    result = run("models", "fetch", "diffrhythm")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "add --yes" in result.stderr and str(config["MUSICGEN_WEIGHTS_DIR"]) in result.stderr
    for text in (*LICENCES, "no commercial use", "700.0 kB", "2.8 MB in all, where known."):
        assert text in result.stderr, text
    assert not any(map(hub.downloads_of, FILES))
    assert not config["MUSICGEN_WEIGHTS_DIR"].exists()


def test_fetch_brings_everything_and_prints_checksums(run: Run, hub: Hub, config: dict[str, Any]) -> None:
    result = run("models", "fetch", "diffrhythm", "--yes")
    assert result.exit_code == 0, result.stderr
    paths = [file.path_in(weights_of(config)) for file in FILES]
    sums = [f"{hashlib.sha256(content_of(file)).hexdigest()}  {path}" for file, path in zip(FILES, paths, strict=True)]
    assert result.stdout.splitlines() == sums
    assert [path.read_bytes() for path in paths] == list(map(content_of, FILES))
    assert "Downloading DiffRhythm-vae/vae_model.pt (700.0 kB)" in result.stderr and "\r" not in result.stderr
    assert result.stderr.splitlines()[-1] == "diffrhythm is ready."
    assert "diffrhythm is not ready" not in run("models").stdout

    hub.asked.clear()
    again = run("models", "fetch", "diffrhythm")
    assert (again.exit_code, again.stdout.splitlines(), hub.asked) == (0, sums, [])
    assert again.stderr.count(" is here already.") == len(FILES)


def test_fetch_leaves_out_what_is_not_wanted(run: Run, hub: Hub, config: dict[str, Any]) -> None:
    skip = ("--skip", "DiffRhythm-1_2-full", "--skip", "vocab.json")
    result = run("models", "fetch", "diffrhythm", "--yes", "--quiet", *skip)
    assert result.exit_code == 0
    assert len(result.stdout.splitlines()) == len(FILES) - 2
    assert not FULL_NETWORK.path_in(weights_of(config)).exists()
    assert "Downloading" not in result.stderr
    assert "diffrhythm is not ready: MUSICGEN_WEIGHTS_DIR/diffrhythm misses vocab.json" in result.stderr
    result = run("models", "fetch", "diffrhythm", "--skip", "vae")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "--skip vae: there is no such file; there are DiffRhythm-1_2/cfm_model.pt, " in result.stderr


def test_fetch_of_an_unknown_model_says_which_there_are(run: Run) -> None:
    result = run("models", "fetch", "theremin")
    assert result.exit_code == 2
    assert "There is no model 'theremin'; choose one of: composer, diffrhythm, tone" in result.stderr


def test_fetch_of_a_model_without_downloads(run: Run) -> None:
    result = run("models", "fetch", "composer")
    assert (result.exit_code, result.stderr) == (0, "composer needs no download; it is ready.\n")
    result = run("models", "fetch", "absent")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "run `make weights`" in result.stderr


def test_a_refusal_is_a_sentence(run: Run, hub: Hub) -> None:
    hub.refusals[path_of(VAE)] = (403, "GatedRepo")
    result = run("models", "fetch", "diffrhythm", "--yes")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "Error: vae_model.pt of huggingface.co/ASLP-lab/DiffRhythm-vae is given to those only" in result.stderr
    assert not any(map(hub.downloads_of, FILES))


def test_a_folder_that_cannot_be_written_is_a_sentence(run: Run, hub: Hub, config: dict[str, Any]) -> None:
    config["MUSICGEN_WEIGHTS_DIR"].write_text("not a folder")
    result = run("models", "fetch", "diffrhythm", "--yes")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "Error: " in result.stderr and str(config["MUSICGEN_WEIGHTS_DIR"]) in result.stderr


@pytest.mark.parametrize("answer", ["y", "n"])
def test_a_person_is_asked_and_watches(hub: Hub, fetching: Start, config: dict[str, Any], answer: str) -> None:
    terminal, end = pty.openpty()
    process = fetching(stdin=end, stderr=end)
    os.close(end)
    said = read_until(terminal, "[y/N]: ")
    os.write(terminal, f"{answer}\n".encode())
    said += read_until(terminal, None)
    out, _ = process.communicate(timeout=30)
    os.close(terminal)
    assert process.returncode == (0 if answer == "y" else 1), said
    assert len(out.splitlines()) == (len(FILES) if answer == "y" else 0)
    assert weights_of(config).exists() == (answer == "y")
    assert ("100%  700.0 kB of 700.0 kB, " in said) == (answer == "y")


def read_until(terminal: int, text: str | None) -> str:
    """Read what is shown until `text`, or all of it."""
    said = ""
    while text is None or text not in said:
        try:
            read = os.read(terminal, 4096)
        except OSError:  # the other end is closed
            read = b""
        if not read:
            break
        said += read.decode()
    return said


def test_ctrl_c_keeps_what_has_come(hub: Hub, fetching: Start, config: dict[str, Any]) -> None:
    hub.goes_on.clear()
    process = fetching("--yes")
    folder = FILES[0].path_in(weights_of(config)).parent
    while not [path for path in folder.glob("*.part") if path.stat().st_size]:
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    out, said = process.communicate(timeout=30)
    assert (process.returncode, out) == (130, "")
    assert "Stopped. What has come is kept; run the same command again to go on." in said and "Traceback" not in said
    (part,) = folder.glob("*.part")
    n_bytes = part.stat().st_size
    assert 0 < n_bytes < LARGE_BYTES

    hub.goes_on.set()
    hub.asked.clear()
    process = fetching("--yes")
    out, said = process.communicate(timeout=30)
    assert process.returncode == 0, said
    assert f"cfm_model.pt (700.0 kB, going on after {n_bytes / 1000:.1f} kB)" in said
    assert hub.downloads_of(FILES[0]) == [f"bytes={n_bytes}-"]
