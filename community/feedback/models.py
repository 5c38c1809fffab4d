"""What the author thought of the help, read from their next post."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import Base, Id, ref


class FollowUp(Base):
    """The reading of one post that came after our answer."""

    __tablename__ = "follow_up"
    __table_args__ = (Index("ix_follow_up_writer", "writer_id", "brand_id", "id"), Index("ix_follow_up_task", "task_id"))

    id: Mapped[Id]
    brand_id: Mapped[int] = ref("brand.id")
    task_id: Mapped[int] = ref("task.id")
    reply_id: Mapped[int] = ref("reply.id")
    writer_id: Mapped[int] = ref("user.id")
    mention_id: Mapped[int] = ref("mention.id", unique=True)
    reading: Mapped[str] = mapped_column(String(16))
    """`thanks`, `stuck`, `angrier`, `other`."""
    at: Mapped[datetime]
