"""How a brand stands: what waits now, and what became of the last seven days. Pages and the API show the same numbers.

Each statement looks at a bounded number of rows, the newest, so that the cost does not grow with what is stored.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from sqlalchemy import func, select

from app.accounts.models import Brand
from app.kernel import clock
from app.kernel.db import db
from community.mentions.models import Decision, Mention
from community.mentions.queries import triage_count
from community.moderation.queries import queue_count
from community.tasks.models import LIVE, Task
from escalation.cases.queries import case_count

WINDOW = timedelta(days=7)
MOST = 10_000
"""Rows looked at, at most."""


@dataclass(frozen=True)
class Waiting:
    """Live tasks by audience and state, and the moment the oldest open one of each audience began to wait."""

    tasks: dict[str, dict[str, int]]
    oldest: dict[str, datetime]
    reviews: int
    cases: int
    triage: int


@dataclass(frozen=True)
class Week:
    """The mentions of the window: where they went, and which of those that needed an answer got one.

    An answer counts when it is posted. `complete` is False where the window held more than MOST mentions: then these
    are the figures of its newest.
    """

    since: datetime
    mentions: int
    routes: dict[str, int]
    needed: int
    answered: int
    median_first_answer: timedelta | None
    complete: bool

    @property
    def share(self) -> float | None:
        """Answered of needed."""
        return self.answered / self.needed if self.needed else None


@dataclass(frozen=True)
class Overview:
    waiting: Waiting
    week: Week


def overview(brand: Brand) -> Overview:
    """The figures of one brand, now. Seven statements."""
    return Overview(_waiting(brand), _week(brand))


def _waiting(brand: Brand) -> Waiting:
    live = (
        select(Task.audience, Task.state, Task.opened_at).where(Task.brand_id == brand.id, Task.state.in_(LIVE)).order_by(Task.id.desc()).limit(MOST).subquery()
    )
    tasks: dict[str, dict[str, int]] = {}
    oldest: dict[str, datetime] = {}
    for audience, state, count, first in db.session.execute(
        select(live.c.audience, live.c.state, func.count(), func.min(live.c.opened_at)).group_by(live.c.audience, live.c.state)
    ):
        tasks.setdefault(audience, {})[state] = count
        if state == "open":
            oldest[audience] = first
    return Waiting(tasks, oldest, queue_count(brand), case_count(brand), triage_count(brand))


def _week(brand: Brand) -> Week:
    since = clock.now() - WINDOW
    newest = select(Mention.id, Mention.received_at, Mention.by_brand).where(Mention.brand_id == brand.id).order_by(Mention.id.desc()).limit(MOST).subquery()
    counted = (
        select(Decision.audience, func.count())
        .join(newest, newest.c.id == Decision.mention_id)
        .where(Decision.superseded_at.is_(None), newest.c.received_at >= since)
        .group_by(Decision.audience)
    )
    routes = dict(db.session.execute(counted).all())
    looked_at, in_window = db.session.execute(select(func.count(), func.count().filter(newest.c.received_at >= since)).select_from(newest)).one()
    # The first post of a conversation is what had to be answered; a task that reopened is still about that.
    first = (
        select(Task.id, Task.state, Task.first_answered_at, Task.conversation_id)
        .where(Task.brand_id == brand.id)
        .order_by(Task.id.desc())
        .limit(MOST)
        .subquery()
    )
    rows = db.session.execute(
        select(first.c.state, first.c.first_answered_at, func.min(Mention.received_at))
        .join(Mention, Mention.conversation_id == first.c.conversation_id)
        .where(Mention.by_brand.is_(False))
        .group_by(first.c.id, first.c.state, first.c.first_answered_at)
        .having(func.min(Mention.received_at) >= since)
    ).all()
    needed = [(answered_at, received_at) for state, answered_at, received_at in rows if state != "cancelled" or answered_at is not None]
    times = [answered_at - received_at for answered_at, received_at in needed if answered_at is not None]
    return Week(
        since=since,
        mentions=sum(routes.values()),
        routes=routes,
        needed=len(needed),
        answered=len(times),
        median_first_answer=median(times) if times else None,
        complete=looked_at < MOST or in_window < looked_at,
    )
