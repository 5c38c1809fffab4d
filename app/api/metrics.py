"""How a brand stands."""

from __future__ import annotations

from datetime import datetime

from app.accounts.models import User
from app.api import scope
from app.api.door import OfBrand, Shown, door
from app.overview import overview


class WaitingView(Shown):
    """What waits now; `tasks` are counted by audience and state, `oldest_open` is the moment since which the oldest waits."""

    tasks: dict[str, dict[str, int]]
    oldest_open: dict[str, datetime]
    reviews: int
    cases: int
    triage: int


class WeekView(Shown):
    """The last seven days. `answered_share` is of the conversations that needed an answer, those whose answer is posted."""

    since: datetime
    mentions: int
    routes: dict[str, int]
    needed: int
    answered: int
    answered_share: float | None
    median_first_answer_seconds: int | None
    complete: bool


class OverviewView(Shown):
    brand: str
    now: WaitingView
    last_7_days: WeekView


@door("GET", "/metrics/overview", asks=OfBrand, gives=OverviewView)
def get_overview(*, by: User, query: OfBrand) -> OverviewView:
    """What waits, and how the last seven days went."""
    brand = scope.brand_of(by, query.brand, *scope.READS)
    found = overview(brand)
    waiting, week = found.waiting, found.week
    return OverviewView(
        brand=brand.slug,
        now=WaitingView(tasks=waiting.tasks, oldest_open=waiting.oldest, reviews=waiting.reviews, cases=waiting.cases, triage=waiting.triage),
        last_7_days=WeekView(
            since=week.since,
            mentions=week.mentions,
            routes=week.routes,
            needed=week.needed,
            answered=week.answered,
            answered_share=round(week.share, 4) if week.share is not None else None,
            median_first_answer_seconds=int(week.median_first_answer.total_seconds()) if week.median_first_answer is not None else None,
            complete=week.complete,
        ),
    )
