"""Writes everything that the DiffRhythm engine downloads, in the published formats, tiny and with random weights.

    python -m tests.diffrhythm.tiny_checkpoints FOLDER

makes FOLDER/diffrhythm, so that MUSICGEN_WEIGHTS_DIR=FOLDER gives an engine that runs in seconds and plays noise. The
layout is that of `musicgen.diffrhythm.weights`. Equal calls write equal weights.
"""

import json
import sys
import unicodedata
import warnings
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import torch

from musicgen.diffrhythm.dit import DiT, DiTConfig
from musicgen.diffrhythm.frames import BASE_MAX_FRAMES, LONG_MAX_FRAMES
from musicgen.diffrhythm.weights import BASE_NETWORK, ENGINE_NAME, FULL_NETWORK, NEGATIVE_STYLE, VAE, VOCABULARY
from tests.diffrhythm.tiny_oobleck import random_oobleck
from tests.diffrhythm.tiny_style_encoder import STYLE_DIM, write_tiny_style_encoder

N_SYMBOLS = 363
# The sizes are free, but for what the format fixes: channels of latents, style and times, and the vocabulary.
SIZES = {"dim": 128, "depth": 2, "ff_mult": 2, "text_dim": 64, "conv_layers": 2, "text_num_embeds": N_SYMBOLS}
BASE_CONFIG = DiTConfig(**SIZES, max_frames=BASE_MAX_FRAMES)
FULL_CONFIG = DiTConfig(**SIZES, max_frames=LONG_MAX_FRAMES, has_duration=True)

# Slows the flow down, so that guidance does not drive random latents far from where the VAE's level is set.
VELOCITY_SCALE = 0.1

# Token ids that are known from the two golden sentences of the specification.
KNOWN_IDS = {
    **{",": 1, ".": 2, "?": 3, "!": 4, "_": 5, "ɪ": 7, "ɜː": 8, "uː": 14, "aɪ": 21, "oʊ": 24, "p": 28, "b": 29},
    **{"t": 30, "d": 31, "k": 32, "θ": 36, "s": 38, "z": 39, "h": 42, "m": 45, "n": 46, "w": 49, "ɹ": 50, "l": 51},
    **{"dz": 55, "ə": 58},
}
# The other sounds of English, and the two forms of one that the published vocabulary has.
OTHER_SOUNDS = "iː ɛ æ ɑː ɔː ʊ ʌ eɪ ɔɪ aʊ ɪɹ ɛɹ ɑːɹ oːɹ ɔːɹ ʊɹ ɚ i iə ɡ f v ð ʃ ʒ tʃ dʒ ŋ j ts tɹ dɹ ɾ o oː a aː e u"
CEDILLAS = [unicodedata.normalize(form, "ç") for form in ("NFC", "NFD")]
# What fills the rest, as syllables of a tonal language would.
INITIALS, FINALS, TONES = "p t k ʈ ɕ ʐ x", "a o ɤ i y ai ei au ou an ən aŋ", "˥ ˧˥ ˨˩ ˥˩"


def write_tiny_checkpoints(folder: Path, depth: int = BASE_CONFIG.depth) -> None:
    """Write the whole set.

    Args:
        folder: what MUSICGEN_WEIGHTS_DIR is to be; `folder`/diffrhythm is made in it.
        depth: of the velocity networks, blocks; nearly all the time of a whole song goes into them.
    """
    own = folder / ENGINE_NAME
    for file in (BASE_NETWORK, FULL_NETWORK, VAE):
        file.path_in(own).parent.mkdir(parents=True, exist_ok=True)
    _write_network(BASE_NETWORK.path_in(own), replace(BASE_CONFIG, depth=depth))
    _write_network(FULL_NETWORK.path_in(own), replace(FULL_CONFIG, depth=depth))
    write_tiny_vae(VAE.path_in(own))
    write_tiny_style_encoder(own)
    np.save(NEGATIVE_STYLE.path_in(own), negative_style())
    VOCABULARY.path_in(own).write_text(json.dumps({"vocab": vocabulary()}, ensure_ascii=False), encoding="utf-8")


def write_tiny_vae(path: Path) -> None:
    """Write the VAE as TorchScript."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of TorchScript, which is what was published
        torch.jit.script(random_oobleck()).save(str(path))


def negative_style() -> np.ndarray:
    """Make a style vector: (1, 512) float32 of unit norm."""
    style = np.random.default_rng(0).standard_normal((1, STYLE_DIM))
    return (style / np.linalg.norm(style)).astype(np.float32)


def vocabulary() -> dict[str, int]:
    """Make a vocabulary of the published size: symbol -> index, which is the token id less 1."""
    syllables = map("".join, product(INITIALS.split(), FINALS.split(), TONES.split()))
    others = (symbol for symbol in [*OTHER_SOUNDS.split(), *CEDILLAS, *syllables] if symbol not in KNOWN_IDS)
    known = {token_id: symbol for symbol, token_id in KNOWN_IDS.items()}
    return {known.get(index + 1) or next(others): index for index in range(N_SYMBOLS)}


def _write_network(path: Path, config: DiTConfig) -> None:
    """Write a velocity network whose layers are all random, also those that training begins with zeros."""
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(0)
        network = DiT(config)
        for weight in network.parameters():
            if not weight.any():
                weight.normal_(std=0.02)
        network.proj_out.weight *= VELOCITY_SCALE
    state = {f"transformer.{name}": weight.half() for name, weight in network.state_dict().items()}
    torch.save({"model_state_dict": state}, path)


def main() -> None:
    """Write the set into the folder that the command line names."""
    if len(sys.argv) != 2:
        sys.exit("usage: python -m tests.diffrhythm.tiny_checkpoints FOLDER")
    write_tiny_checkpoints(Path(sys.argv[1]))


if __name__ == "__main__":
    main()
