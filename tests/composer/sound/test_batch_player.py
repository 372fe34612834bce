"""The batch player, on the processor as a torch device: the same music as the player that adds note by note."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch

from musicgen.composer.card import SOUND_FONTS
from musicgen.composer.composition import compose
from musicgen.composer.score import DRUM_BANK, Note, Part
from musicgen.composer.sound import batch_player
from musicgen.composer.sound.articulation import SAMPLE_RATE
from musicgen.composer.sound.batch_player import BatchPlayer, DeviceSounds
from musicgen.composer.sound.device_memory import PAGE_BYTES, DeviceMemory
from musicgen.composer.sound.part_rendering import PartPlayer, schedule
from musicgen.composer.sound.players import make_player
from musicgen.composer.sound.resampling import Samples
from musicgen.composer.sound.sampler import Sampler
from musicgen.options import GenerationOptions

QUARTER_S = 0.5
# The order of sums and products differs, in float32: a few of its 24 bits.
TOLERANCE_DB = -120.0
PROMPTS = (
    "funk with slap bass and brass",
    "synthwave with a supersaw lead and an 808",
    "orchestral film music with choir and timpani",
    "lofi hip hop with electric piano and brushes",
)


@pytest.fixture(scope="module")
def sampler() -> Sampler:
    return Sampler(SOUND_FONTS)


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Threads would only get in each other's way: the batches are small."""
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(n_threads)


@pytest.fixture(scope="module")
def sounds() -> DeviceSounds:
    return DeviceSounds("cpu", 64 * 2**20)


def busy_part(program: int = 48, n_notes: int = 40, bank: int = 0) -> Part:
    random = np.random.default_rng(program)
    low, high = (35, 52) if bank == DRUM_BANK else (50, 75)
    notes = tuple(
        Note(
            float(onset), float(random.uniform(0.1, 3)), int(random.integers(low, high)), int(random.integers(30, 120))
        )
        for onset in np.sort(random.uniform(0, 10, n_notes))
    )
    return Part("Busy", "pad", bank, program, notes)


def played(player: PartPlayer, n: int, windows: Iterator[int]) -> Samples:
    """Play n samples in windows of the given lengths."""
    pieces, start = [], 0
    while start < n:
        stop = min(start + next(windows), n)
        pieces.append(player.play(start, stop).copy())
        start = stop
    return np.concatenate(pieces, axis=1)


def every(window: int) -> Iterator[int]:
    while True:
        yield window


def difference_db(ours: Samples, reference: Samples) -> float:
    """Return the loudest difference against the loudest sample, dB."""
    peak = np.abs(reference).max(initial=1e-9)
    return float(20 * np.log10(np.abs(ours.astype(np.float64) - reference).max(initial=0.0) / peak + 1e-12))


@pytest.mark.parametrize("window", [777, 10_000, 2**16])
@pytest.mark.parametrize(("bank", "program"), [(0, 48), (0, 0), (0, 105), (DRUM_BANK, 0), (DRUM_BANK, 48)])
def test_windows_of_any_length_hold_what_the_processor_plays(
    sampler: Sampler, sounds: DeviceSounds, bank: int, program: int, window: int
) -> None:
    n = (1 if window < 1000 else 4) * SAMPLE_RATE
    events = schedule(busy_part(program, bank=bank), sampler, QUARTER_S, n)
    reference = played(PartPlayer(events, sampler), n, every(2**16))
    batched = played(BatchPlayer(events, sampler, sounds), n, every(window))
    assert batched.dtype == np.float32
    assert np.abs(reference).max() > 0.01
    assert difference_db(batched, reference) < TOLERANCE_DB


@pytest.mark.parametrize("prompt", PROMPTS)
def test_whole_bands_of_any_style_sound_alike(sampler: Sampler, sounds: DeviceSounds, prompt: str) -> None:
    score = compose(GenerationOptions(prompt, seed=3, duration=5.0)).score
    n = round(score.duration_s * SAMPLE_RATE)
    assert score.parts
    for part in score.parts:
        events = schedule(part, sampler, score.quarter_s, n)
        reference = played(PartPlayer(events, sampler), n, every(2**16))
        batched = played(BatchPlayer(events, sampler, sounds), n, every(2**16))
        assert difference_db(batched, reference) < TOLERANCE_DB, part.name


def test_a_choked_hat_falls_alike_before_at_and_after_its_own_end(sampler: Sampler, sounds: DeviceSounds) -> None:
    n = 4 * SAMPLE_RATE
    for held in (0.25, 0.5, 2.0):
        part = Part("Hats", "drums", DRUM_BANK, 0, (Note(0, held, 46, 100), Note(0.5, 0.1, 42, 90), Note(3, 1, 46, 80)))
        events = schedule(part, sampler, QUARTER_S, n)
        reference = played(PartPlayer(events, sampler), n, every(2**16))
        assert difference_db(played(BatchPlayer(events, sampler, sounds), n, every(5000)), reference) < TOLERANCE_DB


def test_a_long_pad_whose_sound_is_a_loop_is_played_alike(sampler: Sampler, sounds: DeviceSounds) -> None:
    n = 30 * SAMPLE_RATE
    for program in (48, 89):
        part = Part("Pad", "pad", 0, program, (Note(0, 50, 55, 90), Note(10, 45, 62, 70)))
        events = schedule(part, sampler, QUARTER_S, n)
        assert any(sound.n_loop for event in events for sound in sampler.sounds(event.key))
        reference = played(PartPlayer(events, sampler), n, every(2**16))
        assert difference_db(played(BatchPlayer(events, sampler, sounds), n, every(2**16)), reference) < TOLERANCE_DB


def test_a_small_device_copies_sounds_again_and_plays_the_same(sampler: Sampler) -> None:
    n = 4 * SAMPLE_RATE
    events = schedule(busy_part(), sampler, QUARTER_S, n)
    reference = played(PartPlayer(events, sampler), n, every(2**16))
    largest = max(
        sum(a.nbytes + PAGE_BYTES for a in (*sound.samples, sound.envelope, sound.release))
        for event in events
        for sound in sampler.sounds(event.key)
    )
    tight = DeviceSounds("cpu", int(largest * 1.5))
    assert difference_db(played(BatchPlayer(events, sampler, tight), n, every(2**15)), reference) < TOLERANCE_DB


def test_batches_of_few_rows_add_up_to_the_same(
    sampler: Sampler, sounds: DeviceSounds, monkeypatch: pytest.MonkeyPatch
) -> None:
    n = 4 * SAMPLE_RATE
    events = schedule(busy_part(), sampler, QUARTER_S, n)
    reference = played(PartPlayer(events, sampler), n, every(2**16))
    monkeypatch.setattr(batch_player, "BATCH_CELLS", 3 * 2**16)
    assert difference_db(played(BatchPlayer(events, sampler, sounds), n, every(2**16)), reference) < TOLERANCE_DB


def test_the_same_windows_give_the_same_bits_cold_and_warm(sampler: Sampler, sounds: DeviceSounds) -> None:
    n = 4 * SAMPLE_RATE
    events = schedule(busy_part(), sampler, QUARTER_S, n)
    cold = played(BatchPlayer(events, sampler, DeviceSounds("cpu", 64 * 2**20)), n, every(2**16))
    warm = [played(BatchPlayer(events, sampler, sounds), n, every(2**16)) for _ in range(2)]
    assert np.array_equal(cold, warm[0])
    assert np.array_equal(cold, warm[1])


def test_upcoming_sounds_are_those_of_notes_not_yet_begun(sampler: Sampler, sounds: DeviceSounds) -> None:
    n = 8 * SAMPLE_RATE
    events = schedule(busy_part(), sampler, QUARTER_S, n)
    player = BatchPlayer(events, sampler, sounds)
    assert len(list(player.upcoming(0, n))) == len(events)
    player.play(0, n // 2)
    assert list(player.upcoming(0, n)) == [event.key for event in events if event.onset >= n // 2]


def test_silence_is_silent(sampler: Sampler, sounds: DeviceSounds) -> None:
    silent = BatchPlayer([], sampler, sounds).play(0, 1000)
    assert silent.shape == (2, 1000)
    assert not silent.any()


@pytest.mark.parametrize("device", ["cpu", "mps"])
def test_other_devices_than_cuda_leave_the_work_to_the_processor(sampler: Sampler, device: str) -> None:
    assert type(make_player([], sampler, device)) is PartPlayer


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_cuda_device_plays_the_same(sampler: Sampler) -> None:
    n = 8 * SAMPLE_RATE
    events = schedule(busy_part(), sampler, QUARTER_S, n)
    reference = played(PartPlayer(events, sampler), n, every(2**16))
    first, again = (played(make_player(events, sampler, "cuda"), n, every(2**16)) for _ in range(2))
    assert np.array_equal(first, again)
    assert difference_db(first, reference) < TOLERANCE_DB


def memory_of(n_pages: int) -> DeviceMemory:
    return DeviceMemory("cpu", n_pages * PAGE_BYTES)


def full_page(value: int) -> np.ndarray:
    return np.full(PAGE_BYTES // 2, value, dtype=np.int16)


def test_the_least_recently_used_leaves_the_device_first() -> None:
    memory = memory_of(3)
    for value in (1, 2, 3):
        memory.hold(value, [full_page(value)])
    memory.hold(1, [full_page(1)])
    memory.hold(4, [full_page(4)])
    assert [value in memory for value in (1, 2, 3, 4)] == [True, False, True, True]


def test_arrays_of_any_type_come_back_from_scattered_pages() -> None:
    memory = memory_of(8)
    make: Callable[[int], np.ndarray] = np.random.default_rng(1).standard_normal
    memory.hold("gap", [full_page(7)])
    floats, steps = make(2500).astype(np.float32), np.arange(3000, dtype=np.int16)
    memory.hold("other", [full_page(9)])
    float_pages, step_pages = memory.hold("both", [floats, steps])
    for array, pages, dtype in ((floats, float_pages, torch.float32), (steps, step_pages, torch.int16)):
        places = torch.arange(len(array))[None]
        read = memory.gather(dtype, torch.from_numpy(pages)[None], places)
        assert np.array_equal(read[0].numpy(), array)


def test_a_sound_larger_than_the_device_memory_is_refused_with_both_sizes() -> None:
    memory = DeviceMemory("cpu", 2**20)
    with pytest.raises(ValueError, match="a sound of 2 MB does not go into a device memory of 1 MB"):
        memory.hold("large", [np.zeros(2**20, dtype=np.int16)])
