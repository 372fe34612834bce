"""Lines to phones to ids. The golden ids are of DiffRhythm's own text front end; the vocabulary here is what follows
from them (symbol by symbol, consistent over both sentences). Needs espeak-ng for what is marked so; made with 1.51."""

import json
import shutil
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musicgen.diffrhythm import phonemes
from musicgen.diffrhythm.phonemes import line_ids, line_phones, load_vocabulary, require_english
from musicgen.errors import EngineUnavailable, InvalidOptions

needs_espeak = pytest.mark.skipif(not shutil.which("espeak-ng"), reason="the program espeak-ng is not installed")

HELLO = "Hello, world!"
MOONLIGHT = "Moonlight spills through broken blinds"
GOLDEN_IDS = {
    HELLO: "42 58 51 24 1 49 8 51 31 4",
    MOONLIGHT: "45 14 46 51 21 30 5 38 28 7 51 39 5 36 50 14 5 29 50 24 32 58 46 5 29 51 21 46 55",
}
GOLDEN_PHONES = {
    HELLO: "h ə l oʊ , w ɜː l d !",
    MOONLIGHT: "m uː n l aɪ t _ s p ɪ l z _ θ ɹ uː _ b ɹ oʊ k ə n _ b l aɪ n dz",
}


def golden_vocabulary() -> dict[str, int]:
    """Symbol -> id as the two sentences give it, and the full stop, which is known to be 2."""
    pairs = [
        (phone, int(token))
        for line, phones in GOLDEN_PHONES.items()
        for phone, token in zip(phones.split(), GOLDEN_IDS[line].split(), strict=True)
    ]
    vocabulary = dict(pairs)
    assert all(vocabulary[phone] == token for phone, token in pairs)
    return {".": 2, **vocabulary}


def phones(line: str) -> str:
    return " ".join(line_phones([line])[0])


def written(tmp_path, table):
    path = tmp_path / "vocab.json"
    path.write_text(json.dumps(table, ensure_ascii=False), encoding="utf-8")
    return path


def test_the_golden_sentences_give_one_consistent_table():
    vocabulary = golden_vocabulary()
    assert len(set(vocabulary.values())) == len(vocabulary) == 25
    assert (vocabulary[","], vocabulary["."], vocabulary["!"], vocabulary["_"]) == (1, 2, 4, 5)


@needs_espeak
@pytest.mark.parametrize("line", GOLDEN_IDS)
def test_golden_phones_and_ids(line):
    assert phones(line) == GOLDEN_PHONES[line]
    assert line_ids([line], golden_vocabulary()) == [[int(token) for token in GOLDEN_IDS[line].split()]]


# Made with phonemizer 3.4.0 over espeak-ng 1.51 and the merges, as DiffRhythm's front end does it.
@needs_espeak
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Don't stop, I'm coming... home", "d ɑː n ' t iː _ s t ɑː p , aɪ ' ɛ m _ k ʌ m ɪ ŋ … h oʊ m"),
        ("'Cause I can't wait;", "' k ɔː z _ aɪ _ k æ n ' t iː _ w eɪ t ;"),
        ("of the end of the line", "ʌ v ð ɪ _ ɛ n d _ ʌ v ð ə _ l aɪ n"),
        ("trees dream its beds here", "tɹ iː z _ dɹ iː m _ ɪ ts _ b ɛ dz _ h ɪɹ"),
        ("a little mountain button", "ɚ _ l ɪ ɾ l _ m aʊ n t ɪ n _ b ʌ t n"),
        ("oh , my : god", "oʊ , m aɪ : ɡ ɑː d"),
    ],
)
def test_phones_as_the_network_has_learned_them(line, expected):
    assert phones(line) == expected


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("t_ɹ_ˈiː", "tɹ iː"),
        ("d_ɹ_ˈɪ_ɹ d_z", "dɹ ɪɹ _ dz"),
        ("t_s_t_s", "ts ts"),
        ("t t_ɹ", "t _ tɹ"),
        ("t ɹ", "t _ ɹ"),
        ("f_ˈoː_ɹ", "f oːɹ"),
        ("ɐ ᵻ əl x ɬ ʔ n̩", "ɚ _ ɪ _ l _ k _ l _ t _ n"),
        ("l_ˌɛ_ɾ_ɚ__ ð_ə__", "l ɛ ɾ ɚ _ ð ə"),
        ("(fr)ʃ_ˈa_(en) __ k", "ʃ a _ k"),
        ("", ""),
    ],
)
def test_an_answer_of_espeak_is_merged_within_words(answer, expected):
    assert " ".join(phonemes._read_answer(answer)) == expected


@needs_espeak
def test_lines_stay_apart_in_one_process(monkeypatch):
    lines = ["one, two", "", "three. four!", "♪", "one, two", "really; truly: yes", "?!"]
    runs = []
    ask = phonemes._ask_espeak
    monkeypatch.setattr(phonemes, "_ask_espeak", lambda *args: runs.append(args) or ask(*args))
    together = line_phones(lines)
    assert len(runs) == 1
    assert together == [line_phones([line])[0] for line in lines]
    assert [bool(line) for line in together] == [True, False, True, False, True, True, False]


@needs_espeak
@settings(max_examples=10, deadline=None)
@given(st.lists(st.text(alphabet="aeinorst '.,!\t\x00-é9", max_size=30), max_size=6))
def test_no_text_loses_or_merges_lines(lines):
    together = line_phones(lines)
    assert together == [line_phones([line])[0] for line in lines]


@needs_espeak
@pytest.mark.parametrize("line", ["love " * 400, "a" * 3000, "x " * 500, "é" * 900, "1234567 " * 100])
def test_very_long_lines_are_read_whole(line):
    found = line_phones([line, "end"])
    assert found[1] == ("ɛ", "n", "d")
    if line.startswith("love"):
        assert found[0].count("v") == 400 and found[0].count("_") == 399


def test_an_espeak_that_breaks_lines_otherwise_is_asked_piece_by_piece(monkeypatch):
    def ask(program, pieces):
        return ["w_ʌ_n", "t_uː"] if len(pieces) == 1 else ["w_ʌ_n"]

    monkeypatch.setattr(phonemes, "find_espeak", lambda: "espeak-ng")
    monkeypatch.setattr(phonemes, "_ask_espeak", ask)
    assert line_phones(["a", "b"]) == [("w", "ʌ", "n", "_", "t", "uː")] * 2


def test_symbols_that_the_vocabulary_lacks_are_left_out(monkeypatch):
    monkeypatch.setattr(phonemes, "find_espeak", lambda: "espeak-ng")
    monkeypatch.setattr(phonemes, "_ask_espeak", lambda program, pieces: ["h_ə_ʘ_l_oʊ"] * len(pieces))
    assert line_ids(["hello; hello."], golden_vocabulary()) == [[42, 58, 51, 24, 42, 58, 51, 24, 2]]


def test_lines_without_words_need_no_espeak(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert line_phones([]) == []
    assert line_phones(["", "♪", "?!"]) == [(), (), ()]


def test_without_espeak_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(EngineUnavailable, match=r"apt-get install espeak-ng.*brew install espeak-ng.*winget"):
        line_phones(["hello"])


@pytest.mark.parametrize(
    "failure",
    [OSError("no"), subprocess.TimeoutExpired("espeak-ng", 60), subprocess.CalledProcessError(1, "/usr/bin/espeak-ng")],
)
def test_a_failing_espeak_is_told_without_paths(monkeypatch, failure):
    def run(*args, **kwargs):
        raise failure

    monkeypatch.setattr(phonemes, "find_espeak", lambda: "/usr/bin/espeak-ng")
    monkeypatch.setattr(subprocess, "run", run)
    with pytest.raises(EngineUnavailable, match="did not transcribe") as caught:
        line_phones(["hello"])
    assert "/usr" not in str(caught.value)


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("月光洒落", "Chinese characters: Chinese needs a pronouncing lexicon"),
        ("I love 你", "Chinese characters"),
        ("さくら", "Japanese"),
        ("안녕", "Korean"),
        ("Привет", "Cyrillic letters"),
        ("مرحبا", "Arabic letters"),
    ],
)
def test_other_languages_are_refused_by_name(line, named):
    with pytest.raises(InvalidOptions, match=f'"{line}".*{named}') as caught:
        line_phones(["hello", line])
    assert "Write it in English" in caught.value.errors["lyrics"][0]


def test_many_refused_lines_make_a_short_message():
    with pytest.raises(InvalidOptions) as caught:
        require_english(["月" * count for count in range(50, 60)] + ["月" * 50])
    errors = caught.value.errors["lyrics"]
    assert len(errors) == 4 and errors[-1] == "So it is with 7 more." and "月" * 40 + '…"' in errors[0]


def test_latin_letters_of_any_kind_are_taken():
    require_english(["café naïve Æther straße ﬁre ｈｅｙ don’t ♪ 5 ½ ʻokina", ""])


@pytest.mark.parametrize("wrap", [lambda table: table, lambda table: {"vocab": table}])
def test_a_vocabulary_is_read_flat_or_wrapped(tmp_path, wrap):
    table = {",": 0, ".": 1, "\u00e7": 68, "c\u0327": 323}
    assert load_vocabulary(written(tmp_path, wrap(table))) == {",": 1, ".": 2, "\u00e7": 69, "c\u0327": 324}


@pytest.mark.parametrize(
    "table",
    [
        [],
        {},
        {"vocab": {}},
        {",": 0},
        {",": 1, ".": 0},
        {",": 0, ".": 1, "a": 1},
        {",": 0, ".": 1, "a": 363},
        {",": 0, ".": 1, "a": -1},
        {",": 0, ".": 1, "a": "2"},
        {",": 0, ".": True},
    ],
)
def test_another_file_is_no_vocabulary(tmp_path, table):
    with pytest.raises(EngineUnavailable, match="not its vocabulary"):
        load_vocabulary(written(tmp_path, table))


def test_an_unreadable_vocabulary_is_told(tmp_path):
    with pytest.raises(EngineUnavailable, match="cannot be read"):
        load_vocabulary(tmp_path / "vocab.json")
    (tmp_path / "vocab.json").write_bytes(b"\xff{")
    with pytest.raises(EngineUnavailable, match="cannot be read"):
        load_vocabulary(tmp_path / "vocab.json")


def test_the_lyrics_path_imports_neither_torch_nor_flask():
    code = (
        "import sys, musicgen.diffrhythm.lyrics; "
        "print([name for name in ('torch', 'flask', 'sqlalchemy', 'musicgen.web') if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
