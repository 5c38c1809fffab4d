"""Several people's labels of one post, made into one answer. Pure.

A label that contradicts a clear reading of the shipped model overturns it: that needs a second person beyond a small
allowance, since one account that lies, or is stolen, must not be able to move what the brand's classifier learns (P25).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

Signal = Literal["angry", "technical", "service_related"]
SIGNALS: tuple[Signal, ...] = ("angry", "technical", "service_related")

WEIGHTS: dict[str, float] = {"labelling": 1.0, "triage": 0.7, "reroute": 0.7, "flag": 0.7, "case": 0.5, "outcome": 0.3}
"""How much a label counts by where it comes from: asked for and thought about, decided in passing, or only inferred from what followed."""
SAID = ("labelling", "triage", "reroute", "flag", "case")
"""Sources that are a person's own word."""
VERDICTS: dict[str, tuple[bool, bool, bool]] = {
    "angry": (True, False, True),
    "technical": (False, True, True),
    "both": (True, True, True),
    "neither": (False, False, True),
    "spam": (False, False, False),
}
"""One key of the labelling page: angry, technical, service-related."""
GRAVE = frozenset({"legal", "safety", "security", "press"})
"""Matters that go to tier 2 whatever their tone: sending one there says nothing about technical knowledge."""


class Said(Protocol):
    """What is read of a label."""

    @property
    def mention_id(self) -> int: ...
    @property
    def user_id(self) -> int | None: ...
    @property
    def source(self) -> str: ...
    @property
    def angry(self) -> bool | None: ...
    @property
    def technical(self) -> bool | None: ...
    @property
    def service_related(self) -> bool | None: ...


@dataclass(frozen=True, slots=True)
class Given:
    """A label, read and let go of."""

    mention_id: int
    user_id: int | None
    source: str
    angry: bool | None
    technical: bool | None
    service_related: bool | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What holds of a post. A signal is None where nobody spoke of it, or people differ evenly."""

    angry: bool | None
    technical: bool | None
    service_related: bool | None
    weight: float
    people: int
    """How many persons said something."""
    contested: tuple[Signal, ...]
    """Signals on which people differ, whoever prevailed."""

    def of(self, signal: Signal) -> bool | None:
        return {"angry": self.angry, "technical": self.technical, "service_related": self.service_related}[signal]


def from_audience(audience: str, tags: Iterable[str] = ()) -> dict[Signal, bool]:
    """What a decision about who should answer says about the post itself, and no more than that."""
    if audience == "set_aside":
        return {"service_related": False}
    if audience == "community":
        return {"angry": False, "technical": False, "service_related": True}
    if audience == "tier_1":
        return {"angry": True, "service_related": True}
    if audience == "tier_2" and not GRAVE & set(tags):
        return {"technical": True, "service_related": True}
    return {"service_related": True}


def answers(labels: Iterable[Said]) -> dict[int, Answer]:
    """One answer per post, by mention: the heavier side of each signal; an even split says nothing."""
    by_post: dict[int, list[Said]] = defaultdict(list)
    for label in labels:
        if label.source in WEIGHTS:
            by_post[label.mention_id].append(label)
    return {mention_id: _answer(said) for mention_id, said in by_post.items()}


def _answer(said: Sequence[Said]) -> Answer:
    found: dict[Signal, bool | None] = {}
    contested: list[Signal] = []
    people = {label.user_id for label in said if label.user_id is not None}
    # What only followed from the machine's own reading speaks where no person did.
    heard = [label for label in said if label.user_id is not None] or said
    for signal in SIGNALS:
        sides = {True: 0.0, False: 0.0}
        for label in heard:
            value: bool | None = getattr(label, signal)
            if value is not None:
                sides[value] += WEIGHTS[label.source]
        if sides[True] and sides[False]:
            contested.append(signal)
        found[signal] = None if sides[True] == sides[False] else sides[True] > sides[False]
    return Answer(found["angry"], found["technical"], found["service_related"], max(WEIGHTS[label.source] for label in heard), len(people), tuple(contested))


@dataclass(frozen=True, slots=True)
class Agreement:
    """Cohen's kappa of pairs of people who looked at the same post without seeing each other's answer."""

    pairs: int
    same: int
    kappa: float | None
    low: float | None
    high: float | None


def agreement(counts: Mapping[tuple[bool, bool], int]) -> Agreement:
    """From how often (first, second) said what. None where it can't be said: too few pairs, or everybody always says the same."""
    n = sum(counts.values())
    same = counts.get((True, True), 0) + counts.get((False, False), 0)
    if not n:
        return Agreement(0, 0, None, None, None)
    observed = same / n
    first = (counts.get((True, True), 0) + counts.get((True, False), 0)) / n
    second = (counts.get((True, True), 0) + counts.get((False, True), 0)) / n
    expected = first * second + (1 - first) * (1 - second)
    if expected >= 1:
        return Agreement(n, same, None, None, None)
    kappa = (observed - expected) / (1 - expected)
    spread = 1.96 * (observed * (1 - observed) / (n * (1 - expected) ** 2)) ** 0.5
    return Agreement(n, same, round(kappa, 3), round(max(-1.0, kappa - spread), 3), round(min(1.0, kappa + spread), 3))
