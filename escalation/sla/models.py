"""Promised times, and the clock of one promise on one case."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import Base, Id, only_where, ref


class SlaPolicy(Base):
    """How long a brand allows itself for one promise, by tier; the urgent have a time of their own."""

    __tablename__ = "sla_policy"
    __table_args__ = (UniqueConstraint("brand_id", "tier", "promise"),)

    id: Mapped[Id]
    brand_id: Mapped[int] = ref("brand.id")
    tier: Mapped[str] = mapped_column(String(8))
    promise: Mapped[str] = mapped_column(String(16))
    minutes: Mapped[int]
    urgent_minutes: Mapped[int]


class SlaClock(Base):
    __tablename__ = "sla_clock"
    __table_args__ = (
        UniqueConstraint("case_id", "promise"),
        only_where("ix_sla_clock_due", "due_at", where="met_at IS NULL AND missed_at IS NULL"),
    )

    id: Mapped[Id]
    brand_id: Mapped[int] = ref("brand.id")
    case_id: Mapped[int] = ref("case.id")
    promise: Mapped[str] = mapped_column(String(16))
    """`first_response`: from the mention's arrival to our first posted reply."""
    started_at: Mapped[datetime]
    minutes: Mapped[int]
    due_at: Mapped[datetime]
    met_at: Mapped[datetime | None]
    missed_at: Mapped[datetime | None]
    """When the miss was noticed and told; the promise may still be met late (`met_at` after `due_at`)."""
