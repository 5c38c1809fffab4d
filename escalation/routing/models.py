"""A brand's own lines for the routing policy, a row for each version."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import Base, Id, only_where, ref

CURRENT = "superseded_at IS NULL"


class BrandLines(Base):
    """Nothing is overwritten: going back is a newer row with older numbers."""

    __tablename__ = "brand_lines"
    __table_args__ = (
        only_where("uq_brand_lines_current", "brand_id", where=CURRENT, unique=True),
        UniqueConstraint("brand_id", "version"),
    )

    id: Mapped[Id]
    brand_id: Mapped[int] = ref("brand.id")
    version: Mapped[int]
    lines: Mapped[dict[str, Any]]
    """`{signal: {"low", "high", "cost"}}`"""
    reason: Mapped[str | None] = mapped_column(String(300))
    by_id: Mapped[int] = ref("user.id")
    at: Mapped[datetime]
    superseded_at: Mapped[datetime | None]
    rehearsal: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """What the rehearsal said when it went live."""
