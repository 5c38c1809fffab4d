"""What a brand taught its classifier, kept where every process of every machine finds it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import Base, Id, only_where, ref

LIVE = "state = 'live'"


class BrandModel(Base):
    """One second stage of one brand. Its artefact never changes; its state does (`states.MODEL`)."""

    __tablename__ = "brand_model"
    __table_args__ = (
        only_where("uq_brand_model_live", "brand_id", where=LIVE, unique=True),
        Index("ix_brand_model_brand", "brand_id", "id"),
    )

    id: Mapped[Id]
    brand_id: Mapped[int] = ref("brand.id")
    version: Mapped[str] = mapped_column(String(16))
    """As decisions name it; the same labels on the same start model give the same."""
    start: Mapped[str] = mapped_column(String(32))
    """The version of the start model it was learned on; on another one it still holds, a little less well."""
    state: Mapped[str] = mapped_column(String(16))
    artefact: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    sha256: Mapped[str] = mapped_column(String(64))
    """Of the artefact, so that it is read anew only when it is another one."""
    figures: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """How many labels it saw, and what was measured before it went live."""
    made_at: Mapped[datetime]
    live_at: Mapped[datetime | None]
    """When it was last put live."""
    by_id: Mapped[int | None] = ref("user.id")
    """Who asked for it; nobody for one that the clock made."""
