"""Reading promises and clocks."""

from __future__ import annotations

from sqlalchemy import select

from app.kernel import clock
from app.kernel.db import db
from escalation.sla import due
from escalation.sla.models import SlaClock, SlaPolicy


def promises(brand_id: int) -> dict[tuple[str, str], due.Promise]:
    """By tier and promise: the brand's own times over the defaults."""
    own = db.session.scalars(select(SlaPolicy).where(SlaPolicy.brand_id == brand_id))
    return due.DEFAULTS | {(row.tier, row.promise): due.Promise(row.minutes, row.urgent_minutes) for row in own}


def view_of(row: SlaClock | None) -> due.ClockView | None:
    """A stored clock as it stands now."""
    if row is None:
        return None
    return due.view(started_at=row.started_at, minutes=row.minutes, due_at=row.due_at, met_at=row.met_at, now=clock.now())


def clock_of(case_id: int) -> SlaClock | None:
    """The first-response clock of a case; none once the promise fell away."""
    return db.session.scalar(select(SlaClock).where(SlaClock.case_id == case_id, SlaClock.promise == due.FIRST_RESPONSE))
