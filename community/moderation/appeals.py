"""An appeal: the writer of a rejected reply asks, once, for one more look by somebody who did not decide it.

Upheld, the bad mark is taken back and the reply counts as right; while the question is still open it can go out at once,
approved by the second pair of eyes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import aliased, joinedload, lazyload, load_only

from app.accounts.models import Brand, User
from app.accounts.people import holders
from app.kernel import clock, live
from app.kernel.audit import audit
from app.kernel.db import among, db
from app.kernel.errors import Conflict, Forbidden, Missing, NotFound
from app.kernel.outbox import record
from community.advocates import records
from community.events import AppealDecided, AppealMade
from community.mentions.models import Mention
from community.moderation.actions import take_over
from community.moderation.models import Appeal, Review
from community.permissions import RULES
from community.replies import actions as replies
from community.replies.models import Reply, Revision
from community.replies.states import REPLY
from community.tasks.models import Task

WITHIN = timedelta(days=7)
"""So long after the rejection a second look can be asked for."""
MOST = 50


@dataclass(frozen=True)
class Asked:
    """One appeal with what it is about."""

    appeal: Appeal
    reply: Reply
    revision: Revision
    task: Task
    mention: Mention
    review: Review
    writer: User
    decider: User
    """Who rejected it."""


def appeal(reply: Reply, *, by: User, words: str) -> Appeal:
    """The writer asks for the second look. Raises Forbidden, Conflict, Missing."""
    RULES.check(by, "reply.change", reply)
    words = words.strip()
    if not words:
        raise Missing("Say in a sentence why it should be looked at again.", field="words")
    _, reply = replies.lock_pair(reply)
    review = rejection_of(reply)
    if reply.state != "rejected" or review is None:
        raise Conflict("Only a rejected reply can be looked at again.", state=reply.state)
    if review.at + WITHIN < clock.now():
        raise Conflict(f"A second look can be asked for within {WITHIN.days} days.")
    row = Appeal(brand_id=reply.brand_id, reply_id=reply.id, review_id=review.id, writer_id=by.id, words=words[:1000], state="open", at=clock.now())
    db.session.add(row)
    try:
        db.session.flush()
    except IntegrityError:
        raise Conflict("You asked for a second look already: there is one.") from None
    record(AppealMade(reply.brand_id, row.id, reply.id, reply.task_id, by.id, review.reviewer_id or 0))
    audit("reply.appeal", row, by=by)
    _bump(row)
    return row


def decide(row: Appeal, *, by: User, uphold: bool, note: str | None = None, send: bool = False) -> None:
    """The second look, with its reason. `send`: an upheld reply goes out now, approved by this person, if the question is still open."""
    refusal = refusal_of(row, by)
    if refusal is not None:
        raise Forbidden(refusal)
    note = (note or "").strip()
    if not note:
        raise Missing("Say why: the writer reads it.", field="note")
    reply = db.session.get_one(Reply, row.reply_id)
    task, reply = replies.lock_pair(reply)
    row = db.session.scalars(select(Appeal).where(Appeal.id == row.id).with_for_update(key_share=True).execution_options(populate_existing=True)).one()
    if row.state != "open":
        raise Conflict("Somebody decided about it already.", state=row.state)
    row.state, row.decided_at, row.decided_by_id, row.note = ("upheld" if uphold else "dismissed"), clock.now(), by.id, note[:1000]
    sent = False
    if uphold:
        records.unmark(reply, "rejected")
        records.mark(reply, "approved")
        if send:
            _send(reply, task, by, note)
            sent = True
    record(AppealDecided(row.brand_id, row.id, reply.id, reply.task_id, row.writer_id, by.id, uphold, sent))
    audit("appeal.decide", row, by=by, reason=row.state, sent=sent)
    _bump(row)


def refusal_of(row: Appeal, user: User) -> str | None:
    """Why this person may not decide about it; None when they may."""
    reason = RULES.refusal(user, "appeal.decide", row)
    if reason is not None:
        return reason
    decided_by = db.session.scalar(select(Review.reviewer_id).where(Review.id == row.review_id))
    if decided_by == user.id:
        return "You rejected it: somebody else takes the second look."
    if not user.has(row.brand_id, "moderator") and any(one.id not in (decided_by, row.writer_id) for one in holders(row.brand_id, "moderator")):
        return "Another moderator takes the second look; an admin does where there is only one."
    return None


def can_send(row: Asked) -> bool:
    """Whether the question is still open, so that the reply can go out."""
    return row.task.state in ("open", "claimed", "in_review") and row.task.audience == "community" and row.task.mention_id == row.reply.mention_id


def open_appeals(user: User, brand: Brand) -> Sequence[Asked]:
    """What waits for a second look, oldest first."""
    RULES.check(user, "appeal.decide", _InBrand(brand.id))
    return [Asked(*row) for row in db.session.execute(_asked().where(Appeal.brand_id == brand.id, among(Appeal.state, "open")).order_by(Appeal.id).limit(MOST))]


def appeal_of(user: User, appeal_id: int) -> Asked:
    """One appeal, for its writer and for those who may decide in its brand. NotFound for others."""
    row = db.session.execute(_asked().where(Appeal.id == appeal_id)).first()
    if row is None or (row[0].writer_id != user.id and not RULES.may(user, "appeal.decide", row[0])):
        raise NotFound
    return Asked(*row)


def about(reply: Reply) -> Appeal | None:
    """The appeal about a reply, if there is one."""
    return db.session.scalar(select(Appeal).where(Appeal.reply_id == reply.id))


def may_appeal(reply: Reply, user: User) -> bool:
    """Whether the page offers it."""
    review = rejection_of(reply) if reply.state == "rejected" and reply.writer_id == user.id else None
    return review is not None and review.at + WITHIN > clock.now() and about(reply) is None


def rejection_of(reply: Reply) -> Review | None:
    """The rejection a reply ended with."""
    return db.session.scalar(select(Review).where(Review.reply_id == reply.id, Review.decision == "reject").order_by(Review.id.desc()).limit(1))


# Helpers


class _InBrand:
    """A brand as the thing a permission is asked about."""

    def __init__(self, brand_id: int) -> None:
        self.brand_id = brand_id
        self.writer_id = 0


def _send(reply: Reply, task: Task, by: User, note: str) -> None:
    """The very words that were rejected, as a revision of their own: the checks run again, and this person approves it."""
    if task.state not in ("open", "claimed", "in_review") or task.audience != "community" or task.mention_id != reply.mention_id:
        raise Conflict("The question was answered or moved on meanwhile: the reply can't go out any more.", state=task.state)
    REPLY.move(reply, "restore", decided_at=None)
    writer = db.session.get_one(User, reply.writer_id)
    current = replies.next_revision(reply, replies.revision_of(reply).text, writer)
    replies.seal(reply, current, task, writer)
    take_over(task, reply, by)
    replies.approve_revision(reply, current, task, by=by, note=note)


def _asked() -> Any:
    writer, decider = aliased(User), aliased(User)
    return (
        select(Appeal, Reply, Revision, Task, Mention, Review, writer, decider)
        .join(Reply, Reply.id == Appeal.reply_id)
        .join(Review, Review.id == Appeal.review_id)
        .join(Revision, (Revision.reply_id == Reply.id) & (Revision.number == Review.revision))
        .join(Task, Task.id == Reply.task_id)
        .join(Mention, Mention.id == Reply.mention_id)
        .join(writer, writer.id == Appeal.writer_id)
        .join(decider, decider.id == Review.reviewer_id)
        .options(
            joinedload(Mention.account),
            joinedload(Mention.decision),
            lazyload(writer.roles),
            load_only(writer.name),
            lazyload(decider.roles),
            load_only(decider.name),
        )
    )


def _bump(row: Appeal) -> None:
    brand_id, task_reply = row.brand_id, row.reply_id
    db.after_commit(lambda: live.bump(brand_id, "reviews", f"reply-{task_reply}"), key=("appeal", row.id))
