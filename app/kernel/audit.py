"""Who did what, when, why: written with the act, in its transaction.

Rows hold ids and hashes, never names or texts, so that erasing a person leaves the chain whole. A sealer
chains fresh rows within seconds (`seal`), so writers never queue behind one another; `verify` recomputes the chain.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import Index, String, select, update
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel import clock
from app.kernel.db import Base, BigId, Id, db, only_where


class Person(Protocol):
    @property
    def id(self) -> Any: ...


class AuditEntry(Base):
    __tablename__ = "audit_entry"

    id: Mapped[Id]
    at: Mapped[datetime]
    brand_id: Mapped[int | None] = mapped_column(BigId)
    actor_id: Mapped[int | None] = mapped_column(BigId)
    """The person; none when a named rule or the clock acted."""
    action: Mapped[str] = mapped_column(String(64))
    subject: Mapped[str] = mapped_column(String(64))
    """`task:12`"""
    reason: Mapped[str | None] = mapped_column(String(500))
    """The reason code or rule, never free text of a person."""
    details: Mapped[dict[str, Any]]
    place: Mapped[int | None] = mapped_column(BigId)
    """Its place in the chain, given by the sealer: ids may commit out of order."""
    seal: Mapped[str | None] = mapped_column(String(64))

    __table_args__ = (
        Index("ix_audit_entry_subject", "subject", "id"),
        Index("ix_audit_entry_brand_id", "brand_id", "id"),
        Index("uq_audit_entry_place", "place", unique=True),
        only_where("ix_audit_entry_unsealed", "id", where="place IS NULL"),
    )


def audit(action: str, row: Any, *, by: Person | None, reason: str | None = None, brand_id: int | None = None, **details: Any) -> None:
    """Note an act on a row in the caller's transaction. `details` hold ids, numbers, codes and hashes only."""
    db.session.add(
        AuditEntry(
            at=clock.now(),
            brand_id=brand_id if brand_id is not None else getattr(row, "brand_id", None),
            actor_id=by.id if by is not None else None,
            action=action,
            subject=f"{row.__tablename__}:{row.id}",
            reason=reason[:500] if reason else None,
            details=details,
        )
    )


def seal(limit: int = 5_000) -> int:
    """Chain the fresh rows after the last sealed one; returns how many. One sealer at a time: the unique place settles a race."""
    with db.transaction() as session:
        last = session.execute(
            select(AuditEntry.place, AuditEntry.seal).where(AuditEntry.place.is_not(None)).order_by(AuditEntry.place.desc()).limit(1)
        ).first()
        place, chain = (last[0] or 0, last[1] or "") if last else (0, "")
        fresh = session.scalars(
            select(AuditEntry).where(AuditEntry.place.is_(None)).order_by(AuditEntry.id).limit(limit).with_for_update(skip_locked=True)
        ).all()
        rows = []
        for entry in fresh:
            place += 1
            chain = _link(chain, place, entry)
            rows.append({"id": entry.id, "place": place, "seal": chain})
        if rows:
            session.execute(update(AuditEntry), rows)
    return len(rows)


@dataclass(frozen=True)
class Verdict:
    sealed: int
    unsealed: int
    broken: tuple[str, ...]


def verify() -> Verdict:
    """Walk the chain from its start. `broken` names each place that is missing, changed or swapped."""
    broken: list[str] = []
    expected, chain, sealed = 1, "", 0
    with db.transaction(read_only=True) as session:
        for entry in session.scalars(select(AuditEntry).where(AuditEntry.place.is_not(None)).order_by(AuditEntry.place).execution_options(yield_per=1000)):
            place = entry.place or 0
            while expected < place:
                broken.append(f"place {expected} is missing")
                expected += 1
            chain = _link(chain, place, entry)
            if chain != entry.seal:
                broken.append(f"place {place} was changed (entry {entry.id})")
                chain = entry.seal or ""
            sealed += 1
            expected = place + 1
        unsealed = len(session.scalars(select(AuditEntry.id).where(AuditEntry.place.is_(None))).all())
    return Verdict(sealed, unsealed, tuple(broken))


def _link(before: str, place: int, e: AuditEntry) -> str:
    body = json.dumps(
        [before, place, e.id, e.at.isoformat(), e.brand_id, e.actor_id, e.action, e.subject, e.reason, e.details], sort_keys=True, separators=(",", ":")
    )
    return hashlib.sha256(body.encode()).hexdigest()
