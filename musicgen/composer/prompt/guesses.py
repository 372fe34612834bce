"""Where a prompt names no style: the classifier's guess votes beside the scenes of the lexicon.

Explicit words always win. Nothing but the style is guessed: on held-out captions the classifier's moods and instruments
were no better than always saying the commonest (`weights/MODEL_CARD.md`).
"""

from collections.abc import Mapping

from musicgen.composer.prompt.answers import Answers
from musicgen.composer.prompt.classifier import load_classifier
from musicgen.composer.prompt.evidence import style_votes
from musicgen.composer.prompt.reading import Reading

GUESSED = "guessed from the words"
# Of words that were never seen it knows nothing, whatever the probabilities say.
MIN_KNOWN_SHARE = 0.5
# What a certain guess counts beside the lexicon's scenes, whose first style has 0.6 votes; and how probable a style
# must be to vote at all. Both were chosen on held-out captions and phrases.
GUESS_VOTES = 1.0
MIN_VOTING_PROBABILITY = 0.15
# Where the lexicon suggests nothing, a style must be this probable: below, the plan decides.
MIN_STYLE_PROBABILITY = 0.2


def guess_style(answers: Answers) -> None:
    """Fill the style where the prompt's words say nothing, and rank those that they merely suggest."""
    words = words_to_guess_from(answers.reading)
    is_named = answers.values["style"] is not None and not answers.values["suggested_styles"]
    classifier = load_classifier() if words and not is_named else None
    if classifier is not None and classifier.known_share(words) >= MIN_KNOWN_SHARE:
        _vote(answers, classifier.guess(words).styles)


def words_to_guess_from(reading: Reading) -> list[str]:
    """Return the words that are no figure, name, style or grammar and are not refused."""
    left_out = list(reading.masked)
    for hit in reading.hits:
        if hit.style or hit.negated or not hit.is_content:
            left_out[hit.first : hit.last] = [True] * (hit.last - hit.first)
    return [
        token.text
        for token, is_out in zip(reading.tokens, left_out, strict=True)
        if not is_out and token.text.isalnum() and not token.text.isdigit()
    ]


def _vote(answers: Answers, probabilities: Mapping[str, float]) -> None:
    """Let the guess vote beside the lexicon's scenes; these keep the credit where the first style is theirs."""
    allowed = set(answers.known_styles) - {hit.style for hit in answers.hits if hit.negated}
    votes = style_votes(answers.meanings, allowed)
    least = MIN_VOTING_PROBABILITY if votes else MIN_STYLE_PROBABILITY
    for style, probability in probabilities.items():
        if probability >= least and style in allowed:
            votes[style] = votes.get(style, 0.0) + GUESS_VOTES * probability
    suggested = tuple(sorted(votes, key=votes.__getitem__, reverse=True))
    if suggested and suggested != answers.values["suggested_styles"]:
        source = answers.sources["style"] if suggested[0] == answers.values["style"] else GUESSED
        answers.give("style", suggested[0], source)
        answers.give("suggested_styles", suggested, source)
