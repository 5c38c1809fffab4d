"""Our answer as text, its revisions, and the order and act of placing it on the network."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.kernel.db import Base, BigId, Id, only_where, ref


class Reply(Base):
    __tablename__ = "reply"
    __table_args__ = (
        Index("ix_reply_task", "task_id", "id"),
        Index("ix_reply_writer", "writer_id", "brand_id", "id"),
        only_where("ix_reply_review", "brand_id", "submitted_at", where="state = 'submitted'"),
        only_where("ix_reply_example", "brand_id", "id", where="example_at IS NOT NULL"),
        only_where("ix_reply_incident", "incident_id", where="incident_id IS NOT NULL"),
        only_where("uq_reply_draft", "task_id", "writer_id", where="state = 'draft'", unique=True),
    )

    id: Mapped[Id]
    brand_id: Mapped[int] = ref("brand.id")
    task_id: Mapped[int] = ref("task.id")
    mention_id: Mapped[int] = ref("mention.id")
    """The post it answers."""
    writer_id: Mapped[int] = ref("user.id")
    voice: Mapped[str] = mapped_column(String(8))
    state: Mapped[str] = mapped_column(String(16))
    revision: Mapped[int]
    """Number of the newest revision; grows with every changed save, so a reader can name exactly what was read."""
    late: Mapped[bool] = mapped_column(default=False)
    """Handed in after the lease had lapsed: an alternative for the moderator, never a second reply by itself."""
    incident_id: Mapped[int | None] = mapped_column(BigId)
    """The incident whose answer it is a variant of. No foreign key: incidents know tasks, and tasks know replies."""
    created_at: Mapped[datetime]
    submitted_at: Mapped[datetime | None]
    decided_at: Mapped[datetime | None]
    look_because: Mapped[str | None] = mapped_column(String(32))
    """Why a person has to look, as a code of `moderation.sampling`."""
    peers_until: Mapped[datetime | None]
    """Set while peers vote on it; past this moment, or once they have spoken, it is the moderators'."""
    alerts: Mapped[int] = mapped_column(default=0)
    """How often moderators were told that it waits."""
    example_at: Mapped[datetime | None]
    """Set: shown to newcomers as what good looks like."""

    revisions: Mapped[list[Revision]] = relationship(lazy="raise_on_sql", order_by="Revision.number", viewonly=True)


class Revision(Base):
    """One wording. While a draft it is overwritten by each save and takes a new number; handed in, it is sealed and never changes."""

    __tablename__ = "revision"
    __table_args__ = (UniqueConstraint("reply_id", "number"),)

    id: Mapped[Id]
    brand_id: Mapped[int] = ref("brand.id")
    reply_id: Mapped[int] = ref("reply.id")
    number: Mapped[int]
    text: Mapped[str] = mapped_column(Text)
    """What the writer typed."""
    outgoing: Mapped[str | None] = mapped_column(Text)
    """Exactly what would be published (names, disclosure added); set when sealed, and this is what is approved."""
    outgoing_hash: Mapped[str | None] = mapped_column(String(64))
    checks: Mapped[list[Any]] = mapped_column(default=list)
    by_id: Mapped[int] = ref("user.id")
    saved_at: Mapped[datetime]
    sealed_at: Mapped[datetime | None]


class Wording(Base):
    """What a sealed revision is found by when another's words are compared with it (see `community.moderation.checks.copies`)."""

    __tablename__ = "wording"
    __table_args__ = {"sqlite_with_rowid": False}

    brand_id: Mapped[int] = ref("brand.id", primary_key=True)
    key: Mapped[int] = mapped_column(primary_key=True)
    revision_id: Mapped[int] = ref("revision.id", primary_key=True)


class Posting(Base):
    """The order to post one approved revision, written in the approval's transaction, and what became of it."""

    __tablename__ = "posting"
    __table_args__ = (
        only_where("uq_posting_live", "reply_id", where="state IN ('approved', 'posting', 'queued', 'unknown', 'posted')", unique=True),
        only_where("uq_posting_task", "task_id", "mention_id", where="state IN ('approved', 'posting', 'queued', 'unknown', 'posted')", unique=True),
        UniqueConstraint("revision_id"),
        UniqueConstraint("key"),
        only_where("ix_posting_due", "next_at", where="state IN ('approved', 'posting', 'unknown')"),
        Index("ix_posting_task", "task_id", "id"),
        Index("ix_posting_brand", "brand_id", "id"),
        Index("ix_posting_ext", "account_id", "ext_id"),
    )

    id: Mapped[Id]
    brand_id: Mapped[int] = ref("brand.id")
    task_id: Mapped[int] = ref("task.id")
    mention_id: Mapped[int] = ref("mention.id")
    reply_id: Mapped[int] = ref("reply.id")
    revision_id: Mapped[int] = ref("revision.id")
    account_id: Mapped[int] = ref("channel_account.id")
    path: Mapped[str] = mapped_column(String(8))
    """`api` or `by_hand`."""
    state: Mapped[str] = mapped_column(String(16))
    key: Mapped[str] = mapped_column(String(64))
    """Idempotency key, stable over retries."""
    in_reply_to: Mapped[str] = mapped_column(String(255))
    text: Mapped[str] = mapped_column(Text)
    text_hash: Mapped[str] = mapped_column(String(64))
    voice: Mapped[str] = mapped_column(String(8))
    created_at: Mapped[datetime]
    hold_until: Mapped[datetime]
    next_at: Mapped[datetime | None]
    """When a worker should look again; none while a person has to act."""
    fence: Mapped[int] = mapped_column(default=0)
    """Grows each time a worker takes it; a worker whose number is old may neither post nor save."""
    lease_until: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    first_sent_at: Mapped[datetime | None]
    """When the first request began; from then on its absence on the network must be proved before another."""
    sent_at: Mapped[datetime | None]
    """When the latest request began; an absence counts as proved only after the network's index lag since then."""
    looks: Mapped[int] = mapped_column(default=0)
    """How often the network was asked what became of it."""
    ext_id: Mapped[str | None] = mapped_column(String(255))
    url: Mapped[str | None] = mapped_column(String(2000))
    posted_at: Mapped[datetime | None]
    reason: Mapped[str | None] = mapped_column(String(64))
    detail: Mapped[str | None] = mapped_column(String(1000))
    """In words a moderator can act on."""
