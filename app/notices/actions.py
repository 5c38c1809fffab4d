"""Telling people. No decision about anybody's work is ever silent."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite

from app.accounts.models import User
from app.kernel import clock, live
from app.kernel.db import db
from app.notices import mail
from app.notices.models import Notice

QUOTED = (200, 300, 500)
"""Characters at which rooms, and the column, cut what they quote."""


def tell(user_id: int, *, brand_id: int, kind: str, cause_id: int, text: str, link: str, quote: str | None = None, mail_as: str | None = None) -> None:
    """Put a notice before a person, and into the mail that will tell of it, as they chose. The same kind for the same cause is told once.

    `mail_as`: the word by which its mail is chosen, where that is more pressing than the notice itself.
    """
    insert = postgresql.insert if db.is_postgres else sqlite.insert
    told = db.session.scalar(
        insert(Notice)
        .values(
            user_id=user_id,
            brand_id=brand_id,
            kind=kind,
            mail_as=mail_as,
            cause_id=cause_id,
            text=text[:500],
            quote=quote[:500] if quote else None,
            link=link,
            at=clock.now(),
        )
        .on_conflict_do_nothing(index_elements=["user_id", "kind", "cause_id"])
        .returning(Notice.id)
    )
    if told is None:
        return
    if (mail_id := mail.gather(user_id, brand_id, mail_as or kind)) is not None:
        db.session.execute(update(Notice).where(Notice.id == told).values(mail_id=mail_id))
    db.after_commit(lambda: live.bump_person(user_id), key=("notices", user_id))


def forget_words(brand_id: int, said: Iterable[tuple[str, str]]) -> None:
    """A post is gone: notices that quote it keep neither its words nor its author's name. `said`: words and author."""
    cut: dict[str, set[str]] = {}
    for words, author in said:
        for length in QUOTED if words else ():
            cut.setdefault(words[:length], set()).add(author)
    if not cut:
        return
    for notice in db.session.scalars(select(Notice).where(Notice.brand_id == brand_id, Notice.quote.in_(list(cut)))).all():
        for author in cut[notice.quote or ""]:
            notice.text = notice.text.replace(author, "Somebody")
        notice.quote = None


def settle(user_id: int, *, kind: str, link: str) -> None:
    """What a notice asked for is done: it waits no longer. One that quotes somebody's words stays, for they are news still."""
    asked = (Notice.user_id == user_id, Notice.read_at.is_(None), Notice.kind == kind, Notice.link == link, Notice.quote.is_(None))
    if db.session.scalars(update(Notice).where(*asked).values(read_at=clock.now()).returning(Notice.id)).all():
        db.after_commit(lambda: live.bump_person(user_id), key=("notices", user_id))


def read_all(user: User) -> None:
    """The person has seen their notices."""
    db.session.execute(update(Notice).where(Notice.user_id == user.id, Notice.read_at.is_(None)).values(read_at=clock.now()))
    db.after_commit(lambda: live.bump_person(user.id), key=("notices", user.id))
