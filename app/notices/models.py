"""What a person is told, in the app and by mail."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import Base, BigId, Id, only_where, ref


class Notice(Base):
    __tablename__ = "notice"
    __table_args__ = (
        UniqueConstraint("user_id", "kind", "cause_id"),
        Index("ix_notice_user", "user_id", "id"),
        only_where("ix_notice_unread", "user_id", where="read_at IS NULL"),
        only_where("ix_notice_calls", "brand_id", "cause_id", where="kind = 'fits'"),
        only_where("ix_notice_mail", "mail_id", where="mail_id IS NOT NULL"),
    )

    id: Mapped[Id]
    brand_id: Mapped[int] = ref("brand.id")
    user_id: Mapped[int] = ref("user.id")
    kind: Mapped[str] = mapped_column(String(32))
    cause_id: Mapped[int] = mapped_column(BigId)
    """The event that caused it: the same fact is told once."""
    text: Mapped[str] = mapped_column(String(500))
    quote: Mapped[str | None] = mapped_column(String(500))
    link: Mapped[str] = mapped_column(String(300))
    at: Mapped[datetime]
    read_at: Mapped[datetime | None]
    mail_id: Mapped[int | None] = ref("mail.id")
    """The mail that will tell of it, or has."""
    mail_as: Mapped[str | None] = mapped_column(String(32))
    """The word by which its mail was chosen, where that is another one than `kind`: what its mail is headed with, and what stops it."""


class Mail(Base):
    """One message to one mailbox: an envelope that gathers notices until it leaves, or a letter of its own (an invitation, a link).

    The words are made when it leaves: what was read in the app meanwhile is left out, an empty envelope never leaves, and
    no text of a person is kept here twice. Only a letter's own facts are kept, encrypted, and dropped once it is out.
    """

    __tablename__ = "mail"
    __table_args__ = (
        only_where("uq_mail_gathering", "user_id", "brand_id", "kind", where="state = 'gathering'", unique=True),
        only_where("ix_mail_due", "due_at", where="state IN ('gathering', 'retrying', 'sending')"),
        Index("ix_mail_user", "user_id", "id"),
    )

    id: Mapped[Id]
    kind: Mapped[str] = mapped_column(String(32))
    """`now` and `digest` gather notices; every other is the name of its letter (templates/mail/NAME.txt)."""
    brand_id: Mapped[int | None] = ref("brand.id")
    user_id: Mapped[int | None] = ref("user.id")
    facts: Mapped[str | None] = mapped_column(Text)
    """A letter's address and values, encrypted; none for envelopes, and after it left."""
    state: Mapped[str] = mapped_column(String(16))
    due_at: Mapped[datetime]
    """When it may leave, or be tried again."""
    key: Mapped[str] = mapped_column(String(64), unique=True)
    """Makes its Message-ID: the same for every try, so that a mailbox can tell a second copy."""
    attempts: Mapped[int] = mapped_column(default=0)
    fence: Mapped[int] = mapped_column(default=0)
    """Counted up with each take; who was overtaken can't save any more."""
    made_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    error: Mapped[str | None] = mapped_column(String(300))
