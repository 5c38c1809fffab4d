"""Polling under a lease: one listener an account, a slow one delays no other, the cursor moves only with its posts."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from app.accounts.models import Brand
from app.kernel.db import db
from community.channels import base, listening, registry
from community.channels.base import Author, Batch, Connection, Incoming
from community.channels.by_hand.adapter import ByHandChannel
from community.channels.listening import LEASE, LeaseLost, Listener, give_up_lease, sweep, take_lease
from community.channels.models import ChannelAccount
from community.channels.registry import Kind, register
from community.mentions.models import Mention
from tests.harness.processes import Processes


class Timeline:
    """What a pollable network holds, and how it misbehaves."""

    def __init__(self) -> None:
        self.posts: list[str] = []
        self.page = 2
        self.trouble: base.ChannelError | None = None
        self.before: Callable[[], None] = lambda: None
        self.polls = 0

    def poll(self, cursor: str | None, limit: int) -> Batch:
        self.polls += 1
        self.before()
        if self.trouble is not None:
            raise self.trouble
        at = json.loads(cursor)["at"] if cursor else 0
        upto = min(at + min(limit, self.page), len(self.posts))
        made = [Incoming(ext_id=name, text=f"How do I reset {name}?", author=Author("u", "u"), created_at=datetime.now(UTC)) for name in self.posts[at:upto]]
        return Batch(posts=made, cursor=json.dumps({"at": upto}), more=upto < len(self.posts))


TIMELINES: dict[str, Timeline] = {}


class Pollable(ByHandChannel):
    """An adapter that polls the timeline of its account's name."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self._timeline = TIMELINES[connection.name]

    def poll(self, cursor: str | None, limit: int) -> Batch:
        return self._timeline.poll(cursor, limit)


@pytest.fixture
def connect(brand: Brand) -> Iterator[Callable[[str], tuple[int, Timeline]]]:
    register("fake", Kind(Pollable, registry.kinds()["by_hand"].pack, polled=True, poll_seconds=0.05))

    def make(name: str) -> tuple[int, Timeline]:
        TIMELINES[name] = Timeline()
        with db.transaction() as session:
            account = ChannelAccount(brand_id=brand.id, kind="fake", name=name, settings={}, created_at=datetime.now(UTC))
            session.add(account)
        return account.id, TIMELINES[name]

    yield make
    registry._KINDS.pop("fake")
    TIMELINES.clear()


def row(account_id: int) -> ChannelAccount:
    with db.transaction(read_only=True) as session:
        return session.get_one(ChannelAccount, account_id)


def stored() -> list[str]:
    with db.transaction(read_only=True) as session:
        return sorted(session.scalars(select(Mention.ext_id)))


def held(account_id: int, holder: str = "me") -> ChannelAccount:
    account = take_lease(account_id, holder)
    assert account is not None
    return account


def test_a_sweep_goes_on_where_the_last_one_ended(connect: Callable[[str], tuple[int, Timeline]]) -> None:
    account_id, timeline = connect("alpha")
    timeline.posts = ["a", "b", "c", "d", "e"]
    assert sweep(held(account_id), "me").stored == 5
    timeline.posts += ["f"]
    polled = sweep(held(account_id), "me")
    assert (polled.stored, polled.known) == (1, 0)
    assert json.loads(row(account_id).cursor or "") == {"at": 6}
    assert sweep(held(account_id), "me").stored == 0


def test_the_cursor_stays_with_the_last_stored_page_when_the_network_fails(connect: Callable[[str], tuple[int, Timeline]]) -> None:
    account_id, timeline = connect("alpha")
    timeline.posts = ["a", "b", "c", "d"]

    def fail_later() -> None:
        if timeline.polls == 2:
            raise base.Transient("connection refused")

    timeline.before = fail_later
    polled = sweep(held(account_id), "me")
    assert polled.failed == "connection refused"
    assert stored() == ["a", "b"]
    assert json.loads(row(account_id).cursor or "") == {"at": 2}
    sweep(held(account_id), "me")
    assert stored() == ["a", "b", "c", "d"]


def test_a_lease_has_one_holder_until_it_lapses(connect: Callable[[str], tuple[int, Timeline]]) -> None:
    account_id, _ = connect("alpha")
    assert take_lease(account_id, "me") is not None
    assert take_lease(account_id, "another") is None
    assert take_lease(account_id, "me") is not None, "one's own lease is renewed"
    with db.transaction() as session:
        session.get_one(ChannelAccount, account_id).listen_lease_until = datetime.now(UTC) - timedelta(seconds=1)
    assert take_lease(account_id, "another") is not None
    give_up_lease(account_id, "me")
    assert take_lease(account_id, "me") is None, "what is not mine I cannot give up"


def test_a_lease_longer_than_leases_are_is_no_lease(connect: Callable[[str], tuple[int, Timeline]]) -> None:
    account_id, _ = connect("alpha")
    take_lease(account_id, "me")
    with db.transaction() as session:
        session.get_one(ChannelAccount, account_id).listen_lease_until = datetime.now(UTC) + LEASE + timedelta(days=1)
    assert take_lease(account_id, "another") is not None


def test_a_lease_of_a_machine_whose_clock_is_a_little_ahead_is_kept(connect: Callable[[str], tuple[int, Timeline]], clock: time_machine.Coordinates) -> None:
    """Red when any lease a second too long is taken over: two machines would then take it from each other for ever."""
    account_id, _ = connect("alpha")
    clock.shift(5)
    take_lease(account_id, "me")
    clock.shift(-5)
    assert take_lease(account_id, "another") is None


def test_who_lost_the_lease_stores_nothing(connect: Callable[[str], tuple[int, Timeline]]) -> None:
    account_id, timeline = connect("alpha")
    timeline.posts = ["a"]
    account = held(account_id)

    def overtaken() -> None:
        give_up_lease(account_id, "me")
        take_lease(account_id, "another")

    timeline.before = overtaken
    with pytest.raises(LeaseLost):
        sweep(account, "me")
    assert stored() == []
    assert row(account_id).cursor is None


def test_slow_down_waits_as_long_as_told(connect: Callable[[str], tuple[int, Timeline]]) -> None:
    account_id, timeline = connect("alpha")
    until = datetime.now(UTC) + timedelta(minutes=3)
    timeline.trouble = base.RateLimited("slow down", retry_at=until)
    polled = sweep(held(account_id), "me")
    assert (polled.wait_until, polled.failed) == (until, None)


@pytest.mark.parametrize("trouble", [base.AuthExpired("The token was revoked."), base.OutOfCredit("No credit left.")])
def test_a_revoked_token_or_spent_credit_pauses_the_account(connect: Callable[[str], tuple[int, Timeline]], trouble: base.ChannelError) -> None:
    account_id, timeline = connect("alpha")
    timeline.trouble = trouble
    sweep(held(account_id), "me")
    assert row(account_id).paused_reason == trouble.detail
    assert listening.pollable() == []


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 15
    while not condition():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.02)


def test_a_slow_account_delays_no_other_and_all_end_on_stop(connect: Callable[[str], tuple[int, Timeline]]) -> None:
    slow_id, slow = connect("slow")
    _, quick = connect("quick")
    release = threading.Event()
    slow.before = lambda: void(release.wait(15))
    slow.posts, quick.posts = ["s"], ["q"]
    listener = Listener()
    running = threading.Thread(target=listener.run)
    running.start()
    try:
        wait_for(lambda: stored() == ["q"])
        quick.posts.append("r")
        wait_for(lambda: stored() == ["q", "r"])
        assert slow.polls == 1
    finally:
        release.set()
        listener.stop()
        running.join(20)
    assert not running.is_alive()
    assert stored() == ["q", "r", "s"]
    assert row(slow_id).listen_lease_by is None


def void(_: object) -> None:
    """Drop a value."""


def test_once_asks_each_account_once(connect: Callable[[str], tuple[int, Timeline]], app: Flask) -> None:
    (_, one), (_, two) = connect("one"), connect("two")
    one.posts, two.trouble = ["a", "b", "c"], base.Transient("no route")

    done = app.test_cli_runner().invoke(args=["listen", "--once"])

    assert done.exit_code == 1, "a channel failed"
    shown = json.loads(done.output.splitlines()[-1])
    assert shown["one"] == {"stored": 3, "known": 0, "gone": 0, "failed": None}
    assert shown["two"]["failed"] == "no route"
    assert app.test_cli_runner().invoke(args=["listen", "--once", "--channel", "one"]).exit_code == 0


def test_several_listeners_store_each_post_once(connect: Callable[[str], tuple[int, Timeline]]) -> None:
    _, timeline = connect("alpha")
    timeline.posts = [f"p-{n:03}" for n in range(40)]
    listeners = [Listener() for _ in range(3)]
    for number, listener in enumerate(listeners):
        listener.holder = f"listener-{number}"
    threads = [threading.Thread(target=listener.run) for listener in listeners]
    for thread in threads:
        thread.start()
    wait_for(lambda: len(stored()) == 40)
    for listener in listeners:
        listener.stop()
    for thread in threads:
        thread.join(20)
    assert stored() == sorted(timeline.posts)


def test_without_anything_to_poll_the_database_is_not_asked(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "db", None)
    assert listening.pollable() == []


@pytest.mark.processes
def test_the_command_ends_in_order_on_sigterm(processes: Processes) -> None:
    listener = processes.flask("listen")
    wait_for(lambda: "listening" in listener.log)
    assert listener.alive
    assert listener.stop() == 0, listener.log
