"""Reading notices."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select

from app.accounts.models import User
from app.kernel.db import db
from app.notices.models import Notice


def latest(user: User, limit: int = 50) -> Sequence[Notice]:
    """Newest first."""
    return db.session.scalars(select(Notice).where(Notice.user_id == user.id).order_by(Notice.id.desc()).limit(limit)).all()


def unread(user: User) -> int:
    return db.session.scalar(select(func.count()).select_from(Notice).where(Notice.user_id == user.id, Notice.read_at.is_(None))) or 0
