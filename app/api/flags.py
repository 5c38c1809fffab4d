"""Reports that something is wrong with a task."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field
from sqlalchemy import select

from app.accounts.models import User
from app.api import scope
from app.api.door import Given, OfBrand, Shown, Words, door
from app.api.mentions import MentionView, mention_view
from app.kernel.db import db
from app.kernel.errors import NotFound
from community.moderation import flags
from community.moderation.models import Flag
from community.moderation.queries import open_flags
from community.tasks.queries import task_of


class FlagView(Shown):
    id: int
    task_id: int
    mention_id: int
    kind: str
    note: str | None
    state: Literal["open", "upheld", "dismissed", "withdrawn"]
    at: datetime
    window_until: datetime | None = Field(description="Until when peers may agree or answer; null for what acts at once, and once a moderator is asked.")
    decided_at: datetime | None


class FlagItem(FlagView):
    by: scope.PersonView
    agreed: int = Field(description="Peers who agree.")
    mention: MentionView


class Flags(Shown):
    items: list[FlagItem]
    next: None = None


class FlagGiven(Given):
    kind: Literal["angry", "technical", "private_data", "at_risk", "spam"]
    note: Annotated[Words | None, Field(max_length=500)] = None


class FlagDecided(Given):
    uphold: bool


@door("POST", "/tasks/<id:task_id>/flags", takes=FlagGiven, gives=FlagView, status=201)
def flag_task(*, by: User, task_id: int, body: FlagGiven) -> Flag:
    """Say that a task is not for the community. Angry, at risk and private data move it up at once; the others are left to peers for a while.

    What somebody else reported already is agreed with: the answer is their flag.
    """
    return flags.flag(task_of(by, task_id), by=by, kind=body.kind, note=body.note)


@door("GET", "/flags", asks=OfBrand, gives=Flags)
def list_flags(*, by: User, query: OfBrand) -> dict[str, Any]:
    """The oldest flags that nobody decided yet, fifty at most; those that are with the peers still name the end of their window."""
    brand = scope.brand_of(by, query.brand, "moderator", "admin")
    return {
        "items": [
            {
                **FlagView.model_validate(flag).model_dump(),
                "by": scope.PersonView(id=user.id, name=user.name),
                "agreed": agreed,
                "mention": mention_view(mention, staff=False),
            }
            for flag, mention, user, agreed in open_flags(brand)
        ]
    }


@door("POST", "/flags/<id:flag_id>/decision", takes=FlagDecided, gives=FlagView)
def decide_flag(*, by: User, flag_id: int, body: FlagDecided) -> Flag:
    """Uphold or dismiss. Upheld, a technical one goes to tier 2 and spam is set aside."""
    flag = db.session.scalar(select(Flag).where(Flag.id == flag_id))
    if flag is None or not by.has(flag.brand_id, "moderator", "admin"):
        raise NotFound
    flags.decide_flag(flag, by=by, uphold=body.uphold)
    return flag


@door("POST", "/flags/<id:flag_id>/votes", gives=FlagView, status=201)
def agree_with_flag(*, by: User, flag_id: int, **_: object) -> Flag:
    """See it the same way as who raised it. Enough peers together uphold it, and the task goes where it belongs at once."""
    return flags.agree(_seen(flag_id, by), by=by)


@door("DELETE", "/flags/<id:flag_id>", status=204)
def take_back_flag(*, by: User, flag_id: int, **_: object) -> None:
    """Take one's own flag back, as long as nobody agreed with it and it set nothing in motion."""
    flags.take_back(_seen(flag_id, by), by=by)


def _seen(flag_id: int, by: User) -> Flag:
    flag = db.session.scalar(select(Flag).where(Flag.id == flag_id))
    if flag is None:
        raise NotFound
    task_of(by, flag.task_id)
    return flag
