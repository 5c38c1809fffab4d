"""P02: a worker frozen for longer than its lease and then woken neither posts nor saves what another has taken over."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from community.channels.webhook.adapter import WebhookChannel
from community.replies import posting
from community.replies.models import Posting
from tests import factories
from tests.fakes.network import FakeNetwork
from tests.harness.promises import dice, rounds
from tests.harness.races import Outcome, Racers
from tests.promises.conftest import Town

LEASE = 0.8
STEPS = ("before the last look", "before the request", "before saving", "anywhere")


def post_and_freeze(posting_id: int, step: str, after: float) -> None:
    """What a worker does, until it is stopped at this step, as a machine that goes to sleep stops it."""

    def freezing(original: Callable[..., Any]) -> Callable[..., Any]:
        def stop_then(*args: Any, **kw: Any) -> Any:
            # To this very thread: sent to the process, another thread may take it and this one runs on for a moment.
            signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)
            return original(*args, **kw)

        return stop_then

    places: dict[str, tuple[Any, str]] = {
        "before the last look": (posting, "_may_send"),
        "before the request": (WebhookChannel, "reply"),
        "before saving": (posting, "_arrived"),
    }
    if step in places:
        owner, name = places[step]
        original = getattr(owner, name)
        setattr(owner, name, freezing(original))
        try:
            posting.post(posting_id)
        finally:
            setattr(owner, name, original)
    else:
        threading.Timer(after, os.kill, (os.getpid(), signal.SIGSTOP)).start()
        posting.post(posting_id)
        time.sleep(after + 0.1)


@pytest.mark.timeout(3600)
def test_p02_a_woken_worker_does_nothing_more(town: Town, network: FakeNetwork, monkeypatch: pytest.MonkeyPatch) -> None:
    """Red without the fencing number in `_ours` (saves), and without `begin_by` on the request (posts again)."""
    monkeypatch.setattr(posting, "LEASE", timedelta(seconds=LEASE))
    monkeypatch.setattr(posting, "MARGIN", LEASE / 4)
    chance = dice()
    with Racers(town.config, 1) as sleeper:
        [pid] = sleeper.pids
        for number in range(rounds(4, 50)):
            step = STEPS[number % len(STEPS)]
            order = factories.approved(factories.task(town.account), town.ada, town.cleo)
            done: list[Outcome] = []
            call = (post_and_freeze, (order.id, step, chance.random() * 0.06))
            asleep = threading.Thread(target=lambda call=call, done=done: done.extend(sleeper.run([call])))
            asleep.start()
            wait_until_stopped(pid)

            time.sleep(LEASE * 2)
            taken_over = take_over(order)
            before = snapshot(order) if taken_over else ()
            os.kill(pid, signal.SIGCONT)
            asleep.join(20)
            if not taken_over:
                # Frozen inside a transaction of SQLite it held all writers up: nothing was taken over, it goes on alone.
                take_over(order)
                before = snapshot(order)

            assert before[0] == "posted", before
            assert [outcome.status for outcome in done] == [200], done
            assert snapshot(order) == before, f"the woken worker saved something ({step})"
            landed = [post for post in network.posts if post["key"] == order.key]
            assert len(landed) == 1, f"posted {len(landed)} times ({step})"
            assert landed[0]["id"] == before[1]


def take_over(order: Posting) -> bool:
    """What another worker does meanwhile; False when the database let it do nothing, not even read."""
    for _ in range(30):
        try:
            posting.post(order.id)
            if factories.fresh(order).state == "posted":
                return True
        except OperationalError:
            return False
        time.sleep(0.3)
    return True


def snapshot(order: Posting) -> tuple[object, ...]:
    row = factories.fresh(order)
    return row.state, row.ext_id, row.fence, row.attempts, row.looks, row.posted_at, row.next_at, row.lease_until, row.reason


def wait_until_stopped(pid: int, seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with open(f"/proc/{pid}/stat") as stat:
            if stat.read().rpartition(")")[2].split()[0] == "T":
                return
        time.sleep(0.005)
    raise AssertionError("the worker was not stopped")
