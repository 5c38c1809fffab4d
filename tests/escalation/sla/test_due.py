"""The sums of a promise."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from escalation.sla import due

NINE = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return NINE + timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("tier", "priority", "minutes"),
    [("tier_1", 0, 60), ("tier_1", 59, 60), ("tier_1", 60, 30), ("tier_1", 100, 30), ("tier_2", 59, 120), ("tier_2", 60, 60)],
)
def test_the_urgent_have_half_the_time(tier: str, priority: int, minutes: int) -> None:
    assert due.DEFAULTS[tier, due.FIRST_RESPONSE].allowed(priority) == minutes


@pytest.mark.parametrize(
    ("now", "met", "expected"),
    [
        (0, None, "on_time"),
        (44, None, "on_time"),
        (45, None, "on_time"),
        (45.1, None, "at_risk"),
        (60, None, "at_risk"),
        (60.1, None, "missed"),
        (500, 60, "met"),
        (500, 60.1, "missed"),
        (500, 3, "met"),
    ],
)
def test_how_a_promise_of_an_hour_stands(now: float, met: float | None, expected: str) -> None:
    assert due.state(started_at=NINE, due_at=at(60), now=at(now), met_at=None if met is None else at(met)) == expected


def test_ten_minutes_are_always_at_risk_even_of_a_short_promise() -> None:
    assert due.state(started_at=NINE, due_at=at(30), now=at(19), met_at=None) == "on_time"
    assert due.state(started_at=NINE, due_at=at(30), now=at(20.5), met_at=None) == "at_risk"


def test_the_deadline_shows_its_arithmetic() -> None:
    seen = due.view(started_at=NINE, minutes=60, due_at=due.due(NINE, 60), now=at(12))
    assert seen.sum == (("reached us", "09:00"), ("first reply within", "+ 1 h"), ("promised until", "10:00"), ("left", "48 min"))
    late = due.view(started_at=NINE, minutes=60, due_at=at(60), now=at(500), met_at=at(74))
    assert (late.state, late.left, late.sum[-2:]) == ("missed", timedelta(minutes=-14), (("answered", "10:14"), ("missed by", "14 min")))
    early = due.view(started_at=NINE, minutes=60, due_at=at(60), now=at(500), met_at=at(20))
    assert (early.state, early.sum[-1]) == ("met", ("early by", "40 min"))


def test_a_sum_over_midnight_names_the_days() -> None:
    begun = datetime(2026, 2, 28, 23, 30, tzinfo=UTC)
    assert due.view(started_at=begun, minutes=60, due_at=due.due(begun, 60), now=begun).sum[:3] == (
        ("reached us", "28 Feb 23:30"),
        ("first reply within", "+ 1 h"),
        ("promised until", "1 Mar 00:30"),
    )


def test_summer_time_does_not_lengthen_a_promise() -> None:
    before = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)
    assert due.due(before, 60) - before == timedelta(hours=1)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (250, "4 min 10 s"),
        (600, "10 min"),
        (3599, "59 min"),
        (3600, "1 h"),
        (5880, "1 h 38"),
        (90_000, "25 h"),
        (200_000, "2 days 7 h"),
    ],
)
def test_spans_read_as_people_say_them(seconds: int, words: str) -> None:
    assert due.span(timedelta(seconds=seconds)) == words
