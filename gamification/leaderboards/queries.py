"""The weekly board, read from the ledger: pseudonyms, a shared place for equal points, nobody who does not want to be there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from app.accounts.models import Brand, User
from app.kernel import clock
from app.kernel.db import db
from app.kernel.errors import Invalid
from community.advocates.models import Advocate
from gamification.points.models import LedgerEntry
from gamification.points.rules import week_start

SHOWN = 50


@dataclass(frozen=True)
class Row:
    place: int
    pseudonym: str
    points: int
    me: bool


@dataclass(frozen=True)
class Board:
    """`sum` counts everybody's points, also of those who left the boards; `mine` is the asker's row wherever it stands."""

    rows: list[Row]
    sum: int
    mine: Row | None
    since: datetime


def board(brand: Brand, *, period: str = "week", user: User) -> Board:
    """The first places since Monday. Two statements, over the week's entries only."""
    if period != "week":
        raise Invalid("There is a board of the week.", field="period")
    since = week_start(clock.now().date())
    entries = (LedgerEntry.brand_id == brand.id, LedgerEntry.at >= since)
    sums = (
        select(LedgerEntry.user_id, func.sum(LedgerEntry.points).label("points"))
        .where(*entries)
        .group_by(LedgerEntry.user_id)
        .having(func.sum(LedgerEntry.points) > 0)
        .subquery()
    )
    ranked = (
        select(sums.c.user_id, Advocate.pseudonym, sums.c.points, func.rank().over(order_by=sums.c.points.desc()).label("place"))
        .join(Advocate, (Advocate.user_id == sums.c.user_id) & (Advocate.brand_id == brand.id))
        .where(Advocate.on_boards)
        .subquery()
    )
    seen = select(ranked).where((ranked.c.place <= SHOWN) | (ranked.c.user_id == user.id)).order_by(ranked.c.place, ranked.c.pseudonym).limit(2 * SHOWN)
    rows = [Row(row.place, row.pseudonym, int(row.points), row.user_id == user.id) for row in db.session.execute(seen)]
    whole = db.session.scalar(select(func.coalesce(func.sum(LedgerEntry.points), 0)).where(*entries)) or 0
    return Board([row for row in rows if row.place <= SHOWN], int(whole), next((row for row in rows if row.me), None), since)
