"""The model of a worker: its device, its one engine, and whose turn it is."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import ClassVar

import numpy as np
import pytest
import torch
from flask import Flask

from musicgen.composer.card import CARD as COMPOSER
from musicgen.devices import pick_device
from musicgen.engine import EngineSettings, OnProgress, Rendering
from musicgen.errors import (
    DeviceUnavailable,
    EngineUnavailable,
    GenerationBusy,
    GenerationCancelled,
    InvalidOptions,
)
from musicgen.music_model import ENGINE_CARDS, MusicModel, music_model
from musicgen.options import GenerationOptions
from tests.tone_engine import BlockingEngine, ToneEngine, card

PATIENCE_S = 60


class WatchedLoading(ToneEngine):
    """Notes what the model says of itself while this engine loads."""

    name = "watched"
    seen: ClassVar[list[tuple[str, str]]] = []

    def load(self, settings: EngineSettings) -> None:
        self.seen.append((music_model.state, settings.device))


def ask(model: str | None = None, **options: object) -> GenerationOptions:
    return GenerationOptions("rain", duration=5.0, seed=1, model=model, **options)  # type: ignore[arg-type]


def ignore_progress(_stage: str, _fraction: float) -> None:
    """Listen to no progress."""


def generate(model: str | None = None, on_progress: OnProgress = ignore_progress) -> Rendering:
    with music_model.generation(ask(model), on_progress) as rendering:
        return rendering


@pytest.fixture
def pool(blocking: type[BlockingEngine]) -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as threads:
        yield threads
        blocking.may_end.set()


@pytest.fixture
def blocked(app: Flask, pool: ThreadPoolExecutor, blocking: type[BlockingEngine]) -> "Future[Rendering]":
    """A generation that holds the engine until `blocking.may_end` is set."""
    running = pool.submit(generate, "blocking")
    assert blocking.has_begun.wait(PATIENCE_S)
    return running


def test_the_composer_is_there_out_of_the_box() -> None:
    assert COMPOSER in ENGINE_CARDS


def test_nothing_is_picked_or_loaded_before_the_first_use(app: Flask) -> None:
    assert (music_model.device, music_model.state, music_model.load_count) == (None, "empty", 0)
    music_model.check(ask())
    assert (music_model.device, music_model.state, music_model.load_count) == ("cpu", "empty", 0)
    generate()
    assert (music_model.device, music_model.state, music_model.load_count) == ("cpu", "ready", 1)


def test_successive_generations_reuse_the_engine(app: Flask) -> None:
    generate()
    engine = music_model._engine
    generate("tone")
    assert music_model._engine is engine
    assert music_model.load_count == 1


def test_another_model_replaces_the_engine(app: Flask) -> None:
    generate("tone")
    generate("silent")
    assert type(music_model._engine).__name__ == "SilentEngine"
    generate("tone")
    assert music_model.load_count == 3


def test_equal_seeds_give_equal_sound_exactly_as_long_as_asked(app: Flask) -> None:
    first, second = generate().audio.collect(), generate().audio.collect()
    assert np.array_equal(first.samples, second.samples)
    assert first.n_samples == 5 * first.sample_rate


def test_the_state_tells_loading_from_generating(make_app: Callable[..., Flask]) -> None:
    WatchedLoading.seen.clear()
    make_app(ENGINE_CARDS=(card(WatchedLoading),), MUSICGEN_MODEL="watched")
    stages = []
    generate(on_progress=lambda stage, _fraction: stages.append((stage, music_model.state)))
    assert WatchedLoading.seen == [("loading", "cpu")]
    assert list(dict.fromkeys(stages)) == [("loading", "loading"), ("plan", "generating"), ("render", "generating")]


def test_an_engine_that_cannot_be_loaded_leaves_room_for_another(app: Flask) -> None:
    with pytest.raises(RuntimeError, match="damaged"):
        generate("broken")
    assert music_model.state == "empty"
    generate("tone")
    assert music_model.load_count == 1


def test_the_engine_survives_a_failed_generation(app: Flask) -> None:
    with pytest.raises(RuntimeError, match="string"):
        generate("failing")
    assert music_model.state == "ready"


def test_an_unknown_model_is_answered_with_the_known_ones(app: Flask) -> None:
    with pytest.raises(InvalidOptions) as caught:
        music_model.check(ask("theremin"))
    assert "'theremin'" in caught.value.errors["model"][0]
    assert "tone, silent, parted, failing" in caught.value.errors["model"][0]


def test_a_default_model_that_does_not_exist_stops_the_start(make_app: Callable[..., Flask]) -> None:
    with pytest.raises(ValueError, match=r"MUSICGEN_MODEL='theremin'.*tone"):
        make_app(MUSICGEN_MODEL="theremin")


def test_a_track_too_long_for_an_engine_is_answered_with_those_that_can(app: Flask) -> None:
    with pytest.raises(InvalidOptions) as caught:
        music_model.check(GenerationOptions("rain", duration=61.5, model="silent"))
    assert "at most 60 seconds, not 61.5" in caught.value.errors["duration"][0]
    assert "use tone or parted or failing" in caught.value.errors["duration"][0]


def test_lyrics_for_an_engine_that_cannot_sing_are_no_error(app: Flask) -> None:
    music_model.check(ask(lyrics="la la la"))


def test_an_engine_without_its_weights_is_unavailable(app: Flask) -> None:
    with pytest.raises(EngineUnavailable, match="make weights"):
        music_model.check(ask("absent"))


def test_an_absent_device_is_named_with_those_that_are_here(make_app: Callable[..., Flask]) -> None:
    absent = "mps" if torch.cuda.is_available() or not torch.backends.mps.is_available() else "cuda"
    make_app(MUSICGEN_DEVICE=absent)
    with pytest.raises(DeviceUnavailable) as caught:
        music_model.check(ask())
    assert caught.value.device == absent
    assert "cpu" in caught.value.available
    assert music_model.device is None


def test_auto_takes_the_first_of_cuda_mps_cpu() -> None:
    expected = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    assert pick_device("auto") == expected


def test_one_generation_at_a_time(app: Flask, pool: ThreadPoolExecutor) -> None:
    started = threading.Barrier(4)

    def generate_together() -> Rendering:
        started.wait(PATIENCE_S)
        return generate()

    renderings = [pool.submit(generate_together) for _ in range(4)]
    assert len({rendering.result(PATIENCE_S).title for rendering in renderings}) == 1
    assert ToneEngine.most_running == 1
    assert music_model.load_count == 1


def test_callers_are_served_in_the_order_they_came(
    app: Flask, pool: ThreadPoolExecutor, blocked: "Future[Rendering]", blocking: type[BlockingEngine]
) -> None:
    order: list[int] = []

    def join_the_line(number: int) -> "Future[Rendering]":
        is_waiting = threading.Event()

        def listen(stage: str, _fraction: float) -> None:
            if stage == "waiting":
                is_waiting.set()
            if stage == "plan":
                order.append(number)

        future = pool.submit(generate, "tone", listen)
        assert is_waiting.wait(PATIENCE_S)
        return future

    waiting = [join_the_line(number) for number in range(3)]
    blocking.may_end.set()
    for future in [blocked, *waiting]:
        future.result(PATIENCE_S)
    assert order == [0, 1, 2]


def test_a_waiting_caller_may_hang_up(app: Flask, blocked: "Future[Rendering]", blocking: type[BlockingEngine]) -> None:
    heard = []

    def hang_up(stage: str, fraction: float) -> None:
        heard.append((stage, fraction))
        raise GenerationCancelled("enough")

    with pytest.raises(GenerationCancelled):
        generate("tone", hang_up)
    assert heard == [("waiting", 0.0)]
    assert music_model.state == "generating"
    blocking.may_end.set()
    blocked.result(PATIENCE_S)
    generate("tone")


def test_a_running_caller_may_hang_up(app: Flask) -> None:
    def hang_up(stage: str, _fraction: float) -> None:
        if stage == "render":
            raise GenerationCancelled("enough")

    with pytest.raises(GenerationCancelled):
        generate("tone", hang_up)
    assert (music_model.state, ToneEngine.n_running) == ("ready", 0)
    generate("tone")


def test_the_line_takes_one_that_runs_and_max_waiting_more(app: Flask) -> None:
    with music_model.place_in_line():
        with music_model.place_in_line():
            with pytest.raises(GenerationBusy) as caught, music_model.place_in_line():
                pass
            assert caught.value.retry_after_s >= 1
        with music_model.place_in_line():
            pass


def test_retry_after_is_what_the_running_generation_still_needs(make_app: Callable[..., Flask]) -> None:
    now_s = 0.0

    def pass_time(_stage: str, _fraction: float) -> None:
        nonlocal now_s
        now_s += 10.0

    model = MusicModel(clock=lambda: now_s)
    model.init_app(make_app(MAX_WAITING=0))
    for on_progress in (ignore_progress, pass_time):
        with model.generation(ask(), on_progress):
            pass
    retries = []

    def pass_time_and_ask(_stage: str, _fraction: float) -> None:
        nonlocal now_s
        now_s += 3.0
        with pytest.raises(GenerationBusy) as caught, model.place_in_line():
            pass
        retries.append(caught.value.retry_after_s)

    with model.place_in_line(), model.generation(ask(), pass_time_and_ask):
        pass
    # The mean of 0 and 20 seconds, less 3 and then 6.
    assert retries == [7, 4]
