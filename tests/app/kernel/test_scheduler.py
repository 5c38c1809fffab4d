"""The clock: each entry ticks at its pace, one scheduler at a time, and nothing that fell due is forgotten."""

from __future__ import annotations

import threading
import time

import pytest

from app import schedule
from app.config import Config
from app.kernel import queue, scheduler
from app.kernel.queue import job
from app.kernel.scheduler import Entry


@job()
def often() -> None: ...


@job()
def seldom() -> None: ...


ENTRIES = (Entry("often", 5, often), Entry("seldom", 60, seldom))


@pytest.fixture(autouse=True)
def _redis(db: object) -> None:
    return None


def names(ticked: list[str]) -> set[str]:
    redis = queue.redis_client()
    assert redis is not None
    redis.flushdb()
    return set(ticked)


def test_all_tick_at_the_start_and_then_at_their_own_pace() -> None:
    due = dict.fromkeys(("often", "seldom"), 0.0)
    assert names(scheduler.tick(ENTRIES, due, 1000.0)) == {"often", "seldom"}
    assert names(scheduler.tick(ENTRIES, due, 1004.9)) == set()
    assert names(scheduler.tick(ENTRIES, due, 1005.0)) == {"often"}
    assert names(scheduler.tick(ENTRIES, due, 1060.0)) == {"often", "seldom"}


def test_a_tick_queues_nothing_while_the_last_one_waits() -> None:
    due = {"often": 0.0}
    for moment in (10.0, 20.0, 30.0):
        scheduler.tick(ENTRIES[:1], due, moment)
    assert queue.waiting()["default"] == 1


def test_what_fell_due_without_redis_ticks_on_its_return(emptied: Config) -> None:
    due = {"often": 0.0}
    queue.link.init(emptied.model_copy(update={"redis_url": "unix:///nowhere/redis.sock"}))
    assert scheduler.tick(ENTRIES[:1], due, 10.0) == []
    queue.link.init(emptied)
    assert scheduler.tick(ENTRIES[:1], due, 11.0) == ["often"]


def test_one_scheduler_works_and_the_next_takes_over_when_it_leaves() -> None:
    redis = queue.redis_client()
    assert redis is not None
    first, second = threading.Event(), threading.Event()
    threads = [threading.Thread(target=scheduler.run, args=((), stop), daemon=True) for stop in (first, second)]
    threads[0].start()
    holder = _holder()
    threads[1].start()
    time.sleep(2.5 * scheduler.STEP)
    assert redis.get("vouch:scheduler") == holder
    first.set()
    threads[0].join(5)
    assert _holder(other_than=holder) != holder
    second.set()
    threads[1].join(5)
    assert redis.get("vouch:scheduler") is None


def test_the_table_names_each_entry_once_and_only_jobs() -> None:
    assert len({entry.name for entry in schedule.ENTRIES}) == len(schedule.ENTRIES)
    for entry in schedule.ENTRIES:
        assert entry.every >= scheduler.STEP
        assert queue.enqueue(entry.function, job_id=f"table-{entry.name}")


def _holder(other_than: bytes | None = None) -> bytes:
    redis = queue.redis_client()
    assert redis is not None
    end = time.monotonic() + 10
    while time.monotonic() < end:
        found = redis.get("vouch:scheduler")
        if found is not None and found != other_than:
            return bytes(found)
        time.sleep(0.05)
    raise AssertionError("no scheduler took over")
