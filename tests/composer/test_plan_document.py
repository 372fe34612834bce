"""The plan as a document: read back without a difference, its changes heard, its mistakes named by their place."""

import json
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from musicgen.composer.composition import Composition, compose, describe
from musicgen.composer.plan_document import write_document
from musicgen.composer.score import KeyChange
from musicgen.composer.style_file import all_styles
from musicgen.errors import InvalidOptions
from musicgen.notation import Key
from musicgen.options import GenerationOptions

OPTIONS = GenerationOptions("pop song", duration=40.0, seed=3, tempo=120.0, key="C major")
STYLES = sorted(all_styles())


@cache
def planned_anew(options: GenerationOptions) -> Composition:
    """Compose without a plan; several tests look at the same piece, as nobody can change it."""
    return compose(options)


def document_of(options: GenerationOptions = OPTIONS) -> dict[str, Any]:
    """Plan, and send the plan through JSON as a client does."""
    composition = planned_anew(options) if options.plan is None else compose(options)
    document: dict[str, Any] = json.loads(json.dumps(write_document(composition.plan, composition.progression)))
    return document


def followed(document: dict[str, Any], options: GenerationOptions = OPTIONS) -> Composition:
    return compose(replace(options, plan=document))


def mistakes(document: dict[str, Any]) -> dict[str, list[str]]:
    with pytest.raises(InvalidOptions) as caught:
        followed(document)
    return caught.value.errors


@pytest.mark.parametrize(
    ("style", "duration", "time_signature"),
    [
        *((style, 5.0, None) for style in STYLES),
        *((style, 33.3, "7/8") for style in STYLES),
        *(
            pytest.param(style, 120.0, None, marks=() if i % 4 == 1 else pytest.mark.slow)
            for i, style in enumerate(STYLES)
        ),
    ],
)
def test_an_unchanged_plan_makes_the_same_score(style: str, duration: float, time_signature: str | None) -> None:
    prompt = f"{style.replace('_', ' ')} with a flute"
    options = GenerationOptions(prompt, duration=duration, seed=5, time_signature=time_signature)
    document = document_of(options)
    again = followed(document, options)
    assert again == planned_anew(options)
    assert write_document(again.plan, again.progression) == document


def test_an_empty_plan_is_planned_anew() -> None:
    assert followed({}) == planned_anew(OPTIONS)


def test_a_changed_chord_is_played_and_the_other_bars_stay() -> None:
    document = document_of()
    section, bar = document["sections"][1], 2
    section["chords"][bar] = "Abmaj7 G7"
    composition = followed(document)
    start = (document["sections"][0]["bars"] + bar) * 4.0
    key = Key(0, "major")
    sounding = [(c.onset, c.chord.symbol(key)) for c in composition.sheet.chords if start <= c.onset < start + 4]
    assert sounding == [(start, "Abmaj7"), (start + 2, "G7")]
    bass = next(part for part in composition.score.parts if part.role == "bass")
    assert {n.pitch % 12 for n in bass.notes if start <= n.onset < start + 1.5} & {8, 3, 0}
    before = planned_anew(OPTIONS).sheet
    assert [c for c in composition.sheet.chords if c.onset < start] == [c for c in before.chords if c.onset < start]


def test_the_melody_follows_a_chord_that_only_one_section_has() -> None:
    document = document_of(replace(OPTIONS, duration=90.0))
    index = max(i for i, s in enumerate(document["sections"]) if s["name"] == "verse")
    assert index > [section["name"] for section in document["sections"]].index("verse")
    section = document["sections"][index]
    section["chords"] = ["F#"] * section["bars"]
    composition = followed(document, replace(OPTIONS, duration=90.0))
    start = composition.plan.sections[index].first_bar * 4.0
    notes = [n for n in composition.sheet.melody if start <= n.onset < start + 4 * section["bars"] - 4]
    assert notes
    assert {n.pitch % 12 for n in notes} <= {6, 10, 1}


def test_changed_tempo_energy_and_instruments_are_in_the_score() -> None:
    document = document_of()
    plain = planned_anew(OPTIONS)
    document |= {"tempo": 100, "duration": None}
    document["sections"][-1]["energy"] = 0.05
    document["band"] = [{"role": "melody", "instrument": "trumpet"}, {"role": "bass", "instrument": "acoustic_bass"}]
    composition = followed(document)
    assert composition.score.tempo == 100.0
    assert composition.score.duration_s == pytest.approx(plain.plan.n_bars * 2.4 + 2.8)
    assert {part.name for part in composition.score.parts} <= {"Trumpet", "Acoustic Bass"}
    assert composition.plan.sections[-1].energy == 0.05


def test_a_player_changed_by_hand_plays_where_the_instrument_has_room() -> None:
    document = document_of()
    low, high = ([{"role": "melody", "instrument": name}] for name in ("baritone_sax", "glockenspiel"))
    centres = [followed(document | {"band": band}).plan.band[0].centre for band in (low, high)]
    assert centres == [61, 87]
    back = followed(document_of(replace(OPTIONS, plan=document | {"band": high})) | {"band": low})
    assert back.plan.band[0].centre == centres[0], "the instrument before leaves no trace"


def test_a_player_who_leaves_does_not_change_the_others() -> None:
    document = document_of()
    document["band"] = [player for player in document["band"] if player["role"] != "drums"]
    left = [part for part in planned_anew(OPTIONS).score.parts if part.role != "drums"]
    assert list(followed(document).score.parts) == left


def test_sections_without_chords_get_some_and_fewer_chords_are_repeated() -> None:
    document = {"sections": [{"name": "verse", "bars": 4}, {"name": "end", "bars": 4, "chords": ["C", "G"]}]}
    composition = followed(document)
    symbols = [[c.symbol(Key(0, "major")) for c in bar] for bar in composition.progression.sections[1]]
    assert symbols == [["C"], ["G"], ["C"], ["G"]]
    assert composition.plan.duration_s == pytest.approx(8 * 2 + 2.8)
    assert len(composition.progression.sections[0]) == 4


def test_a_lift_moves_the_chords_the_melody_and_the_signatures() -> None:
    chords = ["C", "Am", "F", "G"]
    told = {"name": "verse", "bars": 8, "chords": chords}
    document = {"key": "C major", "tempo": 120, "sections": [told, told | {"chords": ["D", "Bm", "G", "A"], "lift": 2}]}
    lifted, plain = followed(document), followed(document | {"sections": [told, told]})
    assert lifted.plan.keys == (KeyChange(0.0, Key(0, "major")), KeyChange(32.0, Key(2, "major")))
    assert lifted.score.key_changes == (KeyChange(32.0, Key(2, "major")),)
    assert [s.symbol for s in lifted.sheet.chords][8:12] == ["D", "Bm", "G", "A"]
    assert lifted.progression.sections[1] == plain.progression.sections[1], "numerals count from the lifted tonic"
    tunes = [[n for n in c.sheet.melody if 32 <= n.onset < 56] for c in (lifted, plain)]
    assert [n.pitch - 2 for n in tunes[0]] == [n.pitch for n in tunes[1]]
    bass = [next(p for p in c.score.parts if p.role == "bass") for c in (lifted, plain)]
    first = [next(n.pitch for n in part.notes if n.onset >= 31.9) for part in bass]
    assert (first[0] - first[1]) % 12 == 2
    assert [section["key"] for section in describe(lifted)["sections"]] == ["C major", "D major"]


def test_a_lift_without_chords_is_prepared_by_its_dominant() -> None:
    document = {"key": "C major", "sections": [{"name": "a", "bars": 8}, {"name": "b", "bars": 8, "lift": 1}]}
    composition = followed(document)
    before = next(span for span in reversed(composition.sheet.chords) if span.onset < 32)
    assert (before.pitch_classes[0], before.chord.quality) == (8, "7")
    assert composition.sheet.chords[-1].pitch_classes[0] == 1


def test_a_section_may_begin_within_its_phrase() -> None:
    document = {"sections": [{"name": "a", "bars": 8}, {"name": "a", "bars": 8, "from_bar": 4}]}
    first, second = followed(document).progression.sections
    assert second[:3] == first[4:7]


@pytest.mark.parametrize(
    ("change", "place", "words"),
    [
        ({"tempo": "fast"}, "plan.tempo", "number"),
        ({"tempo": 500}, "plan.tempo", "from 40 to 240"),
        ({"key": "H minor"}, "plan.key", "not a key"),
        ({"style": "polkka"}, "plan.style", "There is no style 'polkka'"),
        ({"duration": True}, "plan.duration", "number"),
        ({"colour": "red"}, "plan.colour", "no such field"),
        ({"style": 5}, "plan.style", "Must be a text, not 5."),
        ({"style": None}, "plan.style", "leave it out, and it is planned"),
        ({"style": "polkka"}, "plan.style", "`flask styles`"),
        ({"key": "C" * 500}, "plan.key", "too long"),
        ({"tempo": float("inf")}, "plan.tempo", "finite number, not inf"),
        ({"sections": []}, "plan.sections", "Must have 1 to 64 entries, not 0."),
        ({"sections": "verse"}, "plan.sections", 'Must be a list, not "verse".'),
        ({"sections": ["verse"]}, "plan.sections.0", 'Must be a JSON object, not "verse".'),
        ({"sections": [None]}, "plan.sections.0", "take it out of the list"),
        ({"sections": [{"name": "a", "bars": None}]}, "plan.sections.0.bars", "null; it is required"),
        ({"sections": [{"name": "a", "bars": 4, "melody": "yes"}]}, "plan.sections.0.melody", 'false, not "yes"'),
        ({"sections": [{"name": "a", "bars": 8, "over": "x"}]}, "plan.sections.0.over", "material 'x'"),
        ({"sections": [{"name": "a", "bars": 8, "over": 7}]}, "plan.sections.0.over", "Must be a text, not 7."),
        ({"sections": [{"name": "a"}]}, "plan.sections.0.bars", "required"),
        ({"sections": [{"name": "a", "bars": 4, "energy": 2}]}, "plan.sections.0.energy", "from 0 to 1"),
        ({"sections": [{"name": "\n", "bars": 4}]}, "plan.sections.0.name", "printable"),
        ({"sections": [{"name": "a", "bars": 4, "to_energy": -1}]}, "plan.sections.0.to_energy", "from 0 to 1"),
        ({"sections": [{"name": "a", "bars": 4, "texture": "trio"}]}, "plan.sections.0.texture", "no texture 'trio'"),
        ({"sections": [{"name": "a", "bars": 4, "exit": "fil"}]}, "plan.sections.0.exit", "choose one, like fill"),
        (
            {"sections": [{"name": "a", "bars": 4, "variations": ["pedal", "octave"]}]},
            "plan.sections.0.variations.1",
            "no variation 'octave'",
        ),
        ({"sections": [{"name": "a", "bars": 4, "lift": 12}]}, "plan.sections.0.lift", "from -11 to 11 semitones"),
        ({"sections": [{"name": "a", "bars": 4, "lift": 0.5}]}, "plan.sections.0.lift", "whole number"),
        ({"sections": [{"name": "a", "bars": 4, "from_bar": -1}]}, "plan.sections.0.from_bar", "from 0 to"),
        ({"close": "fadeout"}, "plan.close", "There is no ending 'fadeout'"),
        ({"sections": [{"name": "a", "bars": 8, "chords": ["C", "Hm7"]}]}, "plan.sections.0.chords.1", "'Hm7' is not"),
        ({"sections": [{"name": "a", "bars": 8, "chords": [""]}]}, "plan.sections.0.chords.0", "1 to 4"),
        ({"sections": [{"name": "a", "bars": 4, "chords": ["C"] * 5}]}, "plan.sections.0.chords", "5 texts for 4"),
        ({"last_chord": "C/E"}, "plan.last_chord", "'C/E' is not"),
        ({"last_chord": ""}, "plan.last_chord", "'' is not a chord symbol; write one like"),
        ({"last_chord": "C G"}, "plan.last_chord", "'C G' is not a chord symbol"),
        ({"band": [{"role": "bass", "instrument": "fluet"}]}, "plan.band.0.instrument", "flute"),
        ({"band": [{"role": "solo", "instrument": "flute"}]}, "plan.band.0.role", "solo"),
        ({"band": [{"role": "drums", "instrument": "flute"}]}, "plan.band.0.instrument", "cannot have the role"),
    ],
)
def test_a_mistake_is_named_by_its_place(change: dict[str, Any], place: str, words: str) -> None:
    errors = mistakes(document_of() | {"duration": None} | change)
    assert list(errors) == [place]
    assert words in errors[place][0]


@pytest.mark.parametrize(("bars", "duration"), [(100, 40.0), (4, 40.0)])
def test_bars_that_do_not_fill_the_duration_are_told_how_many_would(bars: int, duration: float) -> None:
    document = document_of() | {"sections": [{"name": "a", "bars": bars}], "duration": duration}
    assert f"Together {bars} bars, but 19 bars" in mistakes(document)["plan.sections"][0]


@pytest.mark.parametrize("bars", [1, 512])
def test_bars_that_make_no_track_are_refused(bars: int) -> None:
    document = document_of() | {"sections": [{"name": "a", "bars": bars}], "duration": None}
    assert "a track has 5 to 300 s" in mistakes(document)["plan.sections"][0]
