"""The velocity network of DiffRhythm: a diffusion transformer over latent frames.

Owns the network's shape and one evaluation, which is split in two: `prepare` does what stays the same in all steps of
a song, `velocity` the rest. Knows nothing of sampling, of files, or of how text and style are made.
Source: DiffRhythm (arXiv 2503.01183; ASLP-lab/DiffRhythm, Apache-2.0); the modules carry the names of its weights.

Axes: b batch, n frames (2048 audio samples each), m latent channels, d channels of the network.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from musicgen.diffrhythm.embeddings import CONDITION_DIM, InputEmbedding, TimeEmbedding
from musicgen.diffrhythm.frames import BASE_MAX_FRAMES, LONG_MAX_FRAMES
from musicgen.diffrhythm.text_encoder import FILLER, TextEncoder
from musicgen.diffrhythm.transformer import HEADS, TransformerBlock, rotary_turns

NORM_EPSILON = 1e-6


@dataclass(frozen=True, slots=True)
class DiTConfig:
    """Sizes of the network; the defaults are those of the published base model.

    Attributes:
        dim: channels of the network, a multiple of 64.
        depth: transformer blocks; text is added after each of the first half of them.
        ff_mult: inner channels of an MLP, as a multiple of `dim`.
        text_dim: channels of the text encoder, even.
        conv_layers: blocks of the text encoder.
        mel_dim: channels of a latent frame.
        text_num_embeds: phonemes; their ids begin at 1.
        max_frames: text positions from here on share one embedding; also the unit of the duration.
        has_duration: whether the network is told the song's duration (the long model is).
    """

    dim: int = 2048
    depth: int = 16
    ff_mult: int = 4
    text_dim: int = 512
    conv_layers: int = 4
    mel_dim: int = 64
    text_num_embeds: int = 363
    max_frames: int = BASE_MAX_FRAMES
    has_duration: bool = False

    def __post_init__(self) -> None:
        if self.dim < 1 or self.dim % (2 * HEADS):
            raise ValueError(f"dim must be a multiple of {2 * HEADS}, not {self.dim}")
        if self.text_dim < 1 or self.text_dim % 2:
            raise ValueError(f"text_dim must be even, not {self.text_dim}")
        for name in ("depth", "ff_mult", "conv_layers", "mel_dim", "text_num_embeds", "max_frames"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}")


LONG_CONFIG = DiTConfig(max_frames=LONG_MAX_FRAMES, has_duration=True)


@dataclass(frozen=True, slots=True)
class Conditions:
    """What a velocity depends on besides latents and time, as far as it can be worked out beforehand.

    Attributes:
        embedded_times: (b, 512), start and duration.
        input_part: (b, n, d), what reference, text and style add to the projected input.
        text_parts: (b, n, d) each, what the text adds after each of the first half of the blocks.
        turns: (2, n, channels of a head / 2), the rotary turns, the same for all of the batch.
    """

    embedded_times: Tensor
    input_part: Tensor
    text_parts: tuple[Tensor, ...]
    turns: Tensor

    def joined(self, other: "Conditions") -> "Conditions":
        """Put the songs of `other`, which are as long, behind these in one batch."""
        return Conditions(
            torch.cat([self.embedded_times, other.embedded_times]),
            torch.cat([self.input_part, other.input_part]),
            tuple(torch.cat(pair) for pair in zip(self.text_parts, other.text_parts, strict=True)),
            self.turns,
        )


class TimedNorm(nn.Module):
    """A layer norm whose scale and shift come from the embedded times."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.linear = nn.Linear(CONDITION_DIM, 2 * dim)

    def forward(self, hidden: Tensor, embedded_times: Tensor) -> Tensor:
        """Norm (b, n, d) given times embedded as (b, 512)."""
        scale, shift = self.linear(functional.silu(embedded_times))[:, None].chunk(2, dim=-1)
        return functional.layer_norm(hidden, hidden.shape[-1:], eps=NORM_EPSILON) * (1 + scale) + shift


class DiT(nn.Module):
    """The velocity of latents at a time of the flow, from noise at 0 to music at 1.

    Inputs may be on any device and of any float dtype; they are moved to that of the weights.
    """

    def __init__(self, config: DiTConfig) -> None:
        super().__init__()
        self.config = config
        dim, text_dim = config.dim, config.text_dim
        self.time_embed = TimeEmbedding()
        self.start_time_embed = TimeEmbedding()
        if config.has_duration:
            self.duration_time_embed = TimeEmbedding()
        self.text_embed = TextEncoder(config.text_num_embeds, text_dim, config.conv_layers, config.max_frames)
        self.input_embed = InputEmbedding(dim, config.mel_dim, text_dim)
        self.transformer_blocks = nn.ModuleList(TransformerBlock(dim, config.ff_mult) for _ in range(config.depth))
        self.text_fusion_linears = nn.ModuleList(
            nn.Sequential(nn.Linear(text_dim, dim), nn.SiLU()) for _ in range(config.depth // 2)
        )
        self.norm_out = TimedNorm(dim)
        self.proj_out = nn.Linear(dim, config.mel_dim)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.proj_out.weight.device

    @property
    def dtype(self) -> torch.dtype:
        """The weights' dtype, and that of a velocity."""
        return self.proj_out.weight.dtype

    def forward(
        self,
        x: Tensor,
        cond: Tensor,
        text: Tensor,
        time: Tensor,
        style: Tensor,
        start_time: Tensor,
        duration: Tensor | None = None,
        *,
        drop_audio_cond: bool = False,
        drop_text: bool = False,
    ) -> Tensor:
        """Give the velocity (b, n, m) of latents x; see `prepare` and `velocity` for the arguments."""
        conditions = self.prepare(
            cond, text, style, start_time, duration, drop_audio_cond=drop_audio_cond, drop_text=drop_text
        )
        return self.velocity(x, time, conditions)

    def prepare(
        self,
        cond: Tensor,
        text: Tensor,
        style: Tensor,
        start_time: Tensor,
        duration: Tensor | None = None,
        *,
        drop_audio_cond: bool = False,
        drop_text: bool = False,
    ) -> Conditions:
        """Work out what stays the same in all steps of the songs.

        Args:
            cond: (b, n, m) reference latents, 0 in frames that are to be made.
            text: (b, n) int64 phoneme ids, 0 (filler) to `text_num_embeds`.
            style: (b, 512).
            start_time: (b,) or a scalar, in units of `max_frames`.
            duration: like `start_time`; left out of the sum by a network that has no embedding of it.
            drop_audio_cond: take `cond` for zeros.
            drop_text: take every id for filler.

        Raises:
            ValueError: shapes do not fit together, an id is out of range, or the duration is missing.
        """
        self._check(cond, text, style)
        batch = len(cond)
        cond, style = (values.to(self.device, self.dtype) for values in (cond, style))
        text = text.to(self.device)
        text_states = self.text_embed(torch.full_like(text, FILLER) if drop_text else text)
        embedded_times = self.start_time_embed(self._per_song(start_time, batch))
        if self.config.has_duration:
            if duration is None:
                raise ValueError("this network must be told the duration")
            embedded_times = embedded_times + self.duration_time_embed(self._per_song(duration, batch))
        return Conditions(
            embedded_times,
            self.input_embed.fixed_part(torch.zeros_like(cond) if drop_audio_cond else cond, text_states, style),
            tuple(fuse(text_states) for fuse in self.text_fusion_linears),
            rotary_turns(text.shape[1], self.config.dim // HEADS, self.device).to(self.dtype),
        )

    def velocity(self, x: Tensor, time: Tensor, conditions: Conditions) -> Tensor:
        """Give the velocity of latents at a time.

        Args:
            x: (b, n, m) latents.
            time: (b,) or a scalar, 0 to 1.
            conditions: what `prepare` made of the songs.

        Returns:
            (b, n, m), of the weights' dtype.

        Raises:
            ValueError: latents and conditions are not of as many songs or frames.
        """
        shape = (*conditions.input_part.shape[:2], self.config.mel_dim)
        if x.shape != shape:
            raise ValueError(f"latents must be {shape} under these conditions, not {tuple(x.shape)}")
        embedded_times = self.time_embed(self._per_song(time, len(x))) + conditions.embedded_times
        hidden = self.input_embed(x.to(self.device, self.dtype), embedded_times, conditions.input_part)
        for i, block in enumerate(self.transformer_blocks):
            hidden = block(hidden, conditions.turns)
            if i < len(conditions.text_parts):
                hidden = hidden + conditions.text_parts[i]
        return self.proj_out(self.norm_out(hidden, embedded_times))

    def _per_song(self, value: Tensor, batch: int) -> Tensor:
        """Give a clock value, shared or one a song, as (b,) float32."""
        if value.shape not in ((), (batch,)):
            raise ValueError(f"a time must be one number or one a song ({batch}), not of shape {tuple(value.shape)}")
        return value.to(self.device, torch.float32).expand(batch)

    def _check(self, cond: Tensor, text: Tensor, style: Tensor) -> None:
        """Raise ValueError where the songs' inputs do not fit together or the network."""
        if cond.ndim != 3 or cond.shape[-1] != self.config.mel_dim:
            raise ValueError(f"cond must be (songs, frames, {self.config.mel_dim}), not {tuple(cond.shape)}")
        if text.shape != cond.shape[:2]:
            raise ValueError(f"text must have one id a frame, {tuple(cond.shape[:2])}, not {tuple(text.shape)}")
        if style.shape != (len(cond), CONDITION_DIM):
            raise ValueError(f"style must be {(len(cond), CONDITION_DIM)}, not {tuple(style.shape)}")
        lowest, highest = text.min(), text.max()
        if lowest < 0 or highest > self.config.text_num_embeds:
            raise ValueError(
                f"text ids must be 0 to {self.config.text_num_embeds}, not {int(lowest)} to {int(highest)}"
            )
