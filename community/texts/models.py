"""A brand's texts."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import Base, Id, only_where, ref


class Snippet(Base):
    """One text in one language. `name` is what somebody types after a slash."""

    __tablename__ = "snippet"
    __table_args__ = (only_where("uq_snippet_name", "brand_id", "name", "lang", where="removed_at IS NULL", unique=True),)

    id: Mapped[Id]
    brand_id: Mapped[int] = ref("brand.id")
    name: Mapped[str] = mapped_column(String(40))
    lang: Mapped[str] = mapped_column(String(16))
    body: Mapped[str] = mapped_column(Text)
    by_id: Mapped[int] = ref("user.id")
    """Who wrote it last."""
    changed_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]
