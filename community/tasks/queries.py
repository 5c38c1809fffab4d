"""Reading tasks: the desk a person sees, their claims, lists, one task. Each is a fixed number of statements."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, and_, or_, select
from sqlalchemy.orm import joinedload

from app.accounts.models import Brand, User
from app.kernel import clock
from app.kernel.db import db
from app.kernel.errors import NotFound
from app.kernel.pagination import Page, bounded, decode, page_of
from community.advocates.models import Advocate
from community.mentions.models import Mention
from community.permissions import RULES
from community.tasks.models import Claim, Task

WINDOW = 200
"""The desk ranks this many of the most pressing tasks for a person; what lies below them rises as those are taken."""
TOPIC_FIT, LANGUAGE_FIT, NOT_MY_LANGUAGE = 15, 10, -60
"""Points of fit, in the currency of priority."""
ORDERS = ("fit", "oldest", "shortest")


@dataclass(frozen=True)
class DeskTask:
    """One task as a person sees it on the desk."""

    task: Task
    mention: Mention
    holder: User | None
    held_until: datetime | None
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


def task_of(user: User, task_id: int) -> Task:
    """One task with its mention, account, decision and hold; NotFound for what is not this person's to see."""
    task = db.session.scalars(_loaded().where(Task.id == task_id)).one_or_none()
    if task is None or RULES.refusal(user, "task.see", task) and not _touched(user, task):
        raise NotFound
    return task


def desk(
    user: User, brand: Brand, *, topic: str | None = None, lang: str | None = None, kind: str | None = None, order: str = "fit", limit: int | None = None
) -> DeskPage:
    """The community's tasks a person may take now, best fit first, and the ones others hold. One statement, whatever is stored."""
    advocate = db.session.scalar(select(Advocate).where(Advocate.user_id == user.id, Advocate.brand_id == brand.id))
    wanted = (
        _loaded()
        .where(Task.brand_id == brand.id, Task.audience == "community", Task.state.in_(("open", "claimed")))
        .order_by(*((Task.opened_at,) if order == "oldest" else (Task.priority.desc(), Task.opened_at)))
        .limit(WINDOW + 1)
    )
    if topic:
        wanted = wanted.where(Task.category == topic)
    if lang:
        wanted = wanted.where(Task.lang == lang)
    if kind:
        wanted = wanted.where(Task.kind == kind)
    rows = list(db.session.scalars(wanted))
    more = len(rows) > WINDOW
    now = clock.now()
    seen = [task for task in rows[:WINDOW] if not (task.returned_to_id not in (None, user.id) and task.kept_until and task.kept_until > now)]
    holders = _holders(seen)
    items = [_desk_task(task, user, advocate, holders, now) for task in seen]
    if order == "fit":
        items.sort(key=lambda item: (item.holder is not None and not item.mine, -fit(item.task, advocate)[0], item.task.opened_at))
        items = _mix_praise(items)
    elif order == "shortest":
        items.sort(key=lambda item: (item.holder is not None, len(item.mention.text)))
    return DeskPage(
        items=items[: bounded(limit)],
        topics=dict(Counter(task.category for task in seen).most_common(8)),
        languages=dict(Counter(task.lang for task in seen).most_common(6)),
        kinds=dict(Counter(task.kind for task in seen)),
        total=sum(1 for item in items if item.holder is None),
        more=more,
    )


def fit(task: Task, advocate: Advocate | None) -> tuple[int, str]:
    """How well a task suits a person, in points of priority, and the sentence that says why it is offered."""
    if advocate is None:
        return task.priority, "It waits for anybody who answers for this brand."
    points, why = task.priority, []
    if task.lang in advocate.languages:
        points += LANGUAGE_FIT
        if task.lang != "en":
            why.append("you read its language")
    elif task.lang != "und":
        points += NOT_MY_LANGUAGE
        why.append("it is in a language you did not name")
    if task.category in advocate.topics:
        points += TOPIC_FIT
        why.append(f"{task.category.replace('_', ' ')} is one of your topics")
    if task.kind == "thank":
        why.append("praise: a short thank-you, about a minute")
    if task.returned_to_id is not None:
        why.append("kept for you: you answered this author before")
    if not why:
        why.append("nobody has taken it yet")
    sentence = ", and ".join(why)
    return points, sentence[0].upper() + sentence[1:] + "."


def claims_of(user: User, brand: Brand) -> list[tuple[Task, Claim]]:
    """What a person holds, the most urgent end first."""
    rows = db.session.execute(
        select(Task, Claim)
        .join(Claim, Claim.task_id == Task.id)
        .where(Claim.user_id == user.id, Claim.brand_id == brand.id, Claim.ended_at.is_(None), Task.state == "claimed")
        .options(joinedload(Task.mention).joinedload(Mention.account))
        .order_by(Claim.ends_at)
    ).all()
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


def _loaded() -> Select[tuple[Task]]:
    # The hold is looked up apart for those claimed: joined here it would be loaded for every row.
    return select(Task).options(joinedload(Task.mention).options(joinedload(Mention.account), joinedload(Mention.decision)))


def _holders(seen: Sequence[Task]) -> dict[int, tuple[User, Claim]]:
    claimed = [task.id for task in seen if task.state == "claimed"]
    if not claimed:
        return {}
    rows = db.session.execute(
        select(Claim.task_id, User, Claim).join(User, User.id == Claim.user_id).where(and_(Claim.task_id.in_(claimed), Claim.ended_at.is_(None)))
    )
    now = clock.now()
    return {task_id: (user, held) for task_id, user, held in rows if held.holds(now)}


def _desk_task(task: Task, user: User, advocate: Advocate | None, holders: dict[int, tuple[User, Claim]], _now: datetime) -> DeskTask:
    holder, held = holders.get(task.id, (None, None))
    return DeskTask(task, task.mention, holder, held.ends_at if held else None, holder is not None and holder.id == user.id, fit(task, advocate)[1])


def _mix_praise(items: list[DeskTask]) -> list[DeskTask]:
    """About one in five is praise: volunteers fed only trouble leave."""
    praise = [item for item in items if item.task.kind == "thank" and item.holder is None]
    rest = [item for item in items if not (item.task.kind == "thank" and item.holder is None)]
    mixed: list[DeskTask] = []
    for place, item in enumerate(rest):
        if place % 4 == 2 and praise:
            mixed.append(praise.pop(0))
        mixed.append(item)
    free = next((i for i in range(len(mixed) - 1, -1, -1) if mixed[i].holder is None), -1)
    return mixed[: free + 1] + praise + mixed[free + 1 :]


def _touched(user: User, task: Task) -> bool:
    """Whether the person ever held it: what one worked on stays visible, read-only."""
    return (
        user.has(task.brand_id, "advocate")
        and not task.mention.private
        and db.session.scalar(select(Claim.id).where(Claim.task_id == task.id, Claim.user_id == user.id).limit(1)) is not None
    )
