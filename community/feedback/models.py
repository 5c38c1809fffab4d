"""What the author thought of the help: read from their next post, or said on the receipt of a reply."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import Base, BigId, Id, only_where, ref


class FollowUp(Base):
    """The reading of one post that came after our answer."""

    __tablename__ = "follow_up"
    __table_args__ = (Index("ix_follow_up_writer", "writer_id", "brand_id", "id"), Index("ix_follow_up_task", "task_id"))

    id: Mapped[Id]
    brand_id: Mapped[int] = ref("brand.id")
    task_id: Mapped[int] = ref("task.id")
    reply_id: Mapped[int] = ref("reply.id")
    writer_id: Mapped[int] = ref("user.id")
    mention_id: Mapped[int] = ref("mention.id", unique=True)
    reading: Mapped[str] = mapped_column(String(16))
    """`thanks`, `stuck`, `angrier`, `other`."""
    at: Mapped[datetime]


class Outcome(Base):
    """One line of what a person hears became of a reply they wrote or vetted."""

    __tablename__ = "outcome"
    __table_args__ = (
        UniqueConstraint("user_id", "cause_id"),
        only_where("uq_outcome_helped", "user_id", "reply_id", where="kind = 'helped'", unique=True),
        Index("ix_outcome_feed", "user_id", "brand_id", "place", "id"),
    )

    id: Mapped[Id]
    brand_id: Mapped[int] = ref("brand.id")
    user_id: Mapped[int] = ref("user.id")
    part: Mapped[str] = mapped_column(String(8))
    """`wrote` or `vetted`."""
    kind: Mapped[str] = mapped_column(String(16))
    """As `feedback.outcomes.KINDS` names it."""
    task_id: Mapped[int] = ref("task.id")
    reply_id: Mapped[int] = ref("reply.id")
    mention_id: Mapped[int | None] = ref("mention.id")
    """The author's post that says thanks."""
    cause_id: Mapped[int] = mapped_column(BigId)
    """The event it comes from."""
    times: Mapped[int]
    """Readers whom a reply helped; 1 for all else."""
    place: Mapped[int]
    """The greatest stands first: grows with the day, and in a day thanks before the rest."""
    at: Mapped[datetime]


class Receipt(Base):
    """The public page of one reply: whoever has its link may read how the reply was vetted, and say whether it helped."""

    __tablename__ = "receipt"
    __table_args__ = (UniqueConstraint("reply_id"), UniqueConstraint("token"))

    id: Mapped[Id]
    brand_id: Mapped[int] = ref("brand.id")
    reply_id: Mapped[int] = ref("reply.id")
    token: Mapped[str] = mapped_column(String(32))
    """80 random bits. Public by intent, as the reply is: it opens nothing but the page."""
    made_at: Mapped[datetime]


class Feedback(Base):
    """What one reader said of a reply on its receipt. They may change it; nobody knows who they are."""

    __tablename__ = "feedback"
    __table_args__ = (
        UniqueConstraint("receipt_id", "visitor"),
        Index("ix_feedback_visitor", "visitor", "at"),
        only_where("ix_feedback_doubt", "brand_id", "id", where="verdict = 'wrong' AND settled_at IS NULL"),
    )

    id: Mapped[Id]
    brand_id: Mapped[int] = ref("brand.id")
    receipt_id: Mapped[int] = ref("receipt.id")
    visitor: Mapped[str | None] = mapped_column(String(64))
    """The reader's address under the installation's key, forgotten after a month: it only tells one reader from another."""
    verdict: Mapped[str] = mapped_column(String(8))
    """`helped` or `wrong`."""
    words: Mapped[str | None] = mapped_column(String(500))
    at: Mapped[datetime]
    changed_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
    settled_by_id: Mapped[int | None] = ref("user.id")
    outcome: Mapped[str | None] = mapped_column(String(16))
    """What a moderator made of a "wrong": `dismissed` or `reopened`."""
