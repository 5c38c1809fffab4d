"""What a task asks of people, how well it suits one of them, and how much is enough: pure sums over what is known."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

HOSTILE = 0.3
"""Anger from here on weighs on whoever reads it. Staff get what is above the policy's line; this is the rest, decided by a person."""
CALM = 0.3
"""Urgency below this leaves a newcomer time to look things up."""
EASY_TOPICS = frozenset({"question", "how_to", "praise"})
LANES = ("easy", "plain", "hostile", "thank")

LANGUAGE_FIT, NOT_MY_LANGUAGE = 10, -200
TOPIC_FIT = 15
"""For a topic the person chose."""
PROVEN_FIT, SHAKY_FIT = 12, -10
"""For a topic in which the person's answers were mostly good, or mostly not. All are points in the currency of priority."""
PROVEN_RATIO, SHAKY_RATIO = 0.85, 0.5
ENOUGH = 4
"""Looks at a person's answers on a topic before they say anything."""
PASSED_FIT, PASSED_MOST = -8, -40
"""For each "not for me" of late because of the topic or the language, and all of them together."""
EASY_FIRST = {0: 40, 1: 15}
"""By trust level: what is easy stands first for somebody new."""
HARD_FOR_NEW = -25
"""At trust level 0, for what is angry or came back."""
TRUSTED = 3
HARD_FIT = 8
"""From this trust level on, for what came back or was rejected once: it needs a practised hand."""
AGE_FIT = 20
"""What waits longest gains so much, in even steps until it is due to go to the team."""

WEEK = timedelta(days=7)
DOSE = timedelta(hours=24)
LAPSES_FORGIVEN = 2
"""Leases a person may let lapse in a day before fewer can be held at once."""
LAPSE_WINDOW = timedelta(hours=24)
ANSWERED = frozenset({"submitted", "answered"})
"""How a hold ends when its work was done."""
CLAIMS_AT_ONCE = {0: 1, 1: 2, 2: 3, 3: 4, 4: 5}
"""By trust level: how many tasks an advocate may hold."""


class History(Protocol):
    """How a person's answers on one topic were received."""

    @property
    def good(self) -> int: ...
    @property
    def bad(self) -> int: ...
    @property
    def ratio(self) -> float: ...


@dataclass(frozen=True, slots=True)
class Taste:
    """What is known of a person's skills: chosen, earned, and learned from what they passed on."""

    trust: int
    languages: frozenset[str]
    topics: frozenset[str]
    records: Mapping[str, History] = field(default_factory=dict)
    passed: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """(`topic` or `language`, which) to how often of late."""


@dataclass(frozen=True, slots=True)
class Load:
    """How much a person had lately, and how much is enough. `…_again`: when more is offered, none while there is room."""

    hostile: int
    hostile_most: int
    hostile_again: datetime | None
    answered: int
    answered_most: int
    answered_again: datetime | None
    lapsed: int

    @property
    def spared(self) -> bool:
        """Whether hostile posts are kept from the person for now."""
        return self.hostile >= self.hostile_most

    @property
    def rests(self) -> bool:
        """Whether the week's answers are enough."""
        return self.answered >= self.answered_most


def lane_of(kind: str, category: str, anger: float, urgency: float) -> str:
    """What a task asks of whoever takes it: `hostile`, `thank`, `easy` or `plain`. Whatever else it is, anger weighs first."""
    if anger >= HOSTILE:
        return "hostile"
    if kind == "thank":
        return "thank"
    return "easy" if category in EASY_TOPICS and urgency < CALM else "plain"


def ranked(rows: Collection[Any], taste: Taste | None, now: datetime, patience: timedelta) -> list[Any]:
    """The rows by fit, the best first; among equals the one that waits longer. `patience`: how long a task may wait at all."""
    suits: dict[tuple[Any, ...], int] = {}
    whole = patience.total_seconds()
    scored = []
    for row in rows:
        key = (row.lang, row.category, row.lane, row.reopened > 0)
        points = suits.get(key)
        if points is None:
            points = suits[key] = suit(*key, taste)
        opened = row.opened_at
        waited = (now - opened).total_seconds() / whole
        scored.append((-(row.priority + points + int(AGE_FIT * (waited if waited < 1 else 1))), opened, row.id, row))
    scored.sort()
    return [one[3] for one in scored]


def suit(lang: str, category: str, lane: str, again: bool, taste: Taste | None) -> int:
    """How well such a task suits the person, in points of priority; nobody in particular: all alike."""
    if taste is None:
        return 0
    points = 0
    if lang in taste.languages:
        points += LANGUAGE_FIT
    elif lang != "und" and taste.languages:
        points += NOT_MY_LANGUAGE
    if category in taste.topics:
        points += TOPIC_FIT
    points += {"proven": PROVEN_FIT, "shaky": SHAKY_FIT}.get(standing(category, taste), 0)
    passed = taste.passed.get(("topic", category), 0) + taste.passed.get(("language", lang), 0)
    points += max(PASSED_MOST, PASSED_FIT * passed)
    if lane in ("easy", "thank"):
        points += EASY_FIRST.get(taste.trust, 0)
    elif taste.trust == 0 and (lane == "hostile" or again):
        points += HARD_FOR_NEW
    if again and taste.trust >= TRUSTED:
        points += HARD_FIT
    return points


def standing(category: str, taste: Taste) -> str:
    """`proven`, `shaky` or, where little is known, nothing."""
    record = taste.records.get(category)
    if record is None or record.good + record.bad < ENOUGH:
        return ""
    return "proven" if record.ratio >= PROVEN_RATIO else "shaky" if record.ratio < SHAKY_RATIO else ""


def mixed(rows: Sequence[Any], held: Collection[int]) -> list[Any]:
    """About one in five is praise, and one follows each hostile post: people fed only trouble leave. What others hold comes last."""
    free = [row for row in rows if row.id not in held]
    praise = [row for row in free if row.lane == "thank"][::-1]
    out: list[Any] = []
    since = 2
    for row in free:
        if row.lane == "thank":
            continue
        out.append(row)
        since += 1
        if praise and (since >= 5 or row.lane == "hostile"):
            out.append(praise.pop())
            since = 1
    return out + praise[::-1] + [row for row in rows if row.id in held]


def load(claims: Sequence[Any], now: datetime, *, hostile_most: int, answered_most: int) -> Load:
    """Sums over a person's claims of the last week, the newest first: `started_at`, `ended_because`, `lane`, and `wrote` (a draft was begun)."""
    hostile = [one.started_at for one in claims if one.lane == "hostile" and one.started_at > now - DOSE]
    answered = [one.started_at for one in claims if one.ended_because in ANSWERED and one.started_at > now - WEEK]
    lapsed = sum(one.ended_because == "lapsed" and not one.wrote and one.started_at > now - LAPSE_WINDOW for one in claims)
    again = _again(hostile, hostile_most, DOSE), _again(answered, answered_most, WEEK)
    return Load(len(hostile), hostile_most, again[0], len(answered), answered_most, again[1], lapsed)


def at_once(trust: int, lapsed: int = 0) -> int:
    """How many tasks somebody may hold: more with trust, for a while fewer after leases that lapsed with nothing written."""
    return max(1, CLAIMS_AT_ONCE.get(trust, 1) - max(0, lapsed - LAPSES_FORGIVEN))


def _again(moments: Sequence[datetime], most: int, window: timedelta) -> datetime | None:
    """When fewer than `most` of these moments, the newest first, lie within the window; none if that is so now, and if it never will be."""
    return moments[most - 1] + window if 0 < most <= len(moments) else None
