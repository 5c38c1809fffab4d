"""Answers: drafted, saved, handed in, taken back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field
from sqlalchemy import select, tuple_

from app.accounts.models import User
from app.api import scope
from app.api.door import Given, Revision, Shown, Words, door
from app.kernel.db import db
from app.kernel.errors import Conflict, NotFound
from community.answers import uses
from community.moderation.queries import history
from community.replies import actions, queries
from community.replies import models as stored
from community.replies.models import Posting, Reply
from community.tasks.queries import task_of

ReplyState = Literal["draft", "submitted", "approved", "returned", "rejected", "withdrawn"]
PostingState = Literal["approved", "posting", "posted", "pulled_back", "queued", "refused", "unknown"]
Voice = Literal["brand", "own"]
Body = Annotated[Words, Field(max_length=actions.LONGEST, description="The words of the reply.")]


class CheckView(Shown):
    name: str
    level: Literal["ok", "advice", "stop"]
    text: str
    quote: str | None = None
    offer: str | None = None


class PostingView(Shown):
    """The order to post one approved revision, and what became of it. `outside_id` is the network's."""

    id: int
    reply_id: int
    task_id: int
    mention_id: int
    revision: int
    state: PostingState
    path: Literal["api", "by_hand"]
    voice: Voice
    text: str
    in_reply_to: str
    created_at: datetime
    hold_until: datetime
    posted_at: datetime | None
    outside_id: str | None
    url: str | None
    attempts: int
    reason: str | None
    detail: str | None


class ReviewView(Shown):
    """A decision about one revision, by a person or by a named rule."""

    id: int
    reply_id: int
    revision: int
    decision: Literal["approve", "return", "reject", "escalate"]
    reviewer: scope.PersonView | None
    rule: str | None
    basis: Annotated[dict[str, Any] | None, Field(description="What the rule rested on.")]
    edited_from: int | None
    reason: str | None
    note: str | None
    at: datetime


class ReplyView(Shown):
    """`revision` names its newest words. `outgoing` is exactly what would be published, known from handing in on."""

    id: int
    task_id: int
    mention_id: int
    state: ReplyState
    revision: int
    body: str
    outgoing: str | None
    voice: Voice
    writer: scope.PersonView
    late: bool
    created_at: datetime
    submitted_at: datetime | None
    decided_at: datetime | None
    checks: list[CheckView]
    posting: PostingView | None


class ReplyDetail(ReplyView):
    reviews: list[ReviewView]


USED = "Suggestions it was made of, by `code`. Kept from handing in on where their words still stand in it; their writers are credited."


class ReplyGiven(Given):
    body: Body
    voice: Annotated[Voice | None, Field(description="Whose voice speaks; the network and the person's role say which there are.")] = None


class MadeOf(ReplyGiven):
    used: Annotated[list[Annotated[Words, Field(max_length=40)]], Field(max_length=uses.MOST, description=USED)] = []


class BeginGiven(MadeOf):
    revision: Annotated[Revision | None, Field(description="The revision of one's draft that one saw; left out where one saw none.")] = None


class SaveGiven(MadeOf):
    revision: Annotated[Revision | None, Field(description="Where given, the revision the writer saw: a newer one is a conflict.")] = None


class RevisionGiven(Given):
    revision: Revision


class PermalinkGiven(Given):
    url: Annotated[Words, Field(max_length=2_000)]


@door("POST", "/tasks/<id:task_id>/replies", takes=BeginGiven, gives=ReplyView, status=201, also=(200,))
def write_reply(*, by: User, task_id: int, body: BeginGiven) -> tuple[ReplyView, int]:
    """Begin a draft on a task one holds. Where one's draft is begun already, its `revision` saves it (200), and other words without it are a conflict."""
    task = task_of(by, task_id)
    begun = queries.draft_of(by, task) is not None
    reply = actions.draft(task, by=by, text=body.body, voice=body.voice, revision=body.revision)
    uses.note(reply, body.used)
    return reply_view(reply, by), 200 if begun else 201


@door("PUT", "/replies/<id:reply_id>", takes=SaveGiven, gives=ReplyView)
def save_reply(*, by: User, reply_id: int, body: SaveGiven) -> ReplyView:
    """Save other words. What was handed in or approved gets a new revision that needs its own review."""
    reply = actions.save(reply_of(by, reply_id), by=by, text=body.body, revision=body.revision, voice=body.voice)
    uses.note(reply, body.used)
    return reply_view(reply, by)


@door("GET", "/replies/<id:reply_id>", gives=ReplyDetail)
def get_reply(*, by: User, reply_id: int) -> dict[str, object]:
    """One reply with its posting and every decision about it."""
    reply = reply_of(by, reply_id)
    reviews = [
        ReviewView(
            **{name: getattr(review, name) for name in ("id", "reply_id", "revision", "decision", "rule", "basis", "edited_from", "reason", "note", "at")},
            reviewer=scope.PersonView(id=reviewer.id, name=reviewer.name) if reviewer else None,
        )
        for review, reviewer in history(reply)
    ]
    return {**reply_view(reply, by).model_dump(), "reviews": reviews}


@door("POST", "/replies/<id:reply_id>/submit", takes=RevisionGiven, gives=ReplyView, limit="submit")
def submit_reply(*, by: User, reply_id: int, body: RevisionGiven) -> ReplyView:
    """Hand in exactly this revision. What a check stops is told (422, with `checks`)."""
    return reply_view(actions.submit(reply_of(by, reply_id), by=by, revision=body.revision), by)


@door("POST", "/replies/<id:reply_id>/withdraw", gives=ReplyView)
def withdraw_reply(*, by: User, reply_id: int, **_: object) -> ReplyView:
    """Take a draft or submission back; the task is free for others."""
    reply = reply_of(by, reply_id)
    actions.withdraw(reply, by=by)
    return reply_view(reply, by)


@door("POST", "/replies/<id:reply_id>/pull_back", gives=ReplyView)
def pull_back_reply(*, by: User, reply_id: int, **_: object) -> ReplyView:
    """Take an approved reply back while it is held; once a worker has it, that is too late (409)."""
    reply = reply_of(by, reply_id)
    actions.pull_back(reply, by=by)
    return reply_view(reply, by)


@door("POST", "/replies/<id:reply_id>/permalink", takes=PermalinkGiven, gives=ReplyView)
def confirm_reply(*, by: User, reply_id: int, body: PermalinkGiven) -> ReplyView:
    """Tell where the approved text was placed by hand."""
    reply = reply_of(by, reply_id)
    found = postings_of([reply]).get(reply.id)
    if found is None:
        raise Conflict("Nothing of this reply waits to be placed by hand.", state=reply.state)
    actions.confirm_by_hand(found[0], by=by, url=body.url)
    return reply_view(reply, by)


def reply_of(user: User, reply_id: int) -> Reply:
    """A reply the person may see; somebody else's draft is not there."""
    reply = queries.reply_of(user, reply_id)
    if reply.state == "draft" and reply.writer_id != user.id:
        raise NotFound
    return reply


def reply_view(reply: Reply, user: User) -> ReplyView:
    """One reply as it stands after whatever was done to it."""
    return reply_views([reply], user)[0]


def reply_views(replies: Sequence[Reply], user: User) -> list[ReplyView]:
    """Replies of one brand with their newest words and latest postings; a fixed number of statements."""
    if not replies:
        return []
    db.session.flush()
    ids = [reply.id for reply in replies]
    fresh = {r.id: r for r in db.session.scalars(select(Reply).where(Reply.id.in_(ids)).execution_options(populate_existing=True))}
    wanted = tuple_(stored.Revision.reply_id, stored.Revision.number).in_([(r.id, r.revision) for r in fresh.values()])
    words = {rev.reply_id: rev for rev in db.session.scalars(select(stored.Revision).where(wanted).execution_options(populate_existing=True))}
    postings = postings_of(list(fresh.values()))
    writers = scope.known_to(user, (r.writer_id for r in fresh.values()), replies[0].brand_id)
    views = []
    for id_ in ids:
        reply, current = fresh[id_], words[id_]
        views.append(
            ReplyView(
                id=reply.id,
                task_id=reply.task_id,
                mention_id=reply.mention_id,
                state=reply.state,
                revision=reply.revision,
                body=current.text,
                outgoing=current.outgoing,
                voice=reply.voice,
                writer=writers[reply.writer_id],
                late=reply.late,
                created_at=reply.created_at,
                submitted_at=reply.submitted_at,
                decided_at=reply.decided_at,
                checks=[CheckView.model_validate(check) for check in current.checks or ()],
                posting=posting_view(*postings[id_]) if id_ in postings else None,
            )
        )
    return views


def postings_of(replies: Sequence[Reply]) -> dict[int, tuple[Posting, int]]:
    """The latest posting of each reply with the number of its revision, by reply id."""
    rows = db.session.execute(
        select(Posting, stored.Revision.number)
        .join(stored.Revision, stored.Revision.id == Posting.revision_id)
        .where(Posting.reply_id.in_([reply.id for reply in replies]))
        .order_by(Posting.id)
        .execution_options(populate_existing=True)
    )
    return {posting.reply_id: (posting, number) for posting, number in rows}


def posting_view(posting: Posting, revision: int) -> PostingView:
    """A posting as it is shown."""
    placed_by_hand = posting.ext_id is not None and posting.ext_id.startswith("hand:")
    return PostingView(
        **{
            name: getattr(posting, name)
            for name in ("id", "reply_id", "task_id", "mention_id", "state", "path", "voice", "text", "in_reply_to", "created_at", "hold_until")
        },
        **{name: getattr(posting, name) for name in ("posted_at", "url", "attempts", "reason", "detail")},
        revision=revision,
        outside_id=None if placed_by_hand else posting.ext_id,
    )
