"""The verbs of a case: open (in bulk), assign, note, reply, transfer, resolve, reopen, and what the road tells it.

A case stands beside its task. Verbs of people change both in one transaction; what happens to the task elsewhere
(a thank you, a deletion, a posted reply) reaches the case as an event and is written down by the functions at the end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlalchemy import func, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from app.accounts.models import User
from app.kernel import clock, live
from app.kernel.audit import audit
from app.kernel.db import db
from app.kernel.errors import Conflict, Invalid
from app.kernel.outbox import record
from community.answers import uses
from community.mentions.actions import hold_thread
from community.mentions.models import Mention
from community.moderation.checks import mask_private
from community.replies import actions as reply_actions
from community.replies.models import Posting, Reply
from community.tasks import actions as task_actions
from community.tasks.models import LIVE, Task
from escalation.cases.models import Case, CaseEntry
from escalation.cases.states import CASE
from escalation.events import CaseAssigned, CaseHandedUp, CaseReopened, CaseResolved, CasesHandedUp, CasesOpened
from escalation.permissions import RULES
from escalation.sla import actions as sla
from escalation.sla.models import SlaClock
from escalation.sla.queries import clock_of, promises
from escalation.tiers import NAMES, TIERS, works_in

OUTCOMES: dict[str, str] = {
    "answered": "Answered",
    "fixed": "Fixed",
    "refunded": "Refunded",
    "replaced": "Replaced",
    "visit_booked": "Visit booked",
    "known_issue": "Known issue",
    "no_reply_needed": "No reply needed",
    "duplicate": "Duplicate",
    "moved_private": "Moved to private",
    "other": "Other",
}
"""How a case may end, by code; one is required."""
HANDED_BACK = "handed_back"
"""The outcome the machine writes when the community has the task again."""
LONGEST_NOTE = 5_000
ON_ITS_WAY = ("approved", "posting", "queued", "unknown")
"""States of a posting that may still become posted."""


def open_cases(task_ids: Sequence[int], *, because: str = "routed", by_id: int | None = None, note: str | None = None) -> list[int]:
    """A case with its clock for each task of a tier that has none yet; returns the new ids. A few statements however many tasks."""
    found = db.session.execute(
        select(Task.id, Task.brand_id, Task.audience, Task.priority, Mention.received_at)
        .join(Mention, Mention.id == Task.mention_id)
        .outerjoin(Case, Case.task_id == Task.id)
        .where(Task.id.in_(list(task_ids)), Task.audience.in_(TIERS), Task.state.in_(LIVE), Case.id.is_(None))
    ).all()
    opened: list[int] = []
    for brand_id in sorted({row.brand_id for row in found}):
        starts = {row.id: sla.Start(0, row.audience, row.priority, row.received_at) for row in found if row.brand_id == brand_id}
        opened += _open_of_brand(brand_id, starts, because, by_id, note)
    return opened


def assign(case: Case, *, by: User, to: User | None = None) -> Case:
    """Give the case to somebody of its tier, or take it. The task's claim goes along. Raises Invalid, Conflict."""
    RULES.check(by, "case.assign", case)
    to = to or by
    case = lock(case)
    if not works_in(to, case.brand_id, case.tier):
        who = "You don't" if to.id == by.id else f"{to.name} doesn't"
        raise Invalid(f"{who} work in {NAMES[case.tier]}: name somebody who does.", field="assignee")
    if not to.is_active:
        raise Invalid(f"{to.name}'s account is suspended.", field="assignee")
    if case.assignee_id == to.id and case.state in ("assigned", "waiting"):
        return case
    CASE.move(case, "assign", assignee_id=to.id)
    task = _task(case)
    if task.state in ("open", "claimed"):
        task_actions.hand_to(task, to, by=by)
    _enter(case, "assigned", by_id=by.id, to=to.id, took=to.id == by.id)
    record(CaseAssigned(case.brand_id, case.id, to.id, by.id))
    audit("case_assigned", case, by=by, to=to.id)
    _changed(case)
    return case


def note(case: Case, *, by: User, text: str) -> CaseEntry:
    """A private word among colleagues; advocates and authors never see it."""
    RULES.check(by, "case.note", case)
    entry = _enter(case, "note", by_id=by.id, text=_words(text, "Write something to note."))
    db.session.flush()
    audit("case_noted", case, by=by, entry=entry.id)
    _changed(case)
    return entry


def reply(case: Case, *, by: User, text: str, used: Sequence[str] = (), strict: bool = True) -> Reply:
    """Answer in the brand's voice: drafted, checked and handed in at once; the employee's role lets it pass, on record.

    Whoever answers has the case. `used`: codes of the suggestions it was made of; not `strict`, those nobody offers are passed over.
    Raises Conflict with the first answer when one is approved or out already, Invalid when a check stops the words.
    """
    written = draft(case, by=by, text=text, used=used, strict=strict)
    handed_in = reply_actions.submit(written, by=by, revision=written.revision)
    _changed(case)
    return handed_in


def draft(case: Case, *, by: User, text: str, used: Sequence[str] = (), strict: bool = True) -> Reply:
    """Keep words for an answer that is not handed in yet. Whoever writes has the case. Raises as `reply` does."""
    RULES.check(by, "case.reply", case)
    case = lock(case)
    if case.state == "resolved":
        raise Conflict("This case is resolved: reopen it, then answer.", state=case.state)
    task = _task(case)
    _refuse_second(task, by)
    if case.assignee_id != by.id:
        assign(case, by=by)
    elif task.state == "open":
        task_actions.hand_to(task, by, by=by)
    begun = reply_actions.unfinished(task, by)
    written = reply_actions.draft(task, by=by, text=text, voice="brand", revision=begun.revision if begun else None)
    uses.note(written, used, strict=strict)
    _changed(case)
    return written


def transfer(case: Case, *, by: User, tier: str, note: str) -> Case:
    """Hand up to tier 2, down to tier 1, or (tier `community`) back to the community. Each needs a sentence.

    What the community reads as guidance has private data masked. The promise keeps its beginning and takes the new tier's time.
    """
    RULES.check(by, "case.transfer", case)
    case = lock(case)
    if tier == "community":
        words = mask_private(_words(note, "Say what the community should know to answer it."))
        task_actions.hand_back(_task(case), by=by, note=words)
        _settle(case, HANDED_BACK, because=HANDED_BACK, by=by, kind="handed_back", text=words)
        return case
    if tier not in TIERS:
        raise Invalid("A case goes to tier_1, tier_2 or community.", field="tier")
    if tier == case.tier:
        raise Conflict(f"This case is with {NAMES[tier]} already.", tier=tier)
    words = _words(note, "Say in a sentence why you hand it on.")
    _hand_over(case, tier, because="handed_up" if tier == "tier_2" else "handed_down", by=by, text=words)
    return case


def hand_up(case: Case, *, because: str) -> Case:
    """The clock's own hand-up from tier 1 to tier 2. Raises Conflict when somebody was faster."""
    case = lock(case)
    # A claim of the task is news that may not have reached the case yet.
    if case.tier != "tier_1" or case.state not in ("open", "reopened") or task_actions.live_claim(_task(case)) is not None:
        raise Conflict("Somebody has this case by now.", state=case.state)
    _hand_over(case, "tier_2", because=because, by=None, text=None)
    return case


def hand_up_all(case_ids: Sequence[int], *, because: str) -> list[int]:
    """The clock's hand-up of many at once, all of one brand, in few statements; returns those moved.

    One whose task somebody has something in is left to `hand_up`, which says so to them.
    """
    held = select(Case).where(Case.id.in_(case_ids)).order_by(Case.id).with_for_update(key_share=True).execution_options(populate_existing=True)
    cases = [case for case in db.session.scalars(held) if case.tier == "tier_1" and case.state in ("open", "reopened")]
    tasks = [task for task in task_actions.hold_all(case.task_id for case in cases) if task.audience == "tier_1"]
    up = set(task_actions.escalate_idle(tasks, "tier_2", because=because))
    moved = [case for case in cases if case.task_id in up]
    if not moved:
        return []
    ids, brand_id, now = [case.id for case in moved], moved[0].brand_id, clock.now()
    for case in moved:
        audit("case_handed_over", case, by=None, reason=because, tier="tier_2")
    running = select(SlaClock.due_at).where(SlaClock.case_id == Case.id, SlaClock.met_at.is_(None)).scalar_subquery()
    CASE.move_all(moved, "hand_over", tier="tier_2", turn_at=func.coalesce(running, now))
    details = {"because": because, "tier": "tier_2"}
    lines = [{"brand_id": brand_id, "case_id": id_, "kind": "handed_up", "by_id": None, "text": None, "details": details, "at": now} for id_ in ids]
    db.session.execute(insert(CaseEntry), lines)
    record(CasesHandedUp(brand_id, ids, because))
    names = ("cases", *(f"case-{id_}" for id_ in ids))
    db.after_commit(lambda: live.bump(brand_id, *names))
    return ids


def let_go_of_all(user: User) -> int:
    """Somebody works here no more: what was assigned to them waits for a colleague again. Returns how many cases."""
    theirs = select(Case).where(Case.brand_id.in_(user.brand_ids), Case.assignee_id == user.id, Case.state.in_(("assigned", "waiting")))
    cases = db.session.scalars(theirs.order_by(Case.id).with_for_update(key_share=True).execution_options(populate_existing=True)).all()
    for case in cases:
        if case.state == "assigned":
            CASE.move(case, "hand_over", assignee_id=None, turn_at=clock.now())
        else:
            case.assignee_id = None
        _enter(case, "let_go", was=user.id)
        audit("case_let_go", case, by=None, was=user.id)
        _changed(case)
    return len(cases)


def resolve(case: Case, *, by: User, outcome: str, note: str | None = None) -> Case:
    """Settle the matter with an outcome. A reply that is on its way still goes out, and closes the task when it is posted."""
    RULES.check(by, "case.resolve", case)
    if outcome not in OUTCOMES:
        raise Invalid(f"Choose an outcome: {', '.join(OUTCOMES)}.", field="outcome")
    case = lock(case)
    task = _task(case)
    _settle(case, outcome, because="outcome", by=by, text=note.strip()[:LONGEST_NOTE] if note and note.strip() else None)
    if task.state in LIVE and not _on_its_way(task):
        task_actions.resolve(task, because="outcome", by=by)
    return case


def reopen(case: Case, *, by: User | None = None, because: str = "by_hand") -> Case:
    """Open a resolved case again, with its task. Raises Conflict where the community has it, or a newer task of the conversation is alive."""
    if by is not None:
        RULES.check(by, "case.reopen", case)
    mention_id = db.session.scalars(select(Task.mention_id).where(Task.id == case.task_id)).one()
    hold_thread(db.session.get_one(Mention, mention_id))
    case = lock(case)
    task = _task(case)
    if task.audience not in TIERS:
        raise Conflict("This was handed back to the community. When it moves up to the team again, its case opens by itself.", state=case.state)
    if task.state not in LIVE:
        newer = db.session.scalar(select(Task.id).where(Task.conversation_id == task.conversation_id, Task.state.in_(LIVE)))
        if newer is not None:
            raise Conflict(f"The conversation goes on in task {newer}: answer there.", task=newer)
        task_actions.reopen(task, db.session.get_one(Mention, task.mention_id), because=because)
    _reopen(case, because=because, by=by)
    return case


def lock(case: Case) -> Case:
    """The row as it is now, held until the transaction ends."""
    return db.session.scalars(select(Case).where(Case.id == case.id).with_for_update(key_share=True).execution_options(populate_existing=True)).one()


# What the road tells. An event is late news, so each of these looks at the task as it is now.


def follow_escalation(task_id: int, *, tier: str, because: str, by_id: int | None, note: str | None) -> None:
    """A task moved up: its case opens, reopens, or goes along to the new tier."""
    case = _case_of(task_id)
    if case is None:
        open_cases([task_id], because=because, by_id=by_id, note=note)
        return
    task = _task(case)
    if task.audience != tier or task.state not in LIVE:
        return
    if case.state == "resolved":
        _reopen(case, because=because, by=None, tier=tier, text=note)
    elif case.tier != tier:
        _hand_over(case, tier, because=because, by=None, text=note, by_id=by_id, task_moved=True)


def follow_escalations(task_ids: Sequence[int], *, tier: str, because: str) -> None:
    """Many moved up at once: most have no case yet, and get theirs together."""
    # Whoever has a case of that tier already moved it along with its task.
    elsewhere = (Case.tier != tier) | (Case.state == "resolved")
    known = db.session.scalars(select(Case.task_id).where(Case.task_id.in_(task_ids), elsewhere).order_by(Case.id)).all()
    open_cases(task_ids, because=because)
    for task_id in known:
        follow_escalation(task_id, tier=tier, because=because, by_id=None, note=None)


def follow_reply(task_id: int, posting_id: int) -> None:
    """A reply is out: the promise is met, and the case waits for its author, or is done if it was resolved meanwhile."""
    case = _case_of(task_id)
    if case is None:
        return
    posting = db.session.get_one(Posting, posting_id)
    at = posting.posted_at or clock.now()
    sla.meet(case.id, at)
    if case.state == "resolved":
        task = _task(case)
        if task.state == "answered" and case.outcome != HANDED_BACK:
            task_actions.resolve(task, because="outcome", by=None)
    elif CASE.can(case.state, "wait") and not _still_wanted(_task(case), posting):
        CASE.move(case, "wait", waiting_since=at, turn_at=at)
        _enter(case, "waiting", posting=posting_id)
    _changed(case)


def _still_wanted(task: Task, posting: Posting) -> bool:
    """The task moved up while this reply was being sent: it answered the post, but not those it went to."""
    return task.mention_id == posting.mention_id and task.state in ("open", "claimed")


def follow_author(task_id: int, *, because: str) -> None:
    """The author wrote again and is not helped yet."""
    case = _case_of(task_id)
    if case is None:
        return
    task = _task(case)
    if task.audience not in TIERS or task.state not in ("open", "claimed", "in_review"):
        return
    if case.state == "resolved":
        _reopen(case, because=because, by=None)
    elif case.state == "waiting":
        holder = db.session.get(User, case.assignee_id) if case.assignee_id else None
        if holder is None or not holder.is_active or not works_in(holder, case.brand_id, case.tier):
            CASE.move(case, "hand_over", assignee_id=None, waiting_since=None, turn_at=clock.now())
        else:
            if task.state == "open":
                task_actions.hand_to(task, holder, by=holder)
            CASE.move(case, "come_back", waiting_since=None, turn_at=clock.now())
        _enter(case, "reopened", because=because)
        record(CaseReopened(case.brand_id, case.id, because))
        _changed(case)


def follow_end(task_id: int, *, outcome: str, because: str) -> None:
    """The task was resolved, cancelled or handed back elsewhere."""
    case = _case_of(task_id)
    if case is None or case.state == "resolved":
        return
    task = _task(case)
    if task.state not in LIVE or task.audience not in TIERS:
        _settle(case, outcome, because=because, by=None, kind="handed_back" if outcome == HANDED_BACK else "resolved")


def follow_refusal(task_id: int, *, reason: str) -> None:
    """The reply that should have closed a resolved case was refused or pulled back: it wants somebody again."""
    case = _case_of(task_id)
    if case is None or case.state != "resolved":
        return
    task = _task(case)
    # Pulled back only to go out in other words, it closes the case yet.
    if task.audience in TIERS and task.state in LIVE and not _on_its_way(task):
        _reopen(case, because=reason, by=None)


def follow_claim(task_id: int, user_id: int) -> None:
    """Whoever of the tier claimed the task itself, away from the case's page, has the case: two never answer one author."""
    case = _case_of(task_id)
    if case is None or case.state not in ("open", "reopened"):
        return
    held, user = task_actions.live_claim(_task(case)), db.session.get_one(User, user_id)
    if held is None or held.user_id != user_id or not works_in(user, case.brand_id, case.tier):
        return
    CASE.move(case, "assign", assignee_id=user_id)
    _enter(case, "assigned", by_id=user_id, to=user_id, took=True)
    record(CaseAssigned(case.brand_id, case.id, user_id, user_id))
    audit("case_assigned", case, by=user, to=user_id)
    _changed(case)


def follow_release(task_id: int, user_id: int) -> None:
    """Who put the task back has the case no more: it waits for a colleague, where everybody sees it."""
    case = _case_of(task_id)
    if case is None or case.state != "assigned" or case.assignee_id != user_id:
        return
    task = _task(case)
    if task.state != "open" or task_actions.live_claim(task) is not None:
        return
    CASE.move(case, "hand_over", assignee_id=None, turn_at=clock.now())
    _enter(case, "let_go", was=user_id)
    audit("case_let_go", case, by=None, was=user_id)
    _changed(case)


# Helpers


def _open_of_brand(brand_id: int, starts: Mapping[int, sla.Start], because: str, by_id: int | None, note: str | None) -> list[int]:
    allowed = promises(brand_id)
    now = clock.now()
    upsert = postgresql.insert if db.is_postgres else sqlite.insert
    rows_to_be = [
        {
            "brand_id": brand_id,
            "task_id": task_id,
            "state": "open",
            "tier": one.tier,
            "priority": one.priority,
            "because": because[:64],
            "opened_at": now,
            "turn_at": one.due_at(allowed),
            "reopened": 0,
        }
        for task_id, one in starts.items()
    ]
    # Two workers may hear of one task by two events: the unique task settles it.
    made = db.session.execute(upsert(Case).on_conflict_do_nothing(index_elements=["task_id"]).returning(Case.id, Case.task_id), rows_to_be).all()
    if not made:
        return []
    case_of = {task_id: case_id for case_id, task_id in made}
    details = {"because": because}
    db.session.execute(
        insert(CaseEntry),
        [{"brand_id": brand_id, "case_id": id_, "kind": "opened", "by_id": by_id, "text": note, "details": details, "at": now} for id_ in case_of.values()],
    )
    sla.start(brand_id, [replace(one, case_id=case_of[task_id]) for task_id, one in starts.items() if task_id in case_of])
    for tier in TIERS:
        ids = [id_ for task_id, id_ in case_of.items() if starts[task_id].tier == tier]
        if ids:
            record(CasesOpened(brand_id, ids, tier))
    db.after_commit(lambda: live.bump(brand_id, "cases"), key=("cases", brand_id))
    return list(case_of.values())


def _hand_over(case: Case, tier: str, *, because: str, by: User | None, text: str | None, by_id: int | None = None, task_moved: bool = False) -> None:
    was = case.tier
    if not task_moved:
        task_actions.escalate(_task(case), tier, because=because, by=by, note=text)
    row = clock_of(case.id)
    if row is not None:
        sla.retime(row, tier=tier, priority=case.priority)
    running = row is not None and row.met_at is None
    CASE.move(case, "hand_over", tier=tier, assignee_id=None, waiting_since=None, turn_at=row.due_at if row is not None and running else clock.now())
    up = TIERS.index(tier) > TIERS.index(was)
    _enter(case, "handed_up" if up else "handed_down", by_id=by.id if by else by_id, text=text, because=because, tier=tier)
    if up:
        record(CaseHandedUp(case.brand_id, case.id, because, by.id if by else by_id))
    audit("case_handed_over", case, by=by, reason=because, tier=tier)
    _changed(case)


def _settle(case: Case, outcome: str, *, because: str, by: User | None, kind: str = "resolved", text: str | None = None) -> None:
    now = clock.now()
    CASE.move(case, "resolve", outcome=outcome, resolved_at=now, turn_at=now, waiting_since=None)
    if not _on_its_way(_task(case)):
        sla.drop(case.id)
    _enter(case, kind, by_id=by.id if by else None, text=text, outcome=outcome, because=because)
    record(CaseResolved(case.brand_id, case.id, outcome, by.id if by else None))
    audit("case_resolved", case, by=by, reason=outcome)
    _changed(case)


def _reopen(case: Case, *, because: str, by: User | None, tier: str | None = None, text: str | None = None) -> None:
    task = _task(case)
    tier = tier or task.audience
    row = clock_of(case.id)
    if row is None and task.first_answered_at is None:
        # The promise had fallen away with the first end of the case: somebody waits again, from now on.
        allowed = promises(case.brand_id)
        begun = sla.Start(case.id, tier, case.priority, clock.now())
        sla.start(case.brand_id, [begun])
        turn_at = begun.due_at(allowed)
    else:
        turn_at = row.due_at if row is not None and row.met_at is None else clock.now()
    CASE.move(case, "reopen", tier=tier, assignee_id=None, outcome=None, resolved_at=None, waiting_since=None, turn_at=turn_at, reopened=case.reopened + 1)
    _enter(case, "reopened", by_id=by.id if by else None, text=text, because=because)
    record(CaseReopened(case.brand_id, case.id, because))
    audit("case_reopened", case, by=by, reason=because)
    _changed(case)


def _refuse_second(task: Task, by: User) -> None:
    """One answer a post, whoever writes: the second is refused with the first shown."""
    first = db.session.execute(
        select(Posting.text, Posting.state, User.id, User.name)
        .join(Reply, Reply.id == Posting.reply_id)
        .join(User, User.id == Reply.writer_id)
        .where(Posting.task_id == task.id, Posting.mention_id == task.mention_id, Posting.state.in_((*ON_ITS_WAY, "posted")))
        .limit(1)
    ).first()
    if first is not None:
        who = "You answered this already" if first.id == by.id else f"{first.name} was faster and answered"
        raise Conflict(f"{who}: “{first.text}”", text=first.text, writer=first.name, state=first.state)


def _on_its_way(task: Task) -> bool:
    return db.session.scalar(select(Posting.id).where(Posting.task_id == task.id, Posting.state.in_(ON_ITS_WAY)).limit(1)) is not None


def _case_of(task_id: int) -> Case | None:
    return db.session.scalar(select(Case).where(Case.task_id == task_id).with_for_update(key_share=True).execution_options(populate_existing=True))


def _task(case: Case) -> Task:
    return db.session.scalars(select(Task).where(Task.id == case.task_id).with_for_update(key_share=True).execution_options(populate_existing=True)).one()


def _enter(case: Case, kind: str, *, by_id: int | None = None, text: str | None = None, **details: object) -> CaseEntry:
    entry = CaseEntry(brand_id=case.brand_id, case_id=case.id, kind=kind, by_id=by_id, text=text, details=details, at=clock.now())
    db.session.add(entry)
    return entry


def _words(text: str, empty: str) -> str:
    words = text.strip()
    if not words:
        raise Invalid(empty, field="note")
    if len(words) > LONGEST_NOTE:
        raise Invalid(f"A note holds at most {LONGEST_NOTE:,} characters.", field="note")
    return words


def _changed(case: Case) -> None:
    names = ("cases", f"case-{case.id}")
    db.after_commit(lambda: live.bump(case.brand_id, *names), key=("case", case.id))
