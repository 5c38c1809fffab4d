"""How well the machine decides: the numbers of the quality board."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from app.accounts.models import User
from app.api import scope
from app.api.door import OfBrand, Shown, Words, door
from escalation.learning import board as boards

Sample = Literal["random", "all"]


class ShareView(Shown):
    """A share with its 95 % interval; null where nothing is there to have a share of."""

    share: float | None
    low: float
    high: float
    hits: int
    of: int


class BinView(Shown):
    said: float
    true: ShareView


class CurveView(Shown):
    of: int
    positives: int
    brier: float | None
    auc: float | None
    bins: list[BinView]


class LineView(Shown):
    name: str
    posts: int
    reached: ShareView
    as_case: ShareView
    angry: ShareView
    technical: ShareView
    precision: ShareView
    needless: ShareView
    looks: ShareView


class QualityView(Shown):
    """`sample`: which labelled posts the figures are of; `missed`: mentions that were angry or technical and reached nobody on staff."""

    days: int
    since: datetime
    sample: Sample
    drawn: int
    judged: int
    complete: bool
    whole: LineView
    curves: dict[str, CurveView]
    groups: dict[str, list[LineView]]
    missed: list[int]


class QualityOf(OfBrand):
    days: Annotated[int, Field(ge=1, le=90, description="7, 28 or 90.")] = 28
    sample: Annotated[Sample | None, Field(description="Those drawn blindly where there are enough of them, else all.")] = None
    language: Words | None = None
    channel: Words | None = None
    version: Words | None = None


@door("GET", "/quality", asks=QualityOf, gives=QualityView)
def get_quality(*, by: User, query: QualityOf) -> Any:
    """Recall, precision, needless cases and calibration, by language, channel, category, week and version."""
    brand = scope.brand_of(by, query.brand, *scope.READS)
    return boards.board(by, brand, days=query.days, sample=query.sample, language=query.language, channel=query.channel, version=query.version)
