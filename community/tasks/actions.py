"""The verbs of a task: claim, renew, release, hand to, escalate, hand back, resolve, reopen, cancel."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError

from app.accounts.choices import whole
from app.accounts.models import Brand, User
from app.kernel import clock, live
from app.kernel.audit import audit
from app.kernel.db import among, db
from app.kernel.errors import Conflict, Forbidden, Invalid, TooMany
from app.kernel.outbox import record
from community.advocates import trust
from community.advocates.models import Advocate
from community.events import (
    ClaimEnded,
    TaskCancelled,
    TaskClaimed,
    TaskEscalated,
    TaskHandedBack,
    TaskReleased,
    TaskReopened,
    TaskResolved,
    TasksEscalated,
    TasksOpened,
)
from community.joining import guidelines
from community.mentions.models import Decision, Mention
from community.permissions import RULES
from community.replies import withdrawal
from community.tasks.limits import lately
from community.tasks.models import LIVE, LONGEST_LEASE, Claim, Task
from community.tasks.rules import at_once, lane_of
from community.tasks.states import TASK

LEASE = whole(
    "lease_minutes", 20, least=5, most=60, unit="min", group="Tasks",
    label="How long a claimed task is one person's", help="Saving the draft renews it, up to 60 minutes in all.",
)  # fmt: skip
LEASE_CAP = timedelta(minutes=60)
"""Saving the draft renews a lease, but nobody keeps a public question longer than this."""
RETURN_LEASE = timedelta(hours=4)
"""How long a returned task stays its writer's."""
EMPLOYEE_CLAIMS_AT_ONCE = 20
TAKEN_AWAY = frozenset({"escalated", "handed_back", "resolved", "cancelled", "reassigned", "alternative"})
"""Ends of a hold that its holder did not choose."""
HAD_ENOUGH, HAD_WITHIN = 2, timedelta(hours=2)
"""Whoever let the time for a task run out so often within so long leaves it to others for a while: else one person could keep it for ever."""


def claim(task: Task, *, by: User) -> Claim:
    """Take the task: one winner under any race. Raises Conflict that names the holder, TooMany at the person's limit."""
    now = clock.now()
    RULES.check(by, "task.claim", task)
    if guidelines.owed(by, task.brand_id) is not None:
        raise Conflict("Read the brand’s guidelines and say yes to them: then the task is yours to take.", read="/guidelines")
    advocate = _hold_person(task, by)
    lapse(task)
    if task.state != "open":
        raise _taken(task, by)
    if task.returned_to_id not in (None, by.id) and task.kept_until and task.kept_until > now:
        raise Conflict(f"{_name(task.returned_to_id)} was asked to finish this one; it is kept for them until {_clock(task.kept_until)}.", state=task.state)
    _make_room(task, by, advocate)
    try:
        TASK.move(task, "claim", returned_to_id=None, kept_until=None)
    except Conflict:
        raise _taken(task, by) from None
    # The row is held from here on: only now is it sure that the task didn't move up to the team since we looked.
    if db.session.scalar(select(Task.audience).where(Task.id == task.id)) != task.audience:
        raise Conflict("It just went to others: look again.", state="open")
    held = _give(task, by, None if _is_assignment(task, by) else _lease(task.brand_id), now)
    record(TaskClaimed(task.brand_id, task.id, by.id))
    audit("task.claim", task, by=by)
    _changed(task)
    return held


def renew(held: Claim) -> Claim:
    """Prolong a running lease, never past its cap; an assignment or a lapsed lease is left as it is."""
    now = clock.now()
    if held.ends_at is not None and held.holds(now):
        end = now + _lease(held.brand_id)
        held.ends_at = max(held.ends_at, min(end, held.cap_at or end))
    return held


def release(task: Task, *, by: User, note: str | None = None, words: str | None = None) -> None:
    """Hand the task back to where it came from; the draft stays with its writer. `words`: what the next one may start from."""
    task = hold(task)
    held = live_claim(task)
    if held is None or held.user_id != by.id:
        raise Conflict("You don't hold this task any more; it is free for others.", state=task.state)
    TASK.move(task, "release")
    _end(held, "released", note)
    held.words = words
    record(TaskReleased(task.brand_id, task.id, by.id, "released"))
    audit("task.release", task, by=by)
    _changed(task)


def take_words_back(task: Task, *, by: User) -> bool:
    """Leave nothing for the next one after all; returns whether there was something. What was put into a draft meanwhile stays there."""
    left = (Claim.task_id == task.id, Claim.user_id == by.id, Claim.words.is_not(None))
    done = db.session.execute(update(Claim).where(*left).values(words=None).execution_options(synchronize_session=False))
    _changed(task)
    return bool(done.rowcount)  # type: ignore[attr-defined]


def lapse(task: Task) -> bool:
    """End the hold if its lease is over; returns whether it was. Called wherever a hold is looked at, so it is over everywhere at once."""
    if task.state != "claimed" or not _is_lapsed(task):
        return False
    hold(task)
    # Looked at again under the lock: its holder may have saved, which renews it, or handed it in this very moment.
    held = _is_lapsed(task)
    if held is None or task.state != "claimed":
        return False
    TASK.move(task, "release")
    _end(held, "lapsed")
    record(TaskReleased(task.brand_id, task.id, held.user_id, "lapsed"))
    _changed(task)
    return True


def lapse_due(limit: int = 500) -> int:
    """Free every task whose lease is over, each in a transaction of its own; returns how many."""
    with db.transaction(read_only=True) as session:
        now = clock.now()
        over = (Claim.ended_at.is_(None), (Claim.ends_at <= now) | (Claim.ends_at > now + LONGEST_LEASE), Task.state == "claimed")
        due = session.scalars(select(Task.id).join(Claim, Claim.task_id == Task.id).where(*over).limit(limit)).all()
    freed = 0
    for task_id in due:
        with db.transaction() as session:
            freed += lapse(session.get_one(Task, task_id))
    return freed


def hand_to(task: Task, user: User, *, by: User) -> Claim:
    """Assign an employee: their claim, without a lease, until reassigned."""
    RULES.check(by, "task.assign", task)
    reason = RULES.refusal(user, "task.claim", task)
    if reason:
        raise Invalid(f"{user.name} can't take it. {reason}", field="assignee")
    lapse(task)
    held = live_claim(task)
    if held is not None:
        if held.user_id == user.id:
            return held
        _end(held, "reassigned", by=by)
        db.session.flush()
    if task.state == "open":
        TASK.move(task, "claim", returned_to_id=None, kept_until=None)
    elif task.state != "claimed":
        raise Conflict(f"This task is {task.state.replace('_', ' ')}: there is nothing to assign now.", state=task.state)
    held = _give(task, user, None, clock.now())
    record(TaskClaimed(task.brand_id, task.id, user.id))
    audit("task.assign", task, by=by, to=user.id)
    _changed(task)
    return held


def keep_for_writer(task: Task, writer: User | int) -> None:
    """A return: the task goes back to its writer's hands for a while."""
    TASK.move(task, "send_back")
    writer_id = writer if isinstance(writer, int) else writer.id
    _give(task, writer_id, RETURN_LEASE, clock.now(), cap=RETURN_LEASE)
    _changed(task)


def hand_in(task: Task) -> None:
    """The reply was handed in: the hold ends, the task is in review."""
    held = live_claim(task)
    TASK.move(task, "submit", returned_to_id=None, kept_until=None)
    if held is not None:
        _end(held, "submitted")
    _changed(task)


def free(task: Task, *, because: str, lesson: str | None = None, for_writer: int | None = None) -> None:
    """Back to the desk out of review, with what was learned; `for_writer` keeps it for that person for a while."""
    kept = {"returned_to_id": for_writer, "kept_until": clock.now() + RETURN_LEASE} if for_writer else {}
    TASK.move(task, "free", lesson=lesson[:1000] if lesson else task.lesson, **kept)
    record(TaskReleased(task.brand_id, task.id, None, because))
    _changed(task)


def escalate(task: Task, tier: str, *, because: str, by: User | None, note: str | None = None) -> None:
    """Move the task up to a tier: whoever held it is thanked and freed, what was in review is withdrawn."""
    if tier not in ("tier_1", "tier_2"):
        raise Invalid("A task moves up to tier_1 or tier_2.", field="tier")
    hold(task)
    if task.state not in ("open", "claimed", "in_review", "answered"):
        raise Conflict(f"This task is {task.state}: there is nothing to move up.", state=task.state)
    _empty_hands(task, "escalated", by)
    if task.state == "answered":
        TASK.move(task, "reopen")
    task.audience, task.kind = tier, "answer"
    task.returned_to_id = task.kept_until = None
    if by is not None and task.raised_by_id is None and by.has(task.brand_id, "advocate"):
        task.raised_by_id = by.id
    db.session.flush()
    record(TaskEscalated(task.brand_id, task.id, tier, because, by.id if by else None, note))
    audit("task.escalate", task, by=by, reason=because, tier=tier)
    _changed(task)


def escalate_idle(tasks: Sequence[Task], tier: str, *, because: str) -> list[int]:
    """Move up at once what the clock moves up, in a few statements however many there are; returns the ids of those moved.

    The tasks are of one brand, and the caller holds them (`hold_all`). One that somebody has something in is left to `escalate`, which says so to them.
    """
    ids = [task.id for task in tasks if task.state == "open"]
    held = db.session.scalars(select(Claim.task_id).where(Claim.task_id.in_(ids), Claim.ended_at.is_(None)))
    busy = set(held) | withdrawal.under_way(ids)
    idle = [task for task in tasks if task.id in ids and task.id not in busy]
    if not idle:
        return []
    moved, brand_id = [task.id for task in idle], idle[0].brand_id
    anew = {"audience": tier, "kind": "answer", "returned_to_id": None, "kept_until": None}
    db.session.execute(update(Task).where(Task.id.in_(moved)).values(anew).execution_options(synchronize_session=False))
    record(TasksEscalated(brand_id, moved, tier, because))
    for task in idle:
        audit("task.escalate", task, by=None, reason=because, tier=tier)
    names = ("desk", "cases", "reviews", *(f"task-{id_}" for id_ in moved))
    db.after_commit(lambda: live.bump(brand_id, *names))
    return moved


def hand_back(task: Task, *, by: User, note: str) -> None:
    """An employee returns the task to the community, with guidance that advocates will read. Its time on the desk begins anew."""
    RULES.check(by, "task.hand_back", task)
    if not note.strip():
        raise Invalid("Say what the community should know to answer it.", field="note")
    _refuse_private(task)
    _empty_hands(task, "handed_back", by)
    task.audience, task.lesson, task.opened_at = "community", note.strip()[:1000], clock.now()
    db.session.flush()
    record(TaskHandedBack(task.brand_id, task.id, by.id))
    audit("task.hand_back", task, by=by)
    _changed(task)


def resolve(task: Task, *, because: str, by: User | None, writer_id: int | None = None, reply_id: int | None = None) -> None:
    """Settle the matter: thanks, silence, or an employee's outcome. Nothing that still waits to be posted goes out any more."""
    hold(task)
    first_try = task.reopened == 0
    if task.state != "answered":
        _empty_hands(task, "resolved", by, keep_state=True)
    TASK.move(task, "resolve", closed_at=clock.now(), closed_because=because, returned_to_id=None, kept_until=None)
    record(TaskResolved(task.brand_id, task.id, because, writer_id, reply_id, first_try))
    audit("task.resolve", task, by=by, reason=because)
    _changed(task)


def reopen(task: Task, mention: Mention, *, because: str, keep_for: int | None = None) -> None:
    """The author is not helped yet: open again, about their latest post, first for the person who answered."""
    hold(task)
    kept = {"returned_to_id": keep_for, "kept_until": clock.now() + RETURN_LEASE} if keep_for else {}
    try:
        again = {"mention_id": mention.id, "reopened": task.reopened + 1, "opened_at": clock.now(), "lane": _lane(task, mention), "lang": mention.lang}
        TASK.move(task, "reopen", closed_at=None, closed_because=None, **again, **kept)
    except IntegrityError:
        raise Conflict("The conversation goes on in a newer task: answer there.") from None
    record(TaskReopened(task.brand_id, task.id, mention.id, because))
    audit("task.reopen", task, by=None, reason=because)
    _changed(task)


def cancel(task: Task, *, because: str, by: User | None) -> None:
    """Nobody needs to answer any more. Whatever was on its way out is stopped if it still can be."""
    if by is not None:
        RULES.check(by, "task.cancel", task)
    _empty_hands(task, "cancelled", by, keep_state=True)
    TASK.move(task, "cancel", closed_at=clock.now(), closed_because=because, returned_to_id=None, kept_until=None)
    record(TaskCancelled(task.brand_id, task.id, because))
    audit("task.cancel", task, by=by, reason=because)
    _changed(task)


def open_correction(mention: Mention, before: Task, *, note: str, priority: int) -> tuple[Task, bool]:
    """A task to put right what we posted to `mention` in the task `before`, for the same audience; where the conversation has a task under way
    the note is put before whoever takes that. Returns the task, and whether it was under way. The caller holds the thread."""
    conversation_id = before.conversation_id
    under_way = select(Task).where(Task.conversation_id == conversation_id, among(Task.state, *LIVE)).with_for_update(key_share=True)
    task = db.session.scalars(under_way.execution_options(populate_existing=True)).one_or_none()
    if task is not None and task.state != "answered":
        task.lesson = note[:1000] if not task.lesson or note in task.lesson else f"{task.lesson}\n{note}"[-1000:]
        task.priority += priority
        audit("task.correct", task, by=None, joined=True)
        _changed(task)
        return task, True
    if task is not None:
        # A second reply to the same post is an order of its own: the answered task ends, the correction has its own.
        resolve(task, because="correction", by=None)
    task = Task(
        brand_id=before.brand_id, conversation_id=conversation_id, mention_id=mention.id, state="open", audience=before.audience, kind="correct",
        priority=before.priority + priority, category=before.category, lang=before.lang, lane="plain", opened_at=clock.now(), lesson=note[:1000], reopened=0,
    )  # fmt: skip
    db.session.add(task)
    db.session.flush()
    record(TasksOpened(task.brand_id, [task.id], task.audience))
    audit("task.correct", task, by=None, joined=False)
    _changed(task)
    return task, False


def hold(task: Task) -> Task:
    """The task as it is now, held until the transaction ends: what was read before may have been claimed or closed meanwhile."""
    return db.session.scalars(select(Task).where(Task.id == task.id).with_for_update(key_share=True).execution_options(populate_existing=True)).one()


def hold_all(task_ids: Iterable[int]) -> Sequence[Task]:
    """Hold several at once, in the one order in which all do it. Before anything else is held: whoever has one of them may wait for that."""
    wanted = select(Task).where(Task.id.in_(sorted(set(task_ids)))).order_by(Task.id).with_for_update(key_share=True)
    return db.session.scalars(wanted.execution_options(populate_existing=True)).all()


def live_claim(task: Task) -> Claim | None:
    """The hold that is good now, if there is one."""
    held = db.session.scalar(select(Claim).where(Claim.task_id == task.id, Claim.ended_at.is_(None)))
    return held if held is not None and held.holds(clock.now()) else None


def answered(task: Task) -> None:
    """Our reply is out on the network."""
    now = clock.now()
    if task.state == "claimed":
        held = db.session.scalar(select(Claim).where(Claim.task_id == task.id, Claim.ended_at.is_(None)))
        if held is not None:
            _end(held, "answered")
    TASK.move(task, "answer", answered_at=now, first_answered_at=task.first_answered_at or now, returned_to_id=None, kept_until=None)
    _changed(task)


# Helpers


def _give(task: Task, user: User | int, lease: timedelta | None, now: datetime, cap: timedelta = LEASE_CAP) -> Claim:
    stale = db.session.scalar(select(Claim).where(Claim.task_id == task.id, Claim.ended_at.is_(None)))
    if stale is not None:
        _end(stale, "lapsed")
        db.session.flush()
    held = Claim(
        brand_id=task.brand_id,
        task_id=task.id,
        user_id=user if isinstance(user, int) else user.id,
        started_at=now,
        ends_at=now + lease if lease else None,
        cap_at=now + max(cap, lease) if lease else None,
    )
    db.session.add(held)
    try:
        db.session.flush()
    except IntegrityError:
        raise Conflict("Somebody was faster: this task is taken.", state="claimed") from None
    return held


def _is_lapsed(task: Task) -> Claim | None:
    """The hold that is over though nobody has ended it yet, read anew."""
    held = db.session.scalar(select(Claim).where(Claim.task_id == task.id, Claim.ended_at.is_(None)).execution_options(populate_existing=True))
    return None if held is None or held.holds(clock.now()) else held


def _end(held: Claim, because: str, note: str | None = None, by: User | None = None) -> None:
    """End a hold. Whoever loses it through somebody else is told (`ClaimEnded`); what ended by their own doing or by the clock has its own news."""
    held.ended_at, held.ended_because, held.note = clock.now(), because, note[:500] if note else None
    if because in TAKEN_AWAY and (by is None or by.id != held.user_id):
        record(ClaimEnded(held.brand_id, held.task_id, held.user_id, because))


def _empty_hands(task: Task, because: str, by: User | None, *, keep_state: bool = False) -> None:
    """End any hold and take back what waits for review or for its posting; the task is left open (or where it is, with `keep_state`)."""
    hold(task)
    withdrawal.withdraw_all(task)
    held = db.session.scalar(select(Claim).where(Claim.task_id == task.id, Claim.ended_at.is_(None)))
    if held is not None:
        _end(held, because, by=by)
    if keep_state:
        return
    if task.state == "claimed":
        TASK.move(task, "release")
    elif task.state == "in_review":
        TASK.move(task, "free")


def _hold_person(task: Task, by: User) -> Advocate | None:
    """Hold the person's own row until the transaction ends, so that claims sent together cannot all pass the same count. Before any task is held.

    Returns them as the advocate whose limits count here; none for staff.
    """
    held = select(Advocate).where(Advocate.user_id == by.id, Advocate.brand_id == task.brand_id).with_for_update(key_share=True)
    advocate = db.session.scalar(held.execution_options(populate_existing=True))
    if advocate is not None and task.audience == "community" and not by.has(task.brand_id, "moderator", "tier_1", "tier_2"):
        return advocate
    db.session.execute(select(User.id).where(User.id == by.id).with_for_update(key_share=True))
    return None


def _make_room(task: Task, by: User, advocate: Advocate | None) -> None:
    """Whether the person may hold one more, and this one. Raises TooMany, Forbidden or Conflict with what to do about it."""
    now = clock.now()
    runs = Claim.ends_at.is_(None) | Claim.ends_at.between(now, now + LONGEST_LEASE)
    mine = (Claim.user_id == by.id, Claim.brand_id == task.brand_id, Claim.ended_at.is_(None), runs)
    held = db.session.scalar(select(func.count()).select_from(Claim).where(*mine)) or 0
    if advocate is None:
        if held >= EMPLOYEE_CLAIMS_AT_ONCE:
            raise TooMany(f"You hold {held} of {EMPLOYEE_CLAIMS_AT_ONCE}. Hand one in or hand one back first.", limit=EMPLOYEE_CLAIMS_AT_ONCE)
        return
    if advocate.paused_until and advocate.paused_until > now:
        raise Forbidden("You are on a break. End it under Me, and the desk is yours again.")
    trust.check(advocate, "claim")
    load = lately(advocate, db.session.get_one(Brand, task.brand_id)).load
    limit, usual = at_once(advocate.trust_level, load.lapsed), at_once(advocate.trust_level)
    if held >= limit:
        why = "The limit grows with trust."
        if limit < usual:
            why = f"It is {usual} again a day after the leases that ran out with nothing written ({load.lapsed} since yesterday)."
        raise TooMany(f"You hold {held} of {limit}. Hand one in or hand one back first. {why}", limit=limit)
    gone = (Claim.task_id == task.id, Claim.user_id == by.id, Claim.ended_because == "lapsed", Claim.started_at > now - HAD_WITHIN)
    let_go = db.session.scalars(select(Claim.started_at).where(*gone).order_by(Claim.started_at.desc()).limit(HAD_ENOUGH)).all()
    if len(let_go) >= HAD_ENOUGH:
        raise Conflict(f"Your time for this one ran out twice lately. Leave it to others until {_clock(let_go[-1] + HAD_WITHIN)}.", state=task.state)


def _lane(task: Task, mention: Mention) -> str:
    """What the task asks of people now that it is about this post."""
    read = db.session.execute(select(Decision.anger, Decision.urgency).where(Decision.mention_id == mention.id, Decision.superseded_at.is_(None))).first()
    return lane_of(task.kind, task.category, read.anger, read.urgency) if read is not None else task.lane


def _is_assignment(task: Task, by: User) -> bool:
    return task.audience in ("tier_1", "tier_2") and by.has(task.brand_id, "tier_1", "tier_2")


def _lease(brand_id: int) -> timedelta:
    brand = db.session.get_one(Brand, brand_id)
    return timedelta(minutes=LEASE.of(brand))


def _refuse_private(task: Task) -> None:
    if db.session.get_one(Mention, task.mention_id).private:
        raise Forbidden("This came in private: the community never sees it, so it can't be handed back.")


def _taken(task: Task, by: User) -> Conflict:
    """What is true now, in words."""
    held = live_claim(task)
    if held is not None and held.user_id == by.id:
        return Conflict("You hold this task already.", state=task.state, holder=by.name)
    if held is not None:
        until = f" until {_clock(held.ends_at)}" if held.ends_at else ""
        return Conflict(
            f"{_name(held.user_id)} was faster and has it{until}.",
            state=task.state,
            holder=_name(held.user_id),
            until=held.ends_at and held.ends_at.isoformat(),
        )
    words = {
        "in_review": "An answer is being looked at already.",
        "answered": "It is answered already.",
        "resolved": "It is settled already.",
        "cancelled": "Nobody needs to answer it any more.",
    }
    return Conflict(words.get(task.state, "Somebody was faster: this task is taken."), state=task.state)


def _name(user_id: int | None) -> str:
    name = db.session.scalar(select(User.name).where(User.id == user_id)) if user_id else None
    return name or "Somebody"


def _clock(at: datetime) -> str:
    return at.strftime("%H:%M") + " UTC"


def _changed(task: Task) -> None:
    names = ("desk", "cases", "reviews", f"task-{task.id}")
    db.after_commit(lambda: live.bump(task.brand_id, *names), key=("task", task.id))


def touch_lease_for(user_id: int, task_id: int) -> Claim | None:
    """Renew the person's own running lease on a task, if there is one (saving a draft does)."""
    held = db.session.scalar(select(Claim).where(Claim.task_id == task_id, Claim.user_id == user_id, Claim.ended_at.is_(None)))
    return renew(held) if held is not None else None


def end_claims_of(user_id: int, *, because: str, brand_id: int | None = None) -> int:
    """Free everything a person holds, in one brand or in all (a break, a suspension); drafts stay theirs. Returns how many tasks."""
    theirs = (Claim.user_id == user_id, Claim.ended_at.is_(None), Task.state == "claimed", *([Claim.brand_id == brand_id] if brand_id is not None else []))
    held = select(Task).join(Claim, Claim.task_id == Task.id).where(*theirs).order_by(Task.id).with_for_update(of=Task, key_share=True)
    tasks = db.session.scalars(held.execution_options(populate_existing=True)).all()
    for task in tasks:
        TASK.move(task, "release")
        db.session.execute(update(Claim).where(Claim.task_id == task.id, Claim.ended_at.is_(None)).values(ended_at=clock.now(), ended_because=because))
        record(TaskReleased(task.brand_id, task.id, user_id, because))
        _changed(task)
    return len(tasks)


def take_from_holder(task: Task, *, because: str, by: User) -> None:
    """Somebody else's answer stands for this task: whoever holds it is freed, and told."""
    held = live_claim(task)
    if held is not None:
        _end(held, because, by=by)
