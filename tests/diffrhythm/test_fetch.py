"""Downloading DiffRhythm's files from a hub on this machine: whole, interrupted, refused and damaged."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from musicgen import downloads as downloading
from musicgen.diffrhythm import fetch
from musicgen.diffrhythm.weights import (
    BASE_NETWORK,
    FILES,
    FULL_NETWORK,
    NEGATIVE_STYLE,
    TOKENIZER,
    VAE,
    VOCABULARY,
    WeightsFile,
)
from musicgen.downloads import Download, DownloadFailed, ServerUnreachable, bring, n_present
from musicgen.errors import EngineUnavailable
from tests.diffrhythm.hub_server import LARGE_BYTES, Hub, content_of, path_of, point_at, serving

constants = pytest.importorskip(
    "huggingface_hub.constants", reason="the extra musicgen[diffrhythm] is not installed", exc_type=ImportError
)
THIRD = LARGE_BYTES // 3


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with serving() as hub:
        point_at(hub, tmp_path / "hub", monkeypatch)
        yield hub


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Do not wait between attempts; tells how long it would have been."""
    slept: list[float] = []
    monkeypatch.setattr(downloading, "sleep", slept.append)
    return slept


def the(file: WeightsFile, weights_dir: Path) -> Download:
    path = file.path_in(weights_dir / "diffrhythm")
    return next(download for download in fetch.downloads(weights_dir) if download.path == path)


def bring_it(file: WeightsFile, weights_dir: Path) -> list[int]:
    """Download one file; return the numbers of bytes that were reported."""
    told: list[int] = []
    download = the(file, weights_dir)
    bring(download, download.locate(), told.append)
    return told


def is_whole(file: WeightsFile, weights_dir: Path) -> bool:
    path = file.path_in(weights_dir / "diffrhythm")
    return path.read_bytes() == content_of(file) and list(path.parent.glob("*.part")) == []


def part_of(file: WeightsFile, weights_dir: Path) -> Path:
    path = file.path_in(weights_dir / "diffrhythm")
    (part,) = path.parent.glob(f"{path.name}.*.part")
    return part


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.path_in(Path()).as_posix())
def test_a_file_comes_whole_and_to_its_place(hub: Hub, tmp_path: Path, file: WeightsFile) -> None:
    told = bring_it(file, tmp_path)
    assert is_whole(file, tmp_path)
    assert told == sorted(told) and told[-1] == len(content_of(file))
    assert hub.downloads_of(file) == [""]
    assert the(file, tmp_path).found == file.path_in(tmp_path / "diffrhythm")


def test_size_and_digest_are_known_before(hub: Hub, tmp_path: Path) -> None:
    source = the(VAE, tmp_path).locate()
    assert (source.size, len(source.digest or "")) == (LARGE_BYTES, 64)
    source = the(TOKENIZER, tmp_path).locate()
    assert (source.size, len(source.digest or "")) == (500, 40)
    assert not any(map(hub.downloads_of, FILES))


def test_a_connection_that_is_closed_is_made_again(hub: Hub, tmp_path: Path, pauses: list[float]) -> None:
    hub.stops_after = [THIRD, THIRD]
    told = bring_it(VAE, tmp_path)
    assert is_whole(VAE, tmp_path)
    assert hub.downloads_of(VAE) == ["", f"bytes={THIRD}-", f"bytes={2 * THIRD}-"]
    assert told == sorted(told) and pauses == [1, 1]


def test_a_later_process_goes_on(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.stops_after = [THIRD]
    with monkeypatch.context() as stopped, pytest.raises(KeyboardInterrupt):
        stopped.setattr(downloading, "sleep", interrupt)
        bring_it(VAE, tmp_path)
    download = the(VAE, tmp_path)
    assert download.found is None and n_present(download, download.locate()) == THIRD
    hub.asked.clear()
    bring_it(VAE, tmp_path)
    assert is_whole(VAE, tmp_path)
    assert hub.downloads_of(VAE) == [f"bytes={THIRD}-"]


def interrupt(_s: float) -> None:
    raise KeyboardInterrupt


def test_a_server_that_stays_silent_is_given_up(hub: Hub, tmp_path: Path, pauses: list[float]) -> None:
    hub.stops_after = [THIRD, *[0] * 20]
    with pytest.raises(ServerUnreachable, match="Run the same command again to go on where it stopped"):
        bring_it(VAE, tmp_path)
    assert pauses == [1, *downloading.RETRY_PAUSES_S]
    assert part_of(VAE, tmp_path).stat().st_size == THIRD


def test_a_server_without_ranges_sends_all_again(hub: Hub, tmp_path: Path) -> None:
    hub.has_ranges, hub.stops_after = False, [THIRD]
    bring_it(VAE, tmp_path)
    assert is_whole(VAE, tmp_path)


def test_what_is_left_of_another_version_is_not_used(hub: Hub, tmp_path: Path) -> None:
    folder = VAE.path_in(tmp_path / "diffrhythm").parent
    folder.mkdir(parents=True)
    (folder / "vae_model.pt.0123456789ab.part").write_bytes(b"older")
    bring_it(VAE, tmp_path)
    assert is_whole(VAE, tmp_path)
    assert hub.downloads_of(VAE) == [""]


def test_a_whole_part_is_only_checked(hub: Hub, tmp_path: Path) -> None:
    hub.stops_after = [THIRD, *[0] * 20]
    with pytest.raises(ServerUnreachable):
        bring_it(VAE, tmp_path)
    part_of(VAE, tmp_path).write_bytes(content_of(VAE))
    hub.asked.clear()
    assert bring_it(VAE, tmp_path) == [LARGE_BYTES]
    assert is_whole(VAE, tmp_path) and hub.downloads_of(VAE) == []


@pytest.mark.parametrize("file", [VAE, TOKENIZER])
def test_a_damaged_file_is_thrown_away(hub: Hub, tmp_path: Path, file: WeightsFile) -> None:
    hub.lies = {path for method, path, _ in asked_for(hub, file, tmp_path)}
    with pytest.raises(DownloadFailed, match=f"{file.name} came from .* is damaged"):
        bring_it(file, tmp_path)
    assert list(file.path_in(tmp_path / "diffrhythm").parent.glob(f"{file.name}*")) == []


def asked_for(hub: Hub, file: WeightsFile, tmp_path: Path) -> list[tuple[str, str, dict[str, str]]]:
    """Download a file into another folder and see which requests that takes."""
    bring_it(file, tmp_path / "elsewhere")
    return hub.asked


def test_a_file_that_is_too_long_is_thrown_away(hub: Hub, tmp_path: Path) -> None:
    download = the(VAE, tmp_path)
    source = download.locate()
    download.path.parent.mkdir(parents=True)
    download.path.with_name(f"{VAE.name}.{source.version[:12]}.part").write_bytes(bytes(LARGE_BYTES + 1))
    with pytest.raises(DownloadFailed, match="has 700,002 bytes instead of 700,001"):
        bring(download, source, lambda _n_bytes: None)
    bring_it(VAE, tmp_path)
    assert is_whole(VAE, tmp_path)


@pytest.mark.parametrize(
    ("file", "content", "fault"),
    [
        (VOCABULARY, b"404: Not Found", "is not a vocabulary of phone symbols"),
        (NEGATIVE_STYLE, b"version https://git-lfs.github.com/spec/v1", "is not a vector of 512 numbers"),
        (BASE_NETWORK, b"\n<!DOCTYPE html><p>Welcome to the Hotel", "is a web page"),
    ],
)
def test_something_else_in_place_of_a_file_is_told(
    hub: Hub, tmp_path: Path, file: WeightsFile, content: bytes, fault: str
) -> None:
    hub.contents[path_of(file)] = content
    with pytest.raises(DownloadFailed, match=fault):
        bring_it(file, tmp_path)
    assert the(file, tmp_path).found is None


@pytest.mark.parametrize(
    ("status", "code", "message"),
    [
        (
            404,
            "EntryNotFound",
            r"vae_model\.pt of huggingface\.co/ASLP-lab/DiffRhythm-vae is not there any more \(404\)",
        ),
        (401, "RepoNotFound", r"is not given out \(401\): .* or HF_TOKEN is not valid"),
        (
            403,
            "GatedRepo",
            r"agreed to its conditions: .* https://huggingface\.co/ASLP-lab/DiffRhythm-vae, .* HF_TOKEN",
        ),
        (503, "", r"The hub answers 503, so vae_model\.pt .* Try again later"),
    ],
)
def test_a_refusal_of_the_hub_is_a_sentence(hub: Hub, tmp_path: Path, status: int, code: str, message: str) -> None:
    hub.refusals[path_of(VAE)] = (status, code)
    with pytest.raises(DownloadFailed, match=message):
        the(VAE, tmp_path).locate()


def test_github_without_the_file_is_a_sentence(hub: Hub, tmp_path: Path) -> None:
    del hub.contents[path_of(VOCABULARY)]
    with pytest.raises(DownloadFailed, match=r"vocab\.json: github\.com/ASLP-lab/DiffRhythm/blob/28ad63c/.* 404"):
        bring_it(VOCABULARY, tmp_path)


def test_no_network_is_a_sentence(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", "http://127.0.0.1:9/{repo_id}/{revision}/{filename}")
    with pytest.raises(ServerUnreachable, match="The hub cannot be reached"):
        the(VAE, tmp_path).locate()
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(DownloadFailed, match="HF_HUB_OFFLINE is set"):
        the(VAE, tmp_path).locate()


def test_the_token_is_for_the_hub_only(hub: Hub, tmp_path: Path) -> None:
    for file in (VAE, TOKENIZER, VOCABULARY):
        bring_it(file, tmp_path)
    trusted = {path for _, path, headers in hub.asked if headers.get("authorization") == "Bearer hf_secret"}
    assert trusted == {path_of(VAE), path_of(TOKENIZER)}


def test_the_hub_is_asked_for_files_and_told_nothing_of_the_machine(hub: Hub, tmp_path: Path) -> None:
    bring_it(TOKENIZER, tmp_path)
    assert {path for _, path, _ in hub.asked} == {path_of(TOKENIZER)}
    assert not any("torch/" in headers["user-agent"] for _, _, headers in hub.asked)


def test_without_the_hubs_client_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "find_spec", lambda _name: None)
    with pytest.raises(EngineUnavailable, match=r"pip install 'musicgen\[diffrhythm\]'"):
        fetch.downloads(tmp_path)
    for file in FILES:
        path = file.path_in(tmp_path / "diffrhythm")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    assert all(download.found for download in fetch.downloads(tmp_path))


def test_both_networks_are_offered(hub: Hub, tmp_path: Path) -> None:
    paths = [download.path for download in fetch.downloads(tmp_path)]
    assert {file.path_in(tmp_path / "diffrhythm") for file in (BASE_NETWORK, FULL_NETWORK)} <= set(paths)
    assert len(paths) == len(set(paths)) == len(FILES)


def test_a_full_disk_is_told_before(tmp_path: Path) -> None:
    downloading.check_disk(tmp_path / "new" / "folder", 1)
    with pytest.raises(DownloadFailed, match=r"1000000000\.0 GB are to come and .* are free"):
        downloading.check_disk(tmp_path / "new", 10**18)


def test_one_process_at_a_time(tmp_path: Path) -> None:
    lock = tmp_path / "weights" / ".lock"
    message = "Another process is downloading"
    with downloading.only_one(lock), pytest.raises(DownloadFailed, match=message), downloading.only_one(lock):
        pass
    with downloading.only_one(lock):
        pass
