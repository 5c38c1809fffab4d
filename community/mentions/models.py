"""Outside posts as received, the conversations they form, and each decision about who should answer."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Float, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.kernel.db import Base, BigId, Id, only_where, ref
from community.channels.models import ChannelAccount


class Conversation(Base):
    """The mentions and posted replies that belong to one thread of one channel account."""

    __tablename__ = "conversation"
    __table_args__ = (UniqueConstraint("account_id", "root_ext_id"),)

    id: Mapped[Id]
    brand_id: Mapped[int] = ref("brand.id")
    account_id: Mapped[int] = ref("channel_account.id")
    root_ext_id: Mapped[str] = mapped_column(String(255))
    """The topmost post we know of; it may not have reached us yet (a child came before its parent)."""
    last_at: Mapped[datetime]
    merged_into_id: Mapped[int | None] = ref("conversation.id")


class Mention(Base):
    """One post, kept as received. Our own posted replies are kept here too (`by_brand`), so that answers to them find their thread."""

    __tablename__ = "mention"
    __table_args__ = (
        UniqueConstraint("account_id", "ext_id"),
        Index("ix_mention_conversation", "conversation_id", "posted_at", "id"),
        Index("ix_mention_brand", "brand_id", "id"),
        Index("ix_mention_author", "account_id", "author_ext_id", "id"),
        Index("ix_mention_parent", "account_id", "parent_ext_id"),
    )

    id: Mapped[Id]
    brand_id: Mapped[int] = ref("brand.id")
    account_id: Mapped[int] = ref("channel_account.id")
    ext_id: Mapped[str] = mapped_column(String(255))
    conversation_id: Mapped[int] = ref("conversation.id")
    parent_ext_id: Mapped[str | None] = mapped_column(String(255))
    author_ext_id: Mapped[str | None] = mapped_column(String(255))
    author_handle: Mapped[str | None] = mapped_column(String(255))
    author_name: Mapped[str | None] = mapped_column(String(255))
    followers: Mapped[int | None]
    text: Mapped[str] = mapped_column(Text)
    lang: Mapped[str] = mapped_column(String(16))
    url: Mapped[str | None] = mapped_column(String(2000))
    kind: Mapped[str] = mapped_column(String(16))
    private: Mapped[bool]
    by_brand: Mapped[bool]
    posted_at: Mapped[datetime]
    received_at: Mapped[datetime]
    gone_at: Mapped[datetime | None]
    """Deleted on the network; the text is redacted, the row stays as proof."""
    edited_at: Mapped[datetime | None]
    """When we learned that its author had changed it; the text is the new one. A reply approved before that is not posted."""
    reply_ref: Mapped[dict[str, Any]]
    summons: Mapped[list[Any]]
    raw: Mapped[dict[str, Any]] = mapped_column(deferred=True)
    posting_id: Mapped[int | None] = mapped_column(BigId)
    """The posting whose post this is, when it is a reply of ours. No foreign key: postings point here already."""

    account: Mapped[ChannelAccount] = relationship(lazy="raise_on_sql")
    decision: Mapped[Decision | None] = relationship(
        lazy="raise_on_sql", uselist=False, viewonly=True, primaryjoin="and_(Mention.id == Decision.mention_id, Decision.superseded_at.is_(None))"
    )

    @property
    def author(self) -> str:
        """The author as people say it: the handle with @, else the name."""
        if self.author_handle:
            return self.author_handle if self.author_handle.startswith("@") else f"@{self.author_handle}"
        return self.author_name or "somebody"


class Decision(Base):
    """Who should answer one mention, and why. A correction supersedes the one before; a human's is a label."""

    __tablename__ = "decision"
    __table_args__ = (
        only_where("uq_decision_current", "mention_id", where="superseded_at IS NULL", unique=True),
        only_where("ix_decision_triage", "brand_id", "at", where="superseded_at IS NULL AND audience = 'triage'"),
        Index("ix_decision_mention", "mention_id", "id"),
    )

    id: Mapped[Id]
    brand_id: Mapped[int] = ref("brand.id")
    mention_id: Mapped[int] = ref("mention.id")
    at: Mapped[datetime]
    audience: Mapped[str] = mapped_column(String(16))
    priority: Mapped[int]
    kind: Mapped[str] = mapped_column(String(16))
    anger: Mapped[float] = mapped_column(Float)
    technical: Mapped[float] = mapped_column(Float)
    spam: Mapped[float] = mapped_column(Float)
    urgency: Mapped[float] = mapped_column(Float)
    sentiment: Mapped[float] = mapped_column(Float)
    category: Mapped[str] = mapped_column(String(32))
    tags: Mapped[list[Any]]
    reasons: Mapped[list[Any]]
    """`[{"text", "points", "rule"}]`: the visible sum."""
    words: Mapped[list[Any]]
    """`[[signal, start, end, weight]]`: offsets into the mention's text."""
    policy: Mapped[str] = mapped_column(String(64))
    classifier: Mapped[str] = mapped_column(String(64))
    by_id: Mapped[int | None] = ref("user.id")
    """The person who corrected the machine; none when the machine decided."""
    superseded_at: Mapped[datetime | None]

    def corrected(self, audience: str, reason: dict[str, Any], at: datetime, by_id: int | None = None) -> Decision:
        """The decision that takes this one's place: the same signals, another audience, one reason more."""
        same = ("brand_id", "mention_id", "priority", "kind", "anger", "technical", "spam", "urgency", "sentiment", "category", "tags", "words")
        kept = {name: getattr(self, name) for name in (*same, "policy", "classifier")}
        return Decision(**kept, at=at, audience=audience, reasons=[*self.reasons, reason], by_id=by_id)
