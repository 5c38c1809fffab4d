"""The board of the week."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from app.accounts.models import User
from app.api import scope
from app.api.door import OfBrand, Shown, door
from gamification.leaderboards.queries import board


class PlaceView(Shown):
    place: int
    pseudonym: str
    points: int
    me: bool


class BoardView(Shown):
    """`sum` counts everybody's points, also of those who are on no board; `mine` is one's own place wherever it stands."""

    period: Literal["week"]
    since: datetime
    items: list[PlaceView]
    next: None = None
    sum: int
    mine: PlaceView | None


class BoardAsked(OfBrand):
    period: Literal["week"] = "week"


@door("GET", "/leaderboards", asks=BoardAsked, gives=BoardView)
def get_leaderboard(*, by: User, query: BoardAsked) -> dict[str, Any]:
    """The first fifty places since Monday, by pseudonym."""
    found = board(scope.brand_of(by, query.brand), period=query.period, user=by)
    mine = PlaceView.model_validate(found.mine) if found.mine else None
    return {"period": query.period, "since": found.since, "items": [PlaceView.model_validate(row) for row in found.rows], "sum": found.sum, "mine": mine}
