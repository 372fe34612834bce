"""The language of lead sheets, and a tiny untrained network that reads it: grammar, round trips, cache, weights."""

import random

import numpy as np
import pytest
import torch

from musicgen.composer.lead_sheet_network.cursor import COLUMNS, SITUATION, write_section
from musicgen.composer.lead_sheet_network.network import COLUMN_SIZES, KeyValueCache, LeadSheetNetwork, gelu
from musicgen.composer.lead_sheet_network.section import (
    Note,
    SectionControls,
    chord_events,
    chords_of,
    melody_events,
    melody_of,
)
from musicgen.composer.lead_sheet_network.tokens import (
    CHORDS,
    DURATIONS,
    FIRST_CHORD,
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
from musicgen.composer.lead_sheet_network.training.network import TrainableNetwork
from musicgen.composer.lead_sheet_network.weights_file import WeightsFile
from tests.small_network import PROGRESSION, TARGETS, TINY, TUNE, small_network


@pytest.fixture(scope="module")
def trained() -> TrainableNetwork:
    return small_network()


@pytest.fixture(scope="module")
def network(trained: TrainableNetwork) -> LeadSheetNetwork:
    return LeadSheetNetwork(TINY, trained.as_arrays())


@pytest.mark.parametrize("metre", METRE_NAMES)
def test_from_every_reachable_place_the_bar_line_can_be_reached(metre: str) -> None:
    masks = duration_masks()[:, METRE_NAMES.index(metre)]
    for stream in (0, 1):
        reachable, frontier = {0}, [0]
        while frontier:
            position = frontier.pop()
            ends = [position + DURATIONS[i] for i in masks[stream, position].nonzero()[0]]
            assert ends, f"nothing may follow at tick {position} of {metre}"
            assert max(ends) <= METRES[metre]
            new = {end for end in ends if end < METRES[metre]} - reachable
            reachable |= new
            frontier += new


def test_symbol_masks_part_chords_from_melody() -> None:
    masks = symbol_masks()
    assert masks.any(axis=1).all()
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


def song_slots() -> tuple[np.ndarray, np.ndarray]:
    controls = SectionControls(bars=4)
    _, slots, times, _ = write_section(controls, chord_events(PROGRESSION, controls), melody_events(TUNE, controls))
    return np.array(slots), np.array(times, dtype=np.float32)


def read_at_once(network: LeadSheetNetwork, slots: np.ndarray, times: np.ndarray) -> np.ndarray:
    n = len(slots)
    return network.read(slots, times, np.array([n]), KeyValueCache.empty(TINY, 1, n))


def test_numpy_runs_what_torch_trained(network: LeadSheetNetwork, trained: TrainableNetwork) -> None:
    slots, times = song_slots()
    durations = np.arange(len(slots)) % len(DURATIONS)
    states = read_at_once(network, slots, times)
    with torch.no_grad():
        expected = trained(torch.from_numpy(slots[None]), torch.from_numpy(times[None]))[0]
        expected_durations = trained.duration_logits(expected, torch.from_numpy(slots))
        expected_symbols = trained.symbol_logits(expected, torch.from_numpy(slots), torch.from_numpy(durations))
    np.testing.assert_allclose(states, expected, atol=5e-4)
    np.testing.assert_allclose(network.duration_logits(states, slots), expected_durations, atol=5e-4)
    np.testing.assert_allclose(network.symbol_logits(states, slots, durations), expected_symbols, atol=5e-4)


def test_the_symbols_of_melodies_alone_are_the_first_ones(network: LeadSheetNetwork) -> None:
    slots, times = song_slots()
    states = read_at_once(network, slots, times)
    both = network.symbol_logits(states, slots, np.zeros(len(states), np.int64))
    melody = network.symbol_logits(states[-3:], slots[-3:], np.zeros(3, np.int64))
    np.testing.assert_allclose(melody, both[-3:, :FIRST_CHORD], atol=1e-6)
    assert np.isneginf(both[-3:, FIRST_CHORD:]).all()


def test_gelu_is_near_enough() -> None:
    x = np.linspace(-12, 12, 1001, dtype=np.float32)
    np.testing.assert_allclose(gelu(x), torch.nn.functional.gelu(torch.from_numpy(x)), atol=3e-5)


def test_cache_gives_what_one_full_pass_gives(network: LeadSheetNetwork) -> None:
    slots, times = song_slots()
    n = len(slots)
    cache = KeyValueCache.empty(TINY, 1, n)
    parts = [network.read(slots[:3], times[:3], np.array([3]), cache)]
    parts += [network.read(slots[i : i + 1], times[i : i + 1], np.array([1]), cache) for i in range(3, n)]
    np.testing.assert_allclose(np.concatenate(parts), read_at_once(network, slots, times), atol=1e-5)


def test_rows_of_different_lengths_do_not_see_one_another(network: LeadSheetNetwork) -> None:
    slots, times = song_slots()
    full = read_at_once(network, slots, times)

    def read(numbers: list[int], counts: list[int], cache: KeyValueCache) -> None:
        states = network.read(slots[numbers], times[numbers], np.array(counts), cache)
        np.testing.assert_allclose(states, full[numbers], atol=1e-5)

    two = KeyValueCache.empty(TINY, 2, 20)
    read([0, 1, 2, 3, 4, 0, 1, 2], [5, 3], two)
    four = two.repeat(2)
    assert four.lengths.tolist() == [5, 5, 3, 3]
    read([5, 5, 3, 3], [1, 1, 1, 1], four)
    four.swap(1, 2)
    four.move(3, 0)
    assert four.lengths.tolist() == [4, 4, 6, 4]
    read([4, 5, 6, 4], [3, 1], four.rows(0, 2))
    read([5, 6, 7], [1, 2], four.rows(0, 3).rows(1, 3))
    assert four.lengths.tolist() == [7, 6, 8, 4]


def test_weights_survive_their_file_to_half_a_step_of_int8(trained: TrainableNetwork, tmp_path) -> None:
    path = tmp_path / "tiny.safetensors"
    weights = trained.as_arrays()
    WeightsFile(TINY, weights, TARGETS).save(path)
    read = WeightsFile.load(path)
    assert read.shape == TINY and read.targets == TARGETS and read.weights.keys() == weights.keys()
    for name, values in weights.items():
        step = np.abs(values).max(axis=-1, keepdims=True) / 127 if values.ndim == 2 else 0.01
        assert (np.abs(read.weights[name] - values) <= 0.501 * step).all()
