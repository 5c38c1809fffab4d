"""The ledger: append-only, every entry naming the event that caused it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import Base, BigId, Id, ref


class LedgerEntry(Base):
    """Points given or taken back. The unique cause makes a second award for the same fact impossible."""

    __tablename__ = "ledger_entry"
    __table_args__ = (
        UniqueConstraint("cause_id", "rule", "user_id"),
        Index("ix_ledger_entry_user", "user_id", "brand_id", "id"),
        Index("ix_ledger_entry_board", "brand_id", "at"),
        Index("ix_ledger_entry_subject", "subject"),
    )

    id: Mapped[Id]
    brand_id: Mapped[int] = ref("brand.id")
    user_id: Mapped[int] = ref("user.id")
    cause_id: Mapped[int] = mapped_column(BigId)
    """The event's id in the outbox. No foreign key: events are pruned, the ledger stays."""
    rule: Mapped[str] = mapped_column(String(32))
    points: Mapped[int]
    reasons: Mapped[list[Any]]
    """`[{"text", "points"}]`: the sum, line by line."""
    subject: Mapped[str] = mapped_column(String(64))
    """What it was for: `reply:12`."""
    reverses_id: Mapped[int | None] = ref("ledger_entry.id", unique=True)
    at: Mapped[datetime]
