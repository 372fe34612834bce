"""What a request means for DiffRhythm, and what of it cannot be: which network, how many frames, what is sung.

Loads no network and no torch, so that a bad request is refused before any work.
"""

import base64
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from musicgen.diffrhythm.frames import BASE_MAX_FRAMES, SAMPLE_RATE, SAMPLES_PER_FRAME
from musicgen.diffrhythm.lyrics import LyricLine, parse_lyrics
from musicgen.diffrhythm.phonemes import find_espeak, require_english
from musicgen.diffrhythm.weights import BASE_NETWORK, ENGINE_NAME, FETCH_COMMAND, FULL_NETWORK, WeightsFile, local_path
from musicgen.errors import InvalidOptions
from musicgen.options import GenerationOptions
from musicgen.recordings import read_middle

# The longest song of the base network, and the shortest of the long one, which makes whole seconds.
BASE_S, SHORTEST_LONG_S = 95.0, 96
ENGLISH = "en"
TITLE_WORDS, TITLE_CHARS = 7, 80

Segments = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class SongRequest:
    """What the engine is to make.

    Attributes:
        network: the file of the network that makes it.
        n_frames: what the network makes, 2048 samples each; at least what is wanted.
        n_samples: what is wanted of it, at 44.1 kHz.
        style_text: what it shall sound like, in words.
        lines: what is sung; empty for an instrumental.
        segments: parts to make anew, seconds, by time and apart from one another; empty for a new song.
        notes: sentences for the person about what was asked and is done otherwise.
    """

    network: WeightsFile
    n_frames: int
    n_samples: int
    style_text: str
    lines: tuple[LyricLine, ...]
    segments: Segments
    notes: tuple[str, ...]


def read_request(options: GenerationOptions, folder: Path) -> SongRequest:
    """Say what `options` ask for, with the networks that lie in `folder`, MUSICGEN_WEIGHTS_DIR/diffrhythm.

    Raises:
        InvalidOptions: too long for the networks that are here, words that cannot be sung, no recording.
        EngineUnavailable: there are words to sing, and espeak-ng is not installed.
    """
    network, n_frames = _network_for(options.duration, folder)
    lines, sung_notes = _words(options)
    if options.style_audio is not None:
        read_recording(options.style_audio)
    return SongRequest(
        network=network,
        n_frames=n_frames,
        n_samples=round(options.duration * SAMPLE_RATE),
        style_text=_style_text(options),
        lines=lines,
        segments=joined(options.regenerate or ()),
        notes=(*_notes(options), *sung_notes),
    )


def _network_for(duration_s: float, folder: Path) -> tuple[WeightsFile, int]:
    """Choose the network, and the number of frames that it makes."""
    if duration_s <= BASE_S and (local_path(folder, BASE_NETWORK) or not local_path(folder, FULL_NETWORK)):
        return BASE_NETWORK, BASE_MAX_FRAMES
    if not local_path(folder, FULL_NETWORK):
        text = (
            f"Only the network for {BASE_S:g} s is here, not the one for {duration_s:g} s; "
            f"ask for less, or run `{FETCH_COMMAND}`."
        )
        raise InvalidOptions({"duration": [text]})
    seconds = max(math.ceil(duration_s), SHORTEST_LONG_S)
    return FULL_NETWORK, int(seconds * SAMPLE_RATE / SAMPLES_PER_FRAME)


def _words(options: GenerationOptions) -> tuple[tuple[LyricLine, ...], tuple[str, ...]]:
    if options.lyrics is None:
        return (), ()
    if options.instrumental:
        return (), ("The track is instrumental, as asked; the lyrics are not sung.",)
    if options.language and options.language.lower().split("-")[0] != ENGLISH:
        text = f"{ENGINE_NAME} sings English here, not {options.language!r}; leave the lyrics away, or translate them."
        raise InvalidOptions({"language": [text]})
    lyrics = parse_lyrics(options.lyrics, options.duration)
    require_english([line.text for line in lyrics.lines])
    if lyrics.lines:
        find_espeak()
    return lyrics.lines, lyrics.notes


def _style_text(options: GenerationOptions) -> str:
    """Add to the prompt what else was asked for and can only be said in words."""
    asked = [
        f"{options.tempo:g} bpm" if options.tempo else None,
        f"in {options.key}" if options.key else None,
        f"{options.time_signature} time" if options.time_signature else None,
        "instrumental" if options.instrumental else None,
    ]
    return ", ".join([options.prompt, *(words for words in asked if words)])


def _notes(options: GenerationOptions) -> list[str]:
    notes = []
    named = [name for name in ("tempo", "key", "time_signature") if getattr(options, name) is not None]
    if named and options.style_audio is None:
        listed = " and ".join(named).replace("_", " ")
        notes.append(f"{ENGINE_NAME} was told the {listed} in words; it follows them only roughly.")
    if options.style_audio is not None:
        notes.append("The style is that of the recording; the prompt only names the track.")
    return notes


def joined(segments: Sequence[Sequence[float]]) -> Segments:
    """Sort segments by time and join those that meet."""
    result: list[tuple[float, float]] = []
    for start, end in sorted((float(start), float(end)) for start, end in segments):
        if result and start <= result[-1][1]:
            result[-1] = result[-1][0], max(result[-1][1], end)
        else:
            result.append((start, end))
    return result


def read_recording(text: str) -> tuple[NDArray[np.float32], int]:
    """Read the middle of a base64 audio file: (channels, n) float32, and the sample rate in Hz.

    Raises:
        InvalidOptions: it is not one, or it has no sound.
    """
    try:
        content = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise _no_recording("this is not base64") from error
    try:
        return read_middle(io.BytesIO(content))
    except ValueError as error:
        raise _no_recording(str(error)) from error


def _no_recording(why: str) -> InvalidOptions:
    return InvalidOptions({"style_audio": [f"Send a WAV, FLAC, OGG or MP3 file, base64: {why}."]})


def title_of(options: GenerationOptions) -> str:
    """Make a title of the prompt's first words."""
    first = options.prompt.strip(" ,\n").replace("\n", ",").split(",")[0]
    words = (word[0].upper() + word[1:] for word in first.split()[:TITLE_WORDS])
    return " ".join(words)[:TITLE_CHARS].strip() or "Untitled"
