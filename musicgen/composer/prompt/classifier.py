"""A small trained text classifier: what a prompt's words suggest where neither a style nor the lexicon names it.

Hashed word and character n-grams -> mean of their embeddings -> one linear layer with four heads: style, valence and
arousal in three levels, instruments. `training/prompt_classifier.py` makes the weights, `weights/MODEL_CARD.md` says
how good they are. Knows nothing of the brief: `prompt/guesses.py` decides when a guess counts. Trained with torch,
asked without it, so that reading a prompt stays light.
"""

import json
import math
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import pairwise
from pathlib import Path

WEIGHTS = Path(__file__).parents[1] / "weights" / "prompt_classifier.safetensors"
MATRICES = ("embedding", "scale", "head", "bias")
LEVELS = ("low", "middle", "high")
# The style label of prompts that say nothing of music.
NOTHING = "nothing"
# Of a longer prompt the first words are read: a guess must not take longer than 2 ms.
MAX_WORDS = 100
CHAR_NGRAMS = (4, 5)


@dataclass(frozen=True, slots=True)
class Guess:
    """Probabilities, 0 to 1, by label.

    Attributes:
        styles: names of styles; with "nothing" they sum to 1.
        valence, arousal: by the names in `LEVELS`; each sums to 1.
        instruments: names and families in `instruments.toml`, each independent of the others.
    """

    styles: Mapping[str, float]
    valence: Mapping[str, float]
    arousal: Mapping[str, float]
    instruments: Mapping[str, float]


def word_hash(word: str) -> int:
    """Hash a folded word to 32 bits."""
    return zlib.crc32(word.encode())


def feature_ids(words: Iterable[str], n_buckets: int) -> list[int]:
    """Hash folded words, pairs of neighbours and the pieces of words to buckets; the same on every machine."""
    kept = list(words)[:MAX_WORDS]
    ids = [piece % n_buckets for word in kept for piece in _pieces(word)]
    return ids + [zlib.crc32(f"{one} {next_one}".encode()) % n_buckets for one, next_one in pairwise(kept)]


@lru_cache(maxsize=8192)
def _pieces(word: str) -> tuple[int, ...]:
    """Hash a word and, with its ends marked, its character n-grams."""
    marked = f"<{word[:40]}>"
    ngrams = [marked[i : i + n] for n in CHAR_NGRAMS for i in range(len(marked) - n + 1) if n < len(marked)]
    return tuple(zlib.crc32(piece.encode()) for piece in (marked, *ngrams))


class PromptClassifier:
    """The loaded network, float32.

    Raises:
        safetensors.SafetensorError: the file is damaged.
    """

    def __init__(self, path: Path) -> None:
        from safetensors import safe_open

        with safe_open(path, framework="numpy") as weights:
            self._known = frozenset(weights.get_tensor("known").tolist())
            tensors = {name: weights.get_tensor(name).astype("float32") for name in MATRICES}
            self.labels: dict[str, list[str]] = json.loads(weights.metadata()["labels"])
        self._embedding = tensors["embedding"] * tensors["scale"][:, None]  # (n_buckets, dim)
        self._head = tensors["head"]  # (n_labels, dim)
        self._bias = tensors["bias"]  # (n_labels,)

    def known_share(self, words: Sequence[str]) -> float:
        """Return the share of words, 0 to 1, that stood in what was learned: of others only pieces may be familiar."""
        return sum(word_hash(word) in self._known for word in words) / max(len(words), 1)

    def guess(self, words: Sequence[str]) -> Guess:
        """Guess from folded words; nothing is random.

        Raises:
            ValueError: there is no word.
        """
        if not words:
            raise ValueError("the classifier needs at least one word")
        bag = self._embedding[feature_ids(words, len(self._embedding))].mean(axis=0)
        # A product and a sum: unlike a matrix product the same to the bit on any number of threads.
        logits = iter(((self._head * bag).sum(axis=1) + self._bias).tolist())
        by_head = {head: dict(zip(names, logits, strict=False)) for head, names in self.labels.items()}
        return Guess(
            styles=_softmax(by_head["styles"]),
            valence=_softmax(by_head["valence"]),
            arousal=_softmax(by_head["arousal"]),
            instruments={name: 1 / (1 + math.exp(-logit)) for name, logit in by_head["instruments"].items()},
        )


def _softmax(logits: Mapping[str, float]) -> dict[str, float]:
    most = max(logits.values())
    exps = {name: math.exp(logit - most) for name, logit in logits.items()}
    return {name: exp / sum(exps.values()) for name, exp in exps.items()}


@cache
def load_classifier(path: Path = WEIGHTS) -> PromptClassifier | None:
    """Load the classifier once; None where there are no weights: then a brief keeps to the words that it knows."""
    return PromptClassifier(path) if path.exists() else None
