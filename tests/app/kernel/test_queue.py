"""Jobs by id: queued once, run only when registered, never in the way of a page."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from rq.job import Job, JobStatus
from rq.serializers import JSONSerializer

from app.config import Config
from app.kernel import queue
from app.kernel.queue import enqueue, job

done: list[tuple[int, str]] = []


@job()
def remember(number: int, word: str) -> None:
    done.append((number, word))


@job(queue="slow")
def fail(_number: int) -> None:
    raise RuntimeError("on purpose")


@pytest.fixture(autouse=True)
def _forget(db: object) -> None:
    done.clear()


def work() -> None:
    queue.promote_due()
    queue.burst(Flask(__name__))


def stored(job_id: str) -> Job:
    return queue.VouchJob.fetch(job_id, connection=queue.redis_client(), serializer=JSONSerializer)


def test_a_job_runs_with_what_it_was_given() -> None:
    assert enqueue(remember, 1, "a", job_id="remember-1")
    work()
    assert done == [(1, "a")]


def test_a_job_that_waits_already_is_not_queued_again() -> None:
    assert enqueue(remember, 1, "a", job_id="remember-1")
    assert enqueue(remember, 1, "a", job_id="remember-1")
    assert queue.waiting() == {"posting": 0, "default": 1, "slow": 0}


def test_a_job_that_ended_may_be_queued_again() -> None:
    for _ in range(2):
        enqueue(remember, 1, "a", job_id="remember-1")
        work()
    assert done == [(1, "a"), (1, "a")]


def test_a_failed_job_is_kept_and_does_not_block_the_next() -> None:
    enqueue(fail, 1, job_id="fail-1")
    work()
    assert stored("fail-1").get_status() == JobStatus.FAILED
    assert enqueue(fail, 1, job_id="fail-1")
    assert queue.waiting()["slow"] == 1


def test_a_job_lost_between_queue_and_worker_does_not_block_the_next() -> None:
    enqueue(remember, 1, "a", job_id="remember-1")
    redis = queue.redis_client()
    assert redis is not None
    redis.delete("rq:queue:default")
    redis.hset("rq:job:remember-1", "enqueued_at", (datetime.now(UTC) - timedelta(minutes=5)).strftime("%Y-%m-%dT%H:%M:%S.%fZ"))
    enqueue(remember, 2, "b", job_id="remember-1")
    work()
    assert done == [(2, "b")]


def test_a_job_for_later_waits_for_its_moment(clock: object) -> None:
    moment = datetime.now(UTC) + timedelta(minutes=1)
    assert enqueue(remember, 1, "later", job_id="later-1", at=moment)
    assert enqueue(remember, 1, "later", job_id="later-1", at=moment)
    work()
    assert done == []
    clock.shift(timedelta(minutes=1))  # type: ignore[attr-defined]
    work()
    assert done == [(1, "later")]


def test_a_job_for_later_never_runs_a_moment_early(clock: object) -> None:
    moment = datetime.now(UTC) + timedelta(seconds=10, milliseconds=700)
    enqueue(remember, 1, "later", job_id="later-1", at=moment)
    clock.shift(timedelta(seconds=10, milliseconds=600))  # type: ignore[attr-defined]
    work()
    assert done == []
    clock.shift(timedelta(milliseconds=100))  # type: ignore[attr-defined]
    work()
    assert done == [(1, "later")]


@pytest.mark.parametrize("job_id", ["a b", "a:b", "", "a/b", "ä", "a" * 201])
def test_a_job_id_is_made_of_plain_letters(job_id: str) -> None:
    with pytest.raises(ValueError):
        enqueue(remember, 1, "a", job_id=job_id)


def test_only_ids_and_words_travel() -> None:
    with pytest.raises(TypeError):
        enqueue(remember, {"id": 1}, job_id="remember-1")  # type: ignore[arg-type]


def test_only_a_registered_function_can_be_queued() -> None:
    with pytest.raises(ValueError):
        enqueue(print, "a", job_id="print-1")


def test_without_redis_the_answer_is_no_and_soon(emptied: Config) -> None:
    queue.link.init(emptied.model_copy(update={"redis_url": "unix:///nowhere/redis.sock"}))
    began = time.monotonic()
    answers = [enqueue(remember, number, "a", job_id=f"remember-{number}") for number in range(1000)]
    assert not any(answers)
    assert time.monotonic() - began < 10
    queue.link.init(emptied)
    assert enqueue(remember, 1, "a", job_id="remember-1")


def test_a_server_that_starts_later_is_found(emptied: Config) -> None:
    address = emptied.data_dir / "redis.url"
    queue.link.init(emptied.model_copy(update={"redis_url": ""}))
    assert not enqueue(remember, 1, "a", job_id="remember-1")
    try:
        address.write_text(emptied.redis_url)
        assert enqueue(remember, 1, "a", job_id="remember-1")
    finally:
        address.unlink()
