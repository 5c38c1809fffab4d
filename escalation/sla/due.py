"""The sums of a promise: how long it is, when it ends, how it stands. Nothing here touches a row or a clock on the wall.

The first response runs from the moment the mention reached us to our first posted reply. The moment of arrival, not the
network's own time of the post, so that an old post imported today is not missed before anybody could have seen it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

FIRST_RESPONSE = "first_response"
URGENT_FROM = 60
"""Priority points from which a case has the shorter time."""
AT_RISK_SHARE = 0.25
AT_RISK_LEFT = timedelta(minutes=10)
"""At risk: less than a quarter of the time is left, or less than this."""

State = Literal["on_time", "at_risk", "missed", "met"]


@dataclass(frozen=True, slots=True)
class Promise:
    """Minutes a brand allows itself; the urgent have a time of their own."""

    minutes: int
    urgent_minutes: int

    def allowed(self, priority: int) -> int:
        return self.urgent_minutes if priority >= URGENT_FROM else self.minutes


DEFAULTS: dict[tuple[str, str], Promise] = {
    ("tier_1", FIRST_RESPONSE): Promise(60, 30),
    ("tier_2", FIRST_RESPONSE): Promise(120, 60),
}
"""What holds while a brand has set nothing else."""


@dataclass(frozen=True, slots=True)
class ClockView:
    """How a promise stands. `left` is negative once missed; `sum` is the deadline's arithmetic, label by label."""

    state: State
    started_at: datetime
    due_at: datetime
    left: timedelta
    minutes: int
    met_at: datetime | None
    sum: tuple[tuple[str, str], ...]


def due(started_at: datetime, minutes: int) -> datetime:
    return started_at + timedelta(minutes=minutes)


def state(*, started_at: datetime, due_at: datetime, now: datetime, met_at: datetime | None = None) -> State:
    """A reply after the end is a miss all the same; one at the very end still keeps the promise."""
    if met_at is not None:
        return "met" if met_at <= due_at else "missed"
    if now > due_at:
        return "missed"
    left = due_at - now
    return "at_risk" if left < AT_RISK_LEFT or left < (due_at - started_at) * AT_RISK_SHARE else "on_time"


def view(*, started_at: datetime, minutes: int, due_at: datetime, now: datetime, met_at: datetime | None = None) -> ClockView:
    """The clock as a page shows it."""
    stands = state(started_at=started_at, due_at=due_at, now=now, met_at=met_at)
    left = due_at - (met_at or now)
    lines = [
        ("reached us", clock_time(started_at, due_at)),
        ("first reply within", f"+ {span(timedelta(minutes=minutes))}"),
        ("promised until", clock_time(due_at, started_at)),
    ]
    if met_at is not None:
        lines.append(("answered", clock_time(met_at, started_at)))
    lines.append((("missed by" if stands == "missed" else "left" if met_at is None else "early by"), span(abs(left))))
    return ClockView(stands, started_at, due_at, left, minutes, met_at, tuple(lines))


def span(length: timedelta) -> str:
    """`4 min 10 s` below ten minutes, `48 min`, `1 h 38`, `3 days 4 h`."""
    seconds = int(length.total_seconds())
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if minutes < 10:
        return f"{minutes} min {seconds % 60} s" if minutes and seconds % 60 else f"{minutes} min" if minutes else f"{seconds} s"
    if hours < 1:
        return f"{minutes} min"
    if days < 2:
        return f"{hours} h {minutes % 60:02d}" if minutes % 60 else f"{hours} h"
    return f"{days} days {hours % 24} h" if hours % 24 else f"{days} days"


def clock_time(at: datetime, beside: datetime) -> str:
    """The time of day (UTC), with its date where the two moments are not of one day."""
    return f"{at:%H:%M}" if at.date() == beside.date() else f"{at.day} {at:%b %H:%M}"
