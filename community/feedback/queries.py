"""What became of the help: people helped, thanks that arrived."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, func, select

from app.accounts.models import Brand, User
from app.kernel.db import db
from community.feedback.models import FollowUp
from community.mentions.models import Mention
from community.replies.models import Posting, Reply
from community.tasks.models import Task

_THANKS = (
    select(Mention, FollowUp.task_id)
    .join(FollowUp, FollowUp.mention_id == Mention.id)
    .where(FollowUp.writer_id == bindparam("writer"), FollowUp.brand_id == bindparam("brand"), FollowUp.reading == "thanks")
    .order_by(FollowUp.id.desc())
    .limit(bindparam("most"))
)


@dataclass(frozen=True)
class Thanks:
    """One author's thanks, with the task it was for."""

    mention: Mention
    task_id: int


@dataclass(frozen=True)
class Impact:
    """Totals of one person in one brand."""

    people_helped: int
    """Conversations answered that were resolved."""
    thanks: int
    approved: int
    posted: int


def thanks_for(user: User, brand: Brand, limit: int = 5) -> Sequence[Thanks]:
    """The newest thanks that reached a person."""
    rows = db.session.execute(_THANKS, {"writer": user.id, "brand": brand.id, "most": limit})
    return [Thanks(mention, task_id) for mention, task_id in rows]


def impact(user: User, brand: Brand) -> Impact:
    """Four totals in one statement."""
    mine = (Reply.writer_id == user.id) & (Reply.brand_id == brand.id)
    thanks = select(func.count()).select_from(FollowUp).where(FollowUp.writer_id == user.id, FollowUp.brand_id == brand.id, FollowUp.reading == "thanks")
    approved = select(func.count()).select_from(Reply).where(mine, Reply.state == "approved")
    posted = select(func.count()).select_from(Posting).join(Reply, Reply.id == Posting.reply_id).where(mine, Posting.state == "posted")
    helped = (
        select(func.count(func.distinct(Task.conversation_id)))
        .select_from(Task)
        .join(Reply, Reply.task_id == Task.id)
        .join(Posting, Posting.reply_id == Reply.id)
        .where(mine, Posting.state == "posted", Task.state == "resolved")
    )
    row = db.session.execute(select(helped.scalar_subquery(), thanks.scalar_subquery(), approved.scalar_subquery(), posted.scalar_subquery())).one()
    return Impact(*row)
