"""The lead-sheet writer with a real, tiny, untrained network: grammar, determinism, cache, round trips."""

import random

import pytest
import torch

from musicgen.composer.lead_sheet_network.cursor import COLUMNS, SITUATION, write_section
from musicgen.composer.lead_sheet_network.figures import distance, measure, rank
from musicgen.composer.lead_sheet_network.network import COLUMN_SIZES, KeyValueCache, LeadSheetNetwork, NetworkShape
from musicgen.composer.lead_sheet_network.sampling import SCALES, Sampler, SamplingOptions, choose
from musicgen.composer.lead_sheet_network.section import (
    MODE_NAMES,
    Chord,
    Note,
    Section,
    SectionControls,
    chord_events,
    chords_of,
    melody_events,
    melody_of,
)
from musicgen.composer.lead_sheet_network.tokens import (
    CHORDS,
    DURATIONS,
    METRE_NAMES,
    METRES,
    QUALITIES,
    TICKS_PER_QUARTER,
    chord_symbol,
    duration_masks,
    is_pitch,
    pitch_symbol,
    symbol_masks,
    symbol_pitch,
)
from musicgen.composer.lead_sheet_network.writer import LeadSheetWriter, candidate_seed, melody_start, save_weights

TINY = NetworkShape(channels=32, layers=2, heads=2)
PROGRESSION = (Chord(0, 4, 0, "maj", 0), Chord(4, 4, 9, "min7", 9), Chord(8, 4, 5, "maj", 9), Chord(12, 4, 7, "7", 7))
TUNE = (
    Note(0, 1, 4),
    Note(1, 0.5, 5),
    Note(1.5, 3.5, 7),
    Note(5.25, 0.75, 4),
    Note(6, 1 / 3, 2),
    Note(6 + 1 / 3, 2 / 3, 0),
)
TARGETS = {style: {"in_chord": [0.7, 0.1], "span": [12.0, 3.0]} for style in ("pop", "standards", "folk", "rock")}


@pytest.fixture(scope="module")
def network() -> LeadSheetNetwork:
    torch.manual_seed(0)
    return LeadSheetNetwork(TINY).eval()


@pytest.fixture(scope="module")
def sampler(network: LeadSheetNetwork) -> Sampler:
    return Sampler(network)


@pytest.fixture(scope="module")
def writer(network: LeadSheetNetwork) -> LeadSheetWriter:
    return LeadSheetWriter(network, TARGETS)


def filled_ticks(section: Section) -> float:
    return sum(chord.duration for chord in section.chords) * TICKS_PER_QUARTER


@pytest.mark.parametrize("metre", METRE_NAMES)
def test_from_every_reachable_place_the_bar_line_can_be_reached(metre: str) -> None:
    masks = duration_masks()[:, METRE_NAMES.index(metre)]
    for stream in (0, 1):
        reachable, frontier = {0}, [0]
        while frontier:
            position = frontier.pop()
            ends = [position + DURATIONS[i] for i in masks[stream, position].nonzero().flatten().tolist()]
            assert ends, f"nothing may follow at tick {position} of {metre}"
            assert max(ends) <= METRES[metre]
            new = {end for end in ends if end < METRES[metre]} - reachable
            reachable |= new
            frontier += new


def test_symbol_masks_part_chords_from_melody() -> None:
    masks = symbol_masks()
    assert masks.any(dim=1).all()
    assert not (masks[0] & masks[1]).any()
    assert (masks[2] & ~masks[1]).sum() == 1  # HOLD


def test_symbols_round_trip() -> None:
    for pitch in range(-15, 29):
        assert is_pitch(pitch_symbol(pitch)) and symbol_pitch(pitch_symbol(pitch)) == pitch
    assert symbol_pitch(pitch_symbol(40)) == 28
    assert len(set(CHORDS)) == len(CHORDS)
    with pytest.raises(ValueError, match="majestic"):
        chord_symbol(0, "majestic", 0)


def test_every_quality_can_be_written_on_every_root() -> None:
    assert len({chord_symbol(root, quality, root) for root in range(12) for quality in QUALITIES}) == 12 * len(
        QUALITIES
    )


def test_an_unknown_bass_falls_back_to_the_root() -> None:
    assert chord_symbol(0, "dim7", 5) == chord_symbol(0, "dim7", 0)


def test_music_survives_events() -> None:
    controls = SectionControls(bars=4)
    assert chords_of(chord_events(PROGRESSION, controls)) == PROGRESSION
    back = melody_of(melody_events(TUNE, controls))
    assert [(n.onset, n.pitch) for n in back] == [(pytest.approx(n.onset), n.pitch) for n in TUNE]


@pytest.mark.parametrize("metre", METRE_NAMES)
def test_any_melody_becomes_full_bars(metre: str) -> None:
    dice = random.Random(metre)
    controls = SectionControls(bars=3, metre=metre)
    for _ in range(200):
        onsets = sorted(dice.uniform(0, 3 * controls.bar_ticks / TICKS_PER_QUARTER) for _ in range(dice.randint(1, 30)))
        tune = [Note(onset, dice.uniform(0.05, 3), dice.randint(-30, 40)) for onset in onsets]
        now = 0
        for ticks, _symbol in melody_events(tune, controls):
            assert ticks in DURATIONS
            assert now // controls.bar_ticks == (now + ticks - 1) // controls.bar_ticks
            now += ticks
        assert now == 3 * controls.bar_ticks


@pytest.mark.parametrize(
    "wrong", [{"bars": 0}, {"bars": 33}, {"metre": "7/8"}, {"style": "polka"}, {"density": 5}, {"mode": None}]
)
def test_wrong_controls_are_refused_by_name(wrong: dict) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        SectionControls(**({"bars": 8} | wrong))


def test_slots_have_all_columns_within_their_tables() -> None:
    controls = SectionControls(bars=4, density=1, richness=2, harmonic_rhythm=0, cadence="half", label="verse")
    _, slots, times, targets = write_section(
        controls, chord_events(PROGRESSION, controls), melody_events(TUNE, controls), bar_offset=8
    )
    assert len(slots) == len(times) == len(targets)
    assert len(COLUMN_SIZES) == SITUATION == len(COLUMNS) - 1
    for slot in slots:
        assert all(0 <= value < size for value, size in zip(slot, COLUMN_SIZES, strict=False))
    assert times[0] == (8, 8) and times[-1][1] == 12


def test_cache_gives_what_one_full_pass_gives(network: LeadSheetNetwork) -> None:
    controls = SectionControls(bars=4)
    _, slots, times, _ = write_section(controls, chord_events(PROGRESSION, controls), melody_events(TUNE, controls))
    slots_t, times_t = torch.tensor([slots]), torch.tensor([times])
    with torch.no_grad():
        full = network(slots_t, times_t)
        cache = KeyValueCache.empty(TINY, 1, len(slots))
        parts = [network(slots_t[:, :3], times_t[:, :3], cache)]
        parts += [network(slots_t[:, i : i + 1], times_t[:, i : i + 1], cache) for i in range(3, len(slots))]
    assert torch.allclose(torch.cat(parts, dim=1), full, atol=1e-5)


def test_the_future_does_not_reach_back(network: LeadSheetNetwork) -> None:
    controls = SectionControls(bars=4)
    _, slots, times, _ = write_section(controls, chord_events(PROGRESSION, controls), melody_events(TUNE, controls))
    with torch.no_grad():
        full = network(torch.tensor([slots]), torch.tensor([times]))
        part = network(torch.tensor([slots[:6]]), torch.tensor([times[:6]]))
    assert torch.allclose(full[:, :6], part, atol=1e-5)


@pytest.mark.parametrize("metre", METRE_NAMES)
def test_drawn_sections_fill_every_bar(sampler: Sampler, metre: str) -> None:
    controls = SectionControls(bars=3, metre=metre, style="standards")
    for section in sampler.draw(controls, range(4), SamplingOptions(span=12)):
        assert filled_ticks(section) == 3 * METRES[metre]
        assert all(note.onset + note.duration <= 3 * METRES[metre] / TICKS_PER_QUARTER for note in section.melody)
        pitches = [note.pitch for note in section.melody]
        assert max(pitches) - min(pitches) <= 12


def test_bounds_hold(sampler: Sampler) -> None:
    options = SamplingOptions(lowest=-3, highest=10)
    for section in sampler.draw(SectionControls(bars=4), range(4), options):
        assert all(-3 <= note.pitch <= 10 for note in section.melody)
    with pytest.raises(ValueError, match="octave"):
        SamplingOptions(lowest=0, highest=5)
    with pytest.raises(ValueError, match="span"):
        SamplingOptions(span=3)


def test_in_scale_keeps_to_the_mode_or_the_chord(sampler: Sampler) -> None:
    controls = SectionControls(bars=4, mode="phrygian")
    scale = set(SCALES[MODE_NAMES.index("phrygian")])
    for section in sampler.draw(controls, range(4), SamplingOptions(in_scale=True)):
        assert all(note.pitch % 12 in scale for note in section.melody)
        assert all({(c.root + s) % 12 for s in QUALITIES[c.quality]} <= scale for c in section.chords)


def test_equal_seeds_give_equal_sections_whatever_stands_beside_them(sampler: Sampler) -> None:
    controls, options = SectionControls(bars=4), SamplingOptions()
    one = sampler.draw(controls, [5, 6, 7, 8], options)
    assert one == sampler.draw(controls, [5, 6, 7, 8], options)
    assert one[0] != one[1]
    assert sampler.draw(controls, [8, 1, 5, 2], options)[2] == one[0]
    assert sampler.draw(controls, [5], options) == one[:1]


def test_drawing_leaves_the_global_generator_alone(sampler: Sampler) -> None:
    before = torch.random.get_rng_state()
    sampler.draw(SectionControls(bars=1), [1], SamplingOptions())
    assert torch.equal(before, torch.random.get_rng_state())


def test_given_chords_and_beginnings_stay(writer: LeadSheetWriter) -> None:
    controls = SectionControls(bars=4, cadence="half")
    for section in writer.write(controls, 3, n_candidates=3, chords=PROGRESSION, melody=TUNE[:4]):
        assert section.chords == PROGRESSION
        assert [(n.onset, n.pitch) for n in section.melody[:4]] == [(n.onset, n.pitch) for n in TUNE[:4]]
        assert [n.duration for n in section.melody[:3]] == [n.duration for n in TUNE[:3]]
    with pytest.raises(ValueError, match="chords"):
        writer.write(controls, 3, melody=TUNE)


def test_chords_alone(writer: LeadSheetWriter) -> None:
    sections = writer.write(SectionControls(bars=2, style="rock"), 3, n_candidates=2, with_melody=False)
    assert all(section.melody == () and filled_ticks(section) == 96 for section in sections)


def test_earlier_sections_are_heard(writer: LeadSheetWriter) -> None:
    controls = SectionControls(bars=2, label="chorus")
    verse = Section(SectionControls(bars=4, label="verse"), PROGRESSION, TUNE)
    with_verse = writer.write(controls, 1, n_candidates=2, previous=[verse])
    assert with_verse == writer.write(controls, 1, n_candidates=2, previous=[verse])
    assert all(filled_ticks(section) == 96 for section in with_verse)


def test_weights_survive_their_file(network: LeadSheetNetwork, tmp_path) -> None:
    save_weights(network, TARGETS, tmp_path / "tiny.safetensors")
    controls = SectionControls(bars=1)
    first, second = (LeadSheetWriter.load(tmp_path / "tiny.safetensors").write(controls, 9) for _ in range(2))
    assert first == second


def test_choose_keeps_to_the_likeliest() -> None:
    logits = torch.log(torch.tensor([[0.6, 0.3, 0.1]])).expand(1000, -1)
    noise = torch.linspace(0, 0.9999, 1000)
    drawn = choose(logits, torch.ones(1000), 1.0, noise).bincount(minlength=3) / 1000
    assert drawn.tolist() == pytest.approx([0.6, 0.3, 0.1], abs=0.01)
    assert choose(logits, torch.ones(1000), 0.8, noise).max() == 1
    forbidden = logits.masked_fill(torch.tensor([True, False, False]), -torch.inf)
    assert choose(forbidden, torch.ones(1000), 1.0, noise).min() == 1


def test_candidate_seeds_differ() -> None:
    seeds = [candidate_seed(seed, index) for seed in range(50) for index in range(16)]
    assert len(set(seeds)) == len(seeds) and min(seeds) >= 0 and max(seeds) < 2**63


def test_melody_start_leaves_the_rest_open() -> None:
    controls = SectionControls(bars=4)
    assert sum(ticks for ticks, _ in melody_start(TUNE[:2], controls)) == 18
    assert melody_start((), controls) == []


def test_figures_of_a_known_tune() -> None:
    chords = (Chord(0, 8, 0, "maj", 0),)
    tune = (Note(0, 1, 0), Note(1, 1, 2), Note(2, 2, 4), Note(4, 1, 0), Note(5, 1, 2), Note(6, 2, 4))
    figures = measure(Section(SectionControls(bars=2), chords, tune))
    assert figures["in_chord"] == pytest.approx(4 / 6)
    assert figures["bar_repeats"] == figures["chord_repeats"] == 0.5
    assert figures["span"] == 4 and figures["leaps"] == 0 and figures["steps"] == 1 - 1 / 5
    assert figures["longest_rest"] == 0 and figures["density"] == 0.75 and figures["final_length"] == 2
    assert figures["in_scale"] == 1 and figures["off_beat"] == 0


def test_ranking_prefers_the_nearer() -> None:
    chords = (Chord(0, 4, 0, "maj", 0),)
    inside, outside = (
        Section(SectionControls(bars=1), chords, tuple(Note(i, 1, pitch) for i in range(4))) for pitch in (4, 5)
    )
    assert rank([outside, inside], {"in_chord": [0.75, 0.1]}) == [inside, outside]
    assert distance({"in_chord": 1.0}, {"in_chord": [0.75, 0.1]}) == 0
