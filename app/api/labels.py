"""What people say about posts: giving, taking back, reading, and which post to ask about next."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from app.accounts.models import User
from app.api import scope
from app.api.door import Given, Listed, OfBrand, Paged, RowId, Shown, door, listed
from app.api.mentions import MentionView, mention_view
from community.mentions.queries import mention_of
from escalation.learning import actions, queries, sampling
from escalation.learning.models import Label
from escalation.permissions import RULES

Verdict = Literal["angry", "technical", "both", "neither", "spam", "skip"]
Drawn = Literal["unsure", "random", "second"]


class LabelView(Shown):
    """One person's word on one post; null where nothing was said."""

    id: int
    mention_id: int
    by: scope.PersonView | None
    source: str
    angry: bool | None
    technical: bool | None
    service_related: bool | None
    audience: str | None
    drawn: str | None
    at: datetime


class LabelGiven(Given):
    verdict: Verdict
    drawn: Annotated[Drawn | None, Field(description="Why it was asked about, as `GET /labels/next` said.")] = None


class QuestionView(Shown):
    """The post to ask this person about; null when nothing is left."""

    mention: MentionView | None
    drawn: Drawn | None


class AgreementView(Shown):
    pairs: int
    same: int
    kappa: float | None
    low: float | None
    high: float | None


class ProgressView(Shown):
    mine: int
    posts: int
    people: int
    angry: int
    technical: int
    next: int
    agreement: dict[str, AgreementView]


class LabelsOf(Paged):
    mention: Annotated[RowId | None, Field(description="Only labels of this mention.", strict=False)] = None


@door("POST", "/mentions/<id:mention_id>/label", takes=LabelGiven, gives=LabelView)
def label_mention(*, by: User, body: LabelGiven, mention_id: int) -> LabelView:
    """Say what a post is; the later word of the same person holds."""
    return _view(actions.label(mention_of(by, mention_id), body.verdict, by=by, drawn=body.drawn), scope.names_of([by.id]))


@door("DELETE", "/mentions/<id:mention_id>/label", status=204)
def unlabel_mention(*, by: User, mention_id: int, **_: Any) -> None:
    """Take your own label back."""
    actions.take_back(mention_of(by, mention_id), by=by)


@door("GET", "/labels", asks=LabelsOf, gives=Listed[LabelView])
def list_labels(*, by: User, query: LabelsOf) -> dict[str, Any]:
    """The brand's labels, newest first."""
    found = queries.labels(by, scope.brand_of(by, query.brand, *scope.READS), mention_id=query.mention, limit=query.limit, cursor=query.cursor)
    names = scope.names_of(row.user_id for row in found.items)
    return listed(found, lambda row: _view(row, names))


@door("GET", "/labels/next", asks=OfBrand, gives=QuestionView)
def next_label(*, by: User, query: OfBrand) -> dict[str, Any]:
    """What to ask this person next. The machine's guess is left out, so that it does not lead."""
    brand = scope.brand_of(by, query.brand, *scope.STAFF)
    RULES.check(by, "label.give", brand)
    asked = sampling.next_question(by, brand)
    if asked is None:
        return {"mention": None, "drawn": None}
    return {"mention": mention_view(mention_of(by, asked.mention_id), staff=False), "drawn": asked.drawn}


@door("GET", "/labels/progress", asks=OfBrand, gives=ProgressView)
def get_label_progress(*, by: User, query: OfBrand) -> dict[str, Any]:
    """How many labels there are, and how much people agree."""
    brand = scope.brand_of(by, query.brand, *scope.READS)
    counts = queries.progress(by, brand)
    names = ("mine", "posts", "people", "angry", "technical", "next")
    return {**{name: getattr(counts, name) for name in names}, "agreement": queries.agreed(brand)}


def _view(row: Label, names: dict[int, scope.PersonView]) -> LabelView:
    return LabelView(
        id=row.id,
        mention_id=row.mention_id,
        by=names.get(row.user_id) if row.user_id is not None else None,
        source=row.source,
        angry=row.angry,
        technical=row.technical,
        service_related=row.service_related,
        audience=row.audience,
        drawn=row.drawn,
        at=row.at,
    )
