"""Queue doors of cases and learning, and what runs by the clock for promises."""

from __future__ import annotations

import time
from contextlib import suppress
from itertools import groupby

from sqlalchemy import insert, select, text

from app.kernel import clock, live
from app.kernel.db import db
from app.kernel.errors import Conflict
from app.kernel.outbox import record
from app.kernel.queue import job
from escalation.cases import actions
from escalation.cases.models import WANTED, Case, CaseEntry
from escalation.events import PromisesMissed
from escalation.learning import drift, runs
from escalation.sla import actions as sla
from escalation.sla.models import SlaClock

HANDED_UP_AT_ONCE = 10_000
"""Cases a single run moves up."""
BATCH = 250
"""Of them, how many in one transaction: other writers wait for a moment only, and a worker that is killed leaves whole batches behind."""
LONGEST = 60.0
"""Seconds after which a run leaves the rest to the next."""
PROMISE_MISSED = "promise_missed"


@job(queue="slow", timeout=120)
def keep_promises() -> None:
    """Note what was missed, then hand up what nobody in tier 1 took in time. Running twice changes nothing more."""
    while note_misses() == sla.BATCH:
        pass
    hand_up_missed()


@job(queue="slow", timeout=1800)
def learn(run_id: int) -> None:
    """Walk one run of learning to its end."""
    runs.perform(run_id)


@job(queue="slow", timeout=600)
def keep_learning() -> None:
    """Queue what waits, end what died, let challengers decide what has arrived, note the weeks."""
    runs.keep(learn)
    for brand_id in drift.due():
        drift.watch_week(brand_id)


def note_misses() -> int:
    """Mark missed promises, each once, with a line in its case and one piece of news per brand and tier; returns how many."""
    with db.transaction() as session:
        clocks = sla.note_misses()
        if not clocks:
            return 0
        now = clock.now()
        session.execute(
            insert(CaseEntry),
            [
                {
                    "brand_id": one.brand_id,
                    "case_id": one.case_id,
                    "kind": "missed",
                    "by_id": None,
                    "text": None,
                    "details": {"due_at": one.due_at.isoformat()},
                    "at": now,
                }
                for one in clocks
            ],
        )
        cases = session.execute(
            select(Case.brand_id, Case.tier, Case.id).where(Case.id.in_([one.case_id for one in clocks])).order_by(Case.brand_id, Case.tier, Case.id)
        ).all()
        for (brand_id, tier), group in groupby(cases, key=lambda row: (row.brand_id, row.tier)):
            record(PromisesMissed(brand_id, [row.id for row in group], tier))
        for brand_id in {one.brand_id for one in clocks}:
            db.after_commit(lambda brand_id=brand_id: live.bump(brand_id, "cases"), key=("cases", brand_id))  # type: ignore[misc]
    return len(clocks)


def hand_up_missed(limit: int = HANDED_UP_AT_ONCE) -> int:
    """Move missed tier 1 cases that nobody has to tier 2, each once in its life; returns how many. Whoever works on one keeps it."""
    until = time.monotonic() + LONGEST
    with db.transaction(read_only=True) as session:
        been_up = select(CaseEntry.id).where(CaseEntry.case_id == Case.id, CaseEntry.kind == "handed_up").exists()
        late = (
            select(Case.brand_id, Case.id)
            .join(SlaClock, SlaClock.case_id == Case.id)
            .where(
                text(f'"case".{WANTED}'),
                Case.tier == "tier_1",
                Case.assignee_id.is_(None),
                SlaClock.missed_at.is_not(None),
                SlaClock.met_at.is_(None),
                ~been_up,
            )
            .order_by(Case.brand_id, Case.id)
            .limit(limit)
        )
        found = session.execute(late).all()
    moved = 0
    for _, rows in groupby(found, key=lambda row: row.brand_id):
        ids = [row.id for row in rows]
        for first in range(0, len(ids), BATCH):
            if time.monotonic() > until:
                return moved
            moved += _hand_up(ids[first : first + BATCH])
    return moved


def _hand_up(case_ids: list[int]) -> int:
    with db.transaction():
        together = actions.hand_up_all(case_ids, because=PROMISE_MISSED)
    return len(together) + sum(_hand_up_one(id_) for id_ in sorted(set(case_ids).difference(together)))


def _hand_up_one(case_id: int) -> bool:
    # Somebody may have taken it this very moment.
    with suppress(Conflict), db.transaction() as session:
        actions.hand_up(session.get_one(Case, case_id), because=PROMISE_MISSED)
        return True
    return False
