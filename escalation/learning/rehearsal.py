"""What other lines would have done to the posts of the last days. Reads the scores that were kept; nothing is scored anew."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, bindparam, func, select
from sqlalchemy.orm import aliased, joinedload

from app.accounts.models import Brand, User
from app.kernel import clock
from app.kernel.db import BigId, UtcDateTime, at_most, db
from community.mentions.models import Decision, Mention
from community.ports import Post, Signals
from escalation.classifier.lexicon import TOPICS
from escalation.learning.board import Judged, judged
from escalation.permissions import RULES
from escalation.routing.costs import Consequence, Drawn, consequence, draw
from escalation.routing.decide import audience_by
from escalation.routing.lines import DRAWN, policy_of, stored, with_lines
from escalation.routing.policy import Lines, default_policy

PERIODS = (1, 7, 28)
MOST = 10_000
"""Posts walked through, the newest: about a fifth of a second."""
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
    rows, span, complete = _decisions(brand, days)
    stream = {"anger": [row.anger for row in rows], "technical": [row.tech for row in rows]}
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
        rehearsal=_rehearse(rows, span, complete, now, chosen, {one.mention_id: one for one in labelled}),
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
    rows: Sequence[Any], span: float, complete: bool, now: Mapping[str, Lines], then: Mapping[str, Lines], labelled: Mapping[int, Judged]
) -> Rehearsal:
    before, after = audience_by(with_lines(default_policy(), now)), audience_by(with_lines(default_policy(), then))
    alike = stored(now) == stored(then)
    counts: dict[str, Counter[str]] = {"now": Counter(), "then": Counter()}
    changes: list[Change] = []
    better = worse = 0
    for row in rows:
        post = Post("" if "no-words" in row.tags else "x", row.lang, row.followers, row.private, row.mention_kind)
        signals = Signals(
            anger=row.anger,
            technical=row.tech,
            spam=row.spam,
            urgency=row.urgency,
            sentiment=row.sentiment,
            category=row.category,
            lang=row.lang,
            praise=row.category == "praise" or "praise" in row.tags,
            topics=tuple(tag for tag in row.tags if tag in TOPICS),
        )
        was = before(post, signals)
        would = was if alike else after(post, signals)
        counts["now"][was] += 1
        counts["then"][would] += 1
        if was != would:
            right = _right(labelled.get(row.mention_id), was, would)
            better += right is True
            worse += right is False
            changes.append(Change(row.mention_id, was, would, row.anger, row.tech, right))
    # What people spoke of first: it says whether the change is for the better.
    told = sorted(changes, key=lambda change: (change.right is None, -change.mention_id))
    loads = tuple(Load(name, counts["now"][name] / span, counts["then"][name] / span) for name in AUDIENCES if counts["now"][name] or counts["then"][name])
    return Rehearsal(span, len(rows), complete, len(changes), loads if span else (), better, worse, tuple(told[:SHOWN]))


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


def _decisions(brand: Brand, days: int) -> tuple[Sequence[Any], float, bool]:
    """The machine's first decisions of the period, and how many days they cover."""
    now = clock.now()
    rows = db.session.execute(_DECIDED, {"brand": brand.id, "since": now - timedelta(days=days)}).all()
    complete = len(rows) < MOST
    oldest: datetime = now - timedelta(days=days)
    if not complete:
        oldest = rows[-1].at
    return rows, max((now - oldest).total_seconds() / 86_400, 1 / 24), complete


def _decided() -> Select[*tuple[Any, ...]]:
    # The newest first, then by time: a condition on the time alone would walk through the whole history of a quiet brand.
    newest = select(Mention.id).where(Mention.brand_id == bindparam("brand", type_=BigId)).order_by(Mention.id.desc()).limit(at_most(MOST)).subquery()
    earlier = aliased(Decision)
    first = select(func.min(earlier.id)).where(earlier.mention_id == Decision.mention_id).scalar_subquery()
    return (
        select(
            Decision.mention_id,
            Decision.at,
            Decision.anger,
            Decision.technical.label("tech"),
            Decision.spam,
            Decision.urgency,
            Decision.sentiment,
            Decision.category,
            Decision.tags,
            Mention.lang,
            Mention.followers,
            Mention.private,
            Mention.kind.label("mention_kind"),
        )
        .join(newest, newest.c.id == Decision.mention_id)
        .join(Mention, Mention.id == Decision.mention_id)
        .where(Mention.received_at >= bindparam("since", type_=UtcDateTime()), Decision.id == first)
        .order_by(Mention.id.desc())
    )


_DECIDED = _decided()
