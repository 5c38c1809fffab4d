"""How well the machine decides, by what people said afterwards. Every number with its interval and how many posts it rests on.

The machine's first decision on a post is measured, by the answer people gave. Posts drawn blindly say how things are;
those asked about because the machine was unsure, or because somebody complained, make it look worse than it is. So
where enough blindly drawn ones exist, the figures are theirs alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

import numpy as np
from sqlalchemy import Select, bindparam, func, select
from sqlalchemy.orm import aliased, joinedload

from app.accounts.models import Brand, User
from app.kernel import clock
from app.kernel.db import BigId, UtcDateTime, among, at_most, db
from app.kernel.errors import Invalid
from community.channels.models import ChannelAccount
from community.mentions.models import Decision, Mention
from escalation.classifier.evaluation import auc
from escalation.learning.evidence import WEIGHTS, Answer, Given, answers
from escalation.learning.models import Label
from escalation.permissions import RULES
from escalation.shares import Share, share

PERIODS = (7, 28, 90)
"""Days one may look back."""
MOST = 20_000
"""Labels looked at, the newest: what the page costs at most."""
ENOUGH = 50
"""Blindly drawn posts from which the figures are theirs alone."""
BINS = 10
STAFF = frozenset({"tier_1", "tier_2"})
LOOKED_AT = STAFF | {"triage"}
GOAL = 0.95
"""Share of angry or technical posts that shall reach staff."""
Sample = Literal["random", "all"]
By = Literal["language", "channel", "category", "week", "version"]
GROUPS: tuple[By, ...] = ("language", "channel", "category", "week", "version")


@dataclass(frozen=True, slots=True)
class Judged:
    """One post: what the machine said first, and what people said of it."""

    mention_id: int
    language: str
    channel: str
    category: str
    week: str
    version: str
    anger: float
    technical: float
    audience: str
    drawn: bool
    answer: Answer

    @property
    def wanted(self) -> bool | None:
        """Whether it is angry or technical; None where neither could be settled."""
        said = (self.answer.angry, self.answer.technical)
        return True if True in said else None if None in said else False


@dataclass(frozen=True, slots=True)
class Bin:
    """Posts the machine gave about this probability, and the share of which it was true."""

    said: float
    true: Share


@dataclass(frozen=True, slots=True)
class Curve:
    """Calibration of one signal. `brier`: mean squared distance of what was said from what was true; 0 is perfect."""

    of: int
    positives: int
    brier: float | None
    auc: float | None
    bins: tuple[Bin, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """The figures of some of the posts."""

    name: str
    posts: int
    reached: Share
    """Angry or technical posts that reached staff, as a case or by a look in triage: recall."""
    as_case: Share
    """… as a case at once."""
    angry: Share
    """Recall of anger alone."""
    technical: Share
    precision: Share
    """Of the posts that became a case at once, those that were angry or technical."""
    needless: Share
    """Of the posts that were neither, those that became a case."""
    looks: Share
    """Of all posts, those staff looked at."""


@dataclass(frozen=True)
class Board:
    """`sample`: which posts the figures are of. `complete` is False where there were more labels than are looked at."""

    days: int
    since: datetime
    sample: Sample
    drawn: int
    judged: int
    complete: bool
    whole: Line
    curves: dict[str, Curve]
    groups: dict[By, tuple[Line, ...]]
    missed: tuple[int, ...]
    """Posts that were angry or technical and reached nobody on staff, newest first."""
    choices: dict[str, tuple[str, ...]] = field(default_factory=dict)


def board(
    user: User, brand: Brand, *, days: int = 28, sample: str | None = None, language: str | None = None, channel: str | None = None, version: str | None = None
) -> Board:
    """The figures of the last `days`. Raises Invalid, Forbidden."""
    RULES.check(user, "learning.see", brand)
    if days not in PERIODS:
        raise Invalid(f"Look back {', '.join(map(str, PERIODS))} days.", field="days")
    if sample not in (None, "random", "all"):
        raise Invalid("A sample is random or all.", field="sample")
    since = clock.now() - timedelta(days=days)
    every, complete = judged(brand, since)
    choices = {"language": _names(every, "language"), "channel": _names(every, "channel"), "version": _names(every, "version")}
    for name, value in (("language", language), ("channel", channel), ("version", version)):
        if value:
            every = [one for one in every if getattr(one, name) == value]
    drawn = [one for one in every if one.drawn]
    kind: Sample = "random" if sample == "random" or (sample is None and len(drawn) >= ENOUGH) else "all"
    shown = drawn if kind == "random" else every
    return Board(
        days=days,
        since=since,
        sample=kind,
        drawn=len(drawn),
        judged=len(every),
        complete=complete,
        whole=line("all", shown),
        curves={"angry": _curve(shown, "angry"), "technical": _curve(shown, "technical")},
        groups={by: _grouped(shown, by) for by in GROUPS},
        missed=tuple(one.mention_id for one in every if is_miss(one)),
        choices=choices,
    )


def judged(brand: Brand, since: datetime) -> tuple[list[Judged], bool]:
    """Labelled posts received since then, newest first, and whether these are all of them. Two statements."""
    rows = db.session.execute(_ROWS, {"brand": brand.id, "since": since}).all()
    names = {row.id: row.name for row in db.session.execute(select(ChannelAccount.id, ChannelAccount.name).where(ChannelAccount.brand_id == brand.id))}
    said = [Given(row.mention_id, row.user_id, row.source, row.angry, row.technical, row.service_related) for row in rows]
    answered = answers(said)
    found: dict[int, Judged] = {}
    drawn = {row.mention_id for row in rows if row.drawn == "random"}
    for row in rows:
        if row.mention_id not in found and row.mention_id in answered:
            found[row.mention_id] = Judged(
                mention_id=row.mention_id,
                language=row.lang,
                channel=names.get(row.account_id, "?"),
                category=row.category,
                week=week_of(row.received_at),
                version=row.classifier,
                anger=row.anger,
                technical=row.tech,
                audience=row.audience,
                drawn=row.mention_id in drawn,
                answer=answered[row.mention_id],
            )
    return sorted(found.values(), key=lambda one: -one.mention_id), len(rows) < MOST


def line(name: str, posts: Sequence[Judged]) -> Line:
    """The figures of these posts."""
    known = [one for one in posts if one.wanted is not None]
    wanted, calm = [one for one in known if one.wanted], [one for one in known if not one.wanted]
    cases = [one for one in known if one.audience in STAFF]

    def reached(of: Sequence[Judged], where: frozenset[str] = LOOKED_AT) -> Share:
        return share(sum(one.audience in where for one in of), len(of))

    return Line(
        name=name,
        posts=len(posts),
        reached=reached(wanted),
        as_case=reached(wanted, STAFF),
        angry=reached([one for one in posts if one.answer.angry]),
        technical=reached([one for one in posts if one.answer.technical]),
        precision=share(sum(bool(one.wanted) for one in cases), len(cases)),
        needless=reached(calm, STAFF),
        looks=reached(posts),
    )


def is_miss(one: Judged) -> bool:
    """Angry or technical, and nobody on staff was shown it."""
    return bool(one.wanted) and one.audience not in LOOKED_AT


def misses(found: Board, limit: int = 20) -> list[Mention]:
    """The newest misses with their decision, to be read."""
    ids = found.missed[:limit]
    if not ids:
        return []
    rows = db.session.scalars(select(Mention).where(Mention.id.in_(ids)).options(joinedload(Mention.account), joinedload(Mention.decision))).all()
    by_id = {row.id: row for row in rows}
    return [by_id[id_] for id_ in ids if id_ in by_id]


def week_of(at: datetime) -> str:
    """The ISO week as `2026-W47`."""
    year, week, _ = at.isocalendar()
    return f"{year}-W{week:02d}"


def _names(posts: Sequence[Judged], of: str) -> tuple[str, ...]:
    return tuple(sorted({getattr(one, of) for one in posts}))


def _grouped(posts: Sequence[Judged], by: By) -> tuple[Line, ...]:
    groups: dict[str, list[Judged]] = {}
    for one in posts:
        groups.setdefault(getattr(one, by), []).append(one)
    order: Callable[[Line], Any] = (lambda one: one.name) if by == "week" else (lambda one: (-one.posts, one.name))
    return tuple(sorted((line(name, some) for name, some in groups.items()), key=order))


def _curve(posts: Sequence[Judged], signal: Literal["angry", "technical"]) -> Curve:
    known = [((one.anger if signal == "angry" else one.technical), one.answer.of(signal)) for one in posts if one.answer.of(signal) is not None]
    if not known:
        return Curve(0, 0, None, None, ())
    said = np.array([value for value, _ in known], dtype=np.float64)
    truth = np.array([bool(label) for _, label in known], dtype=np.float64)
    places = np.minimum((said * BINS).astype(int), BINS - 1)
    bins = []
    for place in range(BINS):
        inside = places == place
        if inside.any():
            bins.append(Bin(round(float(said[inside].mean()), 4), share(int(truth[inside].sum()), int(inside.sum()))))
    area = auc(truth, said)
    return Curve(len(known), int(truth.sum()), round(float(((said - truth) ** 2).mean()), 4), None if np.isnan(area) else round(area, 4), tuple(bins))


def _rows() -> Select[*tuple[Any, ...]]:
    first = aliased(Decision)
    earliest = select(func.min(first.id)).where(first.mention_id == Label.mention_id).scalar_subquery()
    return (
        select(
            Label.mention_id,
            Label.user_id,
            Label.source,
            Label.angry,
            Label.technical,
            Label.service_related,
            Label.drawn,
            Mention.lang,
            Mention.account_id,
            Mention.received_at,
            Decision.anger,
            Decision.technical.label("tech"),
            Decision.audience,
            Decision.category,
            Decision.classifier,
        )
        .join(Mention, Mention.id == Label.mention_id)
        .join(Decision, Decision.id == earliest)
        .where(Label.brand_id == bindparam("brand", type_=BigId), among(Label.source, *WEIGHTS), Mention.received_at >= bindparam("since", type_=UtcDateTime()))
        .order_by(Label.id.desc())
        .limit(at_most(MOST))
    )


_ROWS = _rows()
