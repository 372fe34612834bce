"""Melody by the lead-sheet network, for styles whose file says `writer = "network"`.

All melodies of a piece are drawn as one batch. Knows the network's language (tonic-relative pitches, bins of density)
and ours.
"""

import random
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from statistics import mean

from musicgen.composer.harmony import Bars
from musicgen.composer.lead_sheet_network import section as network
from musicgen.composer.lead_sheet_network.tokens import METRES
from musicgen.composer.lead_sheet_network.writer import LeadSheetWriter
from musicgen.composer.melody import MelodyRequest, onset_velocity
from musicgen.composer.score import Note
from musicgen.notation import TimeSignature

PHRASE_BARS = 4
REPEATED_BARS = 2
N_CANDIDATES = 6
# Lead sheets do not write where a singer breathes: a note of a quarter or more that fills the last of these bars is
# shortened, in quarters.
BREATH_BARS, BREATH = 2, 0.5
# Which songs the network learned for each set of rhythms that a style may name.
NETWORK_STYLES = {"pop909": "pop", "openewld": "standards", "folk_pd": "folk"}


def can_write(time_signature: TimeSignature) -> bool:
    """Whether the network knows the metre."""
    return str(time_signature) in METRES


def write_learned_melodies(requests: Sequence[MelodyRequest]) -> list[tuple[Note, ...]]:
    """Write a melody for each request; their time signature must be one that `can_write`.

    Their heights against the first one's are as the requests' centres say, as near as octaves allow.
    """
    drawn = _writer().write([_section_request(request) for request in requests], N_CANDIDATES)
    placed: list[tuple[Note, ...]] = []
    for request, sections in zip(requests, drawn, strict=True):
        centre: float = request.centre
        if placed and placed[0]:
            centre += mean(note.pitch for note in placed[0]) - requests[0].centre
        placed.append(_place(request, sections[0].melody, centre))
    return placed


@cache
def _writer() -> LeadSheetWriter:
    return LeadSheetWriter.load()


def _section_request(request: MelodyRequest) -> network.SectionRequest:
    """Say a request in the network's terms."""
    style = NETWORK_STYLES[request.style.rhythms]
    density = request.style.density * (0.7 + 0.6 * request.energy)
    controls = network.SectionControls(
        bars=len(request.bars),
        metre=str(request.time_signature),
        mode=request.key.mode,
        style=style,
        label=_label(style, request.material),
        density=bisect_right(network.DENSITY_EDGES, density),
        cadence={0: "closed", 7: "half"}.get(request.bars[-1][-1].offset, "open"),
    )
    return network.SectionRequest(
        controls,
        random.Random(request.seed).getrandbits(31),
        _chords(request.bars, request.time_signature.bar_quarters),
        centre=request.centre - request.key.tonic,
        returns=_returns(request.bars),
    )


def _label(style: str, material: str) -> str | None:
    """Name the kind of section; of the songs it learned from, only pop has more than phrases."""
    if style != "pop":
        return "phrase"
    return material if material in network.LABELS else None


def _chords(bars: Bars, bar_quarters: float) -> tuple[network.Chord, ...]:
    """Give roots as semitones above the tonic, every bar shared out evenly."""
    return tuple(
        network.Chord(
            i * bar_quarters + j * bar_quarters / len(bar), bar_quarters / len(bar), c.offset, c.quality, c.offset
        )
        for i, bar in enumerate(bars)
        for j, c in enumerate(bar)
    )


def _returns(bars: Bars) -> dict[int, int]:
    """Let the second phrase begin as the first did, where their chords begin alike."""
    second = range(PHRASE_BARS, PHRASE_BARS + REPEATED_BARS)
    if len(bars) > second[-1] + 1 and all(bars[i] == bars[i - PHRASE_BARS] for i in second):
        return {i: i - PHRASE_BARS for i in second}
    return {}


def _place(request: MelodyRequest, notes: Sequence[network.Note], centre: float) -> tuple[Note, ...]:
    """Bring notes that count from the tonic to the octave nearest to `centre` (MIDI pitch), and let them breathe."""
    if not notes:
        return ()
    time_signature, tonic = request.time_signature, request.key.tonic
    bar_quarters = time_signature.bar_quarters
    tonic += 12 * round((centre - tonic - mean(note.pitch for note in notes)) / 12)
    return tuple(
        Note(n.onset, n.duration, tonic + n.pitch, onset_velocity(n.onset % bar_quarters, time_signature))
        for n in (_breathe(note, BREATH_BARS * bar_quarters) for note in notes)
    )


def _breathe(note: network.Note, span: float) -> network.Note:
    """Leave a breath before the next multiple of `span` quarters where the note would fill it."""
    end = note.onset + note.duration
    left = round(end / span) * span - end
    if note.duration >= 1 and -1e-6 < left < BREATH - 1e-6:
        return replace(note, duration=note.duration - BREATH + left)
    return note
