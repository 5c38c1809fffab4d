"""Reading tasks: the desk a person sees, their claims, lists, one task. Each is a fixed number of statements."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Select, bindparam, case, or_, select
from sqlalchemy.orm import aliased, joinedload

from app.accounts.models import Brand, User
from app.accounts.people import holders
from app.kernel import clock
from app.kernel.db import BigId, db
from app.kernel.errors import NotFound
from app.kernel.pagination import Page, bounded, decode, page_of
from community.advocates.queries import known_as
from community.mentions.models import Mention
from community.mentions.queries import in_lists
from community.permissions import RULES
from community.tasks.models import Claim, Task, lasts


class Holder(NamedTuple):
    """Who holds a task, until when (none: an assignment)."""

    id: int
    name: str
    """As others know them."""
    until: datetime | None


class HandedOn(NamedTuple):
    """What somebody left who handed a task back."""

    id: int
    name: str
    note: str | None
    words: str | None
    """Their draft, to start from."""


def task_of(user: User, task_id: int) -> Task:
    """One task with its mention, account, decision and hold; NotFound for what is not this person's to see."""
    task = db.session.scalars(_loaded().where(Task.id == task_id)).one_or_none()
    if task is None or (RULES.refusal(user, "task.see", task) and not _touched(user, task)):
        raise NotFound
    return task


def claims_of(user: User, brand: Brand) -> list[tuple[Task, Claim]]:
    """What a person holds, the most urgent end first."""
    rows = db.session.execute(_held(), {"user": user.id, "brand": brand.id}).all()
    now = clock.now()
    return [(task, held) for task, held in rows if held.holds(now)]


def tasks(
    user: User,
    brand: Brand,
    *,
    mention_ext: str | None = None,
    state: str | None = None,
    audience: str | None = None,
    limit: int | None = None,
    cursor: str | None = None,
) -> Page[Task]:
    """Tasks a person may see, newest first."""
    size = bounded(limit)
    wanted = _loaded().where(Task.brand_id == brand.id).order_by(Task.id.desc()).limit(size + 1)
    if not user.has(brand.id, "moderator", "tier_1", "tier_2", "analyst", "admin"):
        wanted = wanted.where(or_(Task.audience == "community", Task.raised_by_id == user.id))
    if mention_ext is not None:
        wanted = wanted.where(Mention.ext_id == mention_ext).join(Mention, Mention.conversation_id == Task.conversation_id)
    if state is not None:
        wanted = wanted.where(Task.state == state)
    if audience is not None:
        wanted = wanted.where(Task.audience == audience)
    if after := decode(cursor, 1):
        wanted = wanted.where(Task.id < after[0])
    return page_of(db.session.scalars(wanted).all(), size, lambda task: [task.id])


def holder_of(task: Task) -> tuple[Holder, Claim] | None:
    """Who holds it now, and how."""
    row = db.session.execute(_HOLDER, {"task": task.id}).first()
    return (Holder(row.id, row.name, row.Claim.ends_at), row.Claim) if row is not None and row.Claim.holds(clock.now()) else None


def whole(task_ids: Sequence[int]) -> dict[int, Task]:
    """These tasks with mention, account and decision, by id. One statement."""
    return {task.id: task for task in db.session.scalars(_loaded().where(Task.id.in_(task_ids)))}


def handed_on(task: Task, user: User) -> HandedOn | None:
    """What the last person who handed the task back left for the next; their draft only for who holds it now."""
    row = db.session.execute(_HANDED_ON, {"task": task.id, "user": user.id}).first()
    if row is None or not (row.note or row.words):
        return None
    return HandedOn(row.id, row.name, row.note, row.words if row.id != user.id else None)


def lone_moderator(user: User, brand: Brand) -> bool:
    """Whether this person is the only moderator of the brand: nobody could look at what they write themselves."""
    if not user.has(brand.id, "moderator"):
        return False
    return len(holders(brand.id, "moderator", limit=2)) == 1


# What every desk asks is made once: making such a statement costs more than running it.

_HOLDER = (
    select(User.id, known_as(Claim.brand_id).label("name"), Claim)
    .join(Claim, Claim.user_id == User.id)
    .where(Claim.task_id == bindparam("task"), Claim.ended_at.is_(None))
)
_HOLDERS = (
    select(Claim.task_id, User.id, known_as(Claim.brand_id).label("name"), Claim.ends_at, Claim.cap_at)
    .join(User, User.id == Claim.user_id)
    .where(Claim.task_id.in_(bindparam("ids", expanding=True)), Claim.ended_at.is_(None))
)


_ours = aliased(Claim)
_HANDED_ON = (
    select(User.id, known_as(Claim.brand_id).label("name"), Claim.note, case((_ours.id.is_not(None), Claim.words)).label("words"))
    .join(User, User.id == Claim.user_id)
    .outerjoin(_ours, (_ours.task_id == Claim.task_id) & (_ours.user_id == bindparam("user", type_=BigId)) & _ours.ended_at.is_(None))
    .where(Claim.task_id == bindparam("task"), Claim.ended_because == "released", Claim.note.is_not(None) | Claim.words.is_not(None))
    .order_by(Claim.id.desc())
    .limit(1)
)


@cache
def _held() -> Any:
    return (
        select(Task, Claim)
        .join(Claim, Claim.task_id == Task.id)
        .where(Claim.user_id == bindparam("user"), Claim.brand_id == bindparam("brand"), Claim.ended_at.is_(None), Task.state == "claimed")
        .options(joinedload(Task.mention).options(*in_lists()))
        .order_by(Claim.ends_at)
    )


def _loaded() -> Select[Task]:
    # The hold is looked up apart for those claimed: joined here it would be loaded for every row.
    return select(Task).options(joinedload(Task.mention).options(joinedload(Mention.account), joinedload(Mention.decision)))


def holders_of(claimed: Sequence[int]) -> dict[int, Holder]:
    """Who holds each of these tasks now, by task id. One statement."""
    if not claimed:
        return {}
    rows = db.session.execute(_HOLDERS, {"ids": claimed})
    now = clock.now()
    return {task_id: Holder(id_, name, ends_at) for task_id, id_, name, ends_at, cap_at in rows if lasts(ends_at, cap_at, now)}


def _touched(user: User, task: Task) -> bool:
    """Whether the person ever held it: what one worked on stays visible, read-only."""
    return (
        user.has(task.brand_id, "advocate")
        and not task.mention.private
        and db.session.scalar(select(Claim.id).where(Claim.task_id == task.id, Claim.user_id == user.id).limit(1)) is not None
    )
