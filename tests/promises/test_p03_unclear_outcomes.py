"""P03: after an unclear outcome the network is asked before anything is sent again; what nobody can know goes to a moderator."""

from __future__ import annotations

import itertools

import pytest
import time_machine

from app.kernel.clock import now
from community.replies import posting
from community.replies.models import Posting
from tests import factories
from tests.fakes.network import AFTER, BEFORE, LOOKS, MIX, REFUSALS, FakeNetwork
from tests.harness.promises import dice, rounds
from tests.promises.conftest import Town

FINAL = ("posted", "refused", "unknown", "queued")
LOOK_FAULTS = ("ok", *LOOKS)
PAUSED = ("401", "402")
"""What pauses the account: the posting waits for an admin."""


def play(order: Posting, clock: time_machine.Coordinates, most: int = 60) -> Posting:
    """Do what workers do, each time at the moment the row asks for, until it is settled."""
    for _ in range(most):
        row = factories.fresh(order)
        if row.state in FINAL or row.next_at is None:
            return row
        clock.move_to(max(row.next_at, now()))
        posting.post(order.id)
    return factories.fresh(order)


def judge(network: FakeNetwork, row: Posting) -> None:
    """The network's own log against what we believe."""
    landed = [post for post in network.posts if post["key"] == row.key]
    assert len(landed) <= 1, f"posted {len(landed)} times"
    if row.state == "posted":
        assert [post["text"] for post in landed] == [row.text]
    elif row.state == "refused":
        assert landed == [], f"refused ({row.reason}), but it is out"
        assert row.detail, "a moderator reads why"
    elif row.state == "unknown":
        assert row.detail
    sent = [line for line in network.requests if line["key"] == row.key]
    for before, after in itertools.pairwise(sent):
        if after["method"] == "POST" and before["method"] == "POST":
            assert before["fault"] in ("429", "429_date", "429_bare"), f"sent again after {before['fault']} without a look"


@pytest.mark.parametrize("lag", [0, 2, 30])
@pytest.mark.parametrize("fault", [*BEFORE, *AFTER, *REFUSALS])
def test_p03_every_fault_with_every_lag(fault: str, lag: int, town: Town, network: FakeNetwork, clock: time_machine.Coordinates) -> None:
    """Red without `must_look` in `_take` (a blind retry), and without the lag in `find_reply`."""
    network.lag = lag
    account = factories.account(town.brand, "slow", reply_url=network.reply_url, read_back_lag=str(lag))
    chance = dice()
    for number in range(rounds(1, 20)):
        look = LOOK_FAULTS[(number + chance.randrange(len(LOOK_FAULTS))) % len(LOOK_FAULTS)]
        order = factories.approved(factories.task(account), town.ada, town.cleo)
        network.plan(fault, look)

        row = play(order, clock)

        judge(network, row)
        if fault in PAUSED:
            assert row.state == "approved"
            assert row.reason == "paused"
            break
        assert row.state == ("refused" if fault in REFUSALS and fault != "409" else "posted"), (row.state, row.detail)
        network.plan_nothing()


def test_p03_a_network_that_never_tells_ends_before_a_moderator(town: Town, network: FakeNetwork, clock: time_machine.Coordinates) -> None:
    order = factories.approved(factories.task(town.account), town.ada, town.cleo)
    network.plan("reset_after", *["get_500"] * 100)

    row = play(order, clock)

    assert row.state == "unknown"
    assert row.next_at is None, "nobody tries again by itself"
    assert len([line for line in network.requests if line["method"] == "POST"]) == 1
    assert len([line for line in network.requests if line["method"] == "GET"]) <= 30


@pytest.mark.timeout(3600)
def test_p03_at_most_two_in_a_hundred_stay_unknown_in_the_mix(town: Town, network: FakeNetwork, clock: time_machine.Coordinates) -> None:
    network.mix(MIX, seed=dice().randrange(10**9))
    rows = [play(factories.approved(factories.task(town.account), town.ada, town.cleo), clock) for _ in range(rounds(25, 2000))]

    for row in rows:
        judge(network, row)
    assert sum(row.state == "unknown" for row in rows) <= max(1, len(rows) * 0.02)
    assert {row.state for row in rows} <= {"posted", "unknown"}, "no fault of the mix is a refusal"
