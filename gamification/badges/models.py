"""A badge given to one person, once."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import Base, BigId, Id, ref


class BadgeGrant(Base):
    __tablename__ = "badge_grant"
    __table_args__ = (UniqueConstraint("user_id", "brand_id", "badge"),)

    id: Mapped[Id]
    brand_id: Mapped[int] = ref("brand.id")
    user_id: Mapped[int] = ref("user.id")
    badge: Mapped[str] = mapped_column(String(32))
    cause_id: Mapped[int] = mapped_column(BigId)
    because: Mapped[str] = mapped_column(String(300))
    at: Mapped[datetime]
