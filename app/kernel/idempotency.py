"""Doing once what is asked twice: a program that lost our answer sends its request again under the same key.

The answer is kept in the transaction of the effect, so that there are either both or neither. While one request of a
key runs, another of the same key is refused on PostgreSQL; on SQLite it waits for the one writer and is answered
like the first.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Index, String, Text, UniqueConstraint, delete, select, text
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel import clock
from app.kernel.db import Base, Id, db, ref
from app.kernel.errors import Conflict, Invalid

KEPT_FOR = timedelta(hours=24)
"""Nobody retries longer; after that a key may be used anew."""
KEY_LIMIT = 255


class KeptAnswer(Base):
    """What a person's request with a key was answered. A refusal changed nothing and is not kept."""

    __tablename__ = "kept_answer"
    __table_args__ = (UniqueConstraint("user_id", "key"), Index("ix_kept_answer_at", "at"))

    id: Mapped[Id]
    user_id: Mapped[int] = ref("user.id")
    key: Mapped[str] = mapped_column(String(KEY_LIMIT))
    request_hash: Mapped[str] = mapped_column(String(64))
    """Of method, path and body: a key stands for one request."""
    status: Mapped[int]
    body: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]


@dataclass(frozen=True, slots=True)
class Request:
    """One request under a key of one person."""

    user_id: int
    key: str
    request_hash: str

    @classmethod
    def of(cls, user_id: int, key: str, *parts: str) -> Request:
        """`parts`: method, path and body, each told apart from the next."""
        return cls(user_id, key, hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest())


def answered(request: Request) -> KeptAnswer | None:
    """What it was answered before, to be said again. In the transaction of the effect, before it.

    Raises Invalid when the key stands for another request, Conflict while the first one still runs.
    """
    if db.is_postgres:
        lock = int.from_bytes(hashlib.blake2b(f"{request.user_id}:{request.key}".encode(), digest_size=8).digest(), signed=True)
        if not db.session.scalar(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": lock}):
            raise Conflict("A request with this Idempotency-Key is still running. Ask again in a moment.", retry_after=1)
    kept = db.session.scalar(select(KeptAnswer).where(KeptAnswer.user_id == request.user_id, KeptAnswer.key == request.key))
    if kept is None:
        return None
    if kept.request_hash != request.request_hash:
        raise Invalid("This Idempotency-Key was used for another request. A new request needs a new key.", field="Idempotency-Key")
    return kept


def keep(request: Request, status: int, body: str) -> None:
    """Keep the answer beside the effect."""
    db.session.add(KeptAnswer(user_id=request.user_id, key=request.key, request_hash=request.request_hash, status=status, body=body, at=clock.now()))


def prune() -> int:
    """Forget old answers; returns how many."""
    with db.transaction() as session:
        done = session.execute(delete(KeptAnswer).where(KeptAnswer.at < clock.now() - KEPT_FOR))
    return int(done.rowcount)  # type: ignore[attr-defined]
