"""The verbs of a report that something is wrong: raise it, and a moderator's word on it."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app.accounts.models import User
from app.kernel import clock, live
from app.kernel.audit import audit
from app.kernel.db import db
from app.kernel.errors import Conflict, Invalid
from app.kernel.outbox import record
from community.advocates import trust
from community.events import FlagRaised
from community.mentions import actions as mention_actions
from community.mentions.models import Mention
from community.moderation.models import Flag
from community.permissions import RULES
from community.tasks import actions as task_actions
from community.tasks.models import Task

FLAGS = ("angry", "technical", "private_data", "at_risk", "spam")
URGENT = {"angry": "tier_1", "at_risk": "tier_2", "private_data": "tier_1"}
"""Flags that act at once, and where the task goes; the others wait for a moderator."""


def flag(task: Task, *, by: User, kind: str, note: str | None = None) -> Flag:
    """Report that a task is not for the community. Urgent kinds move it up at once; the others wait for a moderator."""
    RULES.check(by, "task.flag", task)
    if kind not in FLAGS:
        raise Invalid(f"A flag is one of {', '.join(FLAGS)}.", field="kind")
    if task.state not in ("open", "claimed", "in_review"):
        raise Conflict(f"This task is {task.state} already.", state=task.state)
    advocate = trust.advocate_row(by.id, task.brand_id)
    if advocate is not None:
        trust.check(advocate, "flag")
    row = Flag(
        brand_id=task.brand_id,
        task_id=task.id,
        mention_id=task.mention_id,
        by_id=by.id,
        kind=kind,
        note=note[:500] if note else None,
        state="open",
        at=clock.now(),
    )
    db.session.add(row)
    try:
        db.session.flush()
    except IntegrityError:
        raise Conflict("You flagged this already; a moderator has it.") from None
    record(FlagRaised(task.brand_id, row.id, task.id, task.mention_id, by.id, kind))
    audit("task.flag", task, by=by, reason=kind)
    if kind in URGENT:
        task_actions.escalate(task, URGENT[kind], because=f"flag_{kind}", by=by, note=note)
    db.after_commit(lambda: live.bump(task.brand_id, "flags"), key=("flags", task.brand_id))
    return row


def decide_flag(row: Flag, *, by: User, uphold: bool) -> None:
    """A moderator's word on a flag. Upheld: technical goes to tier 2, spam is set aside."""
    RULES.check(by, "flag.decide", row)
    row = db.session.scalars(select(Flag).where(Flag.id == row.id).with_for_update(key_share=True).execution_options(populate_existing=True)).one()
    if row.state != "open":
        raise Conflict(f"This flag was {row.state} already.", state=row.state)
    row.state, row.decided_at, row.decided_by_id = ("upheld" if uphold else "dismissed"), clock.now(), by.id
    audit("flag.decide", row, by=by, reason=row.state)
    task = db.session.get_one(Task, row.task_id)
    if uphold and row.kind == "technical" and task.audience == "community" and task.state in ("open", "claimed", "in_review"):
        task_actions.escalate(task, "tier_2", because="flag_technical", by=by)
    elif uphold and row.kind == "spam" and task.state in ("open", "claimed", "in_review"):
        mention_actions.reroute(db.session.get_one(Mention, row.mention_id), "set_aside", by=by)
    db.after_commit(lambda: live.bump(row.brand_id, "flags"), key=("flags", row.brand_id))
