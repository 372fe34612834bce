"""The OpenAPI document is valid, complete, and true for real answers."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from openapi_schema_validator import OAS30Validator
from openapi_spec_validator import validate
from werkzeug.test import TestResponse

CALLS_OF_THE_CONTRACT = {
    ("post", "/api/generate"),
    ("post", "/api/plan"),
    ("get", "/api/track/{track_id}"),
    ("patch", "/api/track/{track_id}"),
    ("delete", "/api/track/{track_id}"),
    ("get", "/api/tracks"),
    ("get", "/api/models"),
    ("get", "/api/styles"),
    ("get", "/output/{file_name}"),
    ("get", "/health"),
    ("get", "/"),
    ("get", "/api/openapi.json"),
    ("get", "/api/docs"),
}


@pytest.fixture
def document(client: FlaskClient) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/api/openapi.json").get_json()
    return found


def operations(document: dict[str, Any]) -> set[tuple[str, str]]:
    return {(verb, path) for path, item in document["paths"].items() for verb in item if verb != "parameters"}


def check_answer(document: dict[str, Any], path: str, answer: TestResponse) -> None:
    """Validate an answer against what the document says of exactly this status."""
    responses = document["paths"][path][answer.request.method.lower()]["responses"]
    response = responses[str(answer.status_code)]
    if "$ref" in response:
        response = document["components"]["responses"][response["$ref"].rpartition("/")[2]]
    schema = response["content"][answer.mimetype]["schema"]
    OAS30Validator({**schema, "components": document["components"]}).validate(answer.get_json())
    for name in response.get("headers", {}):
        assert name in answer.headers


def test_the_document_is_valid(document: dict[str, Any]) -> None:
    validate(document)


def test_every_call_of_the_contract_is_in_it(document: dict[str, Any]) -> None:
    assert operations(document) >= CALLS_OF_THE_CONTRACT


def test_every_route_of_the_app_is_in_it(app: Flask, document: dict[str, Any]) -> None:
    routes = {
        (method.lower(), re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule))
        for rule in app.url_map.iter_rules()
        if rule.endpoint != "static"
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert operations(document) == routes


def test_real_answers_are_as_documented(client: FlaskClient, document: dict[str, Any]) -> None:
    made = client.post("/api/generate", json={"prompt": "rain", "duration": 5, "lyrics": "la"})
    check_answer(document, "/api/generate", made)
    check_answer(document, "/api/track/{track_id}", client.get(made.headers["Location"]))
    check_answer(document, "/api/track/{track_id}", client.patch(made.headers["Location"], json={"title": "Rain"}))
    client.post("/api/generate", json={"prompt": "rain", "duration": 5, "model": "failing"})
    client.post("/api/generate", json={"prompt": "rain", "duration": 5, "model": "silent"})
    check_answer(document, "/api/tracks", client.get("/api/tracks"))
    check_answer(document, "/api/models", client.get("/api/models"))
    check_answer(document, "/health", client.get("/health"))
    check_answer(document, "/", client.get("/"))
    check_answer(document, "/api/openapi.json", client.get("/api/openapi.json"))


def test_streams_are_as_documented(client: FlaskClient, document: dict[str, Any]) -> None:
    documented = document["paths"]["/api/generate"]["post"]["responses"]["200"]
    for media_type in ("text/event-stream", "audio/mpeg"):
        answer = client.post("/api/generate", json={"prompt": "rain", "duration": 5}, headers={"Accept": media_type})
        assert answer.status_code == 200
        assert documented["content"][answer.mimetype]["schema"]["type"] == "string"
        if media_type == "text/event-stream":
            schema = {"$ref": "#/components/schemas/Progress", "components": document["components"]}
            data = answer.text.partition("data: ")[2].partition("\n")[0]
            OAS30Validator(schema).validate(json.loads(data))
    assert set(documented["headers"]) <= set(answer.headers.keys())


def test_styles_and_plans_are_as_documented(composing_app: Flask, document: dict[str, Any]) -> None:
    client = composing_app.test_client()
    check_answer(document, "/api/styles", client.get("/api/styles"))
    check_answer(document, "/api/styles", client.get("/api/styles?model=theremin"))
    check_answer(document, "/api/plan", client.post("/api/plan", json={"prompt": "rain"}))


def test_a_list_of_tracks_has_everything_but_their_plans(document: dict[str, Any]) -> None:
    listed, track = (document["components"]["schemas"][name]["properties"] for name in ("ListedTrack", "Track"))
    assert set(track) - set(listed) == {"plan"}


def test_real_errors_are_as_documented(make_app: Callable[..., Flask], document: dict[str, Any]) -> None:
    client = make_app(MAX_BODY_BYTES=1000).test_client()
    prompt = {"prompt": "rain"}
    errors = [
        (400, client.post("/api/generate", data=b"{", content_type="application/json")),
        (413, client.post("/api/generate", json={"prompt": "x" * 2000})),
        (415, client.post("/api/generate", data=b"{}")),
        (422, client.post("/api/generate", json={"duration": "long"})),
        (500, client.post("/api/generate", json=prompt | {"model": "failing"})),
        (507, make_app(MIN_FREE_DISK_MB=10**9).test_client().post("/api/generate", json=prompt)),
        (404, client.get("/api/track/nothing")),
        (404, client.delete("/api/track/nothing")),
        (404, client.patch("/api/track/nothing", json={"title": "Rain"})),
        (422, client.patch("/api/track/nothing", json={"title": " "})),
        (422, client.get("/api/tracks?search=%00")),
        (422, client.get("/api/tracks?page=0")),
        (404, client.get("/output/nothing.mp3")),
        (503, make_app(MUSICGEN_MODEL="absent").test_client().get("/health")),
    ]
    templates = {"/api/track/nothing": "/api/track/{track_id}", "/output/nothing.mp3": "/output/{file_name}"}
    for status_code, answer in errors:
        assert answer.status_code == status_code
        path = answer.request.path
        check_answer(document, templates.get(path, path), answer)


def test_every_documented_error_has_the_error_schema(document: dict[str, Any]) -> None:
    error, unhealthy = ({"$ref": f"#/components/schemas/{name}"} for name in ("Error", "Unhealthy"))
    shared = document["components"]["responses"]
    for path, item in document["paths"].items():
        for verb in item.keys() - {"parameters"}:
            for status, response in item[verb]["responses"].items():
                if status == "default" or status >= "400":
                    content = shared[response["$ref"].rpartition("/")[2]] if "$ref" in response else response
                    expected = unhealthy if (path, status) == ("/health", "503") else error
                    assert content["content"] == {"application/json": {"schema": expected}}


def test_configured_limits_are_in_it(make_app: Callable[..., Flask]) -> None:
    document = make_app(MAX_PROMPT_CHARS=123).test_client().get("/api/openapi.json").get_json()
    request = document["components"]["schemas"]["GenerationRequest"]
    assert request["properties"]["prompt"]["maxLength"] == 123
    assert request["properties"]["duration"] | {"description": ""} == {
        "type": "number",
        "default": 30.0,
        "minimum": 5.0,
        "maximum": 300.0,
        "example": 30,
        "nullable": True,
        "description": "",
    }
    assert request["additionalProperties"] is False


def test_the_examples_of_the_request_make_a_track(client: FlaskClient, document: dict[str, Any]) -> None:
    properties = document["components"]["schemas"]["GenerationRequest"]["properties"]
    fields = {name: field["example"] for name, field in properties.items() if "example" in field}
    answer = client.post("/api/generate", json=fields | {"model": "tone", "duration": 5})
    assert answer.status_code == 201


def test_the_documentation_page_has_all_its_files(client: FlaskClient) -> None:
    page = client.get("/api/docs")
    assert page.mimetype == "text/html"
    urls = re.findall(r'(?:href|src|data-document)="([^"]+)"', page.text)
    assert len(urls) == 5
    assert {url: client.get(url).status_code for url in urls} == dict.fromkeys(urls, 200)
    script = client.get("/api/docs/swagger-ui-bundle.js")
    assert script.mimetype in ("text/javascript", "application/javascript")


@pytest.mark.parametrize("path", ["..%2f__init__.py", "%2fetc%2fpasswd", "../__init__.py"])
def test_the_documentation_serves_only_its_files(client: FlaskClient, path: str) -> None:
    assert client.get(f"/api/docs/{path}").status_code == 404


def test_the_page_has_its_types_from_this_document(document: dict[str, Any]) -> None:
    copy = json.loads((Path(__file__).parents[2] / "frontend" / "openapi.json").read_text(encoding="utf-8"))
    for part in ("paths", "components"):
        assert copy[part] == document[part], "The API has changed: `make page-types` writes the page's types anew."
