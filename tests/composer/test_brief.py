"""The brief, prompt by prompt: `prompts.toml` holds what must be understood, in ten languages."""

import json
import time
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musicgen.composer.brief import Brief, understand
from musicgen.composer.lexicon import instrument_names
from musicgen.errors import InvalidOptions
from musicgen.notation import MODES, Key
from musicgen.options import MAX_TEMPO, MIN_TEMPO, GenerationOptions

# The words by which styles are named; the real ones stand in the styles' own files.
STYLE_WORDS = {
    name: words.split(", ")
    for name, words in {
        "pop": "pop, pop song, k-pop, indie pop, dance pop, kpop, ポップ, 流行, 팝, поп",
        "rock": "rock, indie rock, punk, hard rock, rock and roll, ロック, 摇滚, 록, рок",
        "blues": "blues, delta blues, slow blues, ブルース, 布鲁斯, 블루스, блюз",
        "jazz": "jazz, swing, bebop, jazz trio, ジャズ, 爵士, 재즈, джаз",
        "bossa_nova": "bossa nova, bossa, ボサノバ, 보사노바",
        "funk": "funk, funky, ファンク, 펑크, фанк",
        "house": "house, deep house, house music, ハウス, 하우스",
        "techno": "techno, minimal techno, テクノ, 테크노, техно",
        "drum_and_bass": "drum and bass, dnb, drum'n'bass",
        "hip_hop": "hip hop, trap, trap beat, ヒップホップ, 嘻哈, 힙합, хип-хоп",
        "lofi": "lofi, lo-fi, lofi beats, lo-fi hip-hop, ローファイ, 로파이",
        "synthwave": "synthwave, retrowave",
        "ambient": "ambient, dark ambient, アンビエント, 氛围音乐, 앰비언트, эмбиент",
        "cinematic": "cinematic, orchestral, epic, orchestra, filmmusik",
        "classical_piano": "classical, solo piano, piano sonata, クラシック, 클래식",
        "folk": "folk, folk tune, campfire, フォーク, 民谣, 포크",
        "country": "country, bluegrass, カントリー",
        "reggae": "reggae, ska, dub, レゲエ",
        "waltz": "waltz, vals, valse, walzer, valsa, valzer, ワルツ, 圆舞曲, 왈츠, вальс",
        "chiptune": "chiptune, 8-bit",
        "latin": "latin, salsa, samba, cumbia",
        "soul": "soul, r&b",
        "metal": "metal, heavy metal, death metal, メタル, 金属",
        "disco": "disco, ディスコ",
    }.items()
}
PROMPTS = tomllib.loads(Path(__file__).with_name("prompts.toml").read_text(encoding="utf-8"))
CASES = [(prompt, expected) for group in PROMPTS.values() for prompt, expected in group.items()]
LOW_VALENCE, HIGH_VALENCE = -0.1, 0.1
LOW_AROUSAL, HIGH_AROUSAL = 0.42, 0.6


def brief_of(prompt: str, **options: Any) -> Brief:
    return understand(GenerationOptions(prompt, **options), STYLE_WORDS)


def level(value: float | None, low: float, high: float) -> str:
    if value is None:
        return "middle"
    return "low" if value <= low else "high" if value >= high else "middle"


def is_level(value: float | None, low: float, high: float, wanted: str) -> bool:
    found = level(value, low, high)
    return found != wanted.removeprefix("not ") if wanted.startswith("not ") else found == wanted


def tempo_range(brief: Brief) -> tuple[float, float]:
    return brief.tempo_range or (brief.tempo or 0.0, brief.tempo or 0.0)


CHECKS = {
    "key": lambda brief, key: (brief.tonic, brief.mode) == (Key.parse(key).tonic, Key.parse(key).mode),
    "time_signature": lambda brief, signature: str(brief.time_signature) == signature,
    "valence": lambda brief, wanted: is_level(brief.valence, LOW_VALENCE, HIGH_VALENCE, wanted),
    "arousal": lambda brief, wanted: is_level(brief.arousal, LOW_AROUSAL, HIGH_AROUSAL, wanted),
    "tempo_within": lambda brief, limits: limits[0] <= tempo_range(brief)[0] <= tempo_range(brief)[1] <= limits[1],
    "tempo_range": lambda brief, limits: list(brief.tempo_range or ()) == limits,
    "wants": lambda brief, names: set(names) <= set(brief.wanted),
    "not_wants": lambda brief, names: set(names).isdisjoint(brief.wanted),
    "refuses": lambda brief, names: set(names) <= set(brief.unwanted),
    "not_style": lambda brief, style: brief.style != style,
    "note": lambda brief, words: any(words in note for note in brief.notes),
    "leaves_open": lambda brief, fields: all(getattr(brief, field) is None for field in fields),
}


@pytest.mark.parametrize(("prompt", "expected"), CASES, ids=[prompt for prompt, _ in CASES])
def test_prompt_is_understood(prompt: str, expected: dict[str, Any]) -> None:
    brief = brief_of(prompt)
    for field, wanted in expected.items():
        check = CHECKS.get(field, lambda brief, value, field=field: getattr(brief, field) == value)
        assert check(brief, wanted), f"{field}: {wanted!r} expected of {brief}"


def test_every_language_of_the_lexicon_is_covered() -> None:
    assert set(PROMPTS) == {"en", "es", "fr", "de", "pt", "it", "ja", "zh", "ko", "ru"}
    assert len(CASES) >= 120


def test_request_fields_win_over_the_prompt() -> None:
    brief = brief_of(
        'sad waltz called "Dusk" in C major at 90 bpm with vocals',
        tempo=132.5,
        key="F# dorian",
        time_signature="5/4",
        instrumental=True,
        title="  Dawn ",
        language="pt-BR",
    )
    assert (brief.tempo, brief.tonic, brief.mode) == (132.5, 6, "dorian")
    assert (str(brief.time_signature), brief.instrumental, brief.title, brief.language) == (
        "5/4",
        True,
        "Dawn",
        "pt-BR",
    )
    fields = ("tempo", "tonic", "mode", "time_signature", "instrumental", "title", "language")
    assert {brief.sources[field] for field in fields} == {"request"}
    assert any("132.5 BPM; the request wins" in note for note in brief.notes)


def test_sources_name_the_words_that_decided() -> None:
    brief = brief_of("Very Gloomy techno at 132 BPM in Ré mineur with a Grand Piano, no drums")
    assert brief.sources["tempo"] == "132 BPM"
    assert brief.sources["valence"] == "Gloomy"
    assert brief.sources["tonic"] == "Ré mineur"
    assert brief.sources["style"] == "techno"
    assert brief.sources["wanted"] == "Grand Piano"
    assert brief.sources["unwanted"] == "drums"
    assert brief.sources["era"] == "default"


def test_strength_words_bend_moods_and_tempos() -> None:
    faint, plain, strong = (brief_of(f"{word} sad and slow") for word in ("slightly", "", "extremely"))
    assert faint.valence > plain.valence > strong.valence
    slower, slow = brief_of("very slow").tempo_range, brief_of("slow").tempo_range
    assert slower[0] < slow[0] and slower[1] < slow[1]
    assert brief_of("less energetic").arousal < 0.5 < brief_of("energetic").arousal


def test_scene_suggests_a_style_only_where_none_is_named() -> None:
    suggested = brief_of("a rainy night")
    assert suggested.style == suggested.suggested_styles[0] == "lofi"
    named = brief_of("metal for a rainy night")
    assert (named.style, named.suggested_styles) == ("metal", ())
    assert brief_of("rainy night, no lofi").style != "lofi"


def test_styles_that_do_not_exist_are_not_suggested() -> None:
    brief = understand(GenerationOptions("a rainy night"), {"jazz": ["jazz"]})
    assert brief.suggested_styles == ("jazz",)


def test_second_style_is_kept() -> None:
    brief = brief_of("techno with a touch of jazz")
    assert (brief.style, brief.other_styles) == ("techno", ("jazz",))


def test_refused_wins_over_wanted_and_is_said() -> None:
    brief = brief_of("acoustic guitar and piano, no guitar")
    assert (brief.wanted, brief.unwanted) == (("piano",), ("guitar",))
    assert any("both asked for and refused" in note for note in brief.notes)


def test_voices_are_noted() -> None:
    assert brief_of("pop with female vocals").instrumental is False
    assert any("does not sing" in note for note in brief_of("pop", lyrics="la la la").notes)
    assert brief_of("pop without vocals").instrumental is True
    assert not brief_of("pop without vocals").notes


@pytest.mark.parametrize(
    ("prompt", "title"),
    [
        ("a song called summer of love with guitar", "Summer of Love"),
        ('"Blue Monday" with slow piano', "Blue Monday"),
        ("rock song with a guitar solo", "Rock Song with a Guitar Solo"),
        ("dark techno at 130 bpm", "Dark Techno"),
        ("SAD SONG ABOUT THE MOON!!!", "Moon"),
        ("悲しいピアノの曲、雨の夜", "雨の夜"),
        ("슬픈 피아노 발라드", "슬픈 피아노 발라드"),
        ("?", "Untitled"),
        ("a" * 2000, "Untitled"),
    ],
)
def test_titles(prompt: str, title: str) -> None:
    assert brief_of(prompt).title == title


def test_bad_key_of_the_request_is_named() -> None:
    with pytest.raises(InvalidOptions, match="H sharp") as failure:
        brief_of("pop", key="H sharp")
    assert set(failure.value.errors) == {"key"}


def test_brief_becomes_json() -> None:
    record = brief_of("bossa nova in Bb major, 3/4, between 90 and 100 bpm, no drums").to_json()
    assert json.loads(json.dumps(record)) == record
    assert (record["key"], record["time_signature"], record["tempo_range"]) == ("Bb major", "3/4", [90.0, 100.0])
    assert "prompt" not in record


def check_sanity(brief: Brief) -> None:
    """Every field within its limits."""
    low, high = tempo_range(brief)
    assert (low, high) == (0, 0) or MIN_TEMPO <= low <= high <= MAX_TEMPO
    assert brief.valence is None or -1 <= brief.valence <= 1
    assert brief.arousal is None or 0 <= brief.arousal <= 1
    assert brief.mode is None or brief.mode in MODES
    assert {*brief.wanted, *brief.unwanted} <= instrument_names()
    assert not set(brief.wanted) & set(brief.unwanted)
    assert brief.style is None or brief.style in STYLE_WORDS
    assert 0 < len(brief.title) <= 80
    assert set(brief.sources) == set(Brief.__dataclass_fields__) - {"prompt", "sources", "notes"}
    json.dumps(brief.to_json())


MUSIC_WORDS = sorted({word for prompt, _ in CASES for word in prompt.split()})


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.text(max_size=300), st.lists(st.sampled_from(MUSIC_WORDS), max_size=40).map(" ".join)))
def test_any_text_gives_a_sane_brief(prompt: str) -> None:
    check_sanity(brief_of(prompt))
    assert brief_of(prompt) == brief_of(prompt)


HOSTILE_UNITS = (
    *("a", " ", "1", "1.", "no ", "solo ", "only ", "80 bpm ", "in A minor ", "A B C ", '"a ', "called ", "drums and "),
    *(
        "sounds like A B C ",
        "without drums, ",
        "very ",
        "4/4",
        "悲",
        "만",
        "e\u0301\u0301",
        "😢",
        "I-V-",
        "\n",
        "x'",
        "ﷺ",
    ),
)


@pytest.mark.parametrize("unit", HOSTILE_UNITS)
def test_hostile_prompts_take_no_longer_than_others(unit: str) -> None:
    prompt = (unit * 2000)[:2000]
    brief_of(prompt)
    start = time.process_time()
    check_sanity(brief_of(prompt))
    assert time.process_time() - start < 0.5
