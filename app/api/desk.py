"""What a person is offered, what they wish of the desk, and how much is enough for them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from app.accounts.models import User
from app.api import scope
from app.api.door import Given, OfBrand, RowId, Shown, Words, door
from app.api.tasks import TaskView, task_views
from app.kernel.errors import NotFound
from community.advocates import skills
from community.advocates.queries import advocate_of
from community.tasks import offers, wishes
from community.tasks.limits import lately
from community.tasks.queries import task_of, whole
from community.tasks.rules import Load

Code = Annotated[Words, Field(max_length=32)]


class LoadView(Shown):
    """How much an advocate had of late, and how much is enough. `…_again`: when more is offered; null while there is room."""

    hostile: int
    hostile_most: int
    hostile_again: datetime | None
    answered: int
    answered_most: int
    answered_again: datetime | None
    lapsed: int


class Offer(Shown):
    """One task with why it is offered. `watched`: the person asked to hear when it frees."""

    task: TaskView
    because: str
    watched: bool
    flagged: str | None


class DeskView(Shown):
    """`total` fit and are free, as far as was looked; `more` says that more wait. `load` is null for who does not advocate."""

    items: list[Offer]
    total: int
    more: bool
    paused: bool
    load: LoadView | None


class DeskAsked(OfBrand):
    topic: Code | None = None
    lang: Annotated[Words | None, Field(max_length=16)] = None
    kind: Literal["answer", "thank"] | None = None
    channel: RowId | None = None
    q: Annotated[Words | None, Field(max_length=offers.LONGEST_SEARCH, description="Words of a post, or of its author's name, all of them.")] = None
    order: Literal["fit", "oldest"] = "fit"
    limit: Annotated[int, Field(ge=1, le=50)] = 20


class PassGiven(Given):
    reason: Literal["topic", "language", "hard", "time", "other"]


class OffersView(Shown):
    """What an advocate chose; `hostile_most` and `weekly_most` are null where it is left to the brand."""

    languages: list[str]
    topics: list[str]
    hostile_most: int | None
    weekly_most: int | None
    load: LoadView


class OffersGiven(Given):
    languages: Annotated[list[Code], Field(min_length=1, max_length=skills.MOST_LANGUAGES)]
    topics: Annotated[list[Code], Field(max_length=len(skills.TOPICS))] = []
    hostile_most: Annotated[int | None, Field(ge=0, le=50)] = None
    weekly_most: Annotated[int | None, Field(ge=1, le=1000)] = None


@door("GET", "/desk", asks=DeskAsked, gives=DeskView)
def get_desk(*, by: User, query: DeskAsked) -> dict[str, Any]:
    """What the person is offered now, best fit first, and at the end a few tasks that others hold."""
    brand = scope.brand_of(by, query.brand, "advocate", "moderator", "tier_1", "tier_2")
    narrowed = {"topic": query.topic, "lang": query.lang, "kind": query.kind, "channel": query.channel, "words": query.q}
    found = offers.desk(by, brand, **narrowed, order=query.order, limit=query.limit)  # type: ignore[arg-type]
    loaded = whole([one.task.id for one in found.items])
    views = task_views([loaded[one.task.id] for one in found.items], by)
    return {
        "items": [Offer(task=view, because=one.because, watched=one.watched, flagged=one.flagged) for view, one in zip(views, found.items, strict=True)],
        "total": found.total,
        "more": found.more,
        "paused": found.paused,
        "load": _load(found.load) if found.load else None,
    }


@door("POST", "/tasks/<id:task_id>/watch", status=204)
def watch_task(*, by: User, task_id: int, **_: object) -> None:
    """Tell me, once, when this held task is free."""
    wishes.watch(task_of(by, task_id), by=by)


@door("DELETE", "/tasks/<id:task_id>/watch", status=204)
def unwatch_task(*, by: User, task_id: int, **_: object) -> None:
    """Don't tell me after all."""
    wishes.unwatch(task_of(by, task_id), by=by)


@door("POST", "/tasks/<id:task_id>/pass", takes=PassGiven, status=204)
def pass_task(*, by: User, task_id: int, body: PassGiven) -> None:
    """Not for me: it is not offered again, and the reasons topic and language teach what to offer instead."""
    wishes.pass_on(task_of(by, task_id), by=by, reason=body.reason)


@door("DELETE", "/tasks/<id:task_id>/pass", status=204)
def take_back_pass(*, by: User, task_id: int, **_: object) -> None:
    """For me after all; what was learned from it is forgotten."""
    wishes.take_back_pass(task_of(by, task_id), by=by)


@door("GET", "/me/offers", asks=OfBrand, gives=OffersView)
def get_offers(*, by: User, query: OfBrand) -> OffersView:
    """What one chose to be offered, and how much one had of late."""
    brand = scope.brand_of(by, query.brand, "advocate")
    advocate = advocate_of(by, brand)
    if advocate is None:
        raise NotFound
    chosen = {name: getattr(advocate, name) for name in ("languages", "topics", "hostile_most", "weekly_most")}
    return OffersView(**chosen, load=_load(lately(advocate, brand).load))


@door("PUT", "/me/offers", asks=OfBrand, takes=OffersGiven, gives=OffersView)
def put_offers(*, by: User, query: OfBrand, body: OffersGiven) -> OffersView:
    """Choose languages, topics, and how much is enough: at most what the brand allows counts."""
    brand = scope.brand_of(by, query.brand, "advocate")
    skills.choose_offers(by, brand, languages=body.languages, topics=body.topics, hostile_most=body.hostile_most, weekly_most=body.weekly_most)
    return get_offers(by=by, query=query)


def _load(load: Load) -> LoadView:
    return LoadView.model_validate(load)
