"""Taking back what has not gone out: a module of its own, since tasks need it and replies need tasks."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import and_, or_, select

from app.kernel.audit import audit
from app.kernel.db import db
from app.kernel.errors import Conflict
from app.kernel.outbox import record
from community.events import PostingPulledBack, ReplyWithdrawn
from community.replies.models import Posting, Reply
from community.replies.states import POSTING, REPLY
from community.tasks.models import Task

UNDER_WAY = ("submitted", "returned", "approved")
"""States of a reply that is neither a draft nor over."""


def under_way(task_ids: Collection[int]) -> set[int]:
    """Which of these tasks have a reply that `withdraw_all` would look at."""
    return set(db.session.scalars(select(Reply.task_id).where(Reply.task_id.in_(task_ids), Reply.state.in_(UNDER_WAY))))


def withdraw_all(task: Task) -> None:
    """Withdraw every submission of the task and pull back every posting still held. What a worker is sending this moment can't be stopped and is left."""
    for reply in db.session.scalars(select(Reply).where(Reply.task_id == task.id, Reply.state.in_(UNDER_WAY))):
        if reply.state in ("submitted", "returned"):
            REPLY.move(reply, "withdraw")
        else:
            posting = live_posting(reply)
            if posting is None or posting.state != "approved":
                continue
            try:
                take_back(posting, reply, by_id=None, because="task_closed")
            except Conflict:
                continue  # a worker has it now
        record(ReplyWithdrawn(reply.brand_id, reply.id, task.id, reply.writer_id, "task_moved"))


def may_be_out(task: Task) -> bool:
    """Whether a reply to the task may be public already though we don't know it yet: it is being sent, or a person is placing it."""
    sending = Posting.state.in_(("posting", "queued", "unknown"))
    placing = and_(Posting.path == "by_hand", Posting.voice == "brand", Posting.state == "approved")
    return db.session.scalar(select(Posting.id).where(Posting.task_id == task.id, or_(sending, placing)).limit(1)) is not None


def live_posting(reply: Reply) -> Posting | None:
    """The order that stands for this reply, if there is one."""
    return db.session.scalar(
        select(Posting)
        .where(Posting.reply_id == reply.id, Posting.state.in_(("approved", "posting", "queued", "unknown", "posted")))
        .with_for_update(key_share=True)
    )


def take_back(posting: Posting, reply: Reply, *, by_id: int | None, because: str, keep_reply: bool = False) -> None:
    """Pull a held posting back. From here on no request to the network starts; a posting being sent refuses with Conflict."""
    if posting.first_sent_at is not None and posting.state != "posted":
        raise Conflict("It was on its way already: we are asking the network what became of it, so it can't be pulled back now.", state=posting.state)
    try:
        POSTING.move(posting, "pull_back", reason=because, next_at=None)
    except Conflict:
        words = {"posting": "It is being posted this very moment: it can't be pulled back any more.", "posted": "It is posted already."}
        raise Conflict(words.get(posting.state, f"This posting is {posting.state.replace('_', ' ')} now."), state=posting.state) from None
    if not keep_reply:
        REPLY.move(reply, "take_back")
    record(PostingPulledBack(posting.brand_id, posting.id, reply.id, reply.task_id, reply.writer_id, by_id or 0))
    audit("posting.pull_back", posting, by=None if by_id is None else _Someone(by_id), reason=because)


class _Someone:
    """The actor of an audit line, by id alone."""

    def __init__(self, id_: int) -> None:
        self.id = id_
