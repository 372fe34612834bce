"""The one model of a worker process: which device, which engine, and whose turn it is.

Empty until `init_app`; the device is picked and the engine loaded on first use, so after gunicorn has forked. Knows
nothing of how an engine works, of HTTP or of the database.
"""

import importlib
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from flask import Flask

from musicgen.composer.card import CARD as COMPOSER
from musicgen.devices import pick_device
from musicgen.diffrhythm.card import CARD as DIFFRHYTHM
from musicgen.downloads import Download
from musicgen.engine import Engine, EngineCard, EngineSettings, OnProgress, PlannedTrack, PlanningEngine, Rendering
from musicgen.errors import EngineUnavailable, GenerationBusy, InvalidOptions
from musicgen.options import GenerationOptions

ENGINE_CARDS = (COMPOSER, DIFFRHYTHM)
# How often a caller who waits, in line or for an engine, hears that it still does, and may cancel.
WAITING_SLICE_S = 0.2
# So many past generations tell how long the next one takes.
N_REMEMBERED_TIMES = 8


class MusicModel:
    """Loads one engine, and lets one generation at a time use it.

    Attributes:
        device: torch device of this worker; None until the first request is checked.
        load_count: how many engines have been loaded so far.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.load_count = 0
        self.device: str | None = None
        self._cards: dict[str, EngineCard] = {}
        self._default_name = ""
        self._wanted_device = "auto"
        self._precision = "auto"
        self._weights_dir = Path()
        self._max_waiting = 0
        self._engine: Engine | None = None
        self._engine_name = ""
        self._loading: tuple[str, Future[Engine]] | None = None
        self._activity: Literal["loading", "generating"] | None = None
        self._turns: deque[object] = deque()
        self._turns_changed = threading.Condition()
        self._n_places = 0
        self._recent_times_s: deque[float] = deque(maxlen=N_REMEMBERED_TIMES)
        self._running_since = 0.0

    def init_app(self, app: Flask) -> None:
        """Take the settings of `app` and forget the engine of an earlier one; loads nothing.

        Raises:
            ValueError: MUSICGEN_MODEL names no engine.
        """
        cards: tuple[EngineCard, ...] = app.config.get("ENGINE_CARDS", ENGINE_CARDS)
        self._cards = {card.name: card for card in cards}
        self._default_name = app.config["MUSICGEN_MODEL"]
        if self._default_name not in self._cards:
            raise ValueError(f"MUSICGEN_MODEL={self._default_name!r} is none of {', '.join(self._cards)}")
        self._wanted_device = app.config["MUSICGEN_DEVICE"]
        self._precision = app.config["MUSICGEN_PRECISION"]
        self._weights_dir = Path(app.config["MUSICGEN_WEIGHTS_DIR"])
        self._max_waiting = app.config["MAX_WAITING"]
        self._engine, self._engine_name, self._loading = None, "", None
        self.device, self.load_count = None, 0
        self._recent_times_s.clear()

    @property
    def state(self) -> Literal["empty", "loading", "ready", "generating"]:
        """What the model does right now; "empty" before its first use."""
        return self._activity or ("ready" if self._engine else "empty")

    @property
    def default_name(self) -> str:
        """Name of the engine of requests that name none."""
        return self._default_name

    def cards(self) -> tuple[EngineCard, ...]:
        """Return the cards of every engine, ready or not."""
        return tuple(self._cards.values())

    def card(self, name: str | None) -> EngineCard:
        """Return the card of the engine called `name`; None takes the default one.

        Raises:
            InvalidOptions: there is no such engine.
        """
        try:
            return self._cards[name or self._default_name]
        except KeyError:
            known = ", ".join(self._cards)
            raise InvalidOptions({"model": [f"There is no model {name!r}; choose one of: {known}."]}) from None

    def why_not_ready(self, card: EngineCard) -> str | None:
        """Say what an engine misses on this machine; None means that it can run."""
        return card.why_not_ready(self._weights_dir)

    def downloads(self, card: EngineCard) -> tuple[Download, ...]:
        """Return the files that an engine wants to have on this machine, here already or not.

        Raises:
            EngineUnavailable: what finds them is not installed.
        """
        if not card.fetcher:
            return ()
        found: tuple[Download, ...] = _imported(card.fetcher)(self._weights_dir)
        return found

    def check(self, options: GenerationOptions) -> EngineCard:
        """Make sure, before any work, that `options` can be done here; return the card of the engine that will.

        Raises:
            InvalidOptions: the engine is unknown, or cannot do what is asked, as make a track so long.
            EngineUnavailable: the engine misses something.
            DeviceUnavailable: the configured device is absent.
        """
        card = self._able_card(options)
        reason = self.why_not_ready(card)
        if reason:
            raise EngineUnavailable(card.name, reason)
        card.check(options, self._weights_dir)
        self.device = self.device or pick_device(self._wanted_device)
        return card

    def _able_card(self, options: GenerationOptions) -> EngineCard:
        card = self.card(options.model)
        errors = {}
        if options.duration > card.max_duration_s:
            errors["duration"] = self._too_long(card, options.duration)
        if options.plan is not None and not card.supports_plan:
            errors["plan"] = self._no_plans(card)
        if options.style_audio is not None and not card.supports_style_audio:
            able = self._way_out(other.supports_style_audio for other in self.cards())
            errors["style_audio"] = f"{card.name} cannot listen to a recording{able}."
        if options.regenerate is not None and not card.supports_editing:
            able = self._way_out(other.supports_editing for other in self.cards())
            errors["regenerate"] = f"{card.name} cannot make parts of a track anew{able}."
        if errors:
            raise InvalidOptions({field: [text] for field, text in errors.items()})
        return card

    def _no_plans(self, card: EngineCard) -> str:
        return f"{card.name} makes music without a plan{self._way_out(other.supports_plan for other in self.cards())}."

    def _way_out(self, are_able: Iterable[bool]) -> str:
        able = [card.name for card, is_able in zip(self.cards(), are_able, strict=True) if is_able]
        return f'; ask for "model": "{able[0]}"' if able else ""

    def _too_long(self, card: EngineCard, duration_s: float) -> str:
        able = [other.name for other in self.cards() if other.max_duration_s >= duration_s]
        way_out = f"ask for less, or use {' or '.join(able)}" if able else "ask for less"
        return f"{card.name} makes at most {card.max_duration_s:g} seconds, not {duration_s:g}; {way_out}."

    def plan(self, options: GenerationOptions) -> PlannedTrack:
        """Plan a track without making it: loads nothing, waits for nobody.

        Raises:
            InvalidOptions: the engine is unknown, has no plans, the track is too long, or `options.plan` is bad.
        """
        card = self._able_card(options)
        if not card.supports_plan:
            raise InvalidOptions({"model": [self._no_plans(card)]})
        planner: PlanningEngine = _engine_class(card)()
        return planner.plan(options)

    def with_checked_plan(self, options: GenerationOptions) -> GenerationOptions:
        """Complete the plan that `options` brings or extends, if any, and take the duration from it.

        Raises:
            InvalidOptions: see `plan`.
        """
        if options.plan is None and options.extends is None:
            return options
        plan = self.plan(options).plan
        return replace(options, plan=plan, extends=None, duration=plan["duration"])

    @contextmanager
    def place_in_line(self) -> Iterator[None]:
        """Hold a place among the one that generates and the MAX_WAITING that wait.

        Raises:
            GenerationBusy: every place is taken.
        """
        with self._turns_changed:
            if self._n_places > self._max_waiting:
                raise GenerationBusy(self._retry_after_s())
            self._n_places += 1
        try:
            yield
        finally:
            with self._turns_changed:
                self._n_places -= 1

    def _retry_after_s(self) -> int:
        # A place becomes free when the running generation ends.
        usual_s = sum(self._recent_times_s) / max(len(self._recent_times_s), 1)
        elapsed_s = self._clock() - self._running_since if self._activity else 0.0
        return max(1, math.ceil(usual_s - elapsed_s))

    @contextmanager
    def generation(self, options: GenerationOptions, on_progress: OnProgress) -> Iterator[Rendering]:
        """Make music when the callers before are done; reports the stages "waiting", "loading" and the engine's own.

        The turn ends with the context: what the rendering makes only when it is taken, its stems, belongs inside.

        Raises:
            GenerationCancelled: from `on_progress`, also while waiting.
            InvalidOptions, EngineUnavailable, DeviceUnavailable: see `check`.
            Exception: whatever the engine could not do.
        """
        card = self.check(options)
        with self._own_turn(on_progress):
            self._running_since = self._clock()
            try:
                engine = self._loaded(card, on_progress)
                self._activity = "generating"
                yield engine.generate(options, on_progress)
                self._recent_times_s.append(self._clock() - self._running_since)
            finally:
                self._activity = None

    @contextmanager
    def _own_turn(self, on_progress: OnProgress) -> Iterator[None]:
        ticket = object()
        with self._turns_changed:
            self._turns.append(ticket)
        try:
            while not self._is_first(ticket):
                on_progress("waiting", 0.0)
            yield
        finally:
            with self._turns_changed:
                self._turns.remove(ticket)
                self._turns_changed.notify_all()

    def _is_first(self, ticket: object) -> bool:
        with self._turns_changed:
            return self._turns_changed.wait_for(lambda: self._turns[0] is ticket, WAITING_SLICE_S)

    def _loaded(self, card: EngineCard, on_progress: OnProgress) -> Engine:
        while self._engine is None or self._engine_name != card.name:
            self._activity = "loading"
            on_progress("loading", 0.0)
            name, loading = self._loading = self._loading or (card.name, self._begin_to_load(card))
            # It goes on when this caller gives up: the next one most probably needs the same engine.
            while not wait([loading], WAITING_SLICE_S).done:
                on_progress("loading", 0.0)
            self._loading = None
            if loading.exception() is None:
                self._engine, self._engine_name = loading.result(), name
            elif name == card.name:
                loading.result()
        return self._engine

    def _begin_to_load(self, card: EngineCard) -> "Future[Engine]":
        # The old engine goes first: two of them may not fit into memory.
        self._engine = None
        loading: Future[Engine] = Future()

        def load() -> None:
            try:
                engine: Engine = _engine_class(card)()
                device = self.device or pick_device(self._wanted_device)
                engine.load(EngineSettings(device, self._weights_dir, self._precision))
                self.load_count += 1
                loading.set_result(engine)
            except BaseException as error:
                loading.set_exception(error)

        threading.Thread(target=load, name=f"load {card.name}").start()
        return loading


def _engine_class(card: EngineCard) -> Any:
    return _imported(card.factory)


def _imported(name: str) -> Any:
    """Import "package.module:thing"."""
    module_name, thing = name.split(":")
    return getattr(importlib.import_module(module_name), thing)


music_model = MusicModel()
