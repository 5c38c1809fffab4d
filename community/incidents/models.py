"""One thing that many people write about, which posts belong to it, and the answer that is varied for each of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Float, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import Base, Id, only_where, ref


class Incident(Base):
    __tablename__ = "incident"
    __table_args__ = (
        only_where("ix_incident_open", "brand_id", "last_at", where="state = 'open'"),
        Index("ix_incident_brand", "brand_id", "id"),
        Index("ix_incident_leading", "leading_task_id"),
    )

    id: Mapped[Id]
    brand_id: Mapped[int] = ref("brand.id")
    state: Mapped[str] = mapped_column(String(16))
    words: Mapped[dict[str, Any]]
    """What its posts have in common: each word with the share of them that holds it. What one person alone wrote is not among them."""
    leading_task_id: Mapped[int | None] = ref("task.id")
    """Where its answer is written; the other tasks stand under it (`Task.led_by_id`)."""
    authors: Mapped[int]
    """How many people wrote: the one of the leading task, and so many "me too"."""
    mentions: Mapped[int]
    opened_at: Mapped[datetime]
    first_at: Mapped[datetime]
    last_at: Mapped[datetime]
    """When the latest of its posts was written: late-comers attach while that is not long ago."""
    closed_at: Mapped[datetime | None]
    closed_because: Mapped[str | None] = mapped_column(String(32))
    merged_into_id: Mapped[int | None] = ref("incident.id")


class IncidentMention(Base):
    """One post's place in an incident. A post that was taken out by hand keeps its row, so that it isn't gathered again."""

    __tablename__ = "incident_mention"
    __table_args__ = (UniqueConstraint("mention_id"), Index("ix_incident_mention_incident", "incident_id", "id"))

    id: Mapped[Id]
    brand_id: Mapped[int] = ref("brand.id")
    incident_id: Mapped[int] = ref("incident.id")
    mention_id: Mapped[int] = ref("mention.id")
    alike: Mapped[float] = mapped_column(Float)
    """How like the others it was when it joined, 0…1."""
    joined_at: Mapped[datetime]
    left_at: Mapped[datetime | None]
    left_by_id: Mapped[int | None] = ref("user.id")
    came_from_id: Mapped[int | None] = ref("incident.id")
    """The incident it was in before that one was merged into this; undoing the merge sends it back."""


class IncidentAnswer(Base):
    """The words that are varied for each post: one core, and the writer's own openings and closings."""

    __tablename__ = "incident_answer"
    __table_args__ = (only_where("uq_incident_answer_current", "incident_id", where="superseded_at IS NULL", unique=True),)

    id: Mapped[Id]
    brand_id: Mapped[int] = ref("brand.id")
    incident_id: Mapped[int] = ref("incident.id")
    writer_id: Mapped[int] = ref("user.id")
    voice: Mapped[str] = mapped_column(String(8))
    body: Mapped[str] = mapped_column(Text)
    openings: Mapped[list[Any]]
    closings: Mapped[list[Any]]
    lang: Mapped[str] = mapped_column(String(16))
    """Of the post it was written for; posts in another language get words of their own."""
    saved_at: Mapped[datetime]
    handed_in_at: Mapped[datetime | None]
    superseded_at: Mapped[datetime | None]
