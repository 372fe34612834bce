"""Files over HTTP, and nothing that is not one of ours; the start page."""

from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from musicgen import service
from musicgen.database import db

TRACK_ID = "0123456789abcdef0123456789abcdef"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.fixture
def output(tmp_path: Path) -> Path:
    folder = tmp_path / "output"
    folder.mkdir()
    return folder


@pytest.fixture
def file(output: Path) -> str:
    (output / f"{TRACK_ID}.mp3").write_bytes(bytes(range(100)))
    return f"/output/{TRACK_ID}.mp3"


@pytest.mark.parametrize(
    ("extension", "media_type"),
    [
        ("mp3", "audio/mpeg"),
        ("wav", "audio/wav"),
        ("flac", "audio/flac"),
        ("ogg", "audio/ogg"),
        ("mid", "audio/midi"),
        ("xyz", "application/octet-stream"),
    ],
)
def test_a_file_has_its_media_type(client: FlaskClient, output: Path, extension: str, media_type: str) -> None:
    (output / f"{TRACK_ID}.{extension}").write_bytes(b"sound")
    answer = client.get(f"/output/{TRACK_ID}.{extension}")
    assert (answer.status_code, answer.content_type, answer.data) == (200, media_type, b"sound")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_file_is_called_like_its_track(client: FlaskClient) -> None:
    fields = {"prompt": "rain", "duration": 5, "title": 'Rain: "a/b" \\ é?'}
    track = client.post("/api/generate", json=fields).get_json()
    disposition = client.get(track["formats"]["wav"]).headers["Content-Disposition"]
    assert disposition.startswith("inline")
    assert "filename*=UTF-8''Rain%20a%20b%20%C3%A9.wav" in disposition


def test_a_format_that_was_not_stored_is_made_when_it_is_asked_for(client: FlaskClient, output: Path) -> None:
    track = client.post("/api/generate", json={"prompt": "rain", "duration": 5, "title": "Rain"}).get_json()
    url = track["formats"]["flac"]
    assert not (output / f"{track['track_id']}.flac").exists()
    part = client.get(url, headers={"Range": "bytes=0-3"})
    assert (part.status_code, part.data, part.content_type) == (206, b"fLaC", "audio/flac")
    assert "Rain.flac" in part.headers["Content-Disposition"]
    assert (output / f"{track['track_id']}.flac").exists()


@pytest.mark.parametrize(
    ("field", "media_type", "begin"),
    [
        ("peaks_url", "application/json", b'{"version":2'),
        ("waveform_url", "image/png", b"\x89PNG"),
        ("spectrogram_url", "image/png", b"\x89PNG"),
    ],
)
def test_peaks_and_pictures_of_a_track(client: FlaskClient, field: str, media_type: str, begin: bytes) -> None:
    track = client.post("/api/generate", json={"prompt": "rain", "duration": 5}).get_json()
    answer = client.get(track[field])
    assert (answer.status_code, answer.content_type) == (200, media_type)
    assert answer.data.startswith(begin)
    again = client.get(track[field], headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    client.delete(f"/api/track/{track['track_id']}")
    assert client.get(track[field]).status_code == 404


def test_lossless_sound_that_cannot_be_had_is_gone_and_the_reason_told(make_app: Any) -> None:
    client = make_app(KEEP_FORMATS=("mp3",)).test_client()
    track = client.post("/api/generate", json={"prompt": "rain", "duration": 5}).get_json()
    assert set(track["formats"]) == {"wav", "mp3", "flac", "ogg", "mid"}
    with client.application.app_context():
        service.find_track(track["track_id"]).version = "0.0.1"
        db.session.commit()
    assert set(client.get(f"/api/track/{track['track_id']}").get_json()["formats"]) == {"mp3", "ogg", "mid"}
    answer = client.get(track["formats"]["flac"])
    assert answer.status_code == 410
    assert "musicgen 0.0.1 made it" in answer.get_json()["message"]


@pytest.mark.parametrize("kind", ["wav", "ogg", "peaks.json", "waveform.png"])
def test_nothing_is_made_of_a_track_that_is_not_there(client: FlaskClient, output: Path, kind: str) -> None:
    assert client.get(f"/output/{TRACK_ID}.{kind}").status_code == 404
    assert list(output.iterdir()) == []


def test_a_file_without_a_track_keeps_its_name(client: FlaskClient, file: str) -> None:
    assert f"{TRACK_ID}.mp3" in client.get(file).headers["Content-Disposition"]


@pytest.mark.parametrize(
    ("wanted", "part", "content_range"),
    [
        ("bytes=0-9", slice(0, 10), "bytes 0-9/100"),
        ("bytes=90-", slice(90, None), "bytes 90-99/100"),
        ("bytes=-5", slice(95, None), "bytes 95-99/100"),
        ("bytes=50-1000", slice(50, None), "bytes 50-99/100"),
    ],
)
def test_a_part_of_a_file(client: FlaskClient, file: str, wanted: str, part: slice, content_range: str) -> None:
    answer = client.get(file, headers={"Range": wanted})
    assert (answer.status_code, answer.data) == (206, bytes(range(100))[part])
    assert (answer.headers["Content-Range"], answer.content_type) == (content_range, "audio/mpeg")


def test_a_part_beyond_the_end_is_refused_with_the_length(client: FlaskClient, file: str) -> None:
    answer = client.get(file, headers={"Range": "bytes=100-"})
    assert (answer.status_code, answer.headers["Content-Range"]) == (416, "bytes */100")
    assert answer.get_json()["code"] == 416


def test_a_file_that_the_client_has_is_not_sent_again(client: FlaskClient, file: str) -> None:
    etag = client.get(file).headers["ETag"]
    again = client.get(file, headers={"If-None-Match": etag})
    assert (again.status_code, again.data) == (304, b"")


def test_head_tells_size_and_ranges_without_the_file(client: FlaskClient, file: str) -> None:
    answer = client.head(file)
    assert (answer.status_code, answer.data) == (200, b"")
    assert (answer.content_length, answer.headers["Accept-Ranges"]) == (100, "bytes")


@pytest.mark.parametrize(
    "path",
    [
        "../secret.mp3",
        "%2e%2e/secret.mp3",
        "..%2fsecret.mp3",
        "..%5csecret.mp3",
        "%2e%2e%2fsecret.mp3",
        "..%252fsecret.mp3",
        "{absolute}",
        "%2f{absolute}",
        "folder/inner.mp3",
        "folder",
        ".",
        "..",
        "%00",
        f"{TRACK_ID}.mp3%00.wav",
        "x" * 5000,
        f".{TRACK_ID}.mp3.part",
        "link.mp3",
        "folder-link%2fsecret.mp3",
        "absent.mp3",
        "",
    ],
)
def test_nothing_else_is_served(client: FlaskClient, tmp_path: Path, output: Path, path: str) -> None:
    (tmp_path / "secret.mp3").write_bytes(b"secret")
    (output / f".{TRACK_ID}.mp3.part").write_bytes(b"secret")
    (output / "folder").mkdir()
    (output / "folder" / "inner.mp3").write_bytes(b"secret")
    (output / "link.mp3").symlink_to(tmp_path / "secret.mp3")
    (output / "folder-link").symlink_to(tmp_path)
    answer = client.get(f"/output/{path.format(absolute=tmp_path / 'secret.mp3')}", follow_redirects=True)
    assert answer.status_code == 404
    assert b"secret" not in answer.data.replace(b"secret.mp3", b"")
    assert answer.get_json()["code"] == 404


def test_a_link_within_the_folder_is_served(client: FlaskClient, output: Path, file: str) -> None:
    (output / "link.mp3").symlink_to(output / f"{TRACK_ID}.mp3")
    assert client.get("/output/link.mp3").status_code == 200


def test_a_relative_output_folder_lies_below_the_working_directory(
    config: dict[str, Any], make_app: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, file: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert make_app(OUTPUT_DIR=Path("output")).test_client().get(file).status_code == 200


@pytest.mark.parametrize("accept", [None, "*/*", "application/json", "application/json, text/html"])
def test_an_api_client_gets_links_that_work(client: FlaskClient, accept: str | None) -> None:
    answer = client.get("/", headers={"Accept": accept} if accept else {})
    assert answer.content_type == "application/json"
    assert answer.headers["Vary"] == "Accept"
    links = answer.get_json()["links"]
    assert links.pop("generate") == "/api/generate"
    assert {name: client.get(url).status_code for name, url in links.items()} == dict.fromkeys(links, 200)


def test_a_browser_gets_a_page_that_loads_only_from_here(client: FlaskClient) -> None:
    answer = client.get("/", headers={"Accept": BROWSER})
    assert answer.mimetype == "text/html"
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy
    assert '<form id="request" action="/api/generate"' in answer.text
    for file_name in ("page.js", "page.css", "icon.svg"):
        assert f"/static/{file_name}" in answer.text
        assert client.get(f"/static/{file_name}").status_code == 200


@pytest.mark.parametrize("url", ["/", "/api/docs"])
def test_pages_have_nothing_inline_and_nothing_from_elsewhere(client: FlaskClient, url: str) -> None:
    page = client.get(url, headers={"Accept": BROWSER}).text
    for forbidden in ("<style", "<script>", "style=", "onclick", "onsubmit", "javascript:", "http://", "https://"):
        assert forbidden not in page
