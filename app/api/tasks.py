"""Pieces of answering work."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from app.accounts.models import User
from app.api import scope
from app.api.door import Listed, Paged, Shown, Words, door
from app.api.mentions import MentionView, ReasonView, mention_view
from app.api.replies import ReplyView, reply_views
from app.kernel import clock
from community.mentions.queries import conversation
from community.replies.queries import replies_on
from community.tasks import queries
from community.tasks.models import Task
from escalation.cases.queries import case_of_task
from gamification.points.rules import price

TaskState = Literal["open", "claimed", "in_review", "answered", "resolved", "cancelled"]


class PriceView(Shown):
    """What an approved reply earns now, line by line."""

    points: int
    reasons: list[ReasonView]


class TaskView(Shown):
    """`holder` has it until `held_until` (null: an assignment). `mention` is the post to answer."""

    id: int
    brand: str
    state: TaskState
    audience: Literal["community", "tier_1", "tier_2"]
    kind: str
    priority: int
    category: str
    lang: str
    opened_at: datetime
    answered_at: datetime | None
    closed_at: datetime | None
    closed_because: str | None
    reopened: int
    lesson: str | None
    holder: scope.PersonView | None
    held_until: datetime | None
    price: PriceView | None
    mention: MentionView | None


class HandedOnView(Shown):
    """What the last one who handed it back left. `words`: their draft to start from, for who holds the task now and nobody else."""

    by: scope.PersonView
    note: str | None
    words: str | None


class TaskDetail(TaskView):
    handed_on: HandedOnView | None
    conversation: list[MentionView]
    replies: list[ReplyView]
    case_id: int | None


class TasksAsked(Paged):
    mention: Annotated[Words | None, Field(max_length=255, description="The id, on its network, of any post of the task's conversation.")] = None
    state: TaskState | None = None
    audience: Literal["community", "tier_1", "tier_2"] | None = None


@door("GET", "/tasks", asks=TasksAsked, gives=Listed[TaskView])
def list_tasks(*, by: User, query: TasksAsked) -> dict[str, Any]:
    """The tasks a person may see, newest first."""
    brand = scope.brand_of(by, query.brand)
    page = queries.tasks(by, brand, mention_ext=query.mention, state=query.state, audience=query.audience, limit=query.limit, cursor=query.cursor)
    return {"items": task_views(page.items, by), "next": page.next}


@door("GET", "/tasks/<id:task_id>", gives=TaskDetail)
def get_task(*, by: User, task_id: int) -> dict[str, Any]:
    """One task with its conversation, oldest first, and the replies the person may see."""
    task = queries.task_of(by, task_id)
    staff = scope.is_staff(by, task.brand_id)
    case = case_of_task(task.id) if staff else None
    left = queries.handed_on(task, by) if task.state in ("open", "claimed") else None
    return {
        **task_views([task], by)[0].model_dump(),
        "handed_on": {"by": {"id": left.id, "name": left.name}, "note": left.note, "words": left.words} if left else None,
        "conversation": [mention_view(m, staff=staff) for m in conversation(task.conversation_id, user=by)],
        "replies": reply_views([one.reply for one in replies_on(task, user=by)], by),
        "case_id": case.id if case else None,
    }


def task_views(tasks: Sequence[Task], user: User) -> list[TaskView]:
    """Tasks as a person sees them; their mentions must be loaded."""
    holders = queries.holders_of([task.id for task in tasks if task.state == "claimed"])
    return [_view(task, user, holders.get(task.id)) for task in tasks]


def _view(task: Task, user: User, holder: queries.Holder | None) -> TaskView:
    staff = scope.is_staff(user, task.brand_id)
    on_offer = task.audience == "community" and task.state in ("open", "claimed")
    return TaskView(
        id=task.id,
        brand=scope.slug_of(task.brand_id),
        state=task.state,
        audience=task.audience,
        kind=task.kind,
        priority=task.priority,
        category=task.category,
        lang=task.lang,
        opened_at=task.opened_at,
        answered_at=task.answered_at,
        closed_at=task.closed_at,
        closed_because=task.closed_because,
        reopened=task.reopened,
        lesson=task.lesson,
        holder=scope.PersonView(id=holder.id, name=holder.name) if holder else None,
        held_until=holder.until if holder else None,
        price=PriceView.model_validate(price(task.kind, task.lang, clock.now() - task.mention.received_at)) if on_offer else None,
        # A reopened task may be about a private message by now; what the advocate once raised stays visible, that does not.
        mention=mention_view(task.mention, staff=staff) if staff or not task.mention.private else None,
    )
