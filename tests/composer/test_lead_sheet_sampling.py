"""Drawing and ranking sections with a tiny untrained network: full bars, given bars, equal seeds, good closes."""

import os
import random
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from musicgen.composer.lead_sheet_network.candidates import candidate_seed
from musicgen.composer.lead_sheet_network.figures import distance, measure, missed_close, rank
from musicgen.composer.lead_sheet_network.network import LeadSheetNetwork
from musicgen.composer.lead_sheet_network.sampling import Sampler, SamplingOptions, choose
from musicgen.composer.lead_sheet_network.section import (
    Chord,
    Note,
    Section,
    SectionControls,
    SectionRequest,
)
from musicgen.composer.lead_sheet_network.tokens import METRE_NAMES, METRES, TICKS_PER_QUARTER
from musicgen.composer.lead_sheet_network.writer import LeadSheetWriter
from tests.small_network import PROGRESSION, TARGETS, TINY, small_network


@pytest.fixture(scope="module")
def sampler() -> Sampler:
    return Sampler(LeadSheetNetwork(TINY, small_network().as_arrays()))


@pytest.fixture(scope="module")
def writer() -> LeadSheetWriter:
    return LeadSheetWriter(LeadSheetNetwork(TINY, small_network().as_arrays()), TARGETS)


def filled_ticks(section: Section) -> float:
    return sum(chord.duration for chord in section.chords) * TICKS_PER_QUARTER


@pytest.mark.parametrize("metre", METRE_NAMES)
def test_drawn_sections_fill_every_bar(sampler: Sampler, metre: str) -> None:
    request = SectionRequest(SectionControls(bars=3, metre=metre, style="standards"), seed=1)
    for section in sampler.draw([request], 4, SamplingOptions(span=12))[0]:
        assert filled_ticks(section) == 3 * METRES[metre]
        assert all(note.onset + note.duration <= 3 * METRES[metre] / TICKS_PER_QUARTER for note in section.melody)
        pitches = [note.pitch for note in section.melody]
        assert max(pitches) - min(pitches) <= 12


def test_a_span_has_an_octave_at_least() -> None:
    with pytest.raises(ValueError, match="span"):
        SamplingOptions(span=3)


def test_no_pitch_is_struck_for_too_long(sampler: Sampler) -> None:
    request = SectionRequest(SectionControls(bars=8), seed=1, chords=PROGRESSION)
    for section in sampler.draw([request], 4, SamplingOptions(longest_run=1))[0]:
        assert measure(section)["longest_same"] == 1


def test_equal_requests_give_equal_sections_whatever_stands_beside_them(sampler: Sampler) -> None:
    options = SamplingOptions()
    one = SectionRequest(SectionControls(bars=4), seed=5, chords=PROGRESSION)
    other = SectionRequest(SectionControls(bars=6, metre="3/4", style="folk"), seed=5)
    alone = sampler.draw([one], 3, options)[0]
    assert alone == sampler.draw([one], 3, options)[0]
    assert alone[0].melody != alone[1].melody
    assert sampler.draw([other, one], 4, options)[1][:3] == alone


@pytest.mark.parametrize("n_candidates", [1, 5])
def test_bars_that_return_are_read_at_once_and_change_nobody(sampler: Sampler, n_candidates: int) -> None:
    """Rows wait, change places and leave at different times; every section is the same as when drawn alone."""
    returns: list[dict[int, int]] = [{}, {2: 0}, {4: 0, 5: 1}, {1: 0, 2: 0, 3: 1}, {3: 0, 5: 2}]
    requests = [
        SectionRequest(SectionControls(bars=4 + len(back), style="pop"), i, PROGRESSION if i % 2 else (), returns=back)
        for i, back in enumerate(returns)
    ]
    requests[2] = replace(requests[2], controls=SectionControls(bars=6, metre="3/4"))
    requests[4] = replace(requests[4], controls=SectionControls(bars=6))
    together = sampler.draw(requests, n_candidates, SamplingOptions())
    assert together == [sampler.draw([request], n_candidates, SamplingOptions())[0] for request in requests]
    for request, sections in zip(requests, together, strict=True):
        bar = request.controls.bar_ticks / TICKS_PER_QUARTER
        for section in sections:
            starts = [
                [(round(n.onset % bar, 3), n.pitch) for n in section.melody if n.onset // bar == i]
                for i in range(request.controls.bars)
            ]
            assert all(starts[later] == starts[earlier] for later, earlier in request.returns.items())


def test_drawing_leaves_the_global_generators_alone(sampler: Sampler) -> None:
    before = np.random.get_state()[1].tolist(), random.getstate()
    sampler.draw([SectionRequest(SectionControls(bars=1), seed=1)], 1, SamplingOptions())
    assert before == (np.random.get_state()[1].tolist(), random.getstate())


def test_given_chords_stay(writer: LeadSheetWriter) -> None:
    request = SectionRequest(SectionControls(bars=4, cadence="half"), seed=3, chords=PROGRESSION)
    assert all(section.chords == PROGRESSION for section in writer.write([request], n_candidates=3)[0])


def test_the_melody_of_a_bar_returns(writer: LeadSheetWriter) -> None:
    controls = SectionControls(bars=4)
    for section in writer.write([SectionRequest(controls, seed=3, chords=PROGRESSION, returns={2: 0})], 4)[0]:
        attacks = [[(round(n.onset % 4, 3), n.pitch) for n in section.melody if n.onset // 4 == bar] for bar in (0, 2)]
        assert attacks[0] == attacks[1]
    with pytest.raises(ValueError, match="returns"):
        SectionRequest(controls, seed=3, returns={1: 2})


def test_the_shipped_weights_write_the_same_on_one_thread_and_two() -> None:
    code = (
        "from musicgen.composer.lead_sheet_network.writer import LeadSheetWriter as W\n"
        "from musicgen.composer.lead_sheet_network.section import SectionControls as C, SectionRequest as R\n"
        "print(hash(repr(W.load().write([R(C(bars=4), 1), R(C(bars=2), 2)], 4))), 'torch' in __import__('sys').modules)"
    )
    told = {
        subprocess.run(
            [sys.executable, "-c", code], check=True, capture_output=True, text=True,
            env=os.environ | {"OPENBLAS_NUM_THREADS": n_threads, "PYTHONHASHSEED": "0"},
        ).stdout
        for n_threads in "12"
    }  # fmt: skip
    assert len(told) == 1
    assert told.pop().endswith("False\n")


def test_choose_keeps_to_the_likeliest() -> None:
    logits = np.log(np.array([[0.6, 0.3, 0.1]])).repeat(1000, axis=0)
    ones, noise = np.ones(1000), np.linspace(0, 0.9999, 1000)
    drawn = np.bincount(choose(logits, ones, 1.0, noise), minlength=3) / 1000
    assert drawn.tolist() == pytest.approx([0.6, 0.3, 0.1], abs=0.01)
    assert choose(logits, ones, 0.8, noise).max() == 1
    forbidden = np.where([True, False, False], -np.inf, logits)
    assert choose(forbidden, ones, 1.0, noise).min() == 1


def test_candidate_seeds_differ() -> None:
    seeds = [candidate_seed(seed, index) for seed in range(50) for index in range(16)]
    assert len(set(seeds)) == len(seeds) and min(seeds) >= 0 and max(seeds) < 2**63


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


def test_a_close_wants_the_cadence_a_chord_tone_and_a_rest() -> None:
    chords = (Chord(0, 4, 7, "maj", 7), Chord(4, 4, 0, "maj", 0))

    def closing(*notes: Note) -> Section:
        return Section(SectionControls(bars=2, cadence="closed"), chords, (Note(0, 1, 7), *notes))

    assert missed_close(closing(Note(4, 2, 0))) == 0
    assert missed_close(closing(Note(7.5, 0.5, 4))) == 1
    assert missed_close(closing(Note(7.5, 0.5, 2))) == 3
    assert missed_close(Section(SectionControls(bars=2, cadence="open"), chords, (Note(0, 1, 7), Note(4, 2, 4)))) == 1


def test_ranking_wants_the_density_asked_for_and_puts_silence_last() -> None:
    controls = SectionControls(bars=1, density=0)
    silent, sparse, dense = (
        Section(controls, (), tuple(Note(i * 4 / n, 0.25, i % 5) for i in range(n))) for n in (0, 2, 8)
    )
    assert rank([silent, dense, sparse], {}) == [sparse, dense, silent]


def test_ranking_wants_the_register_asked_for_in_any_octave() -> None:
    low, high = (Section(SectionControls(bars=1), (), (Note(0, 2, pitch), Note(2, 2, pitch))) for pitch in (0, 5))
    assert rank([low, high], {}, centre=17) == [high, low]
    assert rank([high, low], {}, centre=-12) == [low, high]
