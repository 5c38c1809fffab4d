"""Reading the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Select, bindparam, func, select

from app.accounts.models import Brand, User
from app.kernel import clock
from app.kernel.db import db
from app.kernel.pagination import Page, bounded, decode, page_of
from gamification.points.models import LedgerEntry
from gamification.points.rules import week_start

_TOTAL = select(func.coalesce(func.sum(LedgerEntry.points), 0)).where(LedgerEntry.user_id == bindparam("user"), LedgerEntry.brand_id == bindparam("brand"))
_SINCE = _TOTAL.where(LedgerEntry.at >= bindparam("since"))


def ledger(user: User, brand: Brand, limit: int | None = None, cursor: str | None = None) -> Page[LedgerEntry]:
    """A person's entries in one brand, newest first."""
    size = bounded(limit)
    query = select(LedgerEntry).where(LedgerEntry.user_id == user.id, LedgerEntry.brand_id == brand.id)
    after = decode(cursor, 1)
    if after is not None:
        query = query.where(LedgerEntry.id < int(after[0]))
    rows: Sequence[LedgerEntry] = db.session.scalars(query.order_by(LedgerEntry.id.desc()).limit(size + 1)).all()
    return page_of(rows, size, lambda row: [row.id])


def total(user: User, brand: Brand) -> int:
    """All points not taken back: the person's reputation."""
    return int(db.session.scalar(_TOTAL, {"user": user.id, "brand": brand.id}) or 0)


def week(user: User, brand: Brand) -> int:
    """Points since Monday."""
    return int(db.session.scalar(_SINCE, {"user": user.id, "brand": brand.id, "since": monday()}) or 0)


def of_week() -> Select[int]:
    """The same for a statement that asks for more at once; binds `user`, `brand` and `since`."""
    return _SINCE


def monday() -> datetime:
    """When this week's points begin."""
    return week_start(clock.now().date())
