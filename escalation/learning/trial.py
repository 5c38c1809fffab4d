"""Champion against challenger on posts neither has learned from. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from community.mentions.text import language, readable
from community.ports import Post, Signals
from escalation.classifier.evaluation import auc, interval
from escalation.classifier.lines import LOOK
from escalation.classifier.predict import predict
from escalation.classifier.second import Example, SecondStage
from escalation.routing.decide import decide
from escalation.routing.policy import Policy

LEAST_POSITIVES = 5
"""Angry posts in the test set from which a challenger can be said to miss no more of them."""
MOST_FALL = 0.01
"""How far recall of anger may fall in a run that somebody tried to mislead: less than a point, whatever else gets better."""
CHANCE = 1.64
"""Standard errors by which recall must have fallen before that counts: one in twenty by chance."""
LOOKED_AT = frozenset({"tier_1", "tier_2", "triage"})
CASES = frozenset({"tier_1", "tier_2"})


@dataclass(frozen=True, slots=True)
class Trial:
    """`better`: it may go live. `because` says why, or why not, in a sentence."""

    better: bool
    because: str
    figures: dict[str, Any]


def posts_of(examples: Sequence[Example]) -> list[Post]:
    texts = [readable(example.text) for example in examples]
    return [Post(text, language(text, example.lang)) for text, example in zip(texts, examples, strict=True)]


def compare(test: Sequence[Example], champion: SecondStage | None, challenger: SecondStage, policy: Policy, *, strict: bool = False) -> Trial:
    """Both route the posts of the test set by the brand's policy; what people said of them judges. `strict`: labels had to be left out."""
    posts = posts_of(test)
    one, other = _judged(test, posts, champion, policy), _judged(test, posts, challenger, policy)
    figures: dict[str, Any] = {"n": len(test), "champion": one.figures(), "challenger": other.figures()}
    angry, technical = len(one.reached["angry"]), len(one.reached["technical"])
    if angry < LEAST_POSITIVES:
        return Trial(False, f"Only {angry} angry posts stand in the test set: too few to say that none more would be missed.", figures)
    fall = _share(one.reached["angry"]) - _share(other.reached["angry"])
    if _worse(one.reached["angry"], other.reached["angry"]) or (strict and fall >= MOST_FALL):
        return Trial(
            False, f"It would miss more of the angry: {_percent(one.reached['angry'])} reached staff, now {_percent(other.reached['angry'])}.", figures
        )
    if technical and _worse(one.reached["technical"], other.reached["technical"]):
        words = f"It would miss more of the technical: {_percent(one.reached['technical'])} reached staff, now {_percent(other.reached['technical'])}."
        return Trial(False, words, figures)
    if (other.cost, other.brier) >= (one.cost, one.brier):
        return Trial(False, f"It is no better: misses, needless cases and looks cost {other.cost:.1f} a hundred posts, before {one.cost:.1f}.", figures)
    return Trial(
        True, f"Misses, needless cases and looks cost {other.cost:.1f} a hundred posts, before {one.cost:.1f}; no more of the angry are missed.", figures
    )


@dataclass(frozen=True, slots=True)
class _Judged:
    reached: Mapping[str, list[bool]]
    """Of the angry (technical) posts, in order: did staff see it."""
    cost: float
    brier: float
    needless: tuple[int, int]
    looks: tuple[int, int]
    signals: Mapping[str, dict[str, Any]]

    def figures(self) -> dict[str, Any]:
        shares = {f"{name}_recall": share(sum(some), len(some)) for name, some in self.reached.items()}
        return {**shares, "needless": share(*self.needless), "looks": share(*self.looks), "cost": round(self.cost, 4), **self.signals}


def _judged(test: Sequence[Example], posts: Sequence[Post], stage: SecondStage | None, policy: Policy) -> _Judged:
    signals = predict(posts, stage=stage)
    reached: dict[str, list[bool]] = {"angry": [], "technical": []}
    cost, needless, calm, looks = 0.0, 0, 0, 0
    for example, post, read in zip(test, posts, signals, strict=True):
        audience = decide(policy, post, read).audience
        for name, value in (("angry", example.angry), ("technical", example.technical)):
            if value:
                reached[name].append(audience in LOOKED_AT)
        worth = max(policy.lines["anger"].cost if example.angry else 0.0, policy.lines["technical"].cost if example.technical else 0.0)
        looks += audience in LOOKED_AT
        if audience == "triage":
            cost += LOOK
        elif audience in CASES:
            cost += not worth
        else:
            cost += worth
        if not worth and example.angry is False and example.technical is False:
            calm += 1
            needless += audience in CASES
    measured = {name: _signal(test, signals, name) for name in ("angry", "technical")}
    brier = sum(one["brier"] or 0.0 for one in measured.values())
    return _Judged(reached, 100 * cost / max(1, len(test)), brier, (needless, calm), (looks, len(test)), measured)


def _signal(test: Sequence[Example], signals: Sequence[Signals], name: str) -> dict[str, Any]:
    pairs = [
        (one.anger if name == "angry" else one.technical, example.angry if name == "angry" else example.technical)
        for one, example in zip(signals, test, strict=True)
    ]
    known = [(value, bool(truth)) for value, truth in pairs if truth is not None]
    if not known:
        return {"n": 0, "positives": 0, "auc": None, "brier": None}
    value, truth = np.array([pair[0] for pair in known]), np.array([pair[1] for pair in known], dtype=np.float64)
    area = auc(truth, value)
    return {
        "n": len(known),
        "positives": int(truth.sum()),
        "auc": None if np.isnan(area) else round(area, 4),
        "brier": round(float(((value - truth) ** 2).mean()), 4),
    }


def share(hits: int, of: int) -> dict[str, Any]:
    """A share with Wilson's interval, as figures are stored."""
    low, high = interval(hits, of)
    return {"share": round(hits / of, 4) if of else None, "low": round(low, 4), "high": round(high, 4), "hits": hits, "of": of}


def _worse(before: Sequence[bool], after: Sequence[bool]) -> bool:
    """Whether more posts were lost than won, beyond chance: the same posts are compared one by one."""
    lost = sum(was and not now for was, now in zip(before, after, strict=True))
    won = sum(now and not was for was, now in zip(before, after, strict=True))
    return lost - won > CHANCE * (lost + won) ** 0.5


def _share(some: Sequence[bool]) -> float:
    return sum(some) / len(some) if some else 1.0


def _percent(some: Sequence[bool]) -> str:
    return f"{sum(some)} of {len(some)}"
