"""Melody by the lead-sheet network, for styles whose file says `writer = "network"`.

The network writes the first phrase; where its chords return, the second phrase begins as the first did and the network
goes on from there to a close. Knows the network's language (tonic-relative pitches, bins of density) and ours.
"""

import random
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from statistics import mean

import torch

from musicgen.composer.harmony import Bars
from musicgen.composer.lead_sheet_network import section as network
from musicgen.composer.lead_sheet_network.tokens import METRES
from musicgen.composer.lead_sheet_network.writer import LeadSheetWriter
from musicgen.composer.melody import onset_velocity
from musicgen.composer.score import Note
from musicgen.composer.style import MelodyStyle
from musicgen.notation import Key, TimeSignature

PHRASE_BARS = 4
REPEATED_BARS = 2
# Which songs the network learned for each set of rhythms that a style may name.
NETWORK_STYLES = {"pop909": "pop", "openewld": "standards", "folk_pd": "folk"}


def can_write(time_signature: TimeSignature) -> bool:
    """Whether the network knows the metre."""
    return str(time_signature) in METRES


def write_learned_melody(
    style: MelodyStyle,
    key: Key,
    time_signature: TimeSignature,
    bars: Bars,
    centre: int,
    energy: float,
    rng: random.Random,
) -> tuple[Note, ...]:
    """Write a melody over `bars`, around the MIDI pitch `centre`, denser as `energy` (0 to 1) rises.

    The time signature must be one that `can_write`. The randomness comes from `rng`; equal ones give equal melodies,
    however many threads torch has, since the network runs on one.
    """
    density = style.density * (0.7 + 0.6 * energy)
    controls = network.SectionControls(
        bars=len(bars),
        metre=str(time_signature),
        mode=key.mode,
        style=NETWORK_STYLES[style.rhythms],
        density=bisect_right(network.DENSITY_EDGES, density),
        cadence="closed",
    )
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        notes = _write_phrases(controls, _network_chords(bars, time_signature.bar_quarters), bars, rng.getrandbits(31))
    finally:
        torch.set_num_threads(n_threads)
    if not notes:
        return ()
    tonic = key.tonic + 12 * round((centre - key.tonic - mean(note.pitch for note in notes)) / 12)
    bar_quarters = time_signature.bar_quarters
    return tuple(
        Note(n.onset, n.duration, tonic + n.pitch, onset_velocity(n.onset % bar_quarters, time_signature))
        for n in notes
    )


@cache
def _writer() -> LeadSheetWriter:
    return LeadSheetWriter.load()


def _write_phrases(
    controls: network.SectionControls, chords: Sequence[network.Chord], bars: Bars, seed: int
) -> Sequence[network.Note]:
    """Write one phrase, or two of which the second begins as the first where the chords allow it."""
    if controls.bars <= PHRASE_BARS:
        return _best(controls, chords, seed)
    bar = controls.bar_ticks / network.TICKS_PER_QUARTER
    opening = replace(controls, bars=PHRASE_BARS, cadence="open")
    phrase = _best(opening, [c for c in chords if c.onset < PHRASE_BARS * bar - 1e-6], seed)
    if bars[PHRASE_BARS : PHRASE_BARS + REPEATED_BARS] == bars[:REPEATED_BARS]:
        returning = (n for n in phrase if n.onset + n.duration <= REPEATED_BARS * bar + 1e-6)
        phrase = [*phrase, *(replace(n, onset=n.onset + PHRASE_BARS * bar) for n in returning)]
    return _best(controls, chords, seed, phrase)


def _best(
    controls: network.SectionControls,
    chords: Sequence[network.Chord],
    seed: int,
    beginning: Sequence[network.Note] = (),
) -> Sequence[network.Note]:
    return _writer().write(controls, seed, chords=chords, melody=beginning)[0].melody


def _network_chords(bars: Bars, bar_quarters: float) -> list[network.Chord]:
    """Say the chords in the network's terms: semitones above the tonic, every bar shared out evenly."""
    return [
        network.Chord(
            i * bar_quarters + j * bar_quarters / len(bar), bar_quarters / len(bar), c.offset, c.quality, c.offset
        )
        for i, bar in enumerate(bars)
        for j, c in enumerate(bar)
    ]
