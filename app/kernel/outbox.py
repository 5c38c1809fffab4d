"""Facts stored with the change that made them, delivered at least once, taking effect exactly once.

`record` writes the event and one open delivery per subscriber in the caller's transaction. After the commit a
job per subscriber is queued; a sweep queues whatever is still open, so an emptied Redis loses nothing. Each
subscriber's effect commits together with the closing of its own delivery row.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import String, delete, func, insert, select, update
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel import clock
from app.kernel.db import Base, BigId, Id, db, only_where, ref
from app.kernel.events import Event, rebuild
from app.kernel.outage import complain
from app.kernel.queue import enqueue, job, marked, unmark

log = logging.getLogger(__name__)

BATCH = 100
ASKED_FOR = 30
"""Seconds for which a queued job is trusted to come: meanwhile no other is queued for the same subscriber, however many facts follow one another."""
KEEP = timedelta(days=90)
"""Events older than this whose deliveries are all closed are dropped; the ledger and the audit log keep what must last."""
ATTEMPTS = 12
"""After so many failures a delivery rests until somebody looks; it stays in the table and is counted as stuck."""


class OutboxEvent(Base):
    __tablename__ = "event"

    id: Mapped[Id]
    brand_id: Mapped[int] = mapped_column(BigId)
    name: Mapped[str] = mapped_column(String(64))
    payload: Mapped[dict[str, Any]]
    at: Mapped[datetime] = mapped_column(index=True)


class Delivery(Base):
    """One subscriber's duty towards one event."""

    __tablename__ = "delivery"
    __table_args__ = (only_where("ix_delivery_open", "subscriber", "event_id", where="done_at IS NULL"),)

    event_id: Mapped[int] = ref("event.id", primary_key=True)
    subscriber: Mapped[str] = mapped_column(String(64), primary_key=True)
    done_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0, server_default="0")
    next_at: Mapped[datetime | None]
    error: Mapped[str | None] = mapped_column(String(500))


Handler = Callable[[Event, int], None]
_SUBSCRIBERS: dict[str, tuple[frozenset[str], Handler]] = {}


def subscribe(name: str, kinds: list[type[Event]], handler: Handler) -> None:
    """`handler(event, event_id)` runs once for each event of these kinds. `name` is stored: never rename one lightly."""
    _SUBSCRIBERS[name] = (frozenset(kind.__name__ for kind in kinds), handler)


def record(event: Event) -> int:
    """Store the fact in the caller's transaction; returns its id, the cause that ledger entries name."""
    row = OutboxEvent(brand_id=event.brand_id, name=event.name, payload=event.payload(), at=clock.now())
    db.session.add(row)
    db.session.flush()
    waiting = [name for name, (kinds, _) in _SUBSCRIBERS.items() if event.name in kinds]
    if waiting:
        db.session.execute(insert(Delivery), [{"event_id": row.id, "subscriber": name, "attempts": 0} for name in waiting])
        for name in waiting:
            db.after_commit(lambda name=name, first=row.id: _ask_for(name, first), key=("deliver", name))  # type: ignore[misc]
    return row.id


@job(queue="default")
def deliver(subscriber: str, _first: int) -> None:
    """Handle every open delivery of one subscriber, each in a transaction of its own, oldest first."""
    if subscriber not in _SUBSCRIBERS:
        return
    # Before anything is read: what is committed from here on asks for a job of its own.
    unmark(_asked_for(subscriber))
    while True:
        with db.transaction(read_only=True) as session:
            due = session.scalars(_open(subscriber).limit(BATCH)).all()
        if not due:
            return
        if not any([_handle(subscriber, event_id) for event_id in due]):
            return


def sweep_deliveries() -> int:
    """Queue a job for every subscriber with open deliveries; returns how many subscribers had any."""
    count = 0
    for name in _SUBSCRIBERS:
        with db.transaction(read_only=True) as session:
            first = session.scalar(_open(name).limit(1))
        if first is not None:
            count += 1
            _queue(name, first)
    return count


def prune(older_than: timedelta = KEEP) -> int:
    """Drop old events whose deliveries are all closed; returns how many."""
    edge = clock.now() - older_than
    with db.transaction() as session:
        open_ids = select(Delivery.event_id).where(Delivery.done_at.is_(None))
        # The newest stays: SQLite would give its number to the next event, and ledger and notices know causes by number.
        newest = select(func.max(OutboxEvent.id)).scalar_subquery()
        old = session.scalars(select(OutboxEvent.id).where(OutboxEvent.at < edge, OutboxEvent.id < newest, OutboxEvent.id.not_in(open_ids)).limit(10_000)).all()
        session.execute(delete(Delivery).where(Delivery.event_id.in_(old)))
        session.execute(delete(OutboxEvent).where(OutboxEvent.id.in_(old)))
    return len(old)


def _open(subscriber: str) -> Any:
    # Ordered by the partial index over open rows only, so the cost does not grow with history.
    return (
        select(Delivery.event_id)
        .where(Delivery.subscriber == subscriber, Delivery.done_at.is_(None), (Delivery.next_at.is_(None)) | (Delivery.next_at <= clock.now()))
        .order_by(Delivery.event_id)
    )


def _handle(subscriber: str, event_id: int) -> bool:
    """Effect and closed delivery commit together; returns whether anything was done."""
    try:
        with db.transaction() as session:
            taken = session.execute(
                update(Delivery).where(Delivery.event_id == event_id, Delivery.subscriber == subscriber, Delivery.done_at.is_(None)).values(done_at=clock.now())
            )
            if taken.rowcount != 1:  # type: ignore[attr-defined]
                return False
            row = session.get_one(OutboxEvent, event_id)
            _SUBSCRIBERS[subscriber][1](rebuild(row.name, row.payload), event_id)
        return True
    except Exception as error:
        _put_off(subscriber, event_id, error)
        return False


def _put_off(subscriber: str, event_id: int, error: Exception) -> None:
    complain(log, error, "subscriber %s failed on event %s", subscriber, event_id)
    with db.transaction() as session:
        row = session.get_one(Delivery, (event_id, subscriber), with_for_update=True)
        row.attempts += 1
        row.error = f"{type(error).__name__}: {error}"[:500]
        wait = min(2**row.attempts, 3600) if row.attempts < ATTEMPTS else 86_400
        row.next_at = clock.now() + timedelta(seconds=wait)


def _ask_for(subscriber: str, first: int) -> None:
    """Queue a job, unless one waits already: it will find this fact too. A thousand acts in a row are one job, not a thousand that find nothing."""
    if not marked(_asked_for(subscriber), ASKED_FOR):
        _queue(subscriber, first)


def _asked_for(subscriber: str) -> str:
    return f"deliver-{subscriber}"


def _queue(subscriber: str, first: int) -> None:
    enqueue(deliver, subscriber, first, job_id=f"{subscriber}-{first}")
