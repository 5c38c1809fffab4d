"""The table of everything that runs by the clock. Seconds between ticks; each function is a job and may run twice."""

from __future__ import annotations

from app.accounts import people
from app.kernel import audit, idempotency, outbox
from app.kernel.db import db
from app.kernel.queue import job
from app.kernel.scheduler import Entry
from app.notices import mail
from community import jobs as community
from community.channels import actions as channels
from community.feedback import receipts
from community.joining import actions as joining
from escalation import jobs as escalation


@job()
def sweep_outbox() -> None:
    outbox.sweep_deliveries()


@job()
def seal_audit() -> None:
    audit.seal()


@job(queue="slow", timeout=600)
def prune() -> None:
    """Drop what nobody may need any more: delivered events, ended sessions, answers kept for a retry."""
    outbox.prune()
    idempotency.prune()
    with db.transaction():
        people.prune()
        mail.prune()
        joining.prune()
        channels.forget_events()
        receipts.forget_readers()


ENTRIES = (
    # Sweeps: whatever an emptied queue forgot is queued again this soon.
    Entry("sweep-postings", 5, community.sweep_postings),
    Entry("sweep-outbox", 10, sweep_outbox),
    Entry("call-people", 60, community.call_people),
    Entry("send-mail", 15, mail.send_due),
    # Moments that pass without anybody acting.
    Entry("lapse-claims", 10, community.lapse_claims),
    Entry("flag-windows", 15, community.close_flag_windows),
    Entry("fall-back", 30, community.fall_back),
    Entry("keep-promises", 15, escalation.keep_promises),
    Entry("overdue-triage", 30, community.send_overdue_triage),
    Entry("tell-overdue-reviews", 60, community.tell_overdue_reviews),
    Entry("resolve-silent", 300, community.resolve_silent),
    Entry("close-quiet-incidents", 900, community.close_quiet_incidents),
    Entry("corrections", 20, community.sweep_corrections),
    Entry("answer-files", 15, community.sweep_answer_files),
    Entry("answer-owners", 900, community.tell_answer_owners),
    Entry("keep-learning", 60, escalation.keep_learning),
    # Upkeep.
    Entry("search-terms", 600, community.count_search_terms),
    Entry("find-tasks", 10, community.find_tasks),
    Entry("tidy-found-tasks", 3600, community.tidy_found_tasks),
    Entry("read-passages", 30, community.read_passages),
    Entry("reread-passages", 3600, community.reread_passages),
    Entry("seal-audit", 5, seal_audit),
    Entry("prune", 3600, prune),
    Entry("recount-records", 86_400, community.recount_records),
)
