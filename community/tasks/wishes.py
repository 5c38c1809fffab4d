"""What a person wishes of the desk: to be told when a held task frees, and not to be offered what is not for them."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import joinedload

from app.accounts.models import Brand, User
from app.kernel import clock, live
from app.kernel.db import db
from app.kernel.errors import Conflict, Invalid
from community.mentions.models import Mention
from community.permissions import RULES
from community.tasks.actions import live_claim
from community.tasks.models import Pass, Task, Watch

REASONS = {"topic": "Not my topic", "language": "I don’t read it well", "hard": "Too hard for me", "time": "No time for it", "other": "Not for me"}
"""Why a person passes. Topic and language teach what to offer instead; the others hide this one task only."""


def watch(task: Task, *, by: User) -> None:
    """Tell the person once when this held task is free again. Asking twice changes nothing. Raises Conflict when it is free, or settled."""
    RULES.check(by, "task.claim", task)
    held = live_claim(task)
    if held is None or task.state != "claimed":
        words = "It is free: claim it." if task.state in ("open", "claimed") else f"This task is {task.state.replace('_', ' ')}: there is nothing to wait for."
        raise Conflict(words, state=task.state)
    if held.user_id == by.id:
        raise Conflict("You hold this task yourself.", state=task.state)
    insert = postgresql.insert if db.is_postgres else sqlite.insert
    row = {"brand_id": task.brand_id, "task_id": task.id, "user_id": by.id, "at": clock.now()}
    db.session.execute(insert(Watch).values(row).on_conflict_do_nothing(index_elements=["task_id", "user_id"]))
    _changed(by)


def unwatch(task: Task, *, by: User) -> None:
    """Don't tell the person after all."""
    db.session.execute(delete(Watch).where(Watch.task_id == task.id, Watch.user_id == by.id))
    _changed(by)


def watchers(task: Task) -> list[int]:
    """Who waits for the task to become free."""
    return list(db.session.scalars(select(Watch.user_id).where(Watch.task_id == task.id).order_by(Watch.id)))


def forget_watchers(*task_ids: int) -> None:
    """They were told, or there is nothing to wait for any more."""
    db.session.execute(delete(Watch).where(Watch.task_id.in_(task_ids)))


def pass_on(task: Task, *, by: User, reason: str) -> None:
    """Not for this person: it is never offered to them again, unless they take that back. Raises Invalid for an unknown reason."""
    RULES.check(by, "task.claim", task)
    if reason not in REASONS:
        raise Invalid(f"A reason is one of {', '.join(REASONS)}.", field="reason")
    held = live_claim(task)
    if held is not None and held.user_id == by.id:
        raise Conflict("You hold this task: hand it back instead.", state=task.state)
    insert = postgresql.insert if db.is_postgres else sqlite.insert
    row = {"brand_id": task.brand_id, "task_id": task.id, "user_id": by.id, "category": task.category, "lang": task.lang}
    stored = insert(Pass).values(**row, reason=reason, at=clock.now())
    db.session.execute(stored.on_conflict_do_update(index_elements=["user_id", "task_id"], set_={"reason": reason, "at": clock.now()}))
    _changed(by)


def take_back_pass(task: Task, *, by: User) -> None:
    """For this person after all; what was learned from the pass is forgotten."""
    db.session.execute(delete(Pass).where(Pass.task_id == task.id, Pass.user_id == by.id))
    _changed(by)


def passed_by(user: User, brand: Brand, limit: int = 20) -> Sequence[tuple[Pass, Mention]]:
    """What a person passed on and that still waits, the newest first."""
    rows = db.session.execute(
        select(Pass, Mention)
        .join(Task, Task.id == Pass.task_id)
        .join(Mention, Mention.id == Task.mention_id)
        .where(Pass.user_id == user.id, Pass.brand_id == brand.id, Task.audience == "community", Task.state.in_(("open", "claimed")))
        .options(joinedload(Mention.account))
        .order_by(Pass.id.desc())
        .limit(limit)
    )
    return [(row, mention) for row, mention in rows]


def _changed(by: User) -> None:
    db.after_commit(lambda: live.bump_person(by.id), key=("wishes", by.id))
