"""The brief: what a request asks for, in musical terms, and which of its words say so.

Explicit fields of the request come first, then figures in the prompt ("80 bpm", "in D minor"), then the words of the
lexicon and of the styles, then, where these name no style, the guess of a small classifier. What nobody asked for stays
None: the plan decides it. Knows styles only by their words.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any

from musicgen.composer.lexicon import load_lexicon
from musicgen.composer.prompt.answers import answer_all
from musicgen.composer.prompt.guesses import guess_style
from musicgen.composer.prompt.phrases import PhraseIndex
from musicgen.composer.prompt.reading import read_prompt
from musicgen.composer.prompt.text import fold
from musicgen.notation import SHARP_NAMES, Key, TimeSignature
from musicgen.options import GenerationOptions


@dataclass(frozen=True, slots=True)
class Brief:
    """What a request asks for. `None` means: not asked for, the plan decides.

    Attributes:
        prompt: the words themselves.
        style: name of the style that the prompt names, or that its words suggest.
        other_styles: further styles that it names, in the order of weight.
        suggested_styles: where it names none, those that its words suggest, best first (`style` is the first).
        tempo: quarter notes a minute, 40 to 240, where a number is given.
        tempo_range: lowest and highest tempo that the words for it allow, where no number is given.
        tempo_factor: what scenes and comparatives ("faster") do to a style's usual tempo; 1 is nothing.
        tonic: pitch class, 0 is C.
        mode: name in `notation.MODES`.
        time_signature: of every bar.
        valence: -1 (grief) to 1 (joy).
        arousal: 0 (asleep) to 1 (frenzy).
        brightness: -1 (dull sound) to 1 (brilliant).
        wanted: instruments and families to be heard, in the order of the prompt.
        unwanted: instruments and families that must not be heard.
        solo: whether the wanted instruments play alone.
        era: "1980s" or the name of a period.
        crackle: True where the noise of an old record or tape is asked for, False where it is refused.
        instrumental: True where a voice is refused, False where one is asked for.
        title: name of the piece, never empty.
        language: of the prompt, given or guessed; two letters or a BCP 47 code.
        sources: for every field: "request", "default", "guessed from the words", or the words that decided it.
        notes: sentences about what was asked and cannot be done, or was decided between contradictions.
    """

    prompt: str
    style: str | None
    other_styles: tuple[str, ...]
    suggested_styles: tuple[str, ...]
    tempo: float | None
    tempo_range: tuple[float, float] | None
    tempo_factor: float
    tonic: int | None
    mode: str | None
    time_signature: TimeSignature | None
    valence: float | None
    arousal: float | None
    brightness: float | None
    wanted: tuple[str, ...]
    unwanted: tuple[str, ...]
    solo: bool
    era: str | None
    crackle: bool | None
    instrumental: bool | None
    title: str
    language: str | None
    sources: Mapping[str, str]
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the brief without the prompt as JSON values; `key` says tonic and mode for people."""
        record = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "prompt"}
        record["key"] = self._key_text()
        record["time_signature"] = None if self.time_signature is None else str(self.time_signature)
        record["sources"] = dict(self.sources)
        return {name: list(value) if isinstance(value, tuple) else value for name, value in record.items()}

    def _key_text(self) -> str | None:
        if self.tonic is None:
            return self.mode
        return str(Key(self.tonic, self.mode)) if self.mode else SHARP_NAMES[self.tonic]


def understand(options: GenerationOptions, style_words: Mapping[str, Sequence[str]]) -> Brief:
    """Read a request; `style_words` maps the name of every style to the words that name it. Nothing is random.

    Raises:
        InvalidOptions: `key` or `time_signature` of the options is none.
    """
    styles = _index_styles(tuple((name, tuple(words)) for name, words in style_words.items()))
    language = options.language.split("-")[0].lower() if options.language else None
    reading = read_prompt(options.prompt, load_lexicon(), styles, language)
    answers = answer_all(options, reading, style_words)
    if reading.title and all(answers.values[name] is None for name in ("style", "valence", "arousal")):
        reading = read_prompt(options.prompt, load_lexicon(), styles, language, title_describes=True)
        answers = answer_all(options, reading, style_words)
    guess_style(answers)
    return Brief(
        prompt=options.prompt,
        sources=answers.sources,
        notes=tuple(answers.notes),
        **answers.values,
    )


@lru_cache(maxsize=4)
def _index_styles(style_words: tuple[tuple[str, tuple[str, ...]], ...]) -> PhraseIndex[str]:
    return PhraseIndex((fold(word), name) for name, words in style_words for word in words)
