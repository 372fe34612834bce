"""DiffRhythm as an engine: what a request needs is loaded, made and handed out; `pipeline` has how a song is made."""

from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import torch
from numpy.typing import NDArray
from torch import Tensor

from musicgen.diffrhythm.card import CARD
from musicgen.diffrhythm.checkpoint import BadCheckpoint, load_network, weights_dtype
from musicgen.diffrhythm.dit import DiT
from musicgen.diffrhythm.frames import SAMPLE_RATE
from musicgen.diffrhythm.lyrics import placement_notes, token_ids
from musicgen.diffrhythm.phonemes import line_ids, load_vocabulary
from musicgen.diffrhythm.pipeline import PREPARED, Networks, edit_song, make_song
from musicgen.diffrhythm.request import SongRequest, read_recording, read_request, title_of
from musicgen.diffrhythm.style import StyleEncoder, read_negative_style
from musicgen.diffrhythm.vae import SoundCodec
from musicgen.diffrhythm.weights import FULL_NETWORK, VAE, VOCABULARY, WeightsFile, find_file
from musicgen.engine import EngineSettings, OnProgress, Rendering
from musicgen.errors import EngineUnavailable, InvalidOptions
from musicgen.options import GenerationOptions
from musicgen.waveform import AudioStream

# Of a graphics card's free memory, what decoding may take; and from how much on a step's two velocities are one batch.
DECODING_SHARE, BATCHED_FROM_BYTES = 0.5, 6 * 2**30


class DiffRhythmEngine:
    """The engine; see `musicgen.engine.Engine`. One of the two networks is in memory at a time."""

    name = CARD.name
    sample_rate = SAMPLE_RATE

    def __init__(self) -> None:
        self._settings = EngineSettings()
        self._folder = Path()
        self._network: tuple[WeightsFile, DiT] | None = None
        self._codec: SoundCodec | None = None
        self._styles: StyleEncoder | None = None

    def load(self, settings: EngineSettings) -> None:
        """Read the sound codec; a network is read when a song of its length is asked for, and so is the style encoder.

        Raises:
            EngineUnavailable: a file is missing or wrong, or the precision is none for this device.
        """
        self._settings = settings
        self._folder = settings.weights_dir / CARD.name
        self._dtype()
        memory_bytes = int(_free_bytes(settings.device) * DECODING_SHARE)
        self._codec = SoundCodec.load(find_file(self._folder, VAE), settings.device, memory_bytes)
        self._styles = StyleEncoder(self._folder, settings.device)

    def generate(self, options: GenerationOptions, on_progress: OnProgress) -> Rendering:
        """Make a song, or parts of one anew.

        Raises:
            InvalidOptions: see `request.read_request`.
            EngineUnavailable: a file is missing or wrong.
            RuntimeError: `load` was not called before.
        """
        if self._codec is None or self._styles is None:
            raise RuntimeError("diffrhythm was asked to generate before load()")
        request = read_request(options, self._folder)
        on_progress("style", 0.0)
        style = self._style(self._styles, request, options)
        tokens, notes = self._tokens(request)
        on_progress("load the network", PREPARED / 2)
        velocity = self._velocity(request.network)
        batched = _free_bytes(self._settings.device) > BATCHED_FROM_BYTES
        networks = Networks(velocity, self._codec, read_negative_style(self._folder), batched)
        if request.segments:
            original = _read_original(options)
            song = edit_song(networks, request, original, style, tokens, options.seed, on_progress)
        else:
            song = make_song(networks, request, style, tokens, options.seed, on_progress)
        return Rendering(
            audio=AudioStream.of(song),
            title=title_of(options),
            understanding=_understanding(request, options),
            notes=(*request.notes, *notes),
        )

    def _style(self, encoder: StyleEncoder, request: SongRequest, options: GenerationOptions) -> Tensor:
        if options.style_audio is not None:
            return encoder.from_audio(*read_recording(options.style_audio))
        return encoder.from_text(request.style_text)

    def _tokens(self, request: SongRequest) -> tuple[NDArray[np.int64], tuple[str, ...]]:
        """Give what is sung in each frame, (n_frames,), and what is to be told about it."""
        if not request.lines:
            return np.zeros(request.n_frames, np.int64), ()
        vocabulary = load_vocabulary(find_file(self._folder, VOCABULARY))
        ids = line_ids([line.text for line in request.lines], vocabulary)
        tokens = token_ids(request.lines, ids, request.n_frames)
        return tokens, placement_notes(request.lines, ids, request.n_frames)

    def _velocity(self, file: WeightsFile) -> DiT:
        if self._network is None or self._network[0] != file:
            # The other one goes first: two of them may not fit into memory.
            self._network = None
            path = find_file(self._folder, file)
            try:
                network = load_network(
                    path, torch.device(self._settings.device), self._dtype(), expect_long=file is FULL_NETWORK
                )
            except BadCheckpoint as error:
                raise EngineUnavailable(CARD.name, str(error)) from error
            self._network = file, network
        return self._network[1]

    def _dtype(self) -> torch.dtype:
        try:
            return weights_dtype(torch.device(self._settings.device), self._settings.precision)
        except ValueError as error:
            raise EngineUnavailable(CARD.name, f"MUSICGEN_PRECISION: {error}.") from error


def _free_bytes(device: str) -> int:
    """Say how much memory of a graphics card is free; 0 where there is none."""
    return torch.cuda.mem_get_info()[0] if device == "cuda" else 0


def _read_original(options: GenerationOptions) -> NDArray[np.float32]:
    """Read the sound of the track that is edited, (2, n) float32."""
    if options.original is None:
        raise ValueError("there is nothing to regenerate parts of")
    samples, sample_rate = soundfile.read(options.original, dtype="float32", always_2d=True)
    if sample_rate != SAMPLE_RATE:
        text = f"The track has {sample_rate} samples a second; only one with {SAMPLE_RATE} can be edited."
        raise InvalidOptions({"of": [text]})
    return np.ascontiguousarray(samples.T)


def _understanding(request: SongRequest, options: GenerationOptions) -> dict[str, Any]:
    understood: dict[str, Any] = {
        "style": "a recording" if options.style_audio is not None else request.style_text,
        "network": request.network.repository.split("/")[-1],
        "lyrics": [{"start_s": round(line.start_s, 2), "text": line.text} for line in request.lines],
        "regenerated": [list(segment) for segment in request.segments],
    }
    return {name: value for name, value in understood.items() if value}
