"""The sound codec: latents to 44.1 kHz stereo and back, a chunk at a time.

Owns how a song is cut into chunks so that their joints are not heard and memory stays small. The network itself is the
published TorchScript file (Oobleck, from Stable Audio), of which this relies on two methods:

    decode_export((B, 64, T)) -> (B, 2, 2048 T)
    encode_export((B, 2, 2048 T)) -> (B, 128, T): 64 means, then 64 scales before their softplus

What is decoded depends on 10 frames each side, what is encoded on 8: 16 frames from a cut it is as if there were none.
Source: DiffRhythm (Apache-2.0), arXiv 2503.01183. Axes: B batch, T frames, n samples.
"""

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from musicgen.diffrhythm.frames import SAMPLES_PER_FRAME
from musicgen.diffrhythm.weights import unusable

N_CHANNELS = 64

CHUNK_FRAMES = 128  # 5.9 s
OVERLAP_FRAMES = 32
HOP_FRAMES = CHUNK_FRAMES - OVERLAP_FRAMES
EDGE_FRAMES = OVERLAP_FRAMES // 2  # of a chunk, that a neighbour decodes better

METHODS = ("decode_export", "encode_export")
# What the published network allocates to decode a chunk: measured 1.0 GiB on the CPU, and something to spare.
CHUNK_BYTES = 5 << 28

# Called with the share of the chunks that are done, 0 to 1; may raise to end the work.
OnShare = Callable[[float], None]
Samples = NDArray[np.float32]


def _ignore(_share: float) -> None:
    pass


class SoundCodec:
    """The loaded network, on one device. Works in float32; equal input gives equal output."""

    def __init__(self, network: Any, device: str = "cpu", chunks_at_once: int = 1) -> None:
        """Wrap a network that has the two methods; `load` makes one from a file.

        Args:
            device: torch device that the network is on.
            chunks_at_once: that are decoded in one step.
        """
        self._network = network
        self._device = torch.device(device)
        self._chunks_at_once = chunks_at_once

    @classmethod
    def load(cls, path: Path, device: str = "cpu", memory_bytes: int = 0) -> "SoundCodec":
        """Read the published file, `vae_model.pt`.

        Args:
            device: torch device for the network.
            memory_bytes: what a step may allocate beside the network, see `chunks_that_fit`.

        Raises:
            EngineUnavailable: it is no TorchScript, or one without the two methods.
        """
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # of TorchScript, which is what was published
                network = torch.jit.load(str(path), map_location=device).eval()
        except (RuntimeError, ValueError) as error:
            raise unusable(path, "it is not a TorchScript file that this torch reads.") from error
        if missing := [name for name in METHODS if not hasattr(network, name)]:
            raise unusable(path, f"it has no method {' and no method '.join(missing)}.")
        return cls(network, device, chunks_that_fit(device, memory_bytes))

    def decode(self, latents: Tensor, on_progress: OnShare = _ignore) -> Iterator[Samples]:
        """Decode a song, each block as soon as it is final.

        Args:
            latents: (64, T) float, on any device, T at least 1.
            on_progress: called before the first chunk and after each step.

        Returns:
            (2, k) float32 blocks on the CPU, consecutive, 2048 T samples in all; not limited to full scale.

        Raises:
            ValueError: `latents` has another shape.
        """
        if latents.ndim != 2 or latents.shape[0] != N_CHANNELS or latents.shape[1] < 1:
            raise ValueError(f"latents must be ({N_CHANNELS}, T) with T at least 1, not {tuple(latents.shape)}")
        return self._decoded(latents, on_progress)

    def _decoded(self, latents: Tensor, on_progress: OnShare) -> Iterator[Samples]:
        n_frames = latents.shape[1]
        spans = kept_spans(n_frames)
        on_progress(0.0)
        for first in range(0, len(spans), self._chunks_at_once):
            step = spans[first : first + self._chunks_at_once]
            chunks = [latents[:, start : start + CHUNK_FRAMES] for start, _, _ in step]
            decoded = self._run("decode_export", torch.stack(chunks), (2, SAMPLES_PER_FRAME * chunks[0].shape[1]))
            on_progress((first + len(step)) / len(spans))
            for (start, kept, end), sound in zip(step, decoded, strict=True):
                yield sound[:, (kept - start) * SAMPLES_PER_FRAME : (end - start) * SAMPLES_PER_FRAME].numpy()

    def encode(self, samples: Samples, on_progress: OnShare = _ignore) -> Tensor:
        """Encode sound to the mean of its latents; the source draws them around it, which this leaves out.

        DiffRhythm was trained on music at usual levels; its source brings the peak to -6 dBFS first. That is the
        caller's to do.

        Args:
            samples: (2, n) float32 at 44.1 kHz, n at least 1; silence is added to the last frame.
            on_progress: as in `decode`.

        Returns:
            (64, T) float32 on the CPU, T = ceil(n / 2048).

        Raises:
            ValueError: `samples` has another shape.
        """
        if samples.ndim != 2 or samples.shape[0] != 2 or samples.shape[1] < 1:
            raise ValueError(f"samples must be (2, n) with n at least 1, not {samples.shape}")
        n_frames = -(-samples.shape[1] // SAMPLES_PER_FRAME)
        padded = np.pad(samples, ((0, 0), (0, n_frames * SAMPLES_PER_FRAME - samples.shape[1])))
        latents = torch.empty(N_CHANNELS, n_frames)
        spans = kept_spans(n_frames)
        on_progress(0.0)
        for n_done, (start, kept, end) in enumerate(spans, 1):
            chunk = padded[:, start * SAMPLES_PER_FRAME : (start + CHUNK_FRAMES) * SAMPLES_PER_FRAME]
            sound = torch.from_numpy(np.ascontiguousarray(chunk, dtype=np.float32))[None]
            (encoded,) = self._run("encode_export", sound, (2 * N_CHANNELS, chunk.shape[1] // SAMPLES_PER_FRAME))
            latents[:, kept:end] = encoded[:N_CHANNELS, kept - start : end - start]
            on_progress(n_done / len(spans))
        return latents

    @torch.inference_mode()
    def _run(self, method: str, batch: Tensor, shape: tuple[int, int]) -> Tensor:
        """Call a method of the network; (B, *shape) float32 on the CPU.

        TorchScript may fuse after it has watched some calls, and then rounds differently; unoptimised it never does.
        """
        with torch.jit.optimized_execution(False):
            output: Tensor = getattr(self._network, method)(batch.to(self._device, torch.float32))
        if output.shape != (len(batch), *shape):
            raise ValueError(f"{method} of the VAE returned {tuple(output.shape)}, not {(len(batch), *shape)}")
        return output.float().cpu()


def chunks_that_fit(device: str, memory_bytes: int) -> int:
    """Say how many chunks to decode in one step: what fits on CUDA, where one does not fill the machine, else one."""
    return max(1, memory_bytes // CHUNK_BYTES) if torch.device(device).type == "cuda" else 1


def kept_spans(n_frames: int) -> list[tuple[int, int, int]]:
    """Cut a song into chunks of CHUNK_FRAMES (of `n_frames`, if that is less), the last one flush with the end.

    Returns:
        For each chunk its first frame, and first and end (exclusive) of the frames that are taken from it. What is
        taken follows each other without gap, and lies 16 frames or more from every cut.
    """
    last = max(0, n_frames - CHUNK_FRAMES)
    starts = [*range(0, last, HOP_FRAMES), last]
    bounds = [0, *(start + EDGE_FRAMES for start in starts[1:]), n_frames]
    return list(zip(starts, bounds, bounds[1:], strict=False))
