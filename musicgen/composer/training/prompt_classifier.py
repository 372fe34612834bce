"""Train the prompt classifier and measure it on texts that it has not seen.

    python -m musicgen.composer.training.prompt_classifier DATA_DIR

DATA_DIR holds `musiccaps/musiccaps-train.csv` (see docs/data.md). Writes the weights and prints the figures that stand
in `weights/MODEL_CARD.md`. Seeded and on one thread: the same data give the same weights.
"""

import json
import random
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional

from musicgen.composer.prompt.classifier import (
    LEVELS,
    NOTHING,
    WEIGHTS,
    Guess,
    PromptClassifier,
    feature_ids,
    word_hash,
)
from musicgen.composer.style_file import all_styles
from musicgen.composer.training.prompt_examples import (
    BOUNDS,
    PHRASE_REPEATS,
    Caption,
    Example,
    Phrases,
    gibberish,
    is_held_out,
    read_captions,
    read_lexicon_examples,
    read_phrases,
    words_of,
)

N_BUCKETS, DIM = 16384, 24
EPOCHS, BATCH_SIZE, LEARNING_RATE, WEIGHT_DECAY, DROPOUT = 12, 64, 0.01, 1e-5, 0.3
SEED = 7
MIN_INSTRUMENT_COUNT = 40
# Of the lexicon's phrases this share is learned in an epoch.
LEXICON_SHARE = 0.35
GIBBERISH_AN_EPOCH = 60
# Low, middle, high: how much each level counts, since captions are three quarters glad.
LEVEL_WEIGHTS = {"valence": torch.tensor([1.6, 1.6, 0.5]), "arousal": torch.tensor([1.3, 1.0, 0.8])}


class Network(nn.Module):
    """Embedding bag and linear heads."""

    def __init__(self, labels: Mapping[str, Sequence[str]]) -> None:
        super().__init__()
        self.embedding = nn.EmbeddingBag(N_BUCKETS, DIM, mode="mean")
        nn.init.normal_(self.embedding.weight, std=0.05)
        self.dropout = nn.Dropout(DROPOUT)
        self.head = nn.Linear(DIM, sum(map(len, labels.values())))
        self.sizes = [len(names) for names in labels.values()]

    def forward(self, ids: torch.Tensor, offsets: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Return the logits of each head; `ids` of all texts in one row, `offsets` where each begins."""
        return self.head(self.dropout(self.embedding(ids, offsets))).split(self.sizes, dim=1)


def loss_of(
    network: Network, batch: Sequence[Example], labels: Mapping[str, Sequence[str]], weights: torch.Tensor
) -> torch.Tensor:
    """Sum the heads' losses; `weights` (n_styles,) makes up for rare styles."""
    ids = [feature_ids(example.words, N_BUCKETS) for example in batch]
    offsets = torch.tensor([0, *map(len, ids[:-1])]).cumsum(0)
    logits = dict(zip(labels, network(torch.tensor([i for row in ids for i in row]), offsets), strict=True))
    styles = torch.tensor([[example.styles.get(name, 0.0) for name in labels["styles"]] for example in batch])
    loss = -(functional.log_softmax(logits["styles"], 1) * styles * weights).sum() / len(batch)
    for head in BOUNDS:
        levels = torch.tensor([example.levels.get(head, -1) for example in batch])
        if (levels >= 0).any():
            loss = loss + 0.5 * functional.cross_entropy(logits[head], levels, LEVEL_WEIGHTS[head], ignore_index=-1)
    known = [i for i, example in enumerate(batch) if example.instruments is not None]
    if known:
        plays = [[float(name in (batch[i].instruments or ())) for name in labels["instruments"]] for i in known]
        loss = loss + 2 * functional.binary_cross_entropy_with_logits(logits["instruments"][known], torch.tensor(plays))
    return loss


def train(
    captions: Sequence[Caption], phrases: Phrases, lexicon: Sequence[Example], labels: Mapping[str, Sequence[str]]
) -> Network:
    """Train from a fixed seed and on one thread, so that the weights can be made again."""
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    rng = random.Random(SEED)
    counts = Counter(dict.fromkeys(labels["styles"], 1.0))
    for caption in captions:
        counts.update(caption.example.styles)
    for listed, label in phrases.meanings:
        counts.update({style: PHRASE_REPEATS * len(listed) for style in label.styles})
    weights = torch.tensor([counts[name] for name in labels["styles"]]).rsqrt()
    weights = weights / weights.mean()
    network = Network(labels)
    optimizer = torch.optim.AdamW(network.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    for epoch in range(EPOCHS):
        for group in optimizer.param_groups:
            group["lr"] = LEARNING_RATE * (1 - epoch / EPOCHS)
        examples = [caption.hide(rng) for caption in captions]
        examples += phrases.examples(rng)
        examples += rng.sample(lexicon, int(LEXICON_SHARE * len(lexicon)))
        examples += [gibberish(rng) for _ in range(GIBBERISH_AN_EPOCH)]
        examples = [example for example in examples if example.words]
        rng.shuffle(examples)
        total = 0.0
        for first in range(0, len(examples), BATCH_SIZE):
            loss = loss_of(network, examples[first : first + BATCH_SIZE], labels, weights)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item()
        print(f"epoch {epoch + 1}: loss {total * BATCH_SIZE / len(examples):.3f}", file=sys.stderr)
    return network


def known_words(captions: Sequence[Caption], phrases: Phrases, lexicon: Sequence[Example]) -> set[str]:
    """Collect every word that training can show to the network."""
    texts = [caption.words for caption in captions] + [example.words for example in lexicon]
    texts += [words_of(phrase) for listed, _ in phrases.meanings for phrase in listed]
    return {word for words in texts for word in words}


def save(network: Network, labels: Mapping[str, Sequence[str]], known: Iterable[str], path: Path) -> None:
    """Write embeddings as int8 with a float16 scale for each row, the rest as float16, known words as hashes."""
    embedding = network.embedding.weight.detach()
    scale = (embedding.abs().amax(dim=1) / 127).clamp(min=1e-7).half()
    tensors = {
        "embedding": (embedding / scale.float()[:, None]).round().clamp(-127, 127).to(torch.int8),
        "scale": scale,
        "head": network.head.weight.detach().half(),
        "bias": network.head.bias.detach().half(),
        "known": torch.tensor(sorted({word_hash(word) for word in known}), dtype=torch.uint32),
    }
    save_file(tensors, path, metadata={"labels": json.dumps(labels)})


def labels_for(captions: Sequence[Caption]) -> dict[str, list[str]]:
    """List the labels of each head."""
    counts = Counter(name for caption in captions for name in caption.example.instruments or ())
    instruments = sorted(name for name, count in counts.items() if count >= MIN_INSTRUMENT_COUNT)
    levels = {head: list(LEVELS) for head in BOUNDS}
    return {"styles": [*sorted(all_styles()), NOTHING], **levels, "instruments": instruments}


def ranked(probabilities: Mapping[str, float]) -> list[str]:
    """Return the labels, most probable first."""
    return sorted(probabilities, key=probabilities.__getitem__, reverse=True)


def report_styles(title: str, pairs: Sequence[tuple[Guess, Example]]) -> None:
    """Print how often the first and the first three guesses name one of the styles, overall and by style."""
    pairs = [(guess, example) for guess, example in pairs if example.styles]
    commonest = Counter(style for _, example in pairs for style in example.styles).most_common(1)[0]
    hits = [[bool(set(ranked(guess.styles)[:n]) & set(example.styles)) for guess, example in pairs] for n in (1, 3)]
    top1, top3 = (sum(hit) / len(pairs) for hit in hits)
    print(f"style, {title}: n {len(pairs)}, top-1 {top1:.3f}, top-3 {top3:.3f}, "
          f"always {commonest[0]} {commonest[1] / len(pairs):.3f}")  # fmt: skip
    for style in sorted({style for _, example in pairs for style in example.styles}):
        own = [i for i, (_, example) in enumerate(pairs) if style in example.styles]
        print(f"    {style}: n {len(own)}, top-1 {sum(hits[0][i] for i in own) / len(own):.2f}, "
              f"top-3 {sum(hits[1][i] for i in own) / len(own):.2f}")  # fmt: skip


def report_levels(title: str, pairs: Sequence[tuple[Guess, Example]]) -> None:
    """Print the accuracy of the moods against the commonest level."""
    for head in BOUNDS:
        told = [(getattr(guess, head), LEVELS[example.levels[head]]) for guess, example in pairs
                if head in example.levels]  # fmt: skip
        majority = Counter(level for _, level in told).most_common(1)[0]
        right = sum(ranked(guess)[0] == level for guess, level in told) / len(told)
        recalls = [
            f"{level} {sum(ranked(guess)[0] == level for guess in own) / len(own):.2f} of {len(own)}"
            for level in LEVELS if (own := [guess for guess, said in told if said == level])
        ]  # fmt: skip
        sure = [(ranked(guess)[0], level) for guess, level in told if max(guess.values()) >= 0.6]
        sure_right = sum(one == other for one, other in sure) / max(len(sure), 1)
        print(f"{head}, {title}: n {len(told)}, accuracy {right:.3f}, always {majority[0]} "
              f"{majority[1] / len(told):.3f}; {', '.join(recalls)}; "
              f"sure of {len(sure)}: {sure_right:.2f}")  # fmt: skip


def report_instruments(pairs: Sequence[tuple[Guess, Example]]) -> None:
    """Print precision at a high and a middling probability for every instrument, beside how often it plays."""
    for name in pairs[0][0].instruments:
        plays = [name in (example.instruments or ()) for _, example in pairs]
        precision = []
        for threshold in (0.5, 0.7):
            said = [i for i, (guess, _) in enumerate(pairs) if guess.instruments[name] >= threshold]
            precision.append(f"at {threshold} {sum(plays[i] for i in said)} of {len(said)} right")
        print(f"    {name}: plays in {sum(plays)} of {len(plays)}; {', '.join(precision)}")


def main(data_dir: Path) -> None:
    """Train, save, load what was saved and measure that."""
    captions = read_captions(data_dir)
    learned = [caption for caption in captions if not is_held_out(" ".join(caption.words))]
    phrases, held_out = read_phrases()
    labels = labels_for(learned)
    WEIGHTS.parent.mkdir(exist_ok=True)
    lexicon = read_lexicon_examples()
    known = known_words(learned, phrases, lexicon)
    save(train(learned, phrases, lexicon, labels), labels, known, WEIGHTS)
    classifier = PromptClassifier(WEIGHTS)
    bare = [caption.bare() for caption in captions if is_held_out(" ".join(caption.words))]
    seen = [(classifier.guess(example.words), example) for example in bare if example.words]
    told = [(classifier.guess(words), label) for phrase, label in held_out if (words := words_of(phrase))]
    report_styles("captions", seen)
    report_styles("phrases", told)
    report_levels("captions", seen)
    report_levels("phrases", told)
    report_instruments(seen)
    print(f"{WEIGHTS.name}: {WEIGHTS.stat().st_size} bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
