"""What people say about posts, the runs that learn from it, and how posts drift away from what was learned."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Float, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import Base, Id, only_where, ref


class Label(Base):
    """One person's word on one post. A None means: nothing was said about that."""

    __tablename__ = "label"
    __table_args__ = (
        UniqueConstraint("mention_id", "user_id"),
        only_where("uq_label_outcome", "mention_id", where="user_id IS NULL", unique=True),
        Index("ix_label_brand", "brand_id", "id"),
        Index("ix_label_person", "user_id", "brand_id", "id"),
    )

    id: Mapped[Id]
    brand_id: Mapped[int] = ref("brand.id")
    mention_id: Mapped[int] = ref("mention.id")
    user_id: Mapped[int | None] = ref("user.id")
    """None where nobody said it: what the author did afterwards says it (source `outcome`)."""
    source: Mapped[str] = mapped_column(String(16))
    """Where it comes from: a key of `evidence.WEIGHTS`, or `skipped`: the person was asked and did not want to say."""
    angry: Mapped[bool | None]
    technical: Mapped[bool | None]
    service_related: Mapped[bool | None]
    audience: Mapped[str | None] = mapped_column(String(16))
    """Who should answer, where the person decided that."""
    drawn: Mapped[str | None] = mapped_column(String(16))
    """Why the labelling page asked: `unsure`, `random`, `second`. Only `random` ones say how common a thing is."""
    at: Mapped[datetime]


class LearningRun(Base):
    """One try to learn from the brand's labels: fitted, measured against what is live, watched in shadow, put live or not."""

    __tablename__ = "learning_run"
    __table_args__ = (
        only_where("uq_learning_run_under_way", "brand_id", where="state IN ('queued', 'fitting')", unique=True),
        only_where("uq_learning_run_shadow", "brand_id", where="state = 'shadow'", unique=True),
        Index("ix_learning_run_brand", "brand_id", "id"),
        only_where("ix_learning_run_alive", "state", where="state IN ('queued', 'fitting', 'shadow')"),
    )

    id: Mapped[Id]
    brand_id: Mapped[int] = ref("brand.id")
    state: Mapped[str] = mapped_column(String(16))
    by_id: Mapped[int | None] = ref("user.id")
    """Who asked for it; nobody when the clock did."""
    at: Mapped[datetime]
    step: Mapped[str] = mapped_column(String(64))
    """What it does just now, in words."""
    done: Mapped[int]
    """Percent."""
    beat_at: Mapped[datetime]
    """When it last said so; a run that has been silent too long has died."""
    ended_at: Mapped[datetime | None]
    model_id: Mapped[int | None] = ref("brand_model.id")
    figures: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Labels taken and left out, champion and challenger on the test set, the baseline for drift."""
    because: Mapped[str | None] = mapped_column(String(500))
    """Why it was refused, failed, or put live."""
    shadow_until: Mapped[datetime | None]
    shadow_seen: Mapped[int]
    """The newest post both have decided."""
    shadow: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Counts: posts, changed, and by audience what each would do."""


class ShadowDifference(Base):
    """A post the challenger would have sent elsewhere."""

    __tablename__ = "shadow_difference"
    __table_args__ = (UniqueConstraint("run_id", "mention_id"),)

    id: Mapped[Id]
    brand_id: Mapped[int] = ref("brand.id")
    run_id: Mapped[int] = ref("learning_run.id")
    mention_id: Mapped[int] = ref("mention.id")
    was: Mapped[str] = mapped_column(String(16))
    would: Mapped[str] = mapped_column(String(16))
    anger: Mapped[float] = mapped_column(Float)
    technical: Mapped[float] = mapped_column(Float)


class DriftWeek(Base):
    """How the posts of a week were scored, and how far that is from when the model was learned."""

    __tablename__ = "drift_week"
    __table_args__ = (UniqueConstraint("brand_id", "week"),)

    id: Mapped[Id]
    brand_id: Mapped[int] = ref("brand.id")
    week: Mapped[str] = mapped_column(String(8))
    """`2026-W47`"""
    figures: Mapped[dict[str, Any]]
    drifted: Mapped[bool]
