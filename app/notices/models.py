"""What a person is told, in the app."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import Base, BigId, Id, only_where, ref


class Notice(Base):
    __tablename__ = "notice"
    __table_args__ = (
        UniqueConstraint("user_id", "kind", "cause_id"),
        Index("ix_notice_user", "user_id", "id"),
        only_where("ix_notice_unread", "user_id", where="read_at IS NULL"),
    )

    id: Mapped[Id]
    brand_id: Mapped[int] = ref("brand.id")
    user_id: Mapped[int] = ref("user.id")
    kind: Mapped[str] = mapped_column(String(32))
    cause_id: Mapped[int] = mapped_column(BigId)
    """The event that caused it: the same fact is told once."""
    text: Mapped[str] = mapped_column(String(500))
    quote: Mapped[str | None] = mapped_column(String(500))
    link: Mapped[str] = mapped_column(String(300))
    at: Mapped[datetime]
    read_at: Mapped[datetime | None]
