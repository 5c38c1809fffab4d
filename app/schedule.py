"""The table of everything that runs by the clock. Seconds between ticks; each function is a job and may run twice."""

from __future__ import annotations

from app.kernel import audit, outbox
from app.kernel.queue import job
from app.kernel.scheduler import Entry


@job()
def sweep_outbox() -> None:
    outbox.sweep_deliveries()


@job()
def seal_audit() -> None:
    audit.seal()


@job(queue="slow", timeout=600)
def prune_outbox() -> None:
    outbox.prune()


ENTRIES = (
    Entry("sweep-outbox", 10, sweep_outbox),
    Entry("seal-audit", 5, seal_audit),
    Entry("prune-outbox", 3600, prune_outbox),
)
