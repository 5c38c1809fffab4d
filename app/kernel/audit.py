"""Who did what, when, why: written with the act, in its transaction.

Rows hold ids and hashes, never names or texts, so that erasing a person leaves the chain whole. A sealer
chains fresh rows within seconds (`seal`), so writers never queue behind one another; `verify` recomputes the chain.
Where the chain ends is kept apart, under the installation's key, so that rows taken from its end are missed as well.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import Index, String, Text, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.kernel import clock, crypto
from app.kernel.db import Base, BigId, Id, db, only_where

PURPOSE = "audit end"
"""Keeps other encrypted values of the installation from standing in for this one."""
READ_AT_ONCE = 1_000


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


class AuditEnd(Base):
    """The last place of the chain and its seal; one row, written with every sealing."""

    __tablename__ = "audit_end"

    id: Mapped[Id]
    signed: Mapped[str] = mapped_column(Text)
    """Readable and writable only with the installation's key."""


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
        end = session.get(AuditEnd, 1, with_for_update=True)
        last = session.execute(
            select(AuditEntry.place, AuditEntry.seal).where(AuditEntry.place.is_not(None)).order_by(AuditEntry.place.desc()).limit(1)
        ).first()
        place, chain = found = (last[0] or 0, last[1] or "") if last else (0, "")
        known = _read(end)
        if known is not None and known[0] >= place:
            place, chain = known
        elif known is not None or found != (0, ""):
            # The end does not fit what is there: a place is left out, so that `verify` tells of it from now on.
            place += 1
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
            if end is None:
                end = AuditEnd(id=1)
                session.add(end)
            end.signed = crypto.encrypt(f"{PURPOSE}:{place}:{chain}")
    return len(rows)


@dataclass(frozen=True)
class Verdict:
    sealed: int
    unsealed: int
    broken: tuple[str, ...]


def verify() -> Verdict:
    """Walk the chain from its start to where it is known to end. `broken` names each place that is missing, changed or swapped."""
    broken: list[str] = []
    expected, chain, sealed, at_end = 1, "", 0, ""
    with db.transaction(read_only=True) as session:
        end = session.get(AuditEnd, 1)
        known = _read(end)
        for entry in _sealed_entries(session):
            place = entry.place or 0
            while expected < place:
                broken.append(f"place {expected} is missing")
                expected += 1
            chain = _link(chain, place, entry)
            if chain != entry.seal:
                broken.append(f"place {place} was changed (entry {entry.id})")
                chain = entry.seal or ""
            if known is not None and place == known[0]:
                at_end = chain
            sealed += 1
            expected = place + 1
        if known is None and (end is not None or sealed):
            broken.append("the end of the chain is not known: its signature is missing or was not made with this installation's VOUCH_SECRET_KEY")
        elif known is not None and known[0] >= expected:
            broken.append(f"place {expected} is missing" if known[0] == expected else f"places {expected} to {known[0]} are missing")
        elif known is not None and at_end != known[1]:
            broken.append(f"place {known[0]} is not the one that was sealed there")
        unsealed = len(session.scalars(select(AuditEntry.id).where(AuditEntry.place.is_(None))).all())
    return Verdict(sealed, unsealed, tuple(broken))


def _sealed_entries(session: Session) -> Iterator[AuditEntry]:
    """Every entry of the chain in its order, READ_AT_ONCE held in memory at a time."""
    after = None
    while True:
        later = AuditEntry.place > after if after is not None else AuditEntry.place.is_not(None)
        entries = session.scalars(select(AuditEntry).where(later).order_by(AuditEntry.place).limit(READ_AT_ONCE)).all()
        yield from entries
        if len(entries) < READ_AT_ONCE:
            return
        after = entries[-1].place
        session.expunge_all()


def _read(end: AuditEnd | None) -> tuple[int, str] | None:
    """Place and seal; none where nothing is kept, or not by us."""
    if end is None:
        return None
    try:
        purpose, place, chain = crypto.decrypt(end.signed).split(":")
    except (crypto.WrongKey, ValueError):
        return None
    return (int(place), chain) if purpose == PURPOSE else None


def _link(before: str, place: int, e: AuditEntry) -> str:
    body = json.dumps(
        [before, place, e.id, e.at.isoformat(), e.brand_id, e.actor_id, e.action, e.subject, e.reason, e.details], sort_keys=True, separators=(",", ":")
    )
    return hashlib.sha256(body.encode()).hexdigest()
