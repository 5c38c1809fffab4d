"""What people do to an incident by hand: merge, split a post off, close; each can be undone."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import or_, select, update

from app.accounts.models import User
from app.kernel import clock
from app.kernel.audit import audit
from app.kernel.db import among, db
from app.kernel.errors import Conflict, Invalid, NotFound
from community.incidents.gathering import changed, count_again, link, one_at_a_time
from community.incidents.models import Incident, IncidentAnswer, IncidentMention
from community.incidents.states import INCIDENT
from community.mentions.models import Mention
from community.permissions import RULES
from community.tasks.models import LIVE, Task

QUIET = timedelta(hours=72)
"""An incident to which nobody has come for so long is over, once none of its tasks waits any more."""


def merge(incident: Incident, into: Incident, *, by: User) -> None:
    """The two are one: its posts move, and the other's answer is varied for them too. Raises Invalid, Conflict."""
    RULES.check(by, "incident.change", incident)
    RULES.check(by, "incident.change", into)
    if incident.id == into.id or incident.brand_id != into.brand_id:
        raise Invalid("Choose another incident of this brand.", field="into")
    incident, into = _hold(incident), _hold(into)
    if into.state != "open":
        raise Conflict(f"That incident is {into.state}: reopen it first.", state=into.state)
    if answer_of(incident, handed_in=True) is not None:
        raise Conflict("Its own answer was handed in already. Merge the other one into this.", state="answered")
    INCIDENT.move(incident, "merge", merged_into_id=into.id, closed_at=clock.now(), closed_because="merged")
    _move_posts(incident.id, into, came_from=incident.id)
    count_again(into)
    link(into)
    audit("incident.merge", incident, by=by, into=into.id)
    _both_changed(incident, into)


def unmerge(incident: Incident, *, by: User) -> None:
    """Take a merge back: its posts return, and it goes on by itself."""
    RULES.check(by, "incident.change", incident)
    incident = _hold(incident)
    into = db.session.get(Incident, incident.merged_into_id) if incident.merged_into_id else None
    if incident.state != "merged" or into is None:
        raise Conflict("It was not merged into another.", state=incident.state)
    into = _hold(into)
    if into.state == "merged":
        raise Conflict("The other one was merged since: take that back first.", state=into.state)
    INCIDENT.move(incident, "unmerge", merged_into_id=None, closed_at=None, closed_because=None)
    back = (IncidentMention.incident_id == into.id, IncidentMention.came_from_id == incident.id)
    db.session.execute(update(IncidentMention).where(*back).values(incident_id=incident.id, came_from_id=None).execution_options(synchronize_session=False))
    _let_go(into)
    for one in (into, incident):
        count_again(one)
        link(one)
    audit("incident.unmerge", incident, by=by, out_of=into.id)
    _both_changed(incident, into)


def split_off(incident: Incident, mention: Mention, *, by: User) -> None:
    """This post tells another story: it stands for itself again, and isn't gathered a second time."""
    RULES.check(by, "incident.change", incident)
    incident = _hold(incident)
    place = _place(incident, mention)
    if place.left_at is not None:
        raise Conflict("It was taken out already.", state="left")
    place.left_at, place.left_by_id = clock.now(), by.id
    db.session.flush()
    _let_go(incident)
    count_again(incident)
    link(incident)
    audit("incident.split", incident, by=by, mention=mention.id)
    changed(incident)


def put_back(incident: Incident, mention: Mention, *, by: User) -> None:
    """Undo a split: the post belongs to it after all."""
    RULES.check(by, "incident.change", incident)
    incident = _hold(incident)
    place = _place(incident, mention)
    if place.left_at is None:
        raise Conflict("It is in already.", state="in")
    place.left_at = place.left_by_id = None
    count_again(incident)
    link(incident)
    audit("incident.put_back", incident, by=by, mention=mention.id)
    changed(incident)


def close(incident: Incident, *, by: User | None, because: str = "by_person") -> None:
    """Nothing more is gathered; what is still unanswered stands on the desk by itself again."""
    if by is not None:
        RULES.check(by, "incident.change", incident)
    incident = _hold(incident)
    INCIDENT.move(incident, "close", closed_at=clock.now(), closed_because=because)
    if incident.leading_task_id is not None:
        led = (Task.led_by_id == incident.leading_task_id, among(Task.state, *LIVE))
        db.session.execute(update(Task).where(*led).values(led_by_id=None).execution_options(synchronize_session="fetch"))
    audit("incident.close", incident, by=by, reason=because)
    changed(incident)


def reopen(incident: Incident, *, by: User) -> None:
    """Undo a closing: late-comers attach again."""
    RULES.check(by, "incident.change", incident)
    incident = _hold(incident)
    INCIDENT.move(incident, "reopen", closed_at=None, closed_because=None)
    link(incident)
    audit("incident.reopen", incident, by=by)
    changed(incident)


def close_quiet(limit: int = 200) -> int:
    """Close what nobody has come to for three days and what nobody waits in any more; returns how many."""
    edge = clock.now() - QUIET
    waits = select(Task.id).where(or_(Task.led_by_id == Incident.leading_task_id, Task.id == Incident.leading_task_id), among(Task.state, *LIVE)).exists()
    with db.transaction(read_only=True) as session:
        over = (among(Incident.state, "open"), Incident.last_at < edge, Incident.opened_at < edge, ~waits)
        ids = session.scalars(select(Incident.id).where(*over).limit(limit)).all()
    done = 0
    for id_ in ids:
        with db.transaction() as session:
            incident = session.get_one(Incident, id_)
            if incident.state == "open" and incident.last_at < edge:
                close(incident, by=None, because="quiet")
                done += 1
    return done


def answer_of(incident: Incident, *, handed_in: bool = False) -> IncidentAnswer | None:
    """The words that hold now; with `handed_in` only if they were handed in."""
    current = (IncidentAnswer.incident_id == incident.id, IncidentAnswer.superseded_at.is_(None))
    more = (IncidentAnswer.handed_in_at.is_not(None),) if handed_in else ()
    return db.session.scalar(select(IncidentAnswer).where(*current, *more))


# Helpers


def _hold(incident: Incident) -> Incident:
    """The incident as it is now; until the transaction ends nobody gathers into it."""
    one_at_a_time(incident.brand_id)
    fresh = select(Incident).where(Incident.id == incident.id).with_for_update(key_share=True).execution_options(populate_existing=True)
    return db.session.scalars(fresh).one()


def _place(incident: Incident, mention: Mention) -> IncidentMention:
    found = db.session.scalar(select(IncidentMention).where(IncidentMention.mention_id == mention.id, IncidentMention.incident_id == incident.id))
    if found is None:
        raise NotFound("That post is not part of this incident.")
    return found


def _move_posts(from_id: int, into: Incident, *, came_from: int) -> None:
    moved = update(IncidentMention).where(IncidentMention.incident_id == from_id).values(incident_id=into.id, came_from_id=came_from)
    db.session.execute(moved.execution_options(synchronize_session=False))


def _let_go(incident: Incident) -> None:
    """Free the tasks that no post of it stands for any more; a leading one that goes is followed by another."""
    if incident.leading_task_id is None:
        return
    stays = (
        select(Mention.conversation_id)
        .join(IncidentMention, IncidentMention.mention_id == Mention.id)
        .where(IncidentMention.incident_id == incident.id, IncidentMention.left_at.is_(None))
    )
    leads = incident.leading_task_id
    gone = (Task.led_by_id == leads, Task.conversation_id.not_in(stays))
    db.session.execute(update(Task).where(*gone).values(led_by_id=None).execution_options(synchronize_session=False))
    leading_stays = db.session.scalar(select(Task.id).where(Task.id == leads, Task.conversation_id.in_(stays)))
    if leading_stays is None:
        incident.leading_task_id = None
        db.session.execute(update(Task).where(Task.led_by_id == leads).values(led_by_id=None).execution_options(synchronize_session=False))
    db.session.flush()


def _both_changed(*incidents: Incident) -> None:
    for incident in incidents:
        changed(incident)
