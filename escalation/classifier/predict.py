"""The pure door of the classifier: posts in, signals out. No database, no network, no clock."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from community.ports import Post, Signals, Word
from escalation.classifier import meaning, rules, store
from escalation.classifier.features import Reading, Token, read
from escalation.classifier.model import Model

if TYPE_CHECKING:
    from escalation.classifier.second import SecondStage

# The columns of what the start model says of a post: log-odds, and the sentiment of -1…1.
START = ("anger", "technical", "spam", "sentiment")

# Base rates of posts to brands: all that can be said of a language we cannot read.
BASE_ANGER, BASE_TECHNICAL = 0.28, 0.26
# How much of the answer is the trained model's; the rest is the lexicon's. Set by hand: the licensed sets are not
# customer posts, and those with technical labels lie further off than those with angry ones.
SHARES = {"anger": 0.5, "technical": 0.3, "sentiment": 0.5}

# A mean of two judges is more timid than either deserves when they agree; set by hand, as the shares are.
AGREEMENT = 1.3

# How much less technical, in log-odds, a post is that only asks how something is done. Set by hand.
HOW_TO = 3.5

# How much of "nobody expects an answer" is rules and how much the sound of a request, in log-odds, and where the two
# meet; set by hand so that about a fifth of a stream is called noise, as of hand-labelled posts.
NOISE_BY_RULES, NOISE_LEARNED, NOISE_SHIFT = 0.6, 0.6, 0.5
MOST_NOISE = 8.0

READ_LANGUAGES = frozenset({"en", "zh-Hans", "zh-Hant", "und"})
CHINESE = frozenset({"zh-Hans", "zh-Hant"})
BATCH = 512
MAX_WORDS = 5
LEAST_WEIGHT = 0.25
# One unit of a phrase's strength, in the log-odds that a token of the model is measured in.
_STRENGTH = 0.55
Floats = NDArray[np.float32]
Shown = Literal["anger", "technical", "spam"]
_SHOWN: dict[str, Shown] = {"anger": "anger", "swearing": "anger", "technical": "technical", "spam": "spam"}
_SIGNALS: tuple[Shown, ...] = ("anger", "technical", "spam")
_PULLING = frozenset({"word", "emoji", "mark", "spaced"})


def predict(posts: Sequence[Post], model: Model | None = None, *, stage: SecondStage | None = None) -> list[Signals]:
    """Signals of each post, in order; with a brand's second stage, as its own people taught it. The same text always
    gets the same answer from one version of the classifier. Raises BadArtefact if no model can be loaded."""
    model = model or store.live()
    # An encoder is read only for a stage that was taught with it.
    encoder = meaning.live() if stage is not None and stage.deep is not None else None
    version = f"{model.version}+{store.rules_version()}"
    if stage is not None:
        version += f"+{stage.version}{'m' if stage.uses(encoder) else ''}"
    found: list[Signals] = []
    for first in range(0, len(posts), BATCH):
        batch = posts[first : first + BATCH]
        readings = [read(post.text) for post in batch]
        start = start_odds(batch, readings, model)
        odds = start if stage is None else stage.apply(batch, readings, start, encoder)
        for post, reading, row, before in zip(batch, readings, odds.tolist(), start.tolist(), strict=True):
            found.append(_signals(post, reading, row, before[3], model, stage, version))
    return found


def start_odds(posts: Sequence[Post], readings: Sequence[Reading], model: Model) -> Floats:
    """What can be said before a brand has labels: log-odds of anger, technical and spam, and the sentiment; the columns of START."""
    return np.array(
        [_start(post, reading, row) for post, reading, row in zip(posts, readings, model.log_odds(readings).tolist(), strict=True)], dtype=np.float32
    ).reshape(len(posts), len(START))


def _start(post: Post, reading: Reading, odds: list[float]) -> tuple[float, float, float, float]:
    angry, technical_, negative, positive, service = odds
    noise = _odds(rules.spam(reading))
    # Links, contests and quoted posts are noise in any language; how a request sounds is known of English alone.
    if post.lang in CHINESE or post.lang not in READ_LANGUAGES:
        noise = min(noise, MOST_NOISE)
    else:
        noise = min(NOISE_BY_RULES * noise - NOISE_LEARNED * service + NOISE_SHIFT, MOST_NOISE)
    if post.lang not in READ_LANGUAGES:
        return _odds(BASE_ANGER), _odds(BASE_TECHNICAL), noise, 0.0
    learned = _probability(positive) - _probability(negative)
    sentiment = _mix(learned, rules.sentiment_by_words(reading), SHARES["sentiment"])
    if post.lang in CHINESE:
        # No licensed Chinese labels of anger or technical matters exist, so its lexicon speaks alone.
        anger = _blend(0.0, rules.anger_by_words(reading, sentiment), 0.0)
        technical = _blend(0.0, rules.technical_by_words(reading), 0.0)
    else:
        anger = _blend(angry, rules.anger_by_words(reading), SHARES["anger"])
        technical = _blend(technical_, rules.technical_by_words(reading), SHARES["technical"])
    return anger, technical - HOW_TO * rules.only_asks_how(reading), noise, sentiment


def _signals(post: Post, reading: Reading, odds: list[float], sentiment: float, model: Model, stage: SecondStage | None, version: str) -> Signals:
    topics = rules.topics(reading)
    anger, technical, noise = (_probability(value) for value in odds[:3])
    return Signals(
        anger=round(anger, 4),
        technical=round(technical, 4),
        spam=round(noise, 4),
        urgency=rules.urgency(topics, anger),
        sentiment=round(sentiment, 3),
        category=rules.category(reading, anger, technical, topics),
        lang=post.lang,
        praise=rules.is_praise(reading, anger, technical),
        words=_words(reading, model, stage, learned=post.lang not in CHINESE) if post.lang in READ_LANGUAGES else (),
        topics=topics,
        classifier=version,
    )


def _words(reading: Reading, model: Model, stage: SecondStage | None, *, learned: bool) -> tuple[Word, ...]:
    """The stretches that weighed most: phrases of the lexicon, and words the model or the brand's stage learned, each at its place."""
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
                _add(weights, "anger", token, SHARES["anger"] * anger * scale)
                _add(weights, "technical", token, SHARES["technical"] * technical * scale)
    if stage is not None:
        for token, pulls in zip(reading.tokens, stage.pulls(reading), strict=True):
            for signal, weight in zip(_SIGNALS, pulls, strict=True):
                _add(weights, signal, token, weight)
    heaviest = sorted(weights.items(), key=lambda item: (-item[1], item[0][1]))[:MAX_WORDS]
    return tuple(Word(signal, start, end, round(weight, 2)) for (signal, start, end), weight in sorted(heaviest, key=lambda item: item[0][1]))


def _add(weights: dict[tuple[Shown, int, int], float], signal: Shown, token: Token, weight: float) -> None:
    if weight >= LEAST_WEIGHT:
        weights[signal, token.start, token.end] = weights.get((signal, token.start, token.end), 0.0) + weight


def _blend(learned: float, by_words: float, share: float) -> float:
    return AGREEMENT * (share * learned + (1 - share) * _odds(by_words))


def _odds(probability: float) -> float:
    return math.log(probability / (1 - probability))


def _mix(learned: float, by_words: float, share: float) -> float:
    return share * learned + (1 - share) * by_words


def _probability(log_odds: float) -> float:
    return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, log_odds))))
