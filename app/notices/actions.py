"""Telling people. No decision about anybody's work is ever silent."""

from __future__ import annotations

from sqlalchemy import update
from sqlalchemy.dialects import postgresql, sqlite

from app.accounts.models import User
from app.kernel import clock, live
from app.kernel.db import db
from app.notices import mail
from app.notices.models import Notice


def tell(user_id: int, *, brand_id: int, kind: str, cause_id: int, text: str, link: str, quote: str | None = None) -> None:
    """Put a notice before a person, and into the mail that will tell of it, as they chose. The same kind for the same cause is told once."""
    insert = postgresql.insert if db.is_postgres else sqlite.insert
    told = db.session.scalar(
        insert(Notice)
        .values(
            user_id=user_id, brand_id=brand_id, kind=kind, cause_id=cause_id, text=text[:500], quote=quote[:500] if quote else None, link=link, at=clock.now()
        )
        .on_conflict_do_nothing(index_elements=["user_id", "kind", "cause_id"])
        .returning(Notice.id)
    )
    if told is None:
        return
    if (mail_id := mail.gather(user_id, brand_id, kind)) is not None:
        db.session.execute(update(Notice).where(Notice.id == told).values(mail_id=mail_id))
    db.after_commit(lambda: live.bump_person(user_id), key=("notices", user_id))


def read_all(user: User) -> None:
    """The person has seen their notices."""
    db.session.execute(update(Notice).where(Notice.user_id == user.id, Notice.read_at.is_(None)).values(read_at=clock.now()))
    db.after_commit(lambda: live.bump_person(user.id), key=("notices", user.id))
