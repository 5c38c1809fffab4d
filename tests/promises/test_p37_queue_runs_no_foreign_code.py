"""P37: queue files cannot run code. Whoever can write to Redis still can't make a worker run anything but our jobs."""

from __future__ import annotations

import json
import os
import pickle
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from redis import Redis
from rq.job import JobStatus
from rq.serializers import JSONSerializer

from app.config import Config
from app.kernel import queue
from app.kernel.queue import job
from tests.harness.processes import Processes

done: list[int] = []
called: list[object] = []


@job()
def harmless(number: int) -> None:
    done.append(number)


def spy(*args: object, **_kw: object) -> None:
    """Importable, but no job: what a stored job's callbacks name."""
    called.append(args)


class Bomb:
    """What runs a command when it is unpickled."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (self.command,)


@pytest.fixture
def redis(emptied: Config) -> Redis:
    queue.link.init(emptied)
    done.clear()
    called.clear()
    return Redis.from_url(emptied.redis)


def push(redis: Redis, job_id: str, data: bytes, **fields: str | bytes) -> None:
    """Write a stored job as RQ writes them, past our code."""
    moment = "2026-03-02T09:00:00.000000Z"
    base = {"created_at": moment, "enqueued_at": moment, "origin": "default", "status": "queued", "timeout": "60", "result_ttl": "500"}
    redis.hset(f"rq:job:{job_id}", mapping={**base, **fields, "data": data})
    redis.sadd("rq:queues", "rq:queue:default")
    redis.rpush("rq:queue:default", job_id)


def call(name: str, *args: object, instance: object = None) -> bytes:
    return zlib.compress(json.dumps([name, instance, list(args), {}]).encode())


HARMLESS = f"{harmless.__module__}.harmless"


def attacks(mark: Path) -> dict[str, tuple[bytes, dict[str, str | bytes]]]:
    """What somebody with a hand in Redis could write; each would leave `mark` if it ran."""
    touch = f"touch {mark}"
    webhook = json.dumps([{"url": "http://127.0.0.1:9/", "job_status": "finished"}])
    return {
        "pickle": (zlib.compress(pickle.dumps(Bomb(touch))), {}),
        "pickled-call": (zlib.compress(pickle.dumps(("os.system", None, (touch,), {}))), {}),
        "os-system": (call("os.system", touch), {}),
        "posix-system": (call("posix.system", touch), {}),
        "subprocess": (call("subprocess.getoutput", touch), {}),
        "builtins-eval": (call("builtins.eval", f"open({str(mark)!r}, 'w')"), {}),
        "pathlib": (call("pathlib.Path.touch", str(mark)), {}),
        "method": (call("upper", instance="x"), {}),
        "our-own-but-no-job": (call(f"{__name__}.spy", 1), {}),
        "on-success": (call(HARMLESS, 1), {"success_callback_name": f"{__name__}.spy"}),
        "on-failure": (call("os.system", touch), {"failure_callback_name": f"{__name__}.spy"}),
        "pickled-meta": (call(HARMLESS, 1), {"meta": pickle.dumps(Bomb(touch))}),
        "webhook": (call(HARMLESS, 1), {"webhooks": webhook}),
    }


NAMES = sorted(attacks(Path("mark")))


@pytest.mark.parametrize("name", NAMES)
def test_p37_a_planted_job_runs_nothing(name: str, redis: Redis, emptied: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mark = tmp_path / "ran"
    monkeypatch.setattr("rq.webhook.Webhook.send", spy)
    data, fields = attacks(mark)[name]
    push(redis, "planted", data, **fields)
    queue.burst(Flask(__name__))
    assert not mark.exists()
    assert not called
    assert redis.llen("rq:queue:default") == 0


@pytest.mark.parametrize("name", ["pickle", "os-system", "method"])
def test_p37_a_planted_job_is_refused_and_kept_as_failed(name: str, redis: Redis, tmp_path: Path) -> None:
    push(redis, "planted", attacks(tmp_path / "ran")[name][0])
    queue.burst(Flask(__name__))
    stored = queue.VouchJob.fetch("planted", connection=redis, serializer=JSONSerializer)
    assert stored.get_status() == JobStatus.FAILED


def test_p37_a_job_of_ours_beside_them_is_done(redis: Redis, tmp_path: Path) -> None:
    for name, (data, fields) in attacks(tmp_path / "ran").items():
        push(redis, f"planted-{name}", data, **fields)
    queue.enqueue(harmless, 7, job_id="harmless-7")
    queue.burst(Flask(__name__))
    assert 7 in done
    assert not (tmp_path / "ran").exists()


@pytest.mark.processes
def test_p37_a_real_worker_runs_none_of_it(redis: Redis, processes: Processes, tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    planted = attacks(mark)
    for name, (data, fields) in planted.items():
        push(redis, f"planted-{name}", data, **fields)
    worker = processes.flask("worker")
    wait_until(lambda: redis.llen("rq:queue:default") == 0 and not redis.keys("rq:execution:*"))
    assert worker.alive
    assert not mark.exists()


def wait_until(condition: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "not in time"
        time.sleep(0.1)
