"""A look at a submission, the hold of the person who looks, what peers found, an appeal, and a report that something is wrong."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import JSON, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import Base, Id, only_where, ref


class Review(Base):
    """One decision about one exact revision, by a person or by a named rule."""

    __tablename__ = "review"
    __table_args__ = (
        UniqueConstraint("reply_id", "revision"),
        Index("ix_review_brand", "brand_id", "id"),
        Index("ix_review_reviewer", "reviewer_id", "id"),
    )

    id: Mapped[Id]
    brand_id: Mapped[int] = ref("brand.id")
    reply_id: Mapped[int] = ref("reply.id")
    revision: Mapped[int]
    decision: Mapped[str] = mapped_column(String(16))
    """`approve`, `return`, `reject`, `escalate`."""
    reviewer_id: Mapped[int | None] = ref("user.id")
    rule: Mapped[str | None] = mapped_column(String(32))
    """The named rule that let it pass without a look."""
    basis: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """What the rule looked at, so that it can be worked out again."""
    edited_from: Mapped[int | None]
    """Edit and approve: the revision the writer had handed in."""
    reason: Mapped[str | None] = mapped_column(String(32))
    note: Mapped[str | None] = mapped_column(String(1000))
    at: Mapped[datetime]


HELD_FOR = timedelta(minutes=10)
"""How long a reviewer who opened an item keeps others from deciding it."""
LONGEST_HOLD = HELD_FOR + timedelta(minutes=1)
"""With a minute for clocks that differ a little."""


class ReviewClaim(Base):
    """What one reviewer has open, another can't decide."""

    __tablename__ = "review_claim"
    __table_args__ = (only_where("uq_review_claim_live", "reply_id", where="ended_at IS NULL", unique=True),)

    id: Mapped[Id]
    brand_id: Mapped[int] = ref("brand.id")
    reply_id: Mapped[int] = ref("reply.id")
    reviewer_id: Mapped[int] = ref("user.id")
    started_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]

    def keeps_off(self, user_id: int, at: datetime) -> bool:
        """Whether somebody else has it open just now. A hold that ends later than any could was given by a clock that jumped."""
        return self.reviewer_id != user_id and at < self.ends_at <= at + LONGEST_HOLD


class Flag(Base):
    """A person's report on a mention: upheld or dismissed, and a label for the classifier either way."""

    __tablename__ = "flag"
    __table_args__ = (
        only_where("uq_flag_open", "task_id", "by_id", "kind", where="state = 'open'", unique=True),
        only_where("ix_flag_open", "brand_id", "id", where="state = 'open'"),
        only_where("ix_flag_window", "window_until", where="state = 'open' AND window_until IS NOT NULL"),
        Index("ix_flag_task", "task_id"),
    )

    id: Mapped[Id]
    brand_id: Mapped[int] = ref("brand.id")
    task_id: Mapped[int] = ref("task.id")
    mention_id: Mapped[int] = ref("mention.id")
    by_id: Mapped[int] = ref("user.id")
    kind: Mapped[str] = mapped_column(String(16))
    """`angry`, `technical`, `private_data`, `at_risk`, `spam`."""
    note: Mapped[str | None] = mapped_column(String(500))
    state: Mapped[str] = mapped_column(String(16))
    """`open`, `upheld`, `dismissed`, `withdrawn` (by who raised it)."""
    at: Mapped[datetime]
    window_until: Mapped[datetime | None]
    """Until when peers may agree or answer before a moderator is asked; none once it is over, and for what acts at once."""
    decided_at: Mapped[datetime | None]
    decided_by_id: Mapped[int | None] = ref("user.id")
    """The moderator; none when peers or an answer decided."""


class FlagVote(Base):
    """A peer who sees it the same way."""

    __tablename__ = "flag_vote"
    __table_args__ = (UniqueConstraint("flag_id", "user_id"),)

    id: Mapped[Id]
    brand_id: Mapped[int] = ref("brand.id")
    flag_id: Mapped[int] = ref("flag.id")
    user_id: Mapped[int] = ref("user.id")
    at: Mapped[datetime]


class PeerVote(Base):
    """What one advocate found of another's revision: four yes-or-no questions, asked once."""

    __tablename__ = "peer_vote"
    __table_args__ = (
        UniqueConstraint("reply_id", "revision", "voter_id"),
        Index("ix_peer_vote_pair", "voter_id", "writer_id", "at"),
    )

    id: Mapped[Id]
    brand_id: Mapped[int] = ref("brand.id")
    reply_id: Mapped[int] = ref("reply.id")
    revision: Mapped[int]
    voter_id: Mapped[int] = ref("user.id")
    writer_id: Mapped[int] = ref("user.id")
    kind: Mapped[bool]
    answers: Mapped[bool]
    correct: Mapped[bool]
    personal: Mapped[bool]
    note: Mapped[str | None] = mapped_column(String(500))
    at: Mapped[datetime]

    @property
    def yes(self) -> bool:
        """All four."""
        return self.kind and self.answers and self.correct and self.personal


class Appeal(Base):
    """A writer asks for one more look at a rejection, by somebody who did not decide it."""

    __tablename__ = "appeal"
    __table_args__ = (UniqueConstraint("reply_id"), only_where("ix_appeal_open", "brand_id", "id", where="state = 'open'"))

    id: Mapped[Id]
    brand_id: Mapped[int] = ref("brand.id")
    reply_id: Mapped[int] = ref("reply.id")
    review_id: Mapped[int] = ref("review.id")
    """The rejection."""
    writer_id: Mapped[int] = ref("user.id")
    words: Mapped[str] = mapped_column(String(1000))
    state: Mapped[str] = mapped_column(String(16))
    """`open`, `upheld` (the writer was right), `dismissed`."""
    at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    decided_by_id: Mapped[int | None] = ref("user.id")
    note: Mapped[str | None] = mapped_column(String(1000))
