"""What runs by the clock: each tick queues a job; nothing is done here.

RQ's own CronScheduler is not used: it queues with its default serializer (pickle) and ends when Redis goes away.
Ticks are idempotent and their job ids fixed, so a tick too many does nothing and a slow job is never queued twice.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from redis import Redis

from app.kernel.queue import enqueue, link, promote_due

log = logging.getLogger(__name__)

STEP = 0.2
"""Seconds between two looks at the table; also how late a job queued `at` a moment may be."""
LEASE = 15
"""Seconds after which another scheduler takes over from one that died."""
_LOCK = "vouch:scheduler"
# Set it, or keep it if it is ours, in one step.
_HOLD = "local who = redis.call('GET', KEYS[1]); if not who or who == ARGV[1] then redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2]); return 1 end; return 0"
_LEAVE = "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end"


@dataclass(frozen=True, slots=True)
class Entry:
    """A registered job and the seconds between two of its ticks. It also ticks at each start, so a daily one survives restarts."""

    name: str
    every: float
    function: Callable[..., object]


def run(entries: Sequence[Entry], stop: threading.Event) -> None:
    """Tick until told to stop. One scheduler works at a time; without Redis nothing ticks, and all that fell due ticks on its return."""
    me = uuid.uuid4().hex
    due = {entry.name: 0.0 for entry in entries}
    working = False
    while not stop.wait(STEP):
        held = link.ask(lambda redis: _hold(redis, me), False)
        if held != working:
            working = held
            log.info("the scheduler works" if held else "the scheduler waits")
        if held:
            promote_due()
            tick(entries, due, time.monotonic())
    link.ask(lambda redis: redis.eval(_LEAVE, 1, _LOCK, me), None)


def tick(entries: Sequence[Entry], due: dict[str, float], now: float) -> list[str]:
    """Queue what is due at `now` (monotonic seconds) and note when it is due again; returns the names queued."""
    ticked = []
    for entry in entries:
        if now >= due[entry.name] and enqueue(entry.function, job_id=f"clock-{entry.name}"):
            due[entry.name] = now + entry.every
            ticked.append(entry.name)
    return ticked


def _hold(redis: Redis, me: str) -> bool:
    return bool(redis.eval(_HOLD, 1, _LOCK, me, LEASE))
