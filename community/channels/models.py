"""One connected identity on a network, and the deliveries it has already taken."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String, Text, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import Base, Id, ref


class ChannelAccount(Base):
    """A brand's account on a channel. `name` is what import lines, commands and people call it."""

    __tablename__ = "channel_account"
    __table_args__ = (UniqueConstraint("brand_id", "name"),)

    id: Mapped[Id]
    brand_id: Mapped[int] = ref("brand.id")
    kind: Mapped[str] = mapped_column(String(32))
    name: Mapped[str] = mapped_column(String(80))
    settings: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """What may be shown: addresses, handles, limits. Never a secret."""
    secrets: Mapped[str | None] = mapped_column(Text)
    """Tokens and signing secrets, encrypted with a key that is not in the database."""
    hook_token_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    cursor: Mapped[str | None] = mapped_column(Text)
    """How far listening has come; moved only together with the posts it covers."""
    is_default: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Where import lines that name no channel go."""
    listen_only: Mapped[bool] = mapped_column(default=False, server_default=false())
    posting_stopped_at: Mapped[datetime | None]
    """The stop switch: set, no posting of this account starts."""
    paused_reason: Mapped[str | None] = mapped_column(String(500))
    """Why listening rests (a revoked token, no credit), in words for the admin."""
    listen_lease_until: Mapped[datetime | None]
    listen_lease_by: Mapped[str | None] = mapped_column(String(80))
    created_at: Mapped[datetime]

    def __repr__(self) -> str:
        return f"<ChannelAccount {self.id} {self.kind} {self.name!r}>"


class InboundEvent(Base):
    """A signed delivery we have taken, so that its replay stores nothing new."""

    __tablename__ = "inbound_event"
    __table_args__ = (UniqueConstraint("account_id", "event_id"), Index("ix_inbound_event_at", "at"))

    id: Mapped[Id]
    account_id: Mapped[int] = ref("channel_account.id")
    event_id: Mapped[str] = mapped_column(String(255))
    at: Mapped[datetime]
