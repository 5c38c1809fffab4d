"""Holding a task."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from app.accounts.models import User
from app.api import scope
from app.api.door import Given, Shown, Words, door
from community.replies import actions as replies
from community.tasks import actions, queries


class ClaimView(Shown):
    """`ends_at` is null for an employee's assignment, which has no lease."""

    id: int
    task_id: int
    holder: scope.PersonView
    started_at: datetime
    ends_at: datetime | None


class ReleaseGiven(Given):
    note: Annotated[Words | None, Field(max_length=500)] = None
    leave_draft: Annotated[bool, Field(description="Whoever takes it next may start from one's draft, private data masked.")] = False


@door("POST", "/tasks/<id:task_id>/claim", gives=ClaimView, status=201, limit="claim")
def claim_task(*, by: User, task_id: int, **_: object) -> ClaimView:
    """Take the task. One wins; the others hear who holds it (409)."""
    held = actions.claim(queries.task_of(by, task_id), by=by)
    return ClaimView(id=held.id, task_id=task_id, holder=scope.PersonView(id=by.id, name=by.name), started_at=held.started_at, ends_at=held.ends_at)


@door("DELETE", "/tasks/<id:task_id>/claim", takes=ReleaseGiven, status=204)
def release_task(*, by: User, task_id: int, body: ReleaseGiven) -> None:
    """Hand the task back; the draft stays with its writer."""
    replies.hand_on(queries.task_of(by, task_id), by=by, note=body.note, leave_draft=body.leave_draft)


@door("DELETE", "/tasks/<id:task_id>/claim/words", status=204)
def take_words_back(*, by: User, task_id: int, **_: object) -> None:
    """Leave no draft for the next one after all."""
    actions.take_words_back(queries.task_of(by, task_id), by=by)
