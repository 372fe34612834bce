"""Synthesised voices in a band: each sounds, and plays where it is named or its style has it; none brings torch."""

import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from musicgen.composer.card import SOUND_FONTS
from musicgen.composer.composition import compose
from musicgen.composer.instruments import PERCUSSION, Instrument, all_instruments
from musicgen.composer.score import DRUM_BANK, Note, Part, Score
from musicgen.composer.sound.articulation import SAMPLE_RATE
from musicgen.composer.sound.part_rendering import render_part
from musicgen.composer.sound.sampler import Sampler, SoundKey
from musicgen.options import GenerationOptions

SYNTHESISED = [name for name, instrument in all_instruments().items() if instrument.voice]
QUARTER_S = 0.5


@pytest.fixture(scope="module")
def sampler() -> Sampler:
    return Sampler(SOUND_FONTS)


def part_of(instrument: Instrument, *notes: Note) -> Part:
    return Part(
        instrument.title, instrument.roles[0], instrument.bank, instrument.program, notes, voice=instrument.voice
    )


def middle(instrument: Instrument) -> int:
    return PERCUSSION["snare"] if instrument.is_drum_kit else (instrument.lowest + instrument.highest) // 2


def score_for(prompt: str, seed: int = 1, duration: float = 40.0) -> Score:
    return compose(GenerationOptions(prompt, duration=duration, seed=seed)).score


def voices_in(prompt: str, seed: int = 1) -> set[str | None]:
    return {part.voice for part in score_for(prompt, seed).parts}


@pytest.mark.parametrize("name", SYNTHESISED)
def test_every_synthesised_instrument_sounds_and_harder_is_louder(sampler: Sampler, name: str) -> None:
    instrument = all_instruments()[name]
    peaks = []
    for velocity in (30, 60, 90, 120):
        note = Note(0.0, 1.0, middle(instrument), velocity)
        bus = render_part(part_of(instrument, note), sampler, QUARTER_S, SAMPLE_RATE)
        assert bus.shape == (2, SAMPLE_RATE)
        assert np.all(np.isfinite(bus))
        peaks.append(float(np.sqrt(np.mean(bus**2))))
    assert all(20 * np.log10(louder / softer) > 2 for softer, louder in pairwise(peaks))


@pytest.mark.parametrize("name", SYNTHESISED)
def test_a_midi_file_can_name_it(name: str) -> None:
    instrument = all_instruments()[name]
    assert 0 <= instrument.program <= 127
    assert instrument.bank in (0, DRUM_BANK)
    assert 0 <= instrument.lowest < instrument.highest <= 127


def test_sounds_are_kept_and_evicted_sounds_come_back_the_same(sampler: Sampler) -> None:
    key = SoundKey(0, 81, 60, sampler.layer_velocity(0, 81, 60, 90, "supersaw"), SAMPLE_RATE, "supersaw")
    first = sampler.sounds(key)
    assert sampler.sounds(key) is first
    assert sampler.is_ready(key)
    (other,) = Sampler(SOUND_FONTS, budget_bytes=1).sounds(key)
    assert np.array_equal(first[0].samples, other.samples)


def test_a_short_and_a_long_riser_both_peak_at_their_ends(sampler: Sampler) -> None:
    instrument = all_instruments()["riser"]
    notes = (Note(0.0, 4.0, 60, 90), Note(6.0, 10.0, 60, 90))
    bus = render_part(part_of(instrument, *notes), sampler, QUARTER_S, 9 * SAMPLE_RATE)
    for note in notes:
        start, end = (round(at * QUARTER_S * SAMPLE_RATE) for at in (note.onset, note.onset + note.duration))
        thirds = [float(np.mean(third**2)) for third in np.array_split(bus[0, start:end], 3)]
        assert thirds[2] > 4 * thirds[1] > 4 * thirds[0]


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize(
    ("prompt", "voice"),
    [
        ("techno with an acid bassline", "acid_bass"),
        ("pop song with supersaws", "supersaw"),
        ("jazz with 808 bass", "bass_808"),
        ("rock with a reese bass", "reese_bass"),
        ("lofi with chiptune pulse", "chip_pulse"),
        ("cinematic with FM bells", "fm_bell"),
        ("pop with a riser", "riser"),
        ("folk with synth plucks", "pluck"),
        ("metal with chip drums", "chip_drums"),
        ("techno con bajo ácido", "acid_bass"),
    ],
)
def test_a_named_voice_plays_in_any_style(prompt: str, voice: str, seed: int) -> None:
    assert any(part.voice == voice and part.notes for part in score_for(prompt, seed).parts)


@pytest.mark.parametrize("seed", range(3))
def test_a_refused_voice_does_not_play(seed: int) -> None:
    assert "supersaw" not in voices_in("trance without supersaw", seed)
    assert "riser" not in voices_in("house, no riser", seed)
    assert not voices_in("techno, no acid bass", seed) & {"acid_bass"}
    assert "bass_808" not in voices_in("trap without 808s", seed)


@pytest.mark.parametrize("seed", range(3))
def test_chiptune_is_played_by_the_chip_alone(seed: int) -> None:
    score = score_for("chiptune", seed)
    assert all(part.voice and part.voice.startswith("chip_") for part in score.parts)
    assert {"melody", "bass", "drums"} <= {part.role for part in score.parts}


def test_a_riser_leads_into_the_drop() -> None:
    composition = compose(GenerationOptions("trance", duration=90.0, seed=2))
    (riser,) = [part for part in composition.score.parts if part.role == "riser"]
    sections, bar = composition.plan.sections, composition.plan.time_signature.bar_quarters
    stronger = {after.first_bar * bar for before, after in pairwise(sections) if after.energy - before.energy >= 0.15}
    assert stronger
    assert [note.onset + note.duration for note in riser.notes] == pytest.approx(sorted(stronger), abs=0.1)


def test_a_piece_of_one_section_rises_into_its_end() -> None:
    score = score_for("ambient with a riser", duration=8.0)
    (riser,) = [part for part in score.parts if part.role == "riser"]
    assert len(riser.notes) == 1


@pytest.mark.parametrize("prompt", ["rock", "chiptune", "trance with supersaws and FM bells"])
def test_no_band_loads_torch(prompt: str) -> None:
    code = f"""
import sys
from musicgen.composer.engine import ComposerEngine
from musicgen.engine import EngineSettings
from musicgen.options import GenerationOptions
engine = ComposerEngine()
engine.load(EngineSettings())
engine.generate(GenerationOptions({prompt!r}, duration=5.0, seed=1), lambda stage, done: None).audio.collect()
print("torch" in sys.modules)
"""
    root = Path(__file__).parents[3]
    run = [sys.executable, "-c", code]
    done = subprocess.run(run, cwd=root, env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, check=True)
    assert done.stdout.split()[-1] == "False"
