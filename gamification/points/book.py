"""The ledger so far, as the rules read it: from its table, or in memory while it is rebuilt."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from app.kernel.db import db
from gamification.points.models import LedgerEntry
from gamification.points.rules import OUTCOMES, UNDO, Entry, Reason, undoes


def entry_of(row: LedgerEntry, reverses: tuple[int, str, int] | None = None) -> Entry:
    """A stored line as the rules know it."""
    reasons = tuple(Reason(reason["text"], reason["points"]) for reason in row.reasons)
    return Entry(row.brand_id, row.user_id, row.cause_id, row.rule, row.points, reasons, row.subject, row.at, reverses)


class StoredBook:
    """Reads the table in the caller's transaction."""

    def __init__(self, brand_id: int) -> None:
        self.brand_id = brand_id

    def standing(self, rule: str, subject: str, before: int) -> Sequence[Entry]:
        where = (LedgerEntry.brand_id == self.brand_id, LedgerEntry.subject == subject, LedgerEntry.rule == rule)
        rows = db.session.scalars(select(LedgerEntry).where(*where, LedgerEntry.cause_id < before, ~_taken_back(before)).order_by(LedgerEntry.cause_id))
        return [entry_of(row) for row in rows]

    def gathered(self, brand_id: int, user_id: int, start: datetime, end: datetime, before: int) -> int:
        mine = (LedgerEntry.user_id == user_id, LedgerEntry.brand_id == brand_id, LedgerEntry.at >= start, LedgerEntry.at < end)
        earned = (LedgerEntry.rule.not_in(OUTCOMES), ~LedgerEntry.rule.startswith(UNDO, autoescape=True))
        counted = (*earned, LedgerEntry.cause_id < before, ~_taken_back(before))
        # PostgreSQL's sum of whole numbers is a Decimal, which no reason could be written down with.
        return int(db.session.scalar(select(func.coalesce(func.sum(LedgerEntry.points), 0)).where(*mine, *counted)) or 0)


class MemoryBook:
    """Filled line by line while a ledger is rebuilt."""

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self.entries: dict[tuple[int, str, int], Entry] = {}
        self._undone: dict[tuple[int, str, int], int] = {}
        self._by_subject: dict[tuple[str, str], list[Entry]] = defaultdict(list)
        self._by_person: dict[tuple[int, int], list[Entry]] = defaultdict(list)
        for entry in entries:
            self.add(entry)

    def add(self, entry: Entry) -> None:
        if entry.key in self.entries:
            return
        self.entries[entry.key] = entry
        if entry.reverses is not None:
            self._undone[entry.reverses] = entry.cause_id
        if not undoes(entry.rule):
            self._by_subject[entry.rule, entry.subject].append(entry)
            self._by_person[entry.brand_id, entry.user_id].append(entry)

    def standing(self, rule: str, subject: str, before: int) -> Sequence[Entry]:
        return sorted((e for e in self._by_subject[rule, subject] if self._stands(e, before)), key=lambda e: e.cause_id)

    def gathered(self, brand_id: int, user_id: int, start: datetime, end: datetime, before: int) -> int:
        mine = self._by_person[brand_id, user_id]
        return sum(e.points for e in mine if start <= e.at < end and e.rule not in OUTCOMES and self._stands(e, before))

    def _stands(self, entry: Entry, before: int) -> bool:
        return entry.cause_id < before and self._undone.get(entry.key, before) >= before


def _taken_back(before: int) -> Any:
    undo = aliased(LedgerEntry)
    return select(undo.id).where(undo.reverses_id == LedgerEntry.id, undo.cause_id < before).exists()
