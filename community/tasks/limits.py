"""How much one person may hold and how much is enough for them: the numbers, and what they had lately."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any

from sqlalchemy import bindparam, case, false, literal_column, select, union_all

from app.accounts.choices import whole
from app.accounts.models import Brand
from app.kernel import clock
from app.kernel.db import BigId, at_most, db
from community.advocates.models import Advocate
from community.replies.models import Reply
from community.tasks.models import Claim, Pass, Task
from community.tasks.rules import WEEK, Load, load

HOSTILE_DOSE = whole(
    "hostile_posts_a_day", 3, least=0, most=50, group="Wellbeing",
    label="Hostile posts one advocate is offered a day", help="After so many within 24 hours the desk offers calm ones only. Advocates may choose fewer.",
)  # fmt: skip
WEEKLY_CAP = whole(
    "answers_a_week", 60, least=1, most=1000, group="Wellbeing",
    label="Answers that are enough for one advocate in a week",
    help="Then their desk rests until seven days are over; what they open by themselves they may still take. Advocates may choose fewer.",
)  # fmt: skip
LOOKED_BACK = 400
"""Claims, and passes, that are read at most: nobody has more, and whoever had is over every limit."""
LEARNED_FROM = timedelta(days=100)
CLAIMED, PASSED = 1, 2
"""Kinds of rows in what was read."""


@dataclass(frozen=True, slots=True)
class Lately:
    """What an advocate did of late, as far as the desk asks."""

    load: Load
    passed: Mapping[tuple[str, str], int]
    """(`topic` or `language`, which) to how often they passed because of it."""


def lately(advocate: Advocate, brand: Brand) -> Lately:
    """How much an advocate had of late, what is enough for them, and what they passed on. One statement."""
    now = clock.now()
    asked = {"user": advocate.user_id, "brand": brand.id, "since": now - WEEK, "learned": now - LEARNED_FROM}
    rows = db.session.execute(_lately(), asked).all()
    claims = [row for row in rows if row.what == CLAIMED]
    passed = Counter((row.ended_because, row.lane) for row in rows if row.what == PASSED)
    most = own_or_brands(advocate.hostile_most, HOSTILE_DOSE.of(brand)), own_or_brands(advocate.weekly_most, WEEKLY_CAP.of(brand))
    return Lately(load(claims, now, hostile_most=most[0], answered_most=most[1]), passed)


def own_or_brands(own: int | None, brands: int) -> int:
    """A person may choose less than their brand allows, never more."""
    return brands if own is None else min(own, brands)


@cache
def _lately() -> Any:
    """Two short lists as one: the claims of the week, and the passes that teach (their reason, and the topic or language in question)."""
    user, brand = bindparam("user", type_=BigId), bindparam("brand", type_=BigId)
    wrote = select(Reply.id).where(Reply.task_id == Claim.task_id, Reply.writer_id == Claim.user_id).exists()
    claims = (
        select(literal_column(str(CLAIMED)).label("what"), Claim.started_at, Claim.ended_because, Task.lane, wrote.label("wrote"))
        .join(Task, Task.id == Claim.task_id)
        .where(Claim.user_id == user, Claim.brand_id == brand, Claim.started_at > bindparam("since", type_=Claim.started_at.type))
        .order_by(Claim.started_at.desc())
        .limit(at_most(LOOKED_BACK))
        .subquery()
    )
    which = case((Pass.reason == literal_column("'topic'"), Pass.category), else_=Pass.lang)
    passes = (
        select(literal_column(str(PASSED)).label("what"), Pass.at, Pass.reason, which.label("which"), false().label("wrote"))
        .where(Pass.user_id == user, Pass.brand_id == brand, Pass.at > bindparam("learned", type_=Pass.at.type))
        .where(Pass.reason.in_((literal_column("'topic'"), literal_column("'language'"))))
        .order_by(Pass.at.desc())
        .limit(at_most(LOOKED_BACK))
        .subquery()
    )
    return union_all(select(claims), select(passes))
