"""What a person said about a post, one row each."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, String, UniqueConstraint
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
