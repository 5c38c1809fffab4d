"""P08: once "pulled back" or "stopped" is acknowledged no request to the network starts, whoever was about to begin one."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from sqlalchemy import update

from app.accounts import brands
from app.accounts.models import Brand, User
from app.kernel import clock
from app.kernel.db import db
from app.kernel.errors import Conflict
from community.replies import actions as replies
from community.replies import posting
from community.replies.models import Posting, Reply
from tests import factories
from tests.fakes.network import FakeNetwork
from tests.harness.promises import dice, rounds
from tests.harness.races import Racers
from tests.promises.conftest import Town


def pull_back(reply_id: int, user_id: int, at: float) -> float:
    """Returns when it was acknowledged."""
    time.sleep(max(0.0, at - time.time()))
    with db.transaction() as session:
        replies.pull_back(session.get_one(Reply, reply_id), by=session.get_one(User, user_id))
    return time.time()


def stop(brand_id: int, user_id: int, at: float) -> tuple[float, list[str]]:
    """Returns when it was acknowledged, and what it named as being sent already."""
    time.sleep(max(0.0, at - time.time()))
    with db.transaction() as session:
        named = [row.key for row in posting.stop(session.get_one(Brand, brand_id), by=session.get_one(User, user_id))]
    return time.time(), named


def post(posting_id: int, at: float) -> None:
    time.sleep(max(0.0, at - time.time()))
    posting.post(posting_id)


def due_at(order: Posting, moment: float) -> None:
    """Let the hold end then."""
    with db.transaction() as session:
        end = clock.now() + timedelta(seconds=moment - time.time())
        session.execute(update(Posting).where(Posting.id == order.id).values(hold_until=end, next_at=end))


@pytest.mark.timeout(3600)
def test_p08_a_pull_back_that_was_acknowledged_is_obeyed(town: Town, network: FakeNetwork, racers: Racers) -> None:
    """Red without the hold on the task in `lock_pair` together with the state in the condition of `States.move`: each alone settles it."""
    chance = dice()
    outcomes = []
    for _ in range(rounds(25, 1000)):
        order = factories.approved(factories.task(town.account), town.ada, town.cleo)
        end = time.time() + 0.08
        due_at(order, end)

        pulled, *_ = racers.run(
            [
                (pull_back, (order.reply_id, town.ada.id, end + chance.uniform(-0.01, 0.03))),
                (post, (order.id, end)),
                (post, (order.id, end + 0.002)),
            ]
        )
        posting.post(order.id)

        sent = [line for line in network.requests if line["key"] == order.key]
        state = factories.fresh(order).state
        outcomes.append(pulled.status)
        assert pulled.status in (200, 409), pulled.error
        if pulled.won:
            assert state == "pulled_back"
            assert sent == [], "pulled back, yet a request went out"
        else:
            assert state == "posted"
            assert [line["method"] for line in sent] == ["POST"]
    assert {200, 409} <= set(outcomes), "the races were none: neither side ever won"


@pytest.mark.timeout(3600)
def test_p08_a_stop_that_was_acknowledged_is_obeyed(town: Town, network: FakeNetwork, racers: Racers) -> None:
    """Red without the look at the switch in `_may_send`, and without the names of what is being sent."""
    chance = dice()
    for _ in range(rounds(12, 500)):
        orders = [factories.approved(factories.task(town.account), town.ada, town.cleo) for _ in range(3)]
        begin = time.time() + 0.08

        stopped, *posted = racers.run(
            [
                (stop, (town.brand.id, town.adam.id, begin + chance.uniform(0, 0.05))),
                *((post, (order.id, begin + chance.uniform(0, 0.03))) for order in orders),
            ]
        )
        for order in orders:
            posting.post(order.id)

        assert stopped.won, stopped.error
        assert all(outcome.won for outcome in posted), posted
        acknowledged, named = stopped.value
        late = [line["key"] for line in network.requests if line["at"] > acknowledged]
        assert set(late) <= set(named), "after the stop a request began that it did not name"
        states = {order.key: factories.fresh(order).state for order in orders}
        out = {line["key"] for line in network.posts}
        assert {key for key, state in states.items() if state == "posted"} == out & set(states)

        with db.transaction() as session:
            brands.resume_posting(session.get_one(Brand, town.brand.id), by=town.adam)
            session.execute(update(Posting).where(Posting.next_at.is_not(None)).values(next_at=clock.now()))
        for order in orders:
            posting.post(order.id)
            assert factories.fresh(order).state == "posted", "what waited goes out by itself"


def test_p08_during_the_hold_nothing_is_sent(town: Town, network: FakeNetwork) -> None:
    """Red without `hold_until` in `_take`."""
    order = factories.approved(factories.task(town.account), town.ada, town.cleo)
    with db.transaction() as session:
        session.execute(update(Posting).values(hold_until=clock.now() + timedelta(seconds=60)))
    posting.post(order.id)
    assert network.requests == []
    assert factories.fresh(order).state == "approved"


def test_p08_what_is_being_sent_refuses_the_pull_back(town: Town, network: FakeNetwork) -> None:
    order = factories.approved(factories.task(town.account), town.ada, town.cleo)
    network.plan("reset_after")
    posting.post(order.id)
    with pytest.raises(Conflict, match=r"posted|on its way"), db.transaction() as session:
        replies.pull_back(session.get_one(Reply, order.reply_id), by=town.ada)
