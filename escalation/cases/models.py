"""The record of a task that moved up to employees, until it is resolved."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.kernel.db import Base, Id, only_where, ref
from community.tasks.models import Task

WANTED = "state IN ('open', 'assigned', 'reopened')"
"""Cases that want one of us, as SQL: the condition of the lists' indexes, word for word, so that they are used."""
WAITING = "state = 'waiting'"
RESOLVED = "state = 'resolved'"
UNSETTLED = "state != 'resolved'"


class Case(Base):
    __tablename__ = "case"
    __table_args__ = (
        only_where("ix_case_wanted", "brand_id", "turn_at", "id", where=WANTED),
        only_where("ix_case_wanted_tier", "brand_id", "tier", "turn_at", "id", where=WANTED),
        only_where("ix_case_waiting", "brand_id", "turn_at", "id", where=WAITING),
        Index("ix_case_brand", "brand_id", "id"),
        only_where("ix_case_resolved", "brand_id", "turn_at", "id", where=RESOLVED),
        only_where("ix_case_mine", "brand_id", "assignee_id", "turn_at", "id", where=UNSETTLED),
    )

    id: Mapped[Id]
    brand_id: Mapped[int] = ref("brand.id")
    task_id: Mapped[int] = ref("task.id", unique=True)
    """One case a task; when the author comes back the same case reopens."""
    state: Mapped[str] = mapped_column(String(16))
    tier: Mapped[str] = mapped_column(String(8))
    priority: Mapped[int]
    because: Mapped[str] = mapped_column(String(64))
    assignee_id: Mapped[int | None] = ref("user.id")
    opened_at: Mapped[datetime]
    turn_at: Mapped[datetime]
    """Its place in the list: the promise's end while one runs, else the moment the author came back (or, waiting or resolved, since when)."""
    waiting_since: Mapped[datetime | None]
    resolved_at: Mapped[datetime | None]
    outcome: Mapped[str | None] = mapped_column(String(32))
    reopened: Mapped[int] = mapped_column(default=0)

    task: Mapped[Task] = relationship(lazy="raise_on_sql")


class CaseEntry(Base):
    """One line of a case's private history: a note, a hand-over, an assignment. Never shown to advocates."""

    __tablename__ = "case_entry"
    __table_args__ = (Index("ix_case_entry_case", "case_id", "id"),)

    id: Mapped[Id]
    brand_id: Mapped[int] = ref("brand.id")
    case_id: Mapped[int] = ref("case.id")
    kind: Mapped[str] = mapped_column(String(16))
    """`opened`, `assigned`, `note`, `handed_up`, `handed_down`, `handed_back`, `missed`, `waiting`, `resolved`, `reopened`."""
    by_id: Mapped[int | None] = ref("user.id")
    text: Mapped[str | None] = mapped_column(Text)
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)
    at: Mapped[datetime]
