"""The one page where packages meet: ports filled, subscribers listed, settings handed to who needs them.

Read from here who reacts to what; nothing else in the house knows both sides.
"""

from __future__ import annotations

from app.accounts import people
from app.accounts.models import Brand, User
from app.config import Config
from app.kernel import crypto, http, limits
from app.notices import leaving as notices_leaving
from app.notices import mail
from community import jobs as community_jobs
from community import leaving as community_leaving
from community import subscribers as community_subscribers
from community.advocates import actions as advocates
from community.advocates import suspension
from community.answers import meaning as meaning_of_answers
from community.feedback import links, receipts
from community.moderation import actions as moderation
from community.ports import ports
from community.replies import actions as replies
from community.tasks import actions as tasks
from escalation import jobs as escalation_jobs
from escalation import leaving as escalation_leaving
from escalation import subscribers as escalation_subscribers
from escalation.cases import actions as cases
from escalation.classifier import brands, meaning
from escalation.routing import lines
from escalation.triage import StartTriage
from gamification import leaving as gamification_leaving
from gamification import subscribers as gamification_subscribers

JOBS = (community_jobs, escalation_jobs)
"""Imported so that their doors are known to every worker."""


def wire(config: Config) -> None:
    """Join the rooms, before anything runs. Doing it again with another configuration rebinds."""
    crypto.init(config)
    http.init(config)
    limits.init(config)
    people.init(config)
    mail.init(config)
    replies.configure(config)
    receipts.init(config)
    links.init(config)
    meaning.init(config)
    meaning_of_answers.init()
    ports.encoder = meaning.live
    ports.triage = StartTriage(stage_of=brands.live, policy_of=lines.policy_of)
    people.when_granted("advocate", _join)
    people.when_suspended(_free_tasks, _free_reviews, _free_cases, suspension.note_suspended, lifted=suspension.note_reinstated)
    for room in (notices_leaving, community_leaving, escalation_leaving, gamification_leaving):
        room.listed()
    community_subscribers.subscribe_all()
    escalation_subscribers.subscribe_all()
    gamification_subscribers.subscribe_all()


def _join(user: User, brand: Brand, _by: User | None) -> None:
    advocates.join(user, brand)


def _free_tasks(user: User, _by: User | None, _reason: str | None) -> None:
    tasks.end_claims_of(user.id, because="suspended")


def _free_reviews(user: User, _by: User | None, _reason: str | None) -> None:
    moderation.let_go_of_all(user)


def _free_cases(user: User, _by: User | None, _reason: str | None) -> None:
    cases.let_go_of_all(user)
