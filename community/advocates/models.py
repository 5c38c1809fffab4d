"""A person as an advocate of one brand."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import Base, Id, ref


class Advocate(Base):
    __tablename__ = "advocate"
    __table_args__ = (UniqueConstraint("user_id", "brand_id"),)

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
    on_boards: Mapped[bool] = mapped_column(default=True)
    joined_at: Mapped[datetime]
