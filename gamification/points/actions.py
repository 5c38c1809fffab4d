"""Writing the ledger: award once per fact, take back by a further entry, rebuild from the events."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.dialects import postgresql, sqlite

from app.accounts.models import Brand
from app.kernel import live
from app.kernel.db import db
from app.kernel.events import Event
from app.kernel.events import rebuild as event_of
from app.kernel.outbox import ATTEMPTS, Delivery, OutboxEvent, record
from community.answers.uses import writers_of_sources
from community.events import ReplyApproved, TaskResolved
from community.mentions.models import Mention
from community.replies.models import Reply
from community.tasks.models import Claim, Task
from gamification.events import PointsAwarded
from gamification.points.book import MemoryBook, StoredBook, entry_of
from gamification.points.models import LedgerEntry
from gamification.points.rules import HEARD, Entry, Facts, as_json, entries_for

SUBSCRIBER = "award_points"
"""Its open deliveries are facts the ledger has not heard of yet."""
LOCK = 0x6C65
"""The ledger's name among PostgreSQL's advisory locks."""


class TooEarly(Exception):
    """A fact whose ground may not be in the ledger yet; the delivery is tried again in a moment."""


def award(event: Event, event_id: int) -> list[LedgerEntry]:
    """Write what a fact earns; a second time it adds nothing. Returns the new entries.

    A brand's ledger is written by one worker at a time and in the order of events: that holds the cap under parallel
    facts, and what builds on an earlier entry finds it. Raises TooEarly.
    """
    _one_writer(event.brand_id)
    if _older_open(event_id):
        raise TooEarly(f"event {event_id} waits for an older one")
    at = db.session.get_one(OutboxEvent, event_id).at
    written = []
    for entry in entries_for(event, event_id, at, facts_of(event), StoredBook(event.brand_id)):
        row = _write(entry)
        if row is not None:
            written.append(row)
            record(PointsAwarded(entry.brand_id, row.id, entry.user_id, entry.rule, entry.points))
            db.after_commit(lambda user_id=entry.user_id: live.bump_person(user_id), key=("points", entry.user_id))  # type: ignore[misc]
    return written


@dataclass(frozen=True)
class Rebuilt:
    """What a rebuild found. `kept`: entries whose event was dropped for its age, taken as they are."""

    events: int
    entries: int
    kept: int
    differences: tuple[str, ...]


def rebuild(*, check: bool = False) -> Rebuilt:
    """Work the ledger out again from the events and put right what differs; with `check`, only say so."""
    with db.transaction(read_only=check) as session:
        if not check:
            for brand_id in session.scalars(select(Brand.id).order_by(Brand.id)).all():
                _one_writer(brand_id)
        stored = {row.id: row for row in session.scalars(select(LedgerEntry).order_by(LedgerEntry.id))}
        key_of = {id_: (row.cause_id, row.rule, row.user_id) for id_, row in stored.items()}
        entries = {key_of[id_]: entry_of(row, key_of.get(row.reverses_id or 0)) for id_, row in stored.items()}
        known, expected = 0, {}
        book = MemoryBook()
        events = {id_: (event, at) for id_, event, at in _events()}
        for entry in entries.values():
            if entry.cause_id not in events:
                book.add(entry)
                known += 1
        for id_, (event, at) in events.items():
            for entry in entries_for(event, id_, at, facts_of(event), book):
                book.add(entry)
                expected[entry.key] = entry
        found = {key: entry for key, entry in entries.items() if entry.cause_id in events}
        differences = tuple(_differences(found, expected))
        if not check:
            _put_right(stored, found, expected)
        return Rebuilt(len(events), len(entries), known, differences)


def facts_of(event: Event) -> Facts:
    """What the rows say about a fact; rows change no more once the fact is recorded."""
    match event:
        case ReplyApproved(reply_id=reply_id, writer_id=writer_id, revision=revision):
            found = db.session.execute(
                select(Task.id, Task.lang, Mention.received_at, Reply.created_at)
                .join(Task, Task.id == Reply.task_id)
                .join(Mention, Mention.id == Reply.mention_id)
                .where(Reply.id == reply_id)
            ).first()
            if found is None:
                return Facts()
            claimed = select(func.max(Claim.started_at)).where(Claim.task_id == found.id, Claim.user_id == writer_id, Claim.started_at <= found.created_at)
            begun = db.session.scalar(claimed) or found.created_at
            sources = writers_of_sources(reply_id, revision)
            return Facts(lang=found.lang, waited=max(timedelta(0), begun - found.received_at), sources=sources)
        case TaskResolved(task_id=task_id, writer_id=writer_id) if writer_id is not None:
            return Facts(kind=db.session.scalar(select(Task.kind).where(Task.id == task_id)) or "answer")
    return Facts()


def _write(entry: Entry) -> LedgerEntry | None:
    """The stored line, or None when this cause has it already."""
    insert = postgresql.insert if db.is_postgres else sqlite.insert
    id_ = db.session.scalar(
        insert(LedgerEntry)
        .values(
            brand_id=entry.brand_id,
            user_id=entry.user_id,
            cause_id=entry.cause_id,
            rule=entry.rule,
            points=entry.points,
            reasons=as_json(entry.reasons),
            subject=entry.subject,
            reverses_id=_id_of(entry.reverses),
            at=entry.at,
        )
        .on_conflict_do_nothing()
        .returning(LedgerEntry.id)
    )
    return db.session.get(LedgerEntry, id_) if id_ is not None else None


def _id_of(key: tuple[int, str, int] | None) -> int | None:
    if key is None:
        return None
    cause_id, rule, user_id = key
    return db.session.scalar(select(LedgerEntry.id).where(LedgerEntry.cause_id == cause_id, LedgerEntry.rule == rule, LedgerEntry.user_id == user_id))


def _one_writer(brand_id: int) -> None:
    """Held until the transaction ends. SQLite has a single writer anyway; a row lock would block others who need that row."""
    if db.is_postgres:
        db.session.execute(text("SELECT pg_advisory_xact_lock(:room, :brand)"), {"room": LOCK, "brand": brand_id})


def _older_open(event_id: int) -> bool:
    """Whether an earlier fact is still to be heard; one that failed for good does not block the rest for ever."""
    unheard = (Delivery.subscriber == SUBSCRIBER, Delivery.done_at.is_(None), Delivery.attempts < ATTEMPTS)
    open_ = select(Delivery.event_id).where(*unheard, Delivery.event_id < event_id).limit(1)
    return db.session.scalar(open_) is not None


def _events() -> Iterator[tuple[int, Event, datetime]]:
    """Facts the ledger has heard of, oldest first; those still to be delivered are left to their delivery."""
    unheard = select(Delivery.event_id).where(Delivery.subscriber == SUBSCRIBER, Delivery.done_at.is_(None))
    kinds = [kind.__name__ for kind in HEARD]
    rows = db.session.execute(
        select(OutboxEvent.id, OutboxEvent.name, OutboxEvent.payload, OutboxEvent.at)
        .where(OutboxEvent.name.in_(kinds), OutboxEvent.id.not_in(unheard))
        .order_by(OutboxEvent.id)
    )
    for row in rows:
        yield row.id, event_of(row.name, row.payload), row.at


def _differences(found: dict[tuple[int, str, int], Entry], expected: dict[tuple[int, str, int], Entry]) -> Iterator[str]:
    for key in sorted(found.keys() | expected.keys()):
        cause_id, rule, user_id = key
        where = f"event {cause_id}, {rule}, person {user_id}"
        have, want = found.get(key), expected.get(key)
        if have is None and want is not None:
            yield f"{where}: missing, {want.points} points"
        elif want is None and have is not None:
            yield f"{where}: {have.points} points that nothing earned"
        elif have != want and have is not None and want is not None:
            yield f"{where}: {have.points} points, should be {want.points}" if have.points != want.points else f"{where}: its reasons or its subject differ"


def _put_right(stored: dict[int, LedgerEntry], found: dict[tuple[int, str, int], Entry], expected: dict[tuple[int, str, int], Entry]) -> None:
    id_of = {(row.cause_id, row.rule, row.user_id): id_ for id_, row in stored.items()}
    wrong = [id_of[key] for key in found.keys() - expected.keys()]
    if wrong:
        db.session.execute(delete(LedgerEntry).where(LedgerEntry.reverses_id.in_(wrong)))
        db.session.execute(delete(LedgerEntry).where(LedgerEntry.id.in_(wrong)))
    for key, entry in expected.items():
        if key not in found:
            _write(entry)
        elif found[key] != entry:
            changes = {"points": entry.points, "reasons": as_json(entry.reasons), "subject": entry.subject, "at": entry.at, "brand_id": entry.brand_id}
            db.session.execute(update(LedgerEntry).where(LedgerEntry.id == id_of[key]).values(reverses_id=_id_of(entry.reverses), **changes))
