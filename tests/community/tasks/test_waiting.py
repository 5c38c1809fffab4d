"""What nobody answers in time goes to the team; whoever is writing is let finish."""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from typing import Any

import pytest
import time_machine
from sqlalchemy import func, select, update

from app.accounts.models import Brand
from app.kernel import outbox
from app.kernel.audit import AuditEntry
from app.kernel.db import db
from app.kernel.errors import Conflict
from app.notices.queries import latest
from community.moderation import actions as moderation
from community.tasks import actions as tasks
from community.tasks import waiting
from community.tasks.waiting import fall_back
from escalation.cases.models import Case
from escalation.cases.queries import case_of_task
from escalation.sla.models import SlaClock
from tests.stories import FixedTriage, brand, came_back, fresh, handed_in, news, person, placed, rooms, told, triage

__all__ = ["rooms", "triage"]


def test_after_45_minutes_tier_1_has_it_with_the_reason(triage: FixedTriage, clock: time_machine.Coordinates) -> None:
    northwind = brand()
    task, later = told(northwind), told(northwind, "Later", author="paul")
    with db.transaction() as session:
        session.execute(update(type(later)).where(type(later).id == later.id).values(opened_at=task.opened_at + timedelta(minutes=1)))
    clock.shift(timedelta(minutes=44))
    assert fall_back() == 0
    clock.shift(timedelta(minutes=1))
    assert fall_back() == 1
    assert (fresh(task).audience, fresh(later).audience) == ("tier_1", "community")
    assert fall_back() == 0
    news()
    with db.transaction(read_only=True):
        case = case_of_task(task.id)
        assert case is not None
        assert case.because == "unanswered"


def test_a_brand_may_wait_longer(triage: FixedTriage, clock: time_machine.Coordinates) -> None:
    northwind = brand()
    task = told(northwind)
    with db.transaction() as session:
        session.execute(update(Brand).values(settings={"unanswered_minutes": 90}))
    clock.shift(timedelta(minutes=89))
    assert fall_back() == 0
    clock.shift(timedelta(minutes=1))
    assert fall_back() == 1
    assert fresh(task).audience == "tier_1"


def test_who_is_writing_is_let_finish(triage: FixedTriage, clock: time_machine.Coordinates) -> None:
    northwind = brand()
    ada = person(northwind, "advocate")
    held, answered = told(northwind), told(northwind, "Answered", author="paul")
    handed_in(answered, ada)
    clock.shift(timedelta(minutes=40))
    with db.transaction():
        tasks.claim(fresh(held), by=ada)
    clock.shift(timedelta(minutes=10))
    assert fall_back() == 0
    clock.shift(timedelta(minutes=11))
    assert tasks.lapse_due() == 1
    assert fall_back() == 1
    assert (fresh(held).audience, fresh(answered).audience) == ("tier_1", "community")


def test_handed_back_its_time_begins_anew(triage: FixedTriage, clock: time_machine.Coordinates) -> None:
    """Red when a hand-back leaves `opened_at` as it was."""
    northwind = brand()
    tim = person(northwind, "tier_1")
    task = told(northwind, audience="tier_1")
    clock.shift(timedelta(minutes=50))
    with db.transaction():
        tasks.hand_back(fresh(task), by=tim, note="The light is under the lid.")
    assert fall_back() == 0
    clock.shift(timedelta(minutes=45))
    assert fall_back() == 1


def test_praise_calls_no_employee_and_is_let_go_after_a_day(triage: FixedTriage, clock: time_machine.Coordinates) -> None:
    northwind = brand()
    task = told(northwind, "Lovely, thank you", kind="thank")
    clock.shift(timedelta(hours=23))
    assert fall_back() == 0
    clock.shift(timedelta(hours=1))
    assert fall_back() == 1
    assert (fresh(task).state, fresh(task).closed_because) == ("cancelled", "praise_waited")


def test_what_is_kept_for_its_writer_waits_for_them(triage: FixedTriage, clock: time_machine.Coordinates) -> None:
    northwind = brand()
    ada = person(northwind, "advocate")
    task = told(northwind)
    clock.shift(timedelta(minutes=50))
    with db.transaction() as session:
        from app.kernel import clock as ours

        session.execute(update(type(task)).where(type(task).id == task.id).values(returned_to_id=ada.id, kept_until=ours.now() + timedelta(hours=1)))
    assert fall_back() == 0
    clock.shift(timedelta(hours=1))
    assert fall_back() == 1


def test_a_task_speaks_the_language_of_the_post_it_is_about_now(triage: FixedTriage) -> None:
    """Red when a reopening leaves the language as it was: what its writer says about themselves would be in the wrong one."""
    northwind = brand()
    ada, cleo = person(northwind, "advocate"), person(northwind, "moderator")
    task = told(northwind, "ルーターはどこですか", lang="ja")
    reply = handed_in(task, ada)
    with db.transaction():
        posting = moderation.approve(fresh(reply), by=cleo, revision=1)
    placed(posting, ada)
    came_back(task, "Still blinking, sorry", reading="stuck")
    assert (fresh(task).state, fresh(task).lang) == ("open", "en")


def test_a_flood_goes_up_in_batches_and_each_has_one_case(triage: FixedTriage, clock: time_machine.Coordinates, monkeypatch: pytest.MonkeyPatch) -> None:
    """Red when each task is a transaction of its own: 5,000 took a quarter of an hour."""
    northwind = brand()
    monkeypatch.setattr(waiting, "BATCH", 3)
    late = [told(northwind, author=f"author{n}") for n in range(8)]
    news()
    clock.shift(timedelta(minutes=46))
    assert fall_back() == 8
    with db.transaction(read_only=True) as session:
        told_of = session.scalars(select(outbox.OutboxEvent).where(outbox.OutboxEvent.name == "TasksEscalated").order_by(outbox.OutboxEvent.id)).all()
        assert [one.payload["task_ids"] for one in told_of] == [[task.id for task in late[n : n + 3]] for n in (0, 3, 6)]
        assert session.scalar(select(func.count()).select_from(AuditEntry).where(AuditEntry.action == "task.escalate", AuditEntry.reason == "unanswered")) == 8
    assert fall_back() == 0
    news()
    with db.transaction(read_only=True) as session:
        cases = session.scalars(select(Case).order_by(Case.task_id)).all()
        assert [(case.task_id, case.tier, case.because) for case in cases] == [(task.id, "tier_1", "unanswered") for task in late]
        assert session.scalar(select(func.count()).select_from(SlaClock)) == 8


def test_a_worker_that_dies_leaves_whole_batches_and_the_next_run_ends_it(
    triage: FixedTriage, clock: time_machine.Coordinates, monkeypatch: pytest.MonkeyPatch
) -> None:
    northwind = brand()
    monkeypatch.setattr(waiting, "BATCH", 3)
    late = [told(northwind, author=f"author{n}") for n in range(8)]
    clock.shift(timedelta(minutes=46))
    done, calls = tasks.escalate_idle, count(1)

    def dies(*given: Any, **more: Any) -> list[int]:
        moved = done(*given, **more)
        if next(calls) == 2:
            raise SystemExit
        return moved

    monkeypatch.setattr(tasks, "escalate_idle", dies)
    with pytest.raises(SystemExit):
        fall_back()
    assert [fresh(task).audience for task in late] == ["tier_1"] * 3 + ["community"] * 5
    assert fall_back() == 5
    news()
    with db.transaction(read_only=True) as session:
        assert sorted(session.scalars(select(Case.task_id))) == [task.id for task in late]


def test_among_many_who_wrote_something_hears_that_the_team_has_it_now(triage: FixedTriage, clock: time_machine.Coordinates) -> None:
    """Red when a batch moves what a person has something in: their reply would stay "returned" for ever."""
    northwind = brand()
    ada, cleo = person(northwind, "advocate"), person(northwind, "moderator")
    others = [told(northwind, author=f"author{n}") for n in range(3)]
    task, thanks = told(northwind), told(northwind, "Lovely", kind="thank", author="paul")
    reply = handed_in(task, ada)
    with db.transaction():
        moderation.return_(fresh(reply), by=cleo, revision=1, reason="tone", note="Kinder, please.")
    news()
    clock.shift(timedelta(hours=5))
    assert tasks.lapse_due() == 1
    assert fall_back() == 4
    news()
    assert {fresh(one).audience for one in (*others, task)} == {"tier_1"}
    assert (fresh(thanks).audience, fresh(thanks).state) == ("community", "open")
    assert fresh(reply).state == "withdrawn"
    with db.transaction(read_only=True):
        assert "The team has this one now." in latest(ada)[0].text


def test_who_claims_while_a_task_moves_up_is_told_so_and_gets_no_lease(triage: FixedTriage) -> None:
    """Red when only the state is looked at: an advocate who clicked in that moment would hold a task of tier 1."""
    northwind = brand()
    ada = person(northwind, "advocate")
    task = told(northwind)
    seen = fresh(task)
    with db.transaction():
        tasks.escalate(fresh(task), "tier_1", because="unanswered", by=None)
    with pytest.raises(Conflict, match="just went to others"), db.transaction():
        tasks.claim(seen, by=ada)
    assert fresh(task).state == "open"
    with db.transaction(read_only=True):
        assert tasks.live_claim(fresh(task)) is None
