"""What an advocate may do, what it rests on, and a moderator's word on it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from app.accounts.models import Brand, User
from app.api import scope
from app.api.door import Given, OfBrand, Shown, Slug, Words, door
from app.kernel.db import db
from app.kernel.errors import NotFound
from community.advocates import trust
from community.advocates.models import Advocate
from community.advocates.records import NOTHING, OVERALL, Record, topic_records
from community.moderation.sampling import share_of

SEES = ("moderator", "analyst", "admin")
Reason = Annotated[Words, Field(min_length=1, max_length=300, description="The person reads it.")]


class AbilityView(Shown):
    """`refusal`: why not, in words; null when the person may."""

    name: str
    words: str
    level: int
    refusal: str | None


class NeedView(Shown):
    words: str
    have: str
    need: str
    met: bool


class RecordView(Shown):
    """The last hundred days. `ratio` is (good+2)/(good+bad+4); `review_share`: how many of a hundred low-risk replies are looked at."""

    topic: str
    answered: int
    vetted: int
    good: int
    bad: int
    thanked: int
    ratio: float
    review_share: int | None


class TrustView(Shown):
    """`next`: what the next level asks. `grace_until`: until then the present level holds though the work no longer carries it."""

    user_id: int
    trust_level: int
    grace_until: datetime | None
    set_as: Literal["floor", "cap"] | None
    set_until: datetime | None
    abilities: list[AbilityView]
    next: list[NeedView]
    overall: RecordView
    topics: list[RecordView]


class TrustGiven(Given):
    level: Annotated[int, Field(ge=0, le=trust.HIGHEST)]
    reason: Reason
    brand: Slug | None = None


class LimitGiven(Given):
    ability: Literal["claim", "flag", "pass", "vet", "propose"]
    limited: bool
    reason: Annotated[Words | None, Field(max_length=300, description="Required to take it away; the person reads it.")] = None
    brand: Slug | None = None


@door("GET", "/users/<id:user_id>/trust", asks=OfBrand, gives=TrustView)
def get_trust(*, by: User, user_id: int, query: OfBrand) -> TrustView:
    """One's own trust, or that of an advocate of the brand for its moderators, analysts and admins."""
    brand = scope.brand_of(by, query.brand)
    return _view(_advocate(by, user_id, brand))


@door("PUT", "/users/<id:user_id>/trust", takes=TrustGiven, gives=TrustView)
def set_trust(*, by: User, user_id: int, body: TrustGiven) -> TrustView:
    """A moderator's word: raised, the level falls no lower for a hundred days; lowered, it rises no higher."""
    advocate = _advocate(by, user_id, scope.brand_of(by, body.brand, "moderator", "admin"))
    trust.set_level(advocate, body.level, by=by, reason=body.reason)
    return _view(advocate)


@door("PUT", "/users/<id:user_id>/limits", takes=LimitGiven, gives=TrustView)
def limit_ability(*, by: User, user_id: int, body: LimitGiven) -> TrustView:
    """Take one ability away from one person, or give it back."""
    advocate = _advocate(by, user_id, scope.brand_of(by, body.brand, "moderator", "admin"))
    if body.limited:
        trust.limit(advocate, body.ability, by=by, reason=body.reason or "")
    else:
        trust.lift(advocate, body.ability, by=by)
    return _view(advocate)


def _advocate(by: User, user_id: int, brand: Brand) -> Advocate:
    advocate = trust.advocate_row(user_id, brand.id)
    if advocate is None or (user_id != by.id and not by.has(brand.id, *SEES)):
        raise NotFound
    return advocate


def _view(advocate: Advocate) -> TrustView:
    db.session.flush()
    db.session.refresh(advocate)
    records = topic_records(advocate.user_id, advocate.brand_id)
    overall = records.get(OVERALL, NOTHING)
    return TrustView(
        user_id=advocate.user_id,
        trust_level=advocate.trust_level,
        grace_until=advocate.grace_until,
        set_as=advocate.set_as,
        set_until=advocate.set_until,
        abilities=[AbilityView(name=one.name, words=one.words, level=one.level, refusal=trust.refusal(advocate, one.name)) for one in trust.ABILITIES.values()],
        next=[NeedView.model_validate(need) for need in trust.needs(overall, advocate.trust_level + 1)] if advocate.trust_level < trust.HIGHEST else [],
        overall=_record(OVERALL, overall),
        topics=[_record(topic, record) for topic, record in sorted(records.items()) if topic],
    )


def _record(topic: str, record: Record) -> RecordView:
    counts = {name: getattr(record, name) for name in ("answered", "vetted", "good", "bad", "thanked", "ratio")}
    return RecordView(topic=topic, review_share=share_of(record) if topic else None, **counts)
