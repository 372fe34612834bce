"""Judge the composer's music by checks that know nothing of how it was made, on prompts of `quality_prompts.toml`.

    python -m benchmarks.quality [--quick] [--data DATA_DIR] > benchmarks/quality.md

Every prompt is rendered for `DURATION_S`; tempo and key are found again in the audio, instruments in the MIDI file and
in the stems. Some are rendered as whole songs of `SONG_S`: sections are found again by a novelty curve, melodies
compared with those of people; some with further seeds, for the spread between prompts and seeds. With --data the
drumming is compared with people's (`benchmarks.drums`).
Prints a Markdown report that shows every failure.
"""

import argparse
import io
import sys
import time
import tomllib
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Any

import mido
import numpy as np

from benchmarks.drums import print_drums
from benchmarks.listening import Heard, audible_shares, listen, novelty_rank, spellings_of, tempo_ratio
from benchmarks.score_figures import melody_figures, shared_bars
from musicgen.composer.composition import Composition, compose
from musicgen.composer.engine import ComposerEngine
from musicgen.engine import EngineSettings, Rendering
from musicgen.loudness import integrated_loudness, true_peak_db
from musicgen.notation import Key
from musicgen.options import GenerationOptions
from musicgen.waveform import Waveform

DURATION_S, SONG_S = 28.0, 90.0
QUICK_STEP = 5  # every so many prompts in a quick run
SPREAD_STEP, SPREAD_SEEDS = 8, (2, 3)  # every so many prompts is rendered with further seeds
SONG_STEP = 8  # every so many prompts is rendered as a whole song
TEMPO_TOLERANCE = 0.04
LOUDNESS_LUFS, LOUDNESS_TOLERANCE, PEAK_DB = -14.0, 0.5, -1.0
LEAST_AUDIBLE = 0.25  # a part is audible when it can be heard in this share of the frames in which it plays
LONGEST_SILENCE_S = 1.0
DRUM_CHANNEL = 9
# Groups of General MIDI programs (numbered from 0) that listeners call by one name; drums are a channel.
GROUPS = {
    "piano": range(0, 8), "organ": range(16, 24), "guitar": range(24, 32), "bass": range(32, 40),
    "strings": (*range(40, 52), 110), "choir": range(52, 55), "trumpet": (56, 59), "brass": range(56, 64),
    "sax": range(64, 68), "flute": range(72, 80), "synth": (38, 39, 50, 51, 62, 63, *range(80, 104)),
    "pad": range(88, 96),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Take:
    """One rendered prompt: what was asked, what came out, and what was heard."""

    asked: dict[str, Any]
    rendering: Rendering
    waveform: Waveform
    composition: Composition
    heard: Heard


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of one check on one take."""

    check: str
    passed: bool
    prompt: str
    found: str


class Studio:
    """Renders prompts with one engine and one set of cached sounds."""

    def __init__(self) -> None:
        self._engine = ComposerEngine()
        self._engine.load(EngineSettings())

    def take(self, asked: dict[str, Any], seed: int = 1, duration_s: float = DURATION_S, stems: bool = False) -> Take:
        """Render one prompt and listen to it."""
        options = GenerationOptions(asked["text"], duration=duration_s, seed=seed, stems=stems)
        rendering = self._engine.generate(options, lambda stage, fraction: None)
        waveform = rendering.audio.collect()
        return Take(asked, rendering, waveform, compose(options), listen(waveform))


def judge(take: Take) -> list[Verdict]:
    """Run every check that applies to a take."""
    verdicts: list[Verdict] = []

    def check(name: str, passed: bool, found: object) -> None:
        verdicts.append(Verdict(name, bool(passed), take.asked["text"], str(found)))

    _check_request(take, check)
    _check_audio(take, check)
    stems = dict(take.rendering.stems)
    for name, share in zip(stems, audible_shares(list(stems.values())), strict=True):
        check("part audible in its stem", share >= LEAST_AUDIBLE, f"{name} in {share:.0%} of its frames")
    return verdicts


def _check_request(take: Take, check: Callable[[str, bool, object], None]) -> None:
    """Check what the prompt asked for against what the track says of itself and what its MIDI file holds."""
    asked, rendering = take.asked, take.rendering
    style, tempo = rendering.understanding["style"], rendering.tempo or 0.0
    if "style" in asked:
        check("style understood", style in asked["style"], f"{style}, not {' or '.join(asked['style'])}")
    if "tempo" in asked:
        check("tempo obeyed", tempo == asked["tempo"], f"{tempo:g}, not {asked['tempo']}")
    if "tempo_within" in asked:
        low, high = asked["tempo_within"]
        check("tempo obeyed", low <= tempo <= high, f"{tempo:g}, not {low} to {high}")
    if "key" in asked:
        check("key obeyed", rendering.key == str(Key.parse(asked["key"])), f"{rendering.key}, not {asked['key']}")
    if "time_signature" in asked:
        metre = rendering.time_signature
        check("metre obeyed", metre == asked["time_signature"], f"{metre}, not {asked['time_signature']}")
    heard = sounding_groups(rendering.scores["mid"]())
    for name in asked.get("wants", ()):
        check("wanted instrument in the MIDI", name in heard, f"no {name}; {', '.join(sorted(heard))}")
    for name in asked.get("refuses", ()):
        check("refused instrument absent from the MIDI", name not in heard, name)


def _check_audio(take: Take, check: Callable[[str, bool, object], None]) -> None:
    """Check the finished audio: level, silence, and tempo, key and sections found again."""
    rendering, heard, style = take.rendering, take.heard, take.rendering.understanding["style"]
    loudness, peak = integrated_loudness(take.waveform), true_peak_db(take.waveform)
    check("loudness", abs(loudness - LOUDNESS_LUFS) <= LOUDNESS_TOLERANCE, f"{loudness:.1f} LUFS")
    check("true peak", peak <= PEAK_DB + 0.05, f"{peak:.2f} dBTP")
    check("no hole", heard.longest_silence_s <= LONGEST_SILENCE_S, f"{heard.longest_silence_s:.1f} s of silence")
    if "tempo" in take.asked:
        ratio = tempo_ratio(heard.tempo, rendering.tempo or 1.0)
        found = f"{heard.tempo:.0f} found, {rendering.tempo:g} played ({style})"
        check("tempo found by the beat tracker", abs(ratio - 1) <= TEMPO_TOLERANCE, found)
    if rendering.key:
        right = spellings_of(Key.parse(rendering.key))
        found = f"{heard.keys[0]}, then {heard.keys[1]}; played {rendering.key} ({style})"
        check("key found, best guess", heard.keys[0] in right, found)
        check("key found, best two", bool(set(right) & set(heard.keys[:2])), found)


def sounding_groups(midi: bytes) -> set[str]:
    """List the groups of instruments that have notes in a MIDI file."""
    groups: set[str] = set()
    for track in mido.MidiFile(file=io.BytesIO(midi)).tracks:
        notes = [message for message in track if message.type == "note_on" and message.velocity]
        programs = [message.program for message in track if message.type == "program_change"]
        if notes and notes[0].channel == DRUM_CHANNEL:
            groups.add("drums")
        elif notes:
            groups |= {name for name, members in GROUPS.items() if programs[0] in members}
    return groups


def section_ranks(takes: Iterable[Take]) -> list[float]:
    """Rank the novelty at every planned change of section among the stretches of its track, 0 to 1."""
    return [
        novelty_rank(take.heard.novelty, section["start_s"])
        for take in takes
        for section in take.rendering.understanding["sections"][1:]
    ]


def feature_distances(takes: list[Take]) -> dict[str, list[float]]:
    """Measure the distances between all takes: of one prompt with other seeds, of one style, of different styles."""
    features = np.stack([take.heard.features for take in takes])
    features = (features - features.mean(axis=0)) / (features.std(axis=0) + 1e-9)
    distances: dict[str, list[float]] = defaultdict(list)
    for (i, one), (j, other) in combinations(enumerate(takes), 2):
        same_style = one.composition.plan.style is other.composition.plan.style
        kind = "one prompt, other seeds" if one.asked is other.asked else "one style" if same_style else "other styles"
        distances[kind].append(float(np.linalg.norm(features[i] - features[j]) / np.sqrt(features.shape[1])))
    return distances


def print_summary(verdicts: list[Verdict]) -> None:
    """Print how often each check passed."""
    print("| check | passed | of | share |\n|---|---|---|---|")
    for name in dict.fromkeys(v.check for v in verdicts):
        outcomes = [v.passed for v in verdicts if v.check == name]
        print(f"| {name} | {sum(outcomes)} | {len(outcomes)} | {sum(outcomes) / len(outcomes):.0%} |")


def print_songs(takes: list[Take]) -> None:
    """Print what only whole songs show: changes of section, and the melody's figures."""
    ranks = section_ranks(takes)
    print(f"\n{len(takes)} songs of {SONG_S:g} s. Rank of the novelty at {len(ranks)} planned section changes: "
          f"mean {np.mean(ranks):.2f} (chance 0.50), {np.mean(np.array(ranks) > 0.7):.0%} above 0.7.\n")  # fmt: skip
    figures = [melody_figures(take.composition) for take in takes]
    print("| melody | mean | 10 % | 90 % | songs |\n|---|---|---|---|---|")
    for name, title, songs in (
        ("in_chord", "on-beat notes in the chord", "0.72-0.76"),
        ("diatonic", "notes in the scale", "0.93-0.99"),
        ("repeats", "bars that repeat exactly", "0.20-0.41"),
    ):
        values = np.array([f[name] for f in figures])
        low, high = np.nanpercentile(values, (10, 90))
        print(f"| {title} | {np.nanmean(values):.2f} | {low:.2f} | {high:.2f} | {songs} |")


def print_spread(takes: list[Take], again: Take) -> None:
    """Print how far tracks lie apart: the same request twice, other seeds, other prompts."""
    print("\n| spread between tracks | pairs | mean distance | least |\n|---|---|---|---|")
    first = next(take for take in takes if take.asked is again.asked)
    identical = np.array_equal(first.waveform.samples, again.waveform.samples)
    print(f"| the same request twice | 1 | {'0, the same bits' if identical else 'DIFFERENT'} | |")
    for kind, values in sorted(feature_distances(takes).items(), key=lambda item: np.mean(item[1])):
        print(f"| {kind} | {len(values)} | {np.mean(values):.2f} | {min(values):.2f} |")
    shared: dict[str, list[float]] = defaultdict(list)
    for one, other in combinations(takes, 2):
        kind = "one prompt, other seeds" if one.asked is other.asked else "other prompts"
        shared[kind].append(shared_bars(one.composition, other.composition))
    for kind, values in shared.items():
        print(f"\nMelody bars of three notes or more that two tracks share ({kind}): mean {np.mean(values):.1%}, "
              f"most {max(values):.1%}.")  # fmt: skip


def print_failures(verdicts: list[Verdict]) -> None:
    """Print every check that failed."""
    failures = [v for v in verdicts if not v.passed]
    print(f"\n## All {len(failures)} failures\n\n| check | prompt | found |\n|---|---|---|")
    for v in sorted(failures, key=lambda v: v.check):
        print(f"| {v.check} | {v.prompt} | {v.found} |")


def main(quick: bool, data_dir: Path | None) -> None:
    """Render, judge and print the report."""
    began = time.perf_counter()
    prompts = tomllib.loads(Path(__file__).with_name("quality_prompts.toml").read_text(encoding="utf-8"))["prompts"]
    prompts = prompts[::QUICK_STEP] if quick else prompts
    studio = Studio()
    takes: list[Take] = []
    verdicts: list[Verdict] = []
    for asked in prompts:
        take = studio.take(asked, stems=True)
        verdicts += judge(take)
        takes.append(replace(take, rendering=replace(take.rendering, stems={})))  # stems are large
        print(f"{len(takes)}/{len(prompts)} {asked['text']}", file=sys.stderr)
    songs = [studio.take(asked, duration_s=SONG_S) for asked in prompts[::SONG_STEP]]
    others = [studio.take(asked, seed) for asked in prompts[::SPREAD_STEP] for seed in SPREAD_SEEDS]
    command = " ".join(["python -m benchmarks.quality", *["--quick"] * quick, *["--data DATA_DIR"] * bool(data_dir)])
    print(f"# Quality of the composer's music\n\nMade by `{command}`: {len(prompts)} prompts, {DURATION_S:g} s each.\n")
    print_summary(verdicts)
    print_songs(songs)
    if data_dir:
        print_drums(data_dir)
    print_spread([*takes, *others], studio.take(prompts[0]))
    print_failures(verdicts)
    print(f"{time.perf_counter() - began:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="every fifth prompt only")
    parser.add_argument("--data", type=Path, metavar="DATA_DIR", help="folder that holds groove_midi/bars.jsonl.gz")
    given = parser.parse_args()
    main(given.quick, given.data)
