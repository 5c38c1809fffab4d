"""Orders to post, and what became of them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field
from sqlalchemy import select

from app.accounts.models import User
from app.api import scope
from app.api.door import Given, Listed, Paged, RowId, Words, door
from app.api.replies import PostingState, PostingView, posting_view
from app.kernel.db import db
from community.replies import queries
from community.replies.models import Posting, Revision
from community.replies.posting import settle


class PostingsAsked(Paged):
    reply: RowId | None = None
    state: PostingState | None = None


class SettleGiven(Given):
    outcome: Annotated[
        Literal["posted", "give_up", "retry"], Field(description="What was seen on the network: it is there, it is not and is given up, it is not and is sent.")
    ]
    url: Annotated[Words | None, Field(max_length=2_000, pattern=r"^https?://[^\s]+$")] = None


@door("GET", "/postings", asks=PostingsAsked, gives=Listed[PostingView])
def list_postings(*, by: User, query: PostingsAsked) -> dict[str, Any]:
    """Postings, newest first: an advocate's own, all of the brand for its people."""
    brand = scope.brand_of(by, query.brand)
    page = queries.postings(by, brand, reply=query.reply, state=query.state, limit=query.limit, cursor=query.cursor)
    numbers = _numbers([posting.revision_id for posting in page.items])
    return {"items": [posting_view(posting, numbers[posting.revision_id]) for posting in page.items], "next": page.next}


@door("GET", "/postings/<id:posting_id>", gives=PostingView)
def get_posting(*, by: User, posting_id: int) -> PostingView:
    """One posting."""
    return _view(queries.posting_of(by, posting_id))


@door("POST", "/postings/<id:posting_id>/settle", takes=SettleGiven, gives=PostingView)
def settle_posting(*, by: User, posting_id: int, body: SettleGiven) -> PostingView:
    """Say what became of a posting whose outcome nobody could tell."""
    posting = queries.posting_of(by, posting_id)
    settle(posting, by=by, outcome=body.outcome, url=body.url)
    return _view(posting)


def _view(posting: Posting) -> PostingView:
    return posting_view(posting, _numbers([posting.revision_id])[posting.revision_id])


def _numbers(ids: list[int]) -> dict[int, int]:
    return {row.id: row.number for row in db.session.execute(select(Revision.id, Revision.number).where(Revision.id.in_(ids)))}
