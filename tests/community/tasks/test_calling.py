"""A task that fits: who is called, when, and how seldom."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select, update

from app.accounts.models import Brand, SignIn, User
from app.config import Config
from app.kernel import clock as kernel_clock
from app.kernel.db import Database, db
from app.notices import mail, preferences
from app.notices.models import Notice
from app.notices.preferences import Wishes
from community.advocates import actions as advocates
from community.advocates.models import Advocate
from community.tasks import actions as tasks
from community.tasks import calling
from tests.fakes.mailbox import Mailbox, mailing, plain
from tests.stories import FixedTriage, brand, fresh, person, rooms, told, triage

__all__ = ["rooms", "triage"]


@pytest.fixture
def northwind(triage: FixedTriage, clock: time_machine.Coordinates) -> Brand:
    return brand("northwind")


@pytest.fixture
def mailbox(rooms: Database, emptied: Config) -> Iterator[Mailbox]:
    with mailing(emptied) as box:
        yield box


def helper(of: Brand, **more: object) -> User:
    """An advocate who knows about questions, joined long ago and signed in lately."""
    user = person(of, "advocate")
    with db.transaction() as session:
        long_ago = kernel_clock.now() - timedelta(days=9)
        known = {"topics": ["question"], "languages": ["en"], "called_at": long_ago, "joined_at": long_ago, **more}
        session.execute(update(Advocate).where(Advocate.user_id == user.id).values(known))
        now = kernel_clock.now()
        session.add(SignIn(secret_hash=f"s{user.id}", user_id=user.id, started_at=now, seen_at=now, ends_at=now + timedelta(days=14)))
    return user


def called() -> list[tuple[int, int]]:
    with db.transaction(read_only=True) as session:
        rows = session.execute(select(Notice.user_id, Notice.cause_id).where(Notice.kind == "fits").order_by(Notice.id)).all()
    return [(row.user_id, row.cause_id) for row in rows]


def test_whom_a_waiting_task_suits_is_called_after_some_minutes(clock: time_machine.Coordinates, northwind: Brand) -> None:
    ada = helper(northwind)
    helper(northwind, topics=["billing"])
    helper(northwind, languages=["ja"])
    task = told(northwind)
    assert calling.call_all() == 0
    clock.shift(timedelta(minutes=5))
    assert calling.call_all() == 1
    assert called() == [(ada.id, task.id)]
    clock.shift(timedelta(minutes=1))
    assert calling.call_all() == 0, "nobody is called twice, and nobody else it suits is there"


def test_a_few_are_called_for_one_task_those_called_longest_ago_first(clock: time_machine.Coordinates, northwind: Brand) -> None:
    now = kernel_clock.now()
    people = [helper(northwind, called_at=now - timedelta(days=day)) for day in (1, 5, 3, 4, 2)]
    first, second = told(northwind), told(northwind, author="kim")
    clock.shift(timedelta(minutes=6))
    assert calling.call_all() == 5
    by_task = {task.id: [user for user, cause in called() if cause == task.id] for task in (first, second)}
    assert sorted(map(len, by_task.values())) == [2, calling.CALLED]
    assert {people[1].id, people[3].id, people[2].id} in [set(users) for users in by_task.values()]


def test_nobody_is_called_often_at_night_on_a_break_busy_or_against_their_wish(clock: time_machine.Coordinates, northwind: Brand) -> None:
    never, paused, busy, night, gone = (helper(northwind) for _ in range(5))
    held = told(northwind, author="first")
    with db.transaction() as session:
        preferences.choose(never, Wishes(when={"fits": "never"}))
        preferences.choose(night, Wishes(quiet=(9, 17)))
        advocates.pause(paused, northwind, until=kernel_clock.now() + timedelta(days=1))
        tasks.claim(fresh(held), by=busy)
        session.execute(update(SignIn).where(SignIn.user_id == gone.id).values(seen_at=kernel_clock.now() - timedelta(days=40)))
    told(northwind)
    clock.shift(timedelta(minutes=6))
    assert calling.call_all() == 0
    ada = helper(northwind)
    assert calling.call_all() == 1
    for _ in range(4):
        told(northwind, author=f"p{clock}")
        clock.shift(timedelta(minutes=20))
        calling.call_all()
    assert len([1 for user, _ in called() if user == ada.id]) == 1, "three hours between two calls"


def test_after_three_calls_that_led_to_nothing_we_are_quiet(clock: time_machine.Coordinates, northwind: Brand) -> None:
    ada = helper(northwind)
    for n in range(4):
        task = told(northwind, author=f"a{n}")
        clock.shift(timedelta(minutes=6))
        calling.call_all()
        with db.transaction():
            tasks.cancel(fresh(task), because="test", by=None)
        clock.shift(timedelta(hours=3))
        with db.transaction():
            preferences.choose(ada, Wishes(quiet=None))
    assert len(called()) == calling.UNANSWERED
    task = told(northwind, author="taken")
    with db.transaction():
        tasks.claim(fresh(task), by=ada)
        tasks.release(fresh(task), by=ada)
    told(northwind, author="next")
    clock.shift(timedelta(minutes=6))
    assert calling.call_all() >= 1


def test_a_call_is_mailed_only_while_the_task_is_to_be_had(clock: time_machine.Coordinates, mailbox: Mailbox, northwind: Brand) -> None:
    ada, ben = helper(northwind), helper(northwind)
    task = told(northwind, "Where is the serial number?")
    clock.shift(timedelta(minutes=6))
    assert calling.call_all() == 2
    with db.transaction():
        tasks.claim(fresh(task), by=ben)
    clock.shift(timedelta(minutes=2))
    assert mail.send_due() == 0
    other = told(northwind, "Where is the other number?", author="kim")
    clock.shift(timedelta(hours=3))
    with db.transaction() as session:
        session.execute(update(type(other)).where(type(other).id == other.id).values(opened_at=kernel_clock.now() - timedelta(minutes=7)))
    assert calling.call_all() == 1
    clock.shift(timedelta(minutes=2))
    assert mail.send_due() == 1
    assert mailbox.letters[0]["Subject"] == "Northwind: a task that fits you"
    assert "kim has waited 7 min" in plain(mailbox.letters[0])
    assert mailbox.letters[0]["To"] == ada.email
