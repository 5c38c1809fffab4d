"""What nobody answers in time goes to the team; whoever is writing is let finish."""

from __future__ import annotations

from datetime import timedelta

import time_machine
from sqlalchemy import update

from app.accounts.models import Brand
from app.kernel.db import db
from community.moderation import actions as moderation
from community.tasks import actions as tasks
from community.tasks.waiting import fall_back
from escalation.cases.queries import case_of_task
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
