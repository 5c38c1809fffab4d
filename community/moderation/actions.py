"""The verbs of vetting: open, approve, edit and approve, return, reject, escalate.

Every decision names the revision that was read. A newer one, or a decision by somebody else, is a Conflict.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from app.accounts.models import User
from app.kernel import clock, live
from app.kernel.audit import audit
from app.kernel.db import db
from app.kernel.errors import Conflict, Invalid, Missing
from app.kernel.outbox import record
from community.advocates import records
from community.events import ReplyRejected, ReplyReturned, ReplyWithdrawn
from community.mentions import actions as mention_actions
from community.moderation import peers
from community.moderation.models import HELD_FOR, Review, ReviewClaim
from community.permissions import RULES
from community.replies import actions as replies
from community.replies.models import Posting, Reply, Revision
from community.replies.states import REPLY
from community.tasks import actions as task_actions
from community.tasks.models import Task

REASONS = ("incorrect", "off_topic", "incomplete", "tone", "private_data", "promise", "copy", "other")


def open_review(reply: Reply, *, by: User) -> ReviewClaim:
    """Take an item to look at. Another reviewer's running hold is a Conflict that names them."""
    RULES.check(by, "reply.review", reply)
    now = clock.now()
    held = _holder(reply)
    if held is not None and held.keeps_off(by.id, now):
        raise Conflict(f"{_name(held.reviewer_id)} has it open until {held.ends_at:%H:%M} UTC.", holder=_name(held.reviewer_id))
    if held is not None and held.reviewer_id == by.id:
        held.ends_at = now + HELD_FOR
        return held
    if held is not None:
        held.ended_at = now
        db.session.flush()
    held = ReviewClaim(brand_id=reply.brand_id, reply_id=reply.id, reviewer_id=by.id, started_at=now, ends_at=now + HELD_FOR)
    db.session.add(held)
    try:
        db.session.flush()
    except IntegrityError:
        raise Conflict("Another reviewer opened it this very moment.") from None
    db.after_commit(lambda: live.bump(reply.brand_id, "reviews"), key=("reviews", reply.brand_id))
    return held


def close_review(reply: Reply, *, by: User, until: datetime | None = None, renewed: bool = True) -> None:
    """Put an item back undecided.

    A page that goes says until when it had it: its word often comes after that of the next page, which shows the same item and has renewed the hold.
    Without `renewed` only a hold that nobody has renewed ends: a page that went before it heard.
    """
    held = _holder(reply)
    if held is None or held.reviewer_id != by.id:
        return
    if (until is None or held.ends_at == until) and (renewed or held.ends_at == held.started_at + HELD_FOR):
        held.ended_at = clock.now()
        db.after_commit(lambda: live.bump(reply.brand_id, "reviews"), key=("reviews", reply.brand_id))


def let_go_of_all(user: User) -> None:
    """Somebody reviews here no more: what they had open waits for another look."""
    mine = (ReviewClaim.reviewer_id == user.id, ReviewClaim.ended_at.is_(None))
    db.session.execute(update(ReviewClaim).where(*mine).values(ended_at=clock.now()).execution_options(synchronize_session=False))


def approve(reply: Reply, *, by: User, revision: int | None, body: str | None = None, note: str | None = None) -> Posting:
    """Approve exactly this revision. With other words in `body` it is edit and approve: the reviewer answers for the edit, the writer stays the writer."""
    reply, current, task = _for_decision(reply, by, revision)
    peers.settle(reply)
    edited_from = None
    if body is not None and body != current.text:
        edited_from = current.number
        current = replies.next_revision(reply, replies.clean_text(body), by)
        replies.seal(reply, current, task, by)
    if reply.late:
        take_over(task, reply, by)
    posting = replies.approve_revision(reply, current, task, by=by, note=note, edited_from=edited_from)
    records.mark(reply, "approved" if edited_from is None else "edited")
    _close(reply, by)
    return posting


def return_(reply: Reply, *, by: User, revision: int | None, reason: str | None = None, note: str | None = None) -> None:
    """Ask for a change: the task stays the writer's for four hours."""
    reply, current, task = _for_decision(reply, by, revision)
    if not (note or "").strip() and reason is None:
        raise Missing("Say what to change: a reason, and a note that helps.", field="note")
    _known(reason)
    _finished(note)
    REPLY.move(reply, "return", decided_at=clock.now())
    _decided(reply, current, "return", by, reason, note)
    if reason not in (None, "other"):
        records.mark(reply, "returned", reason=reason)
    if task.state == "in_review" and not reply.late:
        task_actions.keep_for_writer(task, reply.writer_id)
        # Should the writer not come back to it, the next one learns from it too.
        task.lesson = ((note or "").strip() or REASON_WORDS[reason or "other"])[:1000]
    record(ReplyReturned(reply.brand_id, reply.id, task.id, reply.writer_id, by.id, reason))


def reject(reply: Reply, *, by: User, revision: int | None, reason: str | None, note: str | None = None) -> None:
    """Not this one: the task goes back to the desk with the lesson."""
    reply, current, task = _for_decision(reply, by, revision)
    if reason is None:
        raise Missing("A rejection needs its reason.", field="reason")
    _known(reason)
    _finished(note)
    REPLY.move(reply, "reject", decided_at=clock.now())
    _decided(reply, current, "reject", by, reason, note)
    records.mark(reply, "rejected", reason=reason)
    if task.state == "in_review" and not reply.late:
        task_actions.free(task, because="rejected", lesson=note or REASON_WORDS[reason])
    record(ReplyRejected(reply.brand_id, reply.id, task.id, reply.writer_id, by.id, reason))


def escalate(reply: Reply, *, by: User, revision: int | None, note: str | None = None, reason: str | None = None, tier: str | None = None) -> None:
    """The team should answer this one: the task moves up, the reply is set aside without blame."""
    reply, current, task = _for_decision(reply, by, revision)
    _known(reason)
    if tier is None:
        decision = mention_actions.current_decision(reply.mention_id)
        tier = "tier_2" if decision is not None and decision.technical > decision.anger else "tier_1"
    REPLY.move(reply, "withdraw", decided_at=clock.now())
    _decided(reply, current, "escalate", by, reason, note)
    record(ReplyWithdrawn(reply.brand_id, reply.id, task.id, reply.writer_id, "review"))
    task_actions.escalate(task, tier, because="review", by=by, note=note)


REASON_WORDS = {
    "incorrect": "A fact in the last answer was not right.",
    "off_topic": "The last answer did not answer the question asked.",
    "incomplete": "The last answer left a part of the question open.",
    "tone": "The last answer did not sound kind.",
    "private_data": "The last answer held private data.",
    "promise": "The last answer promised what only the brand may promise.",
    "copy": "The last answer was too close a copy of another.",
    "other": "The last answer was not sent.",
}


# Helpers


def _for_decision(reply: Reply, by: User, revision: int | None) -> tuple[Reply, Revision, Task]:
    """Leave, the newest row under lock, and the very revision that was read."""
    RULES.check(by, "reply.review", reply)
    if revision is None:
        raise Missing("Say which revision you decide on.", field="revision")
    task, reply = replies.lock_pair(reply)
    if reply.state != "submitted":
        raise Conflict(f"This reply is {reply.state} already.", state=reply.state, revision=reply.revision)
    if revision != reply.revision:
        raise Conflict("The writer changed it since. Look again: only what was read can be decided.", revision=reply.revision)
    held = _holder(reply)
    if held is not None and held.keeps_off(by.id, clock.now()):
        raise Conflict(f"{_name(held.reviewer_id)} has it open until {held.ends_at:%H:%M} UTC.", holder=_name(held.reviewer_id))
    return reply, replies.revision_of(reply, revision), task


def _decided(reply: Reply, current: Revision, decision: str, by: User, reason: str | None, note: str | None) -> None:
    peers.settle(reply)
    db.session.add(
        Review(
            brand_id=reply.brand_id,
            reply_id=reply.id,
            revision=current.number,
            decision=decision,
            reviewer_id=by.id,
            reason=reason,
            note=note.strip()[:1000] if note else None,
            at=clock.now(),
        )
    )
    audit(f"reply.{decision}", reply, by=by, reason=reason, revision=current.number)
    _close(reply, by)
    replies.changed(reply)


def take_over(task: Task, reply: Reply, by: User) -> None:
    """A late alternative is the better answer: whoever holds the task now is freed, other submissions are withdrawn."""
    if task.state in ("answered", "resolved", "cancelled"):
        raise Conflict("The question was answered meanwhile; an alternative can't go out as a second reply.", state=task.state)
    for other in db.session.scalars(select(Reply).where(Reply.task_id == task.id, Reply.id != reply.id, Reply.state == "submitted")):
        REPLY.move(other, "withdraw", decided_at=clock.now())
        record(ReplyWithdrawn(other.brand_id, other.id, task.id, other.writer_id, "alternative"))
        replies.changed(other)
    task_actions.take_from_holder(task, because="alternative", by=by)
    if task.state in ("open", "claimed"):
        task_actions.hand_in(task)


def _holder(reply: Reply) -> ReviewClaim | None:
    # Held, so that the goodbye of one page and the claim of the next, which come at once, see what the other did.
    live = select(ReviewClaim).where(ReviewClaim.reply_id == reply.id, ReviewClaim.ended_at.is_(None))
    return db.session.scalar(live.with_for_update(key_share=True).execution_options(populate_existing=True))


def _close(reply: Reply, by: User) -> None:
    held = _holder(reply)
    if held is not None:
        held.ended_at = clock.now()


def _known(reason: str | None) -> None:
    if reason is not None and reason not in REASONS:
        raise Invalid(f"A reason is one of {', '.join(REASONS)}.", field="reason")


def _finished(note: str | None) -> None:
    """A ready sentence that only begins ("One fact is not right:") teaches its reader nothing."""
    if (note or "").rstrip().endswith((":", "：")):
        raise Invalid("Finish the sentence: its reader needs to know what to change.", field="note")


def _name(user_id: int) -> str:
    return db.session.scalar(select(User.name).where(User.id == user_id)) or "Somebody"
