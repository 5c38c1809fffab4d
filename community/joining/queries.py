"""Reading who belongs to a brand, who was invited, and who would like to come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import selectinload

from app.accounts.models import Brand, Role, SignIn, User
from app.kernel import clock
from app.kernel.db import db
from app.kernel.errors import NotFound
from app.kernel.pagination import Page, bounded, decode, page_of
from community.advocates.models import Advocate
from community.joining.models import Application, Invitation

SHOWN = 100


@dataclass(frozen=True, slots=True)
class Member:
    """A person of a brand as its admin sees them."""

    user: User
    roles: list[str]
    advocate: Advocate | None
    seen_at: datetime | None


def members(brand: Brand, *, role: str | None = None, search: str = "", limit: int | None = None, cursor: str | None = None) -> Page[Member]:
    """By the order in which they came; `search` in names and addresses."""
    size = bounded(limit)
    held = select(Role.user_id).where(Role.brand_id == brand.id)
    if role:
        held = held.where(Role.name == role)
    wanted = select(User).where(User.id.in_(held)).options(selectinload(User.roles)).order_by(User.id).limit(size + 1)
    if search:
        wanted = wanted.where(func.lower(User.name).contains(search.lower(), autoescape=True) | User.email_key.contains(search.lower(), autoescape=True))
    if after := decode(cursor, 1):
        wanted = wanted.where(User.id > after[0])
    page = page_of(db.session.scalars(wanted).all(), size, lambda user: [user.id])
    ids = [user.id for user in page.items]
    advocates = {row.user_id: row for row in db.session.scalars(select(Advocate).where(Advocate.brand_id == brand.id, Advocate.user_id.in_(ids)))}
    seen = dict(db.session.execute(select(SignIn.user_id, func.max(SignIn.seen_at)).where(SignIn.user_id.in_(ids)).group_by(SignIn.user_id)).all())
    return Page(
        [Member(user, sorted(held.name for held in user.roles if held.brand_id == brand.id), advocates.get(user.id), seen.get(user.id)) for user in page.items],
        page.next,
    )


def member(brand: Brand, user_id: int) -> User:
    """Somebody with a role in the brand. Raises NotFound."""
    user = db.session.get(User, user_id)
    if user is None or not any(role.brand_id == brand.id for role in user.roles):
        raise NotFound
    return user


def invitations(brand: Brand) -> Sequence[Invitation]:
    """Open ones, the newest first; those whose time is over stand there too, to be sent again."""
    return db.session.scalars(
        select(Invitation).where(Invitation.brand_id == brand.id, Invitation.state == "open").order_by(Invitation.id.desc()).limit(SHOWN)
    ).all()


def invitation(brand: Brand, invitation_id: int) -> Invitation:
    """Raises NotFound."""
    found = db.session.get(Invitation, invitation_id)
    if found is None or found.brand_id != brand.id:
        raise NotFound
    return found


def applications(brand: Brand) -> Sequence[Application]:
    """Those that wait, the oldest first."""
    return db.session.scalars(
        select(Application).where(Application.brand_id == brand.id, Application.state == "waiting").order_by(Application.id).limit(SHOWN)
    ).all()


def application(brand: Brand, application_id: int) -> Application:
    """One whose mailbox is proved. Raises NotFound."""
    found = db.session.get(Application, application_id)
    if found is None or found.brand_id != brand.id or found.state == "unproved":
        raise NotFound
    return found


def is_over(invitation: Invitation) -> bool:
    return invitation.ends_at <= clock.now()
