"""The prompt classifier: its file, its guesses, and how the brief uses them; `indirect_prompts.toml` measures both."""

import re
import subprocess
import sys
import time
import tomllib
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open

from musicgen.composer.brief import Brief, understand
from musicgen.composer.prompt import guesses
from musicgen.composer.prompt.classifier import (
    LEVELS,
    MAX_WORDS,
    NOTHING,
    WEIGHTS,
    PromptClassifier,
    feature_ids,
    load_classifier,
)
from musicgen.composer.prompt.guesses import GUESSED
from musicgen.composer.style_file import all_styles
from musicgen.options import GenerationOptions

STYLE_WORDS = {name: style.words for name, style in all_styles().items()}
PROMPTS = tomllib.loads(Path(__file__).with_name("indirect_prompts.toml").read_text(encoding="utf-8"))
PHRASES = Path(guesses.__file__).parents[1] / "training" / "indirect_phrases.toml"
MAX_BYTES = 500_000
ROOT = Path(__file__).parents[2]


def brief_of(prompt: str) -> Brief:
    return understand(GenerationOptions(prompt), STYLE_WORDS)


@pytest.fixture(scope="module")
def classifier() -> PromptClassifier:
    loaded = load_classifier()
    assert loaded is not None
    return loaded


def test_weights_are_small_and_of_the_shapes_that_their_labels_need() -> None:
    assert WEIGHTS.stat().st_size < MAX_BYTES
    with safe_open(WEIGHTS, framework="numpy") as weights:
        tensors = {name: weights.get_tensor(name) for name in weights.keys()}  # noqa: SIM118
    n_labels = sum(map(len, PromptClassifier(WEIGHTS).labels.values()))
    n_buckets, dim = tensors["embedding"].shape
    assert tensors["embedding"].dtype == np.int8
    assert tensors["scale"].shape == (n_buckets,)
    assert tensors["head"].shape == (n_labels, dim)
    assert tensors["bias"].shape == (n_labels,)
    assert all(np.isfinite(tensor).all() for tensor in tensors.values())


def test_labels_are_the_styles_that_there_are(classifier: PromptClassifier) -> None:
    assert set(classifier.labels["styles"]) == {*all_styles(), NOTHING}
    assert tuple(classifier.labels["valence"]) == tuple(classifier.labels["arousal"]) == LEVELS


def test_probabilities_are_probabilities(classifier: PromptClassifier) -> None:
    guess = classifier.guess(["a", "midnight", "drive"])
    for probabilities in (guess.styles, guess.valence, guess.arousal):
        assert sum(probabilities.values()) == pytest.approx(1, abs=1e-5)
        assert min(probabilities.values()) >= 0


def test_equal_words_give_equal_guesses(classifier: PromptClassifier) -> None:
    words = ["riding", "home", "through", "the", "rain", "with", "an", "old", "song", "in", "my", "head"]
    assert classifier.guess(words) == classifier.guess(words) == PromptClassifier(WEIGHTS).guess(words)


def test_a_guess_is_the_same_in_processes_with_one_thread_and_two() -> None:
    code = (
        "import sys; from musicgen.composer.prompt.classifier import load_classifier;"
        "print(load_classifier().guess('riding home with an old song'.split()), 'torch' in sys.modules)"
    )
    answers = [
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for threads in ("1", "2")
    ]
    assert answers[0] == answers[1]
    assert answers[0].endswith(" False\n"), "asking the classifier loaded torch"


def test_a_guess_on_the_longest_prompt_is_quick(classifier: PromptClassifier) -> None:
    words = [f"word{number}" for number in range(400)]
    times = []
    for _ in range(20):
        start = time.perf_counter()
        classifier.guess(words)
        times.append(time.perf_counter() - start)
    assert min(times) < 0.002


def test_features_are_the_same_on_every_machine() -> None:
    assert feature_ids(["a", "b"], 1 << 32) == [1874297515, 1150996840, 2154585299]
    assert len(feature_ids(["night"] * 10_000, 16384)) == len(feature_ids(["night"] * MAX_WORDS, 16384))


def test_no_word_is_no_question(classifier: PromptClassifier) -> None:
    with pytest.raises(ValueError, match="at least one word"):
        classifier.guess([])


@pytest.mark.parametrize(
    ("prompt", "field", "value"),
    [
        ("techno for a ball in Vienna, crinolines and chandeliers", "style", "techno"),
        ("sad song: graffiti, boom box and breakdancers on the corner", "valence", brief_of("sad").valence),
        ("calm: graffiti, boom box and breakdancers on the corner", "arousal", brief_of("calm").arousal),
    ],
)
def test_explicit_words_win(prompt: str, field: str, value: str | float) -> None:
    brief = brief_of(prompt)
    assert getattr(brief, field) == value
    assert brief.sources[field] != GUESSED


def test_a_refused_style_is_not_guessed() -> None:
    prompt = "graffiti, boom box and breakdancers on the corner"
    assert brief_of(prompt).style == "hip_hop"
    assert "hip_hop" not in brief_of(f"{prompt}, no hip hop").suggested_styles


def test_a_guess_is_marked_as_one() -> None:
    brief = brief_of("graffiti, boom box and breakdancers on the corner")
    assert brief.sources["style"] == brief.sources["suggested_styles"] == GUESSED


@pytest.mark.parametrize("prompt", [*PROMPTS, "xkqz vrrtl", "table and chair", "🎉", "a song"])
def test_nothing_but_the_style_is_guessed(prompt: str) -> None:
    sources = brief_of(prompt).sources
    guessed = {field for field, source in sources.items() if source == GUESSED}
    assert guessed <= {"style", "suggested_styles"}


@pytest.mark.parametrize("prompt", ["xkqz vrrtl bbnm", "make me a song", "music", "please", "12345", "!!!"])
def test_words_that_say_nothing_stay_open(prompt: str) -> None:
    brief = brief_of(prompt)
    assert (brief.style, brief.valence, brief.arousal) == (None, None, None)


def test_indirect_prompts_are_understood_better_than_by_the_lexicon_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    # Measured: 24 first and 32 among three of 40 with it, 21 and 29 without. A few may go when words change.
    with_guesses = count_right()
    monkeypatch.setattr(guesses, "load_classifier", lambda: None)
    alone = count_right()
    assert with_guesses[0] >= 22 and with_guesses[1] >= 30
    assert with_guesses[0] > alone[0] and with_guesses[1] > alone[1]


def count_right() -> tuple[int, int]:
    """Return how many first answers a person would accept, and how many prompts have such a one among three."""
    first = among_three = 0
    for prompt, expected in PROMPTS.items():
        brief = brief_of(prompt)
        styles = brief.suggested_styles or (brief.style or "", *brief.other_styles)
        first += styles[0] in expected
        among_three += not set(expected).isdisjoint(styles[:3])
    return first, among_three


def test_without_weights_a_brief_keeps_to_the_words_it_knows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_classifier(tmp_path / "missing.safetensors") is None
    monkeypatch.setattr(guesses, "load_classifier", partial(load_classifier, tmp_path / "missing.safetensors"))
    brief = brief_of("graffiti, boom box and breakdancers on the corner")
    assert (brief.style, brief.valence) == (None, None)
    assert brief_of("sad jazz").style == "jazz"


def test_indirect_prompts_were_not_trained() -> None:
    """No training phrase shares two words that carry meaning with a test prompt."""
    tables = tomllib.loads(PHRASES.read_text(encoding="utf-8"))
    phrases = [phrase for text in tables["styles"].values() for phrase in text.split(",")]
    shared = [(prompt, phrase) for prompt in PROMPTS for phrase in phrases if len(stems(prompt) & stems(phrase)) > 1]
    assert shared == []


SMALL_WORDS = {
    "the",
    "and",
    "with",
    "for",
    "that",
    "this",
    "from",
    "into",
    "his",
    "her",
    "our",
    "over",
    "who",
    "has",
    "are",
}
SMALL_WORDS |= {"not", "will", "was", "all", "few"}


def stems(text: str) -> set[str]:
    """Cut the words that carry meaning to five letters, so that plurals and tenses are the same."""
    words = re.findall(r"\w+", text.lower())
    return {word[:5] for word in words if word not in SMALL_WORDS and len(word) > 2}
