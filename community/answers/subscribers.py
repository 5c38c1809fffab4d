"""Who hears what of the library: moderators of proposals, writers of decisions, owners of what ends."""

from __future__ import annotations

from app.accounts.people import holders
from app.kernel.db import db
from app.kernel.events import Event
from app.kernel.outbox import subscribe
from app.notices.actions import tell
from community.answers import recalls, suggestions, uses
from community.answers.actions import version_of
from community.answers.models import Answer
from community.events import (
    AnswerDeclined,
    AnswerDue,
    AnswerExpired,
    AnswerProposed,
    AnswerPublished,
    AuthorCameBack,
    AuthorThanked,
    CorrectionOpened,
    RecallClosed,
    ReplyPosted,
    TaskCancelled,
    TaskResolved,
)
from community.tasks.actions import live_claim
from community.tasks.models import Task

CANCELLED = {
    "mention_deleted": "The author deleted the post.",
    "answered_by_brand": "Somebody at the brand wrote there by themselves.",
    "joined": "The conversation was joined with another one; the correction stays with that one's task.",
}

TOLD_AT_MOST = 50
"""Moderators told of one proposal."""


def subscribe_all() -> None:
    """List who listens to what."""
    subscribe("know_outcomes", [ReplyPosted, AuthorThanked, AuthorCameBack, TaskResolved], know_outcomes)
    subscribe("follow_corrections", [ReplyPosted, TaskCancelled, TaskResolved], follow_corrections)
    subscribe("tell_answers", [AnswerProposed, AnswerPublished, AnswerDeclined, AnswerExpired, AnswerDue, RecallClosed, CorrectionOpened], tell_answers)


def know_outcomes(event: Event, _event_id: int) -> None:
    """What is out may be suggested to others, and what became of it counts for what it was made of."""
    match event:
        case ReplyPosted(reply_id=reply_id):
            if not recalls.catch_up(reply_id):
                suggestions.shelve_replies([reply_id])
            uses.count(reply_id)
        case AuthorThanked(reply_id=reply_id) | AuthorCameBack(reply_id=reply_id):
            uses.count(reply_id)
        case TaskResolved(reply_id=reply_id) if reply_id is not None:
            uses.count(reply_id)


def follow_corrections(event: Event, _event_id: int) -> None:
    """A correction ends with its task: with a reply that is out, or without one."""
    match event:
        case ReplyPosted(task_id=task_id, reply_id=reply_id):
            recalls.finished(task_id, reply_id)
        case TaskCancelled(task_id=task_id, because=because):
            recalls.given_up(task_id, CANCELLED.get(because, "Its task was closed."))
        case TaskResolved(task_id=task_id):
            recalls.given_up(task_id, "The matter was settled without a further reply.")


def tell_answers(event: Event, event_id: int) -> None:
    """Nothing that is decided about somebody's answer is silent."""
    match event:
        case AnswerProposed(answer_id=answer_id, version=version, by_id=by_id):
            title = version_of(db.session.get_one(Answer, answer_id), version).title
            for person in holders(event.brand_id, "moderator", limit=TOLD_AT_MOST):
                if person.id != by_id:
                    _say(event, event_id, person.id, "answer_proposed", "An answer was proposed and waits for your look.", answer_id, title)
        case AnswerPublished(answer_id=answer_id, version=version, writer_id=writer_id, by_id=by_id) if writer_id != by_id:
            title = version_of(db.session.get_one(Answer, answer_id), version).title
            _say(event, event_id, writer_id, "answer_published", "Your answer is in the library now. You hear when it helps somebody.", answer_id, title)
        case AnswerDeclined(answer_id=answer_id, writer_id=writer_id, by_id=by_id, reason=reason) if writer_id != by_id:
            _say(event, event_id, writer_id, "answer_declined", "The answer you proposed was not taken, because:", answer_id, reason)
        case AnswerExpired(answer_id=answer_id, owner_id=owner_id, by_id=by_id) if owner_id != by_id:
            _say(event, event_id, owner_id, "answer_expired", "An answer you keep was expired: it is not suggested any more.", answer_id, _title(answer_id))
        case AnswerDue(answer_id=answer_id, owner_id=owner_id):
            words = "An answer you keep goes stale soon. Look whether it still holds."
            _say(event, event_id, owner_id, "answer_due", words, answer_id, _title(answer_id))
        case RecallClosed(recall_id=recall_id, answer_id=answer_id, by_id=by_id):
            words = "A recall has ended: every reply that rested on the old words is corrected, or it says why not."
            tell(by_id, brand_id=event.brand_id, kind="recall_closed", cause_id=event_id, text=words, link=f"/recalls/{recall_id}", quote=_title(answer_id))
        case CorrectionOpened(task_id=task_id, joined=True):
            held = live_claim(db.session.get_one(Task, task_id))
            if held is not None:
                words = "What you are answering has to put something right that we said there. Read what was learned."
                tell(held.user_id, brand_id=event.brand_id, kind="correction", cause_id=event_id, text=words, link=f"/tasks/{task_id}")


def _say(event: Event, event_id: int, user_id: int, kind: str, text: str, answer_id: int, quote: str | None) -> None:
    tell(user_id, brand_id=event.brand_id, kind=kind, cause_id=event_id, text=text, link=f"/answers/{answer_id}", quote=quote)


def _title(answer_id: int) -> str:
    answer = db.session.get_one(Answer, answer_id)
    return version_of(answer, answer.version).title
