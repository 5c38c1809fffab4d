"""After the answer: the author's next post is read, and silence has its meaning too."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import and_, select

from app.kernel import clock
from app.kernel.db import among, db
from app.kernel.outbox import record
from community.events import AuthorCameBack, AuthorSettled, AuthorThanked
from community.feedback.models import FollowUp
from community.mentions.models import Decision, Mention
from community.ports import Post, Reading, Route, Signals, ports
from community.replies import withdrawal
from community.replies.models import Posting, Reply
from community.tasks import actions as task_actions
from community.tasks.models import Task

SILENCE = timedelta(hours=72)
"""An author who writes nothing more for this long was helped, or has moved on."""
_DONE = "solved|sorted(?: it)?|resolved|fixed|figured (?:it )?out|works now|working (?:now|again)|back (?:up|online)|all good(?: now)?"
_SETTLED = re.compile(
    rf"\b(?:never ?mind|nvm|no longer need|don't need (?:it|help) any ?more|{_DONE})\b|解决了|解決了|搞定|已经好了|已經好了|不用了|没事了|沒事了"
)
_NOT_YET = "not|n't|never(?! ?mind)|isn't|hasn't|wasn't|still|until|when|if|be|get|getting|want|need|please"
_UNSETTLED = re.compile(rf"\b(?:{_NOT_YET})\b[^.!\n]{{0,20}}\b(?:{_DONE})\b|没有?解决|沒有?解決")


def says_settled(text: str) -> bool:
    """Whether somebody says that their matter is settled: "never mind, solved". A cheap look before the classifier's."""
    plain = text[:1000].lower().replace("’", "'")
    return _SETTLED.search(plain) is not None and _UNSETTLED.search(plain) is None and "?" not in plain and "？" not in plain


def settled_by_author(task: Task, mention: Mention, route: Route) -> bool:
    """The author says so before anything of ours is out: the question closes itself, whoever was at it is told and thanked.

    Only for the community: a case of the team is closed by a person. Returns whether it was so.
    """
    asked = db.session.get_one(Mention, task.mention_id)
    if not (asked.author_ext_id or asked.author_handle) or not _same_author(asked, mention):
        return False
    if task.audience != "community" or route.audience in ("tier_1", "tier_2") or withdrawal.may_be_out(task):
        return False
    if ports.triage.read_mood(_post(asked), _post(mention)) in ("stuck", "angrier"):
        return False
    held = task_actions.live_claim(task)
    record(AuthorSettled(task.brand_id, mention.id, task.id, held.user_id if held is not None else None))
    task_actions.resolve(task, because="author_settled", by=None)
    return True


def read_follow_up(task: Task, mention: Mention, route: Route) -> Literal["read", "new"]:
    """Read the post that came after our answer. Thanks resolves, still stuck reopens for the same advocate, angrier escalates.

    Returns "new" when it is no follow-up to an answer of ours (another author, or the task was closed unanswered):
    then it stands for itself.
    """
    reading = _read(task, mention, route)
    if reading is None:
        return "new"
    _decided_by_reading(mention, task, reading)
    return "read"


def _read(task: Task, mention: Mention, route: Route) -> Reading | None:
    """What the author's post says, acted upon; None when it is no follow-up."""
    asked = db.session.get_one(Mention, task.mention_id)
    answer = db.session.execute(
        select(Reply, Posting)
        .join(Posting, Posting.reply_id == Reply.id)
        .where(Posting.task_id == task.id, Posting.state == "posted")
        .order_by(Posting.id.desc())
        .limit(1)
    ).first()
    if answer is None or not _same_author(asked, mention):
        return None
    reply, _posting = answer
    reading = ports.triage.read_mood(_post(asked), _post(mention))
    if reading == "other" and route.audience in ("tier_1", "tier_2"):
        reading = "angrier" if route.signals.anger >= route.signals.technical else "stuck"
    db.session.add(
        FollowUp(brand_id=task.brand_id, task_id=task.id, reply_id=reply.id, writer_id=reply.writer_id, mention_id=mention.id, reading=reading, at=clock.now())
    )
    if reading == "thanks":
        record(AuthorThanked(task.brand_id, mention.id, task.id, reply.id, reply.writer_id))
        if task.state == "answered":
            task_actions.resolve(task, because="thanks", by=None, writer_id=reply.writer_id, reply_id=reply.id)
        return reading
    if reading == "other" and route.audience == "set_aside":
        return reading
    record(AuthorCameBack(task.brand_id, mention.id, task.id, reply.id, reply.writer_id, reading))
    task_actions.reopen(task, mention, because=reading, keep_for=None if reading == "angrier" or task.audience != "community" else reply.writer_id)
    task.priority = max(task.priority, route.priority)
    if task.audience == "community" and reading == "angrier":
        task_actions.escalate(task, "tier_1", because="angrier", by=None)
    elif task.audience == "community" and route.audience in ("tier_1", "tier_2"):
        task_actions.escalate(task, route.audience, because="author_wrote_again", by=None)
    return reading


def _same_author(asked: Mention, mention: Mention) -> bool:
    if asked.author_ext_id or mention.author_ext_id:
        return asked.author_ext_id == mention.author_ext_id
    return asked.author_handle == mention.author_handle


def _decided_by_reading(mention: Mention, task: Task, reading: str) -> None:
    """A post that was read as a follow-up is settled by that: the triage list must not decide about it once more, and later."""
    was = db.session.scalar(select(Decision).where(Decision.mention_id == mention.id, Decision.superseded_at.is_(None), among(Decision.audience, "triage")))
    if was is None:
        return
    was.superseded_at = clock.now()
    db.session.flush()
    reason = {"text": f"read as the author's word on our answer: {reading}", "points": 0, "rule": "follow_up"}
    db.session.add(was.corrected(task.audience, reason, clock.now()))
    db.session.flush()


def catch_up(task: Task, since: datetime) -> None:
    """Read what the author wrote after our reply had begun to go out and before we knew that it is out."""
    wrote = (Mention.conversation_id == task.conversation_id, Mention.by_brand.is_(False), Mention.posted_at >= since, Mention.id != task.mention_id)
    current = and_(Decision.mention_id == Mention.id, Decision.superseded_at.is_(None))
    for mention, decision in db.session.execute(select(Mention, Decision).join(Decision, current).where(*wrote).order_by(Mention.posted_at, Mention.id)).all():
        if task.state != "answered":
            return
        read_follow_up(task, mention, _route(decision))


def resolve_silent(limit: int = 500) -> int:
    """Resolve what was answered and has been silent for 72 h, each in a transaction of its own; returns how many."""
    edge = clock.now() - SILENCE
    with db.transaction(read_only=True) as session:
        silent = session.scalars(select(Task.id).where(among(Task.state, "answered"), Task.answered_at <= edge).order_by(Task.answered_at).limit(limit)).all()
    done = 0
    for task_id in silent:
        with db.transaction() as session:
            task = task_actions.hold(session.get_one(Task, task_id))
            if task.state != "answered" or task.answered_at is None or task.answered_at > edge:
                continue  # the author wrote this very moment
            answer = session.scalar(
                select(Reply)
                .join(Posting, Posting.reply_id == Reply.id)
                .where(Posting.task_id == task.id, Posting.state == "posted")
                .order_by(Posting.id.desc())
                .limit(1)
            )
            task_actions.resolve(task, because="silence", by=None, writer_id=answer.writer_id if answer else None, reply_id=answer.id if answer else None)
            done += 1
    return done


def _route(decision: Decision) -> Route:
    """A stored decision as the route it came from."""
    d = decision
    signals = Signals(d.anger, d.technical, d.spam, d.urgency, d.sentiment, d.category, lang="und")
    return Route(d.audience, d.priority, d.kind, (), signals)  # type: ignore[arg-type]


def _post(mention: Mention) -> Post:
    return Post(text=mention.text, lang=mention.lang, followers=mention.followers, private=mention.private, kind=mention.kind)
