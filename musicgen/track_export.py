"""From a rendering to the files of a track, under the names that they have until they are complete."""

import hashlib
import math
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

from musicgen import track_files
from musicgen.audio_export import AUDIO_FORMATS, Tags, write_audio
from musicgen.engine import EngineCard, Rendering
from musicgen.loudness import integrated_loudness
from musicgen.stage_watch import ENGINE_SHARE, StageWatch
from musicgen.tables import Track

MIDI_FORMAT = "mid"
MUSIC_XML_FORMAT = "musicxml"
# What comes along with every track whose engine writes it.
SCORE_FORMATS = (MIDI_FORMAT, MUSIC_XML_FORMAT)
STEM_FORMAT = "wav"


@dataclass(frozen=True, slots=True)
class ExportedTrack:
    """What was written of a track.

    Attributes:
        paths: format -> file, under its partial name.
        loudness_lufs: integrated loudness; None for silence.
    """

    paths: dict[str, Path]
    loudness_lufs: float | None


def export_track(
    track: Track, rendering: Rendering, formats: Collection[str], card: EngineCard, watch: StageWatch
) -> ExportedTrack:
    """Write a track's music, as it is made, and its score."""
    tags = _tags(track, rendering, card)
    waveform = rendering.audio.collect()
    audio_formats = [name for name in AUDIO_FORMATS if name in formats]
    paths = {}
    for n_done, name in enumerate(audio_formats):
        watch.enter("export", ENGINE_SHARE + (1 - ENGINE_SHARE) * n_done / len(audio_formats))
        paths[name] = track_files.partial_path(track.id, name)
        write_audio(waveform, paths[name], tags, name)
    for name, content in ((MIDI_FORMAT, rendering.midi), (MUSIC_XML_FORMAT, rendering.music_xml)):
        if content is not None:
            paths[name] = track_files.partial_path(track.id, name)
            paths[name].write_bytes(content)
    loudness_lufs = integrated_loudness(waveform)
    return ExportedTrack(paths, loudness_lufs if math.isfinite(loudness_lufs) else None)


def export_stems(track: Track, rendering: Rendering, card: EngineCard) -> dict[str, Path]:
    """Write a track's stems, each as soon as it is made; returns name -> path."""
    tags = _tags(track, rendering, card)
    paths = {}
    for name, stem in rendering.stems:
        paths[name] = track_files.partial_path(track.id, stem_ending(name))
        write_audio(stem, paths[name], replace(tags, title=f"{tags.title} ({name})"), STEM_FORMAT)
        # It would stay in memory while the next one is made.
        del stem
    return paths


def stem_ending(name: str) -> str:
    """Say how the name of a stem's file ends: "bass.wav"."""
    return f"{name}.{STEM_FORMAT}"


def _tags(track: Track, rendering: Rendering, card: EngineCard) -> Tags:
    return Tags(
        title=track.title or rendering.title,
        prompt=track.prompt,
        model=track.model,
        seed=track.seed,
        date=track.created_at,
        tempo=rendering.tempo,
        key=rendering.key,
        weights_licence=card.weights_licence,
    )


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
