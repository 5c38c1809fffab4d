"""Peers look first: what waits for an advocate's look, and their vote on one exact revision."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from app.accounts.models import User
from app.api import scope
from app.api.door import Given, OfBrand, Revision, Shown, Words, door
from app.api.mentions import MentionView, mention_view
from app.kernel.errors import Forbidden, NotFound
from community.moderation import peers
from community.moderation.models import PeerVote
from community.replies.queries import reply_of

SEES = ("moderator", "admin", "analyst")


class VetView(Shown):
    """One reply as a peer sees it; `id` is the reply's. Its writer goes by their pseudonym."""

    id: int
    revision: int
    body: str
    topic: str
    writer: str | None
    mention: MentionView
    submitted_at: datetime


class VetList(Shown):
    items: list[VetView]
    next: None = None


class VoteGiven(Given):
    revision: Revision
    kind: Annotated[bool, Field(description="Kind in tone.")]
    answers: Annotated[bool, Field(description="An answer to this question.")]
    correct: bool
    personal: Annotated[bool, Field(description="Personal, not a copy.")]
    note: Annotated[Words | None, Field(max_length=500)] = None


class VoteView(Shown):
    """`voter`: none for other peers, who stay unnamed to each other."""

    id: int
    reply_id: int
    revision: int
    voter: scope.PersonView | None
    kind: bool
    answers: bool
    correct: bool
    personal: bool
    yes: bool
    note: str | None
    at: datetime


class Votes(Shown):
    items: list[VoteView]
    next: None = None


@door("GET", "/vet", asks=OfBrand, gives=VetList)
def list_vet(*, by: User, query: OfBrand) -> dict[str, Any]:
    """What waits for one's look as a peer, oldest first."""
    brand = scope.brand_of(by, query.brand, "advocate")
    return {
        "items": [
            VetView(
                id=one.reply.id,
                revision=one.revision.number,
                body=one.revision.outgoing or one.revision.text,
                topic=one.task.category,
                writer=one.writer.pseudonym if one.writer else None,
                mention=mention_view(one.mention, staff=False),
                submitted_at=one.reply.submitted_at or one.reply.created_at,
            )
            for one in peers.to_vet(by, brand)
        ]
    }


@door("POST", "/replies/<id:reply_id>/votes", takes=VoteGiven, gives=VoteView, status=201)
def vote_reply(*, by: User, reply_id: int, body: VoteGiven) -> VoteView:
    """Say what one found of exactly this revision, once; 409 when it was changed, decided, or enough peers have spoken."""
    item = peers.vet_of(by, reply_id)
    row = peers.vote(
        item.reply, by=by, revision=body.revision, kind=body.kind, answers=body.answers, correct=body.correct, personal=body.personal, note=body.note
    )
    return _view(row, scope.PersonView(id=by.id, name=by.name))


@door("GET", "/replies/<id:reply_id>/votes", gives=Votes)
def list_votes(*, by: User, reply_id: int) -> dict[str, Any]:
    """What peers found of the newest revision: for moderators with names, for a peer once they have looked themselves."""
    own = None
    try:
        reply = reply_of(by, reply_id)
        if not by.has(reply.brand_id, *SEES):
            raise NotFound
        named = True
    except NotFound:
        reply = peers.vet_of(by, reply_id).reply
        own, named = peers.mine(by, reply), False
        if own is None:
            raise Forbidden("Look at it yourself first: then you see what others found.") from None
    votes = peers.votes_of(reply, own.revision if own else None)
    return {"items": [_view(vote, scope.PersonView(id=who.id, name=who.name) if named or who.id == by.id else None) for vote, who in votes]}


def _view(vote: PeerVote, voter: scope.PersonView | None) -> VoteView:
    fields = {name: getattr(vote, name) for name in ("id", "reply_id", "revision", "kind", "answers", "correct", "personal", "yes", "note", "at")}
    return VoteView(**fields, voter=voter)
