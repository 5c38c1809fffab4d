"""Vetting: what waits for a look, and the decision about one exact revision."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field
from sqlalchemy import select

from app.accounts.models import User
from app.api import scope
from app.api.door import Given, Listed, Paged, Revision, RowId, Shown, Words, door
from app.api.mentions import MentionView, mention_view
from app.api.replies import Body, ReplyView, ReviewView, reply_of, reply_view, reply_views
from app.kernel.db import db
from community.moderation import actions, peers
from community.moderation.models import Review
from community.moderation.queries import queue
from community.moderation.sampling import in_words
from community.replies.models import Reply

REASONS = Literal["incorrect", "off_topic", "incomplete", "tone", "private_data", "promise", "copy", "other"]


class PeersView(Shown):
    """How many peers found its newest revision right in all four questions."""

    yes: int
    votes: int


class QueueView(Shown):
    """One reply that waits, or was decided; `id` is the reply's. `own`: the reader wrote it and cannot decide it. `because`: why a person has to look."""

    id: int
    reply: ReplyView
    mention: MentionView
    audience: str
    priority: int
    trust_level: int | None
    holder: scope.PersonView | None
    own: bool
    because: str | None
    peers: PeersView | None


class ReviewsAsked(Paged):
    show: Annotated[Literal["waiting", "peers", "decided"], Field(description="`peers`: what advocates still look at.")] = "waiting"
    channel: Annotated[RowId | None, Field(description="Only this channel account's.")] = None
    lang: Annotated[Words | None, Field(max_length=16)] = None
    topic: Annotated[Words | None, Field(max_length=32, description="A task's category.")] = None


class ReviewGiven(Given):
    decision: Literal["approve", "return", "reject", "escalate"]
    revision: Revision
    reason: Annotated[REASONS | None, Field(description="Required with `reject`.")] = None
    note: Annotated[Words | None, Field(max_length=1_000)] = None
    body: Annotated[Body | None, Field(description="With `approve`: other words, for which the reviewer answers.")] = None
    tier: Annotated[Literal["tier_1", "tier_2"] | None, Field(description="With `escalate`: where to; else as the mention's signals say.")] = None


class ReviewMade(ReviewView):
    reply: ReplyView


@door("GET", "/reviews", asks=ReviewsAsked, gives=Listed[QueueView])
def list_reviews(*, by: User, query: ReviewsAsked) -> dict[str, Any]:
    """What waits for a moderator, oldest first; with `show=decided` the newest decisions first."""
    brand = scope.brand_of(by, query.brand, "moderator", "admin")
    page = queue(by, brand, show=query.show, channel=query.channel, lang=query.lang, topic=query.topic, limit=query.limit, cursor=query.cursor)
    spoken = peers.tally([item.reply.id for item in page.items])
    views = {view.id: view for view in reply_views([item.reply for item in page.items], by)}
    items = [
        QueueView(
            id=item.reply.id,
            reply=views[item.reply.id],
            mention=mention_view(item.mention, staff=True),
            audience=item.task.audience,
            priority=item.task.priority,
            trust_level=item.advocate.trust_level if item.advocate else None,
            holder=scope.PersonView(id=item.holder.id, name=item.holder.name) if item.holder else None,
            own=item.own,
            because=in_words(item.reply.look_because) if item.reply.state == "submitted" else None,
            peers=PeersView(yes=spoken[item.reply.id][0], votes=spoken[item.reply.id][1]) if item.reply.id in spoken else None,
        )
        for item in page.items
    ]
    return {"items": items, "next": page.next}


@door("POST", "/replies/<id:reply_id>/reviews", takes=ReviewGiven, gives=ReviewMade, status=201)
def review_reply(*, by: User, reply_id: int, body: ReviewGiven) -> dict[str, Any]:
    """Decide about exactly this revision: approve (with `body`: edit and approve), return, reject or escalate."""
    reply = reply_of(by, reply_id)
    match body.decision:
        case "approve":
            actions.approve(reply, by=by, revision=body.revision, body=body.body, note=body.note)
        case "return":
            actions.return_(reply, by=by, revision=body.revision, reason=body.reason, note=body.note)
        case "reject":
            actions.reject(reply, by=by, revision=body.revision, reason=body.reason, note=body.note)
        case "escalate":
            actions.escalate(reply, by=by, revision=body.revision, reason=body.reason, note=body.note, tier=body.tier)
    return _made(reply, by)


def _made(reply: Reply, by: User) -> dict[str, Any]:
    review = db.session.scalars(select(Review).where(Review.reply_id == reply.id, Review.reviewer_id == by.id).order_by(Review.id.desc()).limit(1)).one()
    fields = {name: getattr(review, name) for name in ("id", "reply_id", "revision", "decision", "rule", "basis", "edited_from", "reason", "note", "at")}
    return {**fields, "reviewer": scope.PersonView(id=by.id, name=by.name), "reply": reply_view(reply, by)}
