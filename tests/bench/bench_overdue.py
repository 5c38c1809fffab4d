"""What it costs when 5,000 posts that nobody took go to the team at once, and when none of their promises is kept.

Seconds from the first tick of the job to the last post moved: each run is as the clock starts it, the pauses between two runs are counted
with what the table of the clock says. VOUCH_BENCH_TASKS names another number of tasks.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import func, select, update

from app.kernel import clock, outbox
from app.kernel.db import db
from app.schedule import ENTRIES
from community import jobs as community
from community.tasks.models import Task
from escalation import jobs as escalation
from escalation.cases.models import Case
from escalation.sla.models import SlaClock
from tests import factories
from tests.bench import stage
from tests.bench.bench_backlog import pile_up

TASKS = int(os.environ.get("VOUCH_BENCH_TASKS", "5000"))
EVERY = {entry.function: entry.every for entry in ENTRIES}


def main() -> None:
    stage.application()
    with db.transaction():
        brand = factories.brand()
        account = factories.account(brand)
        for role in ("tier_1", "tier_2"):
            factories.person(role, brand, role)
    pile_up(brand, account, 0, TASKS)
    with db.transaction() as session:
        session.execute(update(Task).values(opened_at=clock.now() - timedelta(hours=2), kind="answer"))
    waiting = select(func.count()).select_from(Task).where(Task.audience == "community")
    fallen = ticked(community.fall_back, waiting)
    told = delivered()
    with db.transaction() as session:
        session.execute(update(SlaClock).values(due_at=clock.now() - timedelta(hours=1)))
    kept = select(func.count()).select_from(Case).where(Case.tier == "tier_1")
    missed = ticked(escalation.keep_promises, kept)
    stage.tell(tasks=TASKS, fall_back=fallen, cases_open=told, promises_missed=missed, news_of_misses=delivered())


def ticked(job: Callable[[], object], left: object) -> dict[str, float]:
    """Run a job as the clock does until nothing is `left`."""
    runs, worked, longest = 0, 0.0, 0.0
    while True:
        with db.transaction(read_only=True) as session:
            rest = session.scalar(left)  # type: ignore[call-overload]
        if not rest or runs > 1000:
            break
        began = time.perf_counter()
        job()
        took = time.perf_counter() - began
        runs, worked, longest = runs + 1, worked + took, max(longest, took)
    return {"runs": runs, "working_seconds": worked, "longest_run": longest, "seconds_until_done": worked + EVERY[job] * max(0, runs - 1)}


def delivered() -> float:
    """Seconds until all that was recorded has had its effect."""
    began = time.perf_counter()
    while outbox.sweep_deliveries():
        with db.transaction(read_only=True) as session:
            names = session.scalars(select(outbox.Delivery.subscriber).where(outbox.Delivery.done_at.is_(None)).distinct()).all()
        for name in names:
            outbox.deliver(name, 0)
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
