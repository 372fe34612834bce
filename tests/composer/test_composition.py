"""Whole compositions: the music theory that a listener hears, on every style, in many metres and lengths."""

import itertools
from collections import Counter
from dataclasses import replace
from functools import cache
from statistics import mean

import pytest

from musicgen.composer.arrangement import arrange
from musicgen.composer.checkpoint import asking
from musicgen.composer.composition import Composition, compose, describe
from musicgen.composer.instruments import all_instruments
from musicgen.composer.score import DRUM_BANK
from musicgen.composer.section import Section
from musicgen.composer.style_file import all_styles
from musicgen.options import GenerationOptions


def composed(prompt: str, duration: float = 30.0, seed: int = 1, **asked: object) -> Composition:
    return compose(GenerationOptions(prompt=prompt, duration=duration, seed=seed, **asked))  # type: ignore[arg-type]


@cache
def piece(style: str, duration: float = 60.0, seed: int = 1) -> Composition:
    """Compose a piece that several tests look at, as nobody can change it."""
    return composed(style.replace("_", " "), duration, seed)


STYLES = sorted(all_styles())
METRES = ("3/4", "5/4", "6/8", "7/8")


def assert_playable(composition: Composition) -> None:
    """Every note lies within the piece, and its instrument has it."""
    score = composition.score
    total = score.duration_s * score.tempo / 60
    for part, chair in ((p, i) for p in score.parts for i in all_instruments().values() if i.title == p.name):
        assert (part.bank, part.program) == (chair.bank, chair.program)
        for note in part.notes:
            assert 0 <= note.onset < total
            assert note.duration > 0
            assert 1 <= note.velocity <= 127
            assert chair.lowest <= note.pitch <= chair.highest, (part.name, part.role, note)
        assert list(part.notes) == sorted(part.notes, key=lambda n: (n.onset, n.pitch))


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize(("duration", "seed"), [(5.0, 1), (60.0, 1), (120.0, 2)])
def test_notes_lie_within_the_piece_and_the_instruments(style: str, duration: float, seed: int) -> None:
    assert_playable(piece(style, duration, seed))


@pytest.mark.parametrize("style", ["techno", "rock", "cinematic"])
def test_notes_of_the_longest_pieces_do_so_too(style: str) -> None:
    assert_playable(composed(style, 300))


@pytest.mark.parametrize(
    "prompt",
    ["country with shamisen", "punk with ukulele", "funk with tuba", "trance with glockenspiel", "metal with banjo"],
)
def test_notes_lie_within_instruments_that_the_style_does_not_expect(prompt: str) -> None:
    for seed in range(2):
        assert_playable(composed(prompt, 40, seed))


@pytest.mark.slow
@pytest.mark.parametrize("style", STYLES)
def test_no_seed_and_no_instrument_leaves_its_range(style: str) -> None:
    others = itertools.cycle(name.replace("_", " ") for name in sorted(all_instruments()))
    for seed in range(40):
        named = f" with {next(others)}" if seed % 2 else ""
        assert_playable(composed(f"{style.replace('_', ' ')}{named}", (47, 120, 285)[seed % 3], seed))


def assert_plays_in(style: str, time_signature: str) -> None:
    composition = composed(style.replace("_", " "), 20, time_signature=time_signature)
    assert str(composition.score.time_signature) == time_signature
    assert sum(len(part.notes) for part in composition.score.parts) > 10


@pytest.mark.parametrize(
    ("style", "time_signature"), [(style, METRES[(i + j) % 4]) for i, style in enumerate(STYLES) for j in (0, 1)]
)
def test_every_style_plays_in_other_metres(style: str, time_signature: str) -> None:
    assert_plays_in(style, time_signature)


@pytest.mark.slow
@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("time_signature", ["2/4", "9/8", "12/8", *METRES])
def test_every_style_plays_in_every_metre(style: str, time_signature: str) -> None:
    assert_plays_in(style, time_signature)


@pytest.mark.parametrize("style", STYLES)
def test_chords_follow_one_another_without_gaps_to_the_end(style: str) -> None:
    composition = piece(style)
    chords = composition.sheet.chords
    assert chords[0].onset == 0
    for before, after in itertools.pairwise(chords):
        assert before.end == pytest.approx(after.onset)
    assert chords[-1].end == pytest.approx(60 * composition.plan.tempo / 60)
    assert chords[-1].chord.offset == 0


def assert_melodious(compositions: list[Composition], least_in_chord: float, most_in_chord: float) -> None:
    """Songs have 0.72 to 0.76 of their on-beat notes in the chord, 0.93 to 0.99 diatonic, and span about an octave."""
    in_chord, diatonic, spans = [], [], []
    for composition in compositions:
        key, sheet = composition.plan.key, composition.sheet
        on_beat = [n for n in sheet.melody if n.onset % 1 == 0]
        in_chord += [n.pitch % 12 in sheet.chord_at(n.onset).pitch_classes for n in on_beat]
        diatonic += [n.pitch % 12 in key.scale for n in sheet.melody]
        pitches = [n.pitch for n in sheet.melody]
        spans.append(max(pitches) - min(pitches))
    assert least_in_chord <= mean(in_chord) <= most_in_chord
    assert mean(diatonic) >= 0.8
    assert 7 <= mean(spans) <= 22


@pytest.mark.parametrize("style", STYLES)
def test_melodies_have_the_figures_of_songs(style: str) -> None:
    assert_melodious([piece(style, *made) for made in ((60.0, 1), (120.0, 2), (40.0, 3))], 0.6, 0.95)


def test_melodies_of_all_styles_together_have_them_too() -> None:
    assert_melodious([piece(style, *made) for style in STYLES for made in ((60.0, 1), (120.0, 2))], 0.72, 0.86)


@pytest.mark.slow
@pytest.mark.parametrize("style", STYLES)
def test_melodies_of_many_seeds_have_the_figures_of_songs(style: str) -> None:
    assert_melodious([composed(style.replace("_", " "), 60, seed) for seed in range(20)], 0.66, 0.95)


@pytest.mark.parametrize("style", STYLES)
def test_the_melody_ends_at_home(style: str) -> None:
    composition = piece(style)
    last = composition.sheet.melody[-1]
    if composition.plan.sections[-1].melody:
        assert last.onset == pytest.approx(composition.plan.ending)
        assert last.pitch % 12 in composition.sheet.chords[-1].pitch_classes[:2]


def test_who_would_play_a_melody_of_rests_is_silent() -> None:
    composition = piece("lofi")
    assert composition.plan.sections[-1].melody
    score = arrange(composition.plan, replace(composition.sheet, melody=()), "1")
    assert {part.role for part in score.parts} == {part.role for part in composition.score.parts} - {"melody"}


def rendered(composition: Composition, section: Section) -> Counter[tuple[object, ...]]:
    """Every note of a section by player, place and pitch; places are sixteenths from its beginning."""
    bar = composition.plan.time_signature.bar_quarters
    start, end = section.first_bar * bar, (section.first_bar + section.bars) * bar
    return Counter(
        (part.name, part.role, round((note.onset - start) * 4), note.pitch)
        for part in composition.score.parts
        for note in part.notes
        if start - 0.12 <= note.onset < end - 0.12
    )


@pytest.mark.parametrize("style", ["pop", "jazz", "house", "blues", "cinematic", "reggae", "metal", "gospel"])
def test_sections_come_back_varied_and_recognisable(style: str) -> None:
    composition = composed(style, 150, seed=2)
    sections = composition.plan.sections
    for name in {section.name for section in sections}:
        for before, after in itertools.pairwise(s for s in sections if s.name == name):
            assert rendered(composition, before) != rendered(composition, after), (before, after)
    sung = [s for s in sections if s.melody and s.lift == 0 and s.from_bar == 0]
    bar = composition.plan.time_signature.bar_quarters
    for before, after in itertools.pairwise(sorted(sung, key=lambda s: s.material)):
        if before.material == after.material:
            places = [
                {n.onset - s.first_bar * bar for n in composition.sheet.melody
                 if s.first_bar <= n.onset / bar < s.first_bar + min(before.bars, after.bars) - 1}
                for s in (before, after)
            ]  # fmt: skip
            assert len(places[0] & places[1]) / min(map(len, places)) >= 0.6, "the rhythm of the melody stays"


@pytest.mark.parametrize("style", STYLES)
def test_no_section_is_silent_and_none_sounds_three_times_in_a_row(style: str) -> None:
    composition = piece(style, 120.0, 2)
    heard = [rendered(composition, section) for section in composition.plan.sections]
    assert all(heard)
    for one, two, three in zip(heard, heard[1:], heard[2:], strict=False):
        assert not (one == two == three)


def test_one_string_plays_one_note_at_a_time() -> None:
    for part in composed("rock song", 60).score.parts:
        if part.role in ("melody", "bass"):
            for before, after in itertools.pairwise(part.notes):
                assert before.onset + before.duration <= after.onset + 0.3


def test_equal_options_give_equal_scores_and_other_seeds_and_prompts_others() -> None:
    one = composed("lofi hip hop, rainy night", seed=7).score
    assert composed("lofi hip hop, rainy night", seed=7).score == one
    assert composed("lofi hip hop, rainy night", seed=8).score.parts != one.parts
    assert composed("lofi hip hop, sunny day", seed=7).score.parts != one.parts


def test_swing_moves_the_off_beats() -> None:
    ride = next(p for p in composed("jazz swing", 40).score.parts if p.bank == DRUM_BANK)
    places = [note.onset % 1 for note in ride.notes if note.pitch == 51]
    assert any(0.58 < place < 0.72 for place in places)
    assert not any(0.45 < place < 0.55 for place in places)


def test_the_description_is_json_and_names_sections_chords_and_band() -> None:
    import json

    told = json.loads(json.dumps(describe(composed("waltz in D major", 30))))
    assert told["style"] == "waltz"
    assert told["sections"][0]["start_s"] == 0
    assert told["chords"][-1]["chord_symbol"].startswith("D")
    assert {"name", "role"} == set(told["instruments"][0])


def test_composing_can_be_given_up_on_the_way() -> None:
    class Unwanted(Exception):
        pass

    n_asked = 0

    def question() -> None:
        nonlocal n_asked
        n_asked += 1
        if n_asked > 5:
            raise Unwanted

    with pytest.raises(Unwanted), asking(question):
        compose(GenerationOptions("pop song, full band", duration=60, seed=1))
    assert n_asked == 6
    compose(GenerationOptions("pop song, full band", duration=10, seed=1))
    assert n_asked == 6
