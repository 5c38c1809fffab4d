"""The verbs of being an advocate: join, pause, come back, choose a name, show or hide on boards."""

from __future__ import annotations

import unicodedata
from datetime import datetime, timedelta

from sqlalchemy import select

from app.accounts import people
from app.accounts.models import Brand, Role, User
from app.kernel import clock, live
from app.kernel.audit import audit
from app.kernel.db import db
from app.kernel.errors import Invalid
from community.advocates.models import Advocate
from community.tasks import actions as task_actions

LONGEST_BREAK = timedelta(days=60)
"""Who is away for longer leaves, and is welcome back."""
SHORTEST_NAME, LONGEST_NAME = 2, 40


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


def call_oneself(user: User, brand: Brand, name: str) -> None:
    """Choose how others of the brand know one. Raises Invalid for a name that is another's, or none."""
    row = _required(user, brand)
    chosen = people.one_line(name)
    if not SHORTEST_NAME <= len(chosen) <= LONGEST_NAME:
        raise Invalid(f"A name has from {SHORTEST_NAME} to {LONGEST_NAME} letters.", field="pseudonym")
    key = _key(chosen)
    others = select(Advocate.pseudonym, User.name).join(User, User.id == Advocate.user_id).where(Advocate.brand_id == brand.id, Advocate.user_id != user.id)
    staff = select(User.name).join(Role, Role.user_id == User.id).where(Role.brand_id == brand.id, Role.name != "advocate", User.id != user.id)
    taken = {_key(one) for row_ in db.session.execute(others) for one in row_} | {_key(one) for one in db.session.scalars(staff)}
    # Who answers together has to be told apart, and nobody passes for a colleague or for the brand.
    if key in taken or key in (_key(brand.name), _key(brand.slug)):
        raise Invalid("Somebody is known by this name already. Choose another one.", field="pseudonym")
    row.pseudonym = chosen
    audit("advocate.name", row, by=user)
    db.after_commit(lambda: live.bump(brand.id, "desk"), key=("desk", brand.id))


def show_on_boards(user: User, brand: Brand, *, shown: bool) -> None:
    row = _required(user, brand)
    row.on_boards = shown
    audit("advocate.boards", row, by=user, shown=shown)


def advocate_of(user: User, brand: Brand) -> Advocate | None:
    return db.session.scalar(select(Advocate).where(Advocate.user_id == user.id, Advocate.brand_id == brand.id))


def _key(name: str) -> str:
    """What names are told apart by: neither case, width nor spaces make another one."""
    return "".join(unicodedata.normalize("NFKC", name).casefold().split())


def _required(user: User, brand: Brand) -> Advocate:
    row = advocate_of(user, brand)
    if row is None:
        raise Invalid("You are not an advocate of this brand.")
    return row
