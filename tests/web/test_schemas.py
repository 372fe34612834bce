"""The request schema: whatever comes in, options or a named mistake come out."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError

from musicgen.notation import MODES, Key, TimeSignature
from musicgen.options import MAX_SEED, FollowUp, GenerationOptions
from musicgen.web.schemas.request import GenerationRequestSchema

MAX_PROMPT_CHARS = 50
FIELDS = tuple(GenerationRequestSchema().fields)


@pytest.fixture(autouse=True, scope="module")
def settings() -> Iterator[None]:
    app = Flask(__name__)
    app.config["MAX_PROMPT_CHARS"] = MAX_PROMPT_CHARS
    with app.app_context():
        yield


def load(**fields: Any) -> GenerationOptions:
    options: GenerationOptions = GenerationRequestSchema().load(fields)
    return options


def mistake(**fields: Any) -> str:
    """Return the one message about the one bad field."""
    with pytest.raises(ValidationError) as caught:
        load(**({"prompt": "rain"} | fields))
    ((_, (message,)),) = caught.value.normalized_messages().items()
    return str(message)


# Every kind of character that matters here; drawing from all of Unicode costs Hypothesis seconds at the start.
any_text = st.text("aZ7#/-+: {}%\0\x07\n\u00a0\u200b\ud800é雨🎹", max_size=60)
any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | any_text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(any_text, inner, max_size=3),
    max_leaves=8,
)
any_fields = st.dictionaries(st.sampled_from(FIELDS), any_json)
visible_text = st.text("aZ7#/-+:{}%é雨🎹", min_size=1, max_size=MAX_PROMPT_CHARS)
valid_fields = st.fixed_dictionaries(
    {"prompt": visible_text},
    optional={
        "duration": st.none() | st.floats(5, 300) | st.integers(5, 300),
        "seed": st.none() | st.integers(0, MAX_SEED),
        "model": st.none() | visible_text,
        "tempo": st.none() | st.floats(40, 240) | st.integers(40, 240),
        "key": st.none() | st.builds(lambda *key: str(Key(*key)), st.integers(0, 11), st.sampled_from(sorted(MODES))),
        "time_signature": st.none()
        | st.builds(lambda *bar: str(TimeSignature(*bar)), st.integers(2, 12), st.sampled_from((4, 8))),
        "instrumental": st.none() | st.booleans(),
        "lyrics": st.none() | visible_text,
        "language": st.none() | st.from_regex(r"[a-z]{2,3}(-[A-Z]{2})?", fullmatch=True),
        "title": st.none() | visible_text,
    },
)


@given(any_json | any_fields)
def test_any_json_gives_options_or_a_validation_error(value: Any) -> None:
    try:
        options = GenerationRequestSchema().load(value)
    except ValidationError as error:
        messages = error.normalized_messages()
        assert all(isinstance(text, str) for texts in messages.values() for text in texts)
        assert len(json.dumps(messages)) < 10_000
    else:
        assert isinstance(options, GenerationOptions | FollowUp)
        if isinstance(options, GenerationOptions):
            options.prompt.encode()


@given(valid_fields)
def test_valid_fields_arrive_unchanged(fields: dict[str, Any]) -> None:
    options = load(**fields)
    asked = {name: value for name, value in fields.items() if value is not None}
    assert {name: getattr(options, name) for name in asked} == asked


@given(valid_fields)
def test_what_is_left_out_has_the_default_of_the_options(fields: dict[str, Any]) -> None:
    asked = {name: value for name, value in fields.items() if value is not None}
    assert load(**fields | {"seed": 1}) == GenerationOptions(**asked | {"seed": 1})


def test_fields_are_those_of_the_options() -> None:
    relations = {"variation_of", "extend"}
    assert set(FIELDS) - relations == set(GenerationOptions.__dataclass_fields__) - {"extends", "original"}


@pytest.mark.parametrize("prompt", ["a", "🎹", "Regen\nund Wind", "雨の夜", "?!", " rain ", "x" * MAX_PROMPT_CHARS])
def test_prompts_that_are_taken_as_they_are(prompt: str) -> None:
    assert load(prompt=prompt).prompt == prompt


@pytest.mark.parametrize(
    "prompt",
    ["", " ", "\n\t", "\u00a0\u3000", "\u200b\u200d\ufeff", "\x07\x1b", "\u2028"],
)
def test_prompts_without_anything_visible(prompt: str) -> None:
    assert "visible" in mistake(prompt=prompt)


@pytest.mark.parametrize("prompt", ["ra\0in", "rain \ud800"])
def test_prompts_that_cannot_be_stored(prompt: str) -> None:
    assert "NUL" in mistake(prompt=prompt)


def test_a_prompt_over_the_limit_is_told_the_limit() -> None:
    message = mistake(prompt="x" * (MAX_PROMPT_CHARS + 1))
    assert "50" in message and "51" in message


@pytest.mark.parametrize("fields", [{}, {"prompt": None}])
def test_a_prompt_is_asked_for(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as caught:
        load(**fields)
    assert "Describe the music" in caught.value.normalized_messages()["prompt"][0]


@pytest.mark.parametrize("name", ["duration", "tempo"])
@pytest.mark.parametrize("value", ["30", True, False, [30], {}, float("nan"), float("inf"), -float("inf"), 10**400])
def test_numbers_are_numbers(name: str, value: Any) -> None:
    assert "number" in mistake(**{name: value})


@pytest.mark.parametrize("value", ["7", 7.0, 7.5, True, [], "x" * 1000])
def test_a_seed_is_a_whole_number(value: Any) -> None:
    message = mistake(seed=value)
    assert "whole number" in message and len(message) < 120


@pytest.mark.parametrize(
    ("name", "outside", "limits"),
    [
        ("duration", 4.99, ("5", "300", "4.99")),
        ("duration", 300.5, ("5", "300", "300.5")),
        ("seed", -1, ("0", "2147483647", "-1")),
        ("seed", MAX_SEED + 1, ("0", "2147483647", "2147483648")),
        ("tempo", 39, ("40", "240", "39")),
        ("tempo", 241, ("40", "240", "241")),
    ],
)
def test_numbers_outside_are_told_the_limits(name: str, outside: float, limits: tuple[str, ...]) -> None:
    message = mistake(**{name: outside})
    assert all(limit in message for limit in limits)


@pytest.mark.parametrize(
    ("name", "inside"),
    [("duration", 5), ("duration", 300), ("seed", 0), ("seed", MAX_SEED), ("tempo", 40), ("tempo", 240)],
)
def test_the_limits_belong_to_the_range(name: str, inside: float) -> None:
    assert getattr(load(prompt="rain", **{name: inside}), name) == inside


@pytest.mark.parametrize(
    ("name", "written", "canonical"),
    [
        ("key", "eb maj", "Eb major"),
        ("key", "F#", "F# major"),
        ("key", "Am", "A minor"),
        ("time_signature", " 6 / 8 ", "6/8"),
    ],
)
def test_notation_is_stored_in_one_spelling(name: str, written: str, canonical: str) -> None:
    assert getattr(load(prompt="rain", **{name: written}), name) == canonical


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("key", "H dur"),
        ("key", 5),
        ("key", "C" * 1000),
        ("time_signature", "4"),
        ("time_signature", "13/4"),
        ("instrumental", "yes"),
        ("instrumental", 1),
        ("instrumental", 0.0),
        ("language", "english language"),
        ("language", "e"),
        ("language", "en\n"),
        ("language", "en-" + "abcdefgh-" * 100),
        ("language", "x" * 1000),
        ("title", "x" * 201),
        ("title", "two\nlines"),
        ("title", " "),
        ("lyrics", "x" * 10_001),
        ("lyrics", b"bytes"),
        ("model", ""),
        ("model", 1),
        ("Prompt", "case matters"),
        ("formats", ["mp3"]),
        ("style_audio", "x" * 3_000_001),
        ("style_audio", "UklGRg\n=="),
        ("style_audio", ""),
        ("original", "/etc/passwd"),
    ],
)
def test_bad_values_have_one_short_message(name: str, value: Any) -> None:
    message = mistake(**{name: value})
    assert 0 < len(message) < 200


@pytest.mark.parametrize("language", ["en", "pt-BR", "zh-Hant-TW", "de-CH-1996"])
def test_language_codes(language: str) -> None:
    assert load(prompt="rain", language=language).language == language


def test_null_stands_for_a_field_left_out() -> None:
    options = load(prompt="rain", **dict.fromkeys(set(FIELDS) - {"prompt"}))
    assert options == GenerationOptions(prompt="rain", seed=options.seed)


@pytest.mark.parametrize("regenerate", [[[0, 1]], [[30, 45.5]], [[3, 9], [1, 2], [2, 4]], [[0, 1]] * 20])
def test_an_edit_says_of_which_track_and_which_parts(regenerate: list[list[float]]) -> None:
    asked = load(of="x", regenerate=regenerate, seed=3)
    assert asked == FollowUp("of", "x", {"regenerate": regenerate, "seed": 3})


@pytest.mark.parametrize(
    ("regenerate", "words"),
    [
        ([], "1 to 20 parts"),
        ([[0, 1]] * 21, "1 to 20 parts"),
        ("30-45", "a list of parts"),
        ({"start": 1}, "a list of parts"),
        ([30, 45], "[start, end] in seconds, not 30"),
        ([[30]], "[start, end] in seconds"),
        ([[30, 40, 50]], "[start, end] in seconds"),
        ([None], "null"),
        ([["30", 45]], "Must be a number"),
        ([[True, 45]], "Must be a number"),
        ([[None, 45]], "null"),
        ([[1, float("inf")]], "finite"),
        ([[-1, 5]], "begin at 0"),
        ([[5, 5.9]], "end 1 s after"),
        ([[9, 5]], "end 1 s after"),
        ([[0, 1], [2, 2], [3, 3]], "[2, 2] must begin"),
    ],
)
def test_parts_that_cannot_be_have_one_message(regenerate: Any, words: str) -> None:
    message = mistake(prompt=None, of="x", regenerate=regenerate)
    assert words in message and len(message) < 200


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"of": "x"}, "regenerate"),
        ({"prompt": "rain", "regenerate": [[1, 2]]}, "of"),
        ({"regenerate": [[1, 2]], "variation_of": "x"}, "of"),
        ({"of": "x", "regenerate": [[1, 2]], "extend": "y"}, "of"),
    ],
)
def test_an_edit_needs_a_track_and_parts_and_nothing_else(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as caught:
        load(**fields)
    assert field in caught.value.normalized_messages()


def test_a_recording_comes_as_it_is() -> None:
    assert load(prompt="rain", style_audio="UklGRg==").style_audio == "UklGRg=="
