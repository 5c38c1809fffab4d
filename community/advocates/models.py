"""A person as an advocate of one brand, and what their replies were worth."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel import clock
from app.kernel.db import Base, Id, only_where, ref


class Advocate(Base):
    __tablename__ = "advocate"
    __table_args__ = (UniqueConstraint("user_id", "brand_id"), Index("ix_advocate_called", "brand_id", "called_at"))

    id: Mapped[Id]
    brand_id: Mapped[int] = ref("brand.id", index=True)
    user_id: Mapped[int] = ref("user.id")
    pseudonym: Mapped[str] = mapped_column(String(80))
    """How boards and other advocates' pages name this person."""
    languages: Mapped[list[Any]] = mapped_column(default=list)
    topics: Mapped[list[Any]] = mapped_column(default=list)
    """Categories the person says they are good at."""
    trust_level: Mapped[int] = mapped_column(default=0)
    paused_until: Mapped[datetime | None]
    hostile_most: Mapped[int | None]
    """Own choice of how many hostile posts a day are offered, at most the brand's; none: the brand's."""
    weekly_most: Mapped[int | None]
    """Own choice of how many answers a week are enough, at most the brand's; none: the brand's."""
    on_boards: Mapped[bool] = mapped_column(default=True)
    joined_at: Mapped[datetime]
    called_at: Mapped[datetime] = mapped_column(default=clock.now)
    """When a task was last put before them; nobody is called in their first hours."""
    grace_until: Mapped[datetime | None]
    """Set: the work of the last hundred days no longer carries the level; from then on the next lower one holds."""
    set_level: Mapped[int | None]
    """A moderator's word: with `set_as` floor the level falls no lower, with cap it rises no higher, until `set_until`."""
    set_as: Mapped[str | None] = mapped_column(String(8))
    set_until: Mapped[datetime | None]
    limits: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Abilities a moderator took away: name to `{"reason", "by", "at"}`."""


class QualityMark(Base):
    """One thing that was said about a reply: by a look at it, or by its author."""

    __tablename__ = "quality_mark"
    __table_args__ = (
        UniqueConstraint("reply_id", "kind"),
        Index("ix_quality_mark_person", "user_id", "brand_id", "at"),
        only_where("ix_quality_mark_thanked", "brand_id", "id", where="kind = 'thanked' AND undone_at IS NULL"),
    )

    id: Mapped[Id]
    brand_id: Mapped[int] = ref("brand.id")
    user_id: Mapped[int] = ref("user.id")
    """Who wrote the reply."""
    reply_id: Mapped[int] = ref("reply.id")
    topic: Mapped[str] = mapped_column(String(32))
    """The category of its task."""
    kind: Mapped[str] = mapped_column(String(16))
    """`approved`, `edited`, `passed`, `returned`, `rejected`, `wrong`, `stuck`, `posted`, `thanked`."""
    reason: Mapped[str | None] = mapped_column(String(32))
    at: Mapped[datetime]
    undone_at: Mapped[datetime | None]


class TopicRecord(Base):
    """Sums over one person's marks of the last hundred days in one topic; the empty topic holds those over all."""

    __tablename__ = "topic_record"
    __table_args__ = (UniqueConstraint("user_id", "brand_id", "topic"),)

    id: Mapped[Id]
    brand_id: Mapped[int] = ref("brand.id")
    user_id: Mapped[int] = ref("user.id")
    topic: Mapped[str] = mapped_column(String(32))
    answered: Mapped[int] = mapped_column(default=0)
    good: Mapped[int] = mapped_column(default=0)
    bad: Mapped[int] = mapped_column(default=0)
    thanked: Mapped[int] = mapped_column(default=0)
    clean: Mapped[int] = mapped_column(default=0)
    """Good ones since the last miss."""
    vetted: Mapped[int] = mapped_column(default=0)
    """Approved by whomever and however: by a person, with changes, or by a named rule."""
    missed_at: Mapped[datetime | None]
