"""Reading tasks: the desk a person sees, their claims, lists, one task. Each is a fixed number of statements."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Select, bindparam, or_, select
from sqlalchemy.orm import defer, joinedload

from app.accounts.models import Brand, User
from app.kernel import clock
from app.kernel.db import among, db
from app.kernel.errors import NotFound
from app.kernel.pagination import Page, bounded, decode, page_of
from community.advocates.models import Advocate
from community.mentions.models import Mention
from community.permissions import RULES
from community.tasks.models import Claim, Task, lasts

WINDOW = 200
"""The desk ranks this many of the most pressing tasks for a person; what lies below them rises as those are taken."""
TOPIC_FIT, LANGUAGE_FIT, NOT_MY_LANGUAGE = 15, 10, -60
"""Points of fit, in the currency of priority."""
SHOWN = 20
"""Tasks on one page of the desk."""
ORDERS = ("fit", "oldest")


class Holder(NamedTuple):
    """Who holds a task, until when (none: an assignment)."""

    id: int
    name: str
    until: datetime | None


@dataclass(frozen=True)
class DeskTask:
    """One task as a person sees it on the desk."""

    task: Task
    mention: Mention
    holder: Holder | None
    mine: bool
    because: str


@dataclass(frozen=True)
class DeskPage:
    items: Sequence[DeskTask]
    topics: dict[str, int]
    languages: dict[str, int]
    kinds: dict[str, int]
    total: int
    more: bool
    """Whether more wait than were ranked."""
    advocate: Advocate | None
    """The person as an advocate of the brand, whom the ranking is for."""


def task_of(user: User, task_id: int) -> Task:
    """One task with its mention, account, decision and hold; NotFound for what is not this person's to see."""
    task = db.session.scalars(_loaded().where(Task.id == task_id)).one_or_none()
    if task is None or (RULES.refusal(user, "task.see", task) and not _touched(user, task)):
        raise NotFound
    return task


def desk(
    user: User, brand: Brand, *, topic: str | None = None, lang: str | None = None, kind: str | None = None, order: str = "fit", limit: int | None = None
) -> DeskPage:
    """The community's tasks a person may take now, best fit first, and the ones others hold. A fixed number of statements."""
    advocate = db.session.scalar(_ADVOCATE, {"user": user.id, "brand": brand.id})
    wanted = _PRESSING.order_by(*((Task.opened_at,) if order == "oldest" else (Task.priority.desc(), Task.opened_at)))
    for column, value in ((Task.category, topic), (Task.lang, lang), (Task.kind, kind)):
        if value:
            wanted = wanted.where(column == value)
    rows = db.session.execute(wanted, {"brand": brand.id, "user": user.id, "now": clock.now()}).all()
    seen = list(rows[:WINDOW])
    holders = holders_of([row.id for row in seen if row.state == "claimed"])
    if order == "fit":
        languages, topics = (frozenset(advocate.languages), frozenset(advocate.topics)) if advocate else (None, frozenset())
        # Among equals the order they came in stays: the more pressing first, then the older.
        seen = _mix_praise(sorted(seen, key=lambda row: -fit(row, languages, topics)), holders)
    else:
        seen.sort(key=lambda row: row.id in holders)
    shown = [row.id for row in seen[: bounded(limit, SHOWN)]]
    loaded = {task.id: task for task in db.session.scalars(_shown(), {"ids": shown})}
    return DeskPage(
        items=[_desk_task(loaded[id_], user, advocate, holders.get(id_)) for id_ in shown if id_ in loaded],
        topics=dict(Counter(row.category for row in seen).most_common(8)),
        languages=dict(Counter(row.lang for row in seen).most_common(6)),
        kinds=dict(Counter(row.kind for row in seen)),
        total=sum(row.id not in holders for row in seen),
        more=len(rows) > WINDOW,
        advocate=advocate,
    )


def fit(task: Any, languages: Collection[str] | None, topics: Collection[str]) -> int:
    """How well a task suits somebody of these languages and topics, in points of priority; no languages: of any."""
    points: int = task.priority
    if languages is not None:
        if task.lang in languages:
            points += LANGUAGE_FIT
        elif task.lang != "und":
            points += NOT_MY_LANGUAGE
    return points + TOPIC_FIT if task.category in topics else points


def why_offered(task: Task, advocate: Advocate | None) -> str:
    """The sentence that says why a person is offered a task: what `fit` saw, and what the task is."""
    if advocate is None:
        return "It waits for anybody who answers for this brand."
    why = []
    if task.lang in advocate.languages:
        if task.lang != "en":
            why.append("you read its language")
    elif task.lang != "und":
        why.append("it is in a language you did not name")
    if task.category in advocate.topics:
        why.append(f"{task.category.replace('_', ' ')} is one of your topics")
    if task.kind == "thank":
        why.append("praise: a short thank-you, about a minute")
    if task.returned_to_id is not None:
        why.append("kept for you: you answered this author before")
    if not why:
        why.append("nobody has taken it yet")
    sentence = ", and ".join(why)
    return sentence[0].upper() + sentence[1:] + "."


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


def holder_of(task: Task) -> tuple[User, Claim] | None:
    """Who holds it now."""
    row = db.session.execute(select(User, Claim).join(Claim, Claim.user_id == User.id).where(Claim.task_id == task.id, Claim.ended_at.is_(None))).first()
    return (row[0], row[1]) if row is not None and row[1].holds(clock.now()) else None


# What every desk asks is made once: making such a statement costs more than running it.

_ADVOCATE = select(Advocate).where(Advocate.user_id == bindparam("user"), Advocate.brand_id == bindparam("brand"))
# Plain columns: making objects of two hundred rows to show twenty would cost more than all else on the desk.
_PRESSING = (
    select(Task.id, Task.state, Task.kind, Task.category, Task.lang, Task.priority)
    .where(Task.brand_id == bindparam("brand"), Task.audience == "community", among(Task.state, "open", "claimed"))
    .where(or_(Task.returned_to_id.is_(None), Task.returned_to_id == bindparam("user"), Task.kept_until.is_(None), Task.kept_until <= bindparam("now")))
    .limit(WINDOW + 1)
)

_HOLDERS = (
    select(Claim.task_id, User.id, User.name, Claim.ends_at, Claim.cap_at)
    .join(User, User.id == Claim.user_id)
    .where(Claim.task_id.in_(bindparam("ids", expanding=True)), Claim.ended_at.is_(None))
)


@cache
def _shown() -> Any:
    about = joinedload(Task.mention).options(joinedload(Mention.account), defer(Mention.summons), defer(Mention.reply_ref))
    return select(Task).where(Task.id.in_(bindparam("ids", expanding=True))).options(about)


@cache
def _held() -> Any:
    return (
        select(Task, Claim)
        .join(Claim, Claim.task_id == Task.id)
        .where(Claim.user_id == bindparam("user"), Claim.brand_id == bindparam("brand"), Claim.ended_at.is_(None), Task.state == "claimed")
        .options(joinedload(Task.mention).joinedload(Mention.account))
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


def _desk_task(task: Task, user: User, advocate: Advocate | None, holder: Holder | None) -> DeskTask:
    return DeskTask(task, task.mention, holder, holder is not None and holder.id == user.id, why_offered(task, advocate))


def _mix_praise(rows: list[Any], holders: Collection[int]) -> list[Any]:
    """About one in five is praise: volunteers fed only trouble leave. What others hold comes last."""
    free = [row for row in rows if row.id not in holders]
    praise = [row for row in free if row.kind == "thank"]
    mixed: list[Any] = []
    for place, row in enumerate(row for row in free if row.kind != "thank"):
        if place % 4 == 2 and praise:
            mixed.append(praise.pop(0))
        mixed.append(row)
    return mixed + praise + [row for row in rows if row.id in holders]


def _touched(user: User, task: Task) -> bool:
    """Whether the person ever held it: what one worked on stays visible, read-only."""
    return (
        user.has(task.brand_id, "advocate")
        and not task.mention.private
        and db.session.scalar(select(Claim.id).where(Claim.task_id == task.id, Claim.user_id == user.id).limit(1)) is not None
    )
