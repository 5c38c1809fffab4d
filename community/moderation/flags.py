"""The verbs of a report that something is wrong: raise it, agree, take it back, and how it is decided.

Urgent kinds act at once. The others open a short window: peers who see it the same way uphold it together, an approved
answer shows that the community could help after all, and what is still open when the window is over waits for a moderator.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from app.accounts.choices import whole
from app.accounts.models import Brand, User
from app.kernel import clock, live
from app.kernel.audit import audit
from app.kernel.db import among, db
from app.kernel.errors import Conflict, Forbidden, Invalid
from app.kernel.outbox import record
from community.advocates import trust
from community.events import FlagDecided, FlagRaised, FlagWaits
from community.mentions import actions as mention_actions
from community.mentions.models import Mention
from community.moderation.models import Flag, FlagVote
from community.permissions import RULES
from community.ports import Reason
from community.tasks import actions as task_actions
from community.tasks.models import Task

FLAGS = ("angry", "technical", "private_data", "at_risk", "spam")
URGENT = {"angry": "tier_1", "at_risk": "tier_2", "private_data": "tier_1"}
"""Flags that act at once, and where the task goes."""
WINDOW = whole(
    "flag_minutes", 10, least=1, most=120, unit="min", group="Flags",
    label="How long peers may agree with a flag before a moderator is asked", help="Angry, private data and somebody at risk act at once, without a window.",
)  # fmt: skip
AGREEING = whole(
    "flag_peers", 2, least=1, most=5, group="Flags",
    label="Peers who agree until a flag is upheld", help="Besides the one who raised it. Technical goes to tier 2 then, spam is set aside.",
)  # fmt: skip
ON_THE_WAY = ("open", "claimed", "in_review")
"""States of a task in which a flag still changes something."""


def flag(task: Task, *, by: User, kind: str, note: str | None = None) -> Flag:
    """Report that a task is not for the community. Urgent kinds move it up at once; the others open a window for peers.

    Reporting what somebody else reported already is agreeing with them; the flag returned is theirs.
    """
    RULES.check(by, "task.flag", task)
    if kind not in FLAGS:
        raise Invalid(f"A flag is one of {', '.join(FLAGS)}.", field="kind")
    if task.state not in ON_THE_WAY:
        raise Conflict(f"This task is {task.state} already.", state=task.state)
    advocate = trust.advocate_row(by.id, task.brand_id)
    if advocate is not None:
        trust.check(advocate, "flag")
    known = db.session.scalar(select(Flag).where(Flag.task_id == task.id, among(Flag.state, "open"), Flag.kind == kind).order_by(Flag.id).limit(1))
    if known is not None:
        if known.by_id == by.id:
            raise Conflict("You flagged this already." + (" Peers may agree now, then a moderator looks." if known.window_until else " A moderator has it."))
        return agree(known, by=by)
    now = clock.now()
    row = Flag(
        brand_id=task.brand_id,
        task_id=task.id,
        mention_id=task.mention_id,
        by_id=by.id,
        kind=kind,
        note=note[:500] if note else None,
        state="open",
        at=now,
        window_until=None if kind in URGENT else now + timedelta(minutes=WINDOW.of(db.session.get_one(Brand, task.brand_id))),
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
    _changed(row)
    return row


def agree(row: Flag, *, by: User) -> Flag:
    """A peer sees it the same way. The last of those needed upholds the flag, and the task goes where it belongs at once."""
    task, row = _hold(row)
    RULES.check(by, "task.flag", task)
    if row.state != "open":
        raise Conflict(f"This flag was {row.state} already.", state=row.state)
    if row.kind in URGENT:
        raise Conflict("The team has it already; nobody needs to agree.", state=row.state)
    if row.by_id == by.id:
        raise Forbidden("It is your own flag: others have to agree.")
    db.session.add(FlagVote(brand_id=row.brand_id, flag_id=row.id, user_id=by.id, at=clock.now()))
    try:
        with db.session.begin_nested():
            db.session.flush()
    except IntegrityError:
        raise Conflict("You agreed already.") from None
    audit("flag.agree", row, by=by)
    agreed = db.session.scalar(select(func.count()).select_from(FlagVote).where(FlagVote.flag_id == row.id)) or 0
    if agreed >= AGREEING.of(db.session.get_one(Brand, row.brand_id)):
        _decide(row, task, uphold=True, how="peers", by=None)
    _changed(row)
    return row


def take_back(row: Flag, *, by: User) -> None:
    """Whoever raised it was mistaken, and nobody has agreed yet. What an urgent one has set in motion can't be taken back."""
    _, row = _hold(row)
    if row.by_id != by.id:
        raise Forbidden("Only who raised a flag can take it back.")
    if row.state != "open" or row.kind in URGENT:
        raise Conflict("The team has it already." if row.kind in URGENT else f"This flag was {row.state} already.", state=row.state)
    if db.session.scalar(select(FlagVote.id).where(FlagVote.flag_id == row.id).limit(1)) is not None:
        raise Conflict("Others agreed meanwhile: it is theirs as well now, and a moderator decides.", state=row.state)
    row.state, row.decided_at, row.window_until = "withdrawn", clock.now(), None
    audit("flag.take_back", row, by=by)
    _changed(row)


def decide_flag(row: Flag, *, by: User, uphold: bool) -> None:
    """A moderator's word on a flag. Upheld: technical goes to tier 2, spam is set aside."""
    RULES.check(by, "flag.decide", row)
    task, row = _hold(row)
    if row.state != "open":
        raise Conflict(f"This flag was {row.state} already.", state=row.state)
    _decide(row, task, uphold=uphold, how="moderator", by=by)


def answered(task_id: int) -> None:
    """An answer of the community was approved: it could help, whatever a flag said. Urgent ones keep waiting for a moderator's word."""
    for row in db.session.scalars(select(Flag).where(Flag.task_id == task_id, among(Flag.state, "open"), Flag.kind.not_in(URGENT)).order_by(Flag.id)).all():
        task, held = _hold(row)
        if held.state == "open":
            _decide(held, task, uphold=False, how="answer", by=None)


def close_windows(limit: int = 200) -> int:
    """Ask a moderator about each flag that peers left open, each in a transaction of its own; returns how many."""
    now = clock.now()
    with db.transaction(read_only=True) as session:
        over = (among(Flag.state, "open"), Flag.window_until.is_not(None), Flag.window_until <= now)
        due = session.scalars(select(Flag.id).where(*over).order_by(Flag.window_until).limit(limit)).all()
    asked = 0
    for flag_id in due:
        with suppress(Conflict), db.transaction() as session:
            _, row = _hold(session.get_one(Flag, flag_id))
            if row.state != "open" or row.window_until is None:
                continue  # decided this very moment
            row.window_until = None
            record(FlagWaits(row.brand_id, row.id, row.task_id, row.mention_id, row.by_id, row.kind))
            _changed(row)
            asked += 1
    return asked


# Helpers


def _hold(row: Flag) -> tuple[Task, Flag]:
    """The task and the flag as they are now, held until the transaction ends; the account's thread first, since spam may close it."""
    mention_actions.hold_thread(db.session.get_one(Mention, row.mention_id))
    task = task_actions.hold(db.session.get_one(Task, row.task_id))
    return task, db.session.scalars(select(Flag).where(Flag.id == row.id).with_for_update(key_share=True).execution_options(populate_existing=True)).one()


def _decide(row: Flag, task: Task, *, uphold: bool, how: str, by: User | None) -> None:
    row.state, row.decided_at, row.decided_by_id, row.window_until = ("upheld" if uphold else "dismissed"), clock.now(), by.id if by else None, None
    audit("flag.decide", row, by=by, reason=row.state, how=how)
    if uphold and row.kind == "technical" and task.audience == "community" and task.state in ON_THE_WAY:
        # Raised by whoever flagged it, so that it stays visible to them.
        task_actions.escalate(task, "tier_2", because="flag_technical", by=by or db.session.get_one(User, row.by_id))
    elif uphold and row.kind == "spam" and task.state in ON_THE_WAY:
        mention = db.session.get_one(Mention, row.mention_id)
        if by is not None:
            mention_actions.reroute(mention, "set_aside", by=by)
        else:
            task_actions.cancel(task, because="flag_spam", by=None)
            mention_actions.settle(mention, "set_aside", Reason("advocates agreed: spam or not about us", rule="flag_spam"))
    record(FlagDecided(row.brand_id, row.id, row.task_id, row.mention_id, row.by_id, row.kind, uphold, how, by.id if by else None))
    _changed(row)


def _changed(row: Flag) -> None:
    names = ("flags", "desk", f"task-{row.task_id}")
    db.after_commit(lambda: live.bump(row.brand_id, *names), key=("flags", row.brand_id, row.task_id))
