"""Bass lines: the grid's accents are played, and heard through the filter."""

import numpy as np

from musicgen.composer.composition import compose
from musicgen.composer.score import Part
from musicgen.composer.sound.synthesis.rendering import render
from musicgen.options import GenerationOptions


def acid_bass() -> Part:
    score = compose(GenerationOptions("techno with acid bass", duration=40.0, seed=1)).score
    return next(part for part in score.parts if part.voice == "acid_bass")


def share_above(velocity: int, cut_hz: float) -> float:
    samples = render("acid_bass", 34, velocity, 12_000)[0].samples.mean(axis=0)
    power = np.abs(np.fft.rfft(samples)) ** 2
    return float(power[np.fft.rfftfreq(len(samples), 1 / 44_100) > cut_hz].sum() / power.sum())


def test_acid_lines_are_accented() -> None:
    velocities = [note.velocity for note in acid_bass().notes]
    accents = [velocity for velocity in velocities if velocity > 112]
    assert 0.1 < len(accents) / len(velocities) < 0.4


def test_an_accent_opens_the_filter_of_the_acid_bass() -> None:
    assert share_above(122, 1000) > 2 * share_above(92, 1000)
