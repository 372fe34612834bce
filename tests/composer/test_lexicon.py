"""The lexicon's files: what they may hold, and how a bad one is refused."""

import tomllib
from pathlib import Path

import pytest

from musicgen.composer.instruments import all_instruments
from musicgen.composer.lexicon import LEXICON_DIR, Entry, InvalidLexicon, Word, load_lexicon, read_lexicon
from musicgen.composer.prompt.phrases import PhraseIndex
from musicgen.composer.prompt.text import PromptText, fold, tokenise

LANGUAGES = {"en", "es", "fr", "de", "pt", "it", "ja", "zh", "ko", "ru"}
# Instruments that everybody calls by their English names.
ENGLISH_ONLY = {"fm_piano", "tr808"}
STYLES = {
    *(
        "pop",
        "rock",
        "blues",
        "jazz",
        "bossa_nova",
        "funk",
        "house",
        "techno",
        "drum_and_bass",
        "hip_hop",
        "lofi",
        "soul",
    ),
    *(
        "synthwave",
        "ambient",
        "cinematic",
        "classical_piano",
        "folk",
        "country",
        "reggae",
        "waltz",
        "chiptune",
        "latin",
    ),
    *("metal", "disco", "trance", "trap"),
}


def look_up(lexicon: PhraseIndex[Word], text: str) -> list[Entry]:
    return [word.entry for match in lexicon.find(tokenise(fold(text))) for word in match.found]


def written(folder: Path, text: str) -> Path:
    (folder / "mine.toml").write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    "text",
    ["Sad*, blue!, heavy-hearted", "  Trübsinnig  \t Ärger ", "n roll", "ｆｕｌｌ ﬁeld", "悲しい 曲\n　x", "-\u200b -"],
)
def test_phrases_fold_as_prompts_do(text: str) -> None:
    assert fold(text) == PromptText.read(text).folded.strip()


def test_every_suggested_style_is_one_of_ours() -> None:
    tables = [tomllib.loads(path.read_text(encoding="utf-8")) for path in LEXICON_DIR.glob("*.toml")]
    entries = [entry for table in tables for entry in table.values() if isinstance(entry, dict)]
    assert len(entries) > 150
    assert {style for entry in entries for style in entry.get("styles", ())} <= STYLES


def test_musician_adds_a_file(tmp_path: Path) -> None:
    figures = 'valence = -0.2\ntempo = [60, 80]\ninstruments = ["pad"]'
    text = f'[sea_fog]\n{figures}\nen = "sea fog, Fogbound*"\nnl = "zeemist"\n'
    lexicon = load_lexicon(written(tmp_path, text))
    for words in ("a SEA FOG rolls in", "fogbounding", "dikke zeemist"):
        (entry,) = look_up(lexicon, words)
        assert (entry.name, entry.valence, entry.tempo, entry.instruments) == ("sea_fog", -0.2, (60, 80), ("pad",))
    assert look_up(lexicon, "fog on the sea") == []


def test_plurals_are_found_at_the_end_of_a_phrase_only(tmp_path: Path) -> None:
    lexicon = load_lexicon(written(tmp_path, '[kit]\nen = "drum machine, lullaby"\n'))
    assert look_up(lexicon, "drum machines") and look_up(lexicon, "lullabies")
    assert not look_up(lexicon, "drums machine")


def test_cjk_phrases_are_found_inside_a_line(tmp_path: Path) -> None:
    lexicon = load_lexicon(written(tmp_path, '[rain]\nja = "雨の夜"\n'))
    assert [entry.name for entry in look_up(lexicon, "静かな雨の夜に")] == ["rain"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('[sad]\nvalence = -3\nen = "sad"', r"mine\.toml: sad\.valence = -3 is wrong: a number from -1 to 1 is needed"),
        ('[sad]\nvalence = "low"\nen = "sad"', r"sad\.valence = 'low' is wrong"),
        ('[sad]\nvalence = true\nen = "sad"', r"sad\.valence = True is wrong"),
        ('[sad]\nvallence = -1\nen = "sad"', r"sad\.vallence is unknown; use one of alone, arousal, "),
        ("[sad]\nvalence = -1", r"sad\.en is missing"),
        ('[sad]\nen = "sad,, blue"', r"sad\.en = 'sad,, blue' is not a text of words"),
        ('[sad]\nen = "sad, -"', r"sad\.en = 'sad, -' is not a text of words"),
        ("[sad]\nen = 3", r"sad\.en = 3 is not a text of words"),
        ('[slow]\ntempo = [80, 50]\nen = "slow"', r"slow\.tempo = \[80, 50\] is wrong: the lower tempo comes first"),
        ('[slow]\ntempo = 80\nen = "slow"', r"slow\.tempo = 80 is wrong"),
        ('[erhu]\ninstruments = ["erhu"]\nen = "erhu"', r"erhu\.instruments = \['erhu'\] is wrong: one of "),
        ('[odd]\nmode = "sad"\nen = "odd"', r"odd\.mode = 'sad' is wrong: one of "),
        ('[odd]\ntime_signature = "7/9"\nen = "odd"', r"odd\.time_signature = '7/9' is wrong"),
        ('[no]\nrole = "refuse"\nen = "no"', r"no\.role = 'refuse' is wrong: one of "),
        ('[no]\nmissing = 1\nen = "no"', r"no\.missing = 1 is wrong"),
        ("[sad\n", r"mine\.toml: "),
        ('sad = "sad"', r"mine\.toml: sad is no table"),
    ],
)
def test_bad_file_is_refused_by_name_key_and_reason(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(InvalidLexicon, match=reason):
        load_lexicon(written(tmp_path, text))


def test_instruments_have_words_in_every_language() -> None:
    languages: dict[str, set[str]] = {}
    for _, word in read_lexicon():
        if len(word.entry.instruments) == 1 and not word.entry.missing:
            languages.setdefault(word.entry.instruments[0], set()).add(word.language)
    for name, instrument in all_instruments().items():
        if instrument.voice is None:
            assert "en" in languages.get(name, set()), name
            if instrument.family not in ("synth", "pad", "bass"):
                assert languages[name] >= LANGUAGES or name in ENGLISH_ONLY, (name, LANGUAGES - languages[name])


def test_no_phrase_names_two_instruments_that_are_not_asked_for_together() -> None:
    named: dict[tuple[str, str], set[tuple[str, ...]]] = {}
    for phrase, word in read_lexicon():
        if word.entry.instruments and not word.strict and word.entry.role is None:
            named.setdefault((phrase, word.language), set()).add(word.entry.instruments)
    assert {key: found for key, found in named.items() if len(found) > 1} == {}
