"""What a style says: tempo, harmony, melody, players and their patterns, mix. `style_file` reads it from `styles/`."""

from collections.abc import Mapping
from dataclasses import dataclass

from musicgen.composer.score import MixSettings
from musicgen.notation import TimeSignature


@dataclass(frozen=True, slots=True)
class Pattern:
    """One bar or more of rhythm for a layer, played in sections of at least `energy` (0 to 1).

    Attributes:
        energy: the section energy from which this pattern takes over.
        grids: the grid of each voice; pitched layers have the one voice "grid", drum kits one for each drum.
        free: drums that the drummer plays as people do, families of `feel_player.FAMILIES`.
    """

    energy: float
    grids: Mapping[str, str]
    free: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Layer:
    """What one chair of the band does.

    Attributes:
        role: melody, counter, comping, pad, bass or drums.
        instruments: names that may sit here; the seed picks one.
        enters: least section energy (0 to 1) in which it plays.
        leaves: section energy above which it no longer plays.
        patterns: its rhythms; melody and pad layers may have none.
        voicing: how chords are spread, a name in `style_file.VOICINGS`.
        centre: MIDI pitch around which chords and lines lie.
        gain_db: level in the mix.
        pan: -1 left to 1 right.
        reverb_db: reverb send against the dry sound.
    """

    role: str
    instruments: tuple[str, ...]
    enters: float
    leaves: float
    patterns: tuple[Pattern, ...]
    voicing: str
    centre: int
    gain_db: float
    pan: float
    reverb_db: float


@dataclass(frozen=True, slots=True)
class HarmonyStyle:
    """How a style moves from chord to chord.

    Attributes:
        corpus: the chord statistics it follows, "pop" or "jazz".
        loops: by mode, progressions of its own: bars separated by "|", chords within by spaces.
        loop_share: how often a loop is taken instead of the statistics, 0 to 1.
        sevenths: how often a triad becomes a seventh chord, 0 to 1.
        ninths: how often a seventh chord becomes a ninth chord, 0 to 1.
        bars_per_chord: usual length of a chord in bars.
        split: share of bars that hold two chords, 0 to 1.
        cadence: by mode, numerals of the bar before the last chord.
    """

    corpus: str
    loops: Mapping[str, tuple[str, ...]]
    loop_share: float
    sevenths: float
    ninths: float
    bars_per_chord: int
    split: float
    cadence: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class MelodyStyle:
    """How a style sings.

    Attributes:
        rhythms: the set of bar rhythms it draws from ("pop909", "openewld", "folk_pd").
        density: onsets a quarter note.
        syncopation: share of onsets between the beats that are held over the next one, 0 to 1.
        leaps: liking for wide intervals, 0 to 1.
        writer: "rules" (`melody.py`) or "network" (`learned_melody.py`).
    """

    rhythms: str
    density: float
    syncopation: float
    leaps: float
    writer: str


@dataclass(frozen=True, slots=True)
class Style:
    """A musical style.

    Attributes:
        name: what requests and files call it.
        title: what people read.
        words: the words in a prompt that mean this style.
        example: a prompt that asks for it.
        tempo: lowest and highest usual tempo, quarter notes a minute.
        time_signature: of the grids, and the default of pieces.
        swing: where the off-beat falls within its pair, 0.5 straight to 0.67 triplet; None is as the groove's drummers.
        swing_unit: length of the swung note in quarters: 0.5 eighths, 0.25 sixteenths.
        looseness_s: standard deviation of onsets around the grid, seconds.
        groove: whose drummers play the drums, a group of `statistics/groove.json`; None keeps programmed drums.
        liberty: how much the drummer adds to drums that a pattern writes, 0 to 1.
        modes: weight of each mode where the prompt asks for none.
        energy: default energy, 0 to 1.
        form: name of its form in `forms.toml`.
        intros, endings: how its pieces may open and close, names in `development.toml`; the seed picks one.
        develop: weights of variations, exits and textures where they differ from those of `development.toml`.
        harmony, melody, layers, fills, mix: see their classes; `fills` are drum bars that end a section.
    """

    name: str
    title: str
    words: tuple[str, ...]
    example: str
    tempo: tuple[float, float]
    time_signature: TimeSignature
    swing: float | None
    swing_unit: float
    looseness_s: float
    groove: str | None
    liberty: float
    modes: Mapping[str, float]
    energy: float
    form: str
    intros: tuple[str, ...]
    endings: tuple[str, ...]
    develop: Mapping[str, float]
    harmony: HarmonyStyle
    melody: MelodyStyle
    layers: tuple[Layer, ...]
    fills: tuple[Pattern, ...]
    mix: MixSettings
