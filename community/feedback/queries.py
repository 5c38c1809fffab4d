"""What became of the help: people helped, thanks that arrived."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, bindparam, func, select
from sqlalchemy.orm import joinedload, load_only

from app.accounts.models import Brand, User
from app.kernel.db import among, db
from app.kernel.errors import NotFound
from community.channels.models import ChannelAccount
from community.feedback.grounds import Ground, Peers, PutRight, grounds, peers_on, put_right
from community.feedback.models import Feedback, FollowUp, Receipt
from community.mentions.models import Mention
from community.moderation.models import Review
from community.replies.models import Posting, Reply, Revision
from community.tasks.models import Task

_THANKS = (
    select(Mention, FollowUp.task_id)
    .join(FollowUp, FollowUp.mention_id == Mention.id)
    .where(FollowUp.writer_id == bindparam("writer"), FollowUp.brand_id == bindparam("brand"), FollowUp.reading == "thanks")
    .options(load_only(Mention.text, Mention.lang, Mention.author_handle, Mention.author_name, Mention.received_at))
    .order_by(FollowUp.id.desc())
    .limit(bindparam("most"))
)


EARLY = "This page opens as soon as the reply is seen on the network. Come back in a few minutes."
"""A reply may name its receipt, and be read before we know that it is out: where a person placed it, or an outcome was unclear."""


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
    readers: int
    """Readers of receipts who said that it helped."""


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
    readers = (
        select(func.count())
        .select_from(Feedback)
        .join(Receipt, Receipt.id == Feedback.receipt_id)
        .join(Reply, Reply.id == Receipt.reply_id)
        .where(mine, Feedback.verdict == "helped")
    )
    totals = (helped, thanks, approved, posted, readers)
    return Impact(*db.session.execute(select(*(one.scalar_subquery() for one in totals))).one())


# Receipts


@dataclass(frozen=True)
class ReceiptOf:
    """A receipt with all that its public page may say: no name, no id, nothing that came in private."""

    receipt: Receipt
    brand: Brand
    account: ChannelAccount
    question: str | None
    """None where the post was private, or is gone."""
    lang: str
    text: str
    url: str | None
    posted_at: datetime
    written_at: datetime
    writer: str
    """`advocate` or `employee`."""
    voice: str
    looked: Sequence[Look]
    peers: Peers | None
    """Advocates who read it before the moderators did."""
    grounds: Sequence[Ground]
    put_right: PutRight | None
    helped: int
    doubts: int
    """Readers who call it wrong, and nobody has looked at that yet."""


@dataclass(frozen=True)
class Look:
    """One approval on record: by a person of this role, or by a named rule."""

    at: datetime
    role: str | None
    rule: str | None
    edited: bool


@dataclass(frozen=True)
class Doubt:
    """A posted reply that readers call wrong, with what they said, newest first."""

    receipt: Receipt
    reply: Reply
    posting: Posting
    mention: Mention
    said: Sequence[Feedback]


def receipt_page(token: str) -> ReceiptOf:
    """What the public page of a posted reply shows; NotFound for any other token."""
    row = db.session.execute(
        select(Receipt, Reply, Posting, Revision, Mention, Brand, User)
        .join(Reply, Reply.id == Receipt.reply_id)
        .join(Posting, and_(Posting.reply_id == Reply.id, Posting.state == "posted"))
        .join(Revision, Revision.id == Posting.revision_id)
        .join(Mention, Mention.id == Posting.mention_id)
        .join(Brand, Brand.id == Receipt.brand_id)
        .join(User, User.id == Reply.writer_id)
        .where(Receipt.token == token[:64])
        .options(joinedload(Mention.account))
    ).first()
    if row is None:
        raise NotFound(EARLY) if _is_on_its_way(token) else NotFound()
    receipt, reply, posting, revision, mention, brand, writer = row
    if mention.private:
        # A private thread has no public page, whoever was handed its link.
        raise NotFound
    approvals = db.session.execute(
        select(Review, User)
        .outerjoin(User, User.id == Review.reviewer_id)
        .where(Review.reply_id == reply.id, Review.revision == revision.number, Review.decision == "approve")
        .order_by(Review.id)
    ).all()
    # Who edits and approves answers for a further revision: peers read the one before.
    read = next((one.edited_from for one, _ in approvals if one.edited_from), revision.number)
    helped, doubts = said_of(receipt)
    return ReceiptOf(
        receipt=receipt,
        brand=brand,
        account=mention.account,
        question=None if mention.gone_at else mention.text,
        lang=mention.lang,
        text=posting.text,
        url=posting.url,
        posted_at=posting.posted_at or posting.created_at,
        written_at=revision.sealed_at or revision.saved_at,
        writer="employee" if writer.has(brand.id, "tier_1", "tier_2", "moderator", "admin") else "advocate",
        voice=posting.voice,
        looked=[Look(one.at, _role(user, brand), one.rule, one.edited_from is not None) for one, user in approvals],
        peers=peers_on(reply.id, read),
        grounds=grounds(reply.id, revision.number, brand),
        put_right=put_right(reply.id),
        helped=helped,
        doubts=doubts,
    )


def _is_on_its_way(token: str) -> bool:
    live = and_(Posting.reply_id == Receipt.reply_id, among(Posting.state, "approved", "posting", "queued", "unknown"))
    asked = select(Receipt.id).join(Posting, live).join(Mention, Mention.id == Posting.mention_id)
    return db.session.scalar(asked.where(Receipt.token == token[:64], Mention.private.is_(False))) is not None


def receipt_of(reply: Reply) -> Receipt | None:
    """The receipt of a reply that is out."""
    posted = (Posting.reply_id == Receipt.reply_id) & (Posting.state == "posted")
    return db.session.scalar(select(Receipt).join(Posting, posted).where(Receipt.reply_id == reply.id))


def said_of(receipt: Receipt) -> tuple[int, int]:
    """(readers it helped, readers who call it wrong and whom nobody has answered by a look yet)."""
    helped, wrong = func.count().filter(Feedback.verdict == "helped"), func.count().filter(Feedback.verdict == "wrong", Feedback.settled_at.is_(None))
    row = db.session.execute(select(helped, wrong).where(Feedback.receipt_id == receipt.id)).one()
    return int(row[0]), int(row[1])


def doubts(brand: Brand, limit: int = 50) -> Sequence[Doubt]:
    """Posted replies that readers call wrong, the longest waiting first. Two statements."""
    said = db.session.scalars(
        select(Feedback).where(Feedback.brand_id == brand.id, Feedback.verdict == "wrong", Feedback.settled_at.is_(None)).order_by(Feedback.id).limit(limit * 4)
    ).all()
    by_receipt: dict[int, list[Feedback]] = {}
    for one in said:
        by_receipt.setdefault(one.receipt_id, []).append(one)
    rows = db.session.execute(
        select(Receipt, Reply, Posting, Mention)
        .join(Reply, Reply.id == Receipt.reply_id)
        .join(Posting, and_(Posting.reply_id == Reply.id, Posting.state == "posted"))
        .join(Mention, Mention.id == Posting.mention_id)
        .where(Receipt.id.in_(list(by_receipt)[:limit]))
        .options(joinedload(Mention.account))
    ).all()
    found = {receipt.id: Doubt(receipt, reply, posting, mention, by_receipt[receipt.id][::-1]) for receipt, reply, posting, mention in rows}
    return [found[id_] for id_ in by_receipt if id_ in found]


def _role(user: User | None, brand: Brand) -> str | None:
    if user is None:
        return None
    return next((role for role in ("moderator", "tier_2", "tier_1", "admin", "advocate") if user.has(brand.id, role)), "moderator")
