"""Every generator and modulator that the shipped fonts use is heard, and as FluidSynth (where installed) plays it.

Each case is a zone of a small font of its own that plays a saw wave.
"""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import scipy.signal
from numpy.typing import NDArray

from benchmarks.fluidsynth import COMMAND, QUARTER_S, Take, aligned, play_takes
from benchmarks.sampler_vs_fluidsynth import band_errors_db, level_db
from musicgen.composer.card import SOUND_FONTS
from musicgen.composer.score import Note, Part
from musicgen.composer.sound.articulation import SAMPLE_RATE
from musicgen.composer.sound.part_rendering import render_part
from musicgen.composer.sound.sampler import Sampler
from musicgen.composer.sound.soundfont import DEFAULT_GENERATORS, VELOCITY_TO_ATTENUATION, SoundFont
from tests.small_font import Modulation, SmallSample, SmallZone, write_font

Sound = NDArray[np.float64]

needs_fluidsynth = pytest.mark.skipif(shutil.which(COMMAND) is None, reason="needs the fluidsynth command")

ROOT, FUNDAMENTAL_HZ, PERIODS, PARTIALS = 69, 441.0, 400, 16
HELD_S, LENGTH_S = 1.0, 1.5
WINDOW = round(0.05 * SAMPLE_RATE)
LOOPED = 54
# Zones without a case: ranges and targets, of which every sound of the fonts is a proof; sends to effects that the
# mix has its own of; and the modulation envelope's release: a fading note keeps the colour that it was held with.
STRUCTURAL = {41, 43, 44, 53}
EFFECT_SENDS = {15, 16}
NOT_PLAYED = {30}


@dataclass(frozen=True)
class Case:
    """A zone, and the note that shows what it says."""

    generators: Mapping[int, int]
    modulators: tuple[Modulation, ...] = ()
    key: int = ROOT
    velocity: int = 100
    loop: int = 1

    def zone(self) -> SmallZone:
        """Return the zone as the font holds it."""
        return SmallZone(0, {LOOPED: self.loop, **self.generators}, self.modulators)


CASES = {
    "start offset": Case({0: 2205}),
    "loop offsets": Case({2: 100, 3: -100, 8: 6000}),
    "end offset": Case({1: -11_025}, loop=0),
    "no loop": Case({}, loop=0),
    "tremolo oscillator to pitch": Case({5: 30, 21: -2400, 22: -600}),
    "vibrato to pitch": Case({6: 30, 23: -2400, 24: -600}),
    "modulation envelope to pitch": Case({7: 100, 26: -1200, 28: 0, 29: 500}),
    "modulation envelope held, by key": Case({7: 100, 27: -1200, 28: -1200, 29: 1000, 31: 20, 32: 20}, key=57),
    "cutoff": Case({8: 8000}),
    "resonance": Case({8: 9000, 9: 200}),
    "tremolo to cutoff": Case({8: 8000, 10: 1200, 21: -2400, 22: -600}),
    "modulation envelope to cutoff": Case({8: 6000, 11: 4000, 25: -3000, 26: -2400, 27: -3000, 28: 0, 29: 700}),
    "left": Case({17: -300}),
    "far right, further than there is": Case({17: 900}),
    "volume envelope": Case({33: -3000, 34: -2400, 35: -2400, 36: 0, 37: 300}),
    "release": Case({38: -1200}),
    "hold by key": Case({35: -2400, 36: 0, 37: 600, 39: 50}, key=57),
    "decay by key": Case({36: 0, 37: 600, 40: 50}, key=57),
    "attenuation": Case({48: 100}),
    "less than no attenuation": Case({48: -100}, velocity=127),
    "coarse and fine tuning": Case({51: 3, 52: -20}),
    "scale tuning": Case({56: 50}, key=75),
    "root key": Case({58: 64}),
    "another key": Case({}, key=76),
    # The modulators, by destination.
    "start offset by key": Case({0: 2205}, ((0x003, 0, -2000, 0, 0),)),
    "cutoff by velocity": Case({8: 10_000}, ((0x102, 8, -4800, 0, 0),), velocity=60),
    "cutoff by key": Case({8: 8000}, ((0x203, 8, 4000, 0, 0),), key=79),
    "cutoff by key, linear": Case({8: 7000}, ((0x003, 8, 2000, 0, 0),)),
    "cutoff by velocity and key": Case({8: 10_000}, ((0x102, 8, -4000, 0x103, 0),), velocity=60),
    "cutoff by velocity and key around the middle": Case({8: 7000}, ((0x002, 8, 4000, 0x203, 0),), key=79),
    "cutoff by key, falling": Case({8: 10_000}, ((0x103, 8, -1500, 0, 0),)),
    "resonance by velocity": Case({8: 9000, 9: 250}, ((0x002, 9, -160, 0, 0),)),
    "resonance by velocity, falling": Case({8: 9000, 9: 50}, ((0x102, 9, 100, 0, 0),), velocity=40),
    "envelope to cutoff by velocity": Case({8: 6000}, ((0x002, 11, 4000, 0, 0),)),
    "envelope to cutoff by velocity, falling": Case({8: 8000, 11: 3000}, ((0x102, 11, -2000, 0, 0),), velocity=40),
    "envelope to cutoff by velocity, concave": Case({8: 6000}, ((0x402, 11, 12_000, 0, 0),)),
    "envelope to cutoff by velocity and key": Case({8: 6000}, ((0x002, 11, 4750, 0x003, 0),)),
    "modulation attack by velocity": Case({8: 6000, 11: 4000, 26: -8000}, ((0x102, 26, 10_000, 0, 0),), velocity=40),
    "modulation decay by velocity": Case({8: 6000, 11: 4000, 28: -2400, 29: 1000}, ((0x002, 28, 1902, 0, 0),)),
    "modulation release by key and velocity": Case({30: -1200}, ((0x103, 30, 2500, 0x002, 0),)),
    "attack by velocity": Case({34: -8000}, ((0x102, 34, 6772, 0, 0),), velocity=40),
    "attack by velocity, rising": Case({34: 0}, ((0x002, 34, -3986, 0, 0),)),
    "attack by velocity, concave": Case({34: -1200}, ((0x402, 34, -1586, 0, 0),)),
    "attack by key": Case({34: -1200}, ((0x303, 34, 2000, 0, 0),), key=48),
    "decay by velocity": Case({36: -1200, 37: 1000}, ((0x002, 36, 3369, 0, 0),)),
    "decay by key around the middle": Case({36: 0, 37: 1000}, ((0x203, 36, -1919, 0, 0),), key=79),
    "release by key and velocity": Case({38: -3000}, ((0x103, 38, 2500, 0x002, 0),)),
    "release by velocity": Case({38: -3000}, ((0x002, 38, 3369, 0, 0),)),
    "release by key": Case({38: -600}, ((0x203, 38, -1919, 0, 0),), key=79),
    "attenuation by key": Case({48: 100}, ((0x303, 48, 160, 0, 0),), key=50),
    "velocity curve": Case({}, ((0x502, 48, 500, 0, 0),), velocity=50),
    "tuning by key": Case({}, ((0x303, 52, -40, 0, 0),), key=79),
}
# What nobody can hear, and so no case can show: the release of an envelope that is not played.
SILENT_CASES = {"modulation release by key and velocity"}
# FluidSynth counts from a note's beginning in steps of 64 samples; these fall so fast that it shows.
STEEP = {"volume envelope", "hold by key", "decay by key", "decay by velocity", "decay by key around the middle"}


@dataclass(frozen=True)
class Bench:
    """Both players with the small font."""

    font: Path
    sampler: Sampler
    programs: Mapping[str, int]
    theirs: dict[str, Sound] = field(default_factory=dict)

    def take(self, name: str, case: Case) -> Take:
        """Return the note of a case; its velocity is moved to one that stands for its layer."""
        velocity = self.sampler.layer_velocity(0, self.programs[name], case.key, case.velocity)
        note = Note(0, HELD_S / QUARTER_S, case.key, velocity)
        return Take(0, self.programs[name], (note,), LENGTH_S)

    def ours(self, take: Take) -> Sound:
        """Play a take with the sampler: (2, n) float64."""
        part = Part("Case", "melody", take.bank, take.program, take.notes)
        return render_part(part, self.sampler, QUARTER_S, take.n_samples).astype(np.float64)


def saw() -> SmallSample:
    """Return 0.9 s of a saw wave of few partials, with phases that keep its peaks low, looped near its beginning."""
    times = np.arange(round(PERIODS * SAMPLE_RATE / FUNDAMENTAL_HZ)) / SAMPLE_RATE
    wave = sum(np.sin(2 * np.pi * FUNDAMENTAL_HZ * k * times + k * k) / k for k in range(1, PARTIALS + 1))
    samples = 0.4 * np.asarray(wave) / np.abs(wave).max()
    # Louder than the rest of the sample before the loop: offsets and loops can be told apart.
    samples[:2000] *= 0.5
    return SmallSample(samples, root_pitch=ROOT, loop=(2400, 3400))


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    named = {"plain": Case({}), **CASES}
    path = tmp_path_factory.mktemp("fonts") / "cases.sf2"
    write_font(path, [saw()], [[case.zone()] for case in named.values()])
    bench = Bench(path, Sampler([path]), {name: i for i, name in enumerate(named)})
    if shutil.which(COMMAND):
        takes = [bench.take(name, case) for name, case in named.items()]
        bench.theirs.update(zip(named, play_takes(takes, path), strict=True))
    return bench


def levels(sound: Sound) -> Sound:
    """Return the level in dB of each window of 50 ms."""
    whole = sound[:, : sound.shape[1] // WINDOW * WINDOW]
    return 10 * np.log10(np.mean(whole.reshape(2, -1, WINDOW) ** 2, axis=(0, 2)) + 1e-12)


def pitch_cents(sound: Sound, fundamental_hz: float) -> Sound:
    """Follow the fundamental of a held note, in cents above `fundamental_hz`, each 5 ms."""
    band = scipy.signal.butter(4, (0.7 * fundamental_hz, 1.3 * fundamental_hz), "band", fs=SAMPLE_RATE, output="sos")
    analytic = scipy.signal.hilbert(scipy.signal.sosfiltfilt(band, sound.sum(axis=0)))
    hertz = np.diff(np.unwrap(np.angle(analytic))) * SAMPLE_RATE / (2 * np.pi)
    held = hertz[round(0.1 * SAMPLE_RATE) : round(0.9 * SAMPLE_RATE)]
    return 1200 * np.log2(held[::220] / fundamental_hz)


@needs_fluidsynth
@pytest.mark.parametrize("name", CASES)
def test_a_zone_sounds_as_fluidsynth_plays_it(bench: Bench, name: str) -> None:
    case = CASES[name]
    take = bench.take(name, case)
    ours = bench.ours(take)
    theirs = aligned(bench.theirs[name], ours)
    loud = levels(theirs) > levels(theirs).max() - 45
    differences = np.abs(levels(ours) - levels(theirs))[loud]
    assert np.median(differences) < (0.5 if name in STEEP else 0.12), "a tenth is its rounding to centibels"
    assert np.percentile(differences, 80) < 0.5
    for mine, other in zip(ours, theirs, strict=True):
        assert level_db(mine) == pytest.approx(level_db(other), abs=0.5) or level_db(other) < level_db(theirs) - 40
    held = slice(round(0.1 * SAMPLE_RATE), round(HELD_S * SAMPLE_RATE))
    if case.loop and name not in STEEP:
        assert np.median(np.abs(band_errors_db(ours[:, held], theirs[:, held]))) < 0.1
        fundamental = FUNDAMENTAL_HZ * 2 ** (pitch_of(case) / 12)
        both = [pitch_cents(sound, fundamental) for sound in (ours, theirs)]
        assert np.median(np.abs(both[0] - both[1])) < 1.1, "it rounds pitches down to whole cents"


def pitch_of(case: Case) -> float:
    """Return how far a case sounds above the sample, in semitones and without what moves."""
    root = case.generators.get(58, ROOT)
    tuned = case.generators.get(51, 0) + case.generators.get(52, 0) / 100
    return (case.key - root) * case.generators.get(56, 100) / 100 + tuned


@pytest.mark.parametrize("name", sorted(CASES.keys() - SILENT_CASES - {"another key"}))
def test_what_a_zone_says_is_heard(bench: Bench, name: str) -> None:
    case = CASES[name]
    take = bench.take(name, case)
    plain = bench.ours(Take(0, bench.programs["plain"], take.notes, LENGTH_S))
    assert level_db(bench.ours(take) - plain) > level_db(plain) - 40


def test_every_generator_of_the_shipped_fonts_has_a_case() -> None:
    shown = {number for case in CASES.values() for number in case.generators} | {LOOPED, 57, 13}
    used = set()
    for font in map(SoundFont, SOUND_FONTS):
        for bank, program in font.preset_names:
            for region in font.regions(bank, program):
                defaults = DEFAULT_GENERATORS
                used |= {n for n, value in region.generators.items() if value != defaults.get(n, 0)}
    assert used - shown - STRUCTURAL - EFFECT_SENDS - NOT_PLAYED == set()


def test_every_kind_of_modulator_of_the_shipped_fonts_has_a_case() -> None:
    shown = {(m[0], m[1], m[3], m[4]) for case in CASES.values() for m in case.modulators}
    used = set()
    for font in map(SoundFont, SOUND_FONTS):
        for bank, program in font.preset_names:
            for region in font.regions(bank, program):
                used |= {modulator.identity for modulator in region.modulators}
    assert used - shown - {VELOCITY_TO_ATTENUATION.identity} == set()


def test_tremolo_moves_the_level_up_and_down_alike(tmp_path: Path) -> None:
    """As the specification says; FluidSynth never goes above the level at rest."""
    zone = SmallZone(0, {LOOPED: 1, 13: 60, 22: -2400})
    sampler = Sampler([write_font(tmp_path / "tremolo.sf2", [saw()], [[zone]])])
    part = Part("Tremolo", "melody", 0, 0, (Note(0, 4 / QUARTER_S, ROOT, 100),))
    moving = levels(render_part(part, sampler, QUARTER_S, 2 * SAMPLE_RATE).astype(np.float64))[4:]
    assert np.ptp(moving) == pytest.approx(12, abs=1.8)


def test_a_stereo_pair_keeps_its_channels_apart(tmp_path: Path) -> None:
    tones = [SmallSample(saw().samples[:2205] * share, root_pitch=ROOT) for share in (1.0, 0.25)]
    pair = [SmallZone(0, {17: -500}), SmallZone(1, {17: 500})]
    sampler = Sampler([write_font(tmp_path / "pair.sf2", tones, [pair])])
    part = Part("Pair", "melody", 0, 0, (Note(0, 1, ROOT, 100),))
    left, right = render_part(part, sampler, QUARTER_S, 2000).astype(np.float64)
    assert np.allclose(left[:1800] * 0.25, right[:1800], atol=1e-4)
    assert level_db(left) > -40


@pytest.mark.parametrize("velocity", [20, 63, 64, 65, 127])
def test_zones_answer_their_own_keys_and_velocities_only(tmp_path: Path, velocity: int) -> None:
    loud, soft = SmallSample(saw().samples, root_pitch=ROOT), SmallSample(-0.5 * saw().samples, root_pitch=ROOT)
    zones = [SmallZone(0, {43: (60, 69), 44: (64, 127)}), SmallZone(1, {43: (60, 69), 44: (1, 63)})]
    sampler = Sampler([write_font(tmp_path / "layers.sf2", [loud, soft], [zones])])
    for key in (59, 60, 69, 70):
        part = Part("Layers", "melody", 0, 0, (Note(0, 1, key, velocity),))
        sound = render_part(part, sampler, QUARTER_S, 2000)[0]
        if not 60 <= key <= 69:
            assert not sound.any()
            continue
        first = next(value for value in sound if abs(value) > 1e-4)
        assert (first > 0) == ((saw().samples[1] > 0) == (velocity >= 64)), "the other layer is upside down"


def test_a_slow_layer_leaves_all_bits_to_a_fast_one(tmp_path: Path) -> None:
    """As in the piano: a layer that rises for seconds beside one that is struck."""
    struck, rising = SmallZone(0, {LOOPED: 1}), SmallZone(0, {LOOPED: 1, 34: 1586, 48: 500})
    path = write_font(tmp_path / "layers.sf2", [saw()], [[struck], [rising], [struck, rising]])
    sampler = Sampler([path])
    fast, slow, both = (
        render_part(Part("Layer", "melody", 0, program, (Note(0, 8, ROOT, 100),)), sampler, QUARTER_S, 3 * SAMPLE_RATE)
        for program in range(3)
    )
    rest = (both - fast - slow).astype(np.float64)
    assert level_db(rest) < level_db(both.astype(np.float64)) - 85


@pytest.mark.parametrize("held_s", [0.2, 0.5, 1.0])
def test_a_choke_falls_as_fast_wherever_the_note_itself_would_end(tmp_path: Path, held_s: float) -> None:
    zone = SmallZone(0, {LOOPED: 1, 57: 1, 38: 2400, 43: (60, 69)})
    silent = SmallZone(0, {57: 1, 43: (70, 70), 48: 1440})
    path = write_font(tmp_path / "choke.sf2", [saw()], [[zone, silent]])
    notes = (Note(0, held_s / QUARTER_S, ROOT, 127), Note(0.5 / QUARTER_S, 0.1, 70, 1))
    part = Part("Choke", "drums", 0, 0, notes)
    sound = render_part(part, Sampler([path]), QUARTER_S, 2 * SAMPLE_RATE).astype(np.float64)
    fall = levels(sound)[10:20]
    assert np.diff(fall).max() < -4.5, "96 dB in 0.9 s are 5.4 dB each 50 ms"
    if shutil.which(COMMAND) and held_s > 0.5:
        theirs = aligned(play_takes([Take(0, 0, notes, 1.5)], path)[0], sound[:, : round(1.5 * SAMPLE_RATE)])
        assert np.abs(fall - levels(theirs)[10:20]).max() < 1
