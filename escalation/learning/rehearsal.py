"""What other lines would have done to the posts of the last days. Reads the scores that were kept; nothing is scored anew."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy import Float, Subquery, Text, bindparam, case, cast, func, literal_column, or_, select
from sqlalchemy.orm import aliased, joinedload

from app.accounts.models import Brand, User
from app.kernel import clock
from app.kernel.db import BigId, UtcDateTime, at_most, db
from community.mentions.models import Decision, Mention
from community.ports import Audience, Post, Signals
from escalation.classifier.lexicon import TOPICS
from escalation.learning.board import Judged, judged
from escalation.permissions import RULES
from escalation.routing.costs import Consequence, Drawn, consequence, draw
from escalation.routing.decide import audience_by
from escalation.routing.lines import DRAWN, policy_of, stored, with_lines
from escalation.routing.policy import Lines, default_policy

PERIODS = (1, 7, 28)
MOST = 10_000
"""Posts counted, the newest."""
LABELS_FROM = timedelta(days=90)
"""Labels as old as this still say where the lines belong."""
SHOWN = 12
AUDIENCES = ("community", "triage", "tier_1", "tier_2", "set_aside")


@dataclass(frozen=True, slots=True)
class Load:
    """Posts a day that an audience gets, now and then."""

    audience: str
    now: float
    then: float


@dataclass(frozen=True, slots=True)
class Change:
    """A post that would go elsewhere. `right`: whether that is better, by what people said; None where nobody spoke or both are as good."""

    mention_id: int
    was: str
    would: str
    anger: float
    technical: float
    right: bool | None


@dataclass(frozen=True)
class Rehearsal:
    """`days` is the span the posts really cover; `complete` is False where the period held more than are walked through."""

    days: float
    posts: int
    complete: bool
    changed: int
    loads: tuple[Load, ...]
    better: int
    worse: int
    changes: tuple[Change, ...]

    def summary(self) -> dict[str, Any]:
        """As it is kept with the lines that went live."""
        return {
            "days": round(self.days, 2),
            "posts": self.posts,
            "changed": self.changed,
            "better": self.better,
            "worse": self.worse,
            "loads": {load.audience: [round(load.now, 2), round(load.then, 2)] for load in self.loads},
        }


@dataclass(frozen=True)
class Proposal:
    """Everything the page of lines shows of one choice."""

    lines: Mapping[str, Lines]
    now: Mapping[str, Lines]
    drawn: Mapping[str, Drawn]
    """What the labels would draw at these costs."""
    consequences: Mapping[str, Consequence]
    before: Mapping[str, Consequence]
    base_rate: Mapping[str, float | None]
    """Share of posts drawn blindly that are so; None while there are none."""
    labelled: int
    rehearsal: Rehearsal
    changes_anything: bool


def propose(user: User, brand: Brand, *, lines: Mapping[str, Lines] | None = None, costs: Mapping[str, float] | None = None, days: int = 7) -> Proposal:
    """These lines, or those the labels draw at these costs, or (neither given) those that hold: with what they would change. Raises Forbidden."""
    RULES.check(user, "learning.see", brand)
    policy = policy_of(brand.id)
    now = {signal: policy.lines[signal] for signal in DRAWN}
    labelled, _ = judged(brand, clock.now() - LABELS_FROM)
    known = {signal: _known(labelled, signal) for signal in DRAWN}
    worth = {signal: (costs or {}).get(signal, (lines or now)[signal].cost) for signal in DRAWN}
    drawn = {signal: draw([said for said, _ in known[signal]], [true for _, true in known[signal]], worth[signal]) for signal in DRAWN}
    if lines is None and costs is not None:
        lines = {signal: Lines(drawn[signal].low, drawn[signal].high, worth[signal], now[signal].reason) for signal in DRAWN}
    chosen = dict(lines or now)
    groups, span, complete = _groups(brand, days, now, chosen)
    moved = _moved(brand, days, now, chosen) if stored(chosen) != stored(now) else []
    many = [row.posts for row in groups]
    stream = {
        "anger": np.repeat([row.anger for row in groups], many).tolist(),
        "technical": np.repeat([row.tech for row in groups], many).tolist(),
    }
    rates = {signal: _base_rate(labelled, signal) for signal in DRAWN}

    def meaning(of: Mapping[str, Lines]) -> dict[str, Consequence]:
        return {
            signal: consequence(
                [said for said, _ in known[signal]],
                [true for _, true in known[signal]],
                of[signal].low,
                of[signal].high,
                stream=stream[signal],
                days=span,
                base_rate=rates[signal],
            )
            for signal in DRAWN
        }

    return Proposal(
        lines=chosen,
        now=now,
        drawn=drawn,
        consequences=meaning(chosen),
        before=meaning(now),
        base_rate=rates,
        labelled=len(labelled),
        rehearsal=_rehearse(groups, moved, span, complete, now, chosen, {one.mention_id: one for one in labelled}),
        changes_anything=stored(chosen) != stored(now),
    )


def shown(rehearsal: Rehearsal) -> dict[int, Mention]:
    """The posts of its examples, by id."""
    ids = [change.mention_id for change in rehearsal.changes]
    if not ids:
        return {}
    found = db.session.scalars(select(Mention).where(Mention.id.in_(ids)).options(joinedload(Mention.account), joinedload(Mention.decision)))
    return {mention.id: mention for mention in found}


def _rehearse(
    groups: Sequence[Any],
    moved: Sequence[Any],
    span: float,
    complete: bool,
    now: Mapping[str, Lines],
    then: Mapping[str, Lines],
    labelled: Mapping[int, Judged],
) -> Rehearsal:
    before, after = audience_by(with_lines(default_policy(), now)), audience_by(with_lines(default_policy(), then))
    counts: dict[str, Counter[str]] = {"now": Counter(), "then": Counter()}
    ways: dict[tuple[Any, ...], tuple[Audience, Audience]] = {}
    for group in groups:
        tags = json.loads(group.tags)
        post = Post("" if "no-words" in tags else "x", group.lang, private=group.private)
        signals = Signals(
            anger=group.anger,
            technical=group.tech,
            spam=group.spam,
            urgency=0.0,
            sentiment=0.0,
            category=group.category,
            lang=group.lang,
            praise=group.category == "praise" or "praise" in tags,
            topics=tuple(tag for tag in tags if tag in TOPICS),
        )
        was, would = before(post, signals), after(post, signals)
        ways[_key(group)] = was, would
        counts["now"][was] += group.posts
        counts["then"][would] += group.posts
    changes: list[Change] = []
    better = worse = 0
    for row in moved:
        was, would = ways[_key(row)]
        if was != would:
            right = _right(labelled.get(row.mention_id), was, would)
            better += right is True
            worse += right is False
            changes.append(Change(row.mention_id, was, would, row.anger, row.tech, right))
    # What people spoke of first: it says whether the change is for the better.
    told = sorted(changes, key=lambda change: (change.right is None, -change.mention_id))
    loads = tuple(Load(name, counts["now"][name] / span, counts["then"][name] / span) for name in AUDIENCES if counts["now"][name] or counts["then"][name])
    posts = sum(group.posts for group in groups)
    return Rehearsal(span, posts, complete, len(changes), loads if span else (), better, worse, tuple(told[:SHOWN]))


def _key(row: Any) -> tuple[Any, ...]:
    return tuple(row[: len(_ALIKE)])


_RANK = {"set_aside": 0, "community": 0, "triage": 1, "tier_1": 2, "tier_2": 2}


def _right(one: Judged | None, was: str, would: str) -> bool | None:
    """Nearer to staff is right for what is angry or technical, further away for what is not."""
    if one is None or one.wanted is None or _RANK[was] == _RANK[would]:
        return None
    return (_RANK[would] > _RANK[was]) == one.wanted


def _known(labelled: Sequence[Judged], signal: str) -> list[tuple[float, bool]]:
    name, score = ("angry", "anger") if signal == "anger" else ("technical", "technical")
    return [(getattr(one, score), value) for one in labelled if (value := getattr(one.answer, name)) is not None]


def _base_rate(labelled: Sequence[Judged], signal: str) -> float | None:
    blind = [value for one in labelled if one.drawn and (value := one.answer.angry if signal == "anger" else one.answer.technical) is not None]
    return sum(blind) / len(blind) if blind else None


def _groups(brand: Brand, days: int, now: Mapping[str, Lines], then: Mapping[str, Lines]) -> tuple[Sequence[Any], float, bool]:
    """The machine's first decisions of the period, those that both choices of lines decide alike as one row with their number, and how many days they cover."""
    since = clock.now() - timedelta(days=days)
    rows = db.session.execute(_GROUPS, {**_asked(brand, since), **_numbers("now", now), **_numbers("then", then)}).all()
    edge = db.session.scalar(_EDGE, {"brand": brand.id})
    complete = edge is None or edge < since
    oldest: datetime = since if edge is None or complete else edge
    return rows, max((clock.now() - oldest).total_seconds() / 86_400, 1 / 24), complete


def _moved(brand: Brand, days: int, now: Mapping[str, Lines], then: Mapping[str, Lines]) -> Sequence[Any]:
    """Those of them that stand on another side of a line then."""
    since = clock.now() - timedelta(days=days)
    return db.session.execute(_MOVED, {**_asked(brand, since), **_numbers("now", now), **_numbers("then", then)}).all()


def _asked(brand: Brand, since: datetime) -> dict[str, Any]:
    return {"brand": brand.id, "since": since, "spam_low": default_policy().lines["spam"].low, "spam_high": default_policy().lines["spam"].high}


def _numbers(when: str, lines: Mapping[str, Lines]) -> dict[str, float]:
    return {f"{signal}_{when}_{end}": value for signal in DRAWN for end, value in (("low", lines[signal].low), ("high", lines[signal].high))}


def _passed(column: Any, *names: str) -> Any:
    """How many of these lines a score has reached: between two neighbours every score is decided alike."""
    return sum((case((column >= bindparam(name, type_=Float), 1), else_=0) for name in names), literal_column("0"))


def _decided() -> Subquery:
    # The newest first, then by time: a condition on the time alone would walk through the whole history of a quiet brand.
    newest = select(Mention.id).where(Mention.brand_id == bindparam("brand", type_=BigId)).order_by(Mention.id.desc()).limit(at_most(MOST)).subquery()
    earlier = aliased(Decision)
    first = select(func.min(earlier.id)).where(earlier.mention_id == Decision.mention_id).scalar_subquery()
    both = {"anger": Decision.anger, "technical": Decision.technical}
    ends = {(signal, when): (f"{signal}_{when}_low", f"{signal}_{when}_high") for signal in DRAWN for when in ("now", "then")}
    return (
        select(
            Decision.mention_id,
            Decision.anger,
            Decision.technical.label("tech"),
            Decision.spam,
            Decision.category,
            # Told apart as text: reading thousands of lists would cost more than all the rest.
            cast(Decision.tags, Text).label("tags"),
            Mention.lang,
            Mention.private,
            _passed(Decision.spam, "spam_low", "spam_high").label("spam_side"),
            *(_passed(both[signal], *ends[signal, "now"], *ends[signal, "then"]).label(f"{signal}_side") for signal in DRAWN),
            *(_passed(both[signal], *names).label(f"{signal}_{when}") for (signal, when), names in ends.items()),
        )
        .join(newest, newest.c.id == Decision.mention_id)
        .join(Mention, Mention.id == Decision.mention_id)
        .where(Mention.received_at >= bindparam("since", type_=UtcDateTime()), Decision.id == first)
        .subquery()
    )


_EDGE = select(Mention.received_at).where(Mention.brand_id == bindparam("brand", type_=BigId)).order_by(Mention.id.desc()).offset(MOST - 1).limit(1)
"""When the oldest came of as many as are counted; posts nobody decided, as the brand's own, are among them."""
_ONE = _decided().c
_ALIKE = (_ONE.tags, _ONE.category, _ONE.lang, _ONE.private, _ONE.spam_side, _ONE.anger_side, _ONE.technical_side)
_GROUPS = select(
    *_ALIKE,
    func.count().label("posts"),
    func.min(_ONE.anger).label("anger"),
    func.min(_ONE.tech).label("tech"),
    func.min(_ONE.spam).label("spam"),
).group_by(*_ALIKE)
_MOVED = select(*_ALIKE, _ONE.mention_id, _ONE.anger, _ONE.tech).where(or_(_ONE.anger_now != _ONE.anger_then, _ONE.technical_now != _ONE.technical_then))
