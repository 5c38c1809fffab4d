"""A flag: peers first, then a moderator; at once where it is urgent; and an approved answer says the community could help."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select

from app.accounts.models import Brand, User
from app.kernel.db import db
from app.kernel.errors import Conflict, Forbidden
from app.kernel.outbox import OutboxEvent
from community.mentions.actions import current_decision
from community.moderation import actions as moderation
from community.moderation import flags
from community.moderation.models import Flag
from community.tasks import actions as tasks
from community.tasks.models import Task
from tests.stories import FixedTriage, brand, fresh, handed_in, news, person, rooms, told, triage

__all__ = ["rooms", "triage"]


@pytest.fixture
def northwind(triage: FixedTriage) -> Brand:
    return brand()


@pytest.fixture
def crowd(northwind: Brand) -> list[User]:
    return [person(northwind, "advocate") for _ in range(4)]


def flagged(task: Task, by: User, kind: str = "technical") -> Flag:
    with db.transaction():
        return flags.flag(fresh(task), by=by, kind=kind)


def agreed(row: Flag, by: User) -> Flag:
    with db.transaction():
        return flags.agree(fresh(row), by=by)


def decided() -> list[tuple[bool, str]]:
    with db.transaction(read_only=True) as session:
        found = session.scalars(select(OutboxEvent).where(OutboxEvent.name == "FlagDecided").order_by(OutboxEvent.id))
        return [(one.payload["upheld"], one.payload["how"]) for one in found]


def test_two_peers_who_agree_send_it_to_the_specialists_at_once(northwind: Brand, crowd: list[User]) -> None:
    task = told(northwind, "Kernel panic in the DHCP daemon")
    ada, ben, cem, _ = crowd
    row = flagged(task, ada)
    assert agreed(row, ben).state == "open"
    assert fresh(task).audience == "community"
    assert agreed(row, cem).state == "upheld"
    assert (fresh(task).audience, fresh(task).raised_by_id) == ("tier_2", ada.id)
    assert decided() == [(True, "peers")]


def test_spam_that_peers_agree_on_is_set_aside_whoever_holds_it(northwind: Brand, crowd: list[User]) -> None:
    task = told(northwind, "Buy followers")
    ada, ben, cem, dia = crowd
    with db.transaction():
        tasks.claim(fresh(task), by=dia)
    row = flagged(task, ada, "spam")
    agreed(row, ben)
    agreed(row, cem)
    assert (fresh(task).state, fresh(task).closed_because) == ("cancelled", "flag_spam")
    with db.transaction(read_only=True):
        decision = current_decision(task.mention_id)
        assert decision is not None
        assert (decision.audience, decision.by_id, decision.reasons[-1]["rule"]) == ("set_aside", None, "flag_spam")


def test_flagging_what_is_flagged_is_agreeing(northwind: Brand, crowd: list[User]) -> None:
    task = told(northwind)
    row = flagged(task, crowd[0])
    assert flagged(task, crowd[1]).id == row.id
    assert flagged(task, crowd[2]).id == row.id
    assert fresh(row).state == "upheld"


def test_nobody_agrees_twice_or_with_themselves(northwind: Brand, crowd: list[User]) -> None:
    """Red without the unique vote, and without the look at who raised it."""
    row = flagged(told(northwind), crowd[0])
    with pytest.raises(Forbidden, match="own flag"):
        agreed(row, crowd[0])
    with pytest.raises(Conflict, match="flagged this already"):
        flagged(fresh(task_of(row)), crowd[0])
    agreed(row, crowd[1])
    with pytest.raises(Conflict, match="already"):
        agreed(row, crowd[1])
    assert fresh(row).state == "open"


def test_an_approved_answer_dismisses_it(northwind: Brand, crowd: list[User]) -> None:
    task = told(northwind)
    row = flagged(task, crowd[0])
    cleo = person(northwind, "moderator")
    reply = handed_in(task, crowd[1])
    assert fresh(row).state == "open", "handing in proves nothing"
    with db.transaction():
        moderation.approve(fresh(reply), by=cleo, revision=1)
    news()
    assert (fresh(row).state, fresh(row).decided_by_id) == ("dismissed", None)
    assert decided() == [(False, "answer")]


def test_after_the_window_a_moderator_decides(northwind: Brand, crowd: list[User], clock: time_machine.Coordinates) -> None:
    task = told(northwind)
    row, cleo = flagged(task, crowd[0]), person(northwind, "moderator")
    clock.shift(timedelta(minutes=9))
    assert flags.close_windows() == 0
    clock.shift(timedelta(minutes=1))
    assert flags.close_windows() == 1
    assert fresh(row).window_until is None
    with db.transaction():
        flags.decide_flag(fresh(row), by=cleo, uphold=True)
    assert fresh(task).audience == "tier_2"
    assert decided() == [(True, "moderator")]
    with pytest.raises(Conflict):
        agreed(row, crowd[1])


def test_urgent_ones_act_at_once_and_have_no_window(northwind: Brand, crowd: list[User]) -> None:
    task = told(northwind)
    row = flagged(task, crowd[0], "at_risk")
    assert row.window_until is None
    assert fresh(task).audience == "tier_2"
    with pytest.raises(Conflict, match="has it already"), db.transaction():
        flags.take_back(fresh(row), by=crowd[0])


def test_a_mistake_is_taken_back_until_somebody_agrees(northwind: Brand, crowd: list[User]) -> None:
    first, second = flagged(told(northwind), crowd[0]), flagged(told(northwind, author="paul"), crowd[0])
    with pytest.raises(Forbidden), db.transaction():
        flags.take_back(fresh(first), by=crowd[1])
    with db.transaction():
        flags.take_back(fresh(first), by=crowd[0])
    assert fresh(first).state == "withdrawn"
    agreed(second, crowd[1])
    with pytest.raises(Conflict, match="Others agreed"), db.transaction():
        flags.take_back(fresh(second), by=crowd[0])


def task_of(row: Flag) -> Task:
    with db.transaction(read_only=True) as session:
        return session.get_one(Task, row.task_id)
