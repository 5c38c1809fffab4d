"""A second look at a rejection."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from app.accounts.models import User
from app.api import scope
from app.api.door import Given, OfBrand, Shown, Words, door
from app.api.mentions import MentionView, mention_view
from app.api.replies import reply_of
from community.moderation import appeals
from community.moderation.models import Appeal


class AppealView(Shown):
    id: int
    reply_id: int
    words: str
    state: Literal["open", "upheld", "dismissed"]
    at: datetime
    decided_at: datetime | None
    note: str | None


class AppealItem(AppealView):
    """`refusal`: why the asker may not decide about it; `can_send`: the question is still open."""

    writer: scope.PersonView
    decided_by: scope.PersonView
    reason: str | None
    reason_note: str | None
    body: str
    mention: MentionView
    refusal: str | None
    can_send: bool


class Appeals(Shown):
    items: list[AppealItem]
    next: None = None


class AppealGiven(Given):
    words: Annotated[Words, Field(min_length=1, max_length=1_000, description="Why it should be looked at again.")]


class AppealDecided(Given):
    outcome: Annotated[Literal["uphold", "send", "dismiss"], Field(description="`send`: uphold it and let the reply go out, while the question is open.")]
    note: Annotated[Words, Field(min_length=1, max_length=1_000, description="The writer reads it.")]


@door("POST", "/replies/<id:reply_id>/appeal", takes=AppealGiven, gives=AppealView, status=201)
def appeal_reply(*, by: User, reply_id: int, body: AppealGiven) -> Appeal:
    """The writer of a rejected reply asks for one more look, once and within seven days."""
    return appeals.appeal(reply_of(by, reply_id), by=by, words=body.words)


@door("GET", "/appeals", asks=OfBrand, gives=Appeals)
def list_appeals(*, by: User, query: OfBrand) -> dict[str, Any]:
    """What waits for a second look, oldest first, fifty at most."""
    brand = scope.brand_of(by, query.brand, "moderator", "admin")
    return {
        "items": [
            AppealItem(
                **AppealView.model_validate(one.appeal).model_dump(),
                writer=scope.PersonView(id=one.writer.id, name=one.writer.name),
                decided_by=scope.PersonView(id=one.decider.id, name=one.decider.name),
                reason=one.review.reason,
                reason_note=one.review.note,
                body=one.revision.outgoing or one.revision.text,
                mention=mention_view(one.mention, staff=True),
                refusal=appeals.refusal_of(one.appeal, by),
                can_send=appeals.can_send(one),
            )
            for one in appeals.open_appeals(by, brand)
        ]
    }


@door("POST", "/appeals/<id:appeal_id>/decision", takes=AppealDecided, gives=AppealView)
def decide_appeal(*, by: User, appeal_id: int, body: AppealDecided) -> Appeal:
    """The second look, by a moderator who did not reject it (an admin where there is no other)."""
    asked = appeals.appeal_of(by, appeal_id)
    appeals.decide(asked.appeal, by=by, uphold=body.outcome != "dismiss", send=body.outcome == "send", note=body.note)
    return asked.appeal
