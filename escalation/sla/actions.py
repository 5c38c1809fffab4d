"""The verbs of a clock: start, retime, meet, drop, and note a miss once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, insert, select, update

from app.accounts.models import Brand, User
from app.accounts.permissions import has_role
from app.kernel import clock
from app.kernel.audit import audit
from app.kernel.db import db
from app.kernel.errors import Invalid
from app.kernel.permissions import Permissions
from escalation.sla import due
from escalation.sla.models import SlaClock, SlaPolicy
from escalation.sla.queries import promises
from escalation.tiers import TIERS

LONGEST = 7 * 24 * 60
"""Minutes: a promise longer than a week is none."""
BATCH = 2_000
"""Misses noted in one transaction, with one notice a person for all of them."""

RULES = Permissions({"sla.see": has_role("tier_1", "tier_2", "moderator", "analyst", "admin"), "sla.set": has_role("admin")})


@dataclass(frozen=True, slots=True)
class Start:
    """What is needed to start the first-response clock of one case."""

    case_id: int
    tier: str
    priority: int
    received_at: datetime

    def due_at(self, allowed: dict[tuple[str, str], due.Promise]) -> datetime:
        return due.due(self.received_at, self.minutes(allowed))

    def minutes(self, allowed: dict[tuple[str, str], due.Promise]) -> int:
        return allowed[self.tier, due.FIRST_RESPONSE].allowed(self.priority)


def start(brand_id: int, starts: Sequence[Start]) -> None:
    """Start the clocks of a batch of cases that have none."""
    if not starts:
        return
    allowed = promises(brand_id)
    db.session.execute(
        insert(SlaClock),
        [
            {
                "brand_id": brand_id,
                "case_id": one.case_id,
                "promise": due.FIRST_RESPONSE,
                "started_at": one.received_at,
                "minutes": one.minutes(allowed),
                "due_at": one.due_at(allowed),
            }
            for one in starts
        ],
    )


def retime(row: SlaClock, *, tier: str, priority: int) -> None:
    """Another tier took over: its own time, from the same beginning. A promise met or missed stays what it was."""
    if row.met_at is not None or row.missed_at is not None or row.due_at < clock.now():
        return
    minutes = promises(row.brand_id)[tier, due.FIRST_RESPONSE].allowed(priority)
    row.minutes, row.due_at = minutes, due.due(row.started_at, minutes)


def meet(case_id: int, at: datetime) -> None:
    """The first reply was posted. A later one changes nothing."""
    db.session.execute(
        update(SlaClock)
        .where(SlaClock.case_id == case_id, SlaClock.promise == due.FIRST_RESPONSE, SlaClock.met_at.is_(None))
        .values(met_at=at)
        .execution_options(synchronize_session="fetch")
    )


def drop(case_id: int) -> None:
    """Nobody waits for a reply any more: a promise still running falls away, neither kept nor missed."""
    running = (SlaClock.case_id == case_id, SlaClock.met_at.is_(None), SlaClock.missed_at.is_(None), SlaClock.due_at >= clock.now())
    db.session.execute(delete(SlaClock).where(*running).execution_options(synchronize_session="fetch"))


def note_misses(limit: int = BATCH) -> list[SlaClock]:
    """Mark promises whose end is past, each once, the oldest first; returns those marked now."""
    now = clock.now()
    late = (
        select(SlaClock)
        .where(SlaClock.due_at < now, SlaClock.met_at.is_(None), SlaClock.missed_at.is_(None))
        .order_by(SlaClock.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    rows = list(db.session.scalars(late))
    if rows:
        db.session.execute(
            update(SlaClock).where(SlaClock.id.in_([row.id for row in rows])).values(missed_at=now).execution_options(synchronize_session="evaluate")
        )
    return rows


def set_promise(brand: Brand, tier: str, *, minutes: int, urgent_minutes: int, by: User) -> due.Promise:
    """The brand's own time for a tier's first response; returns what held before.

    It holds for cases that open from now on, and for those another tier hands over. Raises Invalid, Forbidden.
    """
    RULES.check(by, "sla.set", brand)
    if tier not in TIERS:
        raise Invalid("A promise is made for tier_1 or tier_2.", field="tier")
    if not 1 <= minutes <= LONGEST:
        raise Invalid(f"A first reply is promised within 1 to {LONGEST} minutes, which is a week.", field="minutes")
    if not 1 <= urgent_minutes <= minutes:
        raise Invalid(f"The urgent may not wait longer than the rest: give 1 to {minutes} minutes.", field="urgent_minutes")
    # Two admins at once would both find no row: the brand's own is held first.
    db.session.execute(select(Brand.id).where(Brand.id == brand.id).with_for_update(key_share=True))
    was, wanted = promises(brand.id)[tier, due.FIRST_RESPONSE], due.Promise(minutes, urgent_minutes)
    if wanted == was:
        return was
    row = db.session.scalar(select(SlaPolicy).where(SlaPolicy.brand_id == brand.id, SlaPolicy.tier == tier, SlaPolicy.promise == due.FIRST_RESPONSE))
    if row is None:
        row = SlaPolicy(brand_id=brand.id, tier=tier, promise=due.FIRST_RESPONSE)
        db.session.add(row)
    row.minutes, row.urgent_minutes = minutes, urgent_minutes
    db.session.flush()
    audit("sla_set", row, by=by, reason=tier, minutes=minutes, urgent_minutes=urgent_minutes, was=was.minutes, urgent_was=was.urgent_minutes)
    return was
