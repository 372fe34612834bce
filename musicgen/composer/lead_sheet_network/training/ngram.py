"""A 6-gram with Witten-Bell smoothing over the same tokens: what the network has to beat."""

import math
from collections import defaultdict
from collections.abc import Iterable

from musicgen.composer.lead_sheet_network.tokens import DURATIONS, N_SYMBOLS
from musicgen.composer.lead_sheet_network.training.dataset import IGNORED, EncodedSong

ORDER = 6
N_TOKENS = len(DURATIONS) + N_SYMBOLS


def tokens(song: EncodedSong, length: int | None = None) -> list[list[int]]:
    """Give each section of a song as one row of tokens: duration, symbol, duration, symbol ..."""
    sections: list[list[int]] = [[]]
    for duration, symbol in song.targets[:length].tolist():
        if duration == IGNORED:
            sections.append([])
        else:
            sections[-1] += [duration, len(DURATIONS) + symbol]
    return [section for section in sections if section]


class NGram:
    """Counts of what followed every context of up to five tokens."""

    def __init__(self, sections: Iterable[list[int]]) -> None:
        self.counts: dict[tuple[int, ...], dict[int, int]] = defaultdict(dict)
        for section in sections:
            for place, token in enumerate(section):
                for order in range(min(ORDER - 1, place) + 1):
                    followers = self.counts[tuple(section[place - order : place])]
                    followers[token] = followers.get(token, 0) + 1

    def probability(self, section: list[int], place: int) -> float:
        """Give the probability of a section's token, mixed from short contexts to long."""
        estimate = 1.0 / N_TOKENS
        for order in range(min(ORDER - 1, place) + 1):
            followers = self.counts.get(tuple(section[place - order : place]))
            if followers is None:
                break
            total, kinds = sum(followers.values()), len(followers)
            estimate = (followers.get(section[place], 0) + kinds * estimate) / (total + kinds)
        return estimate

    def nats(self, sections: Iterable[list[int]]) -> float:
        """Give mean nats a token."""
        costs = [-math.log(self.probability(section, place)) for section in sections for place in range(len(section))]
        return sum(costs) / len(costs)
