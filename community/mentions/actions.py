"""Correcting the machine: a person's decision supersedes its own, moves the task, and is kept as a label."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import timedelta

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from app.accounts.models import User
from app.kernel import clock, live
from app.kernel.audit import audit
from app.kernel.db import among, db
from app.kernel.errors import Conflict, Forbidden, Invalid
from app.kernel.outbox import record
from community.channels.models import ChannelAccount
from community.events import MentionRerouted, TasksOpened
from community.mentions.models import Decision, Mention
from community.permissions import RULES
from community.ports import Reason
from community.tasks import actions as task_actions
from community.tasks.models import LIVE, Task
from community.tasks.rules import lane_of

AUDIENCES = ("set_aside", "community", "tier_1", "tier_2")
TRIAGE_MINUTES = 15
"""How long a post may wait in the triage list before tier 1 gets it."""
AT_ONCE, BATCH = 2_000, 100
"""Posts of the triage list that a single run sends on, and how many of them in one transaction."""
_OVERDUE = Reason(f"Nobody decided within {TRIAGE_MINUTES} min: tier 1 looks", rule="triage_overdue")
PUT_BACK = timedelta(seconds=60)
"""How long a decision from the triage list can be taken back with one key."""


def reroute(mention: Mention, audience: str, *, by: User, reason: str | None = None) -> Decision:
    """A person says who should answer. The task follows; the former decision stays on record. Raises Invalid, Forbidden, Conflict."""
    RULES.check(by, "mention.reroute", mention)
    if audience not in AUDIENCES:
        raise Invalid(f"The audience is one of {', '.join(AUDIENCES)}.", field="audience")
    if mention.by_brand:
        raise Invalid("This is the brand's own post: nobody answers it.")
    if mention.private and audience == "community":
        raise Forbidden("This came in private: the community never sees it.")
    words = f"{by.name} decided: {audience.replace('_', ' ')}" + (f", “{reason.strip()[:200]}”" if reason and reason.strip() else "")
    return _supersede(mention, audience, Reason(words, rule="person"), by)


def put_back(mention: Mention, *, by: User) -> Decision:
    """Take one's own decision back while nothing has come of it: the post stands on the triage list again, with its time as it was.
    Raises Forbidden, Conflict."""
    RULES.check(by, "mention.reroute", mention)
    hold_thread(mention)
    last = db.session.scalars(select(Decision).where(Decision.mention_id == mention.id).order_by(Decision.id.desc()).limit(2)).all()
    now, before = last if len(last) == 2 else (None, None)
    if now is None or before is None or now.by_id != by.id or before.audience != "triage":
        raise Conflict("Only your own decision from the triage list can be taken back.")
    if clock.now() - now.at > PUT_BACK:
        raise Conflict("This was decided too long ago: decide again on its own page.")
    task = db.session.scalar(select(Task).where(Task.conversation_id == mention.conversation_id, among(Task.state, *LIVE)).with_for_update(key_share=True))
    if task is not None and (task.state != "open" or task.opened_at < now.at):
        raise Conflict("Somebody works on it already: decide again on its own page.")
    if task is not None:
        task_actions.cancel(task, because="put_back", by=None)
    decision = _supersede(mention, "triage", Reason(f"{by.name} took it back", rule="person"), by)
    # Whoever wrote waits as long as before: taking back is no way to stop the clock.
    decision.at = before.at
    return decision


def settle(mention: Mention, audience: str, reason: Reason) -> Decision:
    """Something other than one person decided (a named rule, peers together): kept with its reason, no label of anybody's. A free task follows."""
    return _supersede(mention, audience, reason, None)


def send_overdue_triage(limit: int = AT_ONCE) -> int:
    """What waited too long on the triage list goes to tier 1: a person looks, nothing is guessed. Returns how many."""
    edge = clock.now() - timedelta(minutes=TRIAGE_MINUTES)
    with db.transaction(read_only=True) as session:
        waiting = session.scalars(
            select(Mention.id)
            .join(Decision, Decision.mention_id == Mention.id)
            .where(Decision.superseded_at.is_(None), among(Decision.audience, "triage"), Decision.at <= edge)
            .order_by(Decision.at)
            .limit(limit)
        ).all()
    sent = 0
    for first in range(0, len(waiting), BATCH):
        batch, together = waiting[first : first + BATCH], set[int]()
        with suppress(Conflict), db.transaction():
            together = _send_together(batch)
        sent += len(together) + sum(_send_one(mention_id) for mention_id in batch if mention_id not in together)
    return sent


def _send_together(mention_ids: Sequence[int]) -> set[int]:
    """Those of them whose conversation has no task under way: their tasks are opened with one piece of news. Returns which."""
    accounts = select(Mention.account_id).where(Mention.id.in_(mention_ids))
    db.session.scalars(select(ChannelAccount.id).where(ChannelAccount.id.in_(accounts)).order_by(ChannelAccount.id).with_for_update(key_share=True)).all()
    on_it = select(Task.id).where(Task.conversation_id == Mention.conversation_id, among(Task.state, *LIVE)).exists()
    unsure = select(Decision.id).where(Decision.mention_id == Mention.id, Decision.superseded_at.is_(None), among(Decision.audience, "triage")).exists()
    opened: dict[int, list[int]] = {}
    sent = db.session.scalars(select(Mention).where(Mention.id.in_(mention_ids), ~on_it, unsure).order_by(Mention.id)).all()
    for mention in sent:
        _supersede(mention, "tier_1", _OVERDUE, None, opened.setdefault(mention.brand_id, []))
    for brand_id, task_ids in opened.items():
        if task_ids:
            record(TasksOpened(brand_id, task_ids, "tier_1"))
    return {mention.id for mention in sent}


def _send_one(mention_id: int) -> bool:
    with suppress(Conflict), db.transaction() as session:
        decision = current_decision(mention_id)
        if decision is None or decision.audience != "triage":
            return False  # a person was faster
        _supersede(session.get_one(Mention, mention_id), "tier_1", _OVERDUE, None)
        return True
    return False


def hold_thread(mention: Mention) -> None:
    """Keep intake from storing posts of this account until the transaction ends: else one of this thread, stored at this moment, could
    open a second task. Before any task or case is held."""
    db.session.scalars(select(ChannelAccount.id).where(ChannelAccount.id == mention.account_id).with_for_update(key_share=True)).one()


def current_decision(mention_id: int) -> Decision | None:
    return db.session.scalar(select(Decision).where(Decision.mention_id == mention_id, Decision.superseded_at.is_(None)))


def _supersede(mention: Mention, audience: str, reason: Reason, by: User | None, opened: list[int] | None = None) -> Decision:
    """`opened` gathers the task that this opens for a caller who tells of several together."""
    now = clock.now()
    hold_thread(mention)
    was = db.session.scalars(
        select(Decision).where(Decision.mention_id == mention.id, Decision.superseded_at.is_(None)).with_for_update(key_share=True)
    ).one_or_none()
    if was is None:
        raise Conflict("Somebody decided this a moment ago. Look again.")
    done = db.session.execute(update(Decision).where(Decision.id == was.id, Decision.superseded_at.is_(None)).values(superseded_at=now))
    if done.rowcount != 1:  # type: ignore[attr-defined]
        raise Conflict("Somebody decided this a moment ago. Look again.")
    decision = was.corrected(audience, asdict(reason), now, by.id if by else None)
    db.session.add(decision)
    db.session.flush()
    _move_task(mention, decision, by, opened)
    if by is not None:
        record(MentionRerouted(mention.brand_id, mention.id, was.audience, audience, by.id))
    audit("mention.reroute", mention, by=by, reason=reason.rule, was=was.audience, audience=audience)
    db.after_commit(lambda: live.bump(mention.brand_id, "triage", "desk", "cases", "mentions"), key=("triage", mention.brand_id))
    return decision


def _move_task(mention: Mention, decision: Decision, by: User | None, opened: list[int] | None) -> None:
    """Give the conversation the task that the decision asks for."""
    if decision.audience == "triage":
        return
    task = db.session.scalar(select(Task).where(Task.conversation_id == mention.conversation_id, among(Task.state, *LIVE)).with_for_update(key_share=True))
    if task is None:
        if decision.audience != "set_aside":
            task_id = _open(mention, decision)
            if opened is None:
                record(TasksOpened(mention.brand_id, [task_id], decision.audience))
            else:
                opened.append(task_id)
    elif by is None and task.state in ("claimed", "in_review", "answered"):
        return  # a person is on it: the clock takes nobody's work away
    elif decision.audience == "set_aside":
        task_actions.cancel(task, because="set_aside", by=None)
    elif decision.audience == task.audience or (task.state == "answered" and decision.audience == "community"):
        return
    elif decision.audience == "community":
        if by is None:
            raise ValueError("only a person hands back")
        task_actions.hand_back(task, by=by, note=decision.reasons[-1]["text"])
    else:
        task_actions.escalate(task, decision.audience, because="rerouted", by=by)


def _open(mention: Mention, decision: Decision) -> int:
    now = clock.now()
    try:
        task_id = db.session.scalars(
            insert(Task).returning(Task.id),
            [
                {
                    "brand_id": mention.brand_id,
                    "conversation_id": mention.conversation_id,
                    "mention_id": mention.id,
                    "state": "open",
                    "audience": decision.audience,
                    "kind": decision.kind if decision.audience == "community" else "answer",
                    "priority": decision.priority,
                    "category": decision.category,
                    "lang": mention.lang,
                    "lane": lane_of(decision.kind, decision.category, decision.anger, decision.urgency),
                    "opened_at": now,
                    "reopened": 0,
                }
            ],
        ).one()
    except IntegrityError:
        raise Conflict("Somebody opened a task for this conversation a moment ago. Look again.") from None
    return task_id
