"""How people come to a brand: invitations, applications, and the guidelines they accept."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import Base, Id, only_where, ref


class Invitation(Base):
    """A link to one mailbox, good once: who opens it joins with the role, skills and languages it names."""

    __tablename__ = "invitation"
    __table_args__ = (
        only_where("uq_invitation_live", "brand_id", "email_key", where="state = 'open'", unique=True),
        Index("ix_invitation_brand", "brand_id", "id"),
    )

    id: Mapped[Id]
    brand_id: Mapped[int] = ref("brand.id")
    email: Mapped[str] = mapped_column(String(254))
    email_key: Mapped[str] = mapped_column(String(254))
    name: Mapped[str] = mapped_column(String(120), default="")
    role: Mapped[str] = mapped_column(String(16))
    languages: Mapped[list[Any]] = mapped_column(default=list)
    topics: Mapped[list[Any]] = mapped_column(default=list)
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    state: Mapped[str] = mapped_column(String(16))
    """`open`, `accepted`, `revoked`. Past `ends_at` an open one is good no more, whether or not anybody has closed it."""
    guidelines: Mapped[int | None]
    """The version its reader accepted already, when applying."""
    by_id: Mapped[int | None] = ref("user.id")
    made_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    user_id: Mapped[int | None] = ref("user.id")
    """Who came."""


class Application(Base):
    """A stranger's wish to become an advocate. Nobody sees it before its mailbox is proved."""

    __tablename__ = "application"
    __table_args__ = (
        only_where("uq_application_waiting", "brand_id", "email_key", where="state = 'waiting'", unique=True),
        only_where("ix_application_open", "brand_id", "id", where="state = 'waiting'"),
        Index("ix_application_mailbox", "brand_id", "email_key", "id"),
        Index("ix_application_ends", "state", "ends_at"),
    )

    id: Mapped[Id]
    brand_id: Mapped[int] = ref("brand.id")
    email: Mapped[str] = mapped_column(String(254))
    email_key: Mapped[str] = mapped_column(String(254))
    name: Mapped[str] = mapped_column(String(120))
    languages: Mapped[list[Any]] = mapped_column(default=list)
    topics: Mapped[list[Any]] = mapped_column(default=list)
    answers: Mapped[list[Any]] = mapped_column(default=list)
    """Pairs of the brand's question and the applicant's words."""
    guidelines: Mapped[int | None]
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    state: Mapped[str] = mapped_column(String(16))
    """`unproved`, `waiting`, `approved`, `declined`."""
    made_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    """Unproved: when its link ends. Decided: when its words are forgotten."""
    decided_at: Mapped[datetime | None]
    decided_by_id: Mapped[int | None] = ref("user.id")


class Guidelines(Base):
    """One version of what a brand asks of its advocates."""

    __tablename__ = "guidelines"
    __table_args__ = (UniqueConstraint("brand_id", "version"),)

    id: Mapped[Id]
    brand_id: Mapped[int] = ref("brand.id")
    version: Mapped[int]
    text: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]
    by_id: Mapped[int | None] = ref("user.id")


class Acceptance(Base):
    """A person said yes to one version."""

    __tablename__ = "guidelines_acceptance"
    __table_args__ = (UniqueConstraint("user_id", "brand_id", "version"),)

    id: Mapped[Id]
    brand_id: Mapped[int] = ref("brand.id")
    user_id: Mapped[int] = ref("user.id")
    version: Mapped[int]
    at: Mapped[datetime]
