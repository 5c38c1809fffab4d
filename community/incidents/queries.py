"""Reading incidents: the list, one with its posts, tasks and what happened, and where a task stands in one."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, func, or_, select
from sqlalchemy.orm import joinedload, lazyload, load_only

from app.accounts.models import Brand, User
from app.kernel.audit import AuditEntry
from app.kernel.db import among, db
from app.kernel.errors import NotFound
from app.kernel.pagination import Page, bounded, decode, page_of
from community.incidents.models import Incident, IncidentMention
from community.mentions.models import Mention
from community.permissions import RULES
from community.tasks.models import LIVE, Task

STATES = ("open", "closed", "merged")
STAFF = ("moderator", "tier_1", "tier_2", "analyst", "admin")
POSTS = 100
"""Posts of an incident that one page shows, the newest first."""


@dataclass(frozen=True)
class Listed:
    """An incident with the post its leading task answers, and how its tasks stand."""

    incident: Incident
    mention: Mention | None
    waiting: int
    """Tasks that nobody has handed an answer in for."""
    looking: int
    """Variants that wait for a look."""
    answered: int


@dataclass(frozen=True)
class Member:
    """One post of an incident with the task of its conversation."""

    place: IncidentMention
    mention: Mention
    task: Task | None


@dataclass(frozen=True)
class Standing:
    """Where a task stands in an incident."""

    incident: Incident
    leads: bool


def incident_of(user: User, incident_id: int) -> Incident:
    """One incident; NotFound for what is not this person's to see. An advocate sees those the community answers."""
    incident = db.session.get(Incident, incident_id)
    if incident is None or RULES.refusal(user, "incident.see", incident):
        raise NotFound
    if not user.has(incident.brand_id, *STAFF):
        leading = db.session.get(Task, incident.leading_task_id) if incident.leading_task_id else None
        if leading is None or RULES.refusal(user, "task.see", leading):
            raise NotFound
    return incident


def incidents(user: User, brand: Brand, *, state: str = "open", limit: int | None = None, cursor: str | None = None) -> Page[Listed]:
    """The brand's incidents, the one with the latest post first. Three statements."""
    size = bounded(limit, 20)
    wanted = select(Incident).where(Incident.brand_id == brand.id, among(Incident.state, state if state in STATES else "open"))
    if not user.has(brand.id, *STAFF):
        wanted = wanted.join(Task, Task.id == Incident.leading_task_id).where(Task.audience == "community")
    if after := decode(cursor, 1):
        wanted = wanted.where(Incident.id < after[0])
    found = db.session.scalars(wanted.order_by(Incident.id.desc()).limit(size + 1)).all()
    shown = found[:size]
    leads = [one.leading_task_id for one in shown if one.leading_task_id is not None]
    first = _asked(leads)
    counts = _counts(leads)
    listed = {one.id: _listed(one, first.get(one.leading_task_id or 0), counts) for one in shown}
    page = page_of(found, size, lambda one: [one.id])
    return Page([listed[one.id] for one in page.items], page.next)


def standing_of(incident: Incident) -> Listed:
    """One incident as the list shows it."""
    lead = incident.leading_task_id or 0
    mention = db.session.scalar(select(Mention).join(Task, Task.mention_id == Mention.id).where(Task.id == lead).options(joinedload(Mention.account)))
    counts = _counts([lead])
    return _listed(incident, mention, counts)


def members(user: User, incident: Incident, limit: int = POSTS) -> Sequence[Member]:
    """Its posts, the newest first; an advocate sees those whose question lies with the community."""
    wanted = (
        select(IncidentMention, Mention, Task)
        .join(Mention, Mention.id == IncidentMention.mention_id)
        .outerjoin(Task, Task.mention_id == Mention.id)
        .where(IncidentMention.incident_id == incident.id)
        .options(joinedload(Mention.account), joinedload(Mention.decision))
        .order_by(IncidentMention.left_at.is_not(None), Mention.posted_at.desc(), Mention.id.desc())
        .limit(limit)
    )
    if not user.has(incident.brand_id, *STAFF):
        wanted = wanted.where(Task.audience == "community", IncidentMention.left_at.is_(None), Mention.private.is_(False))
    return [Member(place, mention, task) for place, mention, task in db.session.execute(wanted).all()]


def standings(task_ids: Collection[int]) -> dict[int, Standing]:
    """Which of these tasks stand in an open incident, by task. One statement."""
    if not task_ids:
        return {}
    rows = db.session.execute(_STANDINGS, {"tasks": list(task_ids)}).all()
    return {task_id: Standing(incident, incident.leading_task_id == task_id) for task_id, incident in rows}


def history(incident: Incident) -> Sequence[tuple[AuditEntry, User | None]]:
    """What people did to it, oldest first."""
    rows = db.session.execute(
        select(AuditEntry, User)
        .outerjoin(User, User.id == AuditEntry.actor_id)
        .where(AuditEntry.subject == f"incident:{incident.id}")
        .options(lazyload(User.roles), load_only(User.name))
        .order_by(AuditEntry.id)
        .limit(200)
    ).all()
    return [(entry, user) for entry, user in rows]


def others(incident: Incident, limit: int = 20) -> Sequence[Listed]:
    """Open incidents of the brand it could be merged into."""
    wanted = select(Incident).where(Incident.brand_id == incident.brand_id, among(Incident.state, "open"), Incident.id != incident.id)
    found = db.session.scalars(wanted.order_by(Incident.last_at.desc()).limit(limit)).all()
    leads = [one.leading_task_id for one in found if one.leading_task_id is not None]
    first = _asked(leads)
    return [Listed(one, first.get(one.leading_task_id or 0), 0, 0, 0) for one in found]


def _listed(incident: Incident, mention: Mention | None, counts: dict[tuple[int, str], int]) -> Listed:
    lead = incident.leading_task_id or 0
    return Listed(incident, mention, *(counts.get((lead, kind), 0) for kind in ("waiting", "looking", "answered")))


def _asked(leads: Sequence[int]) -> dict[int, Mention]:
    """The post each of these tasks answers."""
    wanted = select(Task.id, Mention).join(Mention, Mention.id == Task.mention_id).where(Task.id.in_(leads)).options(joinedload(Mention.account))
    return {task_id: mention for task_id, mention in db.session.execute(wanted)}  # noqa: C416


def _counts(leads: Sequence[int]) -> dict[tuple[int, str], int]:
    """How the tasks under each leading one stand, the leading ones among them."""
    under = func.coalesce(Task.led_by_id, Task.id)
    rows = db.session.execute(
        select(under, Task.state, func.count())
        .where(or_(Task.id.in_(leads), Task.led_by_id.in_(leads)), Task.state.in_((*LIVE, "resolved")))
        .group_by(under, Task.state)
    ).all()
    kinds = {"open": "waiting", "claimed": "waiting", "in_review": "looking", "answered": "answered", "resolved": "answered"}
    found: dict[tuple[int, str], int] = {}
    for lead, state, count in rows:
        found[lead, kinds[state]] = found.get((lead, kinds[state]), 0) + count
    return found


_STANDINGS = (
    select(Task.id, Incident)
    .join(Incident, Incident.leading_task_id == func.coalesce(Task.led_by_id, Task.id))
    .where(Task.id.in_(bindparam("tasks", expanding=True)), among(Incident.state, "open"))
)
