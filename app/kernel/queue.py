"""Jobs: functions a worker calls later, on ids that were committed before.

The database is the truth and a sweep queues whatever is due, so a missing or emptied Redis costs time, never work.
Whoever can write to Redis must still not be able to run code here: arguments are JSON, and a worker calls only the
functions this process registered with `@job`, whatever name a stored job gives.
"""

from __future__ import annotations

import logging
import re
import signal
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar, cast

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from rq import Queue, SimpleWorker, Worker
from rq.exceptions import DuplicateJobError, InvalidJobOperation, NoSuchJobError, StopRequested
from rq.job import Job, JobStatus
from rq.registry import ScheduledJobRegistry
from rq.serializers import JSONSerializer

from app.kernel import clock
from app.kernel.outage import complain, outage
from app.kernel.processes import end_with_parent

if TYPE_CHECKING:
    from datetime import datetime

    from flask import Flask

    from app.config import Config

log = logging.getLogger(__name__)

QUEUES = ("posting", "default", "slow")
"""`posting` has a worker of its own, so that nothing ever waits behind a slow job to be published."""
WAIT = 0.4
"""Seconds a page may wait for Redis, twice at most (a pooled connection may have died): an answer matters more than a hint."""
REST = 2.0
"""Seconds for which a Redis that failed is not asked again, so that an outage costs one request the wait and not each of them."""
FAILURE_TTL = timedelta(days=3)
SILENCE = timedelta(seconds=20)
"""A job that showed no sign of life for so long is no reason to refuse its successor."""

_ID = re.compile(r"[A-Za-z0-9_-]{1,200}")
_ENDED = frozenset({JobStatus.FINISHED, JobStatus.FAILED, JobStatus.STOPPED, JobStatus.CANCELED})

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])


class UnknownJob(Exception):
    """A stored job names something that is no job of ours."""


@dataclass(frozen=True, slots=True)
class Door:
    """One registered function: what a stored job may name."""

    name: str
    function: Callable[..., Any]
    queue: str
    timeout: int


_DOORS: dict[str, Door] = {}


def job(*, queue: str = "default", timeout: int = 60) -> Callable[[F], F]:
    """Register a function as a job of `queue`, ended after `timeout` seconds. Calling it twice must change nothing more."""
    if queue not in QUEUES:
        raise ValueError(f"no queue is called {queue}")

    def register(function: F) -> F:
        name = f"{function.__module__}.{function.__qualname__}"
        _DOORS[name] = Door(name, function, queue, timeout)
        return function

    return register


def enqueue(function: Callable[..., Any], *args: int | str | None, job_id: str, at: datetime | None = None) -> bool:
    """Queue a registered function, at once or `at` a moment; returns whether it is queued now.

    A job of the same id that waits or runs already counts as queued. With Redis away the answer is False, soon and
    without an error: the row that asked for the job is found by its sweep. Raises only for a mistake of the caller.
    """
    door = _door(function)
    if not _ID.fullmatch(job_id):
        raise ValueError(f"a job id is made of letters, digits, dash and underscore: {job_id!r}")
    if not all(arg is None or isinstance(arg, int | str) for arg in args):
        raise TypeError("a job takes ids and plain words only")
    return link.ask(lambda redis: _push(redis, door, args, job_id, at), False)


def marked(name: str, seconds: int) -> bool:
    """Set a mark that lasts so long, unless `unmark` takes it away before; returns whether it was set already. Without Redis nothing is marked."""
    return link.ask(lambda redis: not redis.set(f"mark:{name}", 1, nx=True, ex=seconds), False)


def unmark(name: str) -> None:
    """Take a mark away."""
    link.ask(lambda redis: redis.delete(f"mark:{name}"), 0)


def promote_due(limit: int = 1000) -> int:
    """Move jobs whose moment has come into their queues; returns how many. Called by the scheduler each tick."""
    return link.ask(lambda redis: sum(_promote(redis, name, limit) for name in QUEUES), 0)


def waiting() -> dict[str, int]:
    """Jobs waiting in each queue; empty when Redis is away."""
    return link.ask(lambda redis: {name: _queue(redis, name).count for name in QUEUES}, {})


def redis_client() -> Redis | None:
    """The shared client, or None while no server is known or a failed one rests."""
    return link.client()


class Link:
    """The way to Redis: found late, left alone for a moment when it fails, found again when it is back."""

    def __init__(self) -> None:
        self._config: Config | None = None
        self._url = ""
        self._client: Redis | None = None
        self._rest_until = 0.0
        self._lock = threading.Lock()

    def init(self, config: Config) -> None:
        """Bind to a configuration; the address is looked up at each use, since the server may start later or elsewhere."""
        self._config, self._url, self._client, self._rest_until = config, "", None, 0.0

    @property
    def url(self) -> str:
        """The address as it stands now, "" while no server is known."""
        return self._config.redis if self._config else ""

    def client(self) -> Redis | None:
        if self._config is None or time.monotonic() < self._rest_until:
            return None
        url = self.url
        with self._lock:
            if url != self._url:
                self._url, self._client = url, connect(url, wait=WAIT) if url else None
            return self._client

    def ask(self, question: Callable[[Redis], T], otherwise: T) -> T:
        """The answer, or `otherwise` when there is no Redis to ask."""
        client = self.client()
        if client is None:
            return otherwise
        try:
            return question(client)
        except (RedisError, OSError) as error:
            self._rest_until = time.monotonic() + REST
            log.warning("Redis is away (%s): rows wait for the sweep", type(error).__name__)
            return otherwise


link = Link()


def connect(url: str, *, wait: float) -> Redis:
    """A client that gives up after `wait` seconds and tries a dead pooled connection once more."""
    return Redis.from_url(url, socket_connect_timeout=wait, socket_timeout=wait, retry=Retry(NoBackoff(), 1))


class VouchJob(Job):
    """A stored job that can name nothing but a registered function."""

    @property
    def func(self) -> Callable[..., Any]:
        door = _DOORS.get(self.func_name or "")
        if door is None or self.instance is not None:
            raise UnknownJob(f"{self.func_name} is not a job")
        return door.function

    # RQ would import these by name, or call any address, as the stored job asks.
    @property
    def success_callback(self) -> None:
        return None

    @property
    def failure_callback(self) -> None:
        return None

    @property
    def stopped_callback(self) -> None:
        return None

    def send_webhooks(self, *_args: Any, **_kw: Any) -> None:
        return None


class VouchWorker(Worker):
    """Forks a child for each job. A killed worker's jobs are free again after about 20 s, a lost Redis is asked again every 3 s."""

    max_connection_wait_time = 3.0
    log_result_lifespan = False
    log_job_description = False

    app: Flask

    @classmethod
    def create(cls, app: Flask, queues: Sequence[str], redis: Redis) -> VouchWorker:
        worker = cls(
            list(queues),
            connection=redis,
            job_class=VouchJob,
            serializer=JSONSerializer,
            worker_ttl=25,
            maintenance_interval=5,
            job_monitoring_interval=5,
            default_result_ttl=0,
            log_job_description=False,
        )
        worker.app = app
        return worker

    @property
    def stop_asked(self) -> bool:
        return self._shutdown_requested_date is not None

    def get_heartbeat_ttl(self, job: Job, working_time: float = 0.0) -> int:
        return self.job_monitoring_interval + 15

    def perform_job(self, job: Job, queue: Queue, execution: Any) -> bool:
        with self.app.app_context():
            return super().perform_job(job, queue, execution)

    def handle_exception(self, job: Job, *exc_info: Any) -> None:
        if outage(exc_info[1]):
            # Its tick or its sweep brings it again: nothing is broken, and a page of traceback each second would hide what is.
            complain(log, exc_info[1], "job %s broke off", job.id)
        else:
            super().handle_exception(job, *exc_info)

    def main_work_horse(self, job: Job, queue: Queue) -> None:
        end_with_parent(self.pid or 0)
        super().main_work_horse(job, queue)

    # Commands sent through Redis (stop, kill, shut down) are nobody's business: signals do that.
    def subscribe(self) -> None:
        return None

    def unsubscribe(self) -> None:
        return None


class BurstWorker(SimpleWorker, VouchWorker):
    """Works off what is queued in this process and returns; for tests and tools."""


def work(app: Flask, queues: Sequence[str]) -> None:
    """Work until a signal asks to stop, whatever happens to Redis meanwhile."""
    level = logging.getLevelName(max(logging.getLogger().level, logging.WARNING))
    stop = threading.Event()
    while not stop.is_set():
        worker = None
        try:
            if link.url:
                worker = VouchWorker.create(app, queues, Redis.from_url(link.url, socket_connect_timeout=2))
                worker.work(logging_level=level)
            else:
                log.warning("No Redis is known: looking again")
        except (RedisError, OSError, StopRequested) as error:
            log.warning("Redis is away (%s): looking again", type(error).__name__)
        if worker is not None and worker.stop_asked:
            return
        # The handlers of the worker that ended would wait for a job it no longer has; until the next one has its own, a signal ends the process.
        _on_signals(lambda *_: stop.set())
        stop.wait(1)
        _on_signals(signal.SIG_DFL)


def _on_signals(handler: Any) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, handler)


def burst(app: Flask, queues: Sequence[str] = QUEUES) -> bool:
    """Do every job that is queued now, in this process; returns whether there was any."""
    url = link.url
    return bool(url) and BurstWorker.create(app, queues, Redis.from_url(url)).work(burst=True, logging_level="WARNING")


def _door(function: Callable[..., Any]) -> Door:
    name = f"{function.__module__}.{function.__qualname__}"
    if name not in _DOORS:
        raise ValueError(f"{name} is not a job: decorate it with @job")
    return _DOORS[name]


def _queue(redis: Redis, name: str) -> Queue:
    return Queue(name, connection=redis, job_class=VouchJob, serializer=JSONSerializer)


def _push(redis: Redis, door: Door, args: tuple[int | str | None, ...], job_id: str, at: datetime | None) -> bool:
    queue = _queue(redis, door.queue)
    kept = {"job_timeout": door.timeout, "result_ttl": 0, "failure_ttl": int(FAILURE_TTL.total_seconds())}
    for _ in range(2):
        try:
            if at is not None and at > clock.now():
                # RQ keeps whole seconds: stored a second late first, then at the very moment, so that it never runs early.
                queue.enqueue_at(at + timedelta(seconds=1), door.name, args=args, job_id=job_id, unique=True, description=door.name, **kept)
                redis.zadd(queue.scheduled_job_registry.key, {job_id: at.timestamp()}, xx=True)
            else:
                queue.enqueue(door.name, args=args, job_id=job_id, unique=True, description=door.name, **kept)
            return True
        except DuplicateJobError:
            if not _clear_if_dead(redis, queue, job_id):
                return True
    return True


def _clear_if_dead(redis: Redis, queue: Queue, job_id: str) -> bool:
    """Drop a stored job that will never run again; returns whether the id is free. Jobs may run twice, so a race here is harmless."""
    try:
        old = VouchJob.fetch(job_id, connection=redis, serializer=JSONSerializer)
        if _lives(redis, queue, old):
            return False
        old.delete()
    except NoSuchJobError:
        pass
    except InvalidJobOperation:
        return False
    return True


def _lives(redis: Redis, queue: Queue, old: Job) -> bool:
    status = old.get_status(refresh=False)
    if status in _ENDED:
        return False
    seen = old.last_heartbeat or old.enqueued_at or old.created_at
    if clock.now() - seen < SILENCE:
        return True
    # A worker killed between taking a job from its queue and starting it leaves a job that says "queued" and stands nowhere.
    if status == JobStatus.QUEUED:
        return redis.lpos(queue.key, old.id) is not None
    if status == JobStatus.SCHEDULED:
        return redis.zscore(queue.scheduled_job_registry.key, old.id) is not None
    return False


def _promote(redis: Redis, name: str, limit: int) -> int:
    queue = _queue(redis, name)
    registry = ScheduledJobRegistry(queue=queue)
    found = cast("list[bytes]", redis.zrangebyscore(registry.key, 0, clock.now().timestamp(), start=0, num=limit))
    due = [job_id.decode() for job_id in found]
    if not due:
        return 0
    with redis.pipeline() as pipe:
        for job_id, stored in zip(due, VouchJob.fetch_many(due, connection=redis, serializer=JSONSerializer), strict=True):
            if stored is not None:
                queue._enqueue_job(stored, pipeline=pipe)
            registry.remove(job_id, pipeline=pipe)
        pipe.execute()
    return len(due)
