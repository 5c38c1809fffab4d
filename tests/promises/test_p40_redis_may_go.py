"""P40: Redis gone, or emptied: the web stays up, nothing is lost, all work resumes by itself within 30 s of its return."""

from __future__ import annotations

import json
import signal
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from sqlalchemy import func, select

from app.kernel import queue
from app.kernel.db import db
from app.kernel.outbox import Delivery, OutboxEvent
from app.kernel.processes import Valkey
from community.replies.models import Posting
from tests import factories
from tests.fakes.network import FakeNetwork
from tests.harness.processes import Processes
from tests.harness.promises import rounds
from tests.promises.conftest import Town

pytestmark = [pytest.mark.processes, pytest.mark.timeout(600)]

AWAY = rounds(short=6, full=60)
"""Seconds without Redis."""
REPLIES = rounds(short=10, full=200)
BACK_AT_WORK = 30
"""Seconds until every kind of work goes on."""
EACH = 2
"""Seconds a reply may take with all that follows from it, on a busy machine: a guard, no measure of speed."""


@pytest.fixture
def valkey() -> Iterator[Valkey]:
    server = Valkey()
    server.start()
    yield server
    server.remove()


@pytest.fixture
def machine(town: Town, valkey: Valkey, tmp_path: Path) -> Iterator[Processes]:
    """Web, workers and scheduler on a Redis of their own, at work."""
    config = town.config.model_copy(update={"redis_url": valkey.url})
    queue.link.init(config)
    ours = Processes(config, tmp_path)
    ours.web()
    ours.flask("worker")
    ours.flask("worker", "--queue", "posting")
    ours.flask("scheduler")
    redis = Redis.from_url(valkey.url)
    wait_until(lambda: redis.exists("vouch:scheduler") == 1 and len(redis.smembers("rq:workers")) == 2)
    yield ours
    ours.stop()


def approve(town: Town, count: int) -> None:
    """So many replies on their way to the network, each with its order, events and audit entries."""
    for _ in range(count):
        factories.approved(factories.task(town.account), town.ada, town.cleo)


def test_p40_redis_killed_while_people_work(town: Town, machine: Processes, valkey: Valkey, network: FakeNetwork) -> None:
    """Red without the sweeps in `app.schedule.ENTRIES` (nothing resumes), and with a worker that quits at a lost connection."""
    web = machine.running[0]
    assert valkey.process is not None
    valkey.process.kill()
    valkey.process.wait()

    approve(town, REPLIES)
    end = time.monotonic() + AWAY
    while time.monotonic() < end:
        assert ask(web) == {"status": "ready", "database": "up", "redis": "away"}
        time.sleep(0.2)
    assert owed() > REPLIES, "nothing was owed: the outage was not felt"
    assert not network.posts

    valkey.start()
    back_at_work(network)
    assert len(network.posts) == REPLIES
    assert all(process.alive for process in machine.running), [process.name for process in machine.running if not process.alive]
    assert ask(web)["redis"] == "up"


def test_p40_redis_emptied_with_work_in_its_queues(town: Town, machine: Processes, valkey: Valkey, network: FakeNetwork) -> None:
    """Red without the sweeps in `app.schedule.ENTRIES`."""
    workers = [process for process in machine.running if process.name == "worker"]
    for worker in workers:
        worker.send(signal.SIGSTOP)
    approve(town, REPLIES)
    # One may already be on its way to a worker that waited for it.
    assert queue.waiting()["posting"] >= REPLIES - 1
    Redis.from_url(valkey.url).flushall()
    for worker in workers:
        worker.send(signal.SIGCONT)
    back_at_work(network)
    assert len(network.posts) == REPLIES
    assert all(process.alive for process in machine.running)


def back_at_work(network: FakeNetwork) -> None:
    """By itself, soon, and all of it: replies go out and news is spread within half a minute, and in the end nothing is owed."""
    begun = deliveries()
    wait_until(lambda: len(network.posts) > 0 and deliveries() < begun, BACK_AT_WORK)
    wait_until(lambda: owed() == 0, BACK_AT_WORK + EACH * REPLIES)


def deliveries() -> int:
    """News of approvals, made before Redis went, that nobody has heard yet."""
    with db.transaction(read_only=True) as session:
        heard = select(func.count()).select_from(Delivery).join(OutboxEvent, OutboxEvent.id == Delivery.event_id)
        return session.scalar(heard.where(Delivery.done_at.is_(None), OutboxEvent.name == "ReplyApproved")) or 0


def owed() -> int:
    """What has been promised by a row and not been done: deliveries still open, postings past their hold that nobody looked at."""
    with db.transaction(read_only=True) as session:
        unheard = session.scalar(select(func.count()).select_from(Delivery).where(Delivery.done_at.is_(None))) or 0
        postings = session.scalar(select(func.count()).select_from(Posting).where(Posting.state.in_(["approved", "posting"]))) or 0
    return unheard + postings


def ask(web: Any) -> dict[str, str]:
    with urllib.request.urlopen(f"{web.url}/readyz", timeout=5) as answer:
        return dict(json.load(answer))


def wait_until(condition: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.1)
