"""Promises: an admin sets how soon a first reply is due, the team reads it, open cases keep what they were promised."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from app.kernel.audit import AuditEntry
from app.kernel.db import db
from escalation.cases.queries import case_of_task
from escalation.sla.queries import clock_of
from tests.stories import news, told
from tests.web.conftest import Town, words

MAX = {"minutes": "90", "urgent_minutes": "15"}


def minutes_of(task_id: int) -> int:
    with db.transaction(read_only=True):
        case = case_of_task(task_id)
        assert case is not None
        clock = clock_of(case.id)
    assert clock is not None
    return clock.minutes


def test_an_admin_changes_a_promise_open_cases_keep_theirs_and_one_press_takes_it_back(town: Town) -> None:
    max_ = town.browser("max")
    before = told(town.brand, audience="tier_1")
    news()

    assert max_.post("/promises/tier_1", data=MAX).status_code == 303
    after, urgent = told(town.brand, audience="tier_1", author="otto"), told(town.brand, audience="tier_1", author="ida", priority=60)
    news()

    assert [minutes_of(task.id) for task in (before, after, urgent)] == [60, 90, 15]
    page = max_.get("/promises")
    assert "Tier 1 promises a first reply within 90 min, 15 where it is urgent. Open cases keep the time they were promised." in words(page)
    assert "3 open" in words(page) and "Take the default again: 60 and 30 min" in words(page)

    assert max_.post("/promises/tier_1?minutes=60&urgent_minutes=30").status_code == 303
    assert "Take the default again" not in words(max_.get("/promises"))
    with db.transaction(read_only=True) as session:
        kept = session.scalars(select(AuditEntry).where(AuditEntry.action == "sla_set").order_by(AuditEntry.id)).all()
    assert [(one.actor_id, one.reason, one.details["was"], one.details["minutes"]) for one in kept] == [
        (town.people["max"].id, "tier_1", 60, 90), (town.people["max"].id, "tier_1", 90, 60),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"minutes": "0", "urgent_minutes": "0"}, "within 1 to 10080 minutes"),
        ({"minutes": "20", "urgent_minutes": "40"}, "The urgent may not wait longer than the rest: give 1 to 20 minutes."),
        ({"minutes": "soon", "urgent_minutes": "5"}, "“soon” is no number of minutes."),
        ({"minutes": "99999999", "urgent_minutes": "5"}, "which is a week"),
    ],
)
def test_what_cannot_be_promised_stays_on_the_page_with_the_reason(town: Town, given: dict[str, str], said: str) -> None:
    answer = town.browser("max").post("/promises/tier_2", data=given)

    assert answer.status_code == 422
    assert said in words(answer)
    assert f'value="{given["minutes"]}"' in answer.text
    assert town.browser("max").post("/promises/community", data=MAX).status_code == 422


def test_the_team_reads_what_is_promised_and_only_an_admin_of_the_brand_changes_it(town: Town) -> None:
    for who in ("cleo", "tim", "tess", "ann"):
        page = town.browser(who).get("/promises")
        assert "First reply within 120 min ; where it is urgent (60 priority points and more), within 60 min ." in words(page)
        assert 'action="/promises' not in page.text
        assert town.browser(who).post("/promises/tier_2", data=MAX).status_code == 403
    assert town.browser("ada").get("/promises").status_code == 403
    assert town.browser("kim").post("/promises/tier_2", data=MAX).status_code == 403
    assert town.browser("olga").post("/promises/tier_2", data=MAX).status_code == 303
