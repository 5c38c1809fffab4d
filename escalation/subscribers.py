"""What the road's news means for cases, and who among the team is told."""

from __future__ import annotations

from sqlalchemy import select

from app.accounts.models import User
from app.accounts.people import holders
from app.kernel.db import db
from app.kernel.events import Event
from app.kernel.outbox import subscribe
from app.notices.actions import tell
from community.events import (
    AuthorCameBack,
    FlagDecided,
    MentionRerouted,
    PostingPulledBack,
    PostingStuck,
    ReplyPosted,
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
from community.mentions.models import Mention
from community.tasks.models import Task
from escalation.cases import actions
from escalation.cases.models import Case
from escalation.events import CaseAssigned, CaseHandedUp, CaseReopened, CaseResolved, PromisesMissed
from escalation.learning import teaching
from escalation.sla.due import span
from escalation.sla.models import SlaClock
from escalation.tiers import NAMES, TIERS

TOLD_AT_MOST = 50
"""People of a tier who are told of one thing; more would be a broadcast, and boards show it anyway."""
QUOTED = 200


def subscribe_all() -> None:
    """List who listens to what."""
    subscribe(
        "keep_cases",
        [TasksOpened, TaskEscalated, TasksEscalated, TaskReopened, TaskResolved, TaskCancelled, TaskHandedBack, ReplyPosted, PostingPulledBack, PostingStuck],
        keep_cases,
    )
    subscribe("keep_assignments", [TaskClaimed, TaskReleased], keep_assignments)
    subscribe("keep_labels", [MentionRerouted, FlagDecided, AuthorCameBack, CaseResolved], keep_labels)
    subscribe("tell_team", [CaseAssigned, CaseHandedUp, CaseReopened, PromisesMissed], tell_team)


def keep_cases(event: Event, _event_id: int) -> None:
    """Cases follow their tasks."""
    match event:
        case TasksOpened(task_ids=task_ids, audience=audience):
            if audience in TIERS:
                actions.open_cases(task_ids)
        case TaskEscalated(task_id=task_id, tier=tier, because=because, by_id=by_id, note=note):
            actions.follow_escalation(task_id, tier=tier, because=because, by_id=by_id, note=note)
        case TasksEscalated(task_ids=task_ids, tier=tier, because=because):
            actions.follow_escalations(task_ids, tier=tier, because=because)
        case TaskReopened(task_id=task_id, reading=reading):
            actions.follow_author(task_id, because=reading)
        case ReplyPosted(task_id=task_id, posting_id=posting_id):
            actions.follow_reply(task_id, posting_id)
        case TaskResolved(task_id=task_id, because=because):
            actions.follow_end(task_id, outcome="answered", because=because)
        case TaskCancelled(task_id=task_id, because=because):
            actions.follow_end(task_id, outcome="no_reply_needed", because=because)
        case TaskHandedBack(task_id=task_id):
            actions.follow_end(task_id, outcome=actions.HANDED_BACK, because=actions.HANDED_BACK)
        case PostingStuck(task_id=task_id, state="refused", reason=reason):
            actions.follow_refusal(task_id, reason=reason)
        case PostingPulledBack(task_id=task_id, by_id=by_id) if by_id:
            actions.follow_refusal(task_id, reason="pulled_back")


def keep_assignments(event: Event, _event_id: int) -> None:
    """An employee's assignment is their claim, wherever it was taken or put back."""
    match event:
        case TaskClaimed(task_id=task_id, user_id=user_id):
            actions.follow_claim(task_id, user_id)
        case TaskReleased(task_id=task_id, user_id=user_id, because="released" | "lapsed") if user_id is not None:
            actions.follow_release(task_id, user_id)


def keep_labels(event: Event, _event_id: int) -> None:
    """What people decide teaches the classifier."""
    match event:
        case MentionRerouted(mention_id=mention_id, was=was, audience=audience, by_id=by_id):
            teaching.learn_from_decision(mention_id, audience, by_id=by_id, source="triage" if was == "triage" else "reroute")
        case FlagDecided(mention_id=mention_id, kind=kind, upheld=upheld, decided_by_id=by_id) if by_id is not None:
            teaching.learn_from_flag(mention_id, kind, upheld=upheld, by_id=by_id)
        case AuthorCameBack(mention_id=mention_id, reading="angrier"):
            teaching.learn_from_outcome(mention_id)
        case CaseResolved(case_id=case_id, outcome=outcome, by_id=by_id) if by_id is not None:
            row, mention = _about(case_id)
            teaching.learn_from_case(mention.id, row.tier, outcome, by_id=by_id)


def tell_team(event: Event, event_id: int) -> None:
    """Nobody finds out by accident that something is theirs to do."""
    match event:
        case CaseAssigned(user_id=user_id, by_id=by_id, case_id=case_id) if user_id != by_id:
            _, mention = _about(case_id)
            giver = db.session.get_one(User, by_id)
            _say(user_id, event, event_id, "assigned", f"{giver.name} gave you a case: {mention.author}.", f"/cases/{case_id}", mention.text)
        case CaseReopened(case_id=case_id):
            row, mention = _about(case_id)
            if row.assignee_id is not None:
                _say(row.assignee_id, event, event_id, "reopened", f"{mention.author} came back.", f"/cases/{case_id}", mention.text)
        case CaseHandedUp(case_id=case_id, by_id=by_id) if by_id is not None:
            _, mention = _about(case_id)
            words = f"A case for tier 2: {mention.author}; {db.session.get_one(User, by_id).name} handed it up."
            for person in holders(event.brand_id, "tier_2", limit=TOLD_AT_MOST):
                if person.id != by_id:
                    _say(person.id, event, event_id, "handed_up", words, f"/cases/{case_id}", mention.text)
        case PromisesMissed(case_ids=case_ids, tier=tier):
            _tell_missed(event, event_id, case_ids, tier)


def _tell_missed(event: Event, event_id: int, case_ids: list[int], tier: str) -> None:
    """One notice a person, however many promises: the oldest is named, the list shows the rest. Tier 2 hears what comes up to it."""
    late = (
        select(Case.id, Case.assignee_id, SlaClock.due_at, SlaClock.missed_at)
        .join(SlaClock, SlaClock.case_id == Case.id)
        .where(Case.id.in_(case_ids))
        .order_by(SlaClock.due_at)
    )
    rows = db.session.execute(late).all()
    if not rows:
        return
    first = rows[0]
    _, mention = _about(first.id)
    by = span((first.missed_at or first.due_at) - first.due_at)
    if len(rows) == 1:
        words, link = f"Missed by {by}: {mention.author} waits for a first reply.", f"/cases/{first.id}"
    else:
        words, link = f"{len(rows)} promises of {NAMES[tier]} were missed. The longest, by {by}: {mention.author}.", f"/cases?tier={tier}"
    people = {person.id for person in holders(event.brand_id, tier, limit=TOLD_AT_MOST)}
    people |= {row.assignee_id for row in rows[:TOLD_AT_MOST] if row.assignee_id}
    for user_id in sorted(people):
        _say(user_id, event, event_id, "missed", words, link, mention.text)
    free = sum(row.assignee_id is None for row in rows)
    if tier == "tier_1" and free:
        what = "A case nobody took in tier 1 comes" if free == 1 else f"{free} cases nobody took in tier 1 come"
        for person in holders(event.brand_id, "tier_2", limit=TOLD_AT_MOST):
            _say(person.id, event, event_id, "handed_up", f"{what} up to you.", "/cases?tier=tier_2", mention.text)


def _about(case_id: int) -> tuple[Case, Mention]:
    found = db.session.execute(
        select(Case, Mention).join(Task, Task.id == Case.task_id).join(Mention, Mention.id == Task.mention_id).where(Case.id == case_id)
    ).one()
    return found[0], found[1]


def _say(user_id: int, event: Event, event_id: int, kind: str, words: str, link: str, quote: str | None) -> None:
    tell(user_id, brand_id=event.brand_id, kind=kind, cause_id=event_id, text=words, link=link, quote=quote[:QUOTED] if quote else None)
