"""An incident's answer: written once on its leading task, varied for each post, every variant a reply that is vetted by itself.

A variant is a reply like any other (same checks, same review, same posting), so whatever holds for a reply holds for it. It
never passes by a rule: a person other than its writer approves each, together in one view. Long lists go through in
transactions of a few, so that nobody waits behind them; done twice, nothing more happens.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import joinedload

from app.accounts.choices import whole
from app.accounts.models import Brand, User
from app.kernel import clock
from app.kernel.audit import audit
from app.kernel.db import among, db
from app.kernel.errors import Conflict, Invalid, NotFound, VouchError
from app.kernel.queue import enqueue
from community.channels.base import Voice
from community.incidents.actions import answer_of
from community.incidents.gathering import changed
from community.incidents.models import Incident, IncidentAnswer
from community.incidents.variants import Parts, first_name, vary
from community.mentions.models import Mention
from community.moderation import actions as moderation
from community.permissions import RULES
from community.replies import actions as replies
from community.replies.models import Posting, Reply, Revision
from community.tasks import actions as task_actions
from community.tasks.models import Task

AT_ONCE = 50
"""Variants shown, handed in or approved in one go."""
IN_ONE = 5
"""Of those, in one transaction: a writer holds the database for a moment only."""
MOST_PARTS = 6
LONGEST_PART = 200
SPACING = whole(
    "incident_spacing", 5, least=0, most=600, unit="s", group="Incidents", label="Pause between the variants of an incident's answer",
    help="Approved together, they go out one after the other, so that no network takes them for a flood.",
)  # fmt: skip


@dataclass(frozen=True)
class Variant:
    """What one post would get, or got."""

    task: Task
    mention: Mention
    text: str
    reply: Reply | None
    revision: Revision | None
    posting: Posting | None
    limit: int | None
    length: int
    voice: Voice
    refusal: str | None
    """Why no variant is made for it, in words."""


@dataclass(frozen=True)
class Done:
    """What became of one variant in a go."""

    task_id: int
    reply_id: int | None
    refusal: str | None


def write(incident: Incident, *, by: User, body: str, openings: Sequence[str] = (), closings: Sequence[str] = (), voice: Voice | None = None) -> IncidentAnswer:
    """Save the answer's words. Needs the hold of the leading task; saving renews it. Raises Conflict, Forbidden, Invalid."""
    leading = _leading(incident)
    RULES.check(by, "task.claim", leading)
    body, openings, closings = replies.clean_text(body).strip(), _parts(openings, "openings"), _parts(closings, "closings")
    if not body:
        raise Invalid("There are no words yet.", field="body")
    held = task_actions.live_claim(leading)
    if held is None or held.user_id != by.id:
        raise Conflict("Claim the leading task first: one person writes the answer of an incident.", state=leading.state)
    task_actions.touch_lease_for(by.id, leading.id)
    path = replies.resolve_path(leading, by, voice)
    now = clock.now()
    was = answer_of(incident)
    if was is not None and was.writer_id == by.id and was.handed_in_at is None:
        was.body, was.openings, was.closings, was.voice, was.lang, was.saved_at = body, list(openings), list(closings), path.voice, leading.lang, now
        return was
    if was is not None:
        was.superseded_at = now
        db.session.flush()
    answer = IncidentAnswer(
        brand_id=incident.brand_id,
        incident_id=incident.id,
        writer_id=by.id,
        voice=path.voice,
        body=body,
        openings=list(openings),
        closings=list(closings),
        lang=leading.lang,
        saved_at=now,
    )
    db.session.add(answer)
    db.session.flush()
    changed(incident)
    return answer


def variants(incident: Incident, *, limit: int = AT_ONCE) -> list[Variant]:
    """What each task would get by the answer that holds now, the leading task first; tasks that have their variant show it."""
    answer = answer_of(incident)
    if answer is None:
        return []
    writer = db.session.get_one(User, answer.writer_id)
    parts = Parts(answer.body, answer.openings, answer.closings)
    taken: set[str] = set()
    found = []
    for number, (task, mention, reply, revision, posting) in enumerate(_rows(incident, answer, limit)):
        one = _variant(answer, parts, writer, task, mention, reply, revision, posting, number, taken)
        taken.add(one.text)
        found.append(one)
    return found


def hand_in(incident_id: int, *, by: User, edits: Mapping[int, str] | None = None, only: Iterable[int] | None = None) -> list[Done]:
    """Make each task's variant a reply and hand it in. Opens transactions of its own; what a check stops is told and left out.

    `edits` are the words put by hand for a task; `only` names the tasks (default: all that have no variant yet).
    """
    with db.transaction(read_only=True) as session:
        incident = session.get(Incident, incident_id)
        answer = answer_of(incident) if incident is not None else None
        if incident is None or answer is None:
            raise NotFound("Nobody has written an answer for it yet.")
        if answer.writer_id != by.id:
            raise Conflict("Somebody else writes this answer.", state="claimed")
        chosen = set(only) if only is not None else None
        waiting = [(one.task.id, one.text, one.refusal) for one in variants(incident) if one.reply is None or one.reply.state in ("draft", "returned")]
    edits = edits or {}
    wanted = [(task_id, edits.get(task_id, text), refusal) for task_id, text, refusal in waiting if chosen is None or task_id in chosen]
    done: list[Done] = []
    for start in range(0, len(wanted), IN_ONE):
        with db.transaction() as session:
            incident, answer = session.get_one(Incident, incident_id), session.get_one(IncidentAnswer, answer.id)
            task_actions.hold_all(task_id for task_id, _, _ in wanted[start : start + IN_ONE])
            for task_id, text, refusal in wanted[start : start + IN_ONE]:
                done.append(Done(task_id, None, refusal) if refusal and task_id not in edits else _handed_in(incident, answer, task_id, text, by))
            if answer.handed_in_at is None and any(one.reply_id for one in done):
                answer.handed_in_at = clock.now()
                audit("incident.answer", incident, by=by, answer=answer.id)
            changed(incident)
    return done


def approve(incident_id: int, *, by: User, chosen: Sequence[tuple[int, int]]) -> list[Done]:
    """Approve these variants, each exactly the revision that was read: `(reply, revision)`. Opens transactions of its own.

    One that was changed, decided, or may not be approved by this person is told and leaves the others as they are.
    """
    if len(chosen) > AT_ONCE:
        raise Invalid(f"Approve at most {AT_ONCE} at once.", field="replies")
    done: list[Done] = []
    for start in range(0, len(chosen), IN_ONE):
        with db.transaction() as session:
            incident = session.get_one(Incident, incident_id)
            ids = [reply_id for reply_id, _ in chosen[start : start + IN_ONE]]
            task_actions.hold_all(session.scalars(select(Reply.task_id).where(Reply.id.in_(ids), Reply.incident_id == incident.id)))
            for reply_id, revision in chosen[start : start + IN_ONE]:
                reply = session.get(Reply, reply_id)
                if reply is None or reply.incident_id != incident.id or reply.brand_id != incident.brand_id:
                    done.append(Done(0, reply_id, "Not part of this incident."))
                    continue
                try:
                    with session.begin_nested():
                        space_out(moderation.approve(reply, by=by, revision=revision), incident)
                except VouchError as refusal:
                    done.append(Done(reply.task_id, reply_id, refusal.message))
                else:
                    done.append(Done(reply.task_id, reply_id, None))
            changed(incident)
    return done


def prepare_late(incident: Incident, task_ids: Sequence[int]) -> list[int]:
    """Late-comers get their variant prepared and handed in, so that only the look is missing. Returns the replies made.

    Only once a variant of the same answer was approved: before that nobody but its writer has found it good.
    """
    answer = answer_of(incident, handed_in=True)
    if answer is None or not task_ids or not _approved_before(incident, answer):
        return []
    writer = db.session.get(User, answer.writer_id)
    if writer is None or writer.suspended_at is not None:
        return []
    wanted = set(task_ids)
    task_actions.hold_all(wanted)
    made = []
    for one in variants(incident, limit=10 * AT_ONCE):
        if one.task.id in wanted and one.reply is None and one.refusal is None:
            done = _handed_in(incident, answer, one.task.id, one.text, writer)
            if done.reply_id is not None and done.refusal is None:
                made.append(done.reply_id)
    return made


def prepare_waiting(incident: Incident) -> list[int]:
    """The answer was found good for the first time: who came after it was handed in, and before that, gets their variant now."""
    answer = answer_of(incident, handed_in=True)
    if answer is None or incident.state != "open":
        return []
    came_after = (Task.led_by_id == incident.leading_task_id, among(Task.state, "open"), Task.opened_at > answer.handed_in_at)
    return prepare_late(incident, db.session.scalars(select(Task.id).where(*came_after).order_by(Task.id).limit(AT_ONCE)).all())


def space_out(posting: Posting, incident: Incident) -> None:
    """Let it go out a little after the variant before it on the same account."""
    gap = SPACING.of(db.session.get_one(Brand, incident.brand_id))
    if posting.path != "api" or not gap:
        return
    before = db.session.scalar(
        select(func.max(Posting.next_at))
        .join(Reply, Reply.id == Posting.reply_id)
        .where(Reply.incident_id == incident.id, Posting.account_id == posting.account_id, Posting.state == "approved", Posting.id != posting.id)
    )
    if before is None or posting.next_at is None or before + timedelta(seconds=gap) <= posting.next_at:
        return
    from community.replies.posting import post

    posting.next_at = at = before + timedelta(seconds=gap)
    id_ = posting.id
    db.after_commit(lambda: enqueue(post, id_, job_id=f"post-{id_}-0", at=at), key=("post", id_))


# Helpers


def _variant(
    answer: IncidentAnswer,
    parts: Parts,
    writer: User,
    task: Task,
    mention: Mention,
    reply: Reply | None,
    revision: Revision | None,
    posting: Posting | None,
    number: int,
    taken: set[str],
) -> Variant:
    voice: Voice = answer.voice  # type: ignore[assignment]
    try:
        path = replies.resolve_path(task, writer, voice)
    except Invalid:
        path = replies.resolve_path(task, writer, None)
    if reply is not None and revision is not None:
        text = revision.text
    else:
        fits = (lambda words: True) if path.limit is None else (lambda words: path.length(words) <= (path.limit or 0))
        text = vary(parts, number, name=first_name(mention.author_name, mention.author_handle), fits=fits, taken=taken)
    refusal = None
    if reply is None:
        refusal = RULES.refusal(writer, "task.claim", task) or _unfit(answer, task, mention)
        if refusal is None and path.kind == "none":
            refusal = f"Nobody may reply here: {path.rule}"
    return Variant(task, mention, text, reply, revision, posting, path.limit, path.length(text), path.voice, refusal)


def _unfit(answer: IncidentAnswer, task: Task, mention: Mention) -> str | None:
    if mention.gone_at is not None:
        return "Its author deleted the post."
    if task.lang not in (answer.lang, "und") and answer.lang != "und":
        return "It is in another language: put words of its own."
    held = task_actions.live_claim(task) if task.state == "claimed" else None
    if held is not None and held.user_id != answer.writer_id:
        return "Somebody is answering it already."
    if task.state not in ("open", "claimed"):
        return "It is answered already." if task.state in ("answered", "resolved") else "An answer is being looked at already."
    return None


def _handed_in(incident: Incident, answer: IncidentAnswer, task_id: int, text: str, by: User) -> Done:
    """One variant as a reply, in a savepoint of its own."""
    try:
        with db.session.begin_nested():
            task = task_actions.hold(db.session.get_one(Task, task_id))
            reply = db.session.scalar(select(Reply).where(Reply.task_id == task.id, Reply.writer_id == by.id, Reply.state.in_(("draft", "returned"))))
            if reply is not None:
                reply = replies.save(reply, by=by, text=text)
                reply.incident_id = incident.id
            else:
                RULES.check(by, "task.claim", task)
                reply = _draft(incident, answer, task, text, by)
            db.session.flush()
            replies.submit(reply, by=by, revision=reply.revision)
            return Done(task_id, reply.id, None)
    except IntegrityError:
        return Done(task_id, None, "Another draft of yours for it was made this very moment.")
    except VouchError as refusal:
        return Done(task_id, None, refusal.message)


def _draft(incident: Incident, answer: IncidentAnswer, task: Task, text: str, by: User) -> Reply:
    """A draft without a hold of its own: the hold of the leading task stands for all of them."""
    text = replies.clean_text(text)
    try:
        path = replies.resolve_path(task, by, answer.voice)  # type: ignore[arg-type]
    except Invalid:
        path = replies.resolve_path(task, by, None)
    reply = replies.begin(task, by, text, path.voice, incident_id=incident.id)
    db.session.flush()
    return reply


def _rows(incident: Incident, answer: IncidentAnswer, limit: int) -> list[tuple[Task, Mention, Reply | None, Revision | None, Posting | None]]:
    """The incident's tasks that wait or have a variant of this writer, the leading one first."""
    leads = incident.leading_task_id or 0
    theirs = (Reply.task_id == Task.id) & (Reply.incident_id == incident.id) & Reply.state.in_(("draft", "returned", "submitted", "approved"))
    rows = db.session.execute(
        select(Task, Mention, Reply, Revision, Posting)
        .join(Mention, Mention.id == Task.mention_id)
        .outerjoin(Reply, theirs)
        .outerjoin(Revision, (Revision.reply_id == Reply.id) & (Revision.number == Reply.revision))
        .outerjoin(Posting, Posting.revision_id == Revision.id)
        .where(or_(Task.id == leads, Task.led_by_id == leads), or_(among(Task.state, "open", "claimed", "in_review"), Reply.id.is_not(None)))
        .options(joinedload(Mention.account))
        .order_by((Task.id == leads).desc(), Reply.id.is_not(None), Task.id)
        .limit(limit)
    ).all()
    return [(task, mention, reply, revision, posting) for task, mention, reply, revision, posting in rows]


def _leading(incident: Incident) -> Task:
    if incident.state != "open":
        raise Conflict(f"This incident is {incident.state}.", state=incident.state)
    task = db.session.get(Task, incident.leading_task_id) if incident.leading_task_id else None
    if task is None:
        raise Conflict("No task of it waits for an answer.", state=incident.state)
    return task


def _approved_before(incident: Incident, answer: IncidentAnswer) -> bool:
    approved = (Reply.incident_id == incident.id, Reply.writer_id == answer.writer_id, Reply.state == "approved")
    return db.session.scalar(select(Reply.id).where(*approved).limit(1)) is not None


def _parts(given: Sequence[str], field: str) -> list[str]:
    kept = list(dict.fromkeys(replies.clean_text(part).strip() for part in given if part.strip()))
    if len(kept) > MOST_PARTS or any(len(part) > LONGEST_PART for part in kept):
        raise Invalid(f"At most {MOST_PARTS}, of {LONGEST_PART} characters each.", field=field)
    return kept
