"""What is decided by rule, not learned: spam, urgency, praise, category, and anger and technical where no licensed labels exist.

Pure sums over a Reading. The weights were set by hand from what the words mean; nothing here was fitted.
"""

from __future__ import annotations

import math
import re

from escalation.classifier.features import Reading
from escalation.classifier.lexicon import TOPICS

CATEGORIES = ("question", "how_to", "complaint", "billing", "delivery", "account", "technical", "outage", "praise", "feature_request", "other")

# How much each topic presses, alone; several add up as independent reasons do.
URGENCY = {"safety": 0.8, "security": 0.5, "legal": 0.5, "press": 0.5, "outage": 0.4, "repeat": 0.3, "deadline": 0.2}

# The strength at which a topic counts as named.
CLEAR = 3

SWEARING_FOR_JOY = 0.15
"""What is left of a swear-word's weight beside praise."""

MOST_SCORE = 30.0
"""Log-odds beyond which a number of this precision could not be told from certainty, and so had no odds: a hundred hashtags alone get there."""

# A service account's own posts: it apologises, asks for a direct message, signs with initials.
_AGENT = re.compile(
    r"sorry (?:to hear|for (?:the|any|your) (?:inconvenience|trouble|delay))"
    r"|(?:please|pls|kindly|could you|can you|feel free to) (?:send us a |drop us a )?(?:private message|dm)\b(?! me)"
    r"|(?:dm|email|message) us (?:your|the|with|at)|follow (?:us )?(?:and|&) dm"
    r"|we(?:'|’)?(?:d|ll| would| will) (?:love to help|be happy to|look into)|reach out to us|we apologi[sz]e|thanks for reaching out"
    r"|\s\^[A-Z]{1,3}\b(?:\s*\d/\d)?\s*(?:https?://\S+)?\s*$",
    re.I,
)
_FAULT = re.compile(
    r"\b(?:error|crash|bug|glitch|fail|freez|froz|reboot|restart|broke|stuck|slow|lag|drop"
    r"|disconnect|outage|offline|issue|problem|trouble|fault|fix|die[sd]?\b|dead)"
    r"|\b(?:not|never|no longer|stop|stops|stopped|quit|keep|keeps|won'?t|can'?t|cannot|doesn'?t|don'?t|isn'?t|wouldn'?t|couldn'?t|didn'?t|unable)\b"
    r"|\b(?:is|are|went|goes|going|been) down\b|\b(?:since|after) (?:the|this|your|my|last|an?|updat)"
    r"|\bno (?:signal|internet|service|connection|sound|picture)\b"
    r"|不能用|用不了|打不开|坏|崩|连不上|連不上|掉线|没反应|失败|错误",
    re.I,
)
_ADDRESSES = re.compile(r"\b(?:you|your|u|ur|i|i'm|im|i've|ive|my|me|we|our)\b", re.I)
_QUESTION_START = re.compile(
    r"(?:^|[.!?\n]\s*|@\w+\s+)(?:who|what|when|where|why|which|how|is|are|do|does|did|can|could|would|will|should|any|has|have)\b", re.I
)


def spam(reading: Reading) -> float:
    """How likely nobody here expects an answer: quoted posts, contests, adverts, headlines, a service account's own words."""
    if not reading.tokens:
        return 0.5
    sums = reading.sums
    agent = bool(_AGENT.search(reading.text[:2_000]))
    personal = 0 if agent else len(_ADDRESSES.findall(reading.text[:2_000]))
    score = -3.0 + 0.75 * min(sums.get("spam", 0), 8)
    score += 4.0 * reading.retweet
    score += 4.5 * agent
    score += 0.9 * bool(reading.links) + 0.5 * max(0, reading.hashtags - 1) + 0.5 * max(0, reading.links - 1)
    score -= 0.6 * min(personal, 4)
    score -= (
        0.35 * min(reading.questions, 2) + 0.25 * min(sums.get("anger", 0), 6) + 0.2 * min(sums.get("technical", 0), 6) + 0.3 * min(sums.get("praise", 0), 3)
    )
    return _probability(score)


def topics(reading: Reading) -> tuple[str, ...]:
    """The urgent matters that the words name beyond doubt (one clear phrase, or several hints), in the order of TOPICS."""
    return tuple(topic for topic in TOPICS if reading.sums.get(topic, 0) >= CLEAR)


def urgency(found: tuple[str, ...], anger: float) -> float:
    """0…1: each topic by itself, and strong anger a little."""
    calm = 1.0 - 0.2 * max(0.0, anger - 0.5) * 2
    for topic in found:
        calm *= 1.0 - URGENCY[topic]
    return round(1.0 - calm, 4)


def anger_by_words(reading: Reading, sentiment: float = 0.0) -> float:
    """Probability of anger from the lexicon and the surface alone."""
    sums = reading.sums
    swearing = min(sums.get("swearing", 0), 4) * (SWEARING_FOR_JOY if is_joyful(reading) else 1.0)
    score = -2.1 + 0.55 * min(sums.get("anger", 0), 8) + 0.6 * swearing
    score -= 0.0 if reading.sarcastic else 0.35 * min(sums.get("praise", 0), 6)
    score += 0.8 * min(reading.emoji.get("angry", 0), 2) + 0.35 * min(reading.exclamations, 3) - 0.8 * sentiment + 2.0 * reading.sarcastic
    score += 1.0 * (reading.shouted >= 3)
    return _probability(score)


def is_joyful(reading: Reading) -> bool:
    """Whether somebody swears for joy: praise or a happy face, and no word of blame ("damn good coffee")."""
    sums = reading.sums
    if "swearing" not in sums or reading.sarcastic or reading.emoji.get("angry") or reading.negations:
        return False
    blame = sums.get("anger", 0) - sums["swearing"]
    return blame <= 1 and (sums.get("praise", 0) >= 2 or bool(reading.emoji.get("happy") or reading.emoji.get("laughing")))


def technical_by_words(reading: Reading) -> float:
    """Probability that technical knowledge is needed, from the lexicon alone."""
    return _probability(-2.4 + 0.55 * min(reading.sums.get("technical", 0), 9))


def only_asks_how(reading: Reading) -> bool:
    """Whether a post merely asks how something is done. "Where do I rename my wifi?" names
    technical things, and another customer can answer it; with any word of a fault it is not such a post."""
    return "how_to" in reading.sums and not _FAULT.search(reading.text[:5_000])


def sentiment_by_words(reading: Reading) -> float:
    """-1…1 from what is praised and what is regretted."""
    good = reading.sums.get("praise", 0) + 2 * reading.emoji.get("happy", 0)
    bad = reading.sums.get("anger", 0) + reading.sums.get("disappointed", 0) / 2 + 2 * (reading.emoji.get("angry", 0) + reading.emoji.get("sad", 0))
    return (good - bad) / (good + bad + 2)


def is_praise(reading: Reading, anger: float, technical: float) -> bool:
    """Thanks or praise, and nothing that waits for an answer."""
    sums = reading.sums
    if sums.get("praise", 0) < 2 or anger >= 0.2 or technical >= 0.3 or asks(reading) or reading.sarcastic:
        return False
    soured = sums.get("disappointed", 0) + sums.get("stuck", 0) + 3 * (reading.emoji.get("angry", 0) + reading.emoji.get("sad", 0))
    return not soured or sums["praise"] > soured


def asks(reading: Reading) -> bool:
    """Whether the text asks for something."""
    return reading.questions > 0 or "how_to" in reading.sums


def category(reading: Reading, anger: float, technical: float, found: tuple[str, ...]) -> str:
    """One of CATEGORIES: the matter first, the manner (complaint, question) only where no matter is named."""
    sums = reading.sums
    matters = {name: sums.get(name, 0) for name in ("billing", "delivery", "account")}
    strongest = max(matters, key=lambda name: matters[name])
    if "outage" in found and technical >= 0.15:
        return "outage"
    if "feature_request" in sums and technical < 0.8 and anger < 0.6:
        return "feature_request"
    if technical >= 0.5 and matters[strongest] < 9:
        return "technical"
    if is_praise(reading, anger, technical):
        return "praise"
    if matters[strongest]:
        return strongest
    if anger >= 0.35:
        return "complaint"
    if "how_to" in sums:
        return "how_to"
    if reading.questions or _QUESTION_START.search(reading.text[:500]):
        return "question"
    return "complaint" if sums.get("disappointed", 0) >= 3 else "other"


def _probability(score: float) -> float:
    return 1.0 / (1.0 + math.exp(-max(-MOST_SCORE, min(score, MOST_SCORE))))
