"""How long queueing a job takes, how many small jobs a worker process does, how long a page waits when Redis is gone."""

from __future__ import annotations

import json
import time

from flask import Flask

from app.config import Config
from app.kernel import queue
from app.kernel.queue import enqueue, job

JOBS = 1000


@job()
def nothing(_number: int) -> None: ...


def main() -> None:
    config = Config.from_environment()
    queue.link.init(config)
    began = time.perf_counter()
    for number in range(JOBS):
        enqueue(nothing, number, job_id=f"nothing-{number}")
    queued = (time.perf_counter() - began) / JOBS

    began = time.perf_counter()
    queue.burst(Flask(__name__))
    done = JOBS / (time.perf_counter() - began)

    queue.link.init(config.model_copy(update={"redis_url": "unix:///nowhere/redis.sock"}))
    began = time.perf_counter()
    enqueue(nothing, 0, job_id="nothing-0")
    first = time.perf_counter() - began
    began = time.perf_counter()
    for number in range(JOBS):
        enqueue(nothing, number, job_id=f"nothing-{number}")
    later = (time.perf_counter() - began) / JOBS
    figures = {
        "enqueue_ms": queued * 1e3,
        "jobs_per_second_in_one_process": done,
        "first_call_without_redis_ms": first * 1e3,
        "next_calls_without_redis_ms": later * 1e3,
    }
    print(json.dumps({name: round(value, 3) for name, value in figures.items()}))


if __name__ == "__main__":
    main()
