"""`flask worker` and `flask scheduler` as processes: they find Redis late, outlive it, mend themselves and end when told."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from redis import Redis

from app import schedule
from app.config import Config
from app.kernel import queue
from app.kernel.processes import Valkey
from tests.harness.processes import Processes

pytestmark = [pytest.mark.processes, pytest.mark.timeout(180)]


@pytest.fixture
def valkey() -> Iterator[Valkey]:
    server = Valkey()
    yield server
    server.remove()


@pytest.fixture
def late(emptied: Config, tmp_path: Path) -> Iterator[Processes]:
    """Processes that know no Redis until its address is written into their data folder."""
    config = emptied.model_copy(update={"redis_url": "", "data_dir": tmp_path})
    ours = Processes(config, tmp_path)
    queue.link.init(config)
    yield ours
    ours.stop()


def wait_until(condition: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "not in time"
        time.sleep(0.1)


def is_done(job_id: str) -> bool:
    """A job that went well leaves nothing."""
    redis = queue.redis_client()
    return redis is not None and not redis.exists(f"rq:job:{job_id}")


def test_a_worker_finds_redis_late(late: Processes, valkey: Valkey, tmp_path: Path) -> None:
    worker = late.flask("worker")
    time.sleep(2)
    assert worker.alive
    valkey.start()
    (tmp_path / "redis.url").write_text(valkey.url)
    assert queue.enqueue(schedule.seal_audit, job_id="seal-1")
    wait_until(lambda: is_done("seal-1"))


def test_a_worker_told_to_stop_without_redis_stops(late: Processes, valkey: Valkey, tmp_path: Path) -> None:
    valkey.start()
    (tmp_path / "redis.url").write_text(valkey.url)
    worker = late.flask("worker")
    wait_until(lambda: bool(Redis.from_url(valkey.url).smembers("rq:workers")))
    valkey.stop()
    time.sleep(1)
    assert worker.stop(20) == 0


def test_a_worker_told_to_stop_before_it_knows_a_redis_stops(late: Processes) -> None:
    worker = late.flask("worker")
    wait_until(lambda: worker.log.count("looking again") > 1)
    assert worker.stop(20) == 0


def test_several_workers_are_kept_several_and_end_together(processes: Processes, emptied: Config) -> None:
    redis = Redis.from_url(emptied.redis)
    parent = processes.flask("worker", "-n", "2")
    wait_until(lambda: redis.scard("rq:workers") == 2)
    children = psutil.Process(parent.pid).children()
    assert len(children) == 2
    children[0].kill()
    wait_until(lambda: len([child for child in psutil.Process(parent.pid).children() if child.status() != "zombie"]) == 2)
    everybody = psutil.Process(parent.pid).children(recursive=True)
    assert parent.stop(20) == 0
    assert not psutil.wait_procs(everybody, timeout=10)[1]


def test_a_killed_parent_takes_its_workers_along(processes: Processes, emptied: Config) -> None:
    redis = Redis.from_url(emptied.redis)
    parent = processes.flask("worker", "-n", "2")
    wait_until(lambda: redis.scard("rq:workers") == 2)
    everybody = psutil.Process(parent.pid).children(recursive=True)
    parent.kill()
    assert not psutil.wait_procs(everybody, timeout=10)[1]


def test_the_scheduler_ticks_and_leaves_its_place(processes: Processes, emptied: Config) -> None:
    redis = Redis.from_url(emptied.redis)
    scheduler = processes.flask("scheduler")
    wait_until(lambda: redis.exists("rq:job:clock-sweep-postings") == 1)
    assert redis.llen("rq:queue:posting") == 1
    scheduler.send(signal.SIGTERM)
    assert scheduler.popen.wait(15) == 0
    assert not redis.exists("vouch:scheduler")
