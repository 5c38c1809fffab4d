"""P03: after an unclear outcome the network is asked before anything is sent again; what nobody can know goes to a moderator."""

from __future__ import annotations

import itertools

import pytest
import time_machine
from sqlalchemy import select, update

from app.kernel.clock import now
from app.kernel.db import db
from community.channels.base import Author, Incoming
from community.mentions import intake
from community.mentions.models import Mention
from community.replies import posting
from community.replies.models import Posting
from community.tasks.models import Task
from escalation.cases.models import Case
from tests import factories
from tests.fakes.network import AFTER, BEFORE, LOOKS, MIX, REFUSALS, FakeNetwork
from tests.harness.promises import dice, rounds
from tests.promises.conftest import Town
from tests.stories import news

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
    named = [line["delivery"] for line in sent if line["method"] == "POST"]
    assert all(named), "every request to post has a name"
    assert len(set(named)) == len(named), "two requests under one name: the second may be taken for the first"
    assert not any(line["delivery"] for line in sent if line["method"] == "GET"), "a question is no delivery"
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


def test_p03_what_the_author_writes_meanwhile_is_read(town: Town, network: FakeNetwork, clock: time_machine.Coordinates) -> None:
    """Our reply is out, we don't know it yet, and its author answers it. Red without `catch_up` in `finish`."""
    order = factories.approved(factories.task(town.account), town.ada, town.cleo)
    network.plan("reset_after")
    posting.post(order.id)
    clock.shift(5)
    wrote = factories.mention(town.account, "It still does not work", parent_ext_id=order.in_reply_to)

    assert play(order, clock).state == "posted"

    with db.transaction(read_only=True) as session:
        task = session.get_one(Task, order.task_id)
        assert (task.state, task.mention_id, task.returned_to_id) == ("open", wrote.id, town.ada.id)


def test_p03_a_task_that_moved_up_meanwhile_stays_with_those_it_went_to(town: Town, network: FakeNetwork, clock: time_machine.Coordinates) -> None:
    """Red when `finish` counts whatever task as answered."""
    order = factories.approved(factories.task(town.account), town.ada, town.cleo)
    network.plan("reset_after")
    posting.post(order.id)
    clock.shift(5)
    factories.mention(town.account, "I am furious #tier_1", parent_ext_id=order.in_reply_to)

    assert play(order, clock).state == "posted"
    news()

    with db.transaction(read_only=True) as session:
        task = session.get_one(Task, order.task_id)
        assert (task.state, task.audience) == ("open", "tier_1")
        assert session.scalars(select(Case.state).where(Case.task_id == task.id)).one() == "open"


@pytest.mark.parametrize("fault", ["reset_after", "500_after", "ok"])
def test_p03_our_own_reply_coming_back_to_us_ends_nothing(fault: str, town: Town, network: FakeNetwork, clock: time_machine.Coordinates) -> None:
    """A network that delivers everything delivers our reply, too, often before its worker has the answer. Red without `may_be_out` in intake."""
    order = factories.approved(factories.task(town.account), town.ada, town.cleo)
    network.plan(fault)
    if fault != "ok":
        posting.post(order.id)
    else:
        with db.transaction() as session:
            session.execute(update(Posting).values(state="posting", fence=1, lease_until=now(), next_at=now(), first_sent_at=now(), sent_at=now()))
        network.land({"idempotency_key": order.key, "in_reply_to": order.in_reply_to, "text": order.text, "voice": order.voice, "account": "wave"})
    landed = network.posts[0]["id"]
    intake.receive(town.account, [Incoming(landed, order.text, Author("us", "northwind", is_ours=True), parent_ext_id=order.in_reply_to)])

    assert play(order, clock).state == "posted"

    with db.transaction(read_only=True) as session:
        assert session.get_one(Task, order.task_id).state == "answered"
        echo = session.scalars(select(Mention).where(Mention.ext_id == landed)).one()
        assert (echo.posting_id, echo.by_brand) == (order.id, True)
