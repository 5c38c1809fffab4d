"""The pure door of the classifier: posts in, signals out. No database, no network, no clock."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

from community.ports import Post, Signals, Word
from escalation.classifier import rules, store
from escalation.classifier.features import Reading, read
from escalation.classifier.model import Model

# Base rates of posts to brands: all that can be said of a language we cannot read.
BASE_ANGER, BASE_TECHNICAL = 0.28, 0.26
# How much of the answer is the trained model's; the rest is the lexicon's. Set by hand: the licensed sets are not
# customer posts, and those with technical labels lie further off than those with angry ones.
SHARES = {"anger": 0.5, "technical": 0.3, "sentiment": 0.5}

# A mean of two judges is more timid than either deserves when they agree; set by hand, as the shares are.
AGREEMENT = 1.3

# How much less technical, in log-odds, a post is that only asks how something is done. Set by hand.
HOW_TO = 3.5

READ_LANGUAGES = frozenset({"en", "zh-Hans", "zh-Hant", "und"})
CHINESE = frozenset({"zh-Hans", "zh-Hant"})
BATCH = 512
MAX_WORDS = 5
LEAST_WEIGHT = 0.25
# One unit of a phrase's strength, in the log-odds that a token of the model is measured in.
_STRENGTH = 0.55
Shown = Literal["anger", "technical", "spam"]
_SHOWN: dict[str, Shown] = {"anger": "anger", "swearing": "anger", "technical": "technical", "spam": "spam"}
_PULLING = frozenset({"word", "emoji", "mark", "spaced"})


def predict(posts: Sequence[Post], model: Model | None = None) -> list[Signals]:
    """Signals of each post, in order. The same text always gets the same answer from one version of the classifier.
    Raises BadArtefact if no model can be loaded."""
    model = model or store.live()
    version = f"{model.version}+{store.rules_version()}"
    found: list[Signals] = []
    for start in range(0, len(posts), BATCH):
        batch = posts[start : start + BATCH]
        readings = [read(post.text) for post in batch]
        odds = model.log_odds(readings).tolist()
        found.extend(_signals(post, reading, row, model, version) for post, reading, row in zip(batch, readings, odds, strict=True))
    return found


def _signals(post: Post, reading: Reading, odds: list[float], model: Model, version: str) -> Signals:
    topics = rules.topics(reading)
    angry, technical_, negative, positive = odds
    if post.lang not in READ_LANGUAGES:
        sentiment, anger, technical = 0.0, BASE_ANGER, BASE_TECHNICAL
    else:
        learned = _probability(positive) - _probability(negative)
        sentiment = _mix(learned, rules.sentiment_by_words(reading), SHARES["sentiment"])
        if post.lang in CHINESE:
            # No licensed Chinese labels of anger or technical matters exist, so its lexicon speaks alone.
            anger = _blend(0.0, rules.anger_by_words(reading, sentiment), 0.0)
            technical = _blend(0.0, rules.technical_by_words(reading), 0.0)
        else:
            anger = _blend(angry, rules.anger_by_words(reading), SHARES["anger"])
            technical = _blend(technical_, rules.technical_by_words(reading), SHARES["technical"])
        technical = _probability(math.log(technical / (1 - technical)) - HOW_TO * rules.only_asks_how(reading))
    return Signals(
        anger=round(anger, 4),
        technical=round(technical, 4),
        spam=round(rules.spam(reading), 4),
        urgency=rules.urgency(topics, anger),
        sentiment=round(sentiment, 3),
        category=rules.category(reading, anger, technical, topics),
        lang=post.lang,
        praise=rules.is_praise(reading, anger, technical),
        words=_words(reading, model, learned=post.lang not in CHINESE) if post.lang in READ_LANGUAGES else (),
        topics=topics,
        classifier=version,
    )


def _words(reading: Reading, model: Model, *, learned: bool) -> tuple[Word, ...]:
    """The stretches that weighed most: phrases of the lexicon, and words the model learned, each at its place."""
    weights: dict[tuple[Shown, int, int], float] = {}
    for hit in reading.hits:
        if signal := _SHOWN.get(hit.signal):
            place = (signal, hit.start, hit.end)
            weights[place] = weights.get(place, 0.0) + hit.strength * _STRENGTH
    if learned:
        # A row of the matrix has length one, so each of n tokens counts about 1 / sqrt(n), its pieces together twice that.
        scale = 1.0 / (4 * (math.sqrt(len(reading.tokens)) or 1.0))
        for token in reading.tokens:
            if token.kind in _PULLING:
                anger, technical = model.pull(token)
                if (weight := SHARES["anger"] * anger * scale) >= LEAST_WEIGHT:
                    weights["anger", token.start, token.end] = weights.get(("anger", token.start, token.end), 0.0) + weight
                if (weight := SHARES["technical"] * technical * scale) >= LEAST_WEIGHT:
                    weights["technical", token.start, token.end] = weights.get(("technical", token.start, token.end), 0.0) + weight
    heaviest = sorted(weights.items(), key=lambda item: (-item[1], item[0][1]))[:MAX_WORDS]
    return tuple(Word(signal, start, end, round(weight, 2)) for (signal, start, end), weight in sorted(heaviest, key=lambda item: item[0][1]))


def _blend(learned: float, by_words: float, share: float) -> float:
    return _probability(AGREEMENT * (share * learned + (1 - share) * math.log(by_words / (1 - by_words))))


def _mix(learned: float, by_words: float, share: float) -> float:
    return share * learned + (1 - share) * by_words


def _probability(log_odds: float) -> float:
    return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, log_odds))))
