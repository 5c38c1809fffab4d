"""A break, everything of oneself to take along, and leaving for good: the same verbs as on the pages."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Annotated, Any

from flask import request
from pydantic import ConfigDict, Field

from app.accounts import leaving
from app.accounts.models import User
from app.api import scope
from app.api.door import Given, OfBrand, Shown, Words, door
from app.kernel import clock
from app.kernel.audit import audit
from app.kernel.db import db
from community.advocates import actions as advocates


class BreakGiven(Given):
    days: Annotated[int, Field(ge=1, le=advocates.LONGEST_BREAK.days)]


class BreakView(Shown):
    paused_until: datetime


class LeaveGiven(Given):
    password: Annotated[Words, Field(min_length=1, max_length=2_000, description="One's own: a token alone erases nobody.")]


class PersonExported(Shown):
    id: int
    name: str
    email: str
    preferences: dict[str, Any]
    since: datetime


class ExportView(Shown):
    """Beside these a list for each kind of thing that is kept of a person: replies, words, reviews, points, notices and so on."""

    model_config = ConfigDict(extra="allow")

    exported_at: datetime
    person: PersonExported


@door("PUT", "/me/break", asks=OfBrand, takes=BreakGiven, gives=BreakView)
def take_break(*, by: User, query: OfBrand, body: BreakGiven) -> BreakView:
    """Take a break in a brand: what one holds is free, drafts stay one's own, nothing is offered until it ends."""
    until = clock.now() + timedelta(days=body.days)
    advocates.pause(by, scope.brand_of(by, query.brand), until=until)
    return BreakView(paused_until=until)


@door("DELETE", "/me/break", asks=OfBrand, status=204)
def end_break(*, by: User, query: OfBrand, **_: object) -> None:
    """Come back. Without a break it changes nothing."""
    advocates.come_back(by, scope.brand_of(by, query.brand))


@door("POST", "/me/export", gives=ExportView, within="nothing", limit="export")
def export_me(*, by: User, **_: object) -> Iterator[str]:
    """Everything of oneself, in every brand, sent as it is read. No copy of it is kept."""
    with db.transaction():
        audit("exported", by, by=by)
    return leaving.export(by)


@door("POST", "/me/leave", takes=LeaveGiven, status=204, within="nothing")
def leave(*, by: User, body: LeaveGiven) -> None:
    """Be erased, for good: what was posted stays, as a former advocate's. 409 for the last admin of a brand and the last owner."""
    leaving.confirm(by, body.password, address=request.remote_addr or "")
    with db.transaction():
        leaving.erase(by, by=by)
