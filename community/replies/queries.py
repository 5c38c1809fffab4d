"""Reading replies and their postings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import and_, bindparam, or_, select
from sqlalchemy.orm import joinedload, lazyload

from app.accounts.models import Brand, User
from app.kernel.db import db
from app.kernel.errors import NotFound
from app.kernel.pagination import Page, bounded, decode, page_of
from community.advocates.queries import known_as
from community.mentions.models import Mention
from community.permissions import RULES
from community.replies import actions
from community.replies.actions import revision_of as revision
from community.replies.models import Posting, Reply, Revision
from community.tasks.models import Task

__all__ = ["OfWriter", "OnTask", "draft_of", "posting_of", "postings", "postings_of", "replies_of", "replies_on", "reply_of", "revision", "submitted_revisions"]


_POSTINGS_OF = select(Posting).where(Posting.reply_id == bindparam("reply")).order_by(Posting.id)
_SUBMITTED = select(Revision).where(Revision.reply_id == bindparam("reply"), Revision.sealed_at.is_not(None)).order_by(Revision.number)


@dataclass(frozen=True)
class OnTask:
    """A reply of a task with its newest words, its posting and its writer."""

    reply: Reply
    revision: Revision
    posting: Posting | None
    writer: User
    called: str
    """Its writer, as others know them."""


@dataclass(frozen=True)
class OfWriter:
    """One of a person's own replies with the post it answers."""

    reply: Reply
    revision: Revision
    posting: Posting | None
    mention: Mention

    @property
    def to_post(self) -> bool:
        """Whether it is approved and waits for its writer to place it by hand."""
        return self.posting is not None and self.reply.state == "approved" and self.posting.state == "approved" and self.posting.path == "by_hand"


def reply_of(user: User, reply_id: int) -> Reply:
    """One reply; NotFound for what is not this person's to see."""
    reply = db.session.get(Reply, reply_id)
    if reply is None or RULES.refusal(user, "reply.see", reply):
        raise NotFound
    return reply


def draft_of(user: User, task: Task) -> Reply | None:
    """The person's own unfinished reply to a task: a draft, or one that was returned."""
    return actions.unfinished(task, user)


def replies_on(task: Task, *, user: User | None = None) -> Sequence[OnTask]:
    """The task's replies, oldest first. With `user` an advocate, only their own and what is posted; drafts are their writer's alone."""
    rows = db.session.execute(
        select(Reply, Revision, Posting, User, known_as(Reply.brand_id))
        .join(Revision, and_(Revision.reply_id == Reply.id, Revision.number == Reply.revision))
        .join(User, User.id == Reply.writer_id)
        .outerjoin(Posting, Posting.revision_id == Revision.id)
        .where(Reply.task_id == task.id)
        .options(lazyload(User.roles))
        .order_by(Reply.id)
    ).all()
    found = [OnTask(*row) for row in rows]
    if user is None:
        return found
    staff = user.has(task.brand_id, "moderator", "tier_1", "tier_2", "analyst", "admin")
    return [
        one
        for one in found
        if one.writer.id == user.id or (one.posting is not None and one.posting.state == "posted") or (staff and one.reply.state not in ("draft", "returned"))
    ]


def replies_of(user: User, brand: Brand, limit: int | None = None) -> Sequence[OfWriter]:
    """What a person wrote in a brand, the newest first, with where it stands."""
    rows = db.session.execute(
        select(Reply, Revision, Posting, Mention)
        .join(Revision, and_(Revision.reply_id == Reply.id, Revision.number == Reply.revision))
        .join(Mention, Mention.id == Reply.mention_id)
        .outerjoin(Posting, Posting.revision_id == Revision.id)
        .where(Reply.writer_id == user.id, Reply.brand_id == brand.id)
        .options(joinedload(Mention.account))
        .order_by(Reply.id.desc())
        .limit(bounded(limit))
    ).all()
    return [OfWriter(*row) for row in rows]


def postings_of(reply: Reply) -> Sequence[Posting]:
    """Every order to post one of its revisions, oldest first."""
    return db.session.scalars(_POSTINGS_OF, {"reply": reply.id}).all()


def submitted_revisions(reply: Reply) -> Sequence[Revision]:
    """The wordings that were handed in, oldest first."""
    return db.session.scalars(_SUBMITTED, {"reply": reply.id}).all()


def postings(
    user: User, brand: Brand, *, reply: int | None = None, state: str | None = None, limit: int | None = None, cursor: str | None = None
) -> Page[Posting]:
    """Postings a person may see, newest first: advocates see those of their own replies."""
    size = bounded(limit)
    wanted = select(Posting).where(Posting.brand_id == brand.id).order_by(Posting.id.desc()).limit(size + 1)
    if not user.has(brand.id, "moderator", "tier_1", "tier_2", "analyst", "admin"):
        wanted = wanted.join(Reply, Reply.id == Posting.reply_id).where(Reply.writer_id == user.id)
    if reply is not None:
        wanted = wanted.where(Posting.reply_id == reply)
    if state is not None:
        wanted = wanted.where(Posting.state == state)
    if after := decode(cursor, 1):
        wanted = wanted.where(Posting.id < after[0])
    return page_of(db.session.scalars(wanted).all(), size, lambda posting: [posting.id])


def posting_of(user: User, posting_id: int) -> Posting:
    """One posting; NotFound for what is not this person's to see."""
    row = db.session.execute(select(Posting, Reply).join(Reply, Reply.id == Posting.reply_id).where(Posting.id == posting_id)).first()
    if row is None or RULES.refusal(user, "reply.see", row[1]):
        raise NotFound
    posting: Posting = row[0]
    return posting


def stuck(brand: Brand, limit: int = 50) -> Sequence[Posting]:
    """What a moderator has to act on: unknown outcomes and what waits with the network."""
    return db.session.scalars(
        select(Posting).where(Posting.brand_id == brand.id, or_(Posting.state == "unknown", Posting.state == "queued")).order_by(Posting.id).limit(limit)
    ).all()
