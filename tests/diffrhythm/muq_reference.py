"""Runs PyPI's `muq` on the tiny style encoder's files and stores what comes out, the judge of our own network.

    python3 -m venv /tmp/muq
    /tmp/muq/bin/pip install torch==2.13.0 transformers==4.57.6 einops==0.8.2 easydict==1.14 scipy
    /tmp/muq/bin/pip install --no-deps muq==0.1.0
    /tmp/muq/bin/python -m tests.diffrhythm.muq_reference

`muq` breaks with transformers 5 (its conformer returns no hidden states any more) and, unless installed without
dependencies, brings torchaudio and torchvision. Of these it uses a mel spectrogram and nothing, so stand-ins are given.
"""

import importlib.machinery
import json
import os
import sys
import tempfile
import types
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from musicgen.diffrhythm.mel_transforms import FLOOR, mel_filters
from musicgen.diffrhythm.weights import LISTENER_CONFIG, READER_CONFIG, STYLE_WEIGHTS
from tests.diffrhythm.tiny_style_encoder import LISTENER, STYLE, write_tiny_style_encoder

GOLDEN = Path(__file__).with_name("style_golden.json")
TEXTS = ("Slow jazz, piano and drums", "fast rock")


def golden_sound() -> Tensor:
    """Make ten seconds of mono at 24 kHz, (240000,) float32: three notes over a little noise."""
    times = torch.arange(240_000) / 24_000
    notes = sum(0.2 * torch.sin(2 * torch.pi * hz * times) for hz in (110.0, 277.2, 1318.5))
    return notes + 0.02 * torch.randn(240_000, generator=torch.Generator().manual_seed(0))


class _MelSpectrogram(nn.Module):
    def __init__(self, sample_rate: int, n_fft: int, hop_length: int, n_mels: int) -> None:
        super().__init__()
        self.n_fft, self.hop_length = n_fft, hop_length
        self.filters = torch.from_numpy(mel_filters(sample_rate, n_fft, n_mels))

    def forward(self, waveform: Tensor) -> Tensor:
        window = torch.hann_window(self.n_fft)
        spectrum = torch.stft(waveform, self.n_fft, self.hop_length, window=window, return_complex=True)
        return self.filters @ spectrum.abs() ** 2


class _AmplitudeToDB(nn.Module):
    def forward(self, power: Tensor) -> Tensor:
        return 10 * torch.log10(power.clamp(min=FLOOR))


def _module(name: str, **contents: Any) -> types.ModuleType:
    module = types.ModuleType(name)
    module.__spec__ = importlib.machinery.ModuleSpec(name, None)
    vars(module).update(contents)
    sys.modules[name] = module
    return module


def _stand_in() -> None:
    unused = dict.fromkeys(("Spectrogram", "TimeStretch", "FrequencyMasking", "TimeMasking"))
    transforms = _module(
        "torchaudio.transforms", MelSpectrogram=_MelSpectrogram, AmplitudeToDB=_AmplitudeToDB, **unused
    )
    _module("torchaudio", transforms=transforms)
    tokenizer = _module("x_clip.tokenizer", tokenizer=types.SimpleNamespace(vocab_size=49_408))
    _module("x_clip", tokenizer=tokenizer)


def _reference_model(folder: Path) -> Any:
    """Build muq's own model from the files; its back bones want weights of their own first, which are overwritten."""
    from muq import MuQ, MuQMuLan
    from transformers import XLMRobertaConfig, XLMRobertaModel

    listener, reader = LISTENER_CONFIG.path_in(folder).parent, READER_CONFIG.path_in(folder).parent
    MuQ(LISTENER).save_pretrained(listener)
    XLMRobertaModel(XLMRobertaConfig.from_pretrained(reader)).save_pretrained(reader)
    named = {"audio_model": {"name": str(listener)}, "text_model": {"name": str(reader)}}
    config = {key: section | named.get(key, {}) for key, section in STYLE.items()}
    model = MuQMuLan(config)
    weights = torch.load(STYLE_WEIGHTS.path_in(folder), weights_only=True)
    missing, unexpected = model.load_state_dict(weights, strict=False)
    assert not unexpected, unexpected
    print("left random by the file, not used:", *missing, sep="\n  ")
    return model.eval()


def main() -> None:
    """Write the golden file."""
    torch.set_num_threads(1)
    _stand_in()
    with tempfile.TemporaryDirectory() as name, torch.inference_mode():
        folder = Path(name)
        write_tiny_style_encoder(folder)
        os.environ["HF_HUB_OFFLINE"] = "1"
        model = _reference_model(folder)
        golden = {
            "texts": {text: model(texts=[text])[0].tolist() for text in TEXTS},
            "audio": model(wavs=golden_sound()[None])[0].tolist(),
        }
    GOLDEN.write_text(json.dumps(golden))


if __name__ == "__main__":
    main()
