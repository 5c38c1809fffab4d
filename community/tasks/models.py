"""A piece of answering work for one conversation, and one person's hold on it."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.kernel.db import Base, BigId, Id, only_where, ref
from community.mentions.models import Mention

LIVE = ("open", "claimed", "in_review", "answered")
_LIVE_SQL = "state IN ('open', 'claimed', 'in_review', 'answered')"
_ON_DESK_SQL = "audience = 'community' AND state IN ('open', 'claimed')"
_FREE_SQL = "audience = 'community' AND state = 'open'"


class Task(Base):
    __tablename__ = "task"
    __table_args__ = (
        only_where("uq_task_live", "conversation_id", where=_LIVE_SQL, unique=True),
        only_where("ix_task_desk", "brand_id", "audience", text("priority DESC"), "opened_at", where="state IN ('open', 'claimed')"),
        only_where("ix_task_lane", "brand_id", "lang", "lane", text("priority DESC"), "opened_at", where=_FREE_SQL),
        only_where("ix_task_topic", "brand_id", "category", text("priority DESC"), "opened_at", where=_FREE_SQL),
        only_where("ix_task_waiting", "brand_id", "opened_at", where=_ON_DESK_SQL),
        only_where("ix_task_kept", "returned_to_id", "brand_id", where="returned_to_id IS NOT NULL AND state = 'open'"),
        only_where("ix_task_answered", "answered_at", where="state = 'answered'"),
        Index("ix_task_conversation", "conversation_id", "id"),
        Index("ix_task_mention", "mention_id"),
        Index("ix_task_brand", "brand_id", "id"),
        only_where("ix_task_led", "led_by_id", where="led_by_id IS NOT NULL"),
    )

    id: Mapped[Id]
    brand_id: Mapped[int] = ref("brand.id")
    conversation_id: Mapped[int] = ref("conversation.id")
    mention_id: Mapped[int] = ref("mention.id")
    """The post to answer: the author's first, or after a reopening their latest."""
    state: Mapped[str] = mapped_column(String(16))
    audience: Mapped[str] = mapped_column(String(16))
    kind: Mapped[str] = mapped_column(String(16))
    """`answer`, `thank`, or `correct`: put right what we posted."""
    priority: Mapped[int]
    category: Mapped[str] = mapped_column(String(32))
    lang: Mapped[str] = mapped_column(String(16))
    lane: Mapped[str] = mapped_column(String(8), default="plain", server_default="plain")
    """`easy`, `plain`, `hostile` or `thank`: what it asks of whoever takes it (see `rules.lane_of`)."""
    opened_at: Mapped[datetime]
    """Since when it waits where it is: a reopening or a hand-back starts it anew."""
    returned_to_id: Mapped[int | None] = ref("user.id")
    """Kept for this advocate (a return, a reopening) until `kept_until`."""
    kept_until: Mapped[datetime | None]
    lesson: Mapped[str | None] = mapped_column(String(1000))
    """What the last rejection taught; shown to whoever takes it next."""
    answered_at: Mapped[datetime | None]
    first_answered_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    closed_because: Mapped[str | None] = mapped_column(String(64))
    reopened: Mapped[int] = mapped_column(default=0)
    raised_by_id: Mapped[int | None] = ref("user.id")
    """The advocate who sent it up to the team; it stays visible to them, read-only."""
    led_by_id: Mapped[int | None] = mapped_column(BigId)
    """The leading task of its incident, whose answer is varied for this one too. No foreign key: the leading task is a task like this one."""

    mention: Mapped[Mention] = relationship(lazy="raise_on_sql")
    claim: Mapped[Claim | None] = relationship(
        lazy="raise_on_sql", uselist=False, viewonly=True, primaryjoin="and_(Task.id == Claim.task_id, Claim.ended_at.is_(None))"
    )


class Claim(Base):
    """One hold. It counts as lapsed the moment `ends_at` is past, whether or not anybody has ended it yet."""

    __tablename__ = "claim"
    __table_args__ = (
        only_where("uq_claim_live", "task_id", where="ended_at IS NULL", unique=True),
        only_where("ix_claim_live_user", "user_id", "brand_id", where="ended_at IS NULL"),
        only_where("ix_claim_lapse", "ends_at", where="ended_at IS NULL"),
        Index("ix_claim_task", "task_id", "id"),
        Index("ix_claim_user", "user_id", "brand_id", "started_at"),
    )

    id: Mapped[Id]
    brand_id: Mapped[int] = ref("brand.id")
    task_id: Mapped[int] = ref("task.id")
    user_id: Mapped[int] = ref("user.id")
    started_at: Mapped[datetime]
    ends_at: Mapped[datetime | None]
    """None: an employee's assignment, held without a lease."""
    cap_at: Mapped[datetime | None]
    """Renewing never goes past this moment."""
    ended_at: Mapped[datetime | None]
    ended_because: Mapped[str | None] = mapped_column(String(32))
    """`released`, `lapsed`, `submitted`, `answered`, `escalated`, `handed_back`, `cancelled`, `resolved`, `reassigned`, `alternative`, `break`, `suspended`."""
    note: Mapped[str | None] = mapped_column(String(500))
    """What its holder left for whoever takes the task next."""
    words: Mapped[str | None] = mapped_column(Text)
    """Their draft, where they agreed that the next one may start from it. Private data is masked."""

    def holds(self, at: datetime) -> bool:
        """Whether the hold is still good. A lease that ends later than it ever could counts as lapsed too (a clock that jumped)."""
        return self.ended_at is None and lasts(self.ends_at, self.cap_at, at)


LONGEST_LEASE = timedelta(hours=4, minutes=5)
"""No lease ends later than this from now (the minutes are for clocks that differ a little): one that does was given by a clock that jumped."""


def lasts(ends_at: datetime | None, cap_at: datetime | None, at: datetime) -> bool:
    """Whether a hold that nobody ended is still good."""
    return ends_at is None or (at < ends_at <= at + LONGEST_LEASE and (cap_at is None or ends_at <= cap_at))


class Watch(Base):
    """A person waits for a held task to become free, and is told once."""

    __tablename__ = "task_watch"
    __table_args__ = (UniqueConstraint("task_id", "user_id"), Index("ix_task_watch_user", "user_id"))

    id: Mapped[Id]
    brand_id: Mapped[int] = ref("brand.id")
    task_id: Mapped[int] = ref("task.id")
    user_id: Mapped[int] = ref("user.id")
    at: Mapped[datetime]


class Pass(Base):
    """ "Not for me": the task is not offered to this person again, and the reason teaches what to offer instead."""

    __tablename__ = "task_pass"
    __table_args__ = (UniqueConstraint("user_id", "task_id"), Index("ix_task_pass_user", "user_id", "brand_id", "at"), Index("ix_task_pass_task", "task_id"))

    id: Mapped[Id]
    brand_id: Mapped[int] = ref("brand.id")
    task_id: Mapped[int] = ref("task.id")
    user_id: Mapped[int] = ref("user.id")
    reason: Mapped[str] = mapped_column(String(16))
    """`topic`, `language`, `hard`, `time`, `other`."""
    category: Mapped[str] = mapped_column(String(32))
    lang: Mapped[str] = mapped_column(String(16))
    at: Mapped[datetime]
