"""Queue doors: something comes in, a verb is called, and calling twice changes nothing more."""

from __future__ import annotations

from app.kernel.db import db
from app.kernel.queue import job
from community.advocates import records, trust
from community.answers import actions as answers
from community.answers import bringing, meaning, recalls, search
from community.feedback import actions as feedback
from community.incidents import actions as incidents
from community.mentions import actions as mentions
from community.moderation import ageing, flags
from community.replies import posting
from community.tasks import actions as tasks
from community.tasks import calling, finding, waiting


@job(queue="default")
def lapse_claims() -> int:
    return tasks.lapse_due() + waiting.free_kept()


@job(queue="default")
def close_flag_windows() -> int:
    return flags.close_windows()


@job(queue="slow", timeout=120)
def fall_back() -> int:
    return waiting.fall_back()


@job(queue="slow", timeout=120)
def call_people() -> int:
    return calling.call_all()


@job(queue="default")
def resolve_silent() -> int:
    return feedback.resolve_silent()


@job(queue="default")
def send_overdue_triage() -> int:
    return mentions.send_overdue_triage()


@job(queue="posting")
def sweep_postings() -> int:
    return posting.sweep()


@job(queue="default")
def sweep_answer_files() -> int:
    return bringing.sweep()


@job(queue="slow", timeout=600)
def recount_records() -> int:
    """Once a day: what is older than the window counts no more. Each person in a transaction of their own."""
    with db.transaction(read_only=True):
        people = records.counted()
    for user_id, brand_id in people:
        with db.transaction():
            records.recount(user_id, brand_id)
            trust.weigh(user_id, brand_id)
    return len(people)


@job(queue="default")
def sweep_corrections() -> int:
    return recalls.begin_corrections()


@job(queue="default")
def tell_answer_owners() -> int:
    return answers.tell_owners()


@job(queue="slow", timeout=600)
def count_search_terms() -> int:
    return search.count_terms()


@job(queue="default")
def find_tasks() -> int:
    return finding.keep_up()


@job(queue="slow", timeout=600)
def tidy_found_tasks() -> int:
    return finding.tidy()


@job(queue="slow", timeout=600)
def read_passages() -> int:
    return meaning.read_passages()


@job(queue="slow", timeout=600)
def reread_passages() -> int:
    return meaning.reread_passages()


@job(queue="default")
def close_quiet_incidents() -> int:
    return incidents.close_quiet()


@job(queue="default")
def tell_overdue_reviews() -> int:
    return ageing.tell_overdue()
