"""Training parts on small, made-up songs: cutting, harmonising, learning, the 6-gram, the copy check."""

import random

import pytest
import torch

from musicgen.composer.lead_sheet_network.figures import measure
from musicgen.composer.lead_sheet_network.network import NetworkShape
from musicgen.composer.lead_sheet_network.section import Chord, Note, SectionControls
from musicgen.composer.lead_sheet_network.training.copying import TrainingRuns
from musicgen.composer.lead_sheet_network.training.dataset import IGNORED, EncodedSong, draw_batch, encode
from musicgen.composer.lead_sheet_network.training.export import shape_of, targets_of
from musicgen.composer.lead_sheet_network.training.harmonise import harmonise
from musicgen.composer.lead_sheet_network.training.network import TrainableNetwork
from musicgen.composer.lead_sheet_network.training.ngram import NGram, tokens
from musicgen.composer.lead_sheet_network.training.songs import Song, cut, is_held_out, without_near_duplicates
from musicgen.composer.lead_sheet_network.training.train import (
    PEAK_RATE,
    Batch,
    Objective,
    TrainingState,
    divergences,
    first_layers,
    held_out_nats,
    learning_rate,
    log_shares,
)

SCALE = (0, 2, 4, 5, 7, 5, 4, 2)


def tune(dice: random.Random, bars: int) -> tuple[Note, ...]:
    return tuple(Note(beat, 1.0, dice.choice(SCALE)) for beat in range(4 * bars))


def song(name: str = "a", bars: int = 16, style: str = "pop") -> Song:
    dice = random.Random(name)
    chords = tuple(Chord(4 * bar, 4, root, "maj", root) for bar, root in enumerate([0, 5, 7, 0] * (bars // 4)))
    places = ((0, 8, "verse"), (8, 8, "chorus")) if style == "pop" else ()
    return Song(name, style, "major", "4/4", bars, () if style == "folk" else chords, tune(dice, bars), places)


def test_sections_carry_measured_controls() -> None:
    sections = cut(song(), random.Random(1))
    assert sum(section.controls.bars for section in sections) == 16
    first = sections[0].controls
    assert (first.label, first.richness, first.harmonic_rhythm, first.density) == ("verse", 0, 1, 2)
    assert first.cadence in ("closed", "open")


def test_folk_tunes_get_chords_that_fit() -> None:
    arpeggio = tuple(
        Note(i, 1.0, pitch) for i, pitch in enumerate([0, 4, 7, 4, 7, 11, 14, 11, 5, 9, 12, 9, 0, 4, 7, 0])
    )
    chords = harmonise(arpeggio, SectionControls(bars=4, style="folk"))
    assert [chords[i].root for i in (0, 2, 4, 6)] == [0, 7, 5, 0]


def test_near_duplicates_go() -> None:
    first, other = song("a"), song("b")
    transposed = Song(
        "c", "pop", "major", "4/4", 16, (), tuple(Note(n.onset, 1.0, n.pitch + 3) for n in first.melody), ()
    )
    assert [kept.id for kept in without_near_duplicates([first, other, transposed])] == ["a", "b"]


def test_the_split_depends_on_the_id_alone() -> None:
    share = sum(is_held_out(f"song {i}") for i in range(2000)) / 2000
    assert share == pytest.approx(0.05, abs=0.02)


def test_batches_start_at_sections_and_hide_controls_but_not_the_metre() -> None:
    encoded = encode("pop", cut(song(), random.Random(1)))
    slots, times, targets = draw_batch(
        {style: [encoded] for style in ("pop", "standards", "folk", "rock")},
        {style: [1] for style in ("pop", "standards", "folk", "rock")}, 32, 40, random.Random(0),
    )  # fmt: skip
    assert slots.shape == (32, 40, 18) and times.shape == (32, 40, 2) and targets.shape == (32, 40, 2)
    assert (slots[:, 0, 0] == 0).all() and (times[:, 0] == 0).all()
    assert (slots[..., 11] == 1).all() and (slots[..., 9] == 0).any() and (slots[..., 9] == 1).any()
    assert (targets[..., 0] != IGNORED).any()


def one_row(encoded: EncodedSong) -> Batch:
    return encoded.slots[None].long(), encoded.times[None], encoded.targets[None].long()


def test_learning_lowers_the_loss_and_a_checkpoint_goes_on(tmp_path) -> None:
    torch.manual_seed(0)
    encoded = encode("pop", cut(song(), random.Random(1)))
    shape = NetworkShape(64, 1, 1)
    state = TrainingState.begin_or_resume(TrainableNetwork(shape), tmp_path / "checkpoint.pt")
    nats = [state.learn(one_row(encoded), Objective(), 1e-2) for _ in range(12)]
    assert nats[-1] < 0.7 * nats[0]
    state.save(tmp_path)
    resumed = TrainingState.begin_or_resume(TrainableNetwork(shape), tmp_path / "checkpoint.pt")
    assert resumed.step == 12 and resumed.started == state.started
    assert held_out_nats(resumed.network, [encoded], 100) == held_out_nats(state.network, [encoded], 100)
    assert shape_of(torch.load(tmp_path / "weights-000012.pt")) == shape


@pytest.mark.parametrize("in_bf16", [False, True])
def test_a_student_begins_as_its_teachers_first_layers_and_comes_nearer_to_it(tmp_path, in_bf16) -> None:
    torch.manual_seed(0)
    batch = one_row(encode("pop", cut(song(), random.Random(1))))
    taught = TrainingState.begin_or_resume(TrainableNetwork(NetworkShape(64, 2, 1)), tmp_path / "none.pt")
    for _ in range(10):
        taught.learn(batch, Objective(), 1e-2)
    teacher = taught.network.eval()
    student = first_layers(teacher, NetworkShape(64, 1, 1))
    assert torch.equal(student.blocks[0].mlp_in.weight, teacher.blocks[0].mlp_in.weight)
    with torch.no_grad():
        wanted = log_shares(teacher, *batch)
    assert divergences(wanted, wanted).abs().max() == 0

    def missed() -> float:
        with torch.no_grad():
            return float(divergences(log_shares(student, *batch), wanted).mean())

    before, weights = missed(), teacher.blocks[1].mlp_in.weight.clone()
    state = TrainingState.begin_or_resume(student, tmp_path / "none.pt")
    for _ in range(10):
        state.learn(batch, Objective(teacher, in_bf16), 3e-3)
    assert 0 < missed() < before
    assert torch.equal(teacher.blocks[1].mlp_in.weight, weights)


@pytest.mark.parametrize("shape", [NetworkShape(32, 2, 1), NetworkShape(64, 1, 1), NetworkShape(32, 1, 2)])
def test_a_teacher_of_another_shape_is_refused(shape: NetworkShape) -> None:
    with pytest.raises(ValueError, match="cannot teach"):
        first_layers(TrainableNetwork(NetworkShape(32, 1, 1)), shape)


def test_the_rate_warms_up_and_falls() -> None:
    assert learning_rate(0, 0.0, PEAK_RATE) < learning_rate(1000, 0.1, PEAK_RATE) > learning_rate(1000, 0.9, 1e-3) > 0


def test_the_six_gram_knows_what_it_saw() -> None:
    sections = tokens(encode("pop", cut(song("a"), random.Random(1))))
    ngram = NGram(sections)
    assert ngram.nats(sections) < 0.8 < ngram.nats(tokens(encode("pop", cut(song("b"), random.Random(1)))))
    followers = [[*sections[0][:7], token] for token in range(530 + 60)]
    total = sum(ngram.probability(row, 7) for row in followers)
    assert total == pytest.approx(1.0, abs=0.05)


def test_copies_are_found_in_any_key_and_new_tunes_are_not() -> None:
    known, new = tune(random.Random("x"), 8), tune(random.Random("y"), 8)
    runs = TrainingRuns([known])
    copied = tuple(Note(n.onset + 1, n.duration, n.pitch + 5) for n in known[5:25])
    assert runs.longest_shared(copied) == 20
    assert runs.longest_shared(new) < 10
    assert runs.longest_shared(known[:3]) == 0


def test_targets_are_mean_and_deviation() -> None:
    sections = cut(song(), random.Random(1))
    targets = targets_of(sections)
    assert targets["span"][0] == pytest.approx(sum(measure(s)["span"] for s in sections) / len(sections), abs=1e-3)
    assert set(targets) <= set(measure(sections[0]))
