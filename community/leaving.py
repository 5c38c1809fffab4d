"""What becomes of somebody's work when they go: what was said in the brand's name stays, what never was goes with them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, select, update

from app.accounts import leaving
from app.accounts.models import User
from app.kernel import clock
from app.kernel.db import db
from community.advocates.models import Advocate, QualityMark, TopicRecord
from community.answers.models import Answer, AnswerFile, Recall, Version
from community.feedback.models import Feedback, FollowUp, Outcome
from community.incidents.models import IncidentAnswer, IncidentMention
from community.joining.models import Acceptance, Application, Guidelines, Invitation
from community.mentions.models import Decision
from community.moderation.models import Appeal, Flag, FlagVote, PeerVote, Review, ReviewClaim
from community.replies import actions as replies
from community.replies.models import Reply, Revision
from community.tasks import actions as tasks
from community.tasks.models import Claim, Pass, Task, Watch
from community.texts.models import Snippet

BLANK_ADVOCATE: dict[str, Any] = {"pseudonym": leaving.FORMER, "languages": [], "topics": [], "on_boards": False, "paused_until": None}


def listed() -> None:
    """Every column of this room that points at a person."""
    own = leaving.part
    own(Advocate, "user_id", "advocate", ("brand_id", "pseudonym", "languages", "topics", "trust_level", "on_boards", "joined_at"), erase=BLANK_ADVOCATE)
    own(Reply, "writer_id", "replies", ("id", "task_id", "voice", "state", "created_at", "submitted_at", "decided_at"))
    own(Revision, "by_id", "words", ("reply_id", "number", "text", "saved_at"))
    leaving.also("decisions", ("at", "reply_id", "revision", "decision", "reason", "note"), Review, decisions_about)
    own(Review, "reviewer_id", "reviews", ("at", "reply_id", "revision", "decision", "reason", "note"))
    own(PeerVote, "voter_id", "votes", ("at", "reply_id", "revision", "kind", "answers", "correct", "personal", "note"))
    own(PeerVote, "writer_id")
    own(ReviewClaim, "reviewer_id", erase="delete")
    own(Appeal, "writer_id", "appeals", ("at", "reply_id", "words", "state", "decided_at", "note"), erase={"words": ""})
    own(Appeal, "decided_by_id")
    own(Claim, "user_id", "claims", ("task_id", "started_at", "ended_at", "ended_because", "note", "words"), erase={"note": None, "words": None})
    own(Watch, "user_id", "watched", ("task_id", "at"), erase="delete")
    own(Pass, "user_id", "passed_by", ("task_id", "reason", "at"), erase="delete")
    own(Flag, "by_id", "flags", ("at", "task_id", "kind", "note", "state", "decided_at"), erase={"note": None})
    own(Flag, "decided_by_id")
    own(FlagVote, "user_id", "flag_votes", ("flag_id", "at"))
    own(QualityMark, "user_id", "marks", ("at", "reply_id", "topic", "kind", "reason", "undone_at"))
    own(TopicRecord, "user_id", "records", ("brand_id", "topic", "answered", "good", "bad", "thanked", "clean"))
    own(FollowUp, "writer_id", "what_became", ("at", "task_id", "reply_id", "reading"))
    own(Outcome, "user_id", "heard_of", ("at", "part", "kind", "task_id", "reply_id", "times"), erase="delete")
    own(Version, "by_id", "answers_written", ("at", "answer_id", "number", "title", "body", "why"))
    own(Acceptance, "user_id", "guidelines", ("brand_id", "version", "at"))
    own(Invitation, "user_id", "invitations", ("brand_id", "email", "role", "made_at", "ended_at"), erase="delete")
    # The brand's own record of who did or decided something for it, a number from now on.
    for model, column in (
        (Version, "published_by_id"), (Answer, "owner_id"),
        (AnswerFile, "by_id"), (Recall, "by_id"), (Decision, "by_id"), (Task, "returned_to_id"), (Task, "raised_by_id"),
        (Feedback, "settled_by_id"), (Snippet, "by_id"), (IncidentMention, "left_by_id"), (IncidentAnswer, "writer_id"),
        (Guidelines, "by_id"), (Invitation, "by_id"), (Application, "decided_by_id"),
    ):  # fmt: skip
        own(model, column)
    leaving.words(Review, "note")
    leaving.words(Task, "lesson")
    leaving.words(Appeal, "note")
    leaving.before(let_go)


def decisions_about(user: User) -> Any:
    """What others decided about a person's replies, and why."""
    return select(Review).join(Reply, Reply.id == Review.reply_id).where(Reply.writer_id == user.id)


def let_go(user: User) -> None:
    """Free what they hold, take back what waits for a look, and blank every wording that was never approved."""
    waits = select(Reply).where(Reply.writer_id == user.id, Reply.state.in_(("draft", "submitted", "returned"))).order_by(Reply.id)
    for reply in db.session.scalars(waits).all():
        replies.withdraw(reply, by=user)
    tasks.end_claims_of(user.id, because="left")
    kept = select(Task).where(Task.returned_to_id == user.id, Task.kept_until > clock.now())
    db.session.execute(update(Task).where(Task.id.in_(kept.with_only_columns(Task.id))).values(returned_to_id=None, kept_until=None))
    approved = select(Review.id).where(Review.reply_id == Revision.reply_id, Review.revision == Revision.number, Review.decision == "approve").exists()
    mine = Revision.reply_id.in_(select(Reply.id).where(Reply.writer_id == user.id))
    blank: dict[str, Any] = {"text": "", "outgoing": None, "outgoing_hash": None, "checks": []}
    db.session.execute(update(Revision).where(mine, ~approved).values(blank).execution_options(synchronize_session=False))
    for model in (Invitation, Application):
        db.session.execute(delete(model).where(model.email_key == user.email_key).execution_options(synchronize_session=False))
