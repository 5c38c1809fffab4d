"""P19: fifty people claim one task at the same moment: one has it, all others read why not, nobody sees a failure."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from app.accounts.models import User
from app.kernel.db import db
from community.tasks import actions as tasks
from community.tasks.models import Claim, Task
from tests import factories
from tests.harness.promises import dice, rounds
from tests.harness.races import Racers
from tests.promises.conftest import Town


def claim(task_id: int, user_id: int) -> int:
    with db.transaction() as session:
        held = tasks.claim(session.get_one(Task, task_id), by=session.get_one(User, user_id))
        return held.user_id


@pytest.mark.timeout(3600)
def test_p19_one_of_fifty_wins(town: Town, racers: Racers) -> None:
    """Red without the state in the condition of `States.move` together with the index `uq_claim_live`; red (5xx) without
    the index's IntegrityError being turned into a Conflict."""
    chance = dice()
    crowd = [factories.person(f"fan{n}", town.brand, "advocate", password=None, trust=4) for n in range(50)]
    for _ in range(rounds(5, 1000)):
        task = factories.task(town.account)
        chance.shuffle(crowd)

        outcomes = racers.run([(claim, (task.id, person.id)) for person in crowd])

        winners = [outcome for outcome in outcomes if outcome.won]
        assert len(winners) == 1, [outcome.error for outcome in outcomes]
        assert {outcome.status for outcome in outcomes} == {200, 409}, [o.error for o in outcomes if o.status not in (200, 409)]
        assert all(len(outcome.error) > 10 for outcome in outcomes if not outcome.won), "a refusal says why"
        with db.transaction() as session:
            held = session.scalars(select(Claim).where(Claim.task_id == task.id)).all()
            assert [one.user_id for one in held] == [winners[0].value]
            assert session.get_one(Task, task.id).state == "claimed"
            tasks.release(session.get_one(Task, task.id), by=session.get_one(User, winners[0].value))


def test_p19_nobody_gets_more_than_their_limit_by_asking_for_all_at_once(town: Town, racers: Racers) -> None:
    """Red without the person's row being held while their claims are counted (`_make_room`)."""
    for _ in range(rounds(3, 200)):
        new = factories.person(f"new{factories.next_number()}", town.brand, "advocate", password=None)
        wanted = [factories.task(town.account) for _ in range(8)]

        outcomes = racers.run([(claim, (task.id, new.id)) for task in wanted])

        assert sum(outcome.won for outcome in outcomes) == 1
        assert {outcome.status for outcome in outcomes} == {200, 429}, [o.error for o in outcomes]
        with db.transaction(read_only=True) as session:
            assert session.scalar(select(func.count()).select_from(Claim).where(Claim.user_id == new.id)) == 1
