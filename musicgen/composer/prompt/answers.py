"""From what stands in a prompt to the brief's fields, one function a field.

Every field gets its source; contradictions and what cannot be done get a note.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from musicgen.composer.instruments import all_instruments
from musicgen.composer.prompt.evidence import (
    Meaning,
    meanings_of,
    opposed,
    suggest_styles,
    weigh,
    weigh_tempo,
    weigh_tempo_factor,
)
from musicgen.composer.prompt.figures import nearest_time_signature
from musicgen.composer.prompt.hits import Hit
from musicgen.composer.prompt.reading import Reading
from musicgen.composer.prompt.style_rank import rank_styles
from musicgen.composer.prompt.tempo import fit_tempo
from musicgen.composer.prompt.title import capitalise, make_title
from musicgen.errors import InvalidOptions
from musicgen.notation import Key, TimeSignature
from musicgen.options import MAX_TEMPO, MIN_TEMPO, GenerationOptions

REQUEST, DEFAULT = "request", "default"
# A bare "in E" is major, but not in a gloomy prompt: there the plan may choose.
GLOOMY_VALENCE = -0.2
# Moods that oppose each other, as (less than, more than).
OPPOSED_VALENCE, OPPOSED_AROUSAL = (-0.35, 0.35), (0.3, 0.7)
# A figure may lie this far outside the words ("slow, 90 bpm") before it is called a contradiction.
TEMPO_TOLERANCE = 1.15


@dataclass(slots=True)
class Answers:
    """The brief in the making: values and sources by field, and notes."""

    options: GenerationOptions
    reading: Reading
    known_styles: Collection[str]
    meanings: Sequence[Meaning]
    values: dict[str, Any] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def hits(self) -> Sequence[Hit]:
        """The words that were understood."""
        return self.reading.hits

    def give(self, name: str, value: Any, source: str | Iterable[str] = DEFAULT) -> None:
        """Settle a field; `source` is "request", "default" or the words that decided it."""
        self.values[name] = value
        self.sources[name] = source if isinstance(source, str) else ", ".join(dict.fromkeys(source))

    def note(self, sentence: str) -> None:
        """Keep a sentence for the person, once."""
        if sentence not in self.notes:
            self.notes.append(sentence)

    def words_at(self, start: int, end: int) -> str:
        """Return the words at a place of the folded text as they were written."""
        return self.reading.text.words(start, end)


def answer_all(options: GenerationOptions, reading: Reading, known_styles: Collection[str]) -> Answers:
    """Answer every field of the brief but the prompt.

    Raises:
        InvalidOptions: `key` or `time_signature` of the options is none.
    """
    answers = Answers(options, reading, known_styles, meanings_of(reading.hits))
    for answer in (
        _style, _mood, _tempo, _key, _time_signature, _instruments, _era, _crackle, _voice, _title, _language,
        _odds_and_ends,
    ):  # fmt: skip
        answer(answers)
    return answers


def _style(answers: Answers) -> None:
    named = rank_styles(answers.hits, answers.reading.language)
    if named:
        answers.give("style", named[0].style, named[0].words)
        others = [hit for hit in named if hit.style != named[0].style]
        answers.give(
            "other_styles", tuple(dict.fromkeys(hit.style for hit in others)), [h.words for h in others] or DEFAULT
        )
        answers.give("suggested_styles", ())
        return
    allowed = set(answers.known_styles) - {hit.style for hit in answers.hits if hit.negated}
    suggested, words = suggest_styles(answers.meanings, allowed)
    answers.give("style", suggested[0] if suggested else None, words if suggested else DEFAULT)
    answers.give("other_styles", ())
    answers.give("suggested_styles", suggested, words if suggested else DEFAULT)


def _mood(answers: Answers) -> None:
    for name, middle, low in (("valence", 0.0, -1.0), ("arousal", 0.5, 0.0), ("brightness", 0.0, -1.0)):
        weighed = weigh(answers.meanings, name, middle, low, 1.0)
        answers.give(name, weighed.value if weighed else None, weighed.words if weighed else DEFAULT)
    for name, bounds in (("valence", OPPOSED_VALENCE), ("arousal", OPPOSED_AROUSAL)):
        pair = opposed(answers.meanings, name, *bounds)
        if pair:
            answers.note(f"The prompt asks for both '{pair[0]}' and '{pair[1]}'; the mood meets between them.")


def _tempo(answers: Answers) -> None:
    figures = answers.reading.tempos
    words = weigh_tempo(answers.meanings)
    answers.give("tempo", None)
    answers.give("tempo_range", None)
    answers.give("tempo_factor", weigh_tempo_factor(answers.meanings))
    exact = next((figure for figure in figures if figure.low == figure.high), None)
    said = answers.words_at(exact.start, exact.end) if exact else ""
    if answers.options.tempo is not None:
        _give_tempo(answers, answers.options.tempo, REQUEST)
        if exact and abs(exact.low - answers.options.tempo) >= 1:
            answers.note(f"The prompt says '{said}' and the request {answers.options.tempo:g} BPM; the request wins.")
    elif exact:
        _give_tempo(answers, exact.low, said)
        if len({figure.low for figure in figures if figure.low == figure.high}) > 1:
            answers.note(f"The prompt names several tempos; the track keeps to '{said}' throughout.")
        if words and not words.low / TEMPO_TOLERANCE <= answers.values["tempo"] <= words.high * TEMPO_TOLERANCE:
            answers.note(f"'{', '.join(words.words)}' and '{said}' do not agree on the tempo; the figure wins.")
    elif figures:
        low, high = (min(max(bound, MIN_TEMPO), MAX_TEMPO) for bound in (figures[0].low, figures[0].high))
        if low < high:
            answers.give("tempo_range", (low, high), answers.words_at(figures[0].start, figures[0].end))
        else:
            _give_tempo(answers, figures[0].low, answers.words_at(figures[0].start, figures[0].end))
    elif words:
        answers.give("tempo_range", _playable(words.low, words.high), words.words)
        if words.overruled:
            lost = ", ".join(words.overruled)
            answers.note(f"A track keeps one tempo: of '{words.words[0]}' and '{lost}' it takes '{words.words[0]}'.")


def _give_tempo(answers: Answers, tempo: float, source: str) -> None:
    fitted = fit_tempo(tempo)
    answers.give("tempo", fitted, source)
    if fitted != tempo:
        answers.note(
            f"{tempo:g} BPM is outside {MIN_TEMPO:g} to {MAX_TEMPO:g}; the track counts {fitted:g} BPM instead."
        )


def _playable(low: float, high: float) -> tuple[float, float]:
    """Widen a range that words have narrowed to nothing, so that there is a tempo to choose."""
    middle = (low + high) / 2
    low, high = min(low, middle - 4), max(high, middle + 4)
    return max(round(low, 1), MIN_TEMPO), min(round(high, 1), MAX_TEMPO)


def _key(answers: Answers) -> None:
    found = next(iter(answers.reading.keys), None)
    mode_hit = next((hit for hit in answers.hits if not hit.negated and any(e.mode for e in hit.entries)), None)
    mode = next((e.mode for e in mode_hit.entries if e.mode), None) if mode_hit else None
    answers.give("tonic", None)
    answers.give("mode", mode, mode_hit.words if mode_hit else DEFAULT)
    if answers.options.key is not None:
        key = _parse("key", Key.parse, answers.options.key)
        answers.give("tonic", key.tonic, REQUEST)
        answers.give("mode", key.mode, REQUEST)
        if found and found.mode and Key(found.tonic, found.mode) != key:
            said = answers.words_at(found.start, found.end)
            answers.note(f"The prompt says '{said}' and the request {key}; the request wins.")
    elif found:
        said = answers.words_at(found.start, found.end)
        answers.give("tonic", found.tonic, said)
        gloomy = (answers.values["valence"] or 0.0) < GLOOMY_VALENCE
        if found.mode or (mode is None and not gloomy):
            answers.give("mode", found.mode or "major", said)
    if len({(key.tonic, key.mode) for key in answers.reading.keys}) > 1 and answers.sources["tonic"] != REQUEST:
        answers.note(f"The prompt names several keys; the track stays in '{answers.sources['tonic']}'.")
    if answers.reading.progression:
        answers.note(f"Chords cannot be dictated; '{answers.reading.progression}' was not read as a progression.")


def _parse(name: str, parse: Any, text: str) -> Any:
    try:
        return parse(text)
    except ValueError as error:
        raise InvalidOptions({name: [str(error)]}) from error


def _time_signature(answers: Answers) -> None:
    figures = answers.reading.time_signatures
    hit = next((h for h in answers.hits if not h.negated and any(e.time_signature for e in h.entries)), None)
    if answers.options.time_signature is not None:
        asked = _parse("time_signature", TimeSignature.parse, answers.options.time_signature)
        answers.give("time_signature", asked, REQUEST)
        if figures and str(asked) != figures[0].value:
            answers.note(f"The prompt says {figures[0].value} and the request {asked}; the request wins.")
    elif figures:
        nearest = nearest_time_signature(figures[0].value)
        answers.give("time_signature", nearest, answers.words_at(figures[0].start, figures[0].end))
        if str(nearest) != figures[0].value:
            answers.note(f"The time signature {figures[0].value} is not available; {nearest} is used instead.")
    else:
        signature = next((e.time_signature for e in hit.entries if e.time_signature), None) if hit else None
        answers.give("time_signature", signature, hit.words if hit else DEFAULT)


def _instruments(answers: Answers) -> None:
    wanted: dict[str, Hit] = {}
    unwanted: dict[str, Hit] = {}
    for hit in answers.hits:
        for entry in hit.entries:
            if not hit.negated:
                wanted.update({name: wanted.get(name, hit) for name in entry.instruments})
                unwanted.update({name: unwanted.get(name, hit) for name in entry.without})
            elif not entry.missing:  # "no banjo" does not ban the guitar that would play instead
                unwanted.update({name: unwanted.get(name, hit) for name in entry.instruments})
    kept = {name: hit for name, hit in wanted.items() if not _refuses(unwanted, name)}
    for name in wanted.keys() - kept.keys():
        answers.note(f"'{wanted[name].words}' is both asked for and refused; it stays out.")
    for hit in kept.values():
        _note_missing(answers, hit)
    alone = any(hit.has_role("alone") and not hit.instruments and not hit.negated for hit in answers.hits)
    ensemble = any(entry.alone for hit in kept.values() for entry in hit.entries)
    solo = bool(kept) and (alone or ensemble or all(hit.exclusive for hit in kept.values()))
    answers.give("wanted", tuple(kept), [hit.words for hit in kept.values()] or DEFAULT)
    answers.give("unwanted", tuple(unwanted), [hit.words for hit in unwanted.values()] or DEFAULT)
    answers.give("solo", solo, [hit.words for hit in kept.values()] if solo else DEFAULT)


def _refuses(unwanted: Collection[str], name: str) -> bool:
    instrument = all_instruments().get(name)
    return name in unwanted or (instrument is not None and any(instrument.answers_to(other) for other in unwanted))


def _note_missing(answers: Answers, hit: Hit) -> None:
    entry = next((entry for entry in hit.entries if entry.missing), None)
    if entry:
        titles = [all_instruments()[n].title.lower() if n in all_instruments() else n for n in entry.instruments]
        answers.note(f"There is no '{hit.words}' here; the nearest there is, {' and '.join(titles)}, plays instead.")


def _era(answers: Answers) -> None:
    figure = next(iter(answers.reading.eras), None)
    hit = next((h for h in answers.hits if not h.negated and any(e.era for e in h.entries)), None)
    if figure:
        answers.give("era", figure.value, answers.words_at(figure.start, figure.end))
    else:
        answers.give(
            "era", next((e.era for e in hit.entries if e.era), None) if hit else None, hit.words if hit else DEFAULT
        )


def _crackle(answers: Answers) -> None:
    hit = next((hit for hit in answers.hits if hit.crackles), None)
    said = any(entry.crackle for entry in hit.entries) is not hit.negated if hit else None
    answers.give("crackle", said, hit.words if hit else DEFAULT)


def _voice(answers: Answers) -> None:
    wants = [hit for hit in answers.hits if hit.has_role("voice") and not hit.negated]
    refuses = [hit for hit in answers.hits if hit.has_role("voice" if hit.negated else "instrumental")]
    if answers.options.instrumental is not None:
        answers.give("instrumental", answers.options.instrumental, REQUEST)
    elif refuses or wants:
        answers.give("instrumental", bool(refuses), [hit.words for hit in refuses or wants])
    else:
        answers.give("instrumental", None)
    if answers.options.lyrics:
        answers.note("This engine does not sing: the lyrics are left out and an instrument plays the melody.")
    elif answers.values["instrumental"] is False or (wants and not refuses):
        words = f" ('{wants[0].words}')" if wants else ""
        answers.note(f"This engine does not sing{words}: an instrument plays the melody.")


def _title(answers: Answers) -> None:
    reading = answers.reading
    if answers.options.title and answers.options.title.strip():
        answers.give("title", answers.options.title.strip(), REQUEST)
    elif reading.title and reading.title.text:
        title = reading.title.text
        answers.give("title", capitalise(title, reading.language) if title.islower() else title, title)
    else:
        title = make_title(reading.text, reading.tokens, reading.hits, reading.masked, reading.language)
        answers.give("title", title)


def _language(answers: Answers) -> None:
    if answers.options.language:
        answers.give("language", answers.options.language, REQUEST)
    else:
        answers.give("language", answers.reading.language)


def _odds_and_ends(answers: Answers) -> None:
    """Say what else was asked and is decided elsewhere or not at all."""
    for hit in answers.hits:
        for entry in hit.entries:
            if entry.note and not hit.negated:
                answers.note(entry.note)
    for name in answers.reading.imitated:
        answers.note(f"Nobody is imitated: '{name.text}' was read as a name, not as a description.")
    length = answers.reading.length_s
    if length and abs(float(length.value) - answers.options.duration) >= 1:
        said = answers.words_at(length.start, length.end)
        answers.note(f"The prompt says '{said}'; the request's duration decides, {answers.options.duration:g} seconds.")
