"""Oneself, and what one earned."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field
from sqlalchemy import select

from app.accounts import people
from app.accounts.models import Brand, User
from app.api import scope
from app.api.door import Given, Listed, OfBrand, Paged, Shown, Words, door, listed
from app.api.mentions import ReasonView
from app.kernel.db import db
from app.kernel.errors import NotFound
from community.advocates import actions as advocates
from community.advocates import suspension
from community.advocates.models import Advocate
from community.feedback.outcomes import Became, feed
from gamification.points import queries
from gamification.points.models import LedgerEntry


class MembershipView(Shown):
    """What one is in a brand; the last five are an advocate's."""

    slug: str
    name: str
    roles: list[str]
    pseudonym: str | None = None
    trust_level: int | None = None
    paused_until: datetime | None = None
    points: int | None = None
    points_this_week: int | None = None


class MeView(Shown):
    id: int
    name: str
    email: str
    owner: bool
    brands: list[MembershipView]


class EntryView(Shown):
    """Points given or taken back, with the sum that explains them; `subject` is what they were for, `reply:12`."""

    id: int
    at: datetime
    rule: str
    points: int
    reasons: list[ReasonView]
    subject: str
    cause_id: int
    reverses_id: int | None


@door("GET", "/me", gives=MeView)
def get_me(*, by: User) -> MeView:
    """The token's person, their roles and points per brand."""
    advocates = {row.brand_id: row for row in db.session.scalars(select(Advocate).where(Advocate.user_id == by.id))}
    brands = []
    for brand in people.brands_of(by):
        advocate = advocates.get(brand.id)
        view = MembershipView(slug=brand.slug, name=brand.name, roles=sorted(by.roles_in(brand.id)))
        if advocate is not None:
            view.pseudonym, view.trust_level, view.paused_until = advocate.pseudonym, advocate.trust_level, advocate.paused_until
            view.points, view.points_this_week = queries.total(by, brand), queries.week(by, brand)
        brands.append(view)
    return MeView(id=by.id, name=by.name, email=by.email, owner=by.is_owner, brands=brands)


class PseudonymGiven(Given):
    pseudonym: Annotated[Words, Field(max_length=80)]


@door("PUT", "/me/pseudonym", asks=OfBrand, takes=PseudonymGiven, status=204)
def put_pseudonym(*, by: User, query: OfBrand, body: PseudonymGiven) -> None:
    """Choose how others of the brand know one, an advocate: on boards, on the desk, beside one's words."""
    advocates.call_oneself(by, scope.brand_of(by, query.brand, "advocate"), body.pseudonym)


class OutcomeView(Shown):
    """What became of one reply. `part`: whether one wrote or vetted it; `times`: readers whom it helped; `said`: the author's word of thanks.

    `asked` and `said` are null where a post is private or gone from the network.
    """

    id: int
    at: datetime
    kind: Literal["thanked", "helped", "settled", "posted", "stuck", "angrier", "back"]
    part: Literal["wrote", "vetted"]
    task_id: int
    reply_id: int
    author: str
    asked: str | None
    said: str | None
    times: int


class SuspensionGiven(Given):
    reason: Literal["abuse", "spam", "private_data", "gaming", "compromised", "left", "other"]


@door("POST", "/users/<id:user_id>/suspension", asks=OfBrand, takes=SuspensionGiven, status=204)
def suspend_person(*, by: User, user_id: int, query: OfBrand, body: SuspensionGiven) -> None:
    """Shut somebody out at once, on every device; what they hold is free, and they are told why."""
    person, brand = _colleague(by, user_id, query)
    suspension.suspend(person, by=by, brand_id=brand.id, reason=body.reason)


@door("DELETE", "/users/<id:user_id>/suspension", asks=OfBrand, status=204)
def reinstate_person(*, by: User, user_id: int, query: OfBrand, **_: object) -> None:
    """Lift a suspension. Sessions and tokens from before stay ended."""
    person, brand = _colleague(by, user_id, query)
    suspension.reinstate(person, by=by, brand_id=brand.id)


@door("GET", "/me/outcomes", asks=Paged, gives=Listed[OutcomeView])
def list_outcomes(*, by: User, query: Paged) -> dict[str, Any]:
    """What became of what one wrote or vetted: the newest day first, in each day thanks before the rest."""
    found = feed(by, scope.brand_of(by, query.brand), limit=query.limit, cursor=query.cursor)
    return listed(found, _outcome)


@door("GET", "/users/<id:user_id>/ledger", asks=Paged, gives=Listed[EntryView])
def list_ledger(*, by: User, user_id: int, query: Paged) -> dict[str, Any]:
    """A person's entries, newest first: one's own, or a brand member's for its moderators, analysts and admins."""
    brand = scope.brand_of(by, query.brand)
    person = by if user_id == by.id else db.session.get(User, user_id)
    if person is None or (person.id != by.id and not (by.has(brand.id, "moderator", "analyst", "admin") and person.roles_in(brand.id))):
        raise NotFound
    return listed(queries.ledger(person, brand, limit=query.limit, cursor=query.cursor), _view)


def _colleague(by: User, user_id: int, query: OfBrand) -> tuple[User, Brand]:
    """Somebody who works in a brand of the asker's; NotFound alike for all others."""
    brand = scope.brand_of(by, query.brand, "moderator", "admin")
    person = db.session.get(User, user_id)
    if person is None or not person.roles_in(brand.id):
        raise NotFound
    return person, brand


def _outcome(one: Became) -> OutcomeView:
    fields = {name: getattr(one.outcome, name) for name in ("id", "at", "kind", "part", "task_id", "reply_id", "times")}
    return OutcomeView(**fields, author=one.author, asked=one.asked, said=one.said)


def _view(entry: LedgerEntry) -> EntryView:
    fields = {name: getattr(entry, name) for name in ("id", "at", "rule", "points", "subject", "cause_id", "reverses_id")}
    return EntryView(**fields, reasons=[ReasonView.model_validate(reason) for reason in entry.reasons])
