"""The start page: a build of the front end where there is one, the plain page where not, links for API clients."""

from pathlib import Path

import pytest
from flask.testing import FlaskClient

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
INDEX = '<!doctype html><script type="module" src="/assets/index-B1x_2y3Z.js"></script>'
ASSETS = {
    "index-B1x_2y3Z.js": "text/javascript; charset=utf-8",
    "index-a1b2c3d4.css": "text/css; charset=utf-8",
    "icon-a1b2c3d4.svg": "image/svg+xml; charset=utf-8",
    "young-serif-a1b2c3d4.woff2": "font/woff2",
    "strange-a1b2c3d4.xyz": "application/octet-stream",
}


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """A folder as `make page` leaves it."""
    folder = tmp_path / "page"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text(INDEX)
    for name in ASSETS:
        (folder / "assets" / name).write_text(name)
    return folder


def test_a_browser_gets_the_built_page_and_asks_each_time_whether_it_is_the_last(
    client: FlaskClient, built: Path
) -> None:
    answer = client.get("/", headers={"Accept": BROWSER})
    assert (answer.status_code, answer.mimetype, answer.text) == (200, "text/html", INDEX)
    assert answer.headers["Cache-Control"] == "no-cache"
    assert answer.headers["Vary"] == "Accept"
    again = client.get("/", headers={"Accept": BROWSER, "If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_a_new_build_is_served_at_once(client: FlaskClient, built: Path) -> None:
    etag = client.get("/", headers={"Accept": BROWSER}).headers["ETag"]
    (built / "index.html").write_text(INDEX.replace("B1x_2y3Z", "C4d5e6f7") + "<!-- new -->")
    answer = client.get("/", headers={"Accept": BROWSER, "If-None-Match": etag})
    assert (answer.status_code, "C4d5e6f7" in answer.text) == (200, True)


def test_the_page_may_load_only_from_here_and_run_nothing_inline(client: FlaskClient, built: Path) -> None:
    policy = client.get("/", headers={"Accept": BROWSER}).headers["Content-Security-Policy"]
    rules = {rule.split()[0]: rule.split()[1:] for rule in policy.split(";")}
    assert rules["default-src"] == ["'none'"]
    for kind in ("script-src", "style-src", "font-src", "media-src", "connect-src"):
        assert rules[kind] == ["'self'"], kind
    assert "unsafe" not in policy and "http" not in policy


@pytest.mark.parametrize("name", ASSETS)
def test_assets_are_kept_for_ever(client: FlaskClient, built: Path, name: str) -> None:
    answer = client.get(f"/assets/{name}")
    assert (answer.status_code, answer.content_type, answer.text) == (200, ASSETS[name], name)
    cache = answer.cache_control
    assert (cache.max_age, cache.immutable, cache.public, cache.no_cache) == (31_536_000, True, True, None)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "path",
    [
        "../index.html",
        "%2e%2e/index.html",
        "..%2findex.html",
        "..%2f..%2fsecret.txt",
        "..%5csecret.txt",
        "%2e%2e%2f%2e%2e%2fsecret.txt",
        "%2f{absolute}",
        "{absolute}",
        "",
        ".",
        "absent-a1b2c3d4.js",
        "x" * 5000,
    ],
)
def test_nothing_outside_the_assets_is_served(client: FlaskClient, built: Path, path: str) -> None:
    secret = built.parent / "secret.txt"
    secret.write_text("secret words")
    answer = client.get(f"/assets/{path.format(absolute=secret)}", follow_redirects=True)
    assert answer.status_code == 404
    assert answer.get_json()["code"] == 404
    # A file that is missing now may be there after the next build.
    assert "max-age" not in answer.headers.get("Cache-Control", "")


@pytest.mark.parametrize("accept", [None, "*/*", "application/json", "application/json, text/html"])
def test_an_api_client_gets_links_beside_a_build_too(client: FlaskClient, built: Path, accept: str | None) -> None:
    answer = client.get("/", headers={"Accept": accept} if accept else {})
    assert answer.content_type == "application/json"
    assert answer.headers["Vary"] == "Accept"
    assert answer.get_json()["links"]["generate"] == "/api/generate"


def test_without_a_build_a_browser_gets_the_plain_page_that_says_how_to_build_it(client: FlaskClient) -> None:
    answer = client.get("/", headers={"Accept": BROWSER})
    assert (answer.status_code, answer.mimetype) == (200, "text/html")
    assert answer.headers["Cache-Control"] == "no-cache"
    assert '<form id="request" action="/api/generate"' in answer.text
    assert "make page" in answer.text
    assert client.get("/assets/index-B1x_2y3Z.js").status_code == 404


def test_a_half_build_is_no_build(client: FlaskClient, built: Path) -> None:
    (built / "index.html").unlink()
    assert "make page" in client.get("/", headers={"Accept": BROWSER}).text
