"""What the prompt classifier learns from: captions with the labels that our own words give them, phrases, lexicon.

Labels are weak. The words that gave them are taken out of the text, the styles' always and the others half of the time,
so that the network learns from the words around them. A tenth of captions and phrases, chosen by a hash, is held out.
"""

import ast
import csv
import random
import tomllib
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from musicgen.composer.lexicon import load_lexicon, read_lexicon
from musicgen.composer.prompt.answers import Answers, answer_all
from musicgen.composer.prompt.classifier import LEVELS, NOTHING
from musicgen.composer.prompt.evidence import SUGGESTION_SHARES
from musicgen.composer.prompt.guesses import words_to_guess_from
from musicgen.composer.prompt.phrases import PhraseIndex
from musicgen.composer.prompt.reading import Reading, read_prompt
from musicgen.composer.prompt.text import fold
from musicgen.composer.style_file import all_styles
from musicgen.options import GenerationOptions

PHRASES = Path(__file__).with_name("indirect_phrases.toml")
HELD_OUT_ONE_IN = 10
# Where a mood ends and the middle begins, for valence (-1 to 1) and arousal (0 to 1).
BOUNDS = {"valence": (-0.15, 0.15), "arousal": (0.4, 0.6)}
PHRASE_REPEATS = 4
# A caption is longer than a prompt: its first 1,900 characters are read, and parts of this many words are learned.
CAPTION_CHARS = 1900
PART_WORDS = (4, 40)
NO_STYLES: PhraseIndex[str] = PhraseIndex(())


@dataclass(frozen=True, slots=True)
class Example:
    """Words and what they mean; a head without a label learns nothing from it.

    Attributes:
        words: folded.
        styles: shares of styles, summing to 1, or empty.
        levels: by head, the index in `LEVELS`.
        instruments: names; None where nobody knows.
    """

    words: Sequence[str]
    styles: Mapping[str, float] = field(default_factory=dict)
    levels: Mapping[str, int] = field(default_factory=dict)
    instruments: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Caption:
    """A caption's words, which of them to hide, and its weak labels."""

    words: Sequence[str]
    names_style: Sequence[bool]
    is_known: Sequence[bool]
    example: Example

    def hide(self, rng: random.Random) -> Example:
        """Return a random part of it without the styles' words, and half of the time without all known ones."""
        hidden = self.is_known if rng.random() < 0.5 else self.names_style
        words = [word for word, is_hidden in zip(self.words, hidden, strict=True) if not is_hidden]
        length = rng.randint(*PART_WORDS)
        first = rng.randrange(max(len(words) - length, 1))
        return self._with(words[first : first + length])

    def bare(self) -> Example:
        """Return it without any word that the styles and the lexicon know: what is left to guess from."""
        return self._with([word for word, known in zip(self.words, self.is_known, strict=True) if not known])

    def _with(self, words: Sequence[str]) -> Example:
        return Example(words, self.example.styles, self.example.levels, self.example.instruments)


def is_held_out(text: str) -> bool:
    """Tell whether a text belongs to the tenth that is not learned."""
    return zlib.crc32(f"held out {text}".encode()) % HELD_OUT_ONE_IN == 0


def words_of(text: str) -> list[str]:
    """Return the words of a prompt that the classifier is asked about."""
    return words_to_guess_from(read_prompt(text, load_lexicon(), NO_STYLES))


def read_captions(data_dir: Path) -> list[Caption]:
    """Read the captions with what our own words, and no earlier classifier, say of them."""
    words = {name: style.words for name, style in all_styles().items()}
    index = PhraseIndex((fold(word), name) for name, style_words in words.items() for word in style_words)

    def answers_to(text: str) -> Answers:
        prompt = text[:CAPTION_CHARS]
        return answer_all(GenerationOptions(prompt), read_prompt(prompt, load_lexicon(), index), words)

    captions = []
    with (data_dir / "musiccaps" / "musiccaps-train.csv").open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            aspects = ", ".join(ast.literal_eval(row["aspect_list"]))
            whole = answers_to(f"{aspects}. {row['caption']}")
            captions.append(_caption(whole.reading, _label(answers_to(aspects).values, whole.values)))
    return captions


def _label(aspects: Mapping[str, Any], whole: Mapping[str, Any]) -> Example:
    """Take the styles from the aspects alone, where "club" and "movie" seldom stand for a place."""
    named = () if aspects["suggested_styles"] or not aspects["style"] else (aspects["style"], *aspects["other_styles"])
    shares = {style: 1 / len(named) for style in named}
    return Example((), shares, _levels(whole["valence"], whole["arousal"]), frozenset(whole["wanted"]))


def _caption(reading: Reading, example: Example) -> Caption:
    names_style, is_known, is_grammar = (list(reading.masked) for _ in range(3))
    for hit in reading.hits:
        place = slice(hit.first, hit.last)
        if hit.style:
            names_style[place] = [True] * (hit.last - hit.first)
        if hit.is_content:
            is_known[place] = [True] * (hit.last - hit.first)
        else:
            is_grammar[place] = [True] * (hit.last - hit.first)
    kept = [i for i, token in enumerate(reading.tokens) if token.text.isalnum() and not is_grammar[i]]
    return Caption(
        [reading.tokens[i].text for i in kept], [names_style[i] for i in kept], [is_known[i] for i in kept], example
    )


def _levels(valence: float | None, arousal: float | None) -> dict[str, int]:
    said = {"valence": valence, "arousal": arousal}
    return {
        head: (value > BOUNDS[head][0]) + (value >= BOUNDS[head][1])
        for head, value in said.items()
        if value is not None
    }


@dataclass(frozen=True, slots=True)
class Phrases:
    """The phrases of the file by what they mean, learned or held out, and the templates to put them in."""

    meanings: Sequence[tuple[Sequence[str], Example]]
    templates: Sequence[str]

    def examples(self, rng: random.Random) -> Iterator[Example]:
        """Yield every phrase a few times, within templates and beside others of the same meaning."""
        for phrases, label in self.meanings:
            for phrase in [*phrases] * PHRASE_REPEATS:
                beside = [phrase, *rng.sample(phrases, min(rng.choice((0, 0, 1, 2)), len(phrases)))]
                rng.shuffle(beside)
                text = rng.choice(self.templates).format(rng.choice((", ", " and ", " ")).join(beside))
                yield Example(words_of(text), label.styles, label.levels)


def read_phrases() -> tuple[Phrases, list[tuple[str, Example]]]:
    """Read the phrases; return those to learn and, with their meanings, those held out."""
    tables = tomllib.loads(PHRASES.read_text(encoding="utf-8"))
    listed = [(text, Example((), {style: 1.0})) for style, text in tables["styles"].items()]
    for head in BOUNDS:
        listed += [(text, Example((), {}, {head: LEVELS.index(level)})) for level, text in tables[head].items()]
    silence = Example((), {NOTHING: 1.0}, dict.fromkeys(BOUNDS, LEVELS.index("middle")))
    listed.append((tables["nothing"]["prompts"], silence))
    learned, held_out = [], []
    for text, label in listed:
        phrases = [phrase.strip() for phrase in text.split(",")]
        learned.append(([phrase for phrase in phrases if not is_held_out(phrase)], label))
        held_out += [(phrase, label) for phrase in phrases if is_held_out(phrase)]
    templates = [part for templates in tables["templates"].values() for part in templates.split("|")]
    return Phrases(learned, templates), held_out


def read_lexicon_examples() -> list[Example]:
    """Make an example of every lexicon phrase with a mood or with styles that suit it."""
    found = []
    for phrase, word in read_lexicon():
        shares = dict(zip(word.entry.styles, SUGGESTION_SHARES, strict=False))
        styles = {style: share / sum(shares.values()) for style, share in shares.items()}
        levels = _levels(word.entry.valence, word.entry.arousal)
        if word.entry.role is None and (styles or levels):
            found.append(Example(words_of(phrase), styles, levels))
    return [example for example in found if example.words]


def gibberish(rng: random.Random) -> Example:
    """Return letters without a meaning."""
    lengths = [rng.randint(2, 12) for _ in range(rng.randint(1, 4))]
    words = ["".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=length)) for length in lengths]
    return Example(words, {NOTHING: 1.0}, dict.fromkeys(BOUNDS, LEVELS.index("middle")))
