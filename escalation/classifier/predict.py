"""The pure door of the classifier: posts in, signals out. No database, no network, no clock."""

from __future__ import annotations

from collections.abc import Sequence

from community.ports import Post, Signals, Word
from escalation.classifier import rules
from escalation.classifier.features import Hit, Reading, read

# Base rates of posts to brands (about 28 % angry, 26 % technical): all that can be said of a language we cannot read.
BASE_ANGER, BASE_TECHNICAL = 0.28, 0.26
READ_LANGUAGES = frozenset({"en", "zh-Hans", "zh-Hant", "und"})
MAX_WORDS = 5
_SHOWN = {"anger": "anger", "swearing": "anger", "technical": "technical", "spam": "spam"}


def predict(posts: Sequence[Post]) -> list[Signals]:
    """Signals of each post, in order. The same text always gets the same answer from one version of the classifier."""
    readings = [read(post.text) for post in posts]
    return [_signals(post, reading) for post, reading in zip(posts, readings, strict=True)]


def _signals(post: Post, reading: Reading) -> Signals:
    found = rules.topics(reading)
    if post.lang in READ_LANGUAGES:
        sentiment = rules.sentiment_by_words(reading)
        anger, technical = rules.anger_by_words(reading), rules.technical_by_words(reading)
    else:
        sentiment, anger, technical = 0.0, BASE_ANGER, BASE_TECHNICAL
    return Signals(
        anger=round(anger, 4),
        technical=round(technical, 4),
        spam=round(rules.spam(reading), 4),
        urgency=rules.urgency(found, anger),
        sentiment=round(sentiment, 3),
        category=rules.category(reading, anger, technical, found),
        lang=post.lang,
        praise=rules.is_praise(reading, anger, technical),
        words=_words(reading.hits),
        topics=found,
        classifier="rules",
    )


def _words(hits: list[Hit]) -> tuple[Word, ...]:
    shown = [Word(_SHOWN[hit.signal], hit.start, hit.end, float(hit.strength)) for hit in hits if hit.signal in _SHOWN and hit.strength > 1]  # type: ignore[arg-type]
    return tuple(sorted(sorted(shown, key=lambda word: -word.weight)[:MAX_WORDS], key=lambda word: word.start))
