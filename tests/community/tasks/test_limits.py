"""Nobody hoards, nobody is fed only trouble, and enough is enough."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select, update

from app.accounts.models import Brand, User
from app.kernel.db import db
from app.kernel.errors import Conflict, Forbidden, TooMany
from community.advocates import actions as advocates
from community.advocates.models import Advocate
from community.tasks import actions as tasks
from community.tasks.limits import lately
from community.tasks.models import Claim
from community.tasks.offers import desk
from community.tasks.rules import HOSTILE, Load
from tests.stories import CALM, FixedTriage, brand, fresh, handed_in, person, rooms, told, triage

__all__ = ["rooms", "triage"]


def load(who: User, of: Brand) -> Load:
    with db.transaction(read_only=True) as session:
        return lately(session.scalars(select(Advocate).where(Advocate.user_id == who.id)).one(), of).load


def seen(who: User, of: Brand) -> list[int]:
    with db.transaction(read_only=True):
        return [one.task.id for one in desk(who, of).items]


def test_after_the_dose_only_calm_posts_are_offered_for_a_day(triage: FixedTriage, clock: time_machine.Coordinates) -> None:
    northwind = brand()
    ada = person(northwind, "advocate")
    triage.signals = replace(CALM, anger=HOSTILE)
    hostile = [told(northwind, f"Angry {n}") for n in range(4)]
    triage.signals = CALM
    calm = told(northwind, "How do I reset it?")
    for task in hostile[:3]:
        assert task.id in seen(ada, northwind)
        with db.transaction():
            tasks.claim(fresh(task), by=ada)
            tasks.release(fresh(task), by=ada)
        clock.shift(timedelta(minutes=1))
    assert seen(ada, northwind) == [calm.id]
    said = load(ada, northwind)
    assert (said.hostile, said.hostile_most) == (3, 3)
    assert said.hostile_again is not None
    clock.move_to(said.hostile_again + timedelta(seconds=1))
    assert hostile[3].id in seen(ada, northwind)


def test_a_person_may_choose_less_than_the_brand_never_more(triage: FixedTriage) -> None:
    northwind = brand()
    ada = person(northwind, "advocate")
    triage.signals = replace(CALM, anger=HOSTILE)
    told(northwind, "Angry")
    with db.transaction() as session:
        session.execute(update(Advocate).values(hostile_most=0, weekly_most=900))
    assert seen(ada, northwind) == []
    assert load(ada, northwind).answered_most == 60


def test_after_a_full_week_the_desk_rests_and_what_one_opens_by_oneself_may_still_be_taken(triage: FixedTriage, clock: time_machine.Coordinates) -> None:
    northwind = brand()
    ada = person(northwind, "advocate")
    with db.transaction() as session:
        session.execute(update(Advocate).values(weekly_most=2))
    for n in range(2):
        handed_in(told(northwind, f"Question {n}"), ada, f"Answer number {n}, in words that nobody wrote before me, {n * 7919}.")
    more = told(northwind, "One more")
    assert seen(ada, northwind) == []
    clock.shift(timedelta(days=7, seconds=1))
    assert seen(ada, northwind) == [more.id]
    clock.shift(-timedelta(days=7))
    with db.transaction():
        tasks.claim(fresh(more), by=ada)


def test_leases_that_run_out_with_nothing_written_lower_how_many_one_may_hold(triage: FixedTriage, clock: time_machine.Coordinates) -> None:
    northwind = brand()
    ada = person(northwind, "advocate")
    with db.transaction() as session:
        session.execute(update(Advocate).values(trust_level=2))
    for n in range(4):
        with db.transaction():
            tasks.claim(fresh(told(northwind, f"Kept {n}")), by=ada)
        clock.shift(timedelta(minutes=21))
        tasks.lapse_due()
    with db.transaction():
        tasks.claim(fresh(told(northwind, "First")), by=ada)
    with pytest.raises(TooMany, match=r"You hold 1 of 1\..*It is 3 again a day after"), db.transaction():
        tasks.claim(fresh(told(northwind, "Second")), by=ada)
    clock.shift(timedelta(days=1))
    with db.transaction():
        tasks.claim(fresh(told(northwind, "Third")), by=ada)


def test_a_task_whose_time_ran_out_twice_is_left_to_others_for_a_while(triage: FixedTriage, clock: time_machine.Coordinates) -> None:
    northwind = brand()
    ada, ben = person(northwind, "advocate"), person(northwind, "advocate")
    task = told(northwind)
    for _ in range(2):
        with db.transaction():
            tasks.claim(fresh(task), by=ada)
            tasks.release(fresh(task), by=ada)
    for _ in range(2):
        with db.transaction():
            tasks.claim(fresh(task), by=ada)
        clock.shift(timedelta(minutes=20))
        tasks.lapse_due()
    with pytest.raises(Conflict, match=r"ran out twice lately\. Leave it to others until 11:00"), db.transaction():
        tasks.claim(fresh(task), by=ada)
    with db.transaction():
        tasks.claim(fresh(task), by=ben)
        tasks.release(fresh(task), by=ben)
    clock.shift(timedelta(hours=2))
    with db.transaction():
        tasks.claim(fresh(task), by=ada)


def test_a_break_frees_what_one_holds(triage: FixedTriage, clock: time_machine.Coordinates) -> None:
    """Red without `end_claims_of` in the verb of the break."""
    from app.kernel import clock as ours

    northwind = brand()
    ada = person(northwind, "advocate")
    task = told(northwind)
    with db.transaction():
        tasks.claim(fresh(task), by=ada)
        advocates.pause(ada, northwind, until=ours.now() + timedelta(days=3))
    assert fresh(task).state == "open"
    with db.transaction(read_only=True) as session:
        assert session.scalars(select(Claim.ended_because)).one() == "break"
        assert desk(ada, northwind).paused
    with pytest.raises(Forbidden, match="break"), db.transaction():
        tasks.claim(fresh(task), by=ada)
