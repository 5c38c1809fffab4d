"""A person's badges, earned and on the way."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from app.accounts.models import Brand, User
from app.kernel.db import db
from gamification.badges.catalogue import CATALOGUE
from gamification.badges.models import BadgeGrant
from gamification.points.models import LedgerEntry


@dataclass(frozen=True)
class BadgeView:
    """`because` says why it was given, or what it takes; `progress` never exceeds `goal`."""

    name: str
    title: str
    tier: str
    earned_at: datetime | None
    progress: int
    goal: int
    because: str


def badges_of(user: User, brand: Brand) -> list[BadgeView]:
    """The whole catalogue as it stands for one person."""
    have = held(user.id, brand.id)
    counted = standing(user.id, brand.id)
    views = []
    for badge in CATALOGUE:
        grant = have.get(badge.name)
        progress = badge.goal if grant else min(badge.goal, counted.get(badge.rule, 0))
        views.append(BadgeView(badge.name, badge.title, badge.tier, grant.at if grant else None, progress, badge.goal, grant.because if grant else badge.says))
    return views


def held(user_id: int, brand_id: int) -> dict[str, BadgeGrant]:
    """Granted badges by name."""
    rows = db.session.scalars(select(BadgeGrant).where(BadgeGrant.user_id == user_id, BadgeGrant.brand_id == brand_id))
    return {row.badge: row for row in rows}


def standing(user_id: int, brand_id: int) -> dict[str, int]:
    """How many entries of each rule stand, those taken back left out."""
    undo = aliased(LedgerEntry)
    query = (
        select(LedgerEntry.rule, func.count())
        .outerjoin(undo, undo.reverses_id == LedgerEntry.id)
        .where(LedgerEntry.user_id == user_id, LedgerEntry.brand_id == brand_id, undo.id.is_(None))
        .group_by(LedgerEntry.rule)
    )
    return {row[0]: row[1] for row in db.session.execute(query)}
