"""Reading notices."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select

from app.accounts.models import User
from app.kernel.db import db
from app.kernel.pagination import Page, bounded, decode, page_of
from app.notices.models import Notice


def latest(user: User, limit: int = 50, *, before: int | None = None, unread: bool = False) -> Sequence[Notice]:
    """Newest first; `before` a notice's id, older ones alone."""
    wanted = select(Notice).where(Notice.user_id == user.id).order_by(Notice.id.desc()).limit(limit)
    if before is not None:
        wanted = wanted.where(Notice.id < before)
    if unread:
        wanted = wanted.where(Notice.read_at.is_(None))
    return db.session.scalars(wanted).all()


def page_of_notices(user: User, *, limit: int | None = None, cursor: str | None = None, unread: bool = False) -> Page[Notice]:
    """What a person was told in all their brands, newest first. Raises Invalid for a cursor we did not make."""
    size = bounded(limit)
    after = decode(cursor, 1)
    found = latest(user, size + 1, before=after[0] if after else None, unread=unread)
    return page_of(found, size, lambda notice: [notice.id])


def unread(user: User) -> int:
    return db.session.scalar(select(func.count()).select_from(Notice).where(Notice.user_id == user.id, Notice.read_at.is_(None))) or 0
