"""What words do to their neighbours: "no", "without drums or bass", "not too", "a bit", "only strings and flute".

Works on the hits of `hits.py`, in place, left to right; a clause mark ends every reach.
"""

from collections.abc import Sequence
from itertools import accumulate

from musicgen.composer.prompt.hits import Hit
from musicgen.composer.prompt.text import BREAKS, COMMA, Token

NEGATIONS = ("negate", "negate_all")
JOINTS = ("and", "or")
_WITHOUT_EFFECT = frozenset((None, "function", "request", "voice", "instrumental", "ignore", *JOINTS))
# How many tokens may stand between a word and what it acts on.
NEGATION_REACH = 5
DEGREE_REACH = 2
LIST_REACH = 3
ADJACENT = 2
# How many hits back a clause is followed.
CLAUSE_REACH = 40
# "A guitar solo" is a passage in a band; "a piano solo" is a piece.
FEATURED_SOLOISTS = frozenset(
    {
        "guitar",
        "electric_guitar",
        "overdriven_guitar",
        "distorted_guitar",
        "jazz_guitar",
        "sax",
        "alto_sax",
        "tenor_sax",
        "trumpet",
        "drums",
    }
)


class Scopes:
    """The hits of one prompt, with what stands between them."""

    def __init__(self, tokens: Sequence[Token], hits: Sequence[Hit]) -> None:
        self._hits = hits
        # Marks before each token, so that a stretch is judged by a difference.
        self._breaks = list(accumulate((token.text in BREAKS for token in tokens), initial=0))
        self._commas = list(accumulate((token.text == COMMA for token in tokens), initial=0))

    def apply(self) -> None:
        """Mark the hits that are refused, strengthened, or wanted alone."""
        for index, hit in enumerate(self._hits):
            if hit.roles <= _WITHOUT_EFFECT:
                continue
            if hit.has_role("degree"):
                self._strengthen(index)
            if hit.has_role(*NEGATIONS) or (hit.has_role("except") and not self._in_refusal(index)):
                self._refuse(index)
            if hit.has_role("negate_after"):
                self._refuse_before(index)
            if hit.has_role("only", "only_after", "solo") or (hit.has_role("except") and self._in_refusal(index)):
                self._single_out(index)
            if hit.has_role("alone") and hit.instruments and not self._is_featured(index):
                hit.exclusive = True

    def _ends_clause(self, left: int, right: int) -> bool:
        return self._breaks[self._hits[right].first] > self._breaks[self._hits[left].last]

    def _has_comma(self, left: int, right: int) -> bool:
        return self._n_commas(left, right) > 0

    def _n_commas(self, left: int, right: int) -> int:
        return self._commas[self._hits[right].first] - self._commas[self._hits[left].last]

    def _distance(self, left: int, right: int) -> int:
        return self._hits[right].first - self._hits[left].last

    def _strengthen(self, index: int) -> None:
        """Pass "very" and its like on to the next word of content, if it is near."""
        factor = next(entry.factor for entry in self._hits[index].entries if entry.role == "degree")
        for after in range(index + 1, len(self._hits)):
            if (
                self._distance(index, after) > DEGREE_REACH
                or self._ends_clause(index, after)
                or self._has_comma(index, after)
            ):
                return
            if self._hits[after].is_content:
                self._hits[after].strength *= factor
                return

    def _refuse(self, index: int) -> None:
        """Refuse what follows a negation: one thing, or a list of them."""
        last: int | None = None
        for after in range(index + 1, len(self._hits)):
            hit = self._hits[after]
            if self._ends_clause(after - 1, after) or hit.has_role("but", "except", "only", *NEGATIONS):
                break
            if last is None:
                if self._distance(index, after) > NEGATION_REACH or self._has_comma(index, after):
                    break
            elif hit.has_role("feature"):
                break
            if not hit.is_content:
                continue
            if last is not None and not self._list_goes_on(index, last, after):
                break
            hit.negated = True
            last = after
        if last is None:
            self._refuse_noun_before(index)

    def _refuse_noun_before(self, index: int) -> None:
        """Read "drums: no" where nothing follows the negation."""
        before = index - 1
        if before >= 0 and self._hits[before].is_noun and self._distance(before, index) == 0:
            self._hits[before].negated = True

    def _list_goes_on(self, index: int, last: int, after: int) -> bool:
        """Tell whether what follows the refused `last` is refused too: "no drums or bass", not "no drums, piano"."""
        previous, hit = self._hits[last], self._hits[after]
        joints = [h for h in self._hits[last + 1 : after] if h.has_role(*JOINTS)]
        if any(joint.has_role("or") for joint in joints):
            return self._distance(last, after) <= LIST_REACH + 1
        if joints:
            return joints[-1].last == hit.first and hit.is_noun == previous.is_noun
        if self._has_comma(last, after):
            return previous.is_noun and hit.is_noun and self._is_list(index, after)
        return not previous.is_noun and self._distance(last, after) <= 1

    def _is_list(self, index: int, item: int) -> bool:
        """Look ahead from an item after a comma: "drums, bass or piano" is a list; after "without", "and" makes one."""
        joints = ("or", "and") if self._hits[index].has_role("negate_all") else ("or",)
        for after in range(item + 1, len(self._hits)):
            hit = self._hits[after]
            if self._ends_clause(after - 1, after) or self._distance(after - 1, after) > self._n_commas(
                after - 1, after
            ):
                return False
            if hit.has_role(*joints):
                return True
            if (hit.is_content and not hit.is_noun) or hit.has_role("feature", "but"):
                return False
        return False

    def _refuse_before(self, index: int) -> None:
        """Refuse what stands before a negation that follows its word, as in Japanese and Korean."""
        for item in self._list_before(index, ADJACENT, nouns_only=False):
            self._hits[item].negated = True

    def _single_out(self, index: int) -> None:
        """Mark the instruments next to "only" as all that is wanted."""
        hit = self._hits[index]
        is_solo = hit.has_role("solo")
        if index and self._hits[index - 1].has_role(*NEGATIONS) and self._distance(index - 1, index) == 0:
            return
        items = [] if hit.has_role("only_after") and not hit.has_role("only") else self._list_after(index)
        if not items and not hit.has_role("except"):
            items = self._list_before(index, ADJACENT, nouns_only=True)
            if items and is_solo and self._is_passage(index, items):
                return
        if not items or (is_solo and self._is_featured(index)):
            return
        for item in items:
            self._hits[item].exclusive = True

    def _is_passage(self, index: int, items: Sequence[int]) -> bool:
        """Tell whether "guitar solo" or "rock, organ solo" means a passage: a band's soloist, or a style before it."""
        soloists = {name for item in items for name in self._hits[item].instruments}
        return not soloists.isdisjoint(FEATURED_SOLOISTS) or any(hit.style for hit in self._hits[:index])

    def _list_after(self, index: int) -> list[int]:
        """Collect the instruments that follow, joined by commas and "and"."""
        items: list[int] = []
        for after in range(index + 1, len(self._hits)):
            last = items[-1] if items else index
            if self._ends_clause(last, after) or self._distance(last, after) > LIST_REACH:
                break
            if not items and self._has_comma(index, after):
                break
            hit = self._hits[after]
            if hit.instruments:
                items.append(after)
            elif hit.has_role("but", "except", "negate", "negate_all", "feature") or hit.style:
                break
        return items

    def _list_before(self, index: int, reach: int, nouns_only: bool) -> list[int]:
        """Collect the word of content before a hit, and those joined to it by "and"."""
        items: list[int] = []
        last = index
        for before in range(index - 1, -1, -1):
            hit = self._hits[before]
            if self._ends_clause(before, last) or self._has_comma(before, last) or self._distance(before, last) > reach:
                break
            if hit.has_role(*JOINTS):
                last = before
            elif hit.is_content:
                is_joined = not items or self._hits[last].has_role(*JOINTS)
                if not is_joined or (nouns_only and not hit.instruments):
                    break
                items.append(before)
                last, reach = before, 1
            elif hit.has_role(*NEGATIONS, "but", "feature"):
                break
        return items

    def _is_featured(self, index: int) -> bool:
        """Tell whether a "with" or "and" before a solo makes it a passage of a larger band."""
        for before in range(index - 1, max(index - CLAUSE_REACH, 0) - 1, -1):
            if self._ends_clause(before, before + 1):
                return False
            if self._hits[before].has_role("feature", "and"):
                return True
        return False

    def _in_refusal(self, index: int) -> bool:
        """Tell whether "except" stands in a clause that refuses something: "no instruments except piano"."""
        for before in range(index - 1, max(index - CLAUSE_REACH, 0) - 1, -1):
            if self._ends_clause(before, before + 1):
                return False
            if self._hits[before].has_role(*NEGATIONS):
                return True
        return False
