"""Clocks on real cases: noted once when missed, told, handed up."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import func, select

from app.accounts.models import Brand
from app.kernel.db import Database
from app.kernel.errors import Forbidden, Invalid
from app.notices.queries import latest
from community.tasks import actions as tasks
from community.tasks.models import Task
from escalation import jobs
from escalation.cases import actions as cases
from escalation.cases.models import Case, CaseEntry
from escalation.cases.queries import case_of_task, row_of
from escalation.sla import actions as sla
from escalation.sla.models import SlaClock
from tests.stories import FixedTriage, brand, fresh, news, person, told


@pytest.fixture
def northwind(triage: FixedTriage) -> Brand:
    return brand()


def case_of(task: Task, db: Database) -> Case:
    with db.transaction(read_only=True):
        case = case_of_task(task.id)
    assert case is not None
    return case


def clock_of(case: Case, db: Database) -> SlaClock | None:
    with db.transaction(read_only=True) as session:
        return session.scalar(select(SlaClock).where(SlaClock.case_id == case.id))


def test_the_first_response_runs_from_the_arrival_here_not_from_the_post_there(northwind: Brand, db: Database, clock: time_machine.Coordinates) -> None:
    tim = person(northwind, "tier_1")
    task = told(northwind, "Three weeks!", audience="tier_1", posted_at=None)
    old = told(northwind, "From last year", audience="tier_1", author="otto", posted_at=task.opened_at - timedelta(days=300))
    clock.shift(timedelta(minutes=12))
    news()
    for one in (task, old):
        with db.transaction(read_only=True):
            seen = row_of(tim, case_of(one, db).id).clock
        assert seen is not None and (seen.state, seen.left) == ("on_time", timedelta(minutes=48))


def test_a_brand_sets_its_own_times_and_only_its_admin_may(northwind: Brand, db: Database, clock: time_machine.Coordinates) -> None:
    max_, tim = person(northwind, "admin"), person(northwind, "tier_1")
    with pytest.raises(Forbidden), db.transaction():
        sla.set_promise(northwind, "tier_1", minutes=15, urgent_minutes=5, by=tim)
    for minutes, urgent in ((0, 0), (10, 20), (99_999, 5)):
        with pytest.raises(Invalid), db.transaction():
            sla.set_promise(northwind, "tier_1", minutes=minutes, urgent_minutes=urgent, by=max_)
    with db.transaction():
        sla.set_promise(northwind, "tier_1", minutes=15, urgent_minutes=5, by=max_)
    calm, urgent_ = told(northwind, audience="tier_1"), told(northwind, audience="tier_1", priority=60, author="otto")
    news()
    assert [(row := clock_of(case_of(task, db), db)) and row.minutes for task in (calm, urgent_)] == [15, 5]


def test_a_miss_is_noted_once_told_and_handed_up(northwind: Brand, db: Database, clock: time_machine.Coordinates) -> None:
    tim, tess = person(northwind, "tier_1"), person(northwind, "tier_2")
    task = told(northwind, "Nobody answers me", audience="tier_1")
    news()
    case = case_of(task, db)
    clock.shift(timedelta(minutes=60))
    jobs.keep_promises()
    assert fresh(case).tier == "tier_1"
    clock.shift(timedelta(minutes=14))
    for _ in range(3):
        jobs.keep_promises()
        news()
    moved = fresh(case)
    assert (moved.tier, moved.state, fresh(task).audience) == ("tier_2", "open", "tier_2")
    with db.transaction(read_only=True) as session:
        lines = session.scalars(select(CaseEntry.kind).where(CaseEntry.case_id == case.id).order_by(CaseEntry.id)).all()
        assert lines == ["opened", "missed", "handed_up"]
        assert [n.text for n in latest(tim)] == ["Missed by 14 min: @petra waits for a first reply."]
        assert [n.text for n in latest(tess)] == ["A case nobody took in tier 1 comes up to you."]
        seen = row_of(tess, case.id).clock
    assert seen is not None and seen.state == "missed"


def test_whoever_works_on_a_missed_case_keeps_it(northwind: Brand, db: Database, clock: time_machine.Coordinates) -> None:
    tim = person(northwind, "tier_1")
    task = told(northwind, audience="tier_1")
    news()
    with db.transaction():
        cases.assign(case_of(task, db), by=tim)
    clock.shift(timedelta(minutes=61))
    jobs.keep_promises()
    case = case_of(task, db)
    assert (case.tier, case.assignee_id) == ("tier_1", tim.id)


def test_a_case_handed_down_is_not_pushed_up_again(northwind: Brand, db: Database, clock: time_machine.Coordinates) -> None:
    tess = person(northwind, "tier_2")
    task = told(northwind, audience="tier_1")
    news()
    clock.shift(timedelta(minutes=61))
    jobs.keep_promises()
    with db.transaction():
        cases.transfer(case_of(task, db), by=tess, tier="tier_1", note="This is billing after all.")
    jobs.keep_promises()
    assert case_of(task, db).tier == "tier_1"


def test_a_flood_of_misses_is_one_notice_a_person(northwind: Brand, db: Database, clock: time_machine.Coordinates) -> None:
    tess = person(northwind, "tier_2")
    for n in range(12):
        told(northwind, audience="tier_2", author=f"author{n}")
    news()
    clock.shift(timedelta(minutes=130))
    jobs.keep_promises()
    news()
    with db.transaction(read_only=True) as session:
        assert [n.text for n in latest(tess)] == ["12 promises of tier 2 were missed. The longest, by 10 min: @author0."]
        assert session.scalar(select(func.count()).select_from(SlaClock).where(SlaClock.missed_at.is_not(None))) == 12


def test_a_promise_nobody_waits_for_falls_away(northwind: Brand, db: Database, clock: time_machine.Coordinates) -> None:
    tim = person(northwind, "tier_1")
    task = told(northwind, audience="tier_1")
    news()
    case = case_of(task, db)
    with db.transaction():
        cases.resolve(case, by=tim, outcome="no_reply_needed")
    clock.shift(timedelta(hours=3))
    jobs.keep_promises()
    assert clock_of(case, db) is None
    with db.transaction():
        cases.reopen(fresh(case), by=tim)
    begun = clock_of(case, db)
    assert begun is not None and begun.due_at == fresh(case).turn_at == begun.started_at + timedelta(hours=1)


def test_a_flood_of_misses_goes_up_together_but_for_what_somebody_took(
    northwind: Brand, db: Database, clock: time_machine.Coordinates, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Red when a batch takes along what somebody works on: whoever works on one keeps it."""
    monkeypatch.setattr(jobs, "BATCH", 2)
    tim, tess = person(northwind, "tier_1"), person(northwind, "tier_2")
    flood = [told(northwind, audience="tier_1", author=f"author{n}") for n in range(5)]
    news()
    clock.shift(timedelta(minutes=75))
    with db.transaction():
        # Claimed a moment ago, away from the case's page: the case doesn't know it yet.
        tasks.claim(fresh(flood[1]), by=tim)
    jobs.keep_promises()
    news()
    kept = case_of(flood.pop(1), db)
    assert (kept.tier, kept.state, kept.assignee_id) == ("tier_1", "assigned", tim.id)
    assert [fresh(task).audience for task in flood] == ["tier_2"] * 4
    for case in (case_of(task, db) for task in flood):
        assert (case.tier, case.state, case.assignee_id) == ("tier_2", "open", None)
        with db.transaction(read_only=True) as session:
            lines = session.scalars(select(CaseEntry.kind).where(CaseEntry.case_id == case.id).order_by(CaseEntry.id)).all()
            assert lines == ["opened", "missed", "handed_up"]
            assert case.turn_at == session.scalars(select(SlaClock.due_at).where(SlaClock.case_id == case.id)).one()
    with db.transaction(read_only=True):
        assert [n.text for n in latest(tess)] == ["4 cases nobody took in tier 1 come up to you."]
