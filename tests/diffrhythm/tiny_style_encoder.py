"""A tiny MuQ-MuLan in the published file format, with random weights, and the configurations of its back bones.

The files hold all that the published ones hold and inference does not use, too.
"""

import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from musicgen.diffrhythm.conformer import ConformerShape
from musicgen.diffrhythm.mulan import AUDIO_NAMES, TEXT_NAMES, AudioTower, HeadShape, TextTower
from musicgen.diffrhythm.weights import LISTENER_CONFIG, READER_CONFIG, STYLE_CONFIG, STYLE_WEIGHTS, TOKENIZER
from musicgen.diffrhythm.xlm_roberta import ReaderShape

DIM, DEPTH, HEADS = 32, 2, 4
STYLE_DIM = 512

BEGIN, PADDING, END, UNKNOWN, MASK = "<s>", "<pad>", "</s>", "<unk>", "<mask>"
# Unigrams with their log probabilities; U+2581 stands for the space before a word.
WORDS = ("▁", "▁a", "▁the", "▁and", "ing", "er", "or", "▁jazz", "▁rock", "▁pop", "▁piano", "▁guitar", "▁drums", "▁slow")
PIECES = dict.fromkeys("abcdefghijklmnopqrstuvwxyz0123456789,.'-&", -6.0) | dict.fromkeys(WORDS, -4.0)
VOCABULARY = [BEGIN, PADDING, END, UNKNOWN, *PIECES, MASK]

# Both are those of MusicFM's public statistics, on which MuQ was trained.
MEL_MEAN_DB, MEL_STD_DB = 6.768444971712967, 18.417922652295623

LISTENER: dict[str, Any] = {
    "label_rate": 25,
    "num_codebooks": 1,
    "codebook_dim": 16,
    "codebook_size": 16,
    "features": ["melspec_2048"],
    "hop_length": 240,
    "n_mels": 128,
    "conv_dim": 4,
    "encoder_dim": DIM,
    "encoder_depth": DEPTH,
    "is_flash": False,
    "stat": {"melspec_2048_mean": MEL_MEAN_DB, "melspec_2048_std": MEL_STD_DB},
    "w2v2_config": {
        "activation_dropout": 0.1,
        "attention_dropout": 0.0,
        "conformer_conv_dropout": 0.1,
        "conv_depthwise_kernel_size": 31,
        "feat_extract_activation": "gelu",
        "hidden_act": "swish",
        "hidden_dropout": 0.0,
        "intermediate_size": 2 * DIM,
        "layer_norm_eps": 1e-5,
        "layerdrop": 0.0,
        "max_source_positions": 5000,
        "num_attention_heads": HEADS,
        "num_conv_pos_embedding_groups": 4,
        "num_conv_pos_embeddings": 16,
        "position_embeddings_type": "rotary",
        "rotary_embedding_base": 10000,
    },
}
READER: dict[str, Any] = {
    "architectures": ["XLMRobertaForMaskedLM"],
    "model_type": "xlm-roberta",
    "bos_token_id": 0,
    "pad_token_id": 1,
    "eos_token_id": 2,
    "attention_probs_dropout_prob": 0.1,
    "hidden_dropout_prob": 0.1,
    "hidden_act": "gelu",
    "hidden_size": DIM,
    "intermediate_size": 2 * DIM,
    "layer_norm_eps": 1e-5,
    "max_position_embeddings": 66,
    "num_attention_heads": HEADS,
    "num_hidden_layers": DEPTH,
    "type_vocab_size": 1,
    "vocab_size": len(VOCABULARY),
}
_TRANSFORMER = {"dim": DIM, "tf_depth": DEPTH, "heads": 2, "dim_head": 16, "ff_mult": 4}
STYLE: dict[str, Any] = {
    "mulan": {"sr": 24_000, "clip_secs": 10, "dim_latent": STYLE_DIM, "rank_contrast": True},
    "audio_model": {"name": LISTENER_CONFIG.repository, "model_dim": DIM, "use_layer_idx": -1},
    "text_model": {"name": "xlm-roberta-base", "model_dim": None, "use_layer_idx": -1},
    "audio_transformer": _TRANSFORMER | {"attn_dropout": 0.0, "ff_dropout": 0.0},
    "text_transformer": _TRANSFORMER | {"attn_dropout": 0.0, "ff_dropout": 0.0, "max_seq_len": 1024},
}


def write_tiny_style_encoder(folder: Path) -> None:
    """Write it where `weights` says.

    Args:
        folder: the engine's weights folder; it and what is below are made.
    """
    configs = ((LISTENER_CONFIG, LISTENER), (READER_CONFIG, READER), (STYLE_CONFIG, STYLE), (TOKENIZER, tokenizer()))
    for file, content in configs:
        path = file.path_in(folder)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")
    torch.save(random_weights(), STYLE_WEIGHTS.path_in(folder))


def random_weights() -> dict[str, Tensor]:
    """Make the weights under their published names, always the same."""
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(0)
        text = TextTower(ReaderShape.from_config(READER), HeadShape.from_config(STYLE, "text"))
        audio = AudioTower(ConformerShape.from_config(LISTENER), HeadShape.from_config(STYLE, "audio"))
        for module in audio.modules():
            if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
                _learn(module)
        unused = {
            "mulan.audio.aggregator.weight": torch.randn(1, 25, 1),
            "mulan.audio.model.model.cls_token": torch.randn(DIM),
            "mulan.audio.model.model.linear.weight": torch.randn(16, DIM),
            "mulan.contrast.temperatures": torch.ones(1, 1, 1),
            "mulan.text.model.pooler.dense.weight": torch.randn(DIM, DIM),
        }
    return _published(text, TEXT_NAMES) | _published(audio, AUDIO_NAMES) | unused


def _learn(norm: nn.BatchNorm1d | nn.BatchNorm2d) -> None:
    """Give a norm statistics that show when they are not used."""
    assert norm.running_mean is not None and norm.running_var is not None
    norm.running_mean.normal_(0, 0.2)
    norm.running_var.uniform_(0.5, 1.5)


def _published(tower: nn.Module, names: dict[str, str]) -> dict[str, Tensor]:
    return {
        theirs + key.removeprefix(ours): value
        for theirs, ours in names.items()
        for key, value in tower.state_dict().items()
        if key.startswith(ours)
    }


def tokenizer() -> dict[str, Any]:
    """Describe a tokenizer of XLM-R's kind as `tokenizer.json` does."""
    special = [BEGIN, PADDING, END, UNKNOWN, MASK]
    spaces = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True}
    framed = [
        {"SpecialToken": {"id": BEGIN, "type_id": 0}},
        {"Sequence": {"id": "A", "type_id": 0}},
        {"SpecialToken": {"id": END, "type_id": 0}},
    ]
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            {
                "id": VOCABULARY.index(token),
                "content": token,
                "single_word": False,
                "lstrip": token == MASK,
                "rstrip": False,
                "normalized": False,
                "special": True,
            }
            for token in special
        ],
        "normalizer": {"type": "Sequence", "normalizers": [{"type": "NFKC"}, {"type": "Lowercase"}]},
        "pre_tokenizer": spaces,
        "post_processor": {
            "type": "TemplateProcessing",
            "single": framed,
            "pair": framed,
            "special_tokens": {
                token: {"id": token, "ids": [VOCABULARY.index(token)], "tokens": [token]} for token in (BEGIN, END)
            },
        },
        "decoder": spaces,
        "model": {
            "type": "Unigram",
            "unk_id": VOCABULARY.index(UNKNOWN),
            "vocab": [[piece, PIECES.get(piece, 0.0)] for piece in VOCABULARY],
            "byte_fallback": False,
        },
    }
