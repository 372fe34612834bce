"""The health report, well and ill."""

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from musicgen import __version__


def test_a_healthy_service_says_what_it_is(client: FlaskClient) -> None:
    answer = client.get("/health")
    assert (answer.status_code, answer.get_json()) == (
        200,
        {
            "status": "ok",
            "version": __version__,
            "database": True,
            "output_writable": True,
            "model": "tone",
            "model_ready": True,
            "model_state": "empty",
            "device": None,
        },
    )


def test_the_model_and_its_device_are_known_after_the_first_track(client: FlaskClient) -> None:
    client.post("/api/generate", json={"prompt": "rain", "duration": 5})
    report = client.get("/health").get_json()
    assert (report["model_state"], report["device"]) == ("ready", "cpu")


def test_looking_leaves_no_file(client: FlaskClient, tmp_path: Path) -> None:
    client.get("/health")
    assert list((tmp_path / "output").iterdir()) == []


@pytest.mark.parametrize("damage", ["folder", "garbage"])
def test_a_bad_database_is_reported_without_its_address(
    make_app: Callable[..., Flask], tmp_path: Path, damage: str
) -> None:
    place = tmp_path / "bad.sqlite"
    if damage == "folder":
        place.mkdir()
    else:
        place.write_bytes(b"this is no database, only words" * 100)
    answer = make_app(DATABASE_URL=f"sqlite:///{place}").test_client().get("/health")
    assert answer.status_code == 503
    assert (answer.get_json()["database"], answer.get_json()["output_writable"]) == (False, True)
    assert list(answer.get_json()["errors"]) == ["database"]
    assert (answer.get_json()["code"], answer.get_json()["status"]) == (503, "Service Unavailable")
    assert str(tmp_path) not in answer.text


def test_an_output_folder_that_takes_no_files_is_reported(make_app: Callable[..., Flask], tmp_path: Path) -> None:
    (tmp_path / "a file").write_bytes(b"")
    answer = make_app(OUTPUT_DIR=tmp_path / "a file" / "output").test_client().get("/health")
    assert answer.status_code == 503
    assert (answer.get_json()["database"], answer.get_json()["output_writable"]) == (True, False)
    assert str(tmp_path) not in answer.text


def test_a_default_engine_that_cannot_run_is_reported(make_app: Callable[..., Flask]) -> None:
    answer = make_app(MUSICGEN_MODEL="absent").test_client().get("/health")
    assert (answer.status_code, answer.get_json()["model_ready"]) == (503, False)
