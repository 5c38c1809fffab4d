"""What waited too long does not wait for ever: unanswered, it goes to the team; a thank-you nobody had time for is let go."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta

from sqlalchemy import literal_column, or_, select

from app.accounts.brands import all_brands
from app.accounts.choices import whole
from app.accounts.models import Brand
from app.kernel import clock
from app.kernel.db import among, db
from app.kernel.errors import Conflict
from app.kernel.outbox import record
from community.events import TaskReleased
from community.tasks import actions
from community.tasks.models import Task

PATIENCE = whole(
    "unanswered_minutes", 45, least=5, most=7 * 24 * 60, unit="min", group="Tasks",
    label="How long a post waits for the community", help="Nobody took it by then: tier 1 answers. Whoever is writing an answer is let finish.",
)  # fmt: skip
PRAISE_PATIENCE = timedelta(hours=24)
"""Thanks for praise are kind, not urgent: no employee is called for them, and after a day they would only seem odd."""
AT_ONCE = 10_000
"""Tasks a single run moves."""
BATCH = 250
"""Of them, how many in one transaction: other writers wait for a moment only, and a worker that is killed leaves whole batches behind."""
LONGEST = 60.0
"""Seconds after which a run leaves the rest to the next."""
FREED_AT_ONCE = 200


def patience_of(brand: Brand) -> timedelta:
    """How long this brand lets a post wait for the community."""
    return timedelta(minutes=PATIENCE.of(brand))


def fall_back(limit: int = AT_ONCE) -> int:
    """Move up what nobody answered in time, and let go of praise that waited a day; returns how many. Running twice changes nothing more."""
    moved, until = 0, time.monotonic() + LONGEST
    with db.transaction(read_only=True):
        brands = all_brands()
    for brand in brands:
        due = _overdue(brand, limit - moved)
        for first in range(0, len(due), BATCH):
            if time.monotonic() > until:
                return moved
            moved += _give_up(due[first : first + BATCH], brand)
        if moved >= limit:
            break
    return moved


def free_kept(limit: int = FREED_AT_ONCE) -> int:
    """End every keeping whose time is over: the task is anybody's, and who waits for it hears so. Returns how many."""
    with db.transaction(read_only=True) as session:
        over = (Task.returned_to_id.is_not(None), Task.state == literal_column("'open'"), Task.kept_until <= clock.now())
        due = session.scalars(select(Task.id).where(*over).limit(limit)).all()
    freed = 0
    for task_id in due:
        with db.transaction() as session:
            task, now = actions.hold(session.get_one(Task, task_id)), clock.now()
            if task.state == "open" and task.returned_to_id is not None and task.kept_until is not None and task.kept_until <= now:
                task.returned_to_id = task.kept_until = None
                session.flush()
                record(TaskReleased(task.brand_id, task.id, None, "kept_over"))
                freed += 1
    return freed


def _overdue(brand: Brand, limit: int) -> list[int]:
    now = clock.now()
    with db.transaction(read_only=True) as session:
        # Read along the index of what waits: from the oldest on, as far as anybody's patience goes.
        waiting = (Task.brand_id == brand.id, among(Task.audience, "community"), among(Task.state, "open", "claimed"), Task.state == "open")
        free = or_(Task.returned_to_id.is_(None), Task.kept_until.is_(None), Task.kept_until <= now)
        late = (Task.opened_at <= now - patience_of(brand), or_(Task.kind != "thank", Task.opened_at <= now - _patience(brand, "thank")))
        return list(session.scalars(select(Task.id).where(*waiting, *late, free).order_by(Task.opened_at).limit(limit)))


def _give_up(task_ids: Sequence[int], brand: Brand) -> int:
    """What nobody has anything in goes up together; thanks, and what somebody wrote for, one by one."""
    with db.transaction():
        late = [task for task in actions.hold_all(task_ids) if _is_late(task, brand)]
        moved = actions.escalate_idle([task for task in late if task.kind != "thank"], "tier_1", because="unanswered")
    rest = {task.id for task in late}.difference(moved)
    return len(moved) + sum(_give_up_one(task_id, brand) for task_id in sorted(rest))


def _give_up_one(task_id: int, brand: Brand) -> bool:
    with suppress(Conflict), db.transaction() as session:
        task = actions.hold(session.get_one(Task, task_id))
        if not _is_late(task, brand):
            return False
        if task.kind == "thank":
            actions.cancel(task, because="praise_waited", by=None)
        else:
            actions.escalate(task, "tier_1", because="unanswered", by=None)
        return True
    return False


def _is_late(task: Task, brand: Brand) -> bool:
    """Still, now that it is held: somebody may have taken it, or its time begun anew, this very moment."""
    now = clock.now()
    kept = task.returned_to_id is not None and task.kept_until is not None and task.kept_until > now
    return task.state == "open" and task.audience == "community" and not kept and task.opened_at <= now - _patience(brand, task.kind)


def _patience(brand: Brand, kind: str) -> timedelta:
    return max(patience_of(brand), PRAISE_PATIENCE) if kind == "thank" else patience_of(brand)
