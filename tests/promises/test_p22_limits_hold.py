"""P22: limits hold however many ask at once: of fifty claims by one person at one below their limit, one gets through."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from app.accounts.models import Brand, User
from app.kernel import clock
from app.kernel.db import db
from community.advocates import actions as advocates
from community.advocates.models import Advocate
from community.moderation import flags
from community.moderation.models import Flag, FlagVote
from community.tasks import actions as tasks
from community.tasks.models import Claim, Task
from tests import factories
from tests.harness.promises import rounds
from tests.harness.races import Racers
from tests.promises.conftest import Town

AT_ONCE = 50


def claim(task_id: int, user_id: int) -> int:
    with db.transaction() as session:
        return tasks.claim(session.get_one(Task, task_id), by=session.get_one(User, user_id)).id


def agree(flag_id: int, user_id: int) -> str:
    with db.transaction() as session:
        return flags.agree(session.get_one(Flag, flag_id), by=session.get_one(User, user_id)).state


def held_by(user: User) -> int:
    with db.transaction(read_only=True) as session:
        return session.scalar(select(func.count()).select_from(Claim).where(Claim.user_id == user.id, Claim.ended_at.is_(None))) or 0


@pytest.mark.timeout(3600)
def test_p22_of_fifty_claims_at_one_below_the_limit_one_gets_through(town: Town, racers: Racers) -> None:
    """Red without `_hold_person` before the count (`_make_room`)."""
    for _ in range(rounds(1, 100)):
        new = factories.person(f"new{factories.next_number()}", town.brand, "advocate", password=None, trust=2)
        for _ in range(2):
            factories.claimed(factories.task(town.account), new)
        wanted = [factories.task(town.account) for _ in range(AT_ONCE)]

        outcomes = racers.run([(claim, (task.id, new.id)) for task in wanted])

        assert sum(outcome.won for outcome in outcomes) == 1
        assert {outcome.status for outcome in outcomes} == {200, 429}, [o.error for o in outcomes if o.status not in (200, 429)]
        assert held_by(new) == 3


@pytest.mark.timeout(3600)
def test_p22_no_claim_slips_past_a_break(town: Town, racers: Racers) -> None:
    """Red when a break is taken without holding the person's row before their tasks."""
    for _ in range(rounds(2, 100)):
        new = factories.person(f"new{factories.next_number()}", town.brand, "advocate", password=None, trust=4)
        wanted = [factories.task(town.account) for _ in range(7)]

        racers.run([*[(claim, (task.id, new.id)) for task in wanted], (rest, (new.id, town.brand.id))])

        with db.transaction(read_only=True) as session:
            paused = session.scalars(select(Advocate.paused_until).where(Advocate.user_id == new.id)).one()
        assert paused is not None
        assert held_by(new) == 0, "whoever rests holds nothing"


def rest(user_id: int, brand_id: int) -> None:
    with db.transaction() as session:
        advocates.pause(session.get_one(User, user_id), session.get_one(Brand, brand_id), until=clock.now() + timedelta(days=1))


@pytest.mark.timeout(3600)
def test_p22_a_flag_is_upheld_once_by_exactly_as_many_as_are_needed(town: Town, racers: Racers) -> None:
    """Red without the flag's row being held while its votes are counted."""
    crowd = [factories.person(f"peer{n}", town.brand, "advocate", password=None) for n in range(12)]
    for _ in range(rounds(1, 100)):
        task = factories.task(town.account)
        with db.transaction():
            row = flags.flag(factories.fresh(task), by=town.ada, kind="technical")

        outcomes = racers.run([(agree, (row.id, person.id)) for person in crowd])

        assert {outcome.status for outcome in outcomes} == {200, 409}, [o.error for o in outcomes]
        assert sorted(str(outcome.value) for outcome in outcomes if outcome.won) == ["open", "upheld"]
        with db.transaction(read_only=True) as session:
            assert session.scalar(select(func.count()).select_from(FlagVote).where(FlagVote.flag_id == row.id)) == 2
            assert session.get_one(Task, task.id).audience == "tier_2"
