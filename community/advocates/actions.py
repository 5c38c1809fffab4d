"""The verbs of being an advocate: join, pause, come back, show or hide on boards."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select

from app.accounts.models import Brand, User
from app.kernel import clock
from app.kernel.audit import audit
from app.kernel.db import db
from app.kernel.errors import Invalid
from community.advocates.models import Advocate
from community.tasks import actions as task_actions

LONGEST_BREAK = timedelta(days=60)
"""Who is away for longer leaves, and is welcome back."""


def join(user: User, brand: Brand, *, languages: list[str] | None = None, topics: list[str] | None = None, pseudonym: str | None = None) -> Advocate:
    """Begin at trust level 0; joining again changes nothing."""
    row = advocate_of(user, brand)
    if row is None:
        row = Advocate(
            brand_id=brand.id,
            user_id=user.id,
            pseudonym=pseudonym or user.name.split()[0],
            languages=languages or ["en"],
            topics=topics or [],
            trust_level=0,
            on_boards=True,
            joined_at=clock.now(),
        )
        db.session.add(row)
        db.session.flush()
        audit("advocate.join", row, by=user)
    return row


def pause(user: User, brand: Brand, *, until: datetime) -> None:
    """A break: what they hold is free for others, drafts stay theirs, and nothing is offered until then."""
    row = _required(user, brand)
    if not clock.now() < until <= clock.now() + LONGEST_BREAK:
        raise Invalid(f"A break lasts {LONGEST_BREAK.days} days at most, and ends in the future.", field="until")
    # Held before any task is, as a claim holds it: none can slip in between.
    db.session.execute(select(Advocate.id).where(Advocate.id == row.id).with_for_update(key_share=True))
    row.paused_until = until
    db.session.flush()
    task_actions.end_claims_of(user.id, because="break", brand_id=brand.id)
    audit("advocate.pause", row, by=user)


def come_back(user: User, brand: Brand) -> None:
    row = _required(user, brand)
    row.paused_until = None
    audit("advocate.come_back", row, by=user)


def show_on_boards(user: User, brand: Brand, *, shown: bool) -> None:
    row = _required(user, brand)
    row.on_boards = shown
    audit("advocate.boards", row, by=user, shown=shown)


def advocate_of(user: User, brand: Brand) -> Advocate | None:
    return db.session.scalar(select(Advocate).where(Advocate.user_id == user.id, Advocate.brand_id == brand.id))


def _required(user: User, brand: Brand) -> Advocate:
    row = advocate_of(user, brand)
    if row is None:
        raise Invalid("You are not an advocate of this brand.")
    return row
