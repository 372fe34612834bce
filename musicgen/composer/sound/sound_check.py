"""Which windows of a piece a sound check plays: a few that stand for all others, chosen by what the parts play in each.

A piece repeats itself, so windows in which the same parts do as much sound about as loud. They are put into groups
(k-medoids, Kaufman and Rousseeuw 1987), and the most typical one of each is played. Knows notes on the sample clock,
no sounds.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from musicgen.composer.sound.part_rendering import WINDOW, Event
from musicgen.composer.sound.sampler import VELOCITY_EXPONENT

# Windows that a sound check plays: 9 s of a piece that is longer than 60 s, all of others.
N_EXCERPTS, HEARD_WHOLE = 6, 42
MAX_ROUNDS = 10

Curve = NDArray[np.float64]
Places = NDArray[np.intp]


def stand_ins(schedules: Sequence[Sequence[Event]], n_windows: int) -> Places:
    """Choose the windows of a sound check.

    Args:
        schedules: every part's notes.
        n_windows: how many windows of `WINDOW` samples the piece has.

    Returns:
        (n_windows,) for each window the number of the one that is played in its stead; itself in a short piece.
    """
    if n_windows <= HEARD_WHOLE:
        return np.arange(n_windows)
    features = np.array([efforts(events, n_windows) for events in schedules]).reshape(-1, n_windows).T
    return medoids(features / np.maximum(features.max(axis=0, initial=0.0), 1e-9), N_EXCERPTS)


def efforts(events: Sequence[Event], n_windows: int) -> Curve:
    """Return what a part does in each window, weighted by its notes' power.

    Returns:
        (2, n_windows): how long notes are held, in samples, and how many begin.
    """
    figures = [(event.onset, min(event.end, event.choke), event.velocity) for event in events]
    onsets, ends, velocities = np.array(figures, np.float64).reshape(-1, 3).T
    powers = (velocities / 127) ** (2 * VELOCITY_EXPONENT)
    moments, steps = np.concatenate([onsets, ends]), np.concatenate([powers, -powers])
    order = np.argsort(moments, kind="stable")
    moments = np.concatenate([[0.0], moments[order]])
    sounding = np.concatenate([[0.0], np.cumsum(steps[order])])
    until = np.concatenate([[0.0], np.cumsum(sounding[:-1] * np.diff(moments))])
    held = np.diff(np.interp(np.arange(n_windows + 1) * WINDOW, moments, until))
    return np.array([held, np.bincount((onsets // WINDOW).astype(np.intp), powers, n_windows)])


def medoids(features: Curve, n: int) -> Places:
    """Put rows (k, d) into at most n groups and return for each row, (k,), the one that is most typical of its group.

    Begins with the rows that leave the least distance to all others, one after the other; then groups and their
    typical rows follow each other until they rest.
    """
    distances = np.sqrt(((features[:, None] - features) ** 2).sum(axis=2))
    chosen: list[int] = []
    nearest = np.full(len(features), np.inf)
    for _ in range(n):
        chosen.append(int(np.minimum(nearest, distances).sum(axis=1).argmin()))
        nearest = np.minimum(nearest, distances[chosen[-1]])
    for _ in range(MAX_ROUNDS):
        groups = distances[chosen].argmin(axis=0)
        members = [np.flatnonzero(groups == group) for group in np.unique(groups)]
        typical = [int(rows[distances[np.ix_(rows, rows)].sum(axis=1).argmin()]) for rows in members]
        if typical == chosen:
            break
        chosen = typical
    return np.array(chosen)[distances[chosen].argmin(axis=0)]
