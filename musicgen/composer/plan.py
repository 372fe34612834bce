"""The plan: what the piece will be before a note is written. Brief in; style, tempo, key, form and band out.

The tempo and the number of bars are chosen together so that the last chord falls early enough to ring out, and late
enough that no silence follows: music ends at the asked duration by itself.
"""

import math
import random
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from musicgen.composer.brief import Brief
from musicgen.composer.casting import Chair, cast_band
from musicgen.composer.development import Close, all_closes
from musicgen.composer.forms import all_forms
from musicgen.composer.layout import Frame, lay_out
from musicgen.composer.score import KeyChange
from musicgen.composer.section import Section
from musicgen.composer.style import Style
from musicgen.composer.style_file import all_styles
from musicgen.notation import Key, TimeSignature
from musicgen.options import MAX_TEMPO, MIN_TEMPO

DEFAULT_STYLE = "pop"
# Seconds that the last chord rings: at least, at best, and at most before the last bar is held instead.
RING_MIN_S, RING_BEST_S, RING_MAX_S = 1.6, 2.8, 4.6
# How long it rings at best where the ending strikes it short, or lets it ring long.
SHORT_RING_S, LONG_RING_S = 1.7, 4.2
# Tonics that singers and guitars like, by how often they are drawn.
TONIC_WEIGHTS = {0: 5, 7: 5, 2: 5, 9: 5, 4: 4, 5: 4, 10: 2, 3: 2, 11: 1, 8: 1, 1: 1, 6: 1}
# What it costs a tempo to leave the usual one, to ring too long or too short, and to leave bars over: a number that the
# form's unit does not divide, one that four does not, one that two does not.
TEMPO_COST, RING_COST = 3.0, 0.3
# How far the tempo may lie from the middle between what a style is used to and what the prompt's words mean.
TEMPO_LEEWAY = 1.06
BARS_OVER_COSTS = (0.2, 0.2, 0.3)


@dataclass(frozen=True, slots=True)
class Plan:
    """What the piece will be.

    Attributes:
        style: its style.
        tempo: quarter notes a minute.
        key: tonic and mode.
        time_signature: of every bar.
        duration_s: asked length in seconds.
        sections: in order, together `n_bars` bars.
        hold: quarter notes by which the last bar is prolonged (or, where not even one fits, shortened) so that the last
            chord falls in time.
        band: who plays.
        close: how it ends, a name among the endings of `development.toml`.
    """

    style: Style
    tempo: float
    key: Key
    time_signature: TimeSignature
    duration_s: float
    sections: tuple[Section, ...]
    hold: float
    band: tuple[Chair, ...]
    close: str = "ring"

    @property
    def n_bars(self) -> int:
        """Bars before the last chord."""
        return sum(section.bars for section in self.sections)

    @property
    def ending(self) -> float:
        """Onset of the last chord in quarter notes."""
        return self.n_bars * self.time_signature.bar_quarters + self.hold

    def key_of(self, section: Section) -> Key:
        """Return the key in which a section sounds."""
        return Key((self.key.tonic + section.lift) % 12, self.key.mode)

    @property
    def keys(self) -> tuple[KeyChange, ...]:
        """The key of the beginning and every change of it."""
        starts = [
            (section.first_bar * self.time_signature.bar_quarters, self.key_of(section)) for section in self.sections
        ]
        fresh = [i for i, (_, key) in enumerate(starts) if i == 0 or key != starts[i - 1][1]]
        return tuple(KeyChange(*starts[i]) for i in fresh)

    def section_at(self, onset: float) -> Section:
        """Return the section that sounds at `onset`, in quarter notes; the last one after the end."""
        bar = (onset + 1e-6) / self.time_signature.bar_quarters
        return next((section for section in reversed(self.sections) if section.first_bar <= bar), self.sections[0])

    def energies_at(self, onsets: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the energy (0 to 1) at each of `onsets`, in quarter notes."""
        bar_quarters = self.time_signature.bar_quarters
        first_bars, bars, begins, ends = np.array(
            [(s.first_bar, s.bars, s.energy, s.to_energy) for s in self.sections]
        ).T
        i = np.maximum(np.searchsorted(first_bars, (onsets + 1e-6) / bar_quarters, "right") - 1, 0)
        shares = ((onsets / bar_quarters - first_bars[i]) / bars[i]).clip(0.0, 1.0)
        energies: NDArray[np.float64] = begins[i] + (ends[i] - begins[i]) * shares
        return energies


def make_plan(brief: Brief, duration_s: float, seed: str) -> Plan:
    """Decide everything that the brief leaves open; the randomness comes from `seed`."""
    style = all_styles()[brief.style or DEFAULT_STYLE]
    time_signature = brief.time_signature or style.time_signature
    # A stream for each decision: one that a request takes away does not turn the others.
    tempo_rng, key_rng, band_rng, ends_rng = (
        random.Random(f"{seed}/plan/{name}") for name in ("tempo", "key", "band", "ends")
    )
    intro, close = ends_rng.choice(style.intros), ends_rng.choice(style.endings)
    preferred, unit = _preferred_tempo(brief, style, tempo_rng), all_forms()[style.form].unit
    ring_s = best_ring_s(all_closes()[close])
    tempo, n_bars = fit_tempo(_tempos(brief, style), preferred, unit, time_signature, duration_s, ring_s)
    key, band = _choose_key(brief, style, key_rng), cast_band(style, brief, tempo, band_rng)
    frame = Frame(
        style=style,
        band=band,
        mode=key.mode,
        n_bars=n_bars,
        bar_s=time_signature.bar_quarters * 60 / tempo,
        arousal=_arousal(brief, style),
        intro=intro,
        close=all_closes()[close],
        may_lift=brief.tonic is None,
    )
    hold = hold_for(tempo, n_bars, time_signature, duration_s)
    return Plan(style, tempo, key, time_signature, duration_s, lay_out(frame, seed), hold, band, close)


def best_ring_s(close: Close) -> float:
    """Seconds that the last chord of an ending rings at best."""
    return SHORT_RING_S if close.short else LONG_RING_S if close.long else RING_BEST_S


def _arousal(brief: Brief, style: Style) -> float:
    return style.energy if brief.arousal is None else (style.energy + 2 * brief.arousal) / 3


def _tempo_range(brief: Brief, style: Style) -> tuple[float, float]:
    """Lowest and highest tempo: where the prompt's words and the style agree, or between them where they do not."""
    low, high = (min(max(tempo * brief.tempo_factor, MIN_TEMPO), MAX_TEMPO) for tempo in style.tempo)
    if brief.tempo_range is None:
        return low, high
    asked_low, asked_high = brief.tempo_range
    if max(low, asked_low) <= min(high, asked_high):
        return max(low, asked_low), min(high, asked_high)
    between = math.sqrt(asked_high * low if asked_high < low else asked_low * high)
    return between / TEMPO_LEEWAY, between * TEMPO_LEEWAY


def _tempos(brief: Brief, style: Style) -> Iterable[float]:
    """List the tempos that may be taken: the asked one, or the whole numbers of the range."""
    if brief.tempo is not None:
        return [brief.tempo]
    low, high = _tempo_range(brief, style)
    return [float(tempo) for tempo in range(math.ceil(low), math.floor(high) + 1)] or [round((low + high) / 2)]


def _preferred_tempo(brief: Brief, style: Style, rng: random.Random) -> float:
    """Draw a tempo from the range; arousal pulls it to one end."""
    low, high = _tempo_range(brief, style)
    lean = 0.5 if brief.arousal is None else brief.arousal
    return brief.tempo or rng.triangular(low, high, low + lean * (high - low))


def fit_tempo(
    tempos: Iterable[float],
    preferred: float,
    unit: int,
    time_signature: TimeSignature,
    duration_s: float,
    ring_goal_s: float = RING_BEST_S,
) -> tuple[float, int]:
    """Choose tempo and bars so that they end in time for the last chord to ring.

    Returns the tempo (quarters a minute) near `preferred` that leaves a good ring and groups of `unit` bars, and the
    number of bars before the last chord, at least one.
    """

    def cost(tempo: float) -> float:
        n_bars, ring_s = bars_and_ring(tempo, time_signature, duration_s)
        over = sum(c for group, c in zip((unit, 4, 2), BARS_OVER_COSTS, strict=True) if n_bars > 2 and n_bars % group)
        return TEMPO_COST * abs(math.log(tempo / preferred)) + over + RING_COST * abs(ring_s - ring_goal_s)

    tempo = min(tempos, key=cost)
    return tempo, bars_and_ring(tempo, time_signature, duration_s)[0]


def bars_and_ring(tempo: float, time_signature: TimeSignature, duration_s: float) -> tuple[int, float]:
    """Return how many bars fit before the last chord, at least one, and the seconds that it then may ring."""
    bar_s = time_signature.bar_quarters * 60 / tempo
    n_bars = max(1, int((duration_s - RING_MIN_S) / bar_s))
    return n_bars, duration_s - n_bars * bar_s


def hold_for(tempo: float, n_bars: int, time_signature: TimeSignature, duration_s: float) -> float:
    """Quarters by which to prolong (shorten) the last bar where the last chord would ring too long (too briefly)."""
    ring_s = duration_s - n_bars * time_signature.bar_quarters * 60 / tempo
    if RING_MIN_S <= ring_s <= RING_MAX_S:
        return 0.0
    beat = 4 / time_signature.unit
    goal_s = RING_BEST_S if ring_s > RING_MAX_S else RING_MIN_S
    return beat * math.floor((ring_s - goal_s) / (beat * 60 / tempo))


def _choose_key(brief: Brief, style: Style, rng: random.Random) -> Key:
    tonic = brief.tonic
    if tonic is None:
        tonic = rng.choices(list(TONIC_WEIGHTS), list(TONIC_WEIGHTS.values()))[0]
    if brief.mode:
        return Key(tonic, brief.mode)
    valence = brief.valence or 0.0
    weights = [
        weight * math.exp((2.5 if mode in ("major", "lydian", "mixolydian") else -2.5) * valence)
        for mode, weight in style.modes.items()
    ]
    return Key(tonic, rng.choices(list(style.modes), weights)[0])
